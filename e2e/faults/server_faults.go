//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// startAgain starts the program.
func startAgain(ctx context.Context, s *stage) error { return s.program().start(ctx) }

func serverLanes() []lane {
	return []lane{
		{name: "process", faults: processFaults()},
		{name: "replicas", setup: setup{replicas: 2}, faults: replicaFaults()},
		{name: "stucklog", setup: setup{log: logStuck, env: []string{"LOG_LEVEL=debug"}}, faults: []fault{{
			name: "nobody reads the log: its pipe is full", source: "server", hold: 8 * time.Second,
			inject: func(context.Context, *stage) error { return nil }, // the log has been filling since the start
			heal:   func(_ context.Context, s *stage) error { s.program().release(); return nil },
		}}},
		{name: "closedlog", setup: setup{env: []string{"LOG_LEVEL=debug"}}, faults: []fault{{
			name: "the log's reader goes away", source: "server", hold: 5 * time.Second,
			inject: func(_ context.Context, s *stage) error { return s.program().closeLog() },
		}}},
		{name: "memory", setup: setup{env: []string{"GOMEMLIMIT=48MiB"}}, faults: []fault{{
			name: "the program may use 48 MiB of memory only (GOMEMLIMIT), and much is asked", source: "server", hold: 6 * time.Second, may: allowance{slow: true},
			inject: func(ctx context.Context, s *stage) error { // it has been so since the start, and now much is asked
				_, err := flood(1000)(ctx, strings.TrimPrefix(s.program().url, "http://"))
				return err
			},
		}}},
	}
}

func processFaults() []fault {
	return []fault{
		{
			name: "kill -9 of the program during reports", source: "server", noticed: noAnswer(), heal: startAgain, may: allowance{silence: true},
			inject: func(_ context.Context, s *stage) error { return s.program().kill() },
		},
		{
			name: "the program is asked to end during reports (SIGTERM)", source: "server", noticed: noAnswer(), heal: startAgain, may: allowance{silence: true},
			inject: func(_ context.Context, s *stage) error {
				if err := s.program().signal(syscall.SIGTERM); err != nil {
					return err
				}
				status, err := s.program().gone(30 * time.Second)
				if err == nil && status != "exit status 0" {
					return fmt.Errorf("the program ended with %s", status)
				}
				return err
			},
		},
		{
			name: "SIGTERM twice", source: "server", noticed: noAnswer(), heal: startAgain, may: allowance{silence: true},
			inject: func(ctx context.Context, s *stage) error {
				if err := s.program().signal(syscall.SIGTERM); err != nil {
					return err
				}
				sleep(ctx, 5*time.Millisecond)
				_ = s.program().signal(syscall.SIGTERM) // it may have ended
				_, err := s.program().gone(10 * time.Second)
				return err
			},
		},
		{
			name: "the program is restarted five times in a row", source: "server", hold: time.Second, may: allowance{silence: true},
			inject: func(ctx context.Context, s *stage) error {
				for range 5 {
					if err := s.restart(ctx, func() error { return nil }); err != nil {
						return err
					}
				}
				return nil
			},
		},
		{
			name: "the program stands still (SIGSTOP)", source: "server", noticed: noAnswer(), within: 20 * time.Second, hold: time.Second, may: allowance{slow: true, silence: true},
			inject: func(_ context.Context, s *stage) error { return s.program().signal(syscall.SIGSTOP) },
			heal:   func(_ context.Context, s *stage) error { return s.program().signal(syscall.SIGCONT) },
		},
		{name: "no file descriptor is left", source: "server", inject: fewFiles, heal: manyFiles, hold: 6 * time.Second, may: allowance{slow: true, silence: true, reads503: true}},
	}
}

// openFiles counts the program's open files.
func openFiles(pid int) (int, error) {
	list, err := os.ReadDir(filepath.Join("/proc", fmt.Sprint(pid), "fd"))
	if err != nil {
		return 0, fmt.Errorf("count the program's open files: %w", err)
	}
	return len(list), nil
}

// fewFiles allows the program no file more than it has open, and takes away its connections
// to the database, so that it must open new ones.
func fewFiles(_ context.Context, s *stage) error {
	open, err := openFiles(s.program().pid())
	if err != nil {
		return err
	}
	if err := limitFiles(s.program().pid(), uint64(open)); err != nil {
		return err
	}
	s.relay.cut(true)
	s.observer.client.CloseIdleConnections()
	return nil
}

func manyFiles(_ context.Context, s *stage) error { return limitFiles(s.program().pid(), 1024) }

func limitFiles(pid int, most uint64) error {
	var limit unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &limit); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	limit.Cur = min(most, limit.Max)
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &limit, nil); err != nil {
		return fmt.Errorf("limit the open files: %w", err)
	}
	return nil
}

func replicaFaults() []fault {
	// The second replica is the one that is hit, so that page and API go on being looked at,
	// and writers, who begin with it, go over to the first.
	second := func(s *stage) *program { return s.programs[1] }
	return []fault{
		{
			name: "kill -9 of one of two replicas", source: "server", hold: 6 * time.Second, verify: dutiesRan, may: allowance{unheard: true, ingest503: true},
			inject: func(_ context.Context, s *stage) error { s.writer.prefer(1); return second(s).kill() },
			heal:   func(ctx context.Context, s *stage) error { return second(s).start(ctx) },
		},
		{
			name: "one of two replicas stands still", source: "server", hold: 6 * time.Second, verify: dutiesRan, may: allowance{unheard: true, ingest503: true},
			inject: func(_ context.Context, s *stage) error { s.writer.prefer(1); return second(s).signal(syscall.SIGSTOP) },
			heal:   func(_ context.Context, s *stage) error { return second(s).signal(syscall.SIGCONT) },
		},
		{
			name: "both replicas are restarted one after the other", source: "server", hold: 2 * time.Second, verify: dutiesRan, may: allowance{silence: true},
			inject: func(ctx context.Context, s *stage) error {
				for _, p := range s.programs {
					if err := p.end(); err != nil {
						return err
					}
					if err := p.start(ctx); err != nil {
						return err
					}
				}
				return nil
			},
		},
	}
}

// procStatus reads a figure of the program's memory in kB.
func procStatus(pid int, name string) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return ""
	}
	for l := range strings.Lines(string(b)) {
		if value, found := strings.CutPrefix(l, name+":"); found {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
