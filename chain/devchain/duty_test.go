package devchain_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/NethermindEth/juno/core/felt"
	"github.com/NethermindEth/starknet.go/rpc"
	"github.com/NethermindEth/starknet.go/utils"

	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const job validator.Felt = "0x0000000000000000000000000000000000000000000000000000000000000bad"

func sage(n int64) *felt.Felt { return utils.BigIntToFelt(validator.WeiFromSAGE(n).Big()) }

func num(n int64) *felt.Felt { return new(felt.Felt).SetUint64(uint64(n)) }

func call(t *testing.T, p *rpc.Provider, to validator.Address, function string, calldata ...*felt.Felt) []*felt.Felt {
	t.Helper()
	got, err := p.Call(t.Context(), rpc.FunctionCall{ContractAddress: wire(to.Felt()),
		EntryPointSelector: sel(function), Calldata: calldata}, rpc.WithBlockTag(rpc.BlockTagLatest))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// staked is a chain on which worker has staked 12,000 SAGE of a tier of at least 10,000.
func staked(t *testing.T, cfg devchain.Config) (*devchain.Chain, *rpc.Provider) {
	t.Helper()
	c := devchain.New(cfg)
	p := provider(t, start(t, c))
	c.SetBalance(worker, validator.WeiFromSAGE(20_000))
	c.Stake(worker, validator.WeiFromSAGE(12_000), validator.TierEnterprise)
	c.IntroduceWorker(worker)
	c.Mine()
	return c, p
}

// oneEvent returns the keys and data of the only event of a name.
func oneEvent(t *testing.T, p *rpc.Provider, name string) string {
	t.Helper()
	got := eventsOf(t, p, filter([]*felt.Felt{sel(name)}))
	if len(got) != 1 {
		t.Fatalf("%d events %s, want 1", len(got), name)
	}
	return fmt.Sprint(got[0].Keys[1:], got[0].Data)
}

func TestASlashFollowsTheContract(t *testing.T) {
	for _, wide := range []bool{false, true} {
		c, p := staked(t, devchain.Config{WideJobIDs: wide})
		c.Slash(worker, validator.SlashTimeout, job)
		b := c.Mine()
		got := stakeOf(t, p, c, rpc.WithBlockNumber(b.Number))
		if got[0].Cmp(sage(11_400)) != 0 || got[7].Uint64() != 1 || got[8].Uint64() != 1 || got[9].Cmp(sage(600)) != 0 {
			t.Errorf("stake after a timeout: %v", got)
		}
		k := c.Contracts()
		for name, want := range map[string]*felt.Felt{"total_staked": sage(11_400), "total_slashed": sage(600)} {
			if got := call(t, p, k.ProverStaking, name); got[0].Cmp(want) != 0 {
				t.Errorf("%s: %s", name, got[0])
			}
		}
		if got := call(t, p, k.SAGEToken, "balance_of", wire(devchain.Treasury.Felt())); got[0].Cmp(sage(1_000_600)) != 0 {
			t.Errorf("the treasury has %s", got[0])
		}
		want := []*felt.Felt{sage(600), num(0), num(1), wire(job)}
		if wide {
			want = append(want, num(0))
		}
		if got, want := oneEvent(t, p, "Slashed"), fmt.Sprint([]*felt.Felt{wire(worker.Felt())}, want); got != want {
			t.Errorf("wide %v: Slashed %s, want %s", wide, got, want)
		}
	}
}

func TestWhatDeactivatesAWorker(t *testing.T) {
	for name, act := range map[string]func(c *devchain.Chain){
		"too little is left": func(c *devchain.Chain) { c.Slash(worker, validator.SlashRepeatedFailures, job) },
		"too many failures": func(c *devchain.Chain) {
			c.SetBalance(worker, validator.WeiFromSAGE(9_000))
			c.Stake(worker, validator.WeiFromSAGE(9_000), validator.TierEnterprise)
			for range 3 {
				c.Slash(worker, validator.SlashTimeout, job)
			}
		},
	} {
		c, p := staked(t, devchain.Config{})
		act(c)
		c.Mine()
		at := rpc.WithBlockTag(rpc.BlockTagLatest)
		if got := stakeOf(t, p, c, at); got[7].Uint64() != 0 {
			t.Errorf("%s: still active: %v", name, got)
		}
		c.Succeed(worker, job)
		c.Mine()
		if got := stakeOf(t, p, c, at); got[8].Uint64() != 0 || got[7].Uint64() != 0 {
			t.Errorf("%s: a success must reset the failures and activate nobody: %v", name, got)
		}
		c.SetBalance(worker, validator.WeiFromSAGE(9_000))
		c.Stake(worker, validator.WeiFromSAGE(9_000), validator.TierEnterprise)
		c.Mine()
		if got := stakeOf(t, p, c, at); got[7].Uint64() != 1 {
			t.Errorf("%s: a stake must activate again: %v", name, got)
		}
	}
}

func TestWhoMayJudge(t *testing.T) {
	c, p := staked(t, devchain.Config{})
	k := c.Contracts()
	for _, function := range []string{"slash", "record_success"} {
		args := []validator.Felt{worker.Felt(), job}
		if function == "slash" {
			args = []validator.Felt{worker.Felt(), mustFelt(t, validator.WeiFromInt(1)), job}
		}
		for caller, want := range map[validator.Address]rpc.TxnExecutionStatus{
			rival: rpc.TxnExecutionStatusREVERTED, devchain.Owner: rpc.TxnExecutionStatusSUCCEEDED, k.JobManager: rpc.TxnExecutionStatusSUCCEEDED,
		} {
			tx := c.Invoke(caller, devchain.Call{To: k.ProverStaking, Function: function, Calldata: args})
			c.Mine()
			r, err := p.TransactionReceipt(t.Context(), wire(tx))
			if err != nil || r.ExecutionStatus != want {
				t.Errorf("%s by %s: %+v, %v", function, caller.Abbreviated(), r, err)
			}
		}
	}
}

func TestALargeSlashIsRefusedByTheToken(t *testing.T) {
	c := devchain.New(devchain.Config{})
	p := provider(t, start(t, c))
	c.SetStake(worker, validator.Stake{Amount: validator.WeiFromSAGE(20_000), StakedAt: time.Unix(1, 0), Active: true})
	tx := c.Slash(worker, validator.SlashMalicious, job) // 10,000 SAGE
	c.Mine()
	r, err := p.TransactionReceipt(t.Context(), wire(tx))
	if err != nil || r.ExecutionStatus != rpc.TxnExecutionStatusREVERTED {
		t.Errorf("%+v, %v", r, err)
	}
	if got := stakeOf(t, p, c, rpc.WithBlockTag(rpc.BlockTagLatest)); got[0].Cmp(sage(20_000)) != 0 || got[8].Uint64() != 0 {
		t.Errorf("a reverted slash changed the stake: %v", got)
	}
}

func TestEveryStakeEventHasTheContractsForm(t *testing.T) {
	c, p := staked(t, devchain.Config{})
	of := []*felt.Felt{wire(worker.Felt())}
	lockup := c.Head().Time.Add(7*24*time.Hour + time.Hour)
	c.RequestUnstake(worker, validator.WeiFromSAGE(500))
	unlock := c.MineAt(lockup.Add(-7 * 24 * time.Hour)).Time.Add(7 * 24 * time.Hour)
	c.CompleteUnstake(worker)
	c.MineAt(lockup)
	c.ClaimRewards(worker)
	c.Succeed(worker, job)
	c.Mine()
	claimed := eventsOf(t, p, filter([]*felt.Felt{sel("RewardsClaimed")}))[0].Data
	for name, want := range map[string][]*felt.Felt{
		"Staked":           {sage(12_000), num(0), num(3), sage(12_000), num(0)},
		"UnstakeRequested": {sage(500), num(0), num(unlock.Unix())},
		"UnstakeCompleted": {sage(500), num(0)},
		"RewardsClaimed":   {claimed[0], num(0)},
		"SuccessRecorded":  {wire(job)},
	} {
		if got, want := oneEvent(t, p, name), fmt.Sprint(of, want); got != want {
			t.Errorf("%s %s, want %s", name, got, want)
		}
	}
}

func TestReputationsHaveAHistory(t *testing.T) {
	c, p := staked(t, devchain.Config{})
	k := c.Contracts()
	id := wire(worker.Felt())
	reputation := func() []*felt.Felt { return call(t, p, k.ReputationManager, "get_reputation", id) }
	if got := reputation(); got[0].Uint64() != 500 || got[1].Uint64() != 3 {
		t.Errorf("at first: %v", got)
	}
	c.Succeed(worker, job)
	c.Fail(worker, job)
	c.Slash(worker, validator.SlashTimeout, job)
	c.AdjustReputation(worker, -5, devchain.ReputationInactivity)
	b := c.Mine()
	got := reputation()
	want := []*felt.Felt{num(385), num(2), num(b.Time.Unix()), num(2), num(1), num(1), num(0), num(1)}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("reputation %v, want %v", got, want)
	}
	minus5 := new(felt.Felt).Sub(&felt.Zero, num(5))
	minus100 := new(felt.Felt).Sub(&felt.Zero, num(100))
	text := func(s string) *felt.Felt { return new(felt.Felt).SetBytes([]byte(s)) }
	at := num(b.Time.Unix())
	newest := []*felt.Felt{num(2),
		at, minus5, text("inactivity_decay"), num(1), num(390), num(385),
		at, minus100, text("worker_slashed"), num(0), wire(job), num(0), num(490), num(390),
	}
	if got := call(t, p, k.ReputationManager, "get_reputation_history", id, num(2)); fmt.Sprint(got) != fmt.Sprint(newest) {
		t.Errorf("history %v, want %v", got, newest)
	}
	events := eventsOf(t, p, filter([]*felt.Felt{sel("ReputationUpdated")}))
	if len(events) != 4 {
		t.Fatalf("%d updates were told, want 4", len(events))
	}
	if got, want := fmt.Sprint(events[2].Data), fmt.Sprint([]*felt.Felt{num(490), num(390), minus100, text("worker_slashed"), num(0), wire(job), num(0), at}); got != want {
		t.Errorf("ReputationUpdated %s, want %s", got, want)
	}
	for range 30 {
		c.Succeed(worker, job)
	}
	c.Mine()
	if got := call(t, p, k.ReputationManager, "get_reputation_history", id, num(100)); got[0].Uint64() != 20 {
		t.Errorf("%s changes are kept, want the newest 20", got[0])
	}
	if got := reputation(); got[0].Uint64() != 835 || got[1].Uint64() != 4 {
		t.Errorf("after 30 more jobs: %v", got)
	}
	c.Succeed(rival, job) // of whom ReputationManager knows nothing
	c.Mine()
	if got := call(t, p, k.ReputationManager, "get_reputation", wire(rival.Felt())); got[0].Uint64() != 0 {
		t.Errorf("a worker that was never introduced has %v", got)
	}
}

