//go:build unix

package privatepg

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
)

// initOnce makes the cluster if there is none. It is made under another name, so that one
// whose making was cut off is never taken for a whole one.
func (c *Cluster) initOnce(ctx context.Context, log *logFile) error {
	if _, err := os.Lstat(c.place.path("data")); err == nil {
		return nil
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("look for the database: %w", err)
	}
	fresh := c.place.path("data.new")
	if err := os.RemoveAll(fresh); err != nil {
		return fmt.Errorf("clear a database whose making was cut off: %w", err)
	}
	p, err := c.spawn("initdb", log, "-D", fresh, "-U", Role, "-E", "UTF8", "--locale=C",
		"--auth-local=trust", "--auth-host=reject", "--data-checksums", "--no-instructions")
	if err != nil {
		return fmt.Errorf("make the database: %w", err)
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		_ = syscall.Kill(-p.pid, syscall.SIGKILL) // with its children
		<-p.done
		return fmt.Errorf("make the database: %w", context.Cause(ctx))
	}
	if p.err != nil {
		return &Problem{
			Reason: "The private database could not be made.",
			Remedy: "The log of the attempt is " + c.logPath() + ".",
			Cause:  fmt.Errorf("initdb: %w: %s", p.err, log.tail()),
		}
	}
	if err := os.Rename(fresh, c.place.path("data")); err != nil {
		return fmt.Errorf("put the new database in place: %w", err)
	}
	return nil
}

// spawn starts a program of the server's. It inherits the lock, and the kernel signals it
// if we die.
func (c *Cluster) spawn(name string, log *logFile, args ...string) (*process, error) {
	cmd := exec.Command(filepath.Join(c.bin.dir, name), args...)
	cmd.Dir = "/"
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C", "TZ=UTC"}
	cmd.Stdout, cmd.Stderr = log.file, log.file
	cmd.ExtraFiles = []*os.File{c.lock}
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
