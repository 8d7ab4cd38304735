package devchain_test

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"github.com/bitsage-network/validator-dashboard/chain/devchain/testnet"
)

// TestTestnetWithStarknetJS drives the chain with an unmodified starknet.js.
func TestTestnetWithStarknetJS(t *testing.T) {
	n := testnet.Start(t)
	b, err := os.ReadFile("testdata/signin.json")
	if err != nil {
		t.Fatal(err)
	}
	var vector struct {
		TypedData json.RawMessage `json:"typed_data"`
	}
	if err := json.Unmarshal(b, &vector); err != nil {
		t.Fatal(err)
	}
	out := n.RunScript(t, "client.mjs", map[string]any{"message": vector.TypedData})
	checks := 0
	for line := range bytes.Lines(out) {
		var c struct {
			Check string
			Error *string
		}
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatalf("client.mjs wrote %q: %v", line, err)
		}
		checks++
		t.Run(c.Check, func(t *testing.T) {
			if c.Error != nil {
				t.Error(*c.Error)
			}
		})
	}
	want := 16
	if n.Devchain != nil {
		want++ // its answers are held against the specification too
	}
	if checks < want {
		t.Errorf("%d checks ran, %d expected", checks, want)
	}
}
