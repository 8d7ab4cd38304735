//go:build linux

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db/privatepg"
)

func nameFaults() []fault {
	return []fault{
		{
			name: "the database's host name is not known any more, and its sessions end", source: sourceDatabase, needs: needRoot,
			inject: func(ctx context.Context, s *stage) error {
				defer s.relay.cut(false)
				return s.forget(ctx, nodeName)
			},
			heal: allNames, noticed: cannotStore(), within: 25 * time.Second,
		},
		{
			name: "the node's host name is not known any more", source: sourceChain, needs: needRoot,
			inject: func(ctx context.Context, s *stage) error {
				defer s.front().relay.cut(false)
				return s.forget(ctx, databaseName)
			},
			heal: allNames, noticed: sourceDown(sourceChain), within: chainNotice, recover: 60 * time.Second,
		},
	}
}

// forget leaves one of the names, and waits until nobody remembers the other: Go's resolver
// keeps a file of hosts for five seconds.
func (s *stage) forget(ctx context.Context, name string) error {
	err := s.writeHosts(name)
	sleep(ctx, 6*time.Second)
	return err
}

func allNames(_ context.Context, s *stage) error { return s.writeHosts(databaseName, nodeName) }

// moveClock makes the database's clock wrong.
func moveClock(by time.Duration) func(context.Context, *stage) error {
	return func(_ context.Context, s *stage) error { return s.moved.move(by) }
}

// clock is a fault in which the database's clock is wrong, which nothing may depend on.
func clock(name string, by time.Duration) fault {
	return fault{name: name, source: sourceDatabase, inject: moveClock(by), heal: moveClock(0), hold: 5 * time.Second, during: dutiesRan}
}

func clockFaults() []fault {
	return []fault{
		clock("the database's clock falls two minutes behind the server's", -2*time.Minute),
		clock("the database's clock jumps ten minutes ahead", 10*time.Minute),
	}
}

// dutiesRan says what is wrong if the contracts' events are not read up to the chain's head
// within a minute: one of the periodic jobs that replicas share does that.
func dutiesRan(ctx context.Context, s *stage) string {
	at, err := s.adminURL()
	if err != nil {
		return err.Error()
	}
	conn, err := pgx.Connect(ctx, at)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	head, end := s.chain.Head().Number, time.Now().Add(time.Minute)
	var indexed int64
	for time.Now().Before(end) && ctx.Err() == nil {
		err = conn.QueryRow(ctx, "SELECT coalesce(min(block_number), 0) FROM chain_index_contracts").Scan(&indexed)
		if err == nil && uint64(indexed) >= head {
			return ""
		}
		sleep(ctx, 500*time.Millisecond)
	}
	return fmt.Sprintf("a minute later the events are read up to block %d of %d only (%v)", indexed, head, err)
}

// smallTablespace makes a tablespace on a small file system, and returns what puts a
// database there.
func (s *stage) smallTablespace(ctx context.Context) (string, error) {
	path := filepath.Join(s.dir, "small")
	if err := s.mountSmall(path); err != nil {
		return "", err
	}
	space := filepath.Join(path, "space")
	if err := os.Mkdir(space, 0o700); err != nil {
		return "", fmt.Errorf("make a folder: %w", err)
	}
	info, err := os.Stat(fmt.Sprintf("/proc/%d", s.pg.cluster.PID()))
	if err != nil {
		return "", fmt.Errorf("find PostgreSQL's user: %w", err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	if err := os.Chown(space, int(owner.Uid), int(owner.Gid)); err != nil {
		return "", fmt.Errorf("hand a folder to PostgreSQL's user: %w", err)
	}
	return "TABLESPACE small", s.pg.exec(ctx, "CREATE TABLESPACE small LOCATION '"+space+"'")
}

func diskFaults() []fault {
	filler := func(s *stage) string { return filepath.Join(s.dir, "small", "filler") }
	return []fault{{
		name: "the database's disk is full", source: sourceDatabase, needs: needRoot,
		inject: func(_ context.Context, s *stage) error { return fill(filler(s)) },
		heal: func(_ context.Context, s *stage) error {
			if err := os.Remove(filler(s)); err != nil {
				return fmt.Errorf("empty the disk: %w", err)
			}
			return nil
		},
		noticed: cannotStore(), within: 60 * time.Second, flaps: true, hold: 4 * time.Second, recover: 60 * time.Second,
	}}
}

// openStandby makes a second server that follows the first, and has every commit wait for it.
func (s *stage) openStandby(ctx context.Context) error {
	programs, err := s.pg.programs()
	if err != nil {
		return err
	}
	dir := filepath.Join(s.dir, "second")
	if err := os.MkdirAll(filepath.Join(dir, "pg"), 0o755); err != nil {
		return fmt.Errorf("make a folder for the standby: %w", err)
	}
	info, err := os.Stat(fmt.Sprintf("/proc/%d", s.pg.cluster.PID()))
	if err != nil {
		return fmt.Errorf("find PostgreSQL's user: %w", err)
	}
	owner := info.Sys().(*syscall.Stat_t)
	if err := os.Chown(filepath.Join(dir, "pg"), int(owner.Uid), int(owner.Gid)); err != nil {
		return fmt.Errorf("hand a folder to PostgreSQL's user: %w", err)
	}
	from := fmt.Sprintf("host=%s port=%d user=%s application_name=second", s.pg.cluster.SocketDir(), s.pg.port, privatepg.Role)
	copying := exec.CommandContext(ctx, filepath.Join(programs, "pg_basebackup"), "-D", filepath.Join(dir, "pg", "data"), "-d", from, "-R", "-X", "stream", "-c", "fast", "--no-sync")
	copying.Dir = "/"
	if os.Geteuid() == 0 {
		copying.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: owner.Uid, Gid: owner.Gid}}
	}
	if out, err := copying.CombinedOutput(); err != nil {
		return fmt.Errorf("copy the first server: %w\n%s", err, out)
	}
	if s.second, err = openPostgres(ctx, dir, s.h.binDir); err != nil {
		return err
	}
	s.later(func() error { return s.second.close() })
	return setting("synchronous_standby_names", "second")(ctx, s)
}

func failoverFaults() []fault {
	return []fault{{
		name: "the primary dies, and its standby takes over", source: sourceDatabase,
		inject: func(ctx context.Context, s *stage) error {
			if err := s.pg.crash(syscall.SIGKILL); err != nil {
				return err
			}
			sleep(ctx, 3*time.Second) // somebody must see it first
			return nil
		},
		noticed: cannotStore(),
		heal: func(ctx context.Context, s *stage) error {
			s.pg, s.second = s.second, s.pg
			return s.pg.exec(ctx, "SELECT pg_promote()")
		},
		recover: 60 * time.Second,
	}}
}