func TestAYearIsLaidQuickly(t *testing.T) {
	now := time.Now()
	c := devchain.New(devchain.Config{Genesis: now.AddDate(-1, 0, 0), StateBlocks: 10})
	n := start(t, c)
	p := provider(t, n)
	c.SetBalance(worker, validator.WeiFromSAGE(20_000))
	c.Stake(worker, validator.WeiFromSAGE(12_000), validator.TierEnterprise)
	first := c.MineAt(now.AddDate(-1, 0, 1))
	if got := first.Time; !got.Equal(now.AddDate(-1, 0, 1).Truncate(time.Second)) {
		t.Errorf("the first block of the history is of %s", got)
	}
	for at := first.Time; at.Before(now.Add(-time.Hour)); at = at.Add(2 * time.Hour) {
		c.ClaimRewards(worker)
		c.MineAt(at)
	}
	if got := len(eventsOf(t, p, filter([]*felt.Felt{sel("RewardsClaimed")}))); got < 4000 {
		t.Errorf("a year of claims has %d", got)
	}
	if got := stakeOf(t, p, c, rpc.WithBlockNumber(c.Head().Number-9)); got[0].Cmp(sage(12_000)) != 0 {
		t.Errorf("stake %v", got)
	}
	_, err := p.Call(t.Context(), rpc.FunctionCall{ContractAddress: wire(c.Contracts().ProverStaking.Felt()),
		EntryPointSelector: sel("total_staked"), Calldata: []*felt.Felt{}}, rpc.WithBlockNumber(c.Head().Number-10))
	if err == nil {
		t.Error("a pruned state answers")
	}
	if err := c.Reorg(10); err == nil {
		t.Error("the chain was cut back to a pruned state")
	}
	if err := c.Reorg(9); err != nil {
		t.Errorf("the chain cannot be cut back to a state that is kept: %v", err)
	}
}
