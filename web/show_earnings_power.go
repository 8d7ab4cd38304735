package web

import (
	"fmt"
	"math/big"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// rangePower is what the energy of a range cost, and what is left of its earnings.
func (s *Server) rangePower(p validator.Picture, r earningsRead, report validator.EarningReport) []views.Row {
	entered, enteredErr := r.entry.prices()
	energy := validator.None[validator.RangeEnergy](r.energy.Reason())
	passed := report.Range.Length(p.Now)
	measured, has := r.energy.Get()
	if has {
		energy = validator.EnergyOver(measured, passed, entered.AssumedWatts)
	}
	rows := []views.Row{s.measuredRow(p.Address, report.Range, r.energy, passed)}
	if e, known := energy.Get(); known && e.Assumed.Sign() > 0 {
		rows = append(rows, views.Row{Label: "Assumed for the rest, at your " + decimal(entered.AssumedWatts) + " W", Value: kWhValue(e.Assumed)})
	}
	rows = append(rows, s.priceRow(r.price, entered))
	if enteredErr != nil {
		return append(rows, views.Row{Label: "Net of power", Value: views.Value{Reason: "Set your price of power to see it."}})
	}
	prices := entered.WithObserved(r.price, s.now())
	costs := validator.Map(energy, func(e validator.RangeEnergy) *big.Rat { return new(big.Rat).Mul(e.KWh(), entered.PerKWh) })
	earned := validator.EarnedWei(report.Total(report.Sums))
	type terms struct {
		sage   validator.Wei
		prices validator.Prices
	}
	priced := validator.Map2(earned, prices, func(w validator.Wei, p validator.Prices) terms { return terms{w, p} })
	net := validator.Map2(energy, priced, func(e validator.RangeEnergy, t terms) validator.PowerResult {
		return validator.NetOfEnergy(t.sage, e.KWh(), t.prices)
	})
	breakEven := views.Value{Reason: "Nothing was earned in this time."}
	switch cost, sage := costs.Or(nil), earned.Or(validator.Wei{}); {
	case !energy.Known():
		breakEven.Reason = validator.Sentence(energy.Reason())
	case !earned.Known():
		breakEven.Reason = validator.Sentence(earned.Reason())
	case sage.Sign() > 0:
		const decimals = 4
		price := new(big.Rat).Quo(cost, new(big.Rat).SetFrac(sage.Big(), validator.WeiFromSAGE(1).Big()))
		breakEven = views.Value{Text: price.FloatString(decimals), Unit: entered.Currency + " a SAGE", Title: validator.PriceText(price) + " " + entered.Currency}
	}
	sum := func(m validator.Maybe[*big.Rat]) views.Value {
		if v, known := m.Get(); known {
			return money(v, entered.Currency)
		}
		return views.Value{Reason: validator.Sentence(m.Reason())}
	}
	left := views.Row{Label: "Net of power", Value: sum(validator.Map(net, func(r validator.PowerResult) *big.Rat { return r.Net }))}
	if n, known := net.Get(); known && n.Net.Sign() < 0 {
		left.Tone = views.ToneWarn
	}
	return append(rows,
		views.Row{Label: "Earned, at that price", Value: sum(validator.Map(priced, func(t terms) *big.Rat {
			return validator.SAGEPrice{Amount: t.prices.PerSAGE}.Value(t.sage)
		}))},
		views.Row{Label: "Cost of power, at " + decimal(entered.PerKWh) + " " + entered.Currency + " a kWh", Value: sum(costs)},
		left,
		views.Row{Label: "Breaks even at", Value: breakEven},
	)
}

// measuredRow says how much energy was measured, and how much of the range that covers.
func (s *Server) measuredRow(wallet validator.Address, days validator.DayRange, energy validator.Maybe[validator.MeasuredEnergy], passed time.Duration) views.Row {
	row := views.Row{Label: "Measured energy of the GPUs", Origin: s.origin(wallet, periodFigure("energy", days), "the measured energy")}
	m, known := energy.Get()
	switch {
	case !known:
		row.Value = views.Value{Reason: validator.Sentence(energy.Reason())}
	case m.Covered == 0:
		row.Value = views.Value{Reason: "No sample of a GPU's power is stored for this time."}
	default:
		row.Value = kWhValue(m.KWh)
		row.Label += fmt.Sprintf(", which covers %s %% of the time of %s", percent(m.MeasuredShare(passed)*100), counted(uint64(m.GPUs), "GPU", "GPUs"))
	}
	return row
}

// priceRow says what one SAGE is taken to be worth, and who says so.
func (s *Server) priceRow(observed validator.Maybe[*validator.SAGEPrice], entered validator.Prices) views.Row {
	if entered.PerSAGE != nil {
		return views.Row{Label: "Price of SAGE, entered by hand", Value: views.Value{Text: decimal(entered.PerSAGE), Unit: entered.Currency}}
	}
	if p, known := observed.Get(); known && p == nil {
		return views.Row{Label: "Price of SAGE", Value: views.Value{Reason: "None is entered, and none was observed: set SAGE_PRICE_URL on the server, or enter one by hand."}}
	}
	usable := validator.UsableSAGEPrice(observed, s.now())
	p, counts := usable.Get()
	if !counts {
		return views.Row{Label: "Price of SAGE", Value: views.Value{Reason: validator.Sentence(usable.Reason())}}
	}
	row := views.Row{Label: "Price of SAGE, from " + p.Source + ", " + ago(s.now(), p.At), Value: views.Value{Text: validator.PriceText(p.Amount), Unit: p.Currency, Title: utc(p.At)}}
	if s.now().Sub(p.At) > validator.SAGEPriceStale {
		row.Label, row.Tone = "Price of SAGE, not live: from "+p.Source+", "+ago(s.now(), p.At), views.ToneWarn
	}
	return row
}

func kWhValue(v *big.Rat) views.Value {
	kwh, _ := v.Float64()
	return views.Value{Text: oneDecimal(kwh), Unit: "kWh"}
}

// worth is what an amount was worth at a recorded price.
func worth(amount validator.Wei, price *validator.ClaimPrice) views.Value {
	if price == nil {
		return views.Value{Reason: "No price is recorded."}
	}
	v := money(price.Value(amount), price.Currency)
	return v
}
