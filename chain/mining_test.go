package chain_test

import (
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func TestMiningRewardsAreReadWithTheWalletsOtherViews(t *testing.T) {
	noon := time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	c := devchain.New(devchain.Config{MiningRewards: true, Genesis: noon.Add(-48 * time.Hour)})
	c.SetStake(alice, aliceStake())
	c.RewardJob(alice)
	c.MineAt(noon.Add(-24 * time.Hour))
	for range 2 {
		c.RewardJob(alice)
	}
	c.MineAt(noon)
	r := newRigOn(t, c, 1)
	r.run(t)
	s := r.snapshot(alice)
	stats, known := s.Mining.Stats.Get()
	if !s.Mining.Configured || !known {
		t.Fatalf("mining: %+v", s.Mining)
	}
	// A stake of Gold earns 3 SAGE a job, and at most 200 a day.
	if stats.Jobs != 3 || !stats.Earned.Equal(validator.WeiFromSAGE(9)) || stats.DayJobs != 2 || !stats.DayEarned.Equal(validator.WeiFromSAGE(6)) {
		t.Errorf("stats: %+v", stats)
	}
	if at := stats.At(stats.Last, s.Block.Time); !at.Or(time.Time{}).Equal(noon) {
		t.Errorf("the newest reward is of %+v", at)
	}
	if tier := s.Mining.Tier.Or(-1); tier != validator.MiningTierGold {
		t.Errorf("tier %s", tier)
	}
	p := validator.Picture{Chain: s}
	day, known := p.MiningDay().Get()
	if !known || !day.Left.Equal(validator.WeiFromSAGE(194)) || !day.Cap.Equal(validator.WeiFromSAGE(200)) || !day.ResetsAt.Equal(noon.Add(12*time.Hour)) {
		t.Errorf("day: %+v (%v)", day, p.MiningDay().Reason())
	}
	if !s.WalletBalance.Or(validator.Wei{}).Equal(validator.WeiFromSAGE(9)) {
		t.Errorf("the rewards did not reach the wallet: %+v", s.WalletBalance)
	}

	for range 80 {
		c.RewardJob(alice)
	}
	s = r.seenAt(t, alice, c.MineAt(noon.Add(time.Hour)))
	day, _ = validator.Picture{Chain: s}.MiningDay().Get()
	if day.Left.Sign() != 0 || !day.Earned.Equal(validator.WeiFromSAGE(200)) || day.Jobs != 82 {
		t.Errorf("a day whose cap is reached: %+v", day)
	}
	s = r.seenAt(t, alice, c.MineAt(noon.Add(13*time.Hour)))
	day, _ = validator.Picture{Chain: s}.MiningDay().Get()
	if day.Jobs != 0 || day.Earned.Sign() != 0 || !day.Left.Equal(validator.WeiFromSAGE(200)) {
		t.Errorf("the next day: %+v", day)
	}

	r.breaks(0, devchain.Faults{Malformed: map[devchain.Function][]any{{Contract: c.Contracts().MiningRewards, Name: "get_worker_stats"}: zeros(8)}})
	s = r.seenAt(t, alice, c.Mine())
	if want := "MiningRewards.get_worker_stats answered 8 felts, 9 expected"; s.Mining.Stats.Reason() != want || !s.Mining.RemainingCap.Known() {
		t.Errorf("stats: %q, want %q; cap left: %+v", s.Mining.Stats.Reason(), want, s.Mining.RemainingCap)
	}
}

func TestWithoutMiningRewardsNothingIsAskedOfThem(t *testing.T) {
	r := running(t, 1)
	s := r.snapshot(alice)
	if s.Mining.Configured || s.Mining.Stats.Known() || s.Mining.Stats.Reason() != "MiningRewards has no address: set MINING_REWARDS_ADDRESS" {
		t.Errorf("mining: %+v", s.Mining)
	}
	for f := range r.nodes[0].Counters().Calls {
		if f.Contract == "" || f.Name == "get_remaining_cap" {
			t.Errorf("%+v was called", f)
		}
	}
}

func TestTheNetworksScoresAndSlashesAreRead(t *testing.T) {
	r := running(t, 1)
	r.chain.SetReputation(bob.Felt(), validator.Reputation{Score: 401, Level: 2})
	s := r.seenAt(t, alice, r.chain.Mine())
	score := uint64(aliceReputation().Score)
	if n := s.Network.Reputation.Or(validator.ReputationNetwork{}); n != (validator.ReputationNetwork{Workers: 2, Average: (score + 401) / 2, Highest: max(score, 401), Lowest: min(score, 401)}) {
		t.Errorf("network: %+v", n)
	}
	if !s.Network.TotalSlashed.Known() {
		t.Errorf("slashed: %s", s.Network.TotalSlashed.Reason())
	}
	if ids := s.ReputationIDs(); len(ids) != 1 || ids[0] != alice.Felt() {
		t.Errorf("ids: %v", ids)
	}
}
