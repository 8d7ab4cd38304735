package chain_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// fn names a function of one of the rig's contracts.
func (r *rig) fn(of validator.Address, name string) devchain.Function {
	return devchain.Function{Contract: of, Name: name}
}

func TestOneReadFailsByItself(t *testing.T) {
	r := newRig(t, 1)
	k := r.chain.Contracts()
	stake := r.fn(k.ProverStaking, "get_stake")
	for _, c := range []struct {
		name   string
		faults devchain.Faults
		says   string
	}{
		{"a revert", devchain.Faults{Reverts: map[devchain.Function]string{stake: "Contract is paused"}},
			"ProverStaking.get_stake was refused by the contract: Contract is paused"},
		{"a long revert", devchain.Faults{Reverts: map[devchain.Function]string{stake: "A message that is longer than thirty-one bytes"}},
			"ProverStaking.get_stake was refused by the contract: A message that is longer than thirty-one bytes"},
		{"too few felts", devchain.Faults{Malformed: map[devchain.Function][]any{stake: twelveFelts()}},
			"ProverStaking.get_stake answered 12 felts, 13 expected"},
		{"no felts", devchain.Faults{Malformed: map[devchain.Function][]any{stake: {}}},
			"ProverStaking.get_stake answered 0 felts, 13 expected"},
		{"numbers", devchain.Faults{Malformed: map[devchain.Function][]any{stake: {1, 2}}},
			"ProverStaking.get_stake answered something that is no list of felts"},
		{"a tier that does not exist", devchain.Faults{Malformed: map[devchain.Function][]any{stake: with(zeros(13), 6, "0x5")}},
			"ProverStaking.get_stake answered gpu_tier 0x5, which is no index below 5"},
		{"an error of the node", devchain.Faults{Broken: map[devchain.Function]devchain.RPCError{stake: {Code: -32603, Message: "Internal error"}}},
			"the node could not answer ProverStaking.get_stake (JSON-RPC error -32603): “Internal error”"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := running(t, 1)
			// The contracts' addresses depend on their names alone: every rig has the same.
			r.breaks(0, c.faults)
			s := r.seenAt(t, alice, r.chain.Mine())
			if s.Stake.Known() || s.Stake.Reason() != c.says {
				t.Errorf("stake %+v, reason %q, want %q", s.Stake, s.Stake.Reason(), c.says)
			}
			if !s.Eligible.Known() || !s.Reputation.Known() || !s.WalletBalance.Known() || !s.Network.TotalStaked.Known() {
				t.Errorf("one failed read took others with it: %+v", s)
			}
			if s.State.Health != validator.HealthOK {
				t.Errorf("state %+v", s.State)
			}
			r.nodes[0].Heal()
			if s := r.seenAt(t, alice, r.chain.Mine()); !s.Stake.Known() {
				t.Errorf("the next block's stake is missing: %s", s.Stake.Reason())
			}
		})
	}
}

func zeros(n int) []any {
	out := make([]any, n)
	for i := range out {
		out[i] = "0x0"
	}
	return out
}

func twelveFelts() []any { return zeros(12) }

func with(felts []any, at int, v any) []any {
	felts[at] = v
	return felts
}

func TestEveryViewCanFailAlone(t *testing.T) {
	known := func(s validator.ChainSnapshot) map[string]bool {
		return map[string]bool{
			"get_stake": s.Stake.Known(), "is_eligible": s.Eligible.Known(), "balance_of": s.WalletBalance.Known(),
			"get_reputation": s.Reputation.Known(), "get_worker_rank": s.ReputationRank.Known(),
			"get_config": s.Network.Config.Known(), "total_staked": s.Network.TotalStaked.Known(),
			"total_slashed": s.Network.TotalSlashed.Known(), "get_network_stats": s.Network.Reputation.Known(),
		}
	}
	r := running(t, 1)
	wallet, network := r.views()
	for _, f := range append(wallet, network...) {
		r.breaks(0, devchain.Faults{Malformed: map[devchain.Function][]any{f: zeros(40)}})
		for name, ok := range known(r.seenAt(t, alice, r.chain.Mine())) {
			if ok == (name == f.Name) {
				t.Errorf("with %s broken, %s is known: %v", f.Name, name, ok)
			}
		}
	}
}

func TestReadsTellHowToRepeatThem(t *testing.T) {
	r := running(t, 1)
	s := r.snapshot(alice)
	k := r.chain.Contracts()
	if c := s.Stake.Call; c.Contract != k.ProverStaking || c.Function != "get_stake" ||
		len(c.Calldata) != 1 || c.Calldata[0] != alice.Felt() || len(c.Result) != 13 {
		t.Errorf("call of the stake %+v", c)
	}
	if c := s.Network.Config.Call; c.Function != "get_config" || len(c.Calldata) != 0 || len(c.Result) != 18 {
		t.Errorf("call of the config %+v", c)
	}
}

