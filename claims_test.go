package main

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

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
