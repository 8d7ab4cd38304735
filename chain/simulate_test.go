package chain_test

import (
	"context"
	"errors"
	"math/big"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// newWorker deploys the account of a wallet that has staked as an Enterprise worker.
func (r *rig) newWorker(t *testing.T, seed string, stake int64) validator.Address {
	t.Helper()
	w, err := devchain.NewWallet(r.chain, devchain.WalletConfig{Seed: seed})
	if err != nil {
		t.Fatal(err)
	}
	w.Deploy()
	r.chain.SetBalance(w.Address(), validator.WeiFromSAGE(stake+500))
	r.chain.Mine()
	r.chain.Stake(w.Address(), validator.WeiFromSAGE(stake), validator.TierEnterprise)
	r.chain.Mine()
	r.chain.MineAt(r.chain.Head().Time.Add(30 * 24 * time.Hour))
	return w.Address()
}

func (r *rig) simulate(t *testing.T, wallet validator.Address, a validator.Action) (chain.Simulation, error) {
	t.Helper()
	calls, err := r.client.Calls(a)
	if err != nil {
		t.Fatal(err)
	}
	return r.client.Simulate(context.Background(), wallet, calls)
}

func TestASimulatedClaimIsWhatTheBlockAllows(t *testing.T) {
	r := newRig(t, 1)
	worker := r.newWorker(t, "claims", 12_000)
	s, err := r.simulate(t, worker, validator.Action{Kind: validator.ActionClaim})
	if err != nil {
		t.Fatal(err)
	}
	head := r.chain.Head()
	if s.Reverted || s.Block != head || s.FeeFRI.Sign() <= 0 || s.Claimed == nil {
		t.Fatalf("simulated: %+v", s)
	}
	tx := r.chain.ClaimRewards(worker)
	r.chain.MineAt(head.Time.Add(time.Second))
	paid := r.outcome(t, tx, worker).Amount
	oneSecond := validator.WeiFromSAGE(12_000).MulDiv(big.NewInt(1500), big.NewInt(10_000*31_536_000))
	if diff := paid.Sub(*s.Claimed).Sub(oneSecond); diff.Sign() < 0 || diff.Cmp(validator.WeiFromInt(1)) > 0 {
		t.Errorf("a second later the contract paid %s, simulated were %s, a second brings %s", paid, s.Claimed, oneSecond)
	}
	if n := r.nodes[0].Counters().Methods["starknet_simulateTransactions"]; n != 1 {
		t.Errorf("it took %d simulations", n)
	}
}

func TestSimulationsThatRevertSayWhy(t *testing.T) {
	sage := validator.WeiFromSAGE
	claim := validator.Action{Kind: validator.ActionClaim}
	complete := validator.Action{Kind: validator.ActionCompleteUnstake}
	unstake := func(amount int64) validator.Action {
		return validator.Action{Kind: validator.ActionUnstake, Amount: sage(amount)}
	}
	stake := func(amount int64, tier validator.Tier) validator.Action {
		return validator.Action{Kind: validator.ActionStake, Amount: sage(amount), Tier: tier}
	}
	later := func(r *rig) { r.chain.MineAt(r.chain.Head().Time.Add(8 * 24 * time.Hour)) }
	for name, c := range map[string]struct {
		before func(r *rig, w validator.Address)
		action validator.Action
		words  string
	}{
		"the treasury's allowance": {func(r *rig, _ validator.Address) {
			r.chain.SetAllowance(devchain.Treasury, r.chain.Contracts().ProverStaking, validator.Wei{})
		}, claim, "ERC20: insufficient allowance"},
		"the treasury's balance": {func(r *rig, _ validator.Address) { r.chain.SetBalance(devchain.Treasury, validator.Wei{}) }, claim, "ERC20: insufficient balance"},
		"the transfer's limit": {func(r *rig, w validator.Address) {
			r.chain.RequestUnstake(w, sage(10_000))
			r.chain.Mine()
			later(r)
		}, complete, "Use large transfer"},
		"still locked":               {func(r *rig, w validator.Address) { r.chain.RequestUnstake(w, sage(10)) }, complete, "Lockup not expired"},
		"nothing requested":          {nil, complete, "No pending unstake"},
		"an unstake is there":        {func(r *rig, w validator.Address) { r.chain.RequestUnstake(w, sage(10)) }, unstake(20), "Pending unstake exists"},
		"more than is staked":        {nil, unstake(12_001), "Insufficient stake"},
		"too little for the tier":    {nil, stake(100, validator.TierFrontier), "Insufficient stake for tier"},
		"more than the wallet holds": {nil, stake(501, validator.TierEnterprise), "ERC20: insufficient balance"},
		"slashed below the unstake": {func(r *rig, w validator.Address) {
			r.chain.RequestUnstake(w, sage(9_000))
			r.chain.Slash(w, validator.SlashMalicious, alice.Felt())
			r.chain.Mine()
			later(r)
		}, complete, "u256_sub Overflow"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 1)
			w := r.newWorker(t, name, 12_000)
			if c.before != nil {
				c.before(r, w)
			}
			r.chain.Mine()
			for _, method := range []string{"starknet_simulateTransactions", "starknet_estimateFee"} {
				if method == "starknet_estimateFee" { // of a node without traces
					r.breaks(0, devchain.Faults{Methods: map[string]devchain.RPCError{"starknet_simulateTransactions": {Code: -32601, Message: "Method not found"}}})
				}
				s, err := r.simulate(t, w, c.action)
				if err != nil {
					t.Fatal(err)
				}
				if !s.Reverted || s.Reason != c.words {
					t.Errorf("by %s: %+v, want %q", method, s, c.words)
				}
				known := c.action.Refused("x" + c.words)
				if told := c.action.Refused(s.Reason); told.Why == "" || told.Next == "" || told.Next == known.Next {
					t.Errorf("%q is explained as %+v", s.Reason, told)
				}
			}
		})
	}
}

