package chain

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// How many wallets live through a random history of their stake, and on how many chains: a
// chain slows down with what it holds.
const (
	histories       = 10_000
	historyChains   = 40
	historiesOnEach = histories / historyChains
)

// reached counts what the histories came to.
type reached struct{ claimed, slashed, deactivated int }

// TestRandomStakeHistoriesEndAsTheContractsHaveThem holds what we say of a stake against
// the contracts themselves, as devchain has them from their sources on its own: what a claim
// pays, what a slash takes and leaves, and whether the worker is active afterwards, to the wei.
func TestRandomStakeHistoriesEndAsTheContractsHaveThem(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	var n reached
	for i := range uint64(historyChains) {
		n.live(t, rand.New(rand.NewPCG(seed, i)))
	}
	t.Logf("%d histories: %d claims paid, %d slashes, %d of them deactivated the worker", histories, n.claimed, n.slashed, n.deactivated)
	if n.claimed < histories/3 || n.slashed < histories/5 || n.deactivated < histories/50 {
		t.Error("the histories hardly reach what they are to hold")
	}
}

// live takes the wallets of one chain through their histories, and holds what we say of
// each at its end against what the contracts do then.
func (n *reached) live(t *testing.T, dice *rand.Rand) {
	t.Helper()
	now := time.Date(2025, 1, 2, 3, 4, 5, 0, time.UTC)
	c := devchain.New(devchain.Config{Genesis: now, StateBlocks: 2})
	plenty := validator.WeiFromSAGE(1 << 40)
	c.SetBalance(devchain.Treasury, plenty)
	c.SetAllowance(devchain.Treasury, c.Contracts().ProverStaking, plenty)
	wallets := make([]validator.Address, historiesOnEach)
	for i := range wallets {
		wallets[i] = validator.Address(fmt.Sprintf("0x%064x", 0x57a6e0000+i))
		c.SetBalance(wallets[i], validator.WeiFromSAGE(1_000_000))
	}
	pass := func(longest time.Duration) validator.Block {
		now = now.Add(time.Duration(1+dice.Int64N(int64(longest/time.Second))) * time.Second)
		return c.MineAt(now)
	}
	amount := func(most int64) validator.Wei {
		return validator.WeiFromSAGE(dice.Int64N(most)).Add(validator.WeiFromInt(dice.Int64N(1e18)))
	}
	job := validator.Felt(fmt.Sprintf("0x%064x", 4711))
	for range 10 {
		for _, w := range wallets {
			switch dice.IntN(12) {
			case 0, 1, 2:
				c.Stake(w, amount(30_000), validator.Tier(dice.IntN(int(validator.TierCount))))
			case 3:
				c.RequestUnstake(w, amount(8_000))
			case 4:
				c.CompleteUnstake(w)
			case 5:
				c.ClaimRewards(w)
			case 6:
				c.Slash(w, validator.SlashReason(dice.IntN(int(validator.SlashReasonCount))), job)
			case 7:
				c.Succeed(w, job)
			}
		}
		pass(30 * 24 * time.Hour)
	}

	node := devchain.NewNode(c)
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	defer node.Close()
	terms := answerOf(t, node, c, decodeConfig, "get_config")
	before := stakesOf(t, node, c, wallets)

	pass(400 * 24 * time.Hour)
	for _, w := range wallets {
		c.ClaimRewards(w)
	}
	block := c.MineAt(now.Add(time.Duration(1+dice.Int64N(1e7)) * time.Second))
	now = block.Time
	paid := emittedIn(t, c, block, validator.StakeEventRewardsClaimed)
	for i, w := range wallets {
		want := validator.Claimable(before[i], terms, block.Time)
		if got := paid[w].Amount; !got.Equal(want) {
			t.Fatalf("%s: a claim pays %s, we say %s, of %+v at %s", w, got, want, before[i], block.Time)
		}
		if want.Sign() > 0 {
			n.claimed++
		}
	}

	before = stakesOf(t, node, c, wallets)
	reasons := make([]validator.SlashReason, len(wallets))
	for i, w := range wallets {
		reasons[i] = validator.SlashReason(dice.IntN(int(validator.SlashReasonCount)))
		c.Slash(w, reasons[i], job)
	}
	block = pass(24 * time.Hour)
	taken := emittedIn(t, c, block, validator.StakeEventSlashed)
	after := stakesOf(t, node, c, wallets)
	for i, w := range wallets {
		e, was := taken[w]
		if !was {
			continue // the contract refuses: nothing is staked, or the token's transfer limit
		}
		n.slashed++
		want := validator.ExposureTo(reasons[i], before[i], terms)
		got := after[i]
		if !e.Amount.Equal(want.Cost) || !got.Amount.Equal(want.Left) || got.Active == want.Deactivates || !got.Amount.Sub(terms.MinStake[got.Tier]).Equal(want.Headroom) {
			t.Fatalf("%s: a slash for %s takes %s and leaves %s, active %t; we say %+v, of %+v", w, reasons[i], e.Amount, got.Amount, got.Active, want, before[i])
		}
		if before[i].Active && !got.Active {
			n.deactivated++
		}
	}
}

// emittedIn returns a block's events of a kind by their worker.
func emittedIn(t *testing.T, c *devchain.Chain, block validator.Block, kind validator.StakeEventKind) map[validator.Address]validator.StakeEvent {
	t.Helper()
	out := map[validator.Address]validator.StakeEvent{}
	for _, e := range c.Emitted() {
		if e.Block.Number != block.Number || e.From != c.Contracts().ProverStaking {
			continue
		}
		if decoded, err := decodeStakeEvent(emittedEvent{keys: e.Keys, data: e.Data, block: block}); err == nil && decoded.Kind == kind {
			out[validator.Address(e.Keys[1])] = decoded
		}
	}
	return out
}

func stakesOf(t *testing.T, node *devchain.Node, c *devchain.Chain, wallets []validator.Address) []validator.Stake {
	t.Helper()
	out := make([]validator.Stake, len(wallets))
	for i, w := range wallets {
		out[i] = answerOf(t, node, c, decodeStake, "get_stake", w.Felt())
	}
	return out
}

// answerOf asks a view of ProverStaking at the newest block, and decodes the answer.
func answerOf[T any](t *testing.T, node *devchain.Node, c *devchain.Chain, decode func([]validator.Felt) (T, error), function string, calldata ...validator.Felt) T {
	t.Helper()
	var zero T
	if calldata == nil {
		calldata = []validator.Felt{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "starknet_call", "params": map[string]any{
		"request":  map[string]any{"contract_address": c.Contracts().ProverStaking, "entry_point_selector": Selector(function), "calldata": calldata},
		"block_id": "latest",
	}})
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Post(node.URL(), "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		Result []string
		Error  any
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.Error != nil {
		t.Fatalf("%s: %v %v", function, err, answer.Error)
	}
	felts := make([]validator.Felt, len(answer.Result))
	for i, s := range answer.Result {
		if felts[i], err = validator.ParseFelt(s); err != nil {
			t.Fatal(err)
		}
	}
	v, err := decode(felts)
	if err != nil {
		t.Errorf("%s %v", function, err)
		return zero
	}
	return v
}
