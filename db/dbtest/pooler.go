//go:build unix

package dbtest

import (
	"bytes"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db/privatepg"
)

// Pooler is a real PgBouncer before a database of the tests.
type Pooler struct {
	URL string // of the database, through the pooler

	config string // path of its file
	text   func(mode string) string
	cmd    *exec.Cmd
}

// PoolerSize is how many connections with the server a Pooler shares among its clients.
const PoolerSize = 20

// StartPooler puts PgBouncer, with its default settings but for the mode, before the database
// of a URL that this package gave. Mode is session, transaction or statement. It ends with the
// test.
func StartPooler(t testing.TB, databaseURL, mode string) *Pooler {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	program, libraries, err := findPooler()
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	p := &Pooler{
		URL:    (&url.URL{Scheme: "postgres", User: url.User(privatepg.Role), Host: address, Path: "/" + name, RawQuery: "sslmode=disable"}).String(),
		config: filepath.Join(Dir(t), "pgbouncer.ini"),
		text: func(mode string) string {
			return fmt.Sprintf("[databases]\n%s = host=%s port=5432 dbname=%s user=%s\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = %s\nunix_socket_dir =\nauth_type = any\ndefault_pool_size = %d\nlog_connections = 0\nlog_disconnections = 0\npool_mode = %s\n",
				name, u.Query().Get("host"), name, privatepg.Role, port, PoolerSize, mode)
		},
	}
	p.write(t, mode)
	p.start(t, u.Query().Get("host"), program, libraries)
	for deadline := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
		c, err := net.Dial("tcp", address)
		if err == nil {
			_ = c.Close()
			return p
		}
		if time.Now().After(deadline) {
			t.Fatalf("PgBouncer never listened: %v", err)
		}
	}
}

// SetMode changes the mode while clients are connected, as an operator does.
func (p *Pooler) SetMode(t testing.TB, mode string) {
	t.Helper()
	p.write(t, mode)
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
}

func (p *Pooler) write(t testing.TB, mode string) {
	t.Helper()
	if err := os.WriteFile(p.config, []byte(p.text(mode)), 0o644); err != nil { //nolint:gosec // PgBouncer reads it as another user
		t.Fatal(err)
	}
}

// start runs PgBouncer as the user of the server, whose socket only that user may reach.
func (p *Pooler) start(t testing.TB, socketDir, program, libraries string) {
	t.Helper()
	args := []string{p.config}
	if os.Geteuid() == 0 {
		info, err := os.Stat(socketDir)
		if err != nil {
			t.Fatal(err)
		}
		owner, err := user.LookupId(strconv.Itoa(int(info.Sys().(*syscall.Stat_t).Uid)))
		if err != nil {
			t.Fatal(err)
		}
		args = append([]string{"-u", owner.Username}, args...)
	}
	// The pipe ends with this process, however that ends.
	p.cmd = exec.Command("sh", append([]string{"-c", `exec 3<&0; { cat <&3 >/dev/null; kill $$; } & exec "$@" 3<&- </dev/null`, "sh", program}, args...)...)
	var out bytes.Buffer
	p.cmd.Stdout, p.cmd.Stderr = &out, &out
	p.cmd.Env = append(os.Environ(), "LD_LIBRARY_PATH="+libraries)
	pipe, err := p.cmd.StdinPipe()
	if err == nil {
		err = p.cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = pipe.Close()
		_ = p.cmd.Wait()
		if t.Failed() {
			t.Logf("PgBouncer said:\n%s", out.Bytes())
		}
	})
}

// findPooler finds PgBouncer where `make proxies` unpacked it, or installed, and the folders of
// its libraries in the form of LD_LIBRARY_PATH.
func findPooler() (program, libraries string, err error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", "", err
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	root := filepath.Join(dir, ".cache", "proxies", "root")
	found, err := filepath.Glob(filepath.Join(root, "usr/lib/*-linux-gnu*"))
	if err != nil {
		return "", "", err
	}
	for _, candidate := range []string{filepath.Join(root, "usr/sbin/pgbouncer"), "/usr/sbin/pgbouncer", "pgbouncer"} {
		if program, err = exec.LookPath(candidate); err == nil {
			return program, strings.Join(found, ":"), nil
		}
	}
	return "", "", fmt.Errorf("run 'make proxies', or install pgbouncer: %w", err)
}
