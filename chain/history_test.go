package chain_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const job validator.Felt = "0x0000000000000000000000000000000000000000000000000000000000000bad"

// history waits until a wallet's events are known and none newer are missing.
func (r *rig) history(t *testing.T, a validator.Address) validator.ChainSnapshot {
	t.Helper()
	var s validator.ChainSnapshot
	eventually(t, "the wallet's events are read", func() bool {
		s = r.snapshot(a)
		return s.StakeEvents.Known() && !s.StakeEventsQuery.Outdated
	})
	return s
}

// historyMissing waits until a wallet's events are missing for a reason.
func (r *rig) historyMissing(t *testing.T, a validator.Address, says string) validator.ChainSnapshot {
	t.Helper()
	var s validator.ChainSnapshot
	eventually(t, "the events are missing: "+says, func() bool {
		s = r.snapshot(a)
		return !s.StakeEvents.Known() && strings.Contains(s.StakeEvents.Reason(), says)
	})
	return s
}

func kinds(s validator.ChainSnapshot) []validator.StakeEventKind {
	var out []validator.StakeEventKind
	for _, e := range s.StakeEvents.Or(nil) {
		out = append(out, e.Kind)
	}
	return out
}

// career makes bob stake, unstake some and all but complete a second unstake, with a slash
// between them, and returns the blocks and transactions, oldest first.
func (r *rig) career(t *testing.T) ([]validator.Block, []validator.Felt) {
	t.Helper()
	r.chain.SetBalance(bob, validator.WeiFromSAGE(12_000))
	at := r.chain.Head().Time
	var blocks []validator.Block
	var txs []validator.Felt
	for _, act := range []func() validator.Felt{
		func() validator.Felt {
			return r.chain.Stake(bob, validator.WeiFromSAGE(12_000), validator.TierEnterprise)
		},
		func() validator.Felt { return r.chain.RequestUnstake(bob, validator.WeiFromSAGE(100)) },
		func() validator.Felt { return r.chain.CompleteUnstake(bob) },
		func() validator.Felt { return r.chain.Slash(bob, validator.SlashTimeout, job) },
		func() validator.Felt { return r.chain.Succeed(bob, job) },
		func() validator.Felt { return r.chain.ClaimRewards(bob) },
		func() validator.Felt { return r.chain.RequestUnstake(bob, validator.WeiFromSAGE(200)) },
	} {
		txs = append(txs, act())
		blocks = append(blocks, r.chain.MineAt(at))
		at = at.Add(8 * 24 * time.Hour)
	}
	return blocks, txs
}

func TestAWalletsHistoryIsReadFromItsEvents(t *testing.T) {
	for _, wide := range []bool{false, true} {
		t.Run(fmt.Sprintf("job ids of two felts %v", wide), func(t *testing.T) {
			r := newRigOn(t, devchain.New(devchain.Config{WideJobIDs: wide, Genesis: time.Now().AddDate(0, -3, 0)}), 1)
			blocks, txs := r.career(t)
			r.run(t)
			s := r.history(t, bob)
			lockup := 7 * 24 * time.Hour
			claimed := s.StakeEvents.Or(nil)[1].Amount
			want := []validator.StakeEvent{
				{Kind: validator.StakeEventUnstakeRequested, Amount: validator.WeiFromSAGE(200), UnlockAt: blocks[6].Time.Add(lockup), Block: blocks[6], TxHash: txs[6]},
				{Kind: validator.StakeEventRewardsClaimed, Amount: claimed, Block: blocks[5], TxHash: txs[5]},
				{Kind: validator.StakeEventSlashed, Amount: validator.WeiFromSAGE(595), Reason: validator.SlashTimeout, JobID: "0xbad", Block: blocks[3], TxHash: txs[3]},
				{Kind: validator.StakeEventUnstakeCompleted, Amount: validator.WeiFromSAGE(100), Block: blocks[2], TxHash: txs[2]},
				{Kind: validator.StakeEventUnstakeRequested, Amount: validator.WeiFromSAGE(100), UnlockAt: blocks[1].Time.Add(lockup), Block: blocks[1], TxHash: txs[1]},
				{Kind: validator.StakeEventStaked, Amount: validator.WeiFromSAGE(12_000), Tier: validator.TierEnterprise, Total: validator.WeiFromSAGE(12_000), Block: blocks[0], TxHash: txs[0]},
			}
			if got := s.StakeEvents.Or(nil); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("events\n%v\nwant\n%v", got, want)
			}
			q := s.StakeEventsQuery
			if q.Contract != r.chain.Contracts().ProverStaking || q.Block != s.Block || q.Omitted != 0 || len(q.Keys) != 2 || q.Keys[1][0] != bob.Felt() {
				t.Errorf("query %+v", q)
			}
			p := validator.Picture{Address: bob, Chain: s}
			if e, _ := p.LastSlash().Get(); e == nil || e.JobID != "0xbad" {
				t.Errorf("last slash %+v, %s", e, p.LastSlash().Reason())
			}
			if e, _ := p.PendingUnstake().Get(); e == nil || !e.UnlockAt.Equal(blocks[6].Time.Add(lockup)) {
				t.Errorf("pending unstake %+v, %s", e, p.PendingUnstake().Reason())
			}
		})
	}
}

