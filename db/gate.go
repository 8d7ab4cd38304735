package db

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// gate is the pool while the Store is ready, and ErrUnavailable while it is not, so that
// nobody waits for a database that is known to be away.
type gate struct{ s *Store }

func (g gate) open() error {
	if g.s.Ready() {
		return nil
	}
	return ErrUnavailable
}

func (g gate) Exec(ctx context.Context, sql string, args ...any) (pgconn.CommandTag, error) {
	if err := g.open(); err != nil {
		return pgconn.CommandTag{}, err
	}
	return g.s.pool.Exec(ctx, sql, args...)
}

func (g gate) Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error) {
	if err := g.open(); err != nil {
		return nil, err
	}
	return g.s.pool.Query(ctx, sql, args...)
}

func (g gate) QueryRow(ctx context.Context, sql string, args ...any) pgx.Row {
	if err := g.open(); err != nil {
		return failedRow{err}
	}
	return g.s.pool.QueryRow(ctx, sql, args...)
}

func (g gate) SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults {
	if err := g.open(); err != nil {
		return pgx.FailedBatchResults(b, err)
	}
	return g.s.pool.SendBatch(ctx, b)
}

type failedRow struct{ err error }

func (r failedRow) Scan(...any) error { return r.err }

// inSnapshot runs reads that must agree with each other in one transaction.
func (s *Store) inSnapshot(ctx context.Context, read func(*Queries) error) error {
	if err := (gate{s}).open(); err != nil {
		return err
	}
	return pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		return read(s.q.WithTx(tx))
	})
}
