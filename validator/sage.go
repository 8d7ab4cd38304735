package validator

import (
	"errors"
	"math/big"
	"strings"
)

// ErrNotSAGE says what an amount of SAGE looks like.
var ErrNotSAGE = errors.New("must be a number of SAGE with a point before at most 18 decimals and nothing between thousands, such as 1250.5")

// maxWholeDigits bounds an amount that is entered: no u256 has more.
const maxWholeDigits = 59

// ParseSAGE reads an amount of SAGE as people enter it: digits, and after a point at most 18
// decimals. Commas are refused, since they mean one thing here and another there. The error
// is ErrNotSAGE.
func ParseSAGE(s string) (Wei, error) {
	whole, decimals, pointed := strings.Cut(strings.TrimSpace(s), ".")
	if whole == "" || pointed && decimals == "" || len(whole) > maxWholeDigits || len(decimals) > SAGEDecimals {
		return Wei{}, ErrNotSAGE
	}
	digits := whole + decimals + strings.Repeat("0", SAGEDecimals-len(decimals))
	if strings.Trim(digits, "0123456789") != "" {
		return Wei{}, ErrNotSAGE
	}
	v, ok := new(big.Int).SetString(digits, 10)
	if !ok {
		return Wei{}, ErrNotSAGE
	}
	return WeiFromBig(v), nil
}