func TestAMissingContractOrFunctionIsNamed(t *testing.T) {
	r := running(t, 1)
	k := r.chain.Contracts()
	r.chain.Undeploy(k.SAGEToken)
	r.chain.DropFunction(k.ProverStaking, "is_eligible")
	s := r.seenAt(t, alice, r.chain.Mine())
	if want := "SAGEToken is not deployed at " + k.SAGEToken.Abbreviated(); s.WalletBalance.Reason() != want {
		t.Errorf("balance: %q, want %q", s.WalletBalance.Reason(), want)
	}
	if want := "ProverStaking has no function is_eligible"; s.Eligible.Reason() != want {
		t.Errorf("eligible: %q, want %q", s.Eligible.Reason(), want)
	}
	if !s.Stake.Known() {
		t.Errorf("stake: %s", s.Stake.Reason())
	}
}

func TestAWalletThatTheChainDoesNotKnow(t *testing.T) {
	r := running(t, 1)
	s := r.snapshot(bob)
	stake, ok := s.Stake.Get()
	if !ok || stake.Registered() {
		t.Errorf("stake %+v, %s: want a known answer of a worker that never staked", stake, s.Stake.Reason())
	}
	rep, ok := s.Reputation.Get()
	if !ok || rep.Initialised() {
		t.Errorf("reputation %+v, %s: want one that is not initialised", rep, s.Reputation.Reason())
	}
	if rank, ok := s.ReputationRank.Get(); !ok || rank != 0 {
		t.Errorf("rank %d, %v: want a known 0, unranked", rank, ok)
	}
}

func TestReputationIsFoundUnderTheWorkerID(t *testing.T) {
	const id validator.Felt = "0x00000000000000000000000000000000000000000000000000000000000001d5"
	r := running(t, 1)
	r.chain.SetWorkerID(bob, id)
	r.chain.SetReputation(id, aliceReputation())
	r.chain.SetRank(id, 9)
	r.chain.Mine()
	eventually(t, "the client is at the head", func() bool { return r.client.State().Block == r.chain.Head().Number })
	check := func(s validator.ChainSnapshot) {
		t.Helper()
		rep, _ := s.Reputation.Get()
		rank, _ := s.ReputationRank.Get()
		if rep != aliceReputation() || rank != 9 || s.Reputation.Call.Calldata[0] != id {
			t.Errorf("reputation %+v, rank %d, asked with %v", rep, rank, s.Reputation.Call.Calldata)
		}
	}
	check(r.snapshot(bob)) // found on the first look, in the same block
	r.checked(t)
	r.nodes[0].ResetCounters()
	check(r.seenAt(t, bob, r.chain.Mine()))
	got := r.nodes[0].Counters()
	if reads := got.Requests - got.Methods["starknet_blockHashAndNumber"]; reads != 1 {
		t.Errorf("a block cost %d batches once the id is known", reads)
	}
}

func TestAnUnknownWorkerIDLeavesReputationUnknown(t *testing.T) {
	r := newRig(t, 1)
	find := r.fn(r.chain.Contracts().JobManager, "get_worker_id_by_address")
	r.breaks(0, devchain.Faults{Malformed: map[devchain.Function][]any{find: zeros(2)}})
	r.run(t)
	s := r.snapshot(bob)
	if s.Reputation.Known() || !strings.Contains(s.Reputation.Reason(), "get_worker_id_by_address answered 2 felts") {
		t.Errorf("reputation %+v, %s: it may be known under an id that could not be read", s.Reputation, s.Reputation.Reason())
	}
}

func TestANetworkWithoutContracts(t *testing.T) {
	mainnet, err := chain.NetworkByName("mainnet")
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, 0, func(c *chain.Config) { c.Contracts, c.Network = chain.Contracts{}, mainnet })
	start := time.Now()
	s := r.snapshot(alice)
	if took := time.Since(start); took > time.Second {
		t.Errorf("a look took %s though there is nothing to wait for", took)
	}
	if s.State.Health != validator.HealthDisabled || s.State.Reason != "BitSage's contracts are not deployed on mainnet." ||
		!strings.Contains(s.State.Remedy, "PROVER_STAKING_ADDRESS") {
		t.Errorf("state %+v", s.State)
	}
	if want := "ProverStaking is not deployed on mainnet: set PROVER_STAKING_ADDRESS"; s.Stake.Reason() != want {
		t.Errorf("stake: %q, want %q", s.Stake.Reason(), want)
	}
	if want := "SAGEToken is not deployed on mainnet: set SAGE_TOKEN_ADDRESS"; s.WalletBalance.Reason() != want {
		t.Errorf("balance: %q, want %q", s.WalletBalance.Reason(), want)
	}
	for _, c := range r.client.Contracts() {
		if c.Status != validator.ContractNotConfigured || c.Reason == "" {
			t.Errorf("%+v", c)
		}
	}
}

func TestOneContractWithoutAnAddress(t *testing.T) {
	r := running(t, 1, func(c *chain.Config) { c.Contracts.ReputationManager = "" })
	s := r.snapshot(alice)
	if want := "ReputationManager has no address: set REPUTATION_MANAGER_ADDRESS"; s.Reputation.Reason() != want {
		t.Errorf("reputation: %q, want %q", s.Reputation.Reason(), want)
	}
	if !s.Stake.Known() || s.State.Health != validator.HealthOK {
		t.Errorf("stake %s, state %+v", s.Stake.Reason(), s.State)
	}
}
