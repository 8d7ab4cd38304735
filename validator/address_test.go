package validator

import (
	"errors"
	"strings"
	"testing"
)

func TestEveryFormOfAnAddressIsOneWallet(t *testing.T) {
	want := Address("0x" + strings.Repeat("0", 61) + "abc")
	for _, in := range []string{"0xabc", "0xABC", "0X0aBc", "0x" + strings.Repeat("0", 61) + "ABC", " 0xabc "} {
		got, err := ParseAddress(in)
		if err != nil || got != want {
			t.Errorf("%q: %s, %v", in, got, err)
		}
	}
}

func TestParseAddressSaysWhatIsWrong(t *testing.T) {
	for in, words := range map[string]string{
		"":                              "must begin with 0x",
		"abc":                           "must begin with 0x",
		"0x":                            "1 to 64 hex digits",
		"0x12g4":                        "character 3",
		"0x0":                           "zero",
		"0x" + strings.Repeat("f", 64):  "below the field's prime",
		"0x" + strings.Repeat("1", 65):  "this has 65",
		"0x7" + strings.Repeat("f", 62): "below 2^251 - 256",
	} {
		_, err := ParseAddress(in)
		if !errors.Is(err, ErrNotAddress) || !strings.Contains(err.Error(), words) {
			t.Errorf("%q: %v, want %q", in, err, words)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, s := range outsideFelts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress(s)
		if err != nil {
			return
		}
		again, err := ParseAddress(string(a))
		if err != nil || again != a || len(a) != 66 {
			t.Errorf("%q became %q, then %q, %v", s, a, again, err)
		}
	})
}

// outsideFelts are texts of the kinds that strangers send where a felt is expected.
var outsideFelts = []string{
	"0x0165fe12b09dd5e6b692cbf59f9c3ea0af30a2616f248c150357b07b967039da", "", "0", "0x", "0x0", "0X1", "\t0x123\n", "-0x1", "0x-1", "+1", "0x1g", "0x\x00", "\xff", "0x１",
	"0x" + strings.Repeat("0", 64), "0x" + strings.Repeat("f", 64), "0x" + strings.Repeat("0", 65) + "1",
	"0x0800000000000011000000000000000000000000000000000000000000000001", "0x07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff00",
}

func FuzzParseFelt(f *testing.F) {
	for _, s := range outsideFelts {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		v, err := ParseFelt(s)
		if err != nil {
			if v != "" || !errors.Is(err, ErrNotFelt) {
				t.Errorf("%q gives %q, %v", s, v, err)
			}
			return
		}
		again, err := FeltFromBig(v.Big())
		short, shortErr := ParseFelt(v.Short())
		if err != nil || shortErr != nil || again != v || short != v || len(v) != 66 {
			t.Errorf("%q becomes %q, its number %q, shorter %q, %v, %v", s, v, again, short, err, shortErr)
		}
	})
}
