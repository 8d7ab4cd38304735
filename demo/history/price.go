package history

import (
	"math"
	"math/big"
	"time"

	"github.com/jackc/pgx/v5/pgtype"
)

// PriceCurrency is the currency of the story's price of SAGE.
const PriceCurrency = "USD"

// pricedFor is how far back the price was observed: claims before it have none.
const pricedFor = 270 * day

// The price is in tenths of a thousandth.
const (
	priceUnit     = 10_000
	priceDecimals = 4
)

// PriceAt is what one SAGE was worth at a time, to four decimals: it wanders about, and
// nobody's market is behind it.
func PriceAt(t time.Time) *big.Rat { return big.NewRat(priceIn(t), priceUnit) }

func priceIn(t time.Time) int64 {
	days := float64(t.Unix()) / day.Seconds()
	wave := func(length, height float64) float64 { return height * math.Sin(2*math.Pi*days/length) }
	const usual = 0.41
	return int64(math.Round((usual + wave(211, 0.09) + wave(37, 0.035) + wave(9.3, 0.012) + wave(1.7, 0.004) + wave(0.21, 0.002)) * priceUnit))
}

// prices writes the price as it was observed, which claims that are written later are given.
func (w writer) prices(s Story) error {
	if s.PriceSource == "" {
		return nil
	}
	const each = 30 * time.Minute
	var at []time.Time
	for t := s.ago(pricedFor).Truncate(each); t.Before(s.Now); t = t.Add(each) {
		at = append(at, t)
	}
	return w.copyRows("sage_prices", []string{"observed_at", "currency", "price", "source"}, rowsOf(at, func(t time.Time) []any {
		return []any{t, PriceCurrency, pgtype.Numeric{Int: big.NewInt(priceIn(t)), Exp: -priceDecimals, Valid: true}, s.PriceSource}
	}))
}
