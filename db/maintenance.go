package db

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// task is a part of maintenance. One that fails is logged, and done the next time.
type task struct {
	name string
	do   func(context.Context) error
}

func (s *Store) doTasks(ctx context.Context, tasks ...task) {
	for _, t := range tasks {
		if err := t.do(ctx); err != nil && ctx.Err() == nil {
			s.cfg.Log.Warn("database maintenance failed", slog.String("task", t.name), slog.Any("error", err))
		}
	}
}

// forgetAccess deletes ended sessions, tokens that expired long ago, and old audit events.
func (s *Store) forgetAccess(ctx context.Context, now time.Time) error {
	return errors.Join(
		s.q.forgetSessions(ctx, forgetSessionsParams{Now: now, IdleSince: now.Add(-SessionIdle)}),
		s.q.forgetTokensExpiredBefore(ctx, now.Add(-expiredTokensKept)),
		s.q.forgetAuditEventsBefore(ctx, now.Add(-auditKept)),
		s.q.forgetRefusalsBefore(ctx, now.Add(-refusalsKept)),
	)
}

// maintain does what every replica does at each interval: several may do a task at once, and it
// is cheap when another has just done it.
func (s *Store) maintain(ctx context.Context) {
	if !s.CanStore() {
		return
	}
	now := s.Now()
	s.doTasks(
		ctx,
		task{"forget GPUs", func(ctx context.Context) error {
			return s.q.forgetGPUsUnseenSince(ctx, now.Add(-s.cfg.SampleRetention))
		}},
		task{"forget old events of GPUs", func(ctx context.Context) error { return s.forgetGPUEvents(ctx, now) }},
		task{"forget clocks that were ahead", s.q.forgetHeartbeatsAhead},
		task{"forget who had access", func(ctx context.Context) error { return s.forgetAccess(ctx, now) }},
		task{"forget expired sign-in messages", func(ctx context.Context) error { return s.q.forgetSignIns(ctx, signInsKept) }},
		task{"forget what workers sent long ago", s.q.forgetIngestDays},
		task{"forget programs that ended", s.q.forgetWriteProbes},
		task{"trim the private server's log", func(context.Context) error { return s.trimLog() }},
	)
}

// The rhythm of the periodic jobs, and the most that a run may take.
const (
	foldEvery    = 30 * time.Second
	foldLimit    = 5 * time.Minute
	compareEvery = 5 * time.Second // people watch for a payment to arrive
	vacuumEvery  = 2 * time.Minute
	vacuumLimit  = 30 * time.Minute
	retainEvery  = time.Hour
	retainLimit  = 30 * time.Minute
)

// PeriodicJobs are the maintenance that one of all replicas does at a time, for RunPeriodicJobs: folding what
// is kept of rows, and making and dropping partitions.
func (s *Store) PeriodicJobs() []PeriodicJob {
	return []PeriodicJob{
		{Name: "fold_totals", Every: foldEvery, Limit: foldLimit, Do: s.foldTotals},
		{Name: "judge_again", Every: foldEvery, Limit: foldLimit, Do: s.judgeAgain},
		{Name: "report_checks", Every: compareEvery, Limit: foldLimit, Do: s.followReportChecks},
		{Name: "fold_payments", Every: compareEvery, Limit: foldLimit, Do: s.foldPayments},
		{Name: "gpu_energy", Every: energyEvery, Limit: energyLimit, Do: s.rollUpGPUEnergy},
		{Name: "vacuum", Every: vacuumEvery, Limit: vacuumLimit, Do: s.vacuumOverdue},
		{Name: "keep_partitions", Every: retainEvery, Limit: retainLimit, Do: func(ctx context.Context) error {
			now := s.Now()
			s.doTasks(
				ctx,
				task{"keep the weeks of heartbeats", func(ctx context.Context) error {
					return s.keepPartitions(ctx, heartbeatPartitions, s.cfg.HeartbeatRetention, now)
				}},
				task{"keep the days of GPU samples", func(ctx context.Context) error {
					return s.keepPartitions(ctx, samplePartitions, s.cfg.SampleRetention, now)
				}},
				task{"settle hours of heartbeats", s.settleHeartbeatHours},
			)
			return ctx.Err()
		}},
	}
}

