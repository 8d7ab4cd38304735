package chain_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// views are the functions that a wallet costs a block, and networkViews those that the
// block costs once.
func (r *rig) views() (wallet, network []devchain.Function) {
	k := r.chain.Contracts()
	return []devchain.Function{
			{Contract: k.ProverStaking, Name: "get_stake"}, {Contract: k.ProverStaking, Name: "is_eligible"},
			{Contract: k.SAGEToken, Name: "balance_of"},
			{Contract: k.ReputationManager, Name: "get_reputation"}, {Contract: k.ReputationManager, Name: "get_worker_rank"},
		}, []devchain.Function{
			{Contract: k.ProverStaking, Name: "get_config"}, {Contract: k.ProverStaking, Name: "total_staked"},
			{Contract: k.ProverStaking, Name: "total_slashed"}, {Contract: k.ReputationManager, Name: "get_network_stats"},
		}
}

func TestABlockCostsOneBatchHoweverManyLook(t *testing.T) {
	r := running(t, 1)
	r.history(t, alice)
	r.checked(t)
	node := r.nodes[0]
	node.ResetCounters()
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
					r.snapshot(alice)
					r.client.Network()
				}
			}
		})
	}
	const mined = 5
	for range mined {
		r.seenAt(t, alice, r.chain.Mine())
	}
	close(stop)
	wg.Wait()
	got := node.Counters()
	wallet, network := r.views()
	for _, f := range append(wallet, network...) {
		if got.Calls[f] != mined {
			t.Errorf("%s was called %d times for %d blocks", f.Name, got.Calls[f], mined)
		}
	}
	if got.Methods["starknet_getBlockWithTxHashes"] != mined {
		t.Errorf("headers were read %d times for %d blocks", got.Methods["starknet_getBlockWithTxHashes"], mined)
	}
	if n := got.Methods["starknet_getEvents"]; n != 0 {
		t.Errorf("events were searched %d times though the stake did not change", n)
	}
	polls := got.Methods["starknet_blockHashAndNumber"]
	if reads := got.Requests - polls; reads != mined || got.Batches != got.Requests {
		t.Errorf("%d requests beside %d polls for %d blocks, %d batches", reads, polls, mined, got.Batches)
	}
	if len(got.Pins) != 1 || got.Pins["hash"] == 0 {
		t.Errorf("calls were pinned by %v, want by hash only", got.Pins)
	}
}

func TestManyWalletsShareTheBlocksOwnReads(t *testing.T) {
	const wallets, perBatch = 20, 8
	r := running(t, 1, func(c *chain.Config) { c.BatchWallets = perBatch })
	addr := func(i int) validator.Address { return validator.Address(fmt.Sprintf("0x%064x", 0x1000+i)) }
	for i := range wallets {
		r.chain.SetReputation(addr(i).Felt(), aliceReputation())
	}
	r.chain.Mine()
	for i := range wallets {
		r.snapshot(addr(i))
	}
	r.checked(t)
	r.nodes[0].ResetCounters()
	b := r.chain.Mine()
	for i := range wallets {
		r.seenAt(t, addr(i), b)
	}
	got := r.nodes[0].Counters()
	wallet, network := r.views()
	for _, f := range wallet {
		if got.Calls[f] != wallets {
			t.Errorf("%s was called %d times for %d wallets", f.Name, got.Calls[f], wallets)
		}
	}
	for _, f := range network {
		if got.Calls[f] != 1 {
			t.Errorf("%s was called %d times in one block", f.Name, got.Calls[f])
		}
	}
	if reads := got.Requests - got.Methods["starknet_blockHashAndNumber"]; reads != (wallets+perBatch-1)/perBatch {
		t.Errorf("%d wallets cost %d batches of at most %d", wallets, reads, perBatch)
	}
}

func TestFirstLooksShareOneRead(t *testing.T) {
	r := running(t, 1)
	r.health(t, validator.HealthOK)
	r.nodes[0].ResetCounters()
	var wg sync.WaitGroup
	for range 30 {
		wg.Go(func() {
			if s := r.snapshot(alice); !s.Stake.Known() {
				t.Errorf("a first look saw no stake: %s", s.Stake.Reason())
			}
		})
	}
	wg.Wait()
	wallet, _ := r.views()
	for _, f := range wallet {
		if n := r.nodes[0].Counters().Calls[f]; n != 1 {
			t.Errorf("30 first looks called %s %d times", f.Name, n)
		}
	}
}

func TestNobodyLookingCostsNoWalletReads(t *testing.T) {
	clock := newClock()
	r := running(t, 1, func(c *chain.Config) {
		c.Now = clock.now
		c.WatchFor = time.Minute
		c.IdlePollInterval = 10 * time.Millisecond
	})
	r.snapshot(alice)
	clock.advance(2 * time.Minute)
	b := r.chain.MineAt(clock.now())
	eventually(t, "the client passes the block", func() bool { return r.client.State().Block == b.Number })
	r.nodes[0].ResetCounters()
	b = r.chain.MineAt(clock.now())
	eventually(t, "the client passes the block", func() bool { return r.client.State().Block == b.Number })
	wallet, _ := r.views()
	for _, f := range wallet {
		if n := r.nodes[0].Counters().Calls[f]; n != 0 {
			t.Errorf("%s was called %d times though nobody looks", f.Name, n)
		}
	}
	if s := r.snapshot(alice); s.Block != b {
		t.Errorf("a look after the pause is of block %d, want %d", s.Block.Number, b.Number)
	}
}

func TestWatchedWalletsAreBounded(t *testing.T) {
	r := running(t, 1, func(c *chain.Config) { c.MaxWatched = 2 })
	carol := validator.Address("0x000000000000000000000000000000000000000000000000000000000000ca01")
	for _, a := range []validator.Address{alice, bob, carol} {
		r.snapshot(a)
	}
	r.nodes[0].ResetCounters()
	b := r.chain.Mine()
	eventually(t, "the client passes the block", func() bool { return r.client.State().Block == b.Number })
	r.seenAt(t, carol, b)
	r.seenAt(t, bob, b)
	k := r.chain.Contracts()
	if n := r.nodes[0].Counters().Calls[devchain.Function{Contract: k.ProverStaking, Name: "get_stake"}]; n != 2 {
		t.Errorf("%d wallets were read, at most 2 are to be watched", n)
	}
}

func TestReadsArePinnedToOneBlock(t *testing.T) {
	r := running(t, 1)
	r.snapshot(alice)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { // in block n, stake and balance are both n SAGE
		for ctx.Err() == nil {
			n := int64(r.chain.Head().Number + 1)
			k := aliceStake()
			k.Amount = validator.WeiFromSAGE(n)
			r.chain.SetStake(alice, k)
			r.chain.SetBalance(alice, validator.WeiFromSAGE(n))
			r.chain.Mine()
			time.Sleep(time.Millisecond)
		}
	})
	seen := map[uint64]bool{}
	eventually(t, "20 different blocks are seen", func() bool {
		s := r.snapshot(alice)
		if s.Block.Number < 2 {
			return false
		}
		want := validator.WeiFromSAGE(int64(s.Block.Number))
		stake, ok := s.Stake.Get()
		balance, ok2 := s.WalletBalance.Get()
		if !ok || !ok2 || !stake.Amount.Equal(want) || !balance.Equal(want) {
			t.Errorf("in block %d the stake is %s and the balance %s", s.Block.Number, stake.Amount, balance)
		}
		seen[s.Block.Number] = true
		return len(seen) >= 20
	})
	cancel()
	wg.Wait()
}

// clock is a clock that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: time.Now()} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}
