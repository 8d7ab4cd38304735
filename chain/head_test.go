package chain_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func TestAReorganisedBlockIsReadAnew(t *testing.T) {
	for _, c := range []struct {
		name        string
		lose, again int
	}{
		{"the same height", 1, 1}, {"a lower height", 3, 1}, {"a higher height", 2, 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := running(t, 1)
			for range 3 {
				r.chain.Mine()
			}
			k := aliceStake()
			k.Amount = validator.WeiFromSAGE(99)
			r.chain.SetStake(alice, k)
			r.seenAt(t, alice, r.chain.Mine())

			if err := r.chain.Reorg(c.lose); err != nil {
				t.Fatal(err)
			}
			k.Amount = validator.WeiFromSAGE(55)
			r.chain.SetStake(alice, k)
			for range c.again {
				r.chain.MineAt(time.Now().Add(time.Minute))
			}
			s := r.seenAt(t, alice, r.chain.Head())
			if got, _ := s.Stake.Get(); !got.Amount.Equal(validator.WeiFromSAGE(55)) {
				t.Errorf("the stake of the lost block is still shown: %s", got.Amount)
			}
			r.health(t, validator.HealthOK)
		})
	}
}

func TestANodeWhoseHeadGoesBackwardsIsStale(t *testing.T) {
	r := running(t, 1)
	for range 6 {
		r.seenAt(t, alice, r.chain.Mine())
	}
	before := r.snapshot(alice)
	r.breaks(0, devchain.Faults{Behind: 4})
	s := r.health(t, validator.HealthStale)
	if !strings.Contains(s.Reason, "is 4 blocks behind: its newest block is 3, block 7 was seen before") || s.Remedy == "" {
		t.Errorf("state %+v", s)
	}
	after := r.snapshot(alice)
	if after.Block != before.Block || after.State.Health != validator.HealthStale || !after.Stake.Known() {
		t.Errorf("the lagging node replaced block %d by %d, state %+v", before.Block.Number, after.Block.Number, after.State)
	}
	r.nodes[0].Heal()
	r.health(t, validator.HealthOK)
}

func TestALaggingNodeIsPassedOver(t *testing.T) {
	r := running(t, 2)
	for range 4 {
		r.seenAt(t, alice, r.chain.Mine())
	}
	r.breaks(0, devchain.Faults{Behind: 3})
	r.seenAt(t, alice, r.chain.Mine())
	r.seenAt(t, alice, r.chain.Mine())
	r.health(t, validator.HealthOK)
}

func TestAHeightPassedUnseenTellsLagByTime(t *testing.T) {
	r := running(t, 1)
	r.seenAt(t, alice, r.chain.Head())
	r.breaks(0, devchain.Faults{Freeze: true, FrozenAt: 1}) // the client sees none of the next
	for range 9 {
		r.chain.Mine()
	}
	r.nodes[0].Heal()
	r.seenAt(t, alice, r.chain.Head())
	r.breaks(0, devchain.Faults{Behind: 4})
	if s := r.health(t, validator.HealthStale); !strings.Contains(s.Reason, "4 blocks behind") {
		t.Errorf("state %+v", s)
	}
}

func TestAnOldHeadIsStale(t *testing.T) {
	clock := newClock()
	r := running(t, 1, func(c *chain.Config) { c.Now, c.WatchFor = clock.now, 24*time.Hour })
	r.seenAt(t, alice, r.chain.MineAt(clock.now()))
	r.health(t, validator.HealthOK)
	clock.advance(12 * time.Minute)
	eventually(t, "the age is told", func() bool {
		s := r.client.State()
		return s.Health == validator.HealthStale && strings.HasPrefix(s.Reason, "The node's newest block is 1") && strings.HasSuffix(s.Reason, "min old.")
	})
	if s := r.snapshot(alice); s.State.Health != validator.HealthStale || !s.Stake.Known() {
		t.Errorf("state %+v", s.State)
	}
	r.chain.MineAt(clock.now())
	r.health(t, validator.HealthOK)
}

