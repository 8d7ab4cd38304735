//go:build unix

package privatepg_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db/privatepg"
)

const patience = 60 * time.Second

// TestMain lets the test binary run itself as a parent that can be killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv("PRIVATEPG_PARENT_OF"); dir != "" {
		os.Exit(parent(dir))
	}
	os.Exit(m.Run())
}

// parent starts a server and waits to be killed.
func parent(dir string) int {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	c, err := privatepg.Open(privatepg.Config{Dir: dir})
	if err == nil {
		err = c.Start(ctx)
	}
	if err != nil {
		fmt.Println("failed", err)
		return 1
	}
	fmt.Println("ready", c.PID())
	_, _ = io.Copy(io.Discard, os.Stdin)
	return 0
}

func testDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "pg")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return filepath.Join(dir, "postgres")
}

func open(t *testing.T, dir string) *privatepg.Cluster {
	t.Helper()
	c, err := privatepg.Open(privatepg.Config{Dir: dir, Settings: []string{"fsync=off"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func start(t *testing.T, c *privatepg.Cluster) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := c.Start(ctx); err != nil {
		t.Fatal(err)
	}
}

// ask runs a statement that returns one text.
func ask(t *testing.T, c *privatepg.Cluster, sql string) string {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), "user="+privatepg.Role+" dbname=postgres sslmode=disable host="+c.SocketDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(context.Background()) }()
	var v string
	if err := conn.QueryRow(t.Context(), sql).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

const keep = "CREATE TABLE kept AS SELECT 'yes'::text AS v; "

// remember stores something that a later ask must find.
func remember(t *testing.T, c *privatepg.Cluster) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), "user="+privatepg.Role+" dbname=postgres sslmode=disable host="+c.SocketDir())
	if err == nil {
		_, err = conn.Exec(t.Context(), keep)
	}
	if err == nil {
		err = conn.Close(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
}

func wantKept(t *testing.T, c *privatepg.Cluster) {
	t.Helper()
	if v := ask(t, c, "SELECT v FROM kept"); v != "yes" {
		t.Fatalf("kept %q", v)
	}
}

// killServer kills a cluster's server with kill -9 and waits until it is gone.
func killServer(t *testing.T, c *privatepg.Cluster) {
	t.Helper()
	gone := c.Done()
	if err := syscall.Kill(c.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-gone
}

func TestItKeepsDataAndListensOnNoNetwork(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	c := open(t, dir)
	start(t, c)
	remember(t, c)
	if v := ask(t, c, "SHOW listen_addresses"); v != "" {
		t.Errorf("it listens on %q", v)
	}
	if os.Geteuid() == 0 {
		st, err := os.Stat(fmt.Sprintf("/proc/%d", c.PID()))
		if err != nil {
			t.Fatal(err)
		}
		if st.Sys().(*syscall.Stat_t).Uid == 0 {
			t.Error("the server runs as root")
		}
	}
	info, err := os.Stat(c.SocketDir())
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode().Perm() != 0o700 {
		t.Errorf("the socket's folder has mode %v", info.Mode())
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	if pid := c.PID(); pid != 0 {
		t.Errorf("stopped, and process %d is still named", pid)
	}
	start(t, c)
	wantKept(t, c)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir)
	start(t, again)
	wantKept(t, again)
}

func TestASecondServerOnADirectoryNamesTheFirst(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	c := open(t, dir)
	start(t, c)
	_, err := privatepg.Open(privatepg.Config{Dir: dir})
	if !errors.Is(err, privatepg.ErrInUse) {
		t.Fatalf("got %v", err)
	}
	if !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Errorf("%q does not name process %d", err, os.Getpid())
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	start(t, open(t, dir))
}

func TestOfTwoAtTheSameMomentOneWins(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	type result struct {
		c   *privatepg.Cluster
		err error
	}
	results := make(chan result, 2)
	for range 2 {
		go func() {
			c, err := privatepg.Open(privatepg.Config{Dir: dir})
			results <- result{c, err}
		}()
	}
	won := 0
	for range 2 {
		r := <-results
		switch {
		case r.err == nil:
			won++
			t.Cleanup(func() { _ = r.c.Close() })
		case !errors.Is(r.err, privatepg.ErrInUse):
			t.Errorf("got %v", r.err)
		}
	}
	if won != 1 {
		t.Errorf("%d won", won)
	}
}

func TestItStartsAgainAfterTheServerWasKilled(t *testing.T) {
	t.Parallel()
	c := open(t, testDir(t))
	start(t, c)
	remember(t, c)
	killServer(t, c)
	start(t, c) // it waits until the processes of the one before are gone
	wantKept(t, c)
}

func TestAKilledParentLeavesNoServerBehind(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "PRIVATEPG_PARENT_OF="+dir)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdin.Close() }()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var word string
	var pid int
	if _, err := fmt.Fscan(out, &word, &pid); err != nil || word != "ready" {
		rest, _ := io.ReadAll(out)
		t.Fatal(word, string(rest), err)
	}
	if _, err := privatepg.Open(privatepg.Config{Dir: dir}); !errors.Is(err, privatepg.ErrInUse) ||
		!strings.Contains(err.Error(), strconv.Itoa(cmd.Process.Pid)) {
		t.Errorf("beside a live parent: %v", err)
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	c := open(t, dir)
	start(t, c) // at once: it waits for the other's end
	remember(t, c)
	wantKept(t, c)
	if state := processState(pid); state != "" && state != "Z" { // where nobody reaps, a zombie stays
		t.Errorf("the killed parent's server still runs (%s)", state)
	}
}

// processState is the kernel's letter for a process's state, "" if there is none.
func processState(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	_, after, _ := strings.Cut(string(b), ") ")
	return after[:1]
}

func TestACutOffInitIsDoneAgain(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	c := open(t, dir)
	ctx, cancel := context.WithCancel(t.Context())
	failed := make(chan error, 1)
	go func() { failed <- c.Start(ctx) }()
	waitFor(t, "initdb to begin", func() bool {
		_, err := os.Stat(filepath.Join(dir, "data.new", "PG_VERSION"))
		return err == nil
	})
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err == nil {
		t.Error("half a database was put in place")
	}
	start(t, c)
	remember(t, c)
}

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

func TestAServerThatCannotStartSaysWhereItsLogIs(t *testing.T) {
	t.Parallel()
	c, err := privatepg.Open(privatepg.Config{Dir: testDir(t), Settings: []string{"shared_buffers=nonsense"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err = c.Start(ctx)
	var p *privatepg.Problem
	if !errors.As(err, &p) || !strings.Contains(p.Remedy, c.LogPath()) || !strings.Contains(err.Error(), "shared_buffers") {
		t.Errorf("got %v", err)
	}
}

func TestALongPathGetsAShortSocket(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(testDir(t), strings.Repeat("long/", 30), "postgres")
	c := open(t, dir)
	start(t, c)
	t.Cleanup(func() { _ = os.RemoveAll(c.SocketDir()) })
	if strings.HasPrefix(c.SocketDir(), dir) {
		t.Errorf("the socket lies in %s", c.SocketDir())
	}
	info, err := os.Lstat(c.SocketDir())
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the socket's folder: %v, %v", info, err)
	}
	remember(t, c)
}
