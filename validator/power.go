package validator

import (
	"fmt"
	"math/big"
)

// Prices are what the reader pays for power and gets for SAGE, in one currency.
type Prices struct {
	PerKWh   *big.Rat
	PerSAGE  *big.Rat
	Currency string // "EUR"; any short name of the reader's
}

// PowerResult is a day's earnings net of power.
type PowerResult struct {
	Cost      *big.Rat // of a day's energy
	Income    *big.Rat // a day's earnings at the price of SAGE
	Net       *big.Rat // Income − Cost
	BreakEven *big.Rat // the price of one SAGE at which Net is zero; nil if nothing was earned
}

// PowerDraw is what the wallet's GPUs draw now, in milliwatts; missing if one of those
// that answer does not tell. It is the cards' own draw, without the host around them.
func (p Picture) PowerDraw() Maybe[uint64] {
	var sum uint64
	answering := 0
	for _, g := range p.AllGPUs() {
		if g.MissingSince.Known() || g.Fault.Known() {
			continue
		}
		mw, known := g.PowerMilliwatts.Get()
		if !known {
			return None[uint64](fmt.Sprintf("GPU %d does not tell its power: %s", g.Index, g.PowerMilliwatts.Reason()))
		}
		sum += uint64(mw)
		answering++
	}
	if answering == 0 {
		return None[uint64]("no GPU answers")
	}
	return Some(sum)
}

// KWhPerDay is the energy of a day at a constant draw.
func KWhPerDay(milliwatts uint64) *big.Rat {
	const wattHoursPerDay, milliwattsPerKilowatt = 24, 1_000_000
	return new(big.Rat).SetFrac(new(big.Int).Mul(new(big.Int).SetUint64(milliwatts), big.NewInt(wattHoursPerDay)), big.NewInt(milliwattsPerKilowatt))
}

// NetOfPower sets a day's earnings against a day's energy at the draw given.
func NetOfPower(earned Wei, milliwatts uint64, prices Prices) PowerResult {
	cost := new(big.Rat).Mul(KWhPerDay(milliwatts), prices.PerKWh)
	sage := new(big.Rat).SetFrac(earned.Big(), weiPerSAGE)
	income := new(big.Rat).Mul(sage, prices.PerSAGE)
	r := PowerResult{Cost: cost, Income: income, Net: new(big.Rat).Sub(income, cost)}
	if sage.Sign() > 0 {
		r.BreakEven = new(big.Rat).Quo(cost, sage)
	}
	return r
}
