package db

import (
	"context"
	"time"
)

// ServerPID is the private server's process.
func (s *Store) ServerPID() int { return s.cluster.PID() }

// FoldTotals does what upkeep does now and then.
func (s *Store) FoldTotals(ctx context.Context) error { return s.foldTotals(ctx) }

// ForgetSignIns does what upkeep does now and then.
func (s *Store) ForgetSignIns(ctx context.Context) error { return s.q.forgetSignIns(ctx, signInsKept) }

// ForgetAccess does what upkeep does now and then.
func (s *Store) ForgetAccess(ctx context.Context, now time.Time) error {
	return s.forgetAccess(ctx, now)
}

// FoldPayments does what upkeep does every few seconds.
func (s *Store) FoldPayments(ctx context.Context) error { return s.foldPayments(ctx) }

// FoldPaymentsBy folds in parts of so many changes.
func (s *Store) FoldPaymentsBy(ctx context.Context, most int64) error {
	return s.foldPaymentsBy(ctx, most)
}

// RollUpGPUEnergy does what upkeep does now and then.
func (s *Store) RollUpGPUEnergy(ctx context.Context) error { return s.rollUpGPUEnergy(ctx) }

// JudgeAgain is the duty of that name.
func (s *Store) JudgeAgain(ctx context.Context) error { return s.judgeAgain(ctx) }

// DutyRests returns how long a duty rests after each run that ends with an error or nil.
func DutyRests(d Duty) func(error) time.Duration {
	w := &dutyWorker{failed: make(map[string]dutyFailure)}
	return func(err error) time.Duration { return w.note(d, err) }
}

// NewClock returns what tells a clock of answers of the database, and the clock.
func NewClock(local func() time.Time) (tell func(asked, answered, told time.Time), now func() time.Time) {
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

// VacuumOverdue is the duty of that name.
func (s *Store) VacuumOverdue(ctx context.Context) error { return s.vacuumOverdue(ctx) }

// FollowReportChecks is the duty report_checks.
func (s *Store) FollowReportChecks(ctx context.Context) error { return s.followReportChecks(ctx) }

// SessionSetting is the value of a setting in a session of the pool.
func (s *Store) SessionSetting(ctx context.Context, name string) (value string, err error) {
	err = s.pool.QueryRow(ctx, "SELECT current_setting($1)", name).Scan(&value)
	return value, err
}

// PooledByTransaction reports whether a pooler was found that shares connections by transaction.
func (s *Store) PooledByTransaction() bool { return s.pooledByTransaction() }
