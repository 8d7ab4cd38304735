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
	f.Add("0x0165fe12b09dd5e6b692cbf59f9c3ea0af30a2616f248c150357b07b967039da")
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
