//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db/privatepg"
)

// private finds the program's own PostgreSQL.
func (s *stage) private() (privateServer, error) { return findPrivate(s.dataDir) }

// onPostmaster sends the private postmaster a signal.
func onPostmaster(sig syscall.Signal) func(context.Context, *stage) error {
	return func(_ context.Context, s *stage) error {
		p, err := s.private()
		if err != nil {
			return err
		}
		return signalAll([]int{p.postmaster}, sig)
	}
}

// onChildren sends a signal to the private server's processes whose title matches.
func onChildren(sig syscall.Signal, most int, title string) func(context.Context, *stage) error {
	return func(_ context.Context, s *stage) error {
		p, err := s.private()
		if err != nil {
			return err
		}
		pids := titled(children(p.postmaster), title)
		if len(pids) == 0 {
			return fmt.Errorf("no process of PostgreSQL is called %q", title)
		}
		return signalAll(pids[:min(most, len(pids))], sig)
	}
}

// storesOrSays says what is wrong while the sessions of before stand still. The server takes new
// ones, so that reports are stored; where an old one stands still with a lock, page and API say that
// they are not.
func storesOrSays(ctx context.Context, s *stage) string {
	const bound = 25 * time.Second
	asked, refused := time.Now(), cannotStore()
	settled := func(v *sight) bool { return v.began.After(asked) && (s.calm(v) || refused.holds(v)) }
	if _, known := s.observer.await(ctx, asked, bound, settled); !known {
		return fmt.Sprintf("for %v reports were neither stored by new sessions nor was it said that they are not: %s", bound, lastOf(s.observer.sights()))
	}
	return ""
}

// titled leaves the processes whose title holds a text.
func titled(pids []int, text string) []int {
	var out []int
	for _, pid := range pids {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
		if strings.Contains(string(b), text) {
			out = append(out, pid)
		}
	}
	return out
}

// backend is in the titles of the processes that serve the program.
const backend = privatepg.Role + " " + privatepg.Role + " [local]"

// everyProcess is more than there are.
const everyProcess = 1000

func privateLanes() []lane {
	return []lane{
		{name: "private", setup: setup{database: databasePrivate}, faults: []fault{
			{name: "kill -9 of the private postmaster", source: sourceDatabase, inject: onPostmaster(syscall.SIGKILL)},
			{name: "kill -9 of one backend", source: sourceDatabase, inject: onChildren(syscall.SIGKILL, 1, backend)},
			{name: "kill -9 of the WAL writer", source: sourceDatabase, inject: onChildren(syscall.SIGKILL, 1, "walwriter")},
			{name: "the private postmaster is asked to end at once (SIGINT)", source: sourceDatabase, inject: onPostmaster(syscall.SIGINT)},
			{name: "the private postmaster is asked to end without a checkpoint (SIGQUIT)", source: sourceDatabase, inject: onPostmaster(syscall.SIGQUIT)},
			{name: "the private postmaster stands still", source: sourceDatabase, inject: onPostmaster(syscall.SIGSTOP), heal: onPostmaster(syscall.SIGCONT), hold: 5 * time.Second},
			{
				name: "all backends of the private server stand still", source: sourceDatabase, inject: onChildren(syscall.SIGSTOP, everyProcess, backend),
				heal: onChildren(syscall.SIGCONT, everyProcess, backend), hold: 8 * time.Second, during: storesOrSays, may: allowance{slow: true},
			},
			{
				name: "the private server's socket is deleted, and its sessions ended", source: sourceDatabase, inject: deleteSocket,
				recover: 60 * time.Second, hold: 5 * time.Second,
			},
			{name: "kill -9 of program and postmaster, and a postmaster.pid that names a live process", source: sourceDatabase, inject: stalePidFile, may: allowance{silence: true}, hold: 4 * time.Second},
			{name: "kill -9 of the program alone, and a start while its PostgreSQL still ends", source: sourceDatabase, inject: killAndStart, may: allowance{silence: true}},
		}},
		{name: "privatefull", setup: setup{database: databasePrivate, smallData: true}, faults: []fault{
			{
				name: "the disk of DATA_DIR is full", source: sourceDatabase, inject: fillDataDir, heal: emptyDataDir, noticed: cannotStore(), within: 40 * time.Second,
				recover: 60 * time.Second, needs: needRoot, flaps: true,
			},
		}},
	}
}

