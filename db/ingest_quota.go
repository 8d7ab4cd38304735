package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// IngestQuota is how much one worker's own tokens may send per UTC day of the database's clock,
// through all replicas together.
type IngestQuota struct {
	Rows  int64 // jobs, heartbeats and samples of cards, whether they are new or not
	Bytes int64 // of the requests' bodies
}

// The quota unless Config sets another: of 100 hosts with 8 cards each that report every 10 s.
const (
	DefaultIngestRows  = 10_000_000
	DefaultIngestBytes = 8 << 30
)

// QuotaError says that a worker has sent as much as it may today.
type QuotaError struct {
	Quota IngestQuota
	Spent IngestQuota   // today
	Ends  time.Duration // until the quota is new
}

// Error says what may be sent and what was.
func (e *QuotaError) Error() string {
	return fmt.Sprintf("a worker may send %d rows and %d bytes a day, and has sent %d and %d", e.Quota.Rows, e.Quota.Bytes, e.Spent.Rows, e.Spent.Bytes)
}

// SpendIngest counts what a worker is about to store against its quota. The error is a *QuotaError
// where that would be more than it may; then nothing is counted.
func (s *Store) SpendIngest(ctx context.Context, worker validator.Address, rows, bytes int64) error {
	if err := (gate{s}).openToStore(); err != nil {
		return fmt.Errorf("count what a worker sends: %w", err)
	}
	quota := s.cfg.IngestQuota
	_, err := s.q.spendIngest(ctx, spendIngestParams{WorkerAddress: string(worker), Rows: rows, Bytes: bytes, MostRows: quota.Rows, MostBytes: quota.Bytes})
	if !errors.Is(err, pgx.ErrNoRows) {
		return s.fail("count what a worker sends", err)
	}
	spent, err := s.q.ingestToday(ctx, string(worker))
	if err != nil {
		return s.fail("read what a worker has sent", err)
	}
	return &QuotaError{Quota: quota, Spent: IngestQuota{Rows: spent.Rows, Bytes: spent.Bytes}, Ends: time.Duration(spent.SecondsLeft) * time.Second}
}
