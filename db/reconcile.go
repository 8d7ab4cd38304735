package db

import (
	"cmp"
	"context"
	"errors"
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// paymentsAtATime is how many changes a transaction folds, so that none takes long.
const paymentsAtATime = 50_000

// foldPayments adds the changes of jobs and of the chain's payments to the jobs' rows, unless
// another replica is at it.
func (s *Store) foldPayments(ctx context.Context) error {
	return s.foldPaymentsBy(ctx, paymentsAtATime)
}

// foldPaymentsBy folds parts of so many changes, a transaction each, until nothing waits.
func (s *Store) foldPaymentsBy(ctx context.Context, most int64) error {
	for {
		var folded int64
		err := s.inUpkeep(ctx, func(ctx context.Context, q *Queries) error {
			first, err := q.lockPayments(ctx)
			if err != nil || !first {
				return err
			}
			folded, err = q.foldPayments(ctx, most)
			return err
		})
		if err != nil || folded < most {
			return err
		}
	}
}

// Reconciliation compares all of a wallet's payments and claims with the chain's events, as
// far as these are known.
func (s *Store) Reconciliation(ctx context.Context, worker validator.Address, k validator.PaymentContracts, now time.Time) (validator.Reconciliation, error) {
	var r validator.Reconciliation
	err := s.inSnapshot(ctx, func(q *Queries) error {
		index, err := q.chainIndex(ctx)
		if err != nil {
			return err
		}
		r.Coverage, r.ClaimCoverage, r.Head = k.PaymentCoverage(index), k.ClaimCoverage(index), index.Head
		if r.Coverage, err = q.compared(ctx, worker, r.Coverage); err != nil {
			return err
		}
		if r.Payments, err = q.reconcileSums(ctx, worker, r.Coverage, now); err != nil {
			return err
		}
		if r.WaitingSince, err = optional(q.paymentsWaitingSince(ctx)); err != nil {
			return err
		}
		rows, err := q.walletClaims(ctx, worker)
		if err != nil {
			return err
		}
		events, err := q.walletClaimEvents(ctx, worker)
		if err != nil {
			return err
		}
		r.Claims = validator.ReconcileClaims(claims(rows), claimEvents(events), r.ClaimCoverage)
		return nil
	})
	return r, s.fail("compare payments with the chain", err)
}

// compared is the coverage of a worker's payments, less the events that are known and not
// compared yet.
func (q *Queries) compared(ctx context.Context, worker validator.Address, known validator.Maybe[validator.EventCoverage]) (validator.Maybe[validator.EventCoverage], error) {
	cover, has := known.Get()
	if !has {
		return known, nil
	}
	oldest, err := q.eventsWaitingSince(ctx, string(worker))
	if errors.Is(err, pgx.ErrNoRows) {
		return known, nil
	}
	cover.Waiting = time.UnixMicro(oldest).UTC()
	return validator.Some(cover), err
}

func claimEvents(rows []walletClaimEventsRow) []validator.ClaimEvents {
	out := make([]validator.ClaimEvents, len(rows))
	for i, e := range rows {
		out[i] = validator.ClaimEvents{TxHash: e.TxHash, Amount: e.Amount, Block: validator.Block{Number: uint64(e.BlockNumber), Hash: validator.Felt(e.BlockHash), Time: e.BlockTime}}
	}
	return out
}

// reconcileSums adds up every class. Those of a window are all since its beginning less
// those since its end.
func (q *Queries) reconcileSums(ctx context.Context, worker validator.Address, known validator.Maybe[validator.EventCoverage], now time.Time) (map[validator.ReconcileClass]validator.ReconcileSum, error) {
	type part struct {
		class validator.ReconcileClass
		less  bool
	}
	var parts []part
	p := reconciledSinceParams{WorkerAddress: string(worker)}
	since := func(class validator.ReconcileClass, w validator.PaymentWindow, at time.Time, less bool) {
		parts = append(parts, part{class, less})
		p.States, p.Since = append(p.States, string(w.State)), append(p.Since, at.UnixMicro())
	}
	for _, class := range validator.ReconcileClasses {
		for _, w := range class.Windows(known, now) {
			since(class, w, sinceOr(timeOrNull(w.From)), false)
			if !w.To.IsZero() {
				since(class, w, w.To, true)
			}
		}
	}
	rows, err := q.reconciledSince(ctx, p)
	if err != nil {
		return nil, err
	}
	sums := make(map[validator.ReconcileClass]validator.ReconcileSum)
	for i, r := range rows {
		sum := validator.ReconcileSum{Jobs: r.Jobs, Recorded: r.Recorded, OnChain: r.Chain, Short: r.Short}
		if class := parts[i].class; parts[i].less {
			sums[class] = sums[class].Minus(sum)
		} else {
			sums[class] = sums[class].Plus(sum)
		}
	}
	return sums, nil
}

// PaymentCursor names a place in a list of payments; the zero cursor is its beginning.
type PaymentCursor struct {
	At  time.Time
	Job string
}

// PaymentCursorAfter is the place after which the payments follow that come below p.
func PaymentCursorAfter(p validator.ReconciledPayment) PaymentCursor {
	return PaymentCursor{p.At(), p.Job}
}

// ReconciledPayments lists a wallet's payments of some windows of states, newest first.
// Before is where the list begins, and limit 1 to MaxPage; anything else means MaxPage.
func (s *Store) ReconciledPayments(ctx context.Context, worker validator.Address, windows []validator.PaymentWindow, before PaymentCursor, limit int) ([]validator.ReconciledPayment, error) {
	var out []validator.ReconciledPayment
	err := s.inSnapshot(ctx, func(q *Queries) error {
		size := pageSize(limit)
		for _, w := range windows {
			rows, err := q.listReconciled(ctx, reconciledIn(worker, w, before, size))
			if err != nil {
				return err
			}
			for _, r := range rows {
				out = append(out, validator.ReconciledPayment{JobPayment: r.payment()})
			}
		}
		slices.SortFunc(out, func(a, b validator.ReconciledPayment) int {
			return cmp.Or(b.At().Compare(a.At()), cmp.Compare(b.Job, a.Job))
		})
		out = out[:min(len(out), int(size))]
		return q.addEvidence(ctx, worker, out)
	})
	return out, s.fail("list payments", err)
}

func reconciledIn(worker validator.Address, w validator.PaymentWindow, before PaymentCursor, size int32) listReconciledParams {
	p := listReconciledParams{
		WorkerAddress: worker, State: w.State, FromUs: sinceOr(timeOrNull(w.From)).UnixMicro(), ToUs: math.MaxInt64,
		PlaceUs: math.MaxInt64, MaxRows: size,
	}
	if !w.To.IsZero() {
		p.ToUs = w.To.UnixMicro()
	}
	if !before.At.IsZero() {
		p.PlaceUs, p.PlaceKey = before.At.UnixMicro(), before.Job
	}
	return p
}

// ListReconciled is the statement that lists a wallet's payments of a window, to be repeated.
func ListReconciled(worker validator.Address, w validator.PaymentWindow) string {
	p := reconciledIn(worker, w, PaymentCursor{}, MaxPage)
	return Statement("listReconciled", p.WorkerAddress, p.State, p.FromUs, p.ToUs, p.PlaceUs, p.PlaceKey, p.MaxRows)
}

// EachReconciledPayment hands over all payments of some windows, newest first, and ends with
// the first error. It reads some at a time, as EachJob does.
func (s *Store) EachReconciledPayment(ctx context.Context, worker validator.Address, windows []validator.PaymentWindow, each func(validator.ReconciledPayment) error) error {
	var before PaymentCursor
	for {
		page, err := s.ReconciledPayments(ctx, worker, windows, before, walkSize)
		if err != nil {
			return err
		}
		for _, p := range page {
			if err := each(p); err != nil {
				return err
			}
		}
		if len(page) < walkSize {
			return nil
		}
		before = PaymentCursorAfter(page[len(page)-1])
	}
}

// PaymentOfJob compares one job's payment as it is at this moment, and says how far the
// chain's events are known.
func (s *Store) PaymentOfJob(ctx context.Context, j validator.Job, k validator.PaymentContracts) (validator.ReconciledPayment, validator.Maybe[validator.EventCoverage], error) {
	var known validator.Maybe[validator.EventCoverage]
	p := validator.ReconciledPayment{JobPayment: validator.JobPayment{Job: j.ID}}
	number, numbered := validator.JobNumber(j.ID)
	if numbered {
		p.Job = number
	}
	err := s.inSnapshot(ctx, func(q *Queries) error {
		index, err := q.chainIndex(ctx)
		if err != nil {
			return err
		}
		known = k.PaymentCoverage(index)
		if j.Status == validator.JobCompleted && j.Payment != nil {
			p.Jobs, p.Recorded, p.Ended = 1, *j.Payment, j.CreatedAt
			if j.CompletedAt != nil {
				p.Ended = *j.CompletedAt
			}
		}
		if !numbered {
			return nil
		}
		page := []validator.ReconciledPayment{p}
		if err := q.addEvidence(ctx, j.Worker, page); err != nil {
			return err
		}
		p = page[0]
		p.JobPayment = p.With(p.Events)
		return nil
	})
	return p, known, s.fail("compare a job's payment with the chain", err)
}

// addEvidence finds the rows of jobs and the events behind payments.
func (q *Queries) addEvidence(ctx context.Context, worker validator.Address, page []validator.ReconciledPayment) error {
	if len(page) == 0 {
		return nil
	}
	asked := jobsOfReconciledParams{WorkerAddress: string(worker)}
	params := paymentsOfJobsParams{WorkerAddress: worker}
	at := make(map[string]*validator.ReconciledPayment, len(page))
	for i := range page {
		p := &page[i]
		at[p.Job] = p
		params.Jobs = append(params.Jobs, p.Job)
		asked.Spellings = append(asked.Spellings, validator.JobSpellings(p.Job)...)
		if p.Jobs > 0 {
			asked.Ended = append(asked.Ended, p.Ended)
		}
	}
	rows, err := q.jobsOfReconciled(ctx, asked)
	if err != nil {
		return err
	}
	for _, r := range rows {
		job := r.JobID
		if number, ok := validator.JobNumber(job); ok {
			job = number
		}
		if p := at[job]; p != nil {
			p.Rows = append(p.Rows, validator.JobOfPayment{ID: r.JobID, Status: r.Status, Payment: r.PaymentAmount, SelfReported: r.SelfReported})
		}
	}
	events, err := q.paymentsOfJobs(ctx, params)
	if err != nil {
		return err
	}
	for _, e := range events {
		p := at[e.JobID]
		p.Events = append(p.Events, validator.PaymentEvent{
			Kind: e.Kind, Amount: e.Amount, Private: e.Private, TxHash: e.TxHash,
			Block: validator.Block{Number: uint64(e.BlockNumber), Hash: e.BlockHash, Time: e.BlockTime},
		})
	}
	return nil
}

func (r ReconciledRow) payment() validator.JobPayment {
	p := validator.JobPayment{
		Job: r.JobKey, Recorded: r.RecordedWei, Jobs: r.Jobs, Released: r.ReleasedWei, Releases: r.Releases,
		Paid: r.PaidWei, Payments: r.Payments, Hidden: r.Hidden,
	}
	at := time.UnixMicro(r.AtUs).UTC()
	if p.Jobs > 0 {
		p.Ended = at
	}
	if n := p.Releases + p.Payments; n > 0 {
		p.EventTime = time.UnixMicro(r.ToldUs.MulDiv(big.NewInt(1), big.NewInt(n)).Big().Int64()).UTC()
	}
	return p
}
