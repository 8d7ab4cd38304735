package validator

import (
	"math/big"
	"time"
)

// Year is the year of ProverStaking's reward formula: 365 days.
const Year = 365 * 24 * time.Hour

// APYWindow is the longest window over which the realised yield is measured.
const APYWindow = Window30d

// apyMinimum is the shortest: less would extrapolate a few hours to a year.
const apyMinimum = 24 * time.Hour

// APY is a realised yearly yield.
type APY struct {
	Percent float64
	Earned  Wei           // in the window
	Stake   Wei           // that it is held against: today's
	Window  time.Duration // that was measured
}

// RealisedAPY is what the worker earned in APYWindow, or since its first
// earning, against today's stake and scaled to a year without compounding:
// earned / stake · 365 days / window. Missing without a stake or a day of history.
func RealisedAPY(e Maybe[Earnings], stake Maybe[Stake], now time.Time) Maybe[APY] {
	earned, ok := e.Get()
	if !ok {
		return None[APY](e.Reason())
	}
	s, ok := stake.Get()
	if !ok {
		return None[APY](stake.Reason())
	}
	if s.Amount.Sign() <= 0 {
		return None[APY]("nothing is staked, so there is nothing to hold earnings against")
	}
	if earned.First == nil {
		return None[APY]("nothing has been earned yet")
	}
	window := now.Sub(later(*earned.First, APYWindow.Start(now)))
	if window < apyMinimum {
		return None[APY]("the first earning is less than a day old")
	}
	r := new(big.Rat).SetFrac(earned.Last30d.Big(), s.Amount.Big())
	r.Mul(r, big.NewRat(int64(Year/time.Second)*100, int64(window/time.Second)))
	pct, _ := r.Float64()
	return Some(APY{Percent: pct, Earned: earned.Last30d, Stake: s.Amount, Window: window})
}
