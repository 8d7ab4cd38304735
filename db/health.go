package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// What a look at the database costs is bounded by how often its parts are done, in looks.
const (
	spaceEvery   = 10 // looks between two probes of the disk's room
	connectEvery = 20 // looks between two new connections, which alone show new defaults of sessions and a lack of connections
)

// lookPause is the least time between two looks that reports of trouble ask for.
const lookPause = 100 * time.Millisecond

// healthWatch looks whether the database answers, has the tables that this program knows, and
// takes writes. Its connection is its own, since a busy pool is no outage.
type healthWatch struct {
	s     *Store
	conn  *pgx.Conn
	looks int
	doubt bool // somebody met trouble that an older connection may not show
}

func (s *Store) newHealthWatch(ctx context.Context) (*healthWatch, error) {
	conn, err := s.connect(ctx, "")
	if err != nil {
		return nil, err
	}
	return &healthWatch{s: s, conn: conn, doubt: true}, nil
}

func (w *healthWatch) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeConnWait)
	defer cancel()
	_ = w.conn.Close(ctx)
}

// look finds out how the database is and sets the Store's state. An error means that the
// database is lost.
func (w *healthWatch) look(ctx context.Context) error {
	doubt := w.doubt || !w.s.CanStore()
	w.doubt = false
	w.looks++
	var refused *refusal
	var err error
	if w.conn.IsClosed() || w.looks > 1 && doubt || w.looks%connectEvery == 0 {
		if refused, err = w.reconnect(ctx); err != nil {
			return err
		}
	}
	if err := w.ask(ctx); err != nil {
		return err
	}
	if refused != nil {
		w.s.found(refused, nil)
		return nil
	}
	err = w.write(ctx, doubt || w.looks%spaceEvery == 0)
	if err == nil {
		w.s.found(nil, nil)
		return nil
	}
	r, unwilling := refusalOf(ctx, w.conn, err)
	if !unwilling {
		return fmt.Errorf("write into the database: %w", err)
	}
	w.s.found(&r, err)
	return nil
}

// reconnect changes the connection for a new one. A server without a connection left is no
// lost one: it takes no writes, unless the pool has connections still.
func (w *healthWatch) reconnect(ctx context.Context) (*refusal, error) {
	conn, err := w.s.connect(ctx, "")
	if pg, answered := errors.AsType[*pgconn.PgError](err); answered && pg.Code == stateNoConnections && !w.conn.IsClosed() {
		if w.s.poolAnswers(ctx) {
			return nil, nil
		}
		r := refusals[stateNoConnections]
		return &r, nil
	}
	if err != nil {
		return nil, fmt.Errorf("connect to the database: %w", err)
	}
	w.close(ctx)
	w.conn = conn
	return nil, w.s.sharesAsBefore(ctx, conn)
}

// poolAnswers reports whether the pool has a connection, or a busy one that will be free.
func (s *Store) poolAnswers(ctx context.Context) bool {
	if s.pool.Stat().AcquiredConns() > 0 {
		return true
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return false
	}
	conn.Release()
	return true
}

// ask asks for a sign of life, the time, and whether the tables are still those that this
// program knows.
func (w *healthWatch) ask(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, w.s.cfg.ConnectTimeout)
	defer cancel()
	asked := w.s.cfg.Now()
	newest, now, err := unknownSchema(ctx, w.conn)
	if err != nil {
		return fmt.Errorf("ask the database for a sign of life: %w", err)
	}
	w.s.clock.set(asked, w.s.cfg.Now(), now)
	return newerSchema(newest)
}

// write does what storing a report does; with space, it also asks for room on the disk.
func (w *healthWatch) write(ctx context.Context, space bool) error {
	ctx, cancel := context.WithTimeout(ctx, w.s.cfg.ConnectTimeout)
	defer cancel()
	return pgx.BeginFunc(ctx, w.conn, func(tx pgx.Tx) error {
		q := New(tx)
		if err := q.limitProbeWaits(ctx); err != nil {
			return err
		}
		if err := q.lockForWriting(ctx); err != nil {
			return err
		}
		if err := q.writeProbe(ctx, w.s.replica); err != nil || !space {
			return err
		}
		if err := q.emptySpaceProbe(ctx); err != nil {
			return err
		}
		return q.fillSpaceProbe(ctx)
	})
}

// found marks the database as answering, and says whether it takes writes; cause is for the
// log.
func (s *Store) found(refused *refusal, cause error) {
	before := s.State()
	s.setState(func(st *validator.SourceState) {
		*st = validator.SourceState{Source: validator.SourceDatabase, Health: validator.HealthOK, ObservedAt: s.Now()}
		if refused != nil {
			// What is read is true, and nothing newer arrives.
			st.Health, st.Reason, st.Remedy = validator.HealthStale, refused.reason, refused.remedy
		}
	})
	switch {
	case refused != nil && before.Reason != refused.reason:
		s.cfg.Log.Warn("database takes no writes", slog.String("reason", refused.reason), slog.Any("error", cause))
	case refused == nil && before.Health == validator.HealthStale:
		s.pool.Reset() // its sessions may have begun while writes were refused by default
		s.cfg.Log.Info("database takes writes again")
	case refused == nil && before.Health == validator.HealthUnavailable:
		s.pool.Reset() // whatever took the watch's session may have left these standing still
		s.cfg.Log.Info("database ready", slog.Bool("private", s.cluster != nil))
	}
}
