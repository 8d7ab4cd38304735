package db

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// gate is the pool while the Store is ready, and ErrUnavailable while it is not, so that
// nobody waits for a database that is known to be away. A statement that the database undid
// because of another's writes is repeated.
type gate struct{ s *Store }

func (g gate) open() error {
	st := g.s.State()
	if isReady(st) {
		return nil
	}
	return &UnavailableError{Reason: st.Reason, Remedy: st.Remedy}
}

// enter is open and the wallet's turn that ctx names; see OnBehalfOf.
func (g gate) enter(ctx context.Context) (leave func(), err error) {
	if err := g.open(); err != nil {
		return nil, err
	}
	return g.s.shares.enter(ctx)
}

// openToStore also refuses while the database is known to take no writes.
func (g gate) openToStore() error {
	if st := g.s.State(); !g.s.CanStore() {
		return &UnavailableError{Reason: st.Reason, Remedy: st.Remedy}
	}
	return nil
}

func (g gate) Exec(ctx context.Context, sql string, args ...any) (tag pgconn.CommandTag, err error) {
	leave, err := g.enter(ctx)
	if err != nil {
		return tag, err
	}
	defer leave()
	err = repeatConflicts(ctx, func() error {
		tag, err = g.s.pool.Exec(ctx, sql, args...)
		return err
	})
	return tag, err
}

func (g gate) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	leave, err := g.enter(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := g.s.pool.Query(ctx, sql, args...)
	if err != nil {
		leave()
		return rows, err
	}
	return sharedRows{rows, leave}, nil
}

func (g gate) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	return row{func(into []any) error {
		leave, err := g.enter(ctx)
		if err != nil {
			return err
		}
		defer leave()
		return repeatConflicts(ctx, func() error { return g.s.pool.QueryRow(ctx, sql, args...).Scan(into...) })
	}}
}

func (g gate) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	leave, err := g.enter(ctx)
	if err != nil {
		return pgx.FailedBatchResults(b, err)
	}
	return sharedResults{g.s.pool.SendBatch(ctx, b), leave}
}

// row asks when it is scanned.
type row struct{ scan func(into []any) error }

func (r row) Scan(into ...any) error { return r.scan(into) }

// inSnapshot runs reads that must agree with each other in one transaction.
func (s *Store) inSnapshot(ctx context.Context, read func(*Queries) error) error {
	leave, err := (gate{s}).enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		return read(s.q.WithTx(tx))
	})
}

// inTransaction runs writes that belong together, and repeats all of them if the database
// undoes them because of another's. write must set what it returns anew each time.
func (s *Store) inTransaction(ctx context.Context, write func(*Queries) error) error {
	if err := (gate{s}).openToStore(); err != nil {
		return err
	}
	leave, err := s.shares.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return repeatConflicts(ctx, func() error {
		return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error { return write(s.q.WithTx(tx)) })
	})
}

// Conflicts pass in milliseconds: each further try waits up to twice as long as the one
// before.
const (
	conflictTries = 6
	conflictPause = 10 * time.Millisecond
)

// repeatConflicts runs do until it fails for another reason than another's writes.
func repeatConflicts(ctx context.Context, do func() error) error {
	for try := 0; ; try++ {
		err := do()
		passing := isConflict(err) || isMovedPartition(err) || errors.Is(err, errJobGone)
		if !passing || try+1 == conflictTries {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(rand.N(conflictPause << try)): //nolint:gosec // a pause needs no secret
		}
	}
}