// TestEventsThatANodeRepeats stand in a wallet's history once each, and those that the node
// told in another order in the chain's.
func TestEventsThatANodeRepeats(t *testing.T) {
	for _, indexes := range []bool{false, true} {
		t.Run(fmt.Sprintf("indexes %v", indexes), func(t *testing.T) {
			r := newRigOn(t, devchain.New(devchain.Config{Genesis: time.Now().AddDate(0, -3, 0)}), 1)
			r.career(t)
			want := []validator.StakeEventKind{
				validator.StakeEventUnstakeRequested, validator.StakeEventRewardsClaimed, validator.StakeEventSlashed,
				validator.StakeEventUnstakeCompleted, validator.StakeEventUnstakeRequested, validator.StakeEventStaked,
			}
			r.breaks(0, devchain.Faults{TwiceEvents: true, EventIndexes: indexes})
			r.run(t)
			if got := kinds(r.history(t, bob)); !slices.Equal(got, want) {
				t.Errorf("the history is %v, want %v", got, want)
			}
		})
	}
}

func TestEventsAreReadOnceAndAfterAStakeChanged(t *testing.T) {
	r := newRigOn(t, devchain.New(devchain.Config{Genesis: time.Now().AddDate(0, -3, 0)}), 1)
	r.career(t)
	r.run(t)
	r.history(t, bob)
	reads := func() int { return r.nodes[0].Counters().Methods["starknet_getEvents"] }
	if n := reads(); n != 1 {
		t.Errorf("a first look searched events %d times", n)
	}
	for range 5 {
		r.seenAt(t, bob, r.chain.Mine())
	}
	if n := reads(); n != 1 {
		t.Errorf("events were searched %d times though the stake did not change", n)
	}
	r.chain.ClaimRewards(bob)
	b := r.chain.Mine()
	r.seenAt(t, bob, b)
	if s := r.history(t, bob); s.StakeEvents.Or(nil)[0].Block != b {
		t.Errorf("the newest event is of block %d, want %d", s.StakeEvents.Or(nil)[0].Block.Number, b.Number)
	}
	if n := reads(); n != 2 {
		t.Errorf("after one change events were searched %d times in all", n)
	}
	if n := r.metric(t, "validator_chain_event_reads_total"); n != 2 {
		t.Errorf("%v reads of events are counted", n)
	}
}

func TestNobodyLookingCostsNoEvents(t *testing.T) {
	clock := newClock()
	r := running(t, 1, func(c *chain.Config) {
		c.Now, c.WatchFor, c.IdlePollInterval = clock.now, time.Minute, 10*time.Millisecond
	})
	r.history(t, alice)
	clock.advance(2 * time.Minute)
	r.nodes[0].ResetCounters()
	for range 3 {
		r.chain.ClaimRewards(alice)
		b := r.chain.MineAt(clock.now())
		eventually(t, "the client passes the block", func() bool { return r.client.State().Block == b.Number })
	}
	if n := r.nodes[0].Counters().Methods["starknet_getEvents"]; n != 0 {
		t.Errorf("events were searched %d times though nobody looks", n)
	}
}

