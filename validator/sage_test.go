package validator

import (
	"errors"
	"strings"
	"testing"
)

func TestParseSAGE(t *testing.T) {
	for entered, wei := range map[string]string{
		"1": "1000000000000000000", "0": "0", "0.000000000000000001": "1", "007": "7000000000000000000",
	} {
		if w, err := ParseSAGE(entered); err != nil || w.String() != wei {
			t.Errorf("%q is %s, %v; want %s", entered, w, err, wei)
		}
	}
	if w, err := ParseSAGE(" 1250.5\n"); err != nil || w.String() != "1250500000000000000000" {
		t.Errorf("with blanks around it: %s, %v", w, err)
	}
	for _, entered := range []string{"", ".", "1.", ".5", "-1", "+1", "1,250.5", "1e3", "0x10", "1 000", "1.0000000000000000001", "1.2.3", "١", strings.Repeat("9", 60)} {
		if w, err := ParseSAGE(entered); !errors.Is(err, ErrNotSAGE) {
			t.Errorf("%q is %s, %v", entered, w, err)
		}
	}
}

func FuzzParseSAGE(f *testing.F) {
	f.Add("1250.5")
	f.Add("1,2")
	f.Fuzz(func(t *testing.T, entered string) {
		w, err := ParseSAGE(entered)
		if err != nil {
			return
		}
		again, err := ParseSAGE(strings.ReplaceAll(w.SAGE(), ",", ""))
		if err != nil || !again.Equal(w) || w.Sign() < 0 || w.Big().BitLen() > 256 {
			t.Fatalf("%q was read as %s and then as %s, %v", entered, w, again, err)
		}
	})
}
