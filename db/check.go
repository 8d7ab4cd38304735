package db

import (
	"context"
	"errors"
	"fmt"
)

// Difference is a row of what is kept that does not agree with the rows that it sums up.
type Difference struct {
	Table   string // what is kept
	Key     string // which row of it
	Kept    string // its sums, in the order of the table's columns, or "nothing"
	Counted string // the same, counted anew
}

func (d Difference) String() string {
	return fmt.Sprintf("%s: %s: kept %s, counted %s", d.Table, d.Key, d.Kept, d.Counted)
}

// MaxDifferences is how many differences of one table CheckTotals tells of.
const MaxDifferences = 1000

// CheckTotals counts all jobs, confirmed claims, heartbeats and payments again and returns where what
// the database keeps of them differs. All of it is read in one snapshot, so writers may go
// on meanwhile. It reads every row, which takes as long as there are rows.
func (s *Store) CheckTotals(ctx context.Context) ([]Difference, error) {
	ctx = withStatementLimit(ctx, 0)
	var out []Difference
	err := s.inSnapshot(ctx, func(q *Queries) error {
		if err := errors.Join(q.limitStatements(ctx, milliseconds(0)), q.avoidNestedLoops(ctx)); err != nil {
			return err
		}
		for _, check := range []func(context.Context) ([]Difference, error){
			checkOf("job_totals", q.checkJobTotals), checkOf("job_days", q.checkJobDays), checkOf("job_hours", q.checkJobHours),
			checkOf("network_hours", q.checkNetworkHours), checkOf("earning_days", q.checkEarningDays),
			checkOf("heartbeat_hours", q.checkHeartbeatHours), checkOf("heartbeat_hours.minutes", q.checkHeartbeatMinutes),
			checkOf("heartbeat_days and worker_days", q.checkHeartbeatDays),
			checkOf("reconciled_jobs", q.checkReconciledJobs), checkOf("reconciled_days", q.checkReconciledDays),
		} {
			found, err := check(ctx)
			if err != nil {
				return err
			}
			out = append(out, found...)
		}
		return nil
	})
	return out, s.fail("check the totals", err)
}

// KeptApart is how many rows of a table are kept apart from the sums for a reason.
type KeptApart struct {
	Table, Reason string
	Rows          int64
}

// KeptApart counts what is kept apart. It reads an index of such rows only.
func (s *Store) KeptApart(ctx context.Context) ([]KeptApart, error) {
	rows, err := s.q.countKeptApart(ctx)
	out := make([]KeptApart, len(rows))
	for i, r := range rows {
		out[i] = KeptApart{r.Tab, r.Reason, r.Entries}
	}
	return out, s.fail("count what is kept apart", err)
}

// checkOf names the table that a check is of.
func checkOf[R ~struct{ Key, Kept, Counted string }](table string, check func(context.Context, int32) ([]R, error)) func(context.Context) ([]Difference, error) {
	return func(ctx context.Context) ([]Difference, error) {
		rows, err := check(ctx, MaxDifferences)
		if err != nil {
			return nil, fmt.Errorf("count %s again: %w", table, err)
		}
		var out []Difference
		for _, r := range rows {
			d := struct{ Key, Kept, Counted string }(r)
			out = append(out, Difference{table, d.Key, d.Kept, d.Counted})
		}
		return out, nil
	}
}
