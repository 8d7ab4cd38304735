package db

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"
)

// upkeep does what must be done now and then. Every replica does it: each step is safe to
// be done by several at once, and cheap when another has just done it. A step that fails
// is logged, and done the next time.
func (s *Store) upkeep(ctx context.Context) {
	now := time.Now().UTC()
	for _, step := range []struct {
		name string
		do   func() error
	}{
		{"fold job totals", func() error { return s.foldTotals(ctx) }},
		{"keep the days of GPU samples", func() error { return s.keepSampleDays(ctx, now) }},
		{"forget GPUs", func() error { return s.q.forgetGPUsUnseenSince(ctx, now.Add(-s.cfg.SampleRetention)) }},
		{"forget ended sessions", func() error {
			return s.q.forgetSessions(ctx, forgetSessionsParams{Now: now, IdleSince: now.Add(-SessionIdle)})
		}},
		{"forget expired tokens", func() error { return s.q.forgetTokensExpiredBefore(ctx, now.Add(-expiredTokensKept)) }},
		{"forget old audit events", func() error { return s.q.forgetAuditEventsBefore(ctx, now.Add(-auditKept)) }},
		{"forget expired sign-in messages", func() error { return s.q.forgetSignIns(ctx, signInsKept) }},
		{"trim the private server's log", s.trimLog},
	} {
		if err := step.do(); err != nil && ctx.Err() == nil {
			s.cfg.Log.Warn("database upkeep failed", slog.String("step", step.name), slog.Any("error", err))
		}
	}
}

func (s *Store) trimLog() error {
	if s.cluster == nil {
		return nil
	}
	return s.cluster.TrimLog()
}

// keepSampleDays makes the partitions of the days whose samples may arrive and drops
// those that are past the retention.
func (s *Store) keepSampleDays(ctx context.Context, now time.Time) error {
	return s.q.keepGPUSampleDays(ctx, keepGPUSampleDaysParams{
		Oldest: utcDay(now.Add(-s.cfg.SampleRetention)), FirstDay: utcDay(now), LastDay: utcDay(now).AddDate(0, 0, 2),
	})
}

// foldTotals folds the totals' new rows, unless another replica is at it. It may take
// longer than a question may.
func (s *Store) foldTotals(ctx context.Context) error {
	return pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		q := s.q.WithTx(tx)
		if err := q.allowLongStatements(ctx); err != nil {
			return err
		}
		first, err := q.lockTotals(ctx)
		if err != nil || !first {
			return err
		}
		return errors.Join(q.foldJobTotals(ctx), q.foldEarningDays(ctx))
	})
}

// utcDay is the start of t's day in UTC.
func utcDay(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }
