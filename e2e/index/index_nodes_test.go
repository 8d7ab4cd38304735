package index

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func (r *indexRig) index(t *testing.T) validator.ChainIndex {
	t.Helper()
	index, err := r.store.ChainIndex(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return index
}

func wideSteps(_ *chain.Config, x *chain.IndexerConfig) {
	x.FirstSpan, x.LargestSpan, x.MaxEvents, x.MaxPages = 4096, 4096, 5000, 64
}

// TestNodesThatGiveLittleAtATimeAreReadToTheEnd, whatever they limit.
func TestNodesThatGiveLittleAtATimeAreReadToTheEnd(t *testing.T) {
	r := newIndexRig(t, 7)
	r.mine(150)
	for name, f := range map[string]devchain.Faults{
		"none":                {},
		"a range of 7 blocks": {EventRange: 7},
		"a single block":      {EventRange: 1},
		"3 blocks a page":     {EventScan: 3},
		"one request in 3":    {OneInRate: 3},
		"4 events a page":     {Limits: devchain.Limits{EventChunk: 4}},
		"a call at a time":    {Limits: devchain.Limits{Calls: 1}},
		"Infura's range":      {EventRange: 5, RangeError: &devchain.RPCError{Code: -32602, Message: "range 30 exceeds limit of 5"}},
		"Alchemy's range": {EventRange: 5, RangeError: &devchain.RPCError{Code: -32600,
			Message: "Requested block range for starknet_getEvents is greater than the limit of 5 blocks. Please reduce range and retry."}},
		"3 calls, 7 blocks, 2 events a page": {EventRange: 7, Limits: devchain.Limits{Calls: 3, EventChunk: 2}},
		"7 blocks, 2 a page, 1 request in 2": {EventRange: 7, EventScan: 2, OneInRate: 2},
	} {
		t.Run(name, func(t *testing.T) {
			fresh := newIndexRig(t, 7)
			fresh.chain, fresh.claims = r.chain, r.claims
			fresh.node = devchain.NewNode(r.chain)
			if err := fresh.node.Start(); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = fresh.node.Close() })
			fresh.node.SetFaults(f)
			fresh.finish(t, fresh.indexer(t, wideSteps))
			fresh.wantCanonical(t)
			index := fresh.index(t)
			if index.Failure != "" || index.Reorgs != 0 {
				t.Errorf("failure %q, %d reorganisations", index.Failure, index.Reorgs)
			}
		})
	}
}

// TestANodeOfFewBlocksIsPassedOver while another node tells the events of more, and serves when
// that one is gone.
func TestANodeOfFewBlocksIsPassedOver(t *testing.T) {
	r := newIndexRig(t, 9)
	r.mine(60)
	second := devchain.NewNode(r.chain)
	if err := second.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = second.Close() })
	r.node.SetFaults(devchain.Faults{EventRange: 3})
	x := r.indexer(t, wideSteps, func(c *chain.Config, x *chain.IndexerConfig) {
		c.RPCURLs = append(c.RPCURLs, second.URL())
		x.FirstSpan = 16
	})
	r.finish(t, x)
	r.wantCanonical(t)
	if n := r.node.Counters().Refused; n == 0 || n > 5*8 { // 16 blocks of 5 contracts halved to 2 or 3, and a few tries of more
		t.Errorf("the first node refused %d spans", n)
	}
	if second.Counters().Methods["starknet_getEvents"] == 0 {
		t.Error("the second node was never asked")
	}
	second.SetFaults(devchain.Faults{Mode: devchain.Disconnects})
	r.mine(60)
	r.finish(t, x)
	r.wantCanonical(t)
	if index := r.index(t); index.Failure != "" {
		t.Errorf("failure %q", index.Failure)
	}
}