func TestAWalletThatNeverStakedCostsNoEvents(t *testing.T) {
	r := running(t, 1)
	s := r.history(t, bob)
	r.seenAt(t, bob, r.chain.Mine())
	if n := r.nodes[0].Counters().Methods["starknet_getEvents"]; n != 0 || len(s.StakeEvents.Or(nil)) != 0 {
		t.Errorf("events were searched %d times: %+v", n, s.StakeEvents)
	}
}

func TestSlowEventsDelayNoView(t *testing.T) {
	r := newRigOn(t, devchain.New(devchain.Config{Genesis: time.Now().AddDate(0, -3, 0)}), 1, func(c *chain.Config) {
		c.HistoryTimeout, c.HistoryRetry = 4*time.Second, time.Hour
		c.BreakerFailures, c.BreakerDelay = 1, time.Hour
	})
	r.career(t)
	r.breaks(0, devchain.Faults{Slow: map[string]time.Duration{"starknet_getEvents": time.Minute}})
	r.run(t)
	r.historyMissing(t, bob, "ProverStaking's events are being read")
	for range 3 {
		s := r.seenAt(t, bob, r.chain.Mine())
		if !s.Stake.Known() {
			t.Errorf("the stake waits for the events: %s", s.Stake.Reason())
		}
	}
	r.historyMissing(t, bob, "ProverStaking's events cannot be read: the node at "+strings.TrimPrefix(r.nodes[0].URL(), "http://")+" did not answer in 4 s")
	r.seenAt(t, bob, r.chain.Mine())
	r.health(t, validator.HealthOK)
	if n := r.metric(t, "validator_chain_rpc_circuit_open"); n != 0 {
		t.Error("slow events opened the node's circuit")
	}
}

// event is an event of bob's as a node tells it, changed.
func eventOf(r *rig, change func(map[string]any)) map[string]any {
	e := map[string]any{
		"from_address": string(r.chain.Contracts().ProverStaking),
		"keys":         []string{"0x1b356a75cb2bb67a6f512d451791f3aea06edbdd693a6bfe4145016eb69ebff", string(bob)}, // Slashed
		"data":         []string{"0x1", "0x0", "0x1", "0x2a"},
		"block_hash":   string(r.chain.Head().Hash), "block_number": r.chain.Head().Number, "transaction_hash": "0x7",
	}
	change(e)
	return map[string]any{"events": []any{e}}
}

