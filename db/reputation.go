package db

import (
	"context"
	"math"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// ReputationChanges returns a page of the changes of a worker's score, newest first, that a
// ReputationManager emitted for any of the worker's ids: at most so many, 1 to MaxPage, that
// stand below a cursor. It has what the index of events has read.
func (s *Store) ReputationChanges(ctx context.Context, contract validator.Address, ids []validator.Felt, before validator.ReputationCursor, limit int) ([]validator.ReputationRecord, error) {
	p := reputationChangesParams{WorkerIds: texts(ids), ContractAddress: contract, BeforeBlock: math.MaxInt64, BeforePlace: math.MaxInt32, PageSize: pageSize(limit)}
	if !before.IsZero() {
		p.BeforeBlock, p.BeforePlace = int64(min(before.Block, math.MaxInt64)), int32(min(before.Place, math.MaxInt32))
	}
	rows, err := s.q.reputationChanges(ctx, p)
	out := make([]validator.ReputationRecord, len(rows))
	for i, r := range rows {
		out[i] = validator.ReputationRecord{
			ReputationChange: validator.ReputationChange{
				WorkerID: r.WorkerID, OldScore: uint32(r.OldScore), NewScore: uint32(r.NewScore), Delta: r.Delta, Reason: r.Reason,
				JobID: orZero(r.JobID), At: orZero(r.ChangedAt).UTC(),
			},
			Block:  validator.Block{Number: uint64(r.BlockNumber), Hash: r.BlockHash, Time: r.BlockTime.UTC()},
			TxHash: r.TxHash, Place: int(r.Place),
		}
		if r.ChangedAt == nil {
			out[i].At = time.Time{}
		}
	}
	return out, s.fail("list changes of the reputation", err)
}

// ReputationScores returns a worker's score after the last change of each of so many steps
// of time since a time, oldest first. Steps without a change are left out.
func (s *Store) ReputationScores(ctx context.Context, contract validator.Address, ids []validator.Felt, since time.Time, step time.Duration, steps int) ([]validator.ReputationPoint, error) {
	p := reputationScoresParams{WorkerIds: texts(ids), ContractAddress: contract, Step: step, Ends: make([]time.Time, steps)}
	for i := range steps {
		p.Ends[i] = since.Add(time.Duration(i+1) * step)
	}
	rows, err := s.q.reputationScores(ctx, p)
	out := make([]validator.ReputationPoint, len(rows))
	for i, r := range rows {
		out[i] = validator.ReputationPoint{At: r.BlockTime.UTC(), Score: uint32(r.NewScore)}
	}
	return out, s.fail("read the history of the reputation", err)
}

// Slashes returns what one transaction slashed of a worker, in the order of its events, as
// far as the index of events has read.
func (s *Store) Slashes(ctx context.Context, worker validator.Address, tx validator.Felt) ([]validator.StakeEvent, error) {
	rows, err := s.q.slashesInTransaction(ctx, slashesInTransactionParams{WorkerAddress: worker, TxHash: tx})
	out := make([]validator.StakeEvent, len(rows))
	for i, r := range rows {
		out[i] = validator.StakeEvent{
			Kind: validator.StakeEventSlashed, Amount: r.Amount, Reason: validator.SlashReason(orZero(r.SlashReason)), JobID: orZero(r.JobID),
			Block:  validator.Block{Number: uint64(r.BlockNumber), Hash: r.BlockHash, Time: r.BlockTime.UTC()},
			TxHash: r.TxHash,
		}
	}
	return out, s.fail("read a slash", err)
}
