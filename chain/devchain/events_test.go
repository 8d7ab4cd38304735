package devchain_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/NethermindEth/juno/core/felt"
	"github.com/NethermindEth/starknet.go/rpc"
	"github.com/NethermindEth/starknet.go/utils"

	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const rival validator.Address = "0x00000000000000000000000000000000000000000000000000000000000000b2"

func sel(name string) *felt.Felt { return utils.GetSelectorFromNameFelt(name) }

// filter is a query of everything from the first block to the newest.
func filter(keys ...[]*felt.Felt) rpc.EventsInput {
	return rpc.EventsInput{
		EventFilter: rpc.EventFilter{
			FromBlock: rpc.WithBlockNumber(0), ToBlock: rpc.WithBlockTag(rpc.BlockTagLatest), Keys: keys,
		},
		ResultPageRequest: rpc.ResultPageRequest{ChunkSize: 100},
	}
}

func eventsOf(t *testing.T, p *rpc.Provider, q rpc.EventsInput) []rpc.EmittedEvent {
	t.Helper()
	var all []rpc.EmittedEvent
	for range 1000 {
		page, err := p.Events(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		if len(page.Events) > q.ChunkSize {
			t.Fatalf("a page of %d holds %d events", q.ChunkSize, len(page.Events))
		}
		all = append(all, page.Events...)
		if q.ContinuationToken = page.ContinuationToken; q.ContinuationToken == "" {
			return all
		}
	}
	t.Fatal("the pages never end")
	return nil
}

// story mines blocks in which worker and rival claim, and returns the blocks by number.
func story(t *testing.T, c *devchain.Chain, blocks int) []validator.Block {
	t.Helper()
	for _, w := range []validator.Address{worker, rival} {
		c.SetStake(w, validator.Stake{Amount: validator.WeiFromSAGE(1000), StakedAt: time.Unix(1, 0), LastClaimAt: c.Head().Time})
	}
	out := []validator.Block{c.Head()}
	for range blocks {
		c.ClaimRewards(worker)
		c.ClaimRewards(rival)
		out = append(out, c.MineAt(c.Head().Time.Add(time.Hour)))
	}
	return out
}

func TestEventsAreFilteredByContractAndKeys(t *testing.T) {
	c := devchain.New(devchain.Config{})
	p := provider(t, start(t, c))
	blocks := story(t, c, 3)
	k := c.Contracts()
	of := wire(worker.Felt())
	for name, want := range map[string]struct {
		address *felt.Felt
		keys    [][]*felt.Felt
		events  int
	}{
		"everything":                     {nil, nil, 12}, // a claim has a Transfer and a RewardsClaimed
		"a contract":                     {wire(k.ProverStaking.Felt()), nil, 6},
		"a contract without any":         {wire(k.JobManager.Felt()), nil, 0},
		"an event":                       {nil, [][]*felt.Felt{{sel("RewardsClaimed")}}, 6},
		"one of two events":              {nil, [][]*felt.Felt{{sel("RewardsClaimed"), sel("Transfer")}}, 12},
		"an event of a worker":           {nil, [][]*felt.Felt{{sel("RewardsClaimed")}, {of}}, 3},
		"anything of a worker":           {wire(k.ProverStaking.Felt()), [][]*felt.Felt{{}, {of}}, 3},
		"either worker":                  {wire(k.ProverStaking.Felt()), [][]*felt.Felt{{}, {of, wire(rival.Felt())}}, 6},
		"another contract's event":       {wire(k.SAGEToken.Felt()), [][]*felt.Felt{{sel("RewardsClaimed")}}, 0},
		"as many keys as a Transfer has": {nil, [][]*felt.Felt{{}, {}, {}}, 6},
	} {
		q := filter(want.keys...)
		q.Address = want.address
		got := eventsOf(t, p, q)
		if len(got) != want.events {
			t.Errorf("%s: %d events, want %d", name, len(got), want.events)
		}
		for _, e := range got {
			if b := blocks[e.BlockNumber]; e.BlockHash.String() != b.Hash.Short() || e.TransactionHash == nil {
				t.Errorf("%s: event %+v is of no block that was mined", name, e)
			}
		}
	}
}

func TestEventsAreOfTheBlocksAskedFor(t *testing.T) {
	c := devchain.New(devchain.Config{})
	n := start(t, c)
	p := provider(t, n)
	blocks := story(t, c, 5)
	number, hash := rpc.WithBlockNumber, func(b validator.Block) rpc.BlockID { return rpc.WithBlockHash(wire(b.Hash)) }
	latest := rpc.WithBlockTag(rpc.BlockTagLatest)
	for name, want := range map[string]struct {
		from, to rpc.BlockID
		first    uint64
		events   int
	}{
		"numbers":           {number(2), number(3), 2, 4},
		"hashes":            {hash(blocks[2]), hash(blocks[4]), 2, 6},
		"the latest":        {latest, latest, 5, 2},
		"past the head":     {number(4), number(99), 4, 4},
		"after the head":    {number(99), number(100), 0, 0},
		"being built":       {rpc.WithBlockTag(rpc.BlockTagPreConfirmed), rpc.WithBlockTag(rpc.BlockTagPreConfirmed), 0, 0},
		"the wrong way":     {number(3), number(2), 0, 0},
		"accepted on L1":    {number(5), rpc.WithBlockTag(rpc.BlockTagL1Accepted), 5, 2},
		"without any bound": {rpc.BlockID{}, rpc.BlockID{}, 1, 10},
	} {
		q := filter([]*felt.Felt{sel("RewardsClaimed")})
		q.FromBlock, q.ToBlock = want.from, want.to
		got := eventsOf(t, p, q)
		if len(got) != want.events || len(got) > 0 && got[0].BlockNumber != want.first {
			t.Errorf("%s: %d events from block %v on, want %d from block %d", name, len(got), got, want.events, want.first)
		}
	}
	n.SetFaults(devchain.Faults{Behind: 2})
	if got := eventsOf(t, p, filter([]*felt.Felt{sel("RewardsClaimed")})); len(got) != 6 {
		t.Errorf("a node that is 2 of 5 blocks behind tells %d events", len(got))
	}
}

func TestPagesOfEventsMakeTheWhole(t *testing.T) {
	c := devchain.New(devchain.Config{})
	n := start(t, c)
	p := provider(t, n)
	story(t, c, 9)
	want := fmt.Sprint(tags(eventsOf(t, p, filter())))
	for chunk := range 12 {
		for scan := range uint64(4) {
			n.SetFaults(devchain.Faults{EventScan: scan})
			q := filter()
			q.ChunkSize = chunk + 1
			if got := fmt.Sprint(tags(eventsOf(t, p, q))); got != want {
				t.Errorf("pages of %d events, %d blocks a page:\n%s\nwant\n%s", chunk+1, scan, got, want)
			}
		}
	}
}

// tags identifies events by their place.
func tags(events []rpc.EmittedEvent) []string {
	out := make([]string, len(events))
	for i, e := range events {
		out[i] = fmt.Sprint(e.BlockNumber, e.TransactionHash, e.Keys)
	}
	return out
}

func TestFiltersThatANodeRefuses(t *testing.T) {
	c := devchain.New(devchain.Config{})
	n := start(t, c)
	p := provider(t, n)
	story(t, c, 2)
	for name, want := range map[string]struct {
		change func(*rpc.EventsInput)
		code   int
	}{
		"a page too large":     {func(q *rpc.EventsInput) { q.ChunkSize = 1001 }, 31},
		"no page":              {func(q *rpc.EventsInput) { q.ChunkSize = 0 }, -32602},
		"a token of nobody":    {func(q *rpc.EventsInput) { q.ContinuationToken = "soon" }, 33},
		"a token past the end": {func(q *rpc.EventsInput) { q.ContinuationToken = "99-0" }, 33},
		"too many keys":        {func(q *rpc.EventsInput) { q.Keys = [][]*felt.Felt{slices.Repeat([]*felt.Felt{sel("Staked")}, 101)} }, 34},
		"a block of nobody":    {func(q *rpc.EventsInput) { q.FromBlock = rpc.WithBlockHash(wire("0x1")) }, 24},
		"an end of nobody":     {func(q *rpc.EventsInput) { q.ToBlock = rpc.WithBlockHash(wire("0x1")) }, 24},
	} {
		q := filter()
		want.change(&q)
		_, err := p.Events(t.Context(), q)
		var got *rpc.RPCError
		if !errors.As(err, &got) || got.Code != want.code {
			t.Errorf("%s: %v, want code %d", name, err, want.code)
		}
	}
	a := post(t, n, `{"jsonrpc":"2.0","id":1,"method":"starknet_getEvents","params":{"filter":{"chunk_size":5,"keys":[["x"]]}}}`)
	if a.Error.Code != -32602 {
		t.Errorf("a key that is no felt: code %d", a.Error.Code)
	}
}

func TestARevertedTransactionTellsNothing(t *testing.T) {
	c := devchain.New(devchain.Config{})
	p := provider(t, start(t, c))
	c.SetBalance(worker, validator.WeiFromSAGE(5_000))
	c.Stake(worker, validator.WeiFromSAGE(1), validator.TierConsumer) // below the minimum, after an approval
	c.Mine()
	if got := eventsOf(t, p, filter()); len(got) != 0 {
		t.Errorf("events %+v", got)
	}
}

func TestAReorganisationTakesItsEvents(t *testing.T) {
	c := devchain.New(devchain.Config{})
	p := provider(t, start(t, c))
	story(t, c, 4)
	if err := c.Reorg(3); err != nil {
		t.Fatal(err)
	}
	if got := eventsOf(t, p, filter([]*felt.Felt{sel("RewardsClaimed")})); len(got) != 2 {
		t.Errorf("%d events are left of one block's two", len(got))
	}
}
