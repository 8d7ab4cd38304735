package validator

import (
	"math/big"
	"time"
)

// rewardDivisor is what ProverStaking divides amount · APY · seconds by: basis points in
// a whole, times the seconds of its year.
var rewardDivisor = big.NewInt(10_000 * int64(Year/time.Second))

// Claimable returns what ProverStaking.claim_rewards() would pay in a block of the given
// time: the rewards that the contract has booked plus what has accrued since the last
// claim, in the contract's own integer arithmetic. A block time before the last claim
// adds nothing, and a worker that never staked has nothing to claim.
//
// Whether the claim succeeds is another question: it is paid out of the treasury.
func Claimable(stake Stake, cfg StakingConfig, blockTime time.Time) Wei {
	if !stake.Registered() {
		return Wei{}
	}
	return stake.PendingRewards.Add(accrued(stake, cfg, chainSeconds(blockTime)-chainSeconds(stake.LastClaimAt)))
}

// AccruedOver returns what the stake earns in d as long as the stake and the APY stay as
// they are, by the contract's arithmetic. Parts of a second count for nothing.
func AccruedOver(stake Stake, cfg StakingConfig, d time.Duration) Wei {
	if !stake.Registered() {
		return Wei{}
	}
	return accrued(stake, cfg, int64(d/time.Second))
}

func accrued(stake Stake, cfg StakingConfig, seconds int64) Wei {
	if seconds <= 0 {
		return Wei{}
	}
	rate := big.NewInt(int64(cfg.RewardAPYBasisPoints))
	return stake.Amount.MulDiv(rate.Mul(rate, big.NewInt(seconds)), rewardDivisor)
}

// chainSeconds is a time as contracts hold it: whole seconds since 1970, and 0 for one
// that was never set.
func chainSeconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
