package validator

import (
	"fmt"
	"math/big"
	"time"
)

// Prices are what the reader pays for power and gets for SAGE, in one currency.
type Prices struct {
	PerKWh       *big.Rat
	PerSAGE      *big.Rat // nil: what is observed counts
	Currency     string   // "EUR"; any short name of the reader's
	AssumedWatts *big.Rat // draw of all GPUs together while it is not measured; nil if not entered
}

// PowerResult is the earnings of some time net of power.
type PowerResult struct {
	Cost      *big.Rat // of the energy
	Income    *big.Rat // the earnings at the price of SAGE
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
	return NetOfEnergy(earned, KWhPerDay(milliwatts), prices)
}

// WithObserved fills in the price of SAGE that the reader left out by the one that was
// observed, if that counts at the time and is in the same currency; see UsableSAGEPrice.
func (p Prices) WithObserved(observed Maybe[*SAGEPrice], now time.Time) Maybe[Prices] {
	if p.PerSAGE != nil {
		return Some(p)
	}
	usable := UsableSAGEPrice(observed, now)
	price, counts := usable.Get()
	switch {
	case !counts:
		return None[Prices](usable.Reason())
	case price.Currency != p.Currency:
		return None[Prices]("the observed price of SAGE is in " + price.Currency + ", yours of power in " + p.Currency + ": enter one of SAGE in " + p.Currency)
	}
	p.PerSAGE = price.Amount
	return Some(p)
}
