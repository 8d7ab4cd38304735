package chain_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/NethermindEth/juno/core/felt"
	"github.com/NethermindEth/starknet.go/rpc"
	"github.com/NethermindEth/starknet.go/utils"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain/testnet"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// testnetRig is a client of a testnet, running.
func testnetRig(t *testing.T, n *testnet.Network, tweaks ...func(*chain.Config)) *rig {
	t.Helper()
	r := &rig{log: &logBook{}}
	network, err := chain.NetworkByName("sepolia")
	if err != nil {
		t.Fatal(err)
	}
	cfg := chain.Config{
		RPCURLs: []string{n.URL}, Network: network, Contracts: chain.Contracts(n.Contracts), NoSockets: true,
		PollInterval: 20 * time.Millisecond, CallTimeout: 30 * time.Second, FirstReadWait: 30 * time.Second, CheckRetry: 10 * time.Millisecond,
		HeadMaxAge: time.Hour, Log: slog.New(slog.NewTextHandler(r.log, nil)),
	}
	for _, tweak := range tweaks {
		tweak(&cfg)
	}
	if r.client, err = chain.New(cfg); err != nil {
		t.Fatal(err)
	}
	r.run(t)
	return r
}

// TestTestnet reads a chain that it changes by signed transactions only.
func TestTestnet(t *testing.T) {
	n := testnet.Start(t)
	r := testnetRig(t, n)
	t.Run("the contracts' classes are those expected", func(t *testing.T) {
		for _, c := range r.checked(t) {
			if c.Address != "" && c.Status != validator.ContractOK {
				t.Errorf("%+v", c)
			}
		}
	})
	t.Run("a predeployed account's balance of the chain's token", func(t *testing.T) { testnetBalance(t, n) })
	t.Run("a stake and the head", func(t *testing.T) { r.testnetStake(t, n) })
	t.Run("what a transaction would do", func(t *testing.T) { r.testnetSimulation(t, n) })
	t.Run("a claim", func(t *testing.T) { r.testnetClaim(t, n) })
	t.Run("a slash and a reputation", func(t *testing.T) { r.testnetSlash(t, n) })
	t.Run("a sign-in", func(t *testing.T) { r.testnetSignIn(t, n) })
	t.Run("heads that a websocket tells", func(t *testing.T) { testnetSocket(t, n) })
	t.Run("a reorg", func(t *testing.T) { r.testnetReorg(t, n) })
}

// testnetBalance holds what the client reads against what starknet.go does.
func testnetBalance(t *testing.T, n *testnet.Network) {
	r := testnetRig(t, n, func(c *chain.Config) { c.Contracts = chain.Contracts{SAGEToken: n.Token} })
	got, ok := r.seenAt(t, n.Other.Address, n.Mine(t)).WalletBalance.Get()
	p, err := rpc.NewProvider(t.Context(), n.URL)
	if err != nil {
		t.Fatal(err)
	}
	want, err := p.Call(t.Context(), rpc.FunctionCall{
		ContractAddress: utils.BigIntToFelt(n.Token.Felt().Big()), EntryPointSelector: utils.GetSelectorFromNameFelt("balance_of"),
		Calldata: []*felt.Felt{utils.BigIntToFelt(n.Other.Address.Felt().Big())},
	}, rpc.WithBlockTag(rpc.BlockTagLatest))
	if err != nil || len(want) != 2 {
		t.Fatalf("%v, %v", want, err)
	}
	if !ok || got.Sign() <= 0 || got.Big().Cmp(utils.FeltToBigInt(want[0])) != 0 || !want[1].IsZero() {
		t.Errorf("balance %s, %v, want %s", got, ok, want)
	}
}

func (r *rig) testnetStake(t *testing.T, n *testnet.Network) {
	before := r.seenAt(t, n.Worker.Address, n.Mine(t))
	if k, ok := before.Stake.Get(); !ok || k.Registered() {
		t.Fatalf("before: %+v, %v", k, ok)
	}
	had, _ := before.WalletBalance.Get()
	n.Stake(t, n.Worker, validator.WeiFromSAGE(12_000), validator.TierEnterprise)
	b := n.Mine(t)
	s := r.seenAt(t, n.Worker.Address, b)
	k, _ := s.Stake.Get()
	if !k.Amount.Equal(validator.WeiFromSAGE(12_000)) || k.Tier != validator.TierEnterprise || !k.Active || !ranIn(n, b, k.StakedAt) {
		t.Errorf("stake %+v in the block of %s", k, b.Time)
	}
	if has, _ := s.WalletBalance.Get(); !had.Sub(has).Equal(validator.WeiFromSAGE(12_000)) {
		t.Errorf("balance %s, before %s", has, had)
	}
	if eligible, ok := s.Eligible.Get(); !ok || !eligible {
		t.Errorf("eligible %v, %v", eligible, ok)
	}
	cfg, ok := s.Network.Config.Get()
	if !ok || !cfg.MinStake[validator.TierFrontier].Equal(validator.WeiFromSAGE(25_000)) || cfg.UnstakeLockup != 7*24*time.Hour {
		t.Errorf("config %+v, %v", cfg, ok)
	}
	if total, _ := s.Network.TotalStaked.Get(); !total.Equal(k.Amount) {
		t.Errorf("total staked %s", total)
	}
	r.health(t, validator.HealthOK)
	eventually(t, "the stake's event is read", func() bool {
		events, _ := r.snapshot(n.Worker.Address).StakeEvents.Get()
		return len(events) == 1 && events[0].Block.Number == b.Number
	})
}

