//go:build linux

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// logReader says what reads the program's log.
type logReader int

const (
	logDrained logReader = iota // all of it is read and kept
	logStuck                    // a pipe that nobody reads, until release
)

// program is the built server as a process. Its address stays the same across restarts.
type program struct {
	path string
	wrap []string // what it is started through, such as unshare
	env  []string
	dir  string
	url  string
	log  logReader

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{}
	lines  []string
	pipe   *os.File // the log's read end
}

const startBound = 90 * time.Second

func newProgram(path, dir string, env []string) (*program, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	address := l.Addr().String()
	if err := l.Close(); err != nil {
		return nil, fmt.Errorf("find a free port: %w", err)
	}
	base := []string{"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "LISTEN=" + address}
	return &program{path: path, dir: dir, url: "http://" + address, env: append(base, env...)}, nil
}

// start runs the program and returns when it has said that it is ready.
func (p *program) start(ctx context.Context) error {
	args := append(slices.Clone(p.wrap), p.path, "serve")
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = p.dir, p.env
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches the harness, which ends it
	out, err := cmd.StdoutPipe()
	if err != nil {
		return fmt.Errorf("start the program: %w", err)
	}
	read, write, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("start the program: %w", err)
	}
	if p.log == logStuck {
		if _, err := unix.FcntlInt(write.Fd(), unix.F_SETPIPE_SZ, os.Getpagesize()); err != nil { // it is full the sooner
			return fmt.Errorf("make the log's pipe small: %w", err)
		}
	}
	cmd.Stderr = write
	err = cmd.Start()
	_ = write.Close()
	if err != nil {
		_ = read.Close()
		return fmt.Errorf("start the program: %w", err)
	}
	exited := make(chan struct{})
	p.mu.Lock()
	p.cmd, p.exited, p.pipe = cmd, exited, read
	p.mu.Unlock()
	if p.log == logDrained {
		go p.drain(read)
	}
	ready := make(chan bool, 1)
	go func() {
		line, err := bufio.NewReader(out).ReadString('\n')
		ready <- err == nil && strings.Contains(line, "ready at")
		_, _ = io.Copy(io.Discard, out)
	}()
	go func() { _ = cmd.Wait(); close(exited) }()
	select {
	case ok := <-ready:
		if ok {
			return nil
		}
		return fmt.Errorf("the program ended before it was ready:\n%s", p.tail(20))
	case <-time.After(startBound):
		return errors.Join(fmt.Errorf("the program is not ready after %s:\n%s", startBound, p.tail(20)), p.end())
	case <-ctx.Done():
		return errors.Join(ctx.Err(), p.end())
	}
}

// keptLines bounds what is kept of a log.
const keptLines = 20_000

func (p *program) drain(r *os.File) {
	s := bufio.NewScanner(r)
	s.Buffer(nil, 1<<20)
	for s.Scan() {
		p.mu.Lock()
		if len(p.lines) < keptLines {
			p.lines = append(p.lines, s.Text())
		}
		p.mu.Unlock()
	}
}

// release begins to read a log that nobody read.
func (p *program) release() {
	p.mu.Lock()
	defer p.mu.Unlock()
	go p.drain(p.pipe)
}

// closeLog closes the read end of the log's pipe: what is written to it from then on fails.
func (p *program) closeLog() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pipe.Close()
}

// logged counts the log's lines since a place that match.
func (p *program) logged(from int, match *regexp.Regexp) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := 0
	for _, l := range p.lines[min(from, len(p.lines)):] {
		if match.MatchString(l) {
			n++
		}
	}
	return n
}

// logPlace is where the log ends now.
func (p *program) logPlace() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.lines)
}

func (p *program) tail(n int) string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.lines[max(0, len(p.lines)-n):], "\n")
}

func (p *program) pid() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil || p.cmd.Process == nil {
		return 0
	}
	return p.cmd.Process.Pid
}

func (p *program) signal(s syscall.Signal) error {
	if err := syscall.Kill(p.pid(), s); err != nil {
		return fmt.Errorf("send the program %s: %w", s, err)
	}
	return nil
}

// gone waits for the program's end and returns its exit status, or an error after a bound.
func (p *program) gone(bound time.Duration) (string, error) {
	p.mu.Lock()
	cmd, exited := p.cmd, p.exited
	p.mu.Unlock()
	select {
	case <-exited:
		return cmd.ProcessState.String(), nil
	case <-time.After(bound):
		return "", fmt.Errorf("the program has not ended %s after it was asked to", bound)
	}
}

func (p *program) running() bool {
	p.mu.Lock()
	exited := p.exited
	p.mu.Unlock()
	if exited == nil {
		return false
	}
	select {
	case <-exited:
		return false
	default:
		return true
	}
}

// kill ends the program at once.
func (p *program) kill() error {
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	_, err := p.gone(10 * time.Second)
	return err
}

// end asks the program to end, and makes it end if it does not.
func (p *program) end() error {
	if !p.running() {
		return nil
	}
	_ = p.signal(syscall.SIGCONT)
	if err := p.signal(syscall.SIGTERM); err != nil {
		return err
	}
	if _, err := p.gone(30 * time.Second); err != nil {
		return errors.Join(err, p.kill())
	}
	return nil
}