func TestANewerNodeIsPreferredToAFrozenOne(t *testing.T) {
	clock := newClock()
	r := running(t, 2, func(c *chain.Config) { c.Now, c.WatchFor = clock.now, 24*time.Hour })
	r.seenAt(t, alice, r.chain.MineAt(clock.now()))
	r.breaks(0, devchain.Faults{Freeze: true, FrozenAt: r.chain.Head().Number})
	clock.advance(12 * time.Minute)
	b := r.chain.MineAt(clock.now())
	r.seenAt(t, alice, b)
	r.health(t, validator.HealthOK)
}

func TestTwoNodesWithTheSameOldHeadAreStale(t *testing.T) {
	clock := newClock()
	r := running(t, 2, func(c *chain.Config) { c.Now, c.WatchFor = clock.now, 24*time.Hour })
	r.seenAt(t, alice, r.chain.MineAt(clock.now()))
	clock.advance(12 * time.Minute)
	eventually(t, "both nodes are asked and the age is told", func() bool {
		s := r.client.State()
		return r.nodes[1].Counters().Requests > 0 && s.Health == validator.HealthStale && strings.HasPrefix(s.Reason, "The node's newest block is 1")
	})
	if s := r.snapshot(alice); !s.Stake.Known() {
		t.Errorf("stake: %s", s.Stake.Reason())
	}
	r.chain.MineAt(clock.now())
	r.health(t, validator.HealthOK)
}

func TestNetworkGoesStaleWhenTheClientStops(t *testing.T) {
	clock := newClock()
	r := newRig(t, 1, func(c *chain.Config) { c.Now, c.HeadMaxAge = clock.now, time.Hour })
	t.Run("while it runs", func(t *testing.T) {
		r.run(t)
		r.seenAt(t, alice, r.chain.MineAt(clock.now()))
	})
	clock.advance(90 * time.Second)
	s := r.client.State()
	if s.Health != validator.HealthStale || !strings.HasPrefix(s.Reason, "Starknet was last asked 1 min ago") {
		t.Errorf("state of a client that stopped: %+v", s)
	}
}

func TestAnotherNetworksNodeNeverShowsItsNumbers(t *testing.T) {
	other := devchain.New(devchain.Config{ChainID: "SN_MAIN"})
	rich := aliceStake()
	rich.Amount = validator.WeiFromSAGE(1_000_000)
	other.SetStake(alice, rich)
	other.Mine()
	node := devchain.NewNode(other)
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	})
	r := newRig(t, 0, func(c *chain.Config) { c.RPCURLs = []string{node.URL()} })
	r.run(t)
	s := r.health(t, validator.HealthUnavailable)
	eventually(t, "the networks are named", func() bool {
		s = r.client.State()
		return strings.Contains(s.Reason, "serves SN_MAIN, this dashboard is set to SN_SEPOLIA") &&
			strings.Contains(s.Remedy, "Set STARKNET_RPC to a node of SN_SEPOLIA")
	})
	if got := r.snapshot(alice); got.Stake.Known() {
		t.Errorf("a stake of another network is shown: %+v", got.Stake)
	}
	if calls := node.Counters().Methods["starknet_call"]; calls != 0 {
		t.Errorf("%d contract calls went to another network's node", calls)
	}
}

func TestAnotherSpecificationIsLoggedOnce(t *testing.T) {
	r := newRig(t, 1)
	r.breaks(0, devchain.Faults{SpecVersion: "0.10.0"})
	r.run(t)
	for range 3 {
		r.seenAt(t, alice, r.chain.Mine())
	}
	if n := strings.Count(r.log.String(), "another version of the JSON-RPC specification"); n != 1 {
		t.Errorf("logged %d times:\n%s", n, r.log)
	}
}