func TestWhatASimulationDoesNotChange(t *testing.T) {
	r := newRig(t, 1)
	w := r.newWorker(t, "unchanged", 12_000)
	for range 2 { // the second would be refused if the first had had an effect
		s, err := r.simulate(t, w, validator.Action{Kind: validator.ActionUnstake, Amount: validator.WeiFromSAGE(100)})
		if err != nil || s.Reverted || s.Claimed != nil {
			t.Fatalf("%+v, %v", s, err)
		}
	}
	s, err := r.simulate(t, w, validator.Action{Kind: validator.ActionStake, Amount: validator.WeiFromSAGE(400), Tier: validator.TierEnterprise})
	if err != nil || s.Reverted {
		t.Fatalf("%+v, %v", s, err)
	}
}

func TestSimulationsThatCannotBe(t *testing.T) {
	claim := validator.Action{Kind: validator.ActionClaim}
	missing := devchain.RPCError{Code: -32601, Message: "Method not found"}
	none := devchain.Faults{Methods: map[string]devchain.RPCError{"starknet_simulateTransactions": missing, "starknet_estimateFee": missing}}

	t.Run("the account is not deployed", func(t *testing.T) {
		r := newRig(t, 1)
		if _, err := r.simulate(t, bob, claim); !errors.Is(err, chain.ErrAccountNotDeployed) {
			t.Errorf("%v", err)
		}
	})
	t.Run("no node has the methods", func(t *testing.T) {
		r := newRig(t, 2)
		w := r.newWorker(t, "no methods", 12_000)
		r.breaks(0, none)
		r.breaks(1, none)
		if _, err := r.simulate(t, w, claim); !errors.Is(err, chain.ErrNoSimulation) {
			t.Errorf("%v", err)
		}
	})
	t.Run("another node has them", func(t *testing.T) {
		r := newRig(t, 2)
		w := r.newWorker(t, "another node", 12_000)
		r.breaks(0, none)
		if s, err := r.simulate(t, w, claim); err != nil || s.Reverted {
			t.Errorf("%+v, %v", s, err)
		}
	})
	t.Run("no node answers", func(t *testing.T) {
		r := newRig(t, 1)
		w := r.newWorker(t, "no node", 12_000)
		r.breaks(0, devchain.Faults{Mode: devchain.HTML})
		if _, err := r.simulate(t, w, claim); err == nil || errors.Is(err, chain.ErrNoSimulation) || errors.Is(err, chain.ErrAccountNotDeployed) {
			t.Errorf("%v", err)
		}
	})
	t.Run("an answer that makes no sense", func(t *testing.T) {
		for _, answer := range []any{[]any{}, "0x1", []any{map[string]any{"fee_estimation": map[string]any{"overall_fee": "0x1", "unit": "WEI"}, "transaction_trace": map[string]any{"execute_invocation": map[string]any{}}}}} {
			r := newRig(t, 1)
			w := r.newWorker(t, "nonsense", 12_000)
			r.breaks(0, devchain.Faults{Answers: map[string]any{"starknet_simulateTransactions": answer}})
			if s, err := r.simulate(t, w, claim); err == nil {
				t.Errorf("%v was read as %+v", answer, s)
			}
		}
	})
	t.Run("a contract has no address", func(t *testing.T) {
		r := newRig(t, 1, func(c *chain.Config) { c.Contracts.ProverStaking = "" })
		if _, err := r.client.Calls(claim); !errors.Is(err, chain.ErrNoProverStaking) {
			t.Errorf("%v", err)
		}
	})
}

