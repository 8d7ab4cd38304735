//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// disturber does something again and again until it is ended.
type disturber struct {
	stop context.CancelFunc
	done chan struct{}
}

// disturb begins to do something again and again beside the stage.
func (s *stage) disturb(every time.Duration, do func(context.Context)) {
	ctx, stop := context.WithCancel(context.Background())
	d := &disturber{stop, make(chan struct{})}
	s.disturbers = append(s.disturbers, d)
	go func() {
		defer close(d.done)
		for ctx.Err() == nil {
			do(ctx)
			sleep(ctx, every)
		}
	}()
}

// endRepeated ends what disturb began.
func endRepeated(_ context.Context, s *stage) error {
	for _, d := range s.disturbers {
		d.stop()
		<-d.done
	}
	s.disturbers = nil
	return nil
}

// repeated runs a statement again and again as the superuser.
func repeated(sql string, every time.Duration) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		at, err := s.adminURL()
		if err != nil {
			return err
		}
		conn, err := pgx.Connect(ctx, at)
		if err != nil {
			return fmt.Errorf("connect as another program: %w", err)
		}
		s.later(func() error { return conn.Close(context.Background()) })
		s.disturb(every, func(ctx context.Context) { _, _ = conn.Exec(ctx, sql) })
		return nil
	}
}

// holdConnections takes all connections that the server has left for the program.
func holdConnections() (inject, heal func(context.Context, *stage) error) {
	var held []*pgx.Conn
	inject = func(ctx context.Context, s *stage) error {
		held = nil
		// Those of the superuser are the last that are refused, so its own are kept free.
		for ctx.Err() == nil {
			c, err := pgx.Connect(ctx, s.pg.appURL(template, s.pg.address()))
			if err != nil {
				break
			}
			held = append(held, c)
		}
		at, err := s.adminURL()
		if err != nil {
			return err
		}
		admin, err := pgx.Connect(ctx, at)
		if err != nil {
			return fmt.Errorf("connect as the superuser: %w", err)
		}
		defer func() { _ = admin.Close(context.WithoutCancel(ctx)) }()
		// What the program gives up is taken, too, until it has had none for a second.
		for without := 0; without < 40 && ctx.Err() == nil; without++ {
			ended, err := admin.Exec(ctx, endSessions+" AND datname = current_database()")
			if err != nil {
				return fmt.Errorf("end the program's sessions: %w", err)
			}
			if ended.RowsAffected() > 0 {
				without = 0
			}
			c, err := pgx.Connect(ctx, s.pg.appURL(template, s.pg.address()))
			if err == nil {
				held = append(held, c)
			}
			sleep(ctx, 25*time.Millisecond)
		}
		return ctx.Err()
	}
	heal = func(ctx context.Context, _ *stage) error {
		var errs []error
		for _, c := range held {
			errs = append(errs, c.Close(ctx))
		}
		return errors.Join(errs...)
	}
	return inject, heal
}

// deadlocks takes rows in an order that crosses the program's, so that one of both must give
// way; the program is the one, since it waits first.
func deadlocks(ctx context.Context, s *stage) error {
	at, err := s.adminURL()
	if err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, at)
	if err != nil {
		return fmt.Errorf("connect as another program: %w", err)
	}
	s.later(func() error { return conn.Close(context.Background()) })
	for _, sql := range []string{"SET deadlock_timeout = '20s'", "SET lock_timeout = '4s'"} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("run %q: %w", sql, err)
		}
	}
	s.disturb(50*time.Millisecond, func(ctx context.Context) {
		// The last rows first: a list of jobs takes them in the other order.
		_ = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			if _, err := tx.Exec(ctx, "LOCK TABLE job_totals IN EXCLUSIVE MODE"); err != nil {
				return err
			}
			sleep(ctx, 400*time.Millisecond) // a report holds its jobs by now and waits for the totals
			_, err := tx.Exec(ctx, "LOCK TABLE jobs IN EXCLUSIVE MODE")
			return err
		})
	})
	return nil
}
