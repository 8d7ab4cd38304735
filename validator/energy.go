package validator

import (
	"math/big"
	"time"
)

// MeasuredEnergy is what a wallet's GPUs used in a range of days, as far as their samples
// tell. Two samples of a GPU at most five minutes apart cover the time between them.
type MeasuredEnergy struct {
	KWh     *big.Rat
	GPUs    int           // that were seen, of which some may not tell their power
	Covered time.Duration // GPU-time that is covered, summed over the GPUs
}

// RangeEnergy is what a wallet's GPUs used in a range of days, measured and assumed.
type RangeEnergy struct {
	Measured MeasuredEnergy
	Share    float64  // of the GPU-time of the range that is measured, 0 to 1
	Assumed  *big.Rat // kWh of the rest, at the draw that the reader entered
}

// KWh is the whole energy.
func (e RangeEnergy) KWh() *big.Rat { return new(big.Rat).Add(e.Measured.KWh, e.Assumed) }

// enoughMeasured is the share of the GPU-time from which on nothing needs to be assumed:
// what lies between two samples is never covered to the last second.
const enoughMeasured = 0.99

// MeasuredShare is the covered share of the time that has passed of a range, over all GPUs
// that were seen in it at all: one that does not tell its power is not covered.
func (m MeasuredEnergy) MeasuredShare(passed time.Duration) float64 {
	if m.GPUs == 0 || passed <= 0 {
		return 0
	}
	return min(float64(m.Covered)/(float64(passed)*float64(m.GPUs)), 1)
}

// EnergyOver is the energy of a range of which some time has passed. What is not measured is
// taken at the draw of all GPUs together that the reader assumes, in watts; without it, it
// is unknown.
func EnergyOver(m MeasuredEnergy, passed time.Duration, assumedWatts *big.Rat) Maybe[RangeEnergy] {
	e := RangeEnergy{Measured: m, Share: m.MeasuredShare(passed), Assumed: new(big.Rat)}
	switch {
	case e.Share >= enoughMeasured:
	case assumedWatts != nil:
		const wattSecondsPerKWh = 3_600_000
		rest := new(big.Rat).SetFloat64(passed.Seconds() * (1 - e.Share))
		e.Assumed.Mul(assumedWatts, rest).Quo(e.Assumed, big.NewRat(wattSecondsPerKWh, 1))
	case m.Covered == 0:
		return None[RangeEnergy]("no GPU's power was measured in this time: enter the watts to assume")
	default:
		return None[RangeEnergy]("not all of this time is measured: enter the watts to assume for the rest")
	}
	return Some(e)
}

// NetOfEnergy sets earnings against the energy that they took, in kWh. The prices must
// have one of SAGE.
func NetOfEnergy(earned Wei, kWh *big.Rat, prices Prices) PowerResult {
	cost := new(big.Rat).Mul(kWh, prices.PerKWh)
	sage := new(big.Rat).SetFrac(earned.Big(), weiPerSAGE)
	income := new(big.Rat).Mul(sage, prices.PerSAGE)
	r := PowerResult{Cost: cost, Income: income, Net: new(big.Rat).Sub(income, cost)}
	if sage.Sign() > 0 {
		r.BreakEven = new(big.Rat).Quo(cost, sage)
	}
	return r
}
