package chain_test

import (
	"context"
	"errors"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func (r *rig) outcome(t *testing.T, tx validator.Felt, wallet validator.Address) validator.ClaimOutcome {
	t.Helper()
	o, err := r.client.ClaimOutcome(context.Background(), tx, wallet)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func TestAClaimFromItsSubmissionToItsEvent(t *testing.T) {
	r := running(t, 1)
	tx := r.chain.ClaimRewards(alice)
	if o := r.outcome(t, tx, alice); o.Status != validator.ClaimSubmitted || o.Amount != nil || o.Block != nil {
		t.Errorf("before any block: %+v", o)
	}
	if o := r.outcome(t, "0x00000000000000000000000000000000000000000000000000000000000dead0", alice); o.Status != validator.ClaimSubmitted || !o.Unseen {
		t.Errorf("of a transaction that nobody sent: %+v", o)
	}
	r.chain.PreConfirm()
	if o := r.outcome(t, tx, alice); o.Status != validator.ClaimSubmitted || o.Block != nil || o.Unseen {
		t.Errorf("pre-confirmed: %+v", o)
	}
	before := r.snapshot(alice)
	b := r.chain.Mine()
	o := r.outcome(t, tx, alice)
	if o.Status != validator.ClaimConfirmed || o.Amount == nil || o.Block == nil || *o.Block != b || o.Failure != "" {
		t.Fatalf("in block %d: %+v", b.Number, o)
	}
	stake, _ := before.Stake.Get()
	cfg, _ := before.Network.Config.Get()
	if want := validator.Claimable(stake, cfg, b.Time); !o.Amount.Equal(want) || want.Sign() == 0 {
		t.Errorf("the contract paid %s, Claimable said %s", o.Amount, want)
	}
	s := r.seenAt(t, alice, b)
	after, _ := s.Stake.Get()
	if after.PendingRewards.Sign() != 0 || !after.LastClaimAt.Equal(b.Time) {
		t.Errorf("after the claim: %+v", after)
	}
	if got := validator.Claimable(after, cfg, b.Time); got.Sign() != 0 {
		t.Errorf("%s is claimable in the block of the claim", got)
	}
}

// Whatever the stake and the time, the contract pays what Claimable says it would.
func TestClaimableIsWhatTheContractPays(t *testing.T) {
	r := newRig(t, 1)
	at := r.chain.Head().Time
	for i, amount := range []string{"1", "210240000", "999999999999999999", "12345678901234567890123", "1606938044258990275541962092341162602522202993782792835301376"} {
		w, err := validator.ParseWei(amount)
		if err != nil {
			t.Fatal(err)
		}
		wallet := validator.Address("0x" + strings.Repeat("0", 62) + "a" + string(rune('1'+i)))
		k := validator.Stake{Amount: w, StakedAt: at, LastClaimAt: at.Add(-time.Duration(i*977) * time.Hour), PendingRewards: validator.WeiFromInt(1)}
		r.chain.SetStake(wallet, k)
		r.chain.SetBalance(devchain.Treasury, w)
		r.chain.SetAllowance(devchain.Treasury, r.chain.Contracts().ProverStaking, w)
		at = at.Add(time.Duration(i+1) * 1234567 * time.Second)
		tx := r.chain.ClaimRewards(wallet)
		b := r.chain.MineAt(at)
		o := r.outcome(t, tx, wallet)
		want := validator.Claimable(k, validator.StakingConfig{RewardAPYBasisPoints: 1500}, b.Time)
		if o.Status != validator.ClaimConfirmed || !o.Amount.Equal(want) {
			t.Errorf("stake of %s wei: the contract paid %+v, Claimable said %s", amount, o, want)
		}
	}
}

func TestClaimsThatFail(t *testing.T) {
	r := newRig(t, 1)
	k := r.chain.Contracts()
	for _, c := range []struct {
		name  string
		tx    func() validator.Felt
		fails string
	}{
		{"nothing to claim", func() validator.Felt { return r.chain.ClaimRewards(bob) },
			"the transaction was reverted: No rewards to claim"},
		{"an empty treasury", func() validator.Felt {
			r.chain.SetBalance(devchain.Treasury, validator.Wei{})
			return r.chain.ClaimRewards(alice)
		}, "the transaction was reverted: ERC20: insufficient balance"},
		{"no allowance", func() validator.Felt {
			r.chain.SetAllowance(devchain.Treasury, k.ProverStaking, validator.Wei{})
			return r.chain.ClaimRewards(alice)
		}, "the transaction was reverted: ERC20: insufficient allowance"},
		{"another transaction", func() validator.Felt {
			return r.chain.Invoke(alice, devchain.Call{To: k.SAGEToken, Function: "approve",
				Calldata: []validator.Felt{bob.Felt(), validator.Felt("0x" + strings.Repeat("0", 64)), validator.Felt("0x" + strings.Repeat("0", 64))}})
		}, "this transaction holds no claim of this wallet"},
	} {
		t.Run(c.name, func(t *testing.T) {
			tx := c.tx()
			b := r.chain.Mine()
			wallet := alice
			if strings.HasPrefix(c.name, "nothing") {
				wallet = bob
			}
			o := r.outcome(t, tx, wallet)
			if o.Status != validator.ClaimFailed || o.Failure != c.fails || o.Amount != nil || o.Block == nil || *o.Block != b {
				t.Errorf("%+v, want a failure with %q", o, c.fails)
			}
		})
	}
}

// TestATransactionThatClaimsTwicePaysBoth, to this wallet and by ProverStaking's own events.
func TestATransactionThatClaimsTwicePaysBoth(t *testing.T) {
	r := newRig(t, 1)
	tx := r.chain.ClaimRewards(alice)
	b := r.chain.Mine()
	staking, event := r.chain.Contracts().ProverStaking, chain.Selector("RewardsClaimed")
	paid := func(by, to validator.Address, low, high string) map[string]any {
		return map[string]any{"from_address": by.Felt().Short(), "keys": []string{event.Short(), to.Felt().Short()}, "data": []string{low, high}}
	}
	r.breaks(0, devchain.Faults{Answers: map[string]any{"starknet_getTransactionReceipt": map[string]any{
		"transaction_hash": tx.Short(), "block_hash": b.Hash.Short(), "block_number": b.Number, "execution_status": "SUCCEEDED",
		"events": []any{
			paid(staking, alice, "0x64", "0x1"), paid(staking, bob, "0x7", "0x0"), paid(bob, alice, "0x9", "0x0"), paid(staking, alice, "0x5", "0x0"),
		},
	}}})
	o := r.outcome(t, tx, alice)
	want := validator.WeiFromBig(new(big.Int).Add(new(big.Int).Lsh(big.NewInt(1), 128), big.NewInt(0x69)))
	if o.Status != validator.ClaimConfirmed || o.Amount == nil || !o.Amount.Equal(want) {
		t.Errorf("%+v, want %s", o, want)
	}
}

func TestAnotherWalletsClaimIsNotMine(t *testing.T) {
	r := newRig(t, 1)
	tx := r.chain.ClaimRewards(alice)
	r.chain.Mine()
	if o := r.outcome(t, tx, bob); o.Status != validator.ClaimFailed || o.Failure != "this transaction holds no claim of this wallet" {
		t.Errorf("%+v", o)
	}
}

func TestAReorganisedClaimIsSubmittedAgain(t *testing.T) {
	r := newRig(t, 1)
	tx := r.chain.ClaimRewards(alice)
	r.chain.Mine()
	if o := r.outcome(t, tx, alice); o.Status != validator.ClaimConfirmed {
		t.Fatalf("%+v", o)
	}
	if err := r.chain.Reorg(1); err != nil {
		t.Fatal(err)
	}
	if o := r.outcome(t, tx, alice); o.Status != validator.ClaimSubmitted {
		t.Errorf("%+v", o)
	}
}

func TestAClaimOfWhichNothingIsKnown(t *testing.T) {
	r := newRig(t, 1, impatient)
	tx := r.chain.ClaimRewards(alice)
	r.chain.Mine()
	for _, c := range wholeFailures {
		if c.faults.Methods != nil {
			c.faults.Methods = map[string]devchain.RPCError{"starknet_getTransactionReceipt": {Code: -32603, Message: "Internal error"}}
		}
		r.breaks(0, c.faults)
		if o, err := r.client.ClaimOutcome(context.Background(), tx, alice); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %+v, %v", c.name, o, err)
		}
	}
	r.breaks(0, devchain.Faults{Mode: devchain.Hangs})
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Millisecond)
	defer cancel()
	if _, err := r.client.ClaimOutcome(ctx, tx, alice); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want the context's error", err)
	}
	r = newRig(t, 1, func(c *chain.Config) { c.Contracts.ProverStaking = "" })
	if _, err := r.client.ClaimOutcome(context.Background(), tx, alice); !errors.Is(err, chain.ErrNoProverStaking) {
		t.Errorf("%v, want ErrNoProverStaking", err)
	}
}
