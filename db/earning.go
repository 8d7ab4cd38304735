package db

import (
	"context"
	"errors"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// beginning is before every time that the database accepts.
var beginning = time.Date(1999, 1, 1, 0, 0, 0, 0, time.UTC)

// Earnings sums what a worker earned: payments of completed jobs, at the time of their
// completion, and confirmed claims that are not of kind job. A completed job without a
// known payment earns nothing known and is left out.
func (s *Store) Earnings(ctx context.Context, worker validator.Address, now time.Time) (validator.Earnings, error) {
	today := utcDay(now)
	firstDay := validator.Window30d.Start(now)
	since := []time.Time{beginning, validator.Window24h.Start(now), validator.Window7d.Start(now), validator.Window30d.Start(now)}
	var e validator.Earnings
	daily := map[time.Time]validator.Wei{}
	err := s.inSnapshot(ctx, func(q *Queries) error {
		jobs, err := q.jobPaymentsSince(ctx, jobPaymentsSinceParams{WorkerAddress: string(worker), Since: since})
		if err != nil {
			return err
		}
		claims, err := q.claimedSince(ctx, claimedSinceParams{Address: worker, Since: since})
		if err != nil {
			return err
		}
		e.FromJobs, e.Claimed = jobs[0].Amount, claims[0].Amount
		own, err := q.selfReportedEarnings(ctx, selfReportedEarningsParams{WorkerAddress: worker, FirstDay: beginning, LastDay: endOfTime})
		if err != nil {
			return err
		}
		e.SelfReported, e.SelfReportedJobs = own.Amount, own.Jobs
		for i, sum := range []*validator.Wei{&e.Total, &e.Last24h, &e.Last7d, &e.Last30d} {
			*sum = jobs[i].Amount.Add(claims[i].Amount)
		}
		days, err := q.workerEarningDays(ctx, workerEarningDaysParams{WorkerAddress: worker, FirstDay: firstDay, LastDay: today})
		if err != nil {
			return err
		}
		for _, d := range days {
			if d.Kind != kindPayout {
				daily[d.Day.UTC()] = daily[d.Day.UTC()].Add(d.Amount)
			}
		}
		if e.First, err = optional(q.firstEarning(ctx, string(worker))); err != nil {
			return err
		}
		e.LastClaim, err = optional(q.newestConfirmedClaim(ctx, worker))
		return err
	})
	if err != nil {
		return validator.Earnings{}, s.fail("sum earnings", err)
	}
	for day := firstDay; !day.After(today); day = day.AddDate(0, 0, 1) {
		e.Daily = append(e.Daily, validator.DailyEarnings{Day: day, Amount: daily[day]})
	}
	return e, nil
}

// kindPayout marks the rows of earning_days that are claims of kind job.
const kindPayout validator.RewardKind = "payout"

// EarningDays sums a worker's earnings per UTC day and kind from the first day to the last,
// oldest first; days without are left out. Payouts are the claims that pay out what jobs had
// earned, per day.
func (s *Store) EarningDays(ctx context.Context, worker validator.Address, firstDay, lastDay time.Time) (earnings, payouts []validator.EarningDay, err error) {
	rows, err := s.q.workerEarningDays(ctx, workerEarningDaysParams{WorkerAddress: worker, FirstDay: utcDay(firstDay), LastDay: utcDay(lastDay)})
	if err != nil {
		return nil, nil, s.fail("sum earnings by day", err)
	}
	for _, r := range rows {
		d := validator.EarningDay{Day: r.Day.UTC(), Kind: r.Kind, Entries: r.Entries, Amount: r.Amount}
		if r.Kind == kindPayout {
			d.Kind = validator.RewardJob
			payouts = append(payouts, d)
		} else {
			earnings = append(earnings, d)
		}
	}
	return earnings, payouts, nil
}

// JobTime sums up the execution times of a worker's jobs that ended on the UTC days from the
// first to the last, in whatever state. Jobs that do not tell theirs add nothing.
func (s *Store) JobTime(ctx context.Context, worker validator.Address, firstDay, lastDay time.Time) (validator.ComputeTime, error) {
	hours, err := s.q.sumJobTime(ctx, sumJobTimeParams{WorkerAddress: worker, FirstDay: utcDay(firstDay), LastDay: utcDay(lastDay)})
	return validator.ComputeTime(hours), s.fail("sum the time of jobs", err)
}

// EarningsHistory returns a worker's earnings since a time, newest first; nil means since
// ever. EarningsPeriod counts them.
func (s *Store) EarningsHistory(ctx context.Context, worker validator.Address, since *time.Time, limit, offset int) ([]validator.Earning, error) {
	skip, size := int32(min(max(offset, 0), math.MaxInt32)), pageSize(limit)
	rows, err := s.q.listEarnings(ctx, listEarningsParams{
		Address: string(worker), Since: sinceOr(since), MaxRows: size, SkipRows: skip, PageEnd: int64(skip) + int64(size),
	})
	if err != nil {
		return nil, s.fail("list earnings", err)
	}
	out := make([]validator.Earning, len(rows))
	for i, r := range rows {
		out[i] = validator.Earning{
			At: r.EarnedAt, Amount: r.Amount, Kind: validator.RewardKind(r.Kind), JobID: r.JobID, TxHash: orZero(r.TxHash), SelfReported: r.SelfReported,
		}
	}
	return out, nil
}

// EarningsPeriod sums a worker's earnings since a time; nil means since ever.
func (s *Store) EarningsPeriod(ctx context.Context, worker validator.Address, since *time.Time) (validator.EarningsPeriod, error) {
	var p validator.EarningsPeriod
	err := s.inSnapshot(ctx, func(q *Queries) error {
		at := []time.Time{sinceOr(since)}
		jobs, err := q.jobPaymentsSince(ctx, jobPaymentsSinceParams{WorkerAddress: string(worker), Since: at})
		if err != nil {
			return err
		}
		claims, err := q.claimedSince(ctx, claimedSinceParams{Address: worker, Since: at})
		if err != nil {
			return err
		}
		p = validator.EarningsPeriod{
			Total: jobs[0].Amount.Add(claims[0].Amount), Entries: jobs[0].Jobs + claims[0].Claims,
			JobCount: jobs[0].Jobs, JobTotal: jobs[0].Amount,
		}
		return nil
	})
	return p, s.fail("sum a period's earnings", err)
}

func sinceOr(t *time.Time) time.Time {
	if t == nil {
		return beginning
	}
	return *t
}

// optional is a time, or nil where there is no row.
func optional(t time.Time, err error) (*time.Time, error) {
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	}
	return &t, nil
}
