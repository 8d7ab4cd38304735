package db_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// reputationEvent is a change that ReputationManager (bob's address) tells in a block.
func reputationEvent(block uint64, place int, id validator.Felt, from, to uint32) validator.ChainEvent {
	return validator.ChainEvent{
		Contract: bob, Block: blockAt(block), TxHash: validator.Felt(fmt.Sprintf("0x%064x", 7000+place)), Index: place, Place: place,
		Reputation: &validator.ReputationChange{WorkerID: id, OldScore: from, NewScore: to, Delta: int64(to) - int64(from), Reason: "job_completed", JobID: fmt.Sprint(block)},
	}
}

const carol = validator.Address("0x0000000000000000000000000000000000000000000000000000000000000ca1")

// storeChainEvents stores events of bob's contract as an indexer does.
func storeChainEvents(t *testing.T, b bench, events ...validator.ChainEvent) {
	t.Helper()
	cursor := validator.IndexCursor{Contract: bob, Name: "ReputationManager", Start: validator.IndexFromSetting}
	done := blockAt(1_000_000)
	change := func(c validator.IndexChange) {
		c.ChainID, c.At = "SN_SEPOLIA", now
		check(t, b.store.ChangeIndex(b.ctx(), c))
	}
	change(validator.IndexChange{Starts: []validator.IndexCursor{cursor}})
	change(validator.IndexChange{Read: []validator.IndexCursor{cursor}, Done: done, Blocks: []validator.Block{done}, Head: &done, Events: events})
}

func TestChangesOfAReputationComeInPagesUnderAllIDsOfTheWorker(t *testing.T) {
	b := newBench(t)
	const id = validator.Felt("0x0000000000000000000000000000000000000000000000000000000000000077")
	ids := []validator.Felt{alice.Felt(), id}
	storeChainEvents(t, b,
		reputationEvent(10, 0, alice.Felt(), 500, 510), reputationEvent(10, 1, id, 510, 520), reputationEvent(11, 0, carol.Felt(), 1, 2),
		reputationEvent(90_000, 3, id, 520, 495), reputationEvent(90_010, 0, alice.Felt(), 495, 500),
	)
	var seen []string
	var cursor validator.ReputationCursor
	for range 4 {
		page, err := b.store.ReputationChanges(b.ctx(), bob, ids, cursor, 2)
		check(t, err)
		for _, r := range page {
			seen = append(seen, fmt.Sprintf("%d/%d %d→%d", r.Block.Number, r.Place, r.OldScore, r.NewScore))
			cursor = r.Cursor()
		}
		if len(page) < 2 {
			break
		}
	}
	equal(t, "changes", fmt.Sprint(seen), "[90010/0 495→500 90000/3 520→495 10/1 510→520 10/0 500→510]")
	if r := must[[]validator.ReputationRecord](t)(b.store.ReputationChanges(b.ctx(), bob, ids, validator.ReputationCursor{}, 1))[0]; !r.When().Equal(blockAt(90_010).Time) || r.JobID != "90010" || r.Delta != 5 {
		t.Errorf("the newest: %+v", r)
	}
	equal(t, "of another contract", len(must[[]validator.ReputationRecord](t)(b.store.ReputationChanges(b.ctx(), carol, ids, validator.ReputationCursor{}, 9))), 0)

	day := now.Truncate(24 * time.Hour)
	points := must[[]validator.ReputationPoint](t)(b.store.ReputationScores(b.ctx(), bob, ids, day, 24*time.Hour, 3))
	var scores []string
	for _, p := range points {
		scores = append(scores, fmt.Sprintf("%s %d", p.At.Format(time.DateOnly), p.Score))
	}
	first, last := blockAt(10).Time, blockAt(90_010).Time
	equal(t, "scores by day", fmt.Sprint(scores), fmt.Sprintf("[%s 520 %s 500]", first.Format(time.DateOnly), last.Format(time.DateOnly)))
}

func TestASlashIsFoundByItsTransaction(t *testing.T) {
	b := newBench(t)
	slash := func(worker validator.Address, place int, amount int64) validator.ChainEvent {
		return validator.ChainEvent{Contract: bob, Block: blockAt(5), TxHash: validator.Felt(fmt.Sprintf("0x%064x", 99)), Index: place, Place: place, Stake: &validator.WorkerStakeEvent{
			Worker: worker, StakeEvent: validator.StakeEvent{Kind: validator.StakeEventSlashed, Amount: wei(amount), Reason: validator.SlashTimeout, JobID: "4711"},
		}}
	}
	storeChainEvents(t, b, slash(alice, 0, 7), slash(carol, 1, 8), slash(alice, 2, 9))
	got := must[[]validator.StakeEvent](t)(b.store.Slashes(b.ctx(), alice, validator.Felt(fmt.Sprintf("0x%064x", 99))))
	if len(got) != 2 || !got[0].Amount.Equal(wei(7)) || !got[1].Amount.Equal(wei(9)) || got[1].JobID != "4711" || got[1].Reason != validator.SlashTimeout || got[1].Block != blockAt(5) {
		t.Errorf("%+v", got)
	}
	equal(t, "of another transaction", len(must[[]validator.StakeEvent](t)(b.store.Slashes(b.ctx(), alice, "0x0000000000000000000000000000000000000000000000000000000000000001"))), 0)
}
