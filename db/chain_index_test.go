package db_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func blockAt(n uint64) validator.Block {
	return validator.Block{Number: n, Hash: validator.Felt(fmt.Sprintf("0x%064x", n+1)), Time: now.Add(time.Duration(n) * time.Second)}
}

// TestAChangeOfTheIndexBeginsWhereItIs, or changes nothing.
func TestAChangeOfTheIndexBeginsWhereItIs(t *testing.T) {
	b := newBench(t)
	cursor := validator.IndexCursor{Contract: bob, Name: "ProverStaking", First: 3, Start: validator.IndexFromSetting}
	change := func(c validator.IndexChange) error {
		c.ChainID, c.At = "SN_SEPOLIA", now
		return b.store.ChangeIndex(b.ctx(), c)
	}
	event := func(n uint64) validator.ChainEvent {
		return validator.ChainEvent{Contract: bob, Block: blockAt(n), TxHash: validator.Felt(fmt.Sprintf("0x%064x", 99)), Stake: &validator.WorkerStakeEvent{
			Worker: alice, StakeEvent: validator.StakeEvent{Kind: validator.StakeEventRewardsClaimed, Amount: wei(7)},
		}}
	}
	read := func(from validator.IndexCursor, to uint64) error {
		done := blockAt(to)
		return change(validator.IndexChange{Read: []validator.IndexCursor{from}, Done: done, Blocks: []validator.Block{done}, Head: &done, Events: []validator.ChainEvent{event(to)}})
	}
	if err := read(cursor, 5); !errors.Is(err, db.ErrIndexMoved) {
		t.Errorf("a contract that is not in the index: %v", err)
	}
	check(t, change(validator.IndexChange{Starts: []validator.IndexCursor{cursor}}))
	check(t, read(cursor, 5))
	if err := read(cursor, 6); !errors.Is(err, db.ErrIndexMoved) {
		t.Errorf("from where the index no longer is: %v", err)
	}
	equal(t, "events", dbtest.Value(t, b.url, "SELECT string_agg(block_number::text, ' ') FROM chain_events"), "5")
	at5 := blockAt(5)
	cursor.Done = &at5
	check(t, read(cursor, 6))
	if err := b.store.ChangeIndex(b.ctx(), validator.IndexChange{ChainID: "SN_MAIN", At: now}); !errors.Is(err, db.ErrOtherChain) {
		t.Errorf("another chain: %v", err)
	}
	index := must[validator.ChainIndex](t)(b.store.ChainIndex(b.ctx()))
	if c := index.Cursors[0]; *c.Done != blockAt(6) || c.First != 3 || c.Next() != 7 || index.ChainID != "SN_SEPOLIA" || *index.Head != blockAt(6) {
		t.Errorf("the index is %+v", index)
	}
	// The same transaction claimed in both blocks of the same wallet: it is one claim.
	equal(t, "claims", dbtest.Value(t, b.url, "SELECT string_agg(concat(amount, ' ', block_number, ' ', status), ', ') FROM reward_claims"), "7 6 confirmed")
	check(t, change(validator.IndexChange{Reorg: true, Undo: &at5}))
	equal(t, "claims of blocks that are gone", dbtest.Value(t, b.url, "SELECT count(*) FROM reward_claims"), 0)
	equal(t, "events that are left", dbtest.Value(t, b.url, "SELECT string_agg(block_number::text, ' ') FROM chain_events"), "5")
	check(t, change(validator.IndexChange{Reorg: true}))
	equal(t, "events of a chain that began anew", dbtest.Value(t, b.url, "SELECT count(*) FROM chain_events"), 0)
	index = must[validator.ChainIndex](t)(b.store.ChainIndex(b.ctx()))
	if c := index.Cursors[0]; c.Done != nil || c.Next() != 3 || index.Reorgs != 2 {
		t.Errorf("the index is %+v", index)
	}
}

// TestAClaimIsOneRowWhoeverTellsOfItFirst, and what a wallet submitted is never lost.
func TestAClaimIsOneRowWhoeverTellsOfItFirst(t *testing.T) {
	b := newBench(t)
	cursor := validator.IndexCursor{Contract: bob, Name: "ProverStaking", Start: validator.IndexFromSetting}
	tx := func(n int) validator.Felt { return validator.Felt(fmt.Sprintf("0x%064x", n)) }
	claim := func(place, n int) validator.ChainEvent {
		return validator.ChainEvent{Contract: bob, Block: blockAt(9), Place: place, Index: place, TxHash: tx(n), Stake: &validator.WorkerStakeEvent{
			Worker: alice, StakeEvent: validator.StakeEvent{Kind: validator.StakeEventRewardsClaimed, Amount: wei(int64(100 + place))},
		}}
	}
	submit := func(n int) validator.Claim {
		return must[validator.Claim](t)(b.store.SubmitClaim(b.ctx(), alice, tx(n), validator.RewardStaking, now))
	}
	submit(1)
	check(t, b.store.ChangeIndex(b.ctx(), validator.IndexChange{ChainID: "c", At: now, Starts: []validator.IndexCursor{cursor}}))
	check(t, b.store.ChangeIndex(b.ctx(), validator.IndexChange{
		ChainID: "c", At: now, Read: []validator.IndexCursor{cursor}, Done: blockAt(9),
		Events: []validator.ChainEvent{claim(0, 1), claim(1, 2), claim(2, 3), claim(3, 3)},
	}))
	if c := submit(2); c.Status != validator.ClaimConfirmed || !c.Amount.Equal(wei(101)) || *c.BlockNumber != 9 {
		t.Errorf("submitted after its event: %+v", c)
	}
	const all = "SELECT string_agg(concat(right(tx_hash, 1), ' ', status, ' ', amount), ', ' ORDER BY tx_hash) FROM reward_claims"
	equal(t, "claims", dbtest.Value(t, b.url, all), "1 confirmed 100, 2 confirmed 101, 3 confirmed 205")
	check(t, b.store.ChangeIndex(b.ctx(), validator.IndexChange{ChainID: "c", At: now, Reorg: true}))
	equal(t, "claims after the block is gone", dbtest.Value(t, b.url, all), "1 submitted , 2 submitted ")
	equal(t, "open claims", len(must[[]validator.Claim](t)(b.store.OpenClaims(b.ctx(), 10))), 2)
}

// TestOldBlocksAreRememberedNowAndThen, the newest all.
func TestOldBlocksAreRememberedNowAndThen(t *testing.T) {
	b := newBench(t)
	for n := uint64(0); n < 10_000; n += 500 {
		var blocks []validator.Block
		for i := n; i < n+500; i++ {
			blocks = append(blocks, blockAt(i))
		}
		check(t, b.store.ChangeIndex(b.ctx(), validator.IndexChange{ChainID: "c", At: now, Blocks: blocks}))
	}
	kept := must[[]validator.Block](t)(b.store.IndexedBlocks(b.ctx()))
	dense, sparse := 0, 0
	for _, k := range kept {
		if k != blockAt(k.Number) {
			t.Fatalf("block %d is remembered as %+v", k.Number, k)
		}
		if k.Number > 9_999-4_096 {
			dense++
		} else {
			sparse++
		}
	}
	if dense != 4_096 || sparse != 6 { // 0, 1024, … 5120
		t.Errorf("%d new and %d old blocks are remembered", dense, sparse)
	}
}
