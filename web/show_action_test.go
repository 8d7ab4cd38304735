package web

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// simulatingChain is a node on which every transaction costs half a STRK.
type simulatingChain struct {
	silentChain

	held *validator.Wei
}

func (c simulatingChain) Simulate(context.Context, validator.Address, []validator.ContractCall) (chain.Simulation, error) {
	fee, claimed := halfToken(1), validator.WeiFromSAGE(9)
	return chain.Simulation{FeeFRI: fee, FeeHeld: c.held, Claimed: &claimed}, nil
}

func halfToken(n int64) validator.Wei { return validator.WeiFromInt(n * 500_000_000_000_000_000) }

func TestAPreviewSaysWhetherTheAccountCanPayTheFee(t *testing.T) {
	store := dbtest.New(t)
	for name, c := range map[string]struct {
		held  *validator.Wei
		says  []string
		never []string
	}{
		"it is not known":  {nil, []string{"Fee, estimated", "0.5"}, []string{"In the account for fees", "less STRK", "hardly more STRK"}},
		"nothing":          {new(halfToken(0)), []string{"In the account for fees", "less STRK than the estimated fee", "Send some STRK"}, []string{"hardly more"}},
		"a wei too little": {new(halfToken(1).Sub(validator.WeiFromInt(1))), []string{"less STRK than the estimated fee"}, []string{"hardly more"}},
		"just the fee":     {new(halfToken(1)), []string{"In the account for fees", "hardly more STRK"}, []string{"less STRK"}},
		"enough":           {new(halfToken(2)), []string{"In the account for fees"}, []string{"less STRK", "hardly more STRK"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, store, func(cfg *Config) { cfg.Actions = simulatingChain{held: c.held} })
			w := visit(s, "/partials/preview?kind=claim&wallet="+string(alice))
			page := w.Body.String()
			if w.Code != http.StatusOK || !strings.Contains(page, "data-calls") {
				t.Fatalf("%d, the claim cannot be signed:\n%s", w.Code, page)
			}
			for _, words := range c.says {
				if !strings.Contains(page, words) {
					t.Errorf("the preview does not say %q", words)
				}
			}
			for _, words := range c.never {
				if strings.Contains(page, words) {
					t.Errorf("the preview says %q", words)
				}
			}
		})
	}
}