// TestEventsBeginWhereAContractWasDeployed, or where the setting says, or at the beginning.
func TestEventsBeginWhereAContractWasDeployed(t *testing.T) {
	r := newIndexRig(t, 3)
	r.mine(40)
	const late validator.Address = "0x000000000000000000000000000000000000000000000000000000000001a7e0"
	later := func(c *chain.Config, _ *chain.IndexerConfig) {
		c.Contracts.PaymentRouter, c.Contracts.MiningRewards = late, ""
	}
	x := r.indexer(t, later)
	r.finish(t, x)
	if n := len(r.index(t).Cursors); n != 3 {
		t.Fatalf("%d contracts are indexed before the fourth is deployed", n)
	}
	r.chain.Deploy(late)
	deployed := r.chain.Mine()
	r.mine(30)
	r.finish(t, x)
	cursors := make(map[string]validator.IndexCursor)
	for _, c := range r.index(t).Cursors {
		cursors[c.Name] = c
	}
	if c := cursors["PaymentRouter"]; c.First != deployed.Number || c.Start != validator.IndexFromDeployment || !c.FirstTime.Equal(deployed.Time) {
		t.Errorf("the late contract begins at %d by %s, at %s, want %d at %s", c.First, c.Start, c.FirstTime, deployed.Number, deployed.Time)
	}
	if c := cursors["ProverStaking"]; c.First != 0 || c.Start != validator.IndexFromDeployment {
		t.Errorf("a contract of the first block begins at %d by %s", c.First, c.Start)
	}
	forgetful := newIndexRig(t, 3)
	forgetful.node.SetFaults(devchain.Faults{})
	forgetful.chain = devchain.New(devchain.Config{StateBlocks: 5})
	forgetful.node = devchain.NewNode(forgetful.chain)
	if err := forgetful.node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = forgetful.node.Close() })
	for range 30 {
		forgetful.chain.Mine()
	}
	forgetful.finish(t, forgetful.indexer(t, func(c *chain.Config, _ *chain.IndexerConfig) {
		c.Contracts.PaymentRouter, c.Contracts.MiningRewards = "", ""
	}))
	for _, c := range forgetful.index(t).Cursors {
		if c.First != 0 || c.Start != validator.IndexFromFirstBlock {
			t.Errorf("without history %s begins at %d by %s", c.Name, c.First, c.Start)
		}
	}
}

// TestAnEarlierFirstBlockBringsWhatIsMissing, and nothing twice.
func TestAnEarlierFirstBlockBringsWhatIsMissing(t *testing.T) {
	r := newIndexRig(t, 5)
	r.mine(60)
	from := func(n uint64) func(*chain.Config, *chain.IndexerConfig) {
		return func(_ *chain.Config, x *chain.IndexerConfig) { x.From = &n }
	}
	r.finish(t, r.indexer(t, from(30)))
	if got := texts(t, r.url, "SELECT min(block_number)::text FROM chain_events")[0]; got < "30" {
		t.Errorf("events begin in block %s", got)
	}
	r.finish(t, r.indexer(t, from(0)))
	r.wantCanonical(t)
	r.finish(t, r.indexer(t, from(50)))
	r.wantCanonical(t)
}

