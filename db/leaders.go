package db

import (
	"context"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// StakeBoard ranks all workers by what the events of a ProverStaking leave staked, as far as
// the events have been read. All of it is public on the chain.
func (s *Store) StakeBoard(ctx context.Context, proverStaking validator.Address) (validator.StakeBoard, error) {
	rows, err := s.q.stakeLeaders(ctx, string(proverStaking))
	if err != nil {
		return nil, s.fail("rank the stakes", err)
	}
	out := make(validator.StakeBoard, len(rows))
	for i, r := range rows {
		out[i] = validator.Staker{Worker: validator.Address(r.WorkerAddress), Tier: validator.Tier(orZero(r.GpuTier)), Amount: r.Amount, Slashed: r.Slashed}
	}
	return out, nil
}

// ReputationBoard ranks everybody of whom a ReputationManager's events tell, by the newest
// score. All of it is public on the chain.
func (s *Store) ReputationBoard(ctx context.Context, reputationManager validator.Address) (validator.ReputationBoard, error) {
	rows, err := s.q.reputationLeaders(ctx, string(reputationManager))
	if err != nil {
		return nil, s.fail("rank the reputations", err)
	}
	out := make(validator.ReputationBoard, len(rows))
	for i, r := range rows {
		out[i] = validator.ScoredWorker{WorkerID: validator.Felt(r.WorkerID), Score: uint32(r.NewScore), At: r.BlockTime}
	}
	return out, nil
}

// WorkerMonths is what each worker that was heard, or completed a job, did in
// validator.Window30d. What it says of a worker is for its own wallet: others
// may see of it what its groups tell.
func (s *Store) WorkerMonths(ctx context.Context, interval validator.HeartbeatInterval, now time.Time) (validator.WorkerMonths, error) {
	today, from := utcDay(now), validator.Window30d.Start(now)
	rows, err := s.q.workerMonths(ctx, workerMonthsParams{IntervalMinutes: int32(interval.Minutes()), FirstDay: from, Today: today})
	if err != nil {
		return nil, s.fail("count the workers' months", err)
	}
	out := make(validator.WorkerMonths, len(rows))
	for i, r := range rows {
		out[i] = validator.WorkerMonth{Worker: validator.Address(r.WorkerAddress), UpMinutes: int(r.UpMinutes), JobsCompleted: r.Jobs}
		if r.FirstMinutes == 0 {
			continue
		}
		first := firstOf(r.FirstHour, r.FirstMinutes)
		counted := from
		if first.After(counted) {
			counted = first
		}
		out[i].TotalMinutes = max(int(today.Sub(counted)/time.Minute), 0)
		hours := make([]validator.HourMask, len(r.TodayHours))
		for n := range hours {
			hours[n] = validator.HourMask{Hour: r.TodayHours[n], Minutes: uint64(r.TodayMinutes[n])}
		}
		out[i].AddToday(&first, hours, interval, now)
	}
	return out, nil
}