// ranIn says whether a contract that ran in a block may have seen this time. To contracts
// starknet-devnet tells the time at which it began a block, to others that at which it ended.
func ranIn(n *testnet.Network, b validator.Block, told time.Time) bool {
	if n.Devchain != nil {
		return told.Equal(b.Time)
	}
	return !told.After(b.Time) && b.Time.Sub(told) < time.Minute
}

func (r *rig) testnetSimulation(t *testing.T, n *testnet.Network) {
	for _, c := range []struct {
		action validator.Action
		words  string // why it reverts; "" if it does not
	}{
		{validator.Action{Kind: validator.ActionStake, Amount: validator.WeiFromSAGE(1), Tier: validator.TierEnterprise}, ""},
		{validator.Action{Kind: validator.ActionUnstake, Amount: validator.WeiFromSAGE(10)}, ""},
		{validator.Action{Kind: validator.ActionUnstake, Amount: validator.WeiFromSAGE(12_001)}, "Insufficient stake"},
		{validator.Action{Kind: validator.ActionCompleteUnstake}, "No pending unstake"},
		{validator.Action{Kind: validator.ActionStake, Amount: validator.WeiFromSAGE(1), Tier: validator.TierFrontier}, "Insufficient stake for tier"},
		{validator.Action{Kind: validator.ActionStake, Amount: validator.WeiFromSAGE(90_000), Tier: validator.TierFrontier}, "ERC20: insufficient balance"},
	} {
		calls, err := r.client.Calls(c.action)
		if err != nil {
			t.Fatal(err)
		}
		s, err := r.client.Simulate(t.Context(), n.Worker.Address, calls)
		if err != nil {
			t.Errorf("%+v: %v", c.action, err)
			continue
		}
		if s.Reverted != (c.words != "") || s.Reason != c.words || s.Block != n.Head(t) || !s.Reverted && s.FeeFRI.Sign() <= 0 {
			t.Errorf("%+v: %+v, want %q", c.action, s, c.words)
		}
	}
	if _, err := r.client.Simulate(t.Context(), bob, nil); !errors.Is(err, chain.ErrAccountNotDeployed) {
		t.Errorf("of an account that is not there: %v", err)
	}
}

func (r *rig) testnetClaim(t *testing.T, n *testnet.Network) {
	n.Tick()
	n.Mine(t)
	claim, err := r.client.Calls(validator.Action{Kind: validator.ActionClaim})
	if err != nil {
		t.Fatal(err)
	}
	s, err := r.client.Simulate(t.Context(), n.Worker.Address, claim)
	if err != nil || s.Reverted || s.Claimed == nil {
		t.Fatalf("simulated %+v, %v", s, err)
	}
	before, _ := r.seenAt(t, n.Worker.Address, n.Head(t)).Stake.Get()
	tx := n.Send(t, n.Worker, devchain.Call{To: n.Contracts.ProverStaking, Function: "claim_rewards"})
	if o := r.outcome(t, tx, n.Worker.Address); o.Status != validator.ClaimSubmitted {
		t.Errorf("before its block: %+v", o)
	}
	b := n.Mine(t)
	o := r.outcome(t, tx, n.Worker.Address)
	seen := r.seenAt(t, n.Worker.Address, b)
	cfg, _ := seen.Network.Config.Get()
	after, _ := seen.Stake.Get()
	if !ranIn(n, b, after.LastClaimAt) {
		t.Errorf("claimed at %s in the block of %s", after.LastClaimAt, b.Time)
	}
	if want := validator.Claimable(before, cfg, after.LastClaimAt); o.Status != validator.ClaimConfirmed || o.Amount == nil || !o.Amount.Equal(want) || want.Sign() == 0 {
		t.Errorf("claimed %+v, want %s", o, want)
	}
	if s.Claimed.Sign() <= 0 || s.Claimed.Cmp(*o.Amount) > 0 {
		t.Errorf("simulated were %s, paid %s", s.Claimed, o.Amount)
	}
	failed := n.SendReverting(t, n.Worker, devchain.Call{To: n.Contracts.ProverStaking, Function: "complete_unstake"})
	n.Mine(t)
	if o := r.outcome(t, failed, n.Worker.Address); o.Status != validator.ClaimFailed {
		t.Errorf("a transaction that reverts: %+v", o)
	}
	out, err := r.client.TransactionOutcome(t.Context(), failed)
	if err != nil || !out.Reverted || out.Reason != "No pending unstake" {
		t.Errorf("outcome %+v, %v", out, err)
	}
}