func TestEventsThatANodeDoesNotServe(t *testing.T) {
	const search = "starknet_getEvents"
	refuses := func(code int, message string) devchain.Faults {
		return devchain.Faults{Methods: map[string]devchain.RPCError{search: {Code: code, Message: message}}}
	}
	answers := func(v any) devchain.Faults { return devchain.Faults{Answers: map[string]any{search: v}} }
	r := newRigOn(t, devchain.New(devchain.Config{Genesis: time.Now().AddDate(0, -3, 0)}), 1, func(c *chain.Config) {
		c.HistoryRetry = time.Millisecond
		c.BreakerFailures, c.BreakerDelay = 1, time.Hour
	})
	r.career(t)
	r.chain.Mine()
	r.breaks(0, refuses(-32601, "Method not found"))
	r.run(t)
	r.historyMissing(t, bob, "cannot be read")
	with := func(key string, v any) devchain.Faults {
		return answers(eventOf(r, func(e map[string]any) { e[key] = v }))
	}
	numbered := func(data []string) devchain.Faults { // else the receipts tell the data
		return answers(eventOf(r, func(e map[string]any) { e["data"], e["transaction_index"], e["event_index"] = data, 0, 0 }))
	}
	for _, c := range []struct {
		name   string
		faults devchain.Faults
		says   string
	}{
		{"no such method", refuses(-32601, "Method not found"), "could not answer (JSON-RPC error -32601)"},
		{"pages too big", refuses(31, "Requested page size is too big"), "could not answer (JSON-RPC error 31)"},
		{"text", answers("none"), "answered nonsense for events"},
		{"no list", answers(map[string]any{}), "answered nonsense for events"},
		{"another contract's event", with("from_address", "0x1"), "answered nonsense for events"},
		{"another wallet's event", with("keys", []string{"0x1b356a75cb2bb67a6f512d451791f3aea06edbdd693a6bfe4145016eb69ebff", "0x1"}), "answered nonsense for events"},
		{"another event", with("keys", []string{"0x1", string(bob)}), "answered nonsense for events"},
		{"an event of the future", with("block_number", 1<<40), "answered nonsense for events"},
		{"no block", with("block_number", nil), "answered nonsense for events"},
		{"no transaction", with("transaction_hash", "7"), "answered nonsense for events"},
		{"data of numbers", with("data", []int{1}), "answered nonsense for events"},
		{"another block's number", with("block_number", 1), "answered nonsense for events"},
		// Such a block may have been reorganised away: what was known stays until the next try.
		{"a block that nobody knows", with("block_hash", "0x123"), ""},
		{"a page without end", answers(map[string]any{"events": []any{}, "continuation_token": "on"}), "answered nonsense for events"},
		{"an index that cannot be", answers(eventOf(r, func(e map[string]any) { e["transaction_index"], e["event_index"] = 1<<40, 0 })), "answered nonsense for events"},
		{"a slash of nine felts", numbered(slices.Repeat([]string{"0x1"}, 9)), "cannot be read: Slashed in block 8 answered 9 felts, 4 expected"},
		{"a reason of nobody", numbered([]string{"0x1", "0x0", "0x9", "0x2a"}), "Slashed in block 8 answered reason 0x9, which is no index below 5"},
	} {
		before := r.snapshot(bob).StakeEvents.Reason()
		r.breaks(0, c.faults)
		n := r.nodes[0].Counters().Methods[search]
		eventually(t, c.name+": it is tried again", func() bool { return r.nodes[0].Counters().Methods[search] > n+3 })
		if c.says == "" {
			c.says = before
		}
		s := r.historyMissing(t, bob, c.says)
		if !s.Stake.Known() || s.State.Health != validator.HealthOK {
			t.Errorf("%s: stake %s, state %+v", c.name, s.Stake.Reason(), s.State)
		}
	}
	r.nodes[0].Heal()
	r.history(t, bob)
	if n := strings.Count(r.log.String(), "ProverStaking's events cannot be read"); n != 1 {
		t.Errorf("one outage of events was logged %d times", n)
	}
	if strings.Contains(r.log.String(), "Starknet node fails") {
		t.Errorf("a node that serves the views is logged as failing:\n%s", r.log)
	}
}

func TestTheSecondNodeServesEvents(t *testing.T) {
	r := newRigOn(t, devchain.New(devchain.Config{Genesis: time.Now().AddDate(0, -3, 0)}), 2)
	r.career(t)
	r.breaks(0, devchain.Faults{Methods: map[string]devchain.RPCError{"starknet_getEvents": {Code: -32601, Message: "Method not found"}}})
	r.run(t)
	if s := r.history(t, bob); len(s.StakeEvents.Or(nil)) != 6 {
		t.Errorf("events %v", kinds(s))
	}
}

func TestKnownEventsStayUntilNewerOnesAreRead(t *testing.T) {
	r := newRigOn(t, devchain.New(devchain.Config{Genesis: time.Now().AddDate(0, -3, 0)}), 1)
	r.career(t)
	r.run(t)
	before := r.history(t, bob)
	r.breaks(0, devchain.Faults{Slow: map[string]time.Duration{"starknet_getEvents": time.Minute}})
	r.chain.Slash(bob, validator.SlashInvalidProof, job)
	s := r.seenAt(t, bob, r.chain.Mine())
	if !s.StakeEventsQuery.Outdated || !slices.Equal(kinds(s), kinds(before)) {
		t.Errorf("query %+v, events %v", s.StakeEventsQuery, kinds(s))
	}
	p := validator.Picture{Chain: s}
	if p.LastSlash().Known() || !p.PendingUnstake().Known() {
		t.Errorf("last slash %q, pending unstake %q", p.LastSlash().Reason(), p.PendingUnstake().Reason())
	}
}

