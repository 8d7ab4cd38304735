package chain

import (
	_ "embed"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// selectors are starknet_keccak of the names, as starknet.js computes them: what this
// program calls and listens to must be addressed by the same numbers.
//
//go:embed testdata/selectors.txt
var selectors string

func TestSelectorsAreThoseOfTheNetwork(t *testing.T) {
	n := 0
	for line := range strings.Lines(selectors) {
		name, want, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		n++
		felt, err := validator.ParseFelt(strings.TrimSpace(want))
		if err != nil {
			t.Fatal(err)
		}
		if got := selector(name); got != felt {
			t.Errorf("selector of %s is %s, want %s", name, got, felt)
		}
	}
	if n < 60 {
		t.Errorf("only %d selectors were compared", n)
	}
}

func TestShortStrings(t *testing.T) {
	f, err := validator.ParseFelt("0x534e5f5345504f4c4941")
	if err != nil {
		t.Fatal(err)
	}
	if got := shortStringFelt("SN_SEPOLIA"); got != f {
		t.Errorf("SN_SEPOLIA is %s", got)
	}
	if got, ok := shortString(f); !ok || got != "SN_SEPOLIA" {
		t.Errorf("%s reads %q", f, got)
	}
	for _, hex := range []string{"0x0", "0x01", "0xff"} {
		f, err := validator.ParseFelt(hex)
		if err != nil {
			t.Fatal(err)
		}
		if got, ok := shortString(f); ok {
			t.Errorf("%s reads %q, though it packs no text", hex, got)
		}
	}
}
