//go:build linux

package privatepg_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db/privatepg"
)

// ownerOf is the user that a directory's server runs as.
func ownerOf(t *testing.T, dir string) *syscall.Credential {
	t.Helper()
	info, err := os.Stat(filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	st := info.Sys().(*syscall.Stat_t)
	return &syscall.Credential{Uid: st.Uid, Gid: st.Gid}
}

// asServer starts a program as the server's user and ends it with the test.
func asServer(t *testing.T, dir, name string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = ownerOf(t, dir)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL); _ = cmd.Wait() })
	return cmd
}

// dieAndLeave kills a cluster's server with kill -9 and makes its lock files name a process.
func dieAndLeave(t *testing.T, c *privatepg.Cluster, dir string, pid int) {
	t.Helper()
	killServer(t, c)
	for _, path := range []string{filepath.Join(dir, "data", "postmaster.pid"), filepath.Join(c.SocketDir(), ".s.PGSQL.5432.lock")} {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(b), "\n")
		if err := os.WriteFile(path, []byte(strconv.Itoa(pid)+"\n"+rest), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// TestALockThatNamesALiveProcessIsStale, as after a container was killed and its numbers of
// processes began anew. A live thread counts for one.
func TestALockThatNamesALiveProcessIsStale(t *testing.T) {
	t.Parallel()
	for name, pid := range map[string]func(dir string) int{
		"another program's process": func(dir string) int { return asServer(t, dir, "sleep", "3600").Process.Pid },
		"a thread of this process":  func(string) int { return liveThread(t) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := testDir(t)
			c := open(t, dir)
			start(t, c)
			remember(t, c)
			dieAndLeave(t, c, dir, pid(dir))
			start(t, c) // by the process that started it before
			wantKept(t, c)
			dieAndLeave(t, c, dir, pid(dir))
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
			again := open(t, dir) // and by another
			start(t, again)
			wantKept(t, again)
		})
	}
}

// TestWhatAKilledServerLeftBehindIsNoOwner: its processes hold the lock until they end, and this
// process, which held it, does no more.
func TestWhatAKilledServerLeftBehindIsNoOwner(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	c := open(t, dir)
	start(t, c)
	remember(t, c)
	left := childrenOf(t, c.PID())
	signal := func(sig syscall.Signal) {
		for _, pid := range left {
			_ = syscall.Kill(pid, sig)
		}
	}
	t.Cleanup(func() { signal(syscall.SIGCONT) })
	signal(syscall.SIGSTOP)
	killServer(t, c)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir)
	time.AfterFunc(500*time.Millisecond, func() { signal(syscall.SIGCONT) })
	start(t, again)
	wantKept(t, again)
}

// childrenOf lists the processes that a process started.
func childrenOf(t *testing.T, parent int) []int {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", parent, parent))
	if err != nil {
		t.Fatal(err)
	}
	var out []int
	for _, word := range strings.Fields(string(b)) {
		pid, err := strconv.Atoi(word)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, pid)
	}
	return out
}

// liveThread is the number of a thread that lives as long as the test and is no process.
func liveThread(t *testing.T) int {
	id, end := make(chan int), make(chan struct{})
	t.Cleanup(func() { close(end) })
	var live func()
	live = func() {
		runtime.LockOSThread()
		if tid := syscall.Gettid(); tid != os.Getpid() {
			id <- tid
		} else {
			go live() // this thread is the process's first, whose number is the process's own
		}
		<-end
	}
	go live()
	return <-id
}

// TestAServerStartedByHandIsLeftAlone, whose lock is no stale one.
func TestAServerStartedByHandIsLeftAlone(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	c := open(t, dir)
	start(t, c)
	remember(t, c)
	postgres, err := os.Readlink("/proc/" + strconv.Itoa(c.PID()) + "/exe")
	if os.IsPermission(err) {
		t.Fatal(err)
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	byHand := asServer(t, dir, postgres, "-D", filepath.Join(dir, "data"), "-k", c.SocketDir(), "-c", "listen_addresses=", "-c", "port=5433")
	lock := filepath.Join(dir, "data", "postmaster.pid")
	waitFor(t, "the other server", func() bool {
		b, _ := os.ReadFile(lock)
		return strings.Contains(string(b), "ready")
	})
	inUse := func(words string) {
		t.Helper()
		err := c.Start(t.Context())
		var p *privatepg.Problem
		if !errors.As(err, &p) || !errors.Is(err, privatepg.ErrInUse) || !strings.Contains(p.Reason, words) {
			t.Errorf("got %v", err)
		}
		if _, err := os.Stat(lock); err != nil {
			t.Errorf("its lock: %v", err)
		}
	}
	inUse("process " + strconv.Itoa(byHand.Process.Pid))

	// A session that is busy outlives its server.
	conn, err := pgx.Connect(t.Context(), "user="+privatepg.Role+" dbname=postgres sslmode=disable port=5433 host="+c.SocketDir())
	if err != nil {
		t.Fatal(err)
	}
	busy := int(conn.PgConn().PID())
	t.Cleanup(func() { _ = syscall.Kill(busy, syscall.SIGKILL) })
	go func() { _, _ = conn.Exec(t.Context(), "SELECT count(*) FROM generate_series(1, 1e12::bigint)") }()
	waitFor(t, "the query", func() bool { return processState(busy) == "R" })
	if err := byHand.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = byHand.Wait()
	inUse("Processes of an earlier PostgreSQL server")
	if err := syscall.Kill(busy, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(patience); ; time.Sleep(50 * time.Millisecond) {
		if err = c.Start(t.Context()); err == nil {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	wantKept(t, c)
}
