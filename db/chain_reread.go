package db

import (
	"context"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// StoredEvents returns what is stored of some contracts' events in the blocks from first to
// last.
func (s *Store) StoredEvents(ctx context.Context, contracts []validator.Address, first, last uint64) ([]validator.StoredEvent, error) {
	addresses := make([]string, len(contracts))
	for i, a := range contracts {
		addresses[i] = string(a)
	}
	rows, err := s.q.listStoredEvents(ctx, listStoredEventsParams{FirstBlock: int64(first), LastBlock: int64(last), Contracts: addresses})
	out := make([]validator.StoredEvent, len(rows))
	for i, r := range rows {
		out[i] = validator.StoredEvent{
			EventID: validator.EventID{
				Contract: r.ContractAddress, BlockNumber: uint64(r.BlockNumber), BlockHash: r.BlockHash, TxHash: r.TxHash, Index: int(r.EventIndex),
			},
			ByReceipt: r.ByReceipt, HasDetail: r.HasDetail, Keys: felts(r.Keys), Data: felts(r.Data),
		}
	}
	return out, s.fail("list stored events", err)
}

// ReadEventsAgain has whoever reads the chain's events read those of some contracts once more
// from a block on.
func (s *Store) ReadEventsAgain(ctx context.Context, contracts []validator.Address, first uint64) error {
	addresses := make([]string, len(contracts))
	for i, a := range contracts {
		addresses[i] = string(a)
	}
	return s.fail("have events read again", s.q.unsettleIndexCursor(ctx, unsettleIndexCursorParams{BlockNumber: int64(first) - 1, Contracts: addresses}))
}

func felts(texts []string) []validator.Felt {
	out := make([]validator.Felt, len(texts))
	for i, t := range texts {
		out[i] = validator.Felt(t)
	}
	return out
}

// dropEvents removes events, and what was read of them, from the tables of their kinds.
func (q *Queries) dropEvents(ctx context.Context, events []validator.EventID) error {
	if len(events) == 0 {
		return nil
	}
	rows := make([]dropChainEventParams, len(events))
	stakes := make([]dropStakeEventParams, len(events))
	payments := make([]dropChainPaymentParams, len(events))
	reputations := make([]dropReputationChangeParams, len(events))
	for i, e := range events {
		rows[i] = dropChainEventParams{
			BlockNumber: int64(e.BlockNumber), BlockHash: e.BlockHash, TxHash: e.TxHash, ContractAddress: e.Contract, EventIndex: int32(e.Index),
		}
		stakes[i], payments[i], reputations[i] = dropStakeEventParams(rows[i]), dropChainPaymentParams(rows[i]), dropReputationChangeParams(rows[i])
	}
	if err := execAll(ctx, rows, q.dropChainEvent); err != nil {
		return err
	}
	if err := execAll(ctx, stakes, q.dropStakeEvent); err != nil {
		return err
	}
	if err := execAll(ctx, payments, q.dropChainPayment); err != nil {
		return err
	}
	return execAll(ctx, reputations, q.dropReputationChange)
}

// dropClaims undoes claims that the events which are left tell nothing of.
func (q *Queries) dropClaims(ctx context.Context, dropped []validator.EventID) error {
	if len(dropped) == 0 {
		return nil
	}
	txs := make([]string, len(dropped))
	for i, e := range dropped {
		txs[i] = string(e.TxHash)
	}
	if err := q.undoClaimsWithoutEvent(ctx, txs); err != nil {
		return err
	}
	return q.reopenClaimsWithoutEvent(ctx, txs)
}