// settleHeartbeatHours forgets what the hours of dropped heartbeats need no longer.
func (s *Store) settleHeartbeatHours(ctx context.Context) error {
	return s.inUpkeep(ctx, func(ctx context.Context, q *Queries) error { return q.settleHeartbeatHours(ctx) })
}

func (s *Store) trimLog() error {
	if s.cluster == nil {
		return nil
	}
	return s.cluster.TrimLog()
}

// partitioned is a table in partitions by time.
type partitioned struct {
	table string
	days  int32 // that a partition spans
	ahead int   // days that partitions are made ahead
}

var (
	heartbeatPartitions = partitioned{"heartbeats", 7, 14}
	samplePartitions    = partitioned{"gpu_samples", 1, 7}
)

// keepPartitions makes the partitions of the time to come, and drops those whose rows are all past the retention. Replicas take turns, and whoever
// comes second finds nothing to do.
func (s *Store) keepPartitions(ctx context.Context, p partitioned, retention time.Duration, now time.Time) error {
	return s.inUpkeep(ctx, func(ctx context.Context, q *Queries) error {
		if err := q.limitLockWaits(ctx); err != nil {
			return err
		}
		oldest := utcDay(now.Add(-retention))
		if p == samplePartitions {
			if err := q.keepGPUHours(ctx, keepGPUHoursParams{
				Oldest: oldest, MemoryMax: int64(validator.BoundMemory.High), PowerMax: int64(validator.BoundPower.High),
				TemperatureMin: int32(validator.BoundTemperature.Low), TemperatureMax: int32(validator.BoundTemperature.High),
			}); err != nil {
				return err
			}
		}
		return q.keepPartitions(ctx, keepPartitionsParams{
			Parent: p.table, PartDays: p.days, Oldest: oldest, FirstDay: utcDay(now), LastDay: utcDay(now).AddDate(0, 0, p.ahead),
		})
	})
}

// maintenanceLimit is for a statement that keeps what the database holds of rows.
const maintenanceLimit = time.Minute

// inUpkeep runs a transaction whose statements may take longer than a question may.
func (s *Store) inUpkeep(ctx context.Context, do func(context.Context, *Queries) error) error {
	ctx = withStatementLimit(ctx, maintenanceLimit)
	return s.inTransaction(ctx, func(q *Queries) error {
		if err := q.limitStatements(ctx, milliseconds(maintenanceLimit)); err != nil {
			return err
		}
		return do(ctx, q)
	})
}

// foldTotals folds the new rows of all that is kept of jobs, claims and heartbeats, unless
// another replica is at it.
func (s *Store) foldTotals(ctx context.Context) error {
	return s.inUpkeep(ctx, func(ctx context.Context, q *Queries) error {
		first, err := q.lockTotals(ctx)
		if err != nil || !first {
			return err
		}
		for _, fold := range []func(context.Context) error{
			q.foldJobTotals, q.foldJobDays, q.foldJobHours, q.foldNetworkHours, q.foldEarningDays, q.foldHeartbeats,
		} {
			if err := fold(ctx); err != nil {
				return err
			}
		}
		return nil
	})
}

// judgeAgain takes into the sums what was kept apart because its times lay ahead, once they
// have come.
func (s *Store) judgeAgain(ctx context.Context) error {
	return s.inUpkeep(ctx, func(ctx context.Context, q *Queries) error {
		if err := errors.Join(q.judgeJobsAgain(ctx), q.judgeReportsAgain(ctx)); err != nil {
			return err
		}
		return q.judgeClaimsAgain(ctx)
	})
}

// followReportChecks sees to it that no worker's report is counted beside the coordinator's row of
// the same job.
func (s *Store) followReportChecks(ctx context.Context) error {
	return s.inUpkeep(ctx, func(ctx context.Context, q *Queries) error { return q.followReportChecks(ctx) })
}

// utcDay is the start of t's day in UTC.
func utcDay(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }
