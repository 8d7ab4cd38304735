package chain_test

import (
	"slices"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// hourly has classes checked by the hour only, unless something asks for it.
func hourly(c *chain.Config) { c.CheckInterval, c.CheckRetry = time.Hour, time.Hour }

// TestALostViewIsSaidByItsNextReading, as the contract's and not as the node's fault, while
// other figures stay live; and it comes back by itself.
func TestALostViewIsSaidByItsNextReading(t *testing.T) {
	r := newRig(t, 1, hourly)
	staking, token := r.chain.Contracts().ProverStaking, r.chain.Contracts().SAGEToken
	r.run(t)
	r.checked(t)
	r.seenAt(t, alice, r.chain.Mine())
	becomes := func(name string, status validator.ContractStatus) validator.ContractCheck {
		t.Helper()
		eventually(t, name+" is "+string(status), func() bool {
			r.snapshot(alice)
			return byName(t, r.client.Contracts(), name).Status == status
		})
		return byName(t, r.client.Contracts(), name)
	}

	r.chain.DropFunction(staking, "is_eligible")
	b := r.chain.Mine()
	check := becomes("ProverStaking", validator.ContractIncompatible)
	if !slices.Equal(check.MissingFunctions, []string{"is_eligible"}) || check.Reason != "Its class lacks is_eligible, which this program needs." {
		t.Errorf("%+v", check)
	}
	s := r.seenAt(t, alice, b)
	if s.Eligible.Reason() != "ProverStaking has no function is_eligible" || !s.Stake.Known() || !s.WalletBalance.Known() || !s.Network.Config.Known() || s.State.Health != validator.HealthOK {
		t.Errorf("eligible %q, stake %q, state %+v", s.Eligible.Reason(), s.Stake.Reason(), s.State)
	}
	r.chain.RestoreFunctions(staking)
	b = r.chain.Mine()
	becomes("ProverStaking", validator.ContractOK)
	if s := r.seenAt(t, alice, b); !s.Eligible.Known() {
		t.Errorf("eligible %q", s.Eligible.Reason())
	}

	r.chain.Undeploy(token)
	b = r.chain.Mine()
	becomes("SAGEToken", validator.ContractNotDeployed)
	if s := r.seenAt(t, alice, b); s.WalletBalance.Known() || !s.Stake.Known() || s.State.Health != validator.HealthOK {
		t.Errorf("balance %q, stake %q, state %+v", s.WalletBalance.Reason(), s.Stake.Reason(), s.State)
	}
	if err := r.chain.Reorg(1); err != nil {
		t.Fatal(err)
	}
	r.chain.Mine()
	r.chain.Mine()
	becomes("SAGEToken", validator.ContractOK)
}

// TestAViewOfAnotherShapeIsSaid of the contract, too.
func TestAViewOfAnotherShapeIsSaid(t *testing.T) {
	r := newRig(t, 1, hourly)
	r.run(t)
	r.checked(t)
	r.seenAt(t, alice, r.chain.Mine())
	r.breaks(0, devchain.Faults{Malformed: map[devchain.Function][]any{{Contract: r.chain.Contracts().ProverStaking, Name: "get_stake"}: {"0x1", "0x0"}}})
	s := r.seenAt(t, alice, r.chain.Mine())
	const says = "ProverStaking.get_stake answered 2 felts, 13 expected"
	if s.Stake.Reason() != says || !s.Eligible.Known() || s.State.Health != validator.HealthOK {
		t.Errorf("stake %q, eligible %q, state %+v", s.Stake.Reason(), s.Eligible.Reason(), s.State)
	}
	if c := byName(t, r.client.Contracts(), "ProverStaking"); c.Status != validator.ContractIncompatible || c.Reason != says+"." {
		t.Errorf("%+v", c)
	}
	r.nodes[0].Heal()
	r.seenAt(t, alice, r.chain.Mine())
	eventually(t, "it fits again", func() bool {
		r.snapshot(alice)
		return byName(t, r.client.Contracts(), "ProverStaking").Status == validator.ContractOK
	})
}

// TestTheFirstLookEndsTheIdlePolls, whether or not the head is fresh at that moment.
func TestTheFirstLookEndsTheIdlePolls(t *testing.T) {
	idle := func(interval time.Duration) func(*chain.Config) {
		return func(c *chain.Config) { c.PollInterval, c.IdlePollInterval = interval, time.Hour }
	}
	seen := func(t *testing.T, r *rig) {
		t.Helper()
		b := r.chain.Mine()
		eventually(t, "the newest block is seen", func() bool { return r.client.State().Block == b.Number })
	}
	t.Run("at the network after the last poll", func(t *testing.T) {
		r := newRig(t, 1, idle(10*time.Millisecond))
		r.run(t)
		eventually(t, "the first block is seen", func() bool { return r.client.State().Block == r.chain.Head().Number })
		b := r.chain.Mine()
		r.client.Network()
		eventually(t, "the newest block is seen", func() bool { return r.client.State().Block == b.Number })
	})
	t.Run("at a wallet right after the last poll", func(t *testing.T) {
		r := newRig(t, 1, idle(2*time.Second))
		r.run(t)
		eventually(t, "the first block is seen", func() bool { return r.client.State().Block == r.chain.Head().Number })
		r.snapshot(alice)
		seen(t, r)
		seen(t, r)
	})
}
