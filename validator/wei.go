package validator

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// SAGEDecimals is the number of decimals of the SAGE token (SAGEToken.decimals).
const SAGEDecimals = 18

// Wei is an exact, immutable whole number of the token's smallest unit: 10^-18 SAGE.
// The zero Wei is 0. A difference of two amounts may be negative.
type Wei struct{ v *big.Int }

// maxU256 is the largest u256 of Cairo, 2^256 - 1.
var maxU256 = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))

// ErrNotAmount says that a text is no amount; the wrapping error says why.
var ErrNotAmount = errors.New("not an amount in wei")

// WeiFromBig returns an amount; later changes of v do not change it.
func WeiFromBig(v *big.Int) Wei { return Wei{new(big.Int).Set(v)} }

// WeiFromInt returns an amount.
func WeiFromInt(v int64) Wei { return Wei{big.NewInt(v)} }

// WeiFromSAGE returns whole SAGE as wei.
func WeiFromSAGE(sage int64) Wei {
	return Wei{new(big.Int).Mul(big.NewInt(sage), weiPerSAGE)}
}

var weiPerSAGE = new(big.Int).Exp(big.NewInt(10), big.NewInt(SAGEDecimals), nil)

// ParseWei reads a decimal whole number from 0 to 2^256 - 1, digits only.
func ParseWei(s string) (Wei, error) {
	if s == "" {
		return Wei{}, fmt.Errorf("%w: it is empty", ErrNotAmount)
	}
	if len(s) > 78 {
		return Wei{}, fmt.Errorf("%w: a u256 has at most 78 digits, this has %d", ErrNotAmount, len(s))
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return Wei{}, fmt.Errorf("%w: it must be decimal digits only, such as 1000000000000000000 for 1 SAGE", ErrNotAmount)
		}
	}
	v, _ := new(big.Int).SetString(s, 10)
	if v.Cmp(maxU256) > 0 {
		return Wei{}, fmt.Errorf("%w: it is above 2^256 - 1", ErrNotAmount)
	}
	return Wei{v}, nil
}

func (w Wei) big() *big.Int {
	if w.v == nil {
		return new(big.Int)
	}
	return w.v
}

// Big returns the number of wei; the caller may change it.
func (w Wei) Big() *big.Int { return new(big.Int).Set(w.big()) }

// Add returns w + x.
func (w Wei) Add(x Wei) Wei { return Wei{new(big.Int).Add(w.big(), x.big())} }

// Sub returns w - x, which may be negative.
func (w Wei) Sub(x Wei) Wei { return Wei{new(big.Int).Sub(w.big(), x.big())} }

// MulDiv returns floor(w * mul / div). div must not be 0.
func (w Wei) MulDiv(mul, div *big.Int) Wei {
	p := new(big.Int).Mul(w.big(), mul)
	return Wei{p.Div(p, div)}
}

// Cmp compares: -1, 0 or 1 for w below, equal to or above x.
func (w Wei) Cmp(x Wei) int { return w.big().Cmp(x.big()) }

// Sign is -1, 0 or 1.
func (w Wei) Sign() int { return w.big().Sign() }

// Equal says whether both are the same amount.
func (w Wei) Equal(x Wei) bool { return w.Cmp(x) == 0 }

// String returns the amount in wei as decimal digits.
func (w Wei) String() string { return w.big().String() }

// SAGE returns the amount in SAGE with thousands separators and every digit that is
// not a trailing zero: "1,234.5". No float is involved.
func (w Wei) SAGE() string {
	s := new(big.Int).Abs(w.big()).String()
	if len(s) <= SAGEDecimals {
		s = strings.Repeat("0", SAGEDecimals+1-len(s)) + s
	}
	whole, frac := s[:len(s)-SAGEDecimals], strings.TrimRight(s[len(s)-SAGEDecimals:], "0")
	var b strings.Builder
	if w.Sign() < 0 {
		b.WriteByte('-')
	}
	for i, c := range whole {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(c)
	}
	if frac != "" {
		b.WriteByte('.')
		b.WriteString(frac)
	}
	return b.String()
}

// Format returns the amount with its unit: "1,234.5 SAGE".
func (w Wei) Format() string { return w.SAGE() + " SAGE" }

// MarshalJSON writes a decimal string, since a JSON number loses digits in most readers.
func (w Wei) MarshalJSON() ([]byte, error) { return json.Marshal(w.String()) }

// UnmarshalJSON reads a decimal string; a JSON number is refused.
func (w *Wei) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return fmt.Errorf("%w: write it as a string of decimal digits", ErrNotAmount)
	}
	v, err := ParseWei(s)
	if err != nil {
		return err
	}
	*w = v
	return nil
}

// Scan reads a NUMERIC without a fraction (database/sql.Scanner).
func (w *Wei) Scan(src any) error {
	s, ok := src.(string)
	if !ok {
		return fmt.Errorf("%w: the database sent %T", ErrNotAmount, src)
	}
	v, ok := new(big.Int).SetString(s, 10)
	if !ok {
		return fmt.Errorf("%w: the database sent %q", ErrNotAmount, s)
	}
	w.v = v
	return nil
}

// Value writes a NUMERIC (database/sql/driver.Valuer).
func (w Wei) Value() (driver.Value, error) { return w.String(), nil }
