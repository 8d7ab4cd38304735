package validator

import (
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestWeiFormatsEveryDigit(t *testing.T) {
	for in, want := range map[string]string{
		"0":                               "0 SAGE",
		"1":                               "0.000000000000000001 SAGE",
		"1234500000000000000000":          "1,234.5 SAGE",
		"1000000000000000000000000000000": "1,000,000,000,000 SAGE",
		new(big.Int).Lsh(big.NewInt(1), 200).String(): "1,606,938,044,258,990,275,541,962,092,341,162,602,522,202.993782792835301376 SAGE",
	} {
		w, err := ParseWei(in)
		if err != nil {
			t.Fatal(err)
		}
		if got := w.Format(); got != want {
			t.Errorf("%s wei: got %s, want %s", in, got, want)
		}
	}
	if got := WeiFromSAGE(1).Sub(WeiFromSAGE(51)).Format(); got != "-50 SAGE" {
		t.Errorf("a shortfall reads %s", got)
	}
}

func TestWeiFormatKeepsTheAmount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 32).Draw(t, "bytes")
		w := WeiFromBig(new(big.Int).SetBytes(b))
		whole, frac, _ := strings.Cut(strings.ReplaceAll(w.SAGE(), ",", ""), ".")
		back, _ := new(big.Int).SetString(whole+frac+strings.Repeat("0", SAGEDecimals-len(frac)), 10)
		if back.Cmp(w.Big()) != 0 {
			t.Fatalf("%s reads as %s", w, w.SAGE())
		}
		var again Wei
		j, err := json.Marshal(w)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(j, &again); err != nil || !again.Equal(w) {
			t.Fatalf("JSON %s reads as %s (%v)", j, again, err)
		}
	})
}

func TestParseWeiRefuses(t *testing.T) {
	for _, in := range []string{"", "-1", "+1", "1.0", "1e18", "0x10", " 1", strings.Repeat("9", 79), new(big.Int).Lsh(big.NewInt(1), 256).String()} {
		if _, err := ParseWei(in); !errors.Is(err, ErrNotAmount) {
			t.Errorf("%q: %v", in, err)
		}
	}
}

func FuzzParseWei(f *testing.F) {
	f.Add("1000000000000000000")
	f.Fuzz(func(t *testing.T, s string) {
		w, err := ParseWei(s)
		if err == nil && strings.TrimLeft(s, "0") != strings.TrimLeft(w.String(), "0") {
			t.Errorf("%q became %s", s, w)
		}
	})
}
