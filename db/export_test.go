package db

import (
	"context"
	"time"
)

// ServerPID is the private server's process.
func (s *Store) ServerPID() int { return s.cluster.PID() }

// FoldTotals does what maintenance does now and then.
func (s *Store) FoldTotals(ctx context.Context) error { return s.foldTotals(ctx) }

// ForgetSignIns does what maintenance does now and then.
func (s *Store) ForgetSignIns(ctx context.Context) error { return s.q.forgetSignIns(ctx, signInsKept) }

// ForgetAccess does what maintenance does now and then.
func (s *Store) ForgetAccess(ctx context.Context, now time.Time) error {
	return s.forgetAccess(ctx, now)
}

// FoldPayments does what maintenance does every few seconds.
func (s *Store) FoldPayments(ctx context.Context) error { return s.foldPayments(ctx) }

// FoldPaymentsBy folds in parts of so many changes.
func (s *Store) FoldPaymentsBy(ctx context.Context, most int64) error {
	return s.foldPaymentsBy(ctx, most)
}

// RollUpGPUEnergy does what maintenance does now and then.
func (s *Store) RollUpGPUEnergy(ctx context.Context) error { return s.rollUpGPUEnergy(ctx) }

// JudgeAgain is the periodic job of that name.
func (s *Store) JudgeAgain(ctx context.Context) error { return s.judgeAgain(ctx) }

// PeriodicJobRests returns how long a periodic job rests after each run that ends with an error or nil.
func PeriodicJobRests(d PeriodicJob) func(error) time.Duration {
	w := &periodicJobWorker{failed: make(map[string]periodicJobFailure)}
	return func(err error) time.Duration { return w.note(d, err) }
}

// NewClock returns what tells a clock of answers of the database, and the clock.
func NewClock(local func() time.Time) (tell func(asked, answered, reference time.Time), now func() time.Time) {
	c := &databaseClock{local: local}
	return c.set, c.now
}

// Checks are the statements of CheckTotals by their names.
func Checks() map[string]string {
	return map[string]string{
		"checkJobTotals": checkJobTotals, "checkJobDays": checkJobDays, "checkJobHours": checkJobHours, "checkNetworkHours": checkNetworkHours,
		"checkEarningDays": checkEarningDays, "checkHeartbeatHours": checkHeartbeatHours, "checkHeartbeatMinutes": checkHeartbeatMinutes,
		"checkHeartbeatDays": checkHeartbeatDays, "checkReconciledJobs": checkReconciledJobs, "checkReconciledDays": checkReconciledDays,
	}
}

// VacuumOverdue is the periodic job of that name.
func (s *Store) VacuumOverdue(ctx context.Context) error { return s.vacuumOverdue(ctx) }

// FollowReportChecks is the periodic job report_checks.
func (s *Store) FollowReportChecks(ctx context.Context) error { return s.followReportChecks(ctx) }

// SessionSetting is the value of a setting in a session of the pool.
func (s *Store) SessionSetting(ctx context.Context, name string) (value string, err error) {
	err = s.pool.QueryRow(ctx, "SELECT current_setting($1)", name).Scan(&value)
	return value, err
}

// PooledByTransaction reports whether a pooler was found that shares connections by transaction.
func (s *Store) PooledByTransaction() bool { return s.pooledByTransaction() }
