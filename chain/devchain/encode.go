package devchain

import (
	"fmt"
	"math/big"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// feltOf writes a number that is known to lie in the field.
func feltOf(v *big.Int) validator.Felt { return validator.Felt(fmt.Sprintf("0x%064x", v)) }

func feltOfUint(v uint64) validator.Felt { return feltOf(new(big.Int).SetUint64(v)) }

func feltOfBool(v bool) validator.Felt {
	if v {
		return feltOfUint(1)
	}
	return feltOfUint(0)
}

// feltOfTime writes a timestamp as contracts hold it; 0 is a time that was never set.
func feltOfTime(t time.Time) validator.Felt {
	if t.IsZero() {
		return feltOfUint(0)
	}
	return feltOf(big.NewInt(t.Unix()))
}

// feltOfText packs a short string, ASCII of at most 31 bytes.
func feltOfText(s string) validator.Felt { return feltOf(new(big.Int).SetBytes([]byte(s))) }

// prime is 2^251 + 17·2^192 + 1, the modulus of Starknet's field.
func prime() *big.Int {
	p := new(big.Int).Lsh(big.NewInt(1), 251)
	p.Add(p, new(big.Int).Lsh(big.NewInt(17), 192))
	return p.Add(p, big.NewInt(1))
}

// feltOfInt writes a signed number as Cairo does: -1 is the field's prime less 1.
func feltOfInt(v int64) validator.Felt {
	b := big.NewInt(v)
	if v < 0 {
		b.Add(b, prime())
	}
	return feltOf(b)
}

// intOf reads a felt as an i32; it says false where Cairo's Serde would panic.
func intOf(f validator.Felt) (int32, bool) {
	v := f.Big()
	if v.BitLen() > 64 {
		v.Sub(v, prime())
	}
	if !v.IsInt64() || v.Int64() != int64(int32(v.Int64())) {
		return 0, false
	}
	return int32(v.Int64()), true
}

// mask128 is 2^128 - 1, the largest half of a u256.
func mask128() *big.Int {
	m := new(big.Int).Lsh(big.NewInt(1), 128)
	return m.Sub(m, big.NewInt(1))
}

// feltsOfU256 writes an amount as its low and high half.
func feltsOfU256(w validator.Wei) []validator.Felt {
	v := w.Big()
	low := new(big.Int).And(v, mask128())
	return []validator.Felt{feltOf(low), feltOf(v.Rsh(v, 128))}
}

// u256Of reads two felts as Cairo's Serde does; it says false where that would panic.
func u256Of(low, high validator.Felt) (validator.Wei, bool) {
	l, h := low.Big(), high.Big()
	if l.Cmp(mask128()) > 0 || h.Cmp(mask128()) > 0 {
		return validator.Wei{}, false
	}
	return validator.WeiFromBig(h.Lsh(h, 128).Or(h, l)), true
}

// felts joins single felts and groups of them.
func felts(groups ...any) []validator.Felt {
	var out []validator.Felt
	for _, g := range groups {
		switch g := g.(type) {
		case validator.Felt:
			out = append(out, g)
		case []validator.Felt:
			out = append(out, g...)
		case uint64:
			out = append(out, feltOfUint(g))
		case uint32:
			out = append(out, feltOfUint(uint64(g)))
		case bool:
			out = append(out, feltOfBool(g))
		case time.Time:
			out = append(out, feltOfTime(g))
		case validator.Wei:
			out = append(out, feltsOfU256(g)...)
		default:
			panic(fmt.Sprintf("devchain: cannot write a %T as felts", g))
		}
	}
	return out
}
