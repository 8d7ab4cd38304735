//go:build unix

package privatepg_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db/privatepg"
)

// fakePrograms makes a folder whose postgres tells a version and nothing else.
func fakePrograms(t *testing.T, version string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"postgres", "initdb"} {
		script := fmt.Sprintf("#!/bin/sh\necho 'postgres (PostgreSQL) %s'\n", version)
		if err := os.WriteFile(filepath.Join(dir, name), []byte(script), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for d := dir; d != os.TempDir() && d != "/"; d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func problem(t *testing.T, err error, kind error, words ...string) {
	t.Helper()
	var p *privatepg.Problem
	if !errors.As(err, &p) || !errors.Is(err, kind) {
		t.Fatalf("got %v, want a problem of kind %v", err, kind)
	}
	for _, w := range words {
		if !strings.Contains(p.Reason+" "+p.Remedy, w) {
			t.Errorf("%q does not say %q", p.Reason+" "+p.Remedy, w)
		}
	}
}

func TestAnotherVersionsDataIsRefused(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	c := open(t, dir)
	start(t, c)
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	_, err := privatepg.Open(privatepg.Config{Dir: dir, BinDir: fakePrograms(t, "99.1")})
	problem(t, err, privatepg.ErrOtherVersion, "PostgreSQL 99", "pg_upgrade")
}

func TestMissingOrOldProgramsAreToldWithTheRemedy(t *testing.T) {
	t.Parallel()
	for name, bin := range map[string]string{"none": t.TempDir(), "too old": fakePrograms(t, "13.4")} {
		t.Run(name, func(t *testing.T) {
			c, err := privatepg.Open(privatepg.Config{Dir: testDir(t), BinDir: bin})
			if err != nil {
				t.Fatalf("a person can mend this while the program runs, so Open must not fail: %v", err)
			}
			t.Cleanup(func() { _ = c.Close() })
			problem(t, c.Start(t.Context()), privatepg.ErrNoBinaries, "PostgreSQL")
		})
	}
}

// TestAFolderThatTheServerCannotEnter differs by who runs it, as the behaviour does.
func TestAFolderThatTheServerCannotEnter(t *testing.T) {
	t.Parallel()
	closed := filepath.Dir(testDir(t))
	if os.Geteuid() != 0 {
		if err := os.Chmod(closed, 0o500); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(closed, 0o700) })
		c, err := privatepg.Open(privatepg.Config{Dir: filepath.Join(closed, "data", "postgres")})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		problem(t, c.Start(t.Context()), privatepg.ErrNoAccess, "DATA_DIR")
		return
	}
	if err := os.Chmod(closed, 0o700); err != nil { // as /root is
		t.Fatal(err)
	}
	dir := filepath.Join(closed, "data", "postgres")
	c := open(t, dir)
	start(t, c)
	target, err := os.Readlink(dir)
	if err != nil {
		t.Fatalf("no link to where the files are: %v", err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(target); _ = os.Remove(filepath.Dir(target)) })
	if !strings.HasPrefix(c.LogPath(), target) {
		t.Errorf("the log is %s, the link leads to %s", c.LogPath(), target)
	}
	remember(t, c)
	if _, err := privatepg.Open(privatepg.Config{Dir: dir}); !errors.Is(err, privatepg.ErrInUse) {
		t.Errorf("a second server: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	again := open(t, dir)
	start(t, again)
	wantKept(t, again)
	if err := again.Close(); err != nil { // before the files are removed
		t.Fatal(err)
	}
}

func TestTheLogIsKeptShort(t *testing.T) {
	t.Parallel()
	dir := testDir(t)
	c := open(t, dir)
	start(t, c)
	log, err := os.OpenFile(c.LogPath(), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	line := strings.Repeat("x", 1023) + "\n"
	for range 5 << 10 {
		if _, err := log.WriteString(line); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	if err := c.TrimLog(); err != nil {
		t.Fatal(err)
	}
	for path, most := range map[string]int64{c.LogPath(): 0, c.LogPath() + ".1": 4 << 20} {
		info, err := os.Stat(path)
		if err != nil || info.Size() > most {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
	if err := c.Stop(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(c.LogPath())
	if err != nil || !strings.Contains(string(b), "shut down") {
		t.Errorf("after trimming the server wrote %q, %v", b, err)
	}
}
