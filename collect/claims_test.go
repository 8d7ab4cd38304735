package collect

import (
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const wallet = validator.Address("0x0000000000000000000000000000000000000000000000000000000000000123")

func openClaimAt(n int, at time.Time) validator.Claim {
	return validator.Claim{Address: "0x1", TxHash: validator.Felt(fmt.Sprintf("0x%064x", n)), At: at, Status: validator.ClaimSubmitted}
}

// TestAClaimThatNeverArrivesIsAskedAboutEverMoreRarely, and a new one beside it at every look.
func TestAClaimThatNeverArrivesIsAskedAboutEverMoreRarely(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	lost := openClaimAt(1, start)
	asked := make(claimsAsked)
	var times []time.Duration
	for since := time.Duration(0); since <= 48*time.Hour; since += claimPoll {
		now := start.Add(since)
		fresh := openClaimAt(2+int(since/time.Minute), now.Add(-20*time.Second))
		due := asked.due([]validator.Claim{fresh, lost}, now)
		if !slices.ContainsFunc(due, func(c validator.Claim) bool { return c.TxHash == fresh.TxHash }) {
			t.Fatalf("after %s the new claim is not asked about", since)
		}
		if slices.ContainsFunc(due, func(c validator.Claim) bool { return c.TxHash == lost.TxHash }) {
			times = append(times, since)
		}
	}
	within := func(d time.Duration) int {
		n, _ := slices.BinarySearch(times, d)
		return n
	}
	if n := within(time.Minute); n != 12 {
		t.Errorf("in its first minute it was asked about %d times, want every 5 s", n)
	}
	if n := within(15 * time.Minute); n < 40 || n > 60 {
		t.Errorf("in the first quarter of an hour it was asked about %d times", n)
	}
	if n := len(times); n > 160 {
		t.Errorf("in two days it was asked about %d times", n)
	}
	if last := times[len(times)-1]; last < 40*time.Hour {
		t.Errorf("it was last asked about after %s: it is to be followed on", last)
	}
	if len(asked) != 2 {
		t.Errorf("%d claims are remembered of the two that are open", len(asked))
	}
}

// TestLostClaimsKeepNoOtherWaiting, however many there are.
func TestLostClaimsKeepNoOtherWaiting(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	var lost []validator.Claim
	for i := range claimsOpen - 1 {
		lost = append(lost, openClaimAt(1000+i, now.Add(-24*time.Hour)))
	}
	asked := make(claimsAsked)
	seen := make(map[validator.Felt]int)
	for look := range 20 {
		at := now.Add(time.Duration(look) * claimPoll)
		due := asked.due(append([]validator.Claim{openClaimAt(1, now)}, lost...), at)
		if len(due) > claimBatch || due[0].TxHash != openClaimAt(1, now).TxHash {
			t.Fatalf("look %d asks about %d claims, first about %s", look, len(due), due[0].TxHash.Short())
		}
		for _, c := range due {
			seen[c.TxHash]++
		}
	}
	if len(seen) != claimsOpen {
		t.Errorf("%d of %d claims were asked about", len(seen), claimsOpen)
	}
	if n := seen[lost[0].TxHash]; n != 1 {
		t.Errorf("a claim of yesterday was asked about %d times in %s", n, 20*claimPoll)
	}
}

// TestInventedClaimsKeepNoOtherWalletWaiting: some wallets have all the claims they may, of which the
// chain never tells, and another's is asked about at once and again at every look.
func TestInventedClaimsKeepNoOtherWalletWaiting(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	var open []validator.Claim
	for wallet := range 20 {
		for n := range db.MostOpenClaims {
			c := openClaimAt(1000*wallet+n, now)
			c.Address = validator.Address(fmt.Sprintf("0x%064x", 100+wallet))
			open = append(open, c)
		}
	}
	quiet := openClaimAt(7, now.Add(-time.Minute))
	open = append(open, quiet) // the last of all
	asked := make(claimsAsked)
	for look := range 10 {
		due := asked.due(open, now.Add(time.Duration(look)*claimPoll))
		if !slices.Contains(due, quiet) {
			t.Errorf("look %d does not ask about the quiet wallet's claim", look)
		}
		if len(due) != claimBatch {
			t.Errorf("look %d asks about %d claims", look, len(due))
		}
	}
}

// TestAClaimThatNoNodeKnowsExpiresAfterADay, and says so; one that a node knows is followed on.
func TestAClaimThatNoNodeKnowsExpiresAfterADay(t *testing.T) {
	simulated := devchain.New(devchain.Config{Genesis: time.Now().Add(-30 * 24 * time.Hour)})
	node := devchain.NewNode(simulated)
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Close() })
	simulated.SetBalance(wallet, validator.WeiFromSAGE(900_000))
	simulated.Stake(wallet, validator.WeiFromSAGE(1_000), validator.TierConsumer)
	simulated.Mine()
	network, err := chain.NetworkByName("sepolia")
	if err != nil {
		t.Fatal(err)
	}
	client, err := chain.New(chain.Config{RPCURLs: []string{node.URL()}, Network: network, Contracts: chain.Contracts(simulated.Contracts()), CallTimeout: time.Minute, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	store := dbtest.New(t)
	tracker := NewClaimTracker(ClaimTrackerConfig{Store: store, Chain: client, Log: slog.New(slog.DiscardHandler)})
	sent := simulated.ClaimRewards(wallet)
	simulated.PreConfirm()
	settled := func(tx validator.Felt, age time.Duration) validator.Claim {
		t.Helper()
		c, err := store.SubmitClaim(t.Context(), wallet, tx, validator.RewardStaking, store.Now().Add(-age))
		if err != nil {
			t.Fatal(err)
		}
		if err := tracker.settle(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if c, err = store.Claim(t.Context(), wallet, tx); err != nil {
			t.Fatal(err)
		}
		return c
	}
	if c := settled(openClaimAt(1, time.Time{}).TxHash, claimExpiry-time.Minute); c.Status != validator.ClaimSubmitted {
		t.Errorf("before a day has passed: %+v", c)
	}
	if c := settled(openClaimAt(2, time.Time{}).TxHash, claimExpiry+time.Minute); c.Status != validator.ClaimExpired || c.Failure != claimExpired {
		t.Errorf("after a day: %+v", c)
	}
	if c := settled(sent, claimExpiry+time.Minute); c.Status == validator.ClaimExpired {
		t.Errorf("a transaction that a node knows: %+v", c)
	}
}
