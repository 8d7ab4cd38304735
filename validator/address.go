package validator

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// Felt is a field element of Starknet in its one normal form: 0x and 64 lower-case
// hex digits. Equal felts are equal strings.
type Felt string

// Address is the address of an account or contract, in the normal form of Felt.
type Address string

// feltPrime is 2^251 + 17·2^192 + 1, the modulus of Starknet's field.
var feltPrime = func() *big.Int {
	p := new(big.Int).Lsh(big.NewInt(1), 251)
	p.Add(p, new(big.Int).Lsh(big.NewInt(17), 192))
	return p.Add(p, big.NewInt(1))
}()

// addressBound is 2^251 - 256, the first number that is no contract address
// (Starknet's documentation of contract addresses).
var addressBound = new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 251), big.NewInt(256))

// ErrNotFelt says that a text is no felt; the wrapping error says why.
var ErrNotFelt = errors.New("not a felt")

// ErrNotAddress says that a text is no address; the wrapping error says why.
var ErrNotAddress = errors.New("not a Starknet address")

// ParseFelt reads 0x followed by 1 to 64 hex digits of any case.
func ParseFelt(s string) (Felt, error) {
	digits, ok := strings.CutPrefix(strings.ToLower(s), "0x")
	if !ok {
		return "", fmt.Errorf("%w: it must begin with 0x", ErrNotFelt)
	}
	if n := len(digits); n < 1 || n > 64 {
		return "", fmt.Errorf("%w: it must have 1 to 64 hex digits after 0x, this has %d", ErrNotFelt, n)
	}
	for i, c := range digits {
		if !strings.ContainsRune("0123456789abcdef", c) {
			return "", fmt.Errorf("%w: character %d after 0x is not a hex digit", ErrNotFelt, i+1)
		}
	}
	f := Felt("0x" + strings.Repeat("0", 64-len(digits)) + digits)
	if f.Big().Cmp(feltPrime) >= 0 {
		return "", fmt.Errorf("%w: it must be below the field's prime 2^251 + 17·2^192 + 1", ErrNotFelt)
	}
	return f, nil
}

// FeltFromBig returns the felt of a number in [0, prime).
func FeltFromBig(v *big.Int) (Felt, error) {
	if v.Sign() < 0 || v.Cmp(feltPrime) >= 0 {
		return "", fmt.Errorf("%w: %s is outside the field", ErrNotFelt, v)
	}
	return Felt(fmt.Sprintf("0x%064x", v)), nil
}

// Big returns the number; an empty Felt is 0.
func (f Felt) Big() *big.Int {
	v, _ := new(big.Int).SetString(strings.TrimPrefix(string(f), "0x"), 16)
	if v == nil {
		return new(big.Int)
	}
	return v
}

// Short returns the felt without leading zeros, as RPC nodes write it: 0x1a2b.
func (f Felt) Short() string {
	d := strings.TrimLeft(strings.TrimPrefix(string(f), "0x"), "0")
	if d == "" {
		d = "0"
	}
	return "0x" + d
}

// ParseAddress reads every form of an address, 0x123 or 0x0…0123, upper or lower case,
// and returns its normal form. The zero address and numbers that no contract can have
// (2^251 - 256 and above) are refused.
func ParseAddress(s string) (Address, error) {
	f, err := ParseFelt(strings.TrimSpace(s))
	if err != nil {
		return "", fmt.Errorf("%w: %s", ErrNotAddress, strings.TrimPrefix(err.Error(), ErrNotFelt.Error()+": "))
	}
	switch v := f.Big(); {
	case v.Sign() == 0:
		return "", fmt.Errorf("%w: it is zero", ErrNotAddress)
	case v.Cmp(addressBound) >= 0:
		return "", fmt.Errorf("%w: it must be below 2^251 - 256", ErrNotAddress)
	}
	return Address(f), nil
}

// Felt returns the address as a felt.
func (a Address) Felt() Felt { return Felt(a) }

// Abbreviated returns the address's first and last digits, for places where the whole
// one stands near: 0x0165fe…39da.
func (a Address) Abbreviated() string {
	if len(a) < 14 {
		return string(a)
	}
	return string(a[:8] + "…" + a[len(a)-4:])
}