func TestAReorganisationThatChangesTheStakeReadsEventsAnew(t *testing.T) {
	r := newRigOn(t, devchain.New(devchain.Config{Genesis: time.Now().AddDate(0, -3, 0)}), 1, func(c *chain.Config) {
		c.HistoryRetry = time.Millisecond
	})
	r.career(t)
	r.run(t)
	r.chain.Slash(bob, validator.SlashInvalidProof, job)
	r.chain.Mine()
	eventually(t, "the slash is seen", func() bool { return kinds(r.history(t, bob))[0] == validator.StakeEventSlashed })
	if err := r.chain.Reorg(1); err != nil {
		t.Fatal(err)
	}
	b := r.chain.Mine()
	r.seenAt(t, bob, b)
	eventually(t, "the slash is gone", func() bool { return kinds(r.history(t, bob))[0] == validator.StakeEventUnstakeRequested })
}

func TestOnlyTheNewestEventsAreKept(t *testing.T) {
	const claims = 600 // with what was before, two pages
	for name, scan := range map[string]uint64{"full pages": 0, "short pages": 3} {
		t.Run(name, func(t *testing.T) {
			r := newRigOn(t, devchain.New(devchain.Config{Genesis: time.Now().AddDate(0, -3, 0)}), 1)
			r.career(t)
			for range claims {
				r.chain.ClaimRewards(bob)
				r.chain.MineAt(r.chain.Head().Time.Add(time.Hour))
			}
			r.breaks(0, devchain.Faults{EventScan: scan})
			r.run(t)
			s := r.history(t, bob)
			got := s.StakeEvents.Or(nil)
			if len(got) != 200 || got[0].Block != r.chain.Head() || got[199].Block.Number != r.chain.Head().Number-199 {
				t.Errorf("%d events from block %d on", len(got), got[0].Block.Number)
			}
			if want := 6 + claims - 200; s.StakeEventsQuery.Omitted != want {
				t.Errorf("%d events were left out, want %d", s.StakeEventsQuery.Omitted, want)
			}
		})
	}
}

func TestBlockTimesAreReadInBatchesAndRemembered(t *testing.T) {
	r := newRigOn(t, devchain.New(devchain.Config{Genesis: time.Now().AddDate(0, -3, 0)}), 1)
	r.career(t)
	r.chain.SetBalance(alice, validator.WeiFromSAGE(12_000))
	r.chain.Stake(alice, validator.WeiFromSAGE(12_000), validator.TierEnterprise)
	at := r.chain.Head().Time
	for range 45 {
		at = at.Add(time.Hour)
		r.chain.ClaimRewards(bob)
		r.chain.ClaimRewards(alice)
		r.chain.MineAt(at)
	}
	r.chain.Mine()
	r.run(t)
	r.checked(t)
	r.nodes[0].ResetCounters()
	r.history(t, bob)
	first := r.nodes[0].Counters()
	if n := first.Methods["starknet_getBlockWithTxHashes"]; n != 6+45 {
		t.Errorf("%d headers were read for 51 blocks with events", n)
	}
	if reads := first.Requests - first.Methods["starknet_blockHashAndNumber"]; reads != 1+1+3+2 {
		t.Errorf("%d requests beside the polls, want a read, a page, 3 batches of headers and 2 of receipts", reads)
	}
	r.history(t, alice)
	if n := r.nodes[0].Counters().Methods["starknet_getBlockWithTxHashes"]; n != 6+45 {
		t.Errorf("%d headers were read in all, though the second wallet's were known", n)
	}
}
