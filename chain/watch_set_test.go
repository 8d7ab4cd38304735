package chain_test

import (
	"testing"

	"github.com/bitsage-network/validator-dashboard/validator"
)

func TestLookReadsEveryViewOfAWallet(t *testing.T) {
	r := running(t, 1)
	s := r.snapshot(alice)
	if s.State.Health != validator.HealthOK {
		t.Fatalf("state %+v", s.State)
	}
	if got, _ := s.Stake.Get(); !sameStake(got, aliceStake()) {
		t.Errorf("stake %+v, want %+v", got, aliceStake())
	}
	if got, ok := s.Eligible.Get(); !ok || !got {
		t.Errorf("eligible %v, %v", got, s.Eligible.Reason())
	}
	if got, _ := s.Reputation.Get(); got != aliceReputation() {
		t.Errorf("reputation %+v", got)
	}
	if got, _ := s.ReputationRank.Get(); got != 4 {
		t.Errorf("rank %d", got)
	}
	if got, _ := s.WalletBalance.Get(); !got.Equal(validator.WeiFromSAGE(77)) {
		t.Errorf("balance %s", got)
	}
	if got, ok := s.Network.TotalStaked.Get(); !ok || !got.Equal(validator.WeiFromSAGE(12_000)) {
		t.Errorf("total staked %s, %s", got, s.Network.TotalStaked.Reason())
	}
	cfg, ok := s.Network.Config.Get()
	if !ok || cfg.RewardAPYBasisPoints != 1500 || cfg.MaxConsecutiveFailures != 3 ||
		!cfg.MinStake[validator.TierFrontier].Equal(validator.WeiFromSAGE(25_000)) ||
		cfg.SlashBasisPoints[validator.SlashBenchmarkFraud] != 7500 || cfg.UnstakeLockup.Hours() != 168 {
		t.Errorf("config %+v, %s", cfg, s.Network.Config.Reason())
	}
	if s.Block != r.chain.Head() || s.Network.Block != s.Block || s.State.Block != s.Block.Number {
		t.Errorf("block %+v, network %+v, state %d, head %+v", s.Block, s.Network.Block, s.State.Block, r.chain.Head())
	}
}

func sameStake(a, b validator.Stake) bool {
	return a.Amount.Equal(b.Amount) && a.LockedAmount.Equal(b.LockedAmount) && a.StakedAt.Equal(b.StakedAt) &&
		a.LastClaimAt.Equal(b.LastClaimAt) && a.Tier == b.Tier && a.Active == b.Active &&
		a.ConsecutiveFailures == b.ConsecutiveFailures && a.TotalSlashed.Equal(b.TotalSlashed) &&
		a.PendingRewards.Equal(b.PendingRewards)
}
