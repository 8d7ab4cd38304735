//go:build linux

package main

import (
	"context"
	_ "embed"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

//go:embed testdata/clock.c
var clockSource string

// movedClock is a PostgreSQL whose clock the harness moves.
type movedClock struct {
	binDir string // of programs that start the real ones with the clock moved
	file   string // seconds
}

// newMovedClock builds the library that moves the clock, and programs in the place of those
// in binDir that load it.
func newMovedClock(ctx context.Context, dir, binDir string) (movedClock, error) {
	c := movedClock{binDir: filepath.Join(dir, "bin"), file: filepath.Join(dir, "clock")}
	if err := os.MkdirAll(c.binDir, 0o755); err != nil {
		return c, fmt.Errorf("make a folder for the clock: %w", err)
	}
	source, library := filepath.Join(dir, "clock.c"), filepath.Join(dir, "clock.so")
	if err := os.WriteFile(source, []byte(clockSource), 0o600); err != nil {
		return c, fmt.Errorf("write the clock's source: %w", err)
	}
	if out, err := exec.CommandContext(ctx, "cc", "-shared", "-fPIC", "-O2", "-o", library, source, "-ldl").CombinedOutput(); err != nil {
		return c, fmt.Errorf("build the clock: %w\n%s", err, out)
	}
	if err := c.move(0); err != nil {
		return c, err
	}
	for _, name := range []string{"initdb", "postgres"} {
		script := fmt.Sprintf("#!/bin/sh\nexport LD_PRELOAD=%s FAULTS_CLOCK=%s\nexec %s \"$@\"\n", library, c.file, filepath.Join(binDir, name))
		if err := os.WriteFile(filepath.Join(c.binDir, name), []byte(script), 0o755); err != nil { //nolint:gosec // the server's user starts it
			return c, fmt.Errorf("write the program %s: %w", name, err)
		}
	}
	return c, nil
}

// move sets by how much the clock is wrong.
func (c movedClock) move(by time.Duration) error {
	b := make([]byte, 8)
	binary.NativeEndian.PutUint64(b, uint64(int64(by/time.Second)))
	f, err := os.OpenFile(c.file, os.O_WRONLY|os.O_CREATE, 0o644)
	if err != nil {
		return fmt.Errorf("move the clock: %w", err)
	}
	if _, err := f.WriteAt(b, 0); err != nil {
		_ = f.Close()
		return fmt.Errorf("move the clock: %w", err)
	}
	return f.Close()
}