// TestANodeThatIsBehindUndoesNothing: only another block in the place of one does.
func TestANodeThatIsBehindUndoesNothing(t *testing.T) {
	r := newIndexRig(t, 11)
	r.mine(80)
	x := r.indexer(t, wideSteps)
	r.finish(t, x)
	for _, behind := range []uint64{1, 5, 40, 79} {
		r.node.SetFaults(devchain.Faults{Behind: behind})
		for range 3 {
			if err := x.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		if index := r.index(t); index.Reorgs != 0 || index.Failure != "" {
			t.Fatalf("%d blocks behind: %d reorganisations, failure %q", behind, index.Reorgs, index.Failure)
		}
	}
	r.node.Heal()
	r.wantCanonical(t)
	// Blocks that are gone and not replaced yet are no reason either; their successors are.
	if err := r.chain.Reorg(10); err != nil {
		t.Fatal(err)
	}
	if err := x.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := r.index(t).Reorgs; n != 0 {
		t.Errorf("%d reorganisations before there is another block", n)
	}
	r.mine(12)
	r.finish(t, x)
	r.wantCanonical(t)
	if n := r.index(t).Reorgs; n != 1 {
		t.Errorf("%d reorganisations, want 1", n)
	}
}

// TestAChainThatBeganAnewIsReadAnew, all of it.
func TestAChainThatBeganAnewIsReadAnew(t *testing.T) {
	r := newIndexRig(t, 13)
	r.mine(60)
	r.finish(t, r.indexer(t))
	head := r.chain.Head().Number
	if err := r.chain.Reorg(int(head)); err != nil {
		t.Fatal(err)
	}
	for _, w := range r.workers {
		r.chain.SetBalance(w, validator.WeiFromSAGE(900_000))
		r.chain.Stake(w, validator.WeiFromSAGE(1_000), validator.TierConsumer)
		r.chain.IntroduceWorker(w)
	}
	r.chain.Deploy(router)
	r.chain.Deploy(rewards)
	r.mine(int(head) + 20)
	r.finish(t, r.indexer(t))
	r.wantCanonical(t)
}

// TestEventsOfAnotherChainAreRefused, rather than mixed.
func TestEventsOfAnotherChainAreRefused(t *testing.T) {
	r := newIndexRig(t, 17)
	r.mine(20)
	r.finish(t, r.indexer(t))
	x := r.indexer(t, func(c *chain.Config, _ *chain.IndexerConfig) { c.Network.ChainID = "SN_MAIN" })
	r.node.SetFaults(devchain.Faults{ChainID: "SN_MAIN"})
	r.mine(5)
	if err := x.Sweep(t.Context()); !errors.Is(err, db.ErrOtherChain) {
		t.Errorf("the other chain: %v", err)
	}
	r.node.Heal()
	r.finish(t, r.indexer(t))
	r.wantCanonical(t)
}

// TestWhyEventsAreMissingIsSaid while a node does not tell them, and no longer.
func TestWhyEventsAreMissingIsSaid(t *testing.T) {
	r := newIndexRig(t, 19)
	r.mine(30)
	x := r.indexer(t)
	broken := map[string]devchain.RPCError{"starknet_getEvents": {Code: -32000, Message: "no such index"}}
	r.node.SetFaults(devchain.Faults{Methods: broken})
	for deadline := time.Now().Add(time.Minute); r.index(t).Failure == "" && time.Now().Before(deadline); {
		if err := x.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	index := r.index(t)
	if !strings.HasPrefix(index.Failure, "The contracts' events cannot be read on: the node at 127.0.0.1") || !strings.HasSuffix(index.Failure, "could not answer (JSON-RPC error -32000): “no such index”.") {
		t.Errorf("the failure reads %q", index.Failure)
	}
	if asked := r.node.Counters().Methods["starknet_getEvents"]; asked > 200 {
		t.Errorf("a node that tells no events was asked %d times", asked)
	}
	r.node.Heal()
	r.finish(t, x)
	r.wantCanonical(t)
	if index := r.index(t); index.Failure != "" {
		t.Errorf("the failure is still shown: %q", index.Failure)
	}
}

// TestAtTheHeadNothingIsAsked: the block that the client follows tells whether there is
// something to read.
func TestAtTheHeadNothingIsAsked(t *testing.T) {
	r := newIndexRig(t, 23)
	r.mine(20)
	var client *chain.Client
	x := r.indexer(t, func(c *chain.Config, x *chain.IndexerConfig) {
		c.PollInterval, c.IdlePollInterval, c.CheckInterval = 5*time.Millisecond, 5*time.Millisecond, time.Hour
		var err error
		if client, err = chain.New(*c); err != nil {
			t.Fatal(err)
		}
	}, func(_ *chain.Config, x *chain.IndexerConfig) { x.Client = client })
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- client.Run(ctx) }()
	r.finish(t, x)
	before := r.node.Counters().Methods
	for range 50 {
		if err := x.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	after := r.node.Counters().Methods
	if before["starknet_getEvents"] != after["starknet_getEvents"] || before["starknet_getEvents"] == 0 {
		t.Errorf("events were asked for %d times, then %d", before["starknet_getEvents"], after["starknet_getEvents"])
	}
	r.mine(1)
	for deadline := time.Now().Add(time.Minute); ; {
		if err := x.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		if done := r.index(t).Cursors[0].Done; done.Hash == r.chain.Head().Hash {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the new block is never read")
		}
	}
	asked := r.node.Counters().Methods["starknet_getEvents"] - after["starknet_getEvents"]
	if contracts := 5; asked != contracts {
		t.Errorf("one new block made %d calls for events, want one for each of %d contracts", asked, contracts)
	}
	r.wantCanonical(t)
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
