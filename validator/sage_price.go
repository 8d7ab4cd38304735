package validator

import (
	"errors"
	"math/big"
	"strings"
	"time"
)

// SAGEPrice is what one SAGE was worth at a time.
type SAGEPrice struct {
	Amount   *big.Rat
	Currency string // "EUR"
	Source   string // the host that published it; "" if it was entered by hand
	At       time.Time
}

// ClaimPrice is what one SAGE was worth when a claim arrived.
type ClaimPrice struct {
	SAGEPrice

	ByHand bool // the wallet's owner entered it
}

// SAGEPriceStale is the age at which an observed price is no longer shown as live.
const SAGEPriceStale = 20 * time.Minute

// SAGEPriceCounts is the age up to which an observed price counts where none is entered.
const SAGEPriceCounts = 24 * time.Hour

// UsableSAGEPrice is the newest observed price if it counts at a time; observed holds nil if
// there never was one. From SAGEPriceStale on, a page says that it is not live.
func UsableSAGEPrice(observed Maybe[*SAGEPrice], now time.Time) Maybe[*SAGEPrice] {
	p, known := observed.Get()
	switch {
	case !known:
		return observed
	case p == nil:
		return None[*SAGEPrice]("no price of SAGE is entered, and none was observed")
	case now.Sub(p.At) > SAGEPriceCounts:
		return None[*SAGEPrice]("the newest price of SAGE of " + p.Source + " is from " + Ago(now.Sub(p.At)) + " ago, and none counts for more than a day: enter one by hand")
	}
	return observed
}

// Value is what an amount is worth at the price.
func (p SAGEPrice) Value(w Wei) *big.Rat {
	return new(big.Rat).Mul(new(big.Rat).SetFrac(w.Big(), weiPerSAGE), p.Amount)
}

// ErrNotPrice says what a price looks like.
var ErrNotPrice = errors.New("must be a number above 0 and at most 1,000,000,000, such as 0.25")

const (
	longestPrice  = 48 // characters
	priceDecimals = 30
)

// ParsePrice reads a price as JSON has it: digits, a point, an exponent. It keeps every digit
// of it. The error is ErrNotPrice.
func ParsePrice(s string) (*big.Rat, error) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(s), "e")
	const mostExponentDigits = 2
	if s == "" || len(s) > longestPrice || strings.Trim(mantissa, "0123456789.") != "" || len(strings.TrimLeft(exponent, "+-0")) > mostExponentDigits {
		return nil, ErrNotPrice
	}
	v, ok := new(big.Rat).SetString(s)
	if !ok || v.Sign() <= 0 || v.Cmp(big.NewRat(1_000_000_000, 1)) > 0 || v.Cmp(new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Exp(big.NewInt(10), big.NewInt(priceDecimals), nil))) < 0 {
		return nil, ErrNotPrice
	}
	return v, nil
}

// PriceText writes a price, or any sum of money, with the decimals that it has, at most 30.
func PriceText(v *big.Rat) string {
	s := v.FloatString(priceDecimals)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".")
}
