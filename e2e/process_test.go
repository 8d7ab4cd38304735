package e2e

import (
	"errors"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// process is a program that runs until the test ends.
type process struct {
	cmd  *exec.Cmd
	out  *output
	done chan struct{}
}

// leash runs a command until it ends or its own input does: who may not signal another
// user's process can still end it, and none outlives the test.
const leash = `exec 3<&0; "$@" </dev/null 3<&- & pid=$!; { cat <&3; kill $pid; } >/dev/null 2>&1 & wait $pid`

// start runs a command as a user; "" is the test's own. Only root, or who may use sudo
// without a password, can name another.
func start(t *testing.T, name string, environment []string, command ...string) *process {
	t.Helper()
	line := append([]string{"env"}, append(environment, command...)...)
	own := name == "" || os.Geteuid() == 0
	if !own {
		if exec.Command("sudo", "-n", "true").Run() != nil {
			t.Skipf("only root, or who may use sudo without a password, can run a program as %s", name)
		}
		line = append([]string{"sudo", "-n", "-u", name}, line...)
	}
	p := &process{cmd: exec.Command("sh", append([]string{"-c", leash, "sh"}, line...)...), out: &output{}, done: make(chan struct{})}
	if own && name != "" {
		p.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: credential(t, name)}
	}
	p.cmd.Dir = "/"
	p.cmd.Env = []string{"PATH=" + os.Getenv("PATH")}
	p.cmd.Stdout, p.cmd.Stderr = p.out, p.out
	input, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = p.cmd.Wait(); close(p.done) }()
	t.Cleanup(func() {
		_ = input.Close()
		p.ends(t)
	})
	return p
}

func credential(t *testing.T, name string) *syscall.Credential {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatalf("this machine has no user %s: %v", name, err)
	}
	uid, uidErr := strconv.ParseUint(u.Uid, 10, 32)
	gid, gidErr := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(uidErr, gidErr); err != nil {
		t.Fatal(err)
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// ends waits until the process has ended.
func (p *process) ends(t *testing.T) {
	t.Helper()
	select {
	case <-p.done:
	case <-time.After(patience):
		t.Errorf("%s did not end:\n%s", p.cmd, p.out)
		_ = p.cmd.Process.Kill()
	}
}

// eventually waits for a condition that the process brings about.
func (p *process) eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); time.Sleep(20 * time.Millisecond) {
		select {
		case <-p.done:
			t.Fatalf("it ended before %s:\n%s", what, p.out)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("it never came: %s\n%s", what, p.out)
		}
	}
}

// output keeps what a process wrote.
type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}
