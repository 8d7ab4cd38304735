package db

import (
	"context"
	"math"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// EarningFilter chooses a page of a worker's earnings by their time. Its zero value asks for
// the newest of all.
type EarningFilter struct {
	From, To time.Time     // earned at From or later, and before To; zero times = all
	Limit    int           // 1 to MaxPage; anything else means MaxPage
	Before   EarningCursor // earnings that follow this place in the list; the zero cursor = the list's beginning
	// After asks for the page that ends at this place instead, newest first all the same. It
	// is not to be set together with Before.
	After EarningCursor
}

// EarningCursor names a place in a list of earnings; see EarningPlace. Of a job's payment it
// has the job's identifier, of a claim its number.
type EarningCursor struct {
	At    time.Time
	JobID string
	Claim int64
}

// EarningPlace returns the place of e in a list.
func EarningPlace(e validator.Earning) EarningCursor { return EarningCursor{e.At, e.JobID, e.Claim} }

// IsZero says whether the cursor names no place.
func (c EarningCursor) IsZero() bool { return c.At.IsZero() }

// EarningsPage returns a page of a worker's earnings, newest first; of one moment the jobs
// come before the claims.
func (s *Store) EarningsPage(ctx context.Context, worker validator.Address, f EarningFilter) ([]validator.Earning, error) {
	rows, err := s.findEarnings(ctx, worker, f, pageSize(f.Limit))
	if err != nil {
		return nil, s.fail("list earnings", err)
	}
	out := make([]validator.Earning, len(rows))
	for i, r := range rows {
		out[i] = r.earning()
	}
	if !f.After.IsZero() {
		slices.Reverse(out)
	}
	return out, nil
}

// EachEarning hands over all earnings of a filter, newest first, without its limit, and ends
// with the first error. Like EachJob it reads some at a time.
func (s *Store) EachEarning(ctx context.Context, worker validator.Address, f EarningFilter, each func(validator.Earning) error) error {
	for {
		rows, err := s.findEarnings(ctx, worker, f, walkSize)
		if err != nil {
			return s.fail("read earnings", err)
		}
		for _, r := range rows {
			if err := each(r.earning()); err != nil {
				return err
			}
		}
		if len(rows) < walkSize {
			return nil
		}
		f.Before = EarningPlace(rows[len(rows)-1].earning())
	}
}

// findEarnings reads a page in the order in which it was looked for.
func (s *Store) findEarnings(ctx context.Context, worker validator.Address, f EarningFilter, size int32) ([]findEarningsRow, error) {
	place, upwards := f.Before, !f.After.IsZero()
	if upwards {
		place = f.After
	}
	if place.IsZero() {
		place.At = endOfTime
	}
	p := findEarningsParams{
		Address: string(worker), EarnedFrom: beginning, EarnedBefore: endOfTime, MaxRows: size,
		PlaceTime: place.At, PlaceJob: place.JobID, PlaceClaim: place.Claim,
	}
	if place.JobID != "" { // at one moment every claim stands below every job
		p.PlaceClaim = math.MaxInt64
	}
	if !f.From.IsZero() {
		p.EarnedFrom = f.From
	}
	if !f.To.IsZero() {
		p.EarnedBefore = f.To
	}
	if !upwards {
		return s.q.findEarnings(ctx, p)
	}
	newer, err := s.q.findNewerEarnings(ctx, findNewerEarningsParams(p))
	rows := make([]findEarningsRow, len(newer))
	for i, r := range newer {
		rows[i] = findEarningsRow(r)
	}
	return rows, err
}

func (r findEarningsRow) earning() validator.Earning {
	return validator.Earning{
		At: r.EarnedAt, Amount: r.Amount, Kind: validator.RewardKind(r.Kind), JobID: r.JobID, Claim: r.ClaimID, TxHash: orZero(r.TxHash), SelfReported: r.SelfReported,
		BlockNumber: blockNumber(r.BlockNumber), Price: claimPrice(r.Price, r.PriceCurrency, r.PriceSource, r.PriceAt, r.PriceByHand),
	}
}