func (r *rig) testnetSlash(t *testing.T, n *testnet.Network) {
	worker := n.Worker.Address.Felt()
	n.Send(t, n.Owner,
		devchain.Call{To: n.Contracts.ReputationManager, Function: "initialize_reputation", Calldata: []validator.Felt{worker}},
		devchain.Call{To: n.Contracts.ProverStaking, Function: "slash", Calldata: []validator.Felt{worker, testnet.Uint(uint64(validator.SlashTimeout)), testnet.Uint(77)}},
		devchain.Call{To: n.Contracts.ReputationManager, Function: "update_reputation", Calldata: []validator.Felt{worker, testnet.Uint(15), testnet.Uint(0), testnet.Uint(1)}})
	s := r.seenAt(t, n.Worker.Address, n.Mine(t))
	k, _ := s.Stake.Get()
	if !k.Amount.Equal(validator.WeiFromSAGE(11_400)) || !k.TotalSlashed.Equal(validator.WeiFromSAGE(600)) || k.ConsecutiveFailures != 1 {
		t.Errorf("stake %+v", k)
	}
	if score, ok := s.Reputation.Get(); !ok || score.Score != 515 || score.Successful != 1 || !ranIn(n, s.Block, score.LastUpdated) {
		t.Errorf("reputation %+v, %v", score, ok)
	}
}

func (r *rig) testnetSignIn(t *testing.T, n *testnet.Network) {
	at := time.Now().UTC().Truncate(time.Second)
	m := chain.SignIn{ChainID: testnet.ChainID, Address: n.Worker.Address, URI: "https://validators.bitsage.network",
		Nonce: "Zk3vQ9tB7mX1pL5wR8cN2h", IssuedAt: at, ExpiresAt: at.Add(5 * time.Minute)}
	hash, err := m.Hash()
	if err != nil {
		t.Fatal(err)
	}
	signature := n.Worker.Sign(t, hash)
	if err := r.client.VerifySignature(t.Context(), n.Worker.Address, hash, signature); err != nil {
		t.Error(err)
	}
	for name, changed := range changedSignIns(m) {
		other, err := changed.Hash()
		if err != nil {
			t.Fatal(err)
		}
		if err := r.client.VerifySignature(t.Context(), n.Worker.Address, other, signature); !errors.Is(err, chain.ErrSignatureInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, c := range map[string]struct {
		account   validator.Address
		signature []validator.Felt
		want      error
	}{
		"another key":                   {n.Worker.Address, n.Other.Sign(t, hash), chain.ErrSignatureInvalid},
		"another account":               {n.Other.Address, signature, chain.ErrSignatureInvalid},
		"one felt":                      {n.Worker.Address, signature[:1], chain.ErrSignatureInvalid},
		"none":                          {n.Worker.Address, nil, chain.ErrSignatureInvalid},
		"a contract that is no account": {n.Contracts.SAGEToken, signature, chain.ErrSignatureInvalid},
		"an account that is not there":  {bob, signature, chain.ErrAccountNotDeployed},
	} {
		if err := r.client.VerifySignature(t.Context(), c.account, hash, c.signature); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func testnetSocket(t *testing.T, n *testnet.Network) {
	r := testnetRig(t, n, hardlyPolled, func(c *chain.Config) { c.SocketURLs = []string{n.SocketURL} })
	r.snapshot(n.Worker.Address)
	eventually(t, "a websocket tells heads", func() bool {
		n.Mine(t)
		return r.metric(t, "validator_chain_socket_up") == 1
	})
	for range 3 {
		r.seenAt(t, n.Worker.Address, n.Mine(t))
	}
}

func (r *rig) testnetReorg(t *testing.T, n *testnet.Network) {
	r.seenAt(t, n.Worker.Address, n.Mine(t))
	before, _ := r.snapshot(n.Worker.Address).Stake.Get()
	n.Stake(t, n.Worker, validator.WeiFromSAGE(5), validator.TierEnterprise)
	gone := n.Mine(t)
	k, _ := r.seenAt(t, n.Worker.Address, gone).Stake.Get()
	if !k.Amount.Equal(before.Amount.Add(validator.WeiFromSAGE(5))) {
		t.Fatalf("stake %s", k.Amount)
	}
	n.Reorg(t, 1)
	b := n.Mine(t)
	if b.Number != gone.Number || b.Hash == gone.Hash {
		t.Fatalf("block %+v in the place of %+v", b, gone)
	}
	s := r.seenAt(t, n.Worker.Address, b)
	if k, _ := s.Stake.Get(); !k.Amount.Equal(before.Amount) {
		t.Errorf("after the reorg the stake is %s, before %s", k.Amount, before.Amount)
	}
	if got := r.client.WalletSnapshot(context.Background(), n.Worker.Address).State.Health; got != validator.HealthOK {
		t.Errorf("health %s", got)
	}
}