// deleteSocket removes the private server's socket, as cleaners of folders do, and ends the
// program's sessions, so that it must connect anew.
func deleteSocket(ctx context.Context, s *stage) error {
	p, err := s.private()
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, p.adminURL())
	if err != nil {
		return fmt.Errorf("connect to the private server: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if err := os.Remove(filepath.Join(p.socketDir, ".s.PGSQL.5432")); err != nil {
		return fmt.Errorf("delete the socket: %w", err)
	}
	_, err = conn.Exec(ctx, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'validator-dashboard'")
	return err
}

// stalePidFile leaves what a container leaves that was killed: a postmaster.pid whose number
// belongs to another process after the next start.
func stalePidFile(ctx context.Context, s *stage) error {
	p, err := s.private()
	if err != nil {
		return err
	}
	path := filepath.Join(s.dataDir, "postgres", "data", "postmaster.pid")
	before, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read postmaster.pid: %w", err)
	}
	info, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("look at postmaster.pid: %w", err)
	}
	if err := s.program().kill(); err != nil {
		return err
	}
	_ = signalAll([]int{p.postmaster}, syscall.SIGKILL)
	if err := awaitGone(ctx, p.postmaster); err != nil {
		return err
	}
	other := exec.Command("sleep", "3600")
	owner := info.Sys().(*syscall.Stat_t)
	other.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 {
		other.SysProcAttr.Credential = &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}
	}
	if err := other.Start(); err != nil {
		return fmt.Errorf("start the other process: %w", err)
	}
	s.later(func() error { _ = other.Process.Kill(); _ = other.Wait(); return nil })
	_, rest, _ := strings.Cut(string(before), "\n")
	stale := strconv.Itoa(other.Process.Pid) + "\n" + rest
	if err := os.WriteFile(path, []byte(stale), 0o600); err != nil { //nolint:gosec // the path is of our own stage
		return fmt.Errorf("write postmaster.pid: %w", err)
	}
	if err := os.Chown(path, int(owner.Uid), int(owner.Gid)); err != nil {
		return fmt.Errorf("hand postmaster.pid to its user: %w", err)
	}
	return s.program().start(ctx)
}

// awaitGone waits for a process that is no child of ours to end.
func awaitGone(ctx context.Context, pid int) error {
	for syscall.Kill(pid, 0) == nil {
		if ctx.Err() != nil {
			return fmt.Errorf("wait for process %d to end: %w", pid, ctx.Err())
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}

func killAndStart(ctx context.Context, s *stage) error {
	if err := s.program().kill(); err != nil {
		return err
	}
	return s.program().start(ctx)
}

// smallDisk is the size of a file system that is to become full: a new cluster fits.
const smallDisk = "size=160m"

// mountSmall mounts a small file system at a path until the stage ends.
func (s *stage) mountSmall(path string) error {
	if err := os.MkdirAll(path, 0o755); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	if err := syscall.Mount("faults", path, "tmpfs", 0, smallDisk+",mode=0755"); err != nil {
		return fmt.Errorf("mount a small file system: %w", err)
	}
	s.later(func() error {
		if err := syscall.Unmount(path, syscall.MNT_DETACH); err != nil {
			return fmt.Errorf("unmount the small file system: %w", err)
		}
		return nil
	})
	return nil
}

// fill writes a file until nothing more fits.
func fill(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("fill the file system: %w", err)
	}
	piece := make([]byte, 64<<10)
	for err == nil {
		_, err = f.Write(piece)
	}
	return errors.Join(f.Close(), unless(err, syscall.ENOSPC))
}

// unless is err, but nil where it is what was wanted.
func unless(err, wanted error) error {
	if errors.Is(err, wanted) {
		return nil
	}
	return err
}

func fillDataDir(ctx context.Context, s *stage) error {
	if err := fill(filepath.Join(s.dataDir, "filler")); err != nil {
		return err
	}
	// Space in the segments that exist would let it go on for a while.
	_ = s.sql(ctx, "SELECT pg_switch_wal()")
	return nil
}

func emptyDataDir(_ context.Context, s *stage) error {
	if err := os.Remove(filepath.Join(s.dataDir, "filler")); err != nil {
		return fmt.Errorf("empty the file system: %w", err)
	}
	return nil
}
