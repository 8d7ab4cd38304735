package web

import (
	"context"

	"github.com/bitsage-network/validator-dashboard/observe"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// reconciliationInput asks for the sums, and for the newest payments of a class.
type reconciliationInput struct {
	WalletInput

	Class string `query:"class" enum:"differing,different_amount,missing_on_chain,missing_in_database,matched,awaited,not_comparable,not_known_yet" default:"differing" doc:"Of which payments to list the newest; differing are those of the first three classes"`
	Limit int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many payments to list"`
}

// reconciliationJSON answers /api/validator/reconciliation.
type reconciliationJSON struct {
	Differing *int64                `json:"differing" doc:"Payments and claims on which the database and the chain disagree"`
	Coverage  coverageJSON          `json:"coverage" doc:"The blocks in which all payments are known"`
	Classes   []reconcileClassJSON  `json:"classes" doc:"Payments for jobs, by what came of comparing them"`
	Payments  []exportedPayment     `json:"payments" doc:"The newest of the class that was asked for"`
	Claims    []reconciledClaimJSON `json:"claims" doc:"Claims of staking rewards against RewardsClaimed events, newest first"`
	Sources   sourcesJSON           `json:"sources"`
}

// coverageJSON is a stretch of the chain.
type coverageJSON struct {
	FromBlock    *uint64 `json:"from_block"`
	FromTime     *int64  `json:"from_time" doc:"Unix seconds"`
	ToBlock      *uint64 `json:"to_block"`
	ToTime       *int64  `json:"to_time" doc:"Unix seconds"`
	HeadBlock    *uint64 `json:"head_block" doc:"The chain's newest when the events were last read"`
	WaitingSince *int64  `json:"waiting_since" doc:"Unix seconds: about when the oldest change was made that is not compared yet; null if all are"`
	Error        *string `json:"error" doc:"Why nothing is known, in words"`
}

// reconcileClassJSON adds up a class.
type reconcileClassJSON struct {
	Class             string  `json:"class" enum:"different_amount,missing_on_chain,missing_in_database,matched,awaited,not_comparable,not_known_yet"`
	Jobs              *int64  `json:"jobs" doc:"null while no event of payments has been read and none of this class is known"`
	Recorded          *string `json:"recorded" doc:"Wei, by the database"`
	RecordedFormatted *string `json:"recorded_formatted"`
	OnChain           *string `json:"on_chain" doc:"Wei, by the chain: net of fees where that is known; null where it is not known"`
	OnChainFormatted  *string `json:"on_chain_formatted"`
	Short             *string `json:"short" doc:"Wei that the chain has less, of the jobs of which it has less"`
	Over              *string `json:"over" doc:"Wei that the chain has more, of the jobs of which it has more"`
}

// reconciledClaimJSON is a claim on both sides.
type reconciledClaimJSON struct {
	Class       string  `json:"class" enum:"different_amount,missing_on_chain,missing_in_database,matched,awaited,not_comparable,not_known_yet"`
	Timestamp   int64   `json:"timestamp" doc:"Unix seconds"`
	TxHash      *string `json:"tx_hash"`
	BlockNumber *uint64 `json:"block_number" doc:"The chain's, else the database's"`
	Recorded    *string `json:"recorded" doc:"Wei, by the database"`
	OnChain     *string `json:"on_chain" doc:"Wei, by the chain"`
	Why         *string `json:"why" doc:"In words, where the class needs them"`
}

func (s *Server) apiReconciliation(ctx context.Context, in *reconciliationInput) (*reply[reconciliationJSON], error) {
	wallet, err := s.walletFor(ctx, in.WalletInput)
	if err != nil {
		return nil, err
	}
	class, err := parseClass(in.Class)
	if err != nil {
		return nil, err
	}
	q := reconcileQuery{class: class}
	asked := s.reads(ctx)
	m := asked.Reconciliation(ctx, wallet)
	out := reconciliationJSON{Classes: []reconcileClassJSON{}, Payments: []exportedPayment{}, Claims: []reconciledClaimJSON{}}
	r, has := m.Get()
	if !has {
		out.Sources = sources(asked.State())
		return ok(out)
	}
	now := s.now()
	out.Differing, out.Coverage = known(r.KnownDiffering()), coverageOf(r)
	for _, c := range validator.ReconcileClasses {
		out.Classes = append(out.Classes, reconcileClassOf(c, r.Sum(c)))
	}
	list := asked.Payments(ctx, wallet, observe.PaymentList{Class: q.class, Limit: in.Limit}, q.windows(r, now))
	for _, p := range list.Or(nil) {
		out.Payments = append(out.Payments, exportedPaymentOf(p, r.Coverage, now))
	}
	for _, c := range r.Claims {
		out.Claims = append(out.Claims, reconciledClaimOf(c))
	}
	out.Sources = sources(asked.State())
	return ok(out)
}

func reconcileClassOf(c validator.ReconcileClass, m validator.Maybe[validator.ReconcileSum]) reconcileClassJSON {
	amount := func(of func(validator.ReconcileSum) validator.Wei) validator.Maybe[validator.Wei] {
		return validator.Map(m, of)
	}
	recorded := amount(func(s validator.ReconcileSum) validator.Wei { return s.Recorded })
	row := reconcileClassJSON{
		Class: string(c), Jobs: field(m, func(s validator.ReconcileSum) int64 { return s.Jobs }), Recorded: weiText(recorded), RecordedFormatted: weiFormatted(recorded),
	}
	if sum, has := m.Get(); has && (c.Comparable() || sum.Jobs == 0) {
		chain := amount(func(s validator.ReconcileSum) validator.Wei { return s.OnChain })
		row.OnChain, row.OnChainFormatted = weiText(chain), weiFormatted(chain)
		row.Short, row.Over = weiText(amount(func(s validator.ReconcileSum) validator.Wei { return s.Short })), weiText(amount(validator.ReconcileSum.Over))
	}
	return row
}

func coverageOf(r validator.Reconciliation) coverageJSON {
	out := coverageJSON{WaitingSince: unixOf(r.WaitingSince)}
	if r.Head != nil {
		out.HeadBlock = &r.Head.Number
	}
	c, known := r.Coverage.Get()
	if !known {
		why := validator.Sentence(r.Coverage.Reason())
		out.Error = &why
		return out
	}
	out.FromBlock, out.FromTime, out.ToBlock, out.ToTime = &c.From.Number, unix(c.From.Time), &c.To.Number, unix(c.To.Time)
	return out
}

func reconciledClaimOf(c validator.ReconciledClaim) reconciledClaimJSON {
	out := reconciledClaimJSON{Class: string(c.Class), Timestamp: c.At().Unix(), Why: nonEmpty(c.Why)}
	if c.Claim != nil {
		out.TxHash, out.BlockNumber = nonEmpty(string(c.Claim.TxHash)), c.Claim.BlockNumber
		if c.Claim.Amount != nil {
			amount := c.Claim.Amount.String()
			out.Recorded = &amount
		}
	}
	if c.Events != nil {
		tx, amount := string(c.Events.TxHash), c.Events.Amount.String()
		out.TxHash, out.BlockNumber, out.OnChain = &tx, &c.Events.Block.Number, &amount
	}
	return out
}
