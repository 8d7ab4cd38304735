package validator

import (
	"math/big"
	"time"
)

// rewardDivisor is what ProverStaking divides amount · APY · seconds by: basis points in
// a whole, times the seconds of its year.
const rewardDivisor = 10_000 * int64(Year/time.Second)

// ClaimableFormula is everything that ProverStaking.claim_rewards() computes with, as plain
// numbers, so that a page can carry it on between blocks. At a time of t seconds since 1970
//
//	claimable = PendingWei + ⌊AmountWei · RewardAPYBasisPoints · max(t - LastClaimUnix, 0) / Divisor⌋
//
// in integers. In JSON amounts are strings of decimal digits.
type ClaimableFormula struct {
	PendingWei           Wei    `json:"pendingWei"` // booked by the contract
	AmountWei            Wei    `json:"amountWei"`  // staked
	RewardAPYBasisPoints uint32 `json:"rewardAPYBasisPoints"`
	LastClaimUnix        int64  `json:"lastClaimUnix"` // seconds; 0 if nothing was ever claimed
	BlockUnix            int64  `json:"blockUnix"`     // seconds: the time of the block that all this is of
	Divisor              int64  `json:"divisor"`
}

// ClaimableFormulaOf returns the formula of a stake as of a block of the given time. A
// worker that never staked has one that is always 0.
func ClaimableFormulaOf(stake Stake, cfg StakingConfig, blockTime time.Time) ClaimableFormula {
	f := ClaimableFormula{BlockUnix: chainSeconds(blockTime), Divisor: rewardDivisor}
	if stake.Registered() {
		f.PendingWei, f.AmountWei = stake.PendingRewards, stake.Amount
		f.RewardAPYBasisPoints, f.LastClaimUnix = cfg.RewardAPYBasisPoints, chainSeconds(stake.LastClaimAt)
	}
	return f
}

// At returns what a claim would pay in a block of a time in seconds since 1970. A time
// before the last claim adds nothing.
func (f ClaimableFormula) At(unix int64) Wei {
	return f.PendingWei.Add(f.accrued(unix - f.LastClaimUnix))
}

func (f ClaimableFormula) accrued(seconds int64) Wei {
	if seconds <= 0 {
		return Wei{}
	}
	rate := big.NewInt(int64(f.RewardAPYBasisPoints))
	return f.AmountWei.MulDiv(rate.Mul(rate, big.NewInt(seconds)), big.NewInt(f.Divisor))
}

// Claimable returns what ProverStaking.claim_rewards() would pay in a block of the given
// time: the rewards that the contract has booked plus what has accrued since the last
// claim, in the contract's own integer arithmetic. A block time before the last claim
// adds nothing, and a worker that never staked has nothing to claim.
//
// Whether the claim succeeds is another question: it is paid out of the treasury.
func Claimable(stake Stake, cfg StakingConfig, blockTime time.Time) Wei {
	f := ClaimableFormulaOf(stake, cfg, blockTime)
	return f.At(f.BlockUnix)
}

// AccruedOver returns what the stake earns in d as long as the stake and the APY stay as
// they are, by the contract's arithmetic. Parts of a second count for nothing.
func AccruedOver(stake Stake, cfg StakingConfig, d time.Duration) Wei {
	return ClaimableFormulaOf(stake, cfg, time.Time{}).accrued(int64(d / time.Second))
}

// chainSeconds is a time as contracts hold it: whole seconds since 1970, and 0 for one
// that was never set.
func chainSeconds(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.Unix()
}
