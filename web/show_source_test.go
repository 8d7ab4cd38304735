package web

import (
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// laggingIndex is an index that is behind the chain.
type laggingIndex struct {
	knownIndex

	lag validator.Maybe[validator.IndexLag]
}

func (x laggingIndex) IndexLag() validator.Maybe[validator.IndexLag] { return x.lag }

func TestTheSourceBarSaysHowFarEventsAreBehind(t *testing.T) {
	store := dbtest.New(t)
	lag := func(blocks uint64, behind time.Duration, failure string) validator.Maybe[validator.IndexLag] {
		return validator.Some(validator.IndexLag{Block: validator.Block{Number: 54_321}, Blocks: blocks, Time: behind, Failure: failure})
	}
	for name, c := range map[string]struct {
		lag   validator.Maybe[validator.IndexLag]
		says  []string
		never string
	}{
		"up to date": {lag(0, 0, ""), []string{"Events known up to", "block 54,321", "Events are behind by", "nothing"}, "Newer events"},
		"one block":  {lag(1, 4*time.Second, ""), []string{"block 54,321", "1 block, 4.0 s"}, "Newer events"},
		"failing": {lag(1_200, 90*time.Minute, "The contracts' events cannot be read on: the node at a.example is failing (HTTP 502)."),
			[]string{"1,200 blocks, 1 h", "Newer events", "cannot be read on: the node at a.example is failing (HTTP 502)"}, "nothing"},
		"not known": {validator.None[validator.IndexLag]("no events have been read yet"), []string{"no events have been read yet"}, "Events are behind by"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, store, func(cfg *Config) { cfg.Index = laggingIndex{lag: c.lag} })
			_, page, _ := strings.Cut(visit(s, "/partials/sources?wallet="+string(alice)).Body.String(), `id="source-chain-more"`)
			page = strings.ReplaceAll(page, "&#39;", "'")
			for _, words := range c.says {
				if !strings.Contains(page, words) {
					t.Errorf("the page does not say %q:\n%s", words, page)
				}
			}
			if strings.Contains(page, c.never) {
				t.Errorf("the page says %q", c.never)
			}
		})
	}
}
