//go:build unix

package privatepg

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"time"
)

// process is a started child.
type process struct {
	pid  int
	proc *os.Process
	done chan struct{} // closed once it is gone
	err  error         // how it ended; read after done
}

func (p *process) gone() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

func (p *process) exit() error {
	<-p.done
	if p.err == nil {
		return errors.New("it ended by itself")
	}
	return p.err
}

func (p *process) stop() error {
	for _, step := range []struct {
		sig  syscall.Signal
		wait time.Duration
	}{{syscall.SIGINT, 20 * time.Second}, {syscall.SIGQUIT, 5 * time.Second}, {syscall.SIGKILL, 5 * time.Second}} {
		if p.gone() {
			return nil
		}
		_ = p.proc.Signal(step.sig)
		select {
		case <-p.done:
			return nil
		case <-time.After(step.wait):
		}
	}
	return fmt.Errorf("the private PostgreSQL (process %d) does not end", p.pid)
}

// spawn starts a program of the server's. It inherits the lock and further files, and the
// kernel signals it if we die.
func (c *Cluster) spawn(name string, log *logFile, inherited []*os.File, args ...string) (*process, error) {
	cmd := exec.Command(filepath.Join(c.bin.dir, name), args...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
	cmd.Stdout, cmd.Stderr = log.file, log.file
	cmd.ExtraFiles = append([]*os.File{c.lock}, inherited...)
	// A process group of its own: Ctrl-C must reach us first.
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: c.place.cred, Setpgid: true}
	signalWhenParentDies(cmd.SysProcAttr)

	p := &process{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		// The kernel signals the child when the thread that started it ends, so the thread
		// must live as long as the child.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		if err == nil {
			p.pid, p.proc = cmd.Process.Pid, cmd.Process
		}
		started <- err
		if err == nil {
			p.err = cmd.Wait()
			close(p.done)
		}
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}
