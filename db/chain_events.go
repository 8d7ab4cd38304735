package db

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// storeEvents stores events raw, and what they tell in the tables of its kind. Events that
// are there already stay as they are.
func (q *Queries) storeEvents(ctx context.Context, events []validator.ChainEvent) error {
	if len(events) == 0 {
		return nil
	}
	var (
		raw         []insertChainEventParams
		stakes      []insertStakeEventParams
		payments    []insertChainPaymentParams
		reputations []insertReputationChangeParams
	)
	for _, e := range events {
		raw = append(raw, rawEvent(e))
		switch {
		case e.Stake != nil:
			stakes = append(stakes, stakeEvent(e))
		case e.Payment != nil:
			payments = append(payments, chainPayment(e))
		case e.Reputation != nil:
			reputations = append(reputations, reputationChange(e))
		}
	}
	if err := execAll(ctx, raw, q.insertChainEvent); err != nil {
		return err
	}
	if err := execAll(ctx, stakes, q.insertStakeEvent); err != nil {
		return err
	}
	if err := execAll(ctx, payments, q.insertChainPayment); err != nil {
		return err
	}
	if err := execAll(ctx, reputations, q.insertReputationChange); err != nil {
		return err
	}
	return execAll(ctx, claimsOf(events), q.confirmClaim)
}

func rawEvent(e validator.ChainEvent) insertChainEventParams {
	return insertChainEventParams{
		BlockNumber: int64(e.Block.Number), BlockHash: e.Block.Hash, BlockTime: e.Block.Time, TxHash: e.TxHash,
		ContractAddress: e.Contract, EventIndex: int32(e.Index), Place: int32(e.Place),
		Name: textOrNull(e.Name), Problem: textOrNull(e.Problem), Keys: texts(e.Keys), Data: texts(e.Data),
	}
}

func stakeEvent(e validator.ChainEvent) insertStakeEventParams {
	p := insertStakeEventParams{
		BlockNumber: int64(e.Block.Number), BlockHash: e.Block.Hash, BlockTime: e.Block.Time, TxHash: e.TxHash,
		ContractAddress: e.Contract, EventIndex: int32(e.Index), Place: int32(e.Place),
		WorkerAddress: e.Stake.Worker, Kind: e.Stake.Kind, Amount: e.Stake.Amount,
	}
	switch e.Stake.Kind {
	case validator.StakeEventStaked:
		tier := int32(e.Stake.Tier)
		p.GpuTier, p.Total = &tier, &e.Stake.Total
	case validator.StakeEventUnstakeRequested:
		p.UnlockAt = timeOrNull(e.Stake.UnlockAt)
	case validator.StakeEventSlashed:
		reason := int32(e.Stake.Reason)
		p.SlashReason, p.JobID = &reason, textOrNull(e.Stake.JobID)
	case validator.StakeEventUnstakeCompleted, validator.StakeEventRewardsClaimed:
	}
	return p
}

func chainPayment(e validator.ChainEvent) insertChainPaymentParams {
	return insertChainPaymentParams{
		BlockNumber: int64(e.Block.Number), BlockHash: e.Block.Hash, BlockTime: e.Block.Time, TxHash: e.TxHash,
		ContractAddress: e.Contract, EventIndex: int32(e.Index), Place: int32(e.Place),
		WorkerAddress: e.Payment.Worker, Kind: e.Payment.Kind, JobID: e.Payment.JobID, Amount: e.Payment.Amount,
		Private: e.Payment.Private, PaidAt: timeOrNull(e.Payment.PaidAt),
	}
}

func reputationChange(e validator.ChainEvent) insertReputationChangeParams {
	return insertReputationChangeParams{
		BlockNumber: int64(e.Block.Number), BlockHash: e.Block.Hash, BlockTime: e.Block.Time, TxHash: e.TxHash,
		ContractAddress: e.Contract, EventIndex: int32(e.Index), Place: int32(e.Place),
		WorkerID: e.Reputation.WorkerID, OldScore: int64(e.Reputation.OldScore), NewScore: int64(e.Reputation.NewScore),
		Delta: e.Reputation.Delta, Reason: e.Reputation.Reason, JobID: textOrNull(e.Reputation.JobID), ChangedAt: timeOrNull(e.Reputation.At),
	}
}

// claimsOf sums what each transaction claimed for each wallet, in an order that all
// programs have in common, so that none waits for another in a circle.
func claimsOf(events []validator.ChainEvent) []confirmClaimParams {
	type claim struct {
		wallet validator.Address
		tx     validator.Felt
	}
	sums := make(map[claim]*confirmClaimParams)
	var out []*confirmClaimParams
	for _, e := range events {
		if e.Stake == nil || e.Stake.Kind != validator.StakeEventRewardsClaimed {
			continue
		}
		key := claim{e.Stake.Worker, e.TxHash}
		if sums[key] == nil {
			tx, number := e.TxHash, int64(e.Block.Number)
			sums[key] = &confirmClaimParams{Address: key.wallet, Amount: new(validator.Wei), BlockTime: e.Block.Time, TxHash: &tx, BlockNumber: &number}
			out = append(out, sums[key])
		}
		sum := sums[key].Amount.Add(e.Stake.Amount)
		sums[key].Amount = &sum
	}
	slices.SortFunc(out, func(a, b *confirmClaimParams) int {
		return cmp.Or(cmp.Compare(a.Address, b.Address), cmp.Compare(*a.TxHash, *b.TxHash))
	})
	rows := make([]confirmClaimParams, len(out))
	for i, p := range out {
		rows[i] = *p
	}
	return rows
}

// execAll runs a statement for each of many rows, and returns the first error.
func execAll[P any, B interface{ Exec(f func(int, error)) }](ctx context.Context, rows []P, send func(context.Context, []P) B) error {
	if len(rows) == 0 {
		return nil
	}
	var first error
	send(ctx, rows).Exec(func(_ int, err error) {
		if first == nil {
			first = err
		}
	})
	return first
}

func texts(felts []validator.Felt) []string {
	out := make([]string, len(felts))
	for i, f := range felts {
		out[i] = string(f)
	}
	return out
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
