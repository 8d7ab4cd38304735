package chain

import (
	"fmt"
	"math/big"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// decoder reads an answer felt by felt. The first felt out of its range stops it: what
// it returns afterwards is meaningless and finish says why.
type decoder struct {
	felts []validator.Felt
	err   error
}

// decodeExactly decodes an answer that must have exactly want felts. The error is a
// phrase for people that goes after the function's name: "answered 12 felts, 13 expected".
func decodeExactly[T any](felts []validator.Felt, want int, decode func(*decoder) T) (T, error) {
	var zero T
	if len(felts) != want {
		return zero, fmt.Errorf("answered %d felts, %d expected", len(felts), want)
	}
	d := &decoder{felts: felts}
	v := decode(d)
	if d.err != nil {
		return zero, d.err
	}
	return v, nil
}

func (d *decoder) next() *big.Int {
	if d.err != nil {
		return new(big.Int)
	}
	v := d.felts[0].Big()
	d.felts = d.felts[1:]
	return v
}

func (d *decoder) fail(field string, v *big.Int, why string) {
	if d.err == nil {
		d.err = fmt.Errorf("answered %s %#x, which is %s", field, v, why)
	}
}

// u256 reads two felts, low and high, each below 2^128.
func (d *decoder) u256(field string) validator.Wei {
	low, high := d.next(), d.next()
	for _, half := range []*big.Int{low, high} {
		if half.BitLen() > 128 {
			d.fail(field, half, "no half of a u256")
		}
	}
	return validator.WeiFromBig(high.Lsh(high, 128).Or(high, low))
}

func (d *decoder) u64(field string) uint64 {
	v := d.next()
	if !v.IsUint64() {
		d.fail(field, v, "no u64")
		return 0
	}
	return v.Uint64()
}

func (d *decoder) u32(field string) uint32 {
	v := d.next()
	if v.BitLen() > 32 {
		d.fail(field, v, "no u32")
		return 0
	}
	return uint32(v.Uint64())
}

func (d *decoder) boolean(field string) bool {
	v := d.next()
	if v.BitLen() > 1 {
		d.fail(field, v, "no bool")
	}
	return v.Sign() != 0
}

// index reads the index of an enum's variant, 0 to count-1.
func index[E ~int](d *decoder, field string, count E) E {
	v := d.next()
	if v.Cmp(big.NewInt(int64(count))) >= 0 {
		d.fail(field, v, fmt.Sprintf("no index below %d", count))
		return 0
	}
	return E(v.Int64())
}

// lastYear is the last second of year 9999, the last that a time is written for.
const lastYear = 253_402_300_799

// time reads a timestamp in seconds; 0 is a time that was never set.
func (d *decoder) time(field string) time.Time {
	s := d.u64(field)
	switch {
	case s == 0:
		return time.Time{}
	case s > lastYear:
		d.fail(field, new(big.Int).SetUint64(s), "no time before the year 10000")
		return time.Time{}
	}
	return time.Unix(int64(s), 0).UTC()
}

// duration reads a u64 of seconds.
func (d *decoder) duration(field string) time.Duration {
	s := d.u64(field)
	if s > uint64((1<<63-1)/time.Second) {
		d.fail(field, new(big.Int).SetUint64(s), "longer than 292 years")
		return 0
	}
	return time.Duration(s) * time.Second
}
