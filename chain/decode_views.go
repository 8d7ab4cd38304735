package chain

import (
	"fmt"
	"math/big"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// How many felts each view answers.
const (
	stakeFelts      = 13
	configFelts     = 18
	reputationFelts = 8
	repNetworkFelts = 4
	miningFelts     = 9
)

// Bounds of a reputation.
const (
	maxScore = 1000
	maxLevel = 5
)

func decodeStake(felts []validator.Felt) (validator.Stake, error) {
	return decodeExactly(felts, stakeFelts, func(d *decoder) validator.Stake {
		return validator.Stake{
			Amount:              d.u256("amount"),
			LockedAmount:        d.u256("locked_amount"),
			StakedAt:            d.time("staked_at"),
			LastClaimAt:         d.time("last_claim_at"),
			Tier:                index(d, "gpu_tier", validator.TierCount),
			Active:              d.boolean("is_active"),
			ConsecutiveFailures: d.u32("consecutive_failures"),
			TotalSlashed:        d.u256("total_slashed"),
			PendingRewards:      d.u256("pending_rewards"),
		}
	})
}

func decodeConfig(felts []validator.Felt) (validator.StakingConfig, error) {
	return decodeExactly(felts, configFelts, func(d *decoder) validator.StakingConfig {
		var c validator.StakingConfig
		for i := range c.MinStake {
			c.MinStake[i] = d.u256("min_stake of " + validator.Tier(i).String())
		}
		for i := range c.SlashBasisPoints {
			c.SlashBasisPoints[i] = d.u32("slash for " + validator.SlashReason(i).String())
		}
		c.UnstakeLockup = d.duration("unstake_lockup_secs")
		c.RewardAPYBasisPoints = d.u32("reward_apy_bps")
		c.MaxConsecutiveFailures = d.u32("max_consecutive_failures")
		return c
	})
}

func decodeReputation(felts []validator.Felt) (validator.Reputation, error) {
	return decodeExactly(felts, reputationFelts, func(d *decoder) validator.Reputation {
		r := validator.Reputation{
			Score:       d.u32("score"),
			Level:       d.u32("level"),
			LastUpdated: d.time("last_updated"),
			TotalJobs:   d.u64("total_jobs"),
			Successful:  d.u64("successful"),
			Failed:      d.u64("failed"),
			Disputes:    d.u64("disputes"),
			Slashes:     d.u64("slashes"),
		}
		if r.Score > maxScore {
			d.fail("score", big.NewInt(int64(r.Score)), fmt.Sprintf("above %d", maxScore))
		}
		if r.Level > maxLevel || r.Level == 0 && r.Initialised() {
			d.fail("level", big.NewInt(int64(r.Level)), fmt.Sprintf("outside 1 to %d", maxLevel))
		}
		return r
	})
}

func decodeReputationNetwork(felts []validator.Felt) (validator.ReputationNetwork, error) {
	return decodeExactly(felts, repNetworkFelts, func(d *decoder) validator.ReputationNetwork {
		return validator.ReputationNetwork{Workers: d.u64("workers"), Average: d.u64("average"), Highest: d.u64("highest"), Lowest: d.u64("lowest")}
	})
}

func decodeMiningStats(felts []validator.Felt) (validator.MiningStats, error) {
	return decodeExactly(felts, miningFelts, func(d *decoder) validator.MiningStats {
		return validator.MiningStats{
			Jobs: d.u64("jobs"), Earned: d.u256("earned"), Day: d.u64("day"), DayJobs: d.u64("day_jobs"), DayEarned: d.u256("day_earned"),
			First: d.u64("first"), Last: d.u64("last"),
		}
	})
}

func decodeMiningTier(felts []validator.Felt) (validator.MiningTier, error) {
	return decodeExactly(felts, 1, func(d *decoder) validator.MiningTier {
		return index(d, "stake_tier", validator.MiningTierCount)
	})
}

func decodeU256(felts []validator.Felt) (validator.Wei, error) {
	return decodeExactly(felts, 2, func(d *decoder) validator.Wei { return d.u256("amount") })
}

func decodeBool(felts []validator.Felt) (bool, error) {
	return decodeExactly(felts, 1, func(d *decoder) bool { return d.boolean("a value") })
}

func decodeU32(felts []validator.Felt) (uint32, error) {
	return decodeExactly(felts, 1, func(d *decoder) uint32 { return d.u32("a value") })
}

func decodeFelt(felts []validator.Felt) (validator.Felt, error) {
	if len(felts) != 1 {
		return "", fmt.Errorf("answered %d felts, 1 expected", len(felts))
	}
	return felts[0], nil
}