func TestASimulatedUnstakeTellsWhatItGivesBack(t *testing.T) {
	r := newRig(t, 1)
	w := r.newWorker(t, "takes out", 12_000)
	r.chain.RequestUnstake(w, validator.WeiFromSAGE(750))
	r.chain.Mine()
	r.chain.MineAt(r.chain.Head().Time.Add(8 * 24 * time.Hour))
	s, err := r.simulate(t, w, validator.Action{Kind: validator.ActionCompleteUnstake})
	if err != nil || s.Reverted || s.Claimed != nil || s.TakenOut == nil || !s.TakenOut.Equal(validator.WeiFromSAGE(750)) {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestTheOutcomeOfATransaction(t *testing.T) {
	r := newRig(t, 1)
	w := r.newWorker(t, "outcomes", 12_000)
	outcome := func(tx validator.Felt) validator.TransactionOutcome {
		t.Helper()
		o, err := r.client.TransactionOutcome(context.Background(), tx)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	fine, refused := r.chain.RequestUnstake(w, validator.WeiFromSAGE(100)), r.chain.RequestUnstake(w, validator.WeiFromSAGE(200))
	if o := outcome(fine); o.Block != nil || o.Reverted {
		t.Errorf("before any block: %+v", o)
	}
	r.chain.PreConfirm()
	if o := outcome(fine); o.Block != nil || o.Reverted {
		t.Errorf("pre-confirmed: %+v", o)
	}
	b := r.chain.Mine()
	if o := outcome(fine); o.Block == nil || *o.Block != b || o.Reverted || o.Reason != "" {
		t.Errorf("accepted: %+v", o)
	}
	if o := outcome(refused); o.Block == nil || *o.Block != b || !o.Reverted || o.Reason != "Pending unstake exists" {
		t.Errorf("reverted: %+v", o)
	}
	r.breaks(0, devchain.Faults{Mode: devchain.HTML})
	if o, err := r.client.TransactionOutcome(context.Background(), fine); err == nil {
		t.Errorf("without a node: %+v", o)
	}
}

func TestASimulationTellsWhatTheAccountHasForTheFee(t *testing.T) {
	r := newRig(t, 1)
	w := r.newWorker(t, "fees", 12_000)
	claim := validator.Action{Kind: validator.ActionClaim}
	if s, err := r.simulate(t, w, claim); err != nil || s.FeeHeld != nil || s.Claimed == nil {
		t.Errorf("of a chain without STRK: %+v, %v", s, err)
	}
	// Any token serves that has the standard's balance_of.
	r.renew(t, func(c *chain.Config) { c.Network.FeeToken = r.chain.Contracts().SAGEToken })
	r.chain.SetBalance(w, validator.WeiFromInt(123_456_789))
	r.chain.Mine()
	if s, err := r.simulate(t, w, claim); err != nil || s.FeeHeld == nil || !s.FeeHeld.Equal(validator.WeiFromInt(123_456_789)) {
		t.Errorf("what the account holds: %+v, %v", s, err)
	}
	held := devchain.Function{Contract: r.chain.Contracts().SAGEToken, Name: "balance_of"}
	r.breaks(0, devchain.Faults{Malformed: map[devchain.Function][]any{held: {"0x1"}}})
	if s, err := r.simulate(t, w, claim); err != nil || s.FeeHeld != nil || s.FeeFRI.Sign() == 0 {
		t.Errorf("of a token that answers nonsense: %+v, %v", s, err)
	}
}
