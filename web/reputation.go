package web

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/bitsage-network/validator-dashboard/observe"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// How much of a reputation's history a page shows.
const (
	reputationOnPage = 20
	scoreStep        = 24 * time.Hour
	scoreSteps       = 365
)

// reputationRead is the history of a wallet's reputation, as the index of events has it.
type reputationRead struct {
	changes validator.Maybe[[]validator.ReputationRecord] // newest first
	older   validator.ReputationCursor                    // of the next page; zero: there is none
	scores  validator.Maybe[[]validator.ReputationPoint]  // by day, oldest first
	index   validator.Maybe[validator.IndexCursor]        // how far ReputationManager's events are known
	state   validator.SourceState
}

// readReputation reads a page of the changes of a wallet's score, and its score by day.
func (s *Server) readReputation(ctx context.Context, p validator.Picture, before validator.ReputationCursor, limit int, withScores bool) reputationRead {
	contract, ids := p.Chain.Reputation.Call.Contract, p.Chain.ReputationIDs()
	asked := s.reads(ctx)
	r := reputationRead{index: s.indexCursor(contract)}
	if contract == "" {
		why := p.Chain.Reputation.Reason()
		r.changes, r.scores = validator.None[[]validator.ReputationRecord](why), validator.None[[]validator.ReputationPoint](why)
		r.state = asked.State()
		return r
	}
	of := observe.ReputationSubject{Wallet: p.Address, Contract: contract, IDs: ids}
	var both sync.WaitGroup
	both.Go(func() {
		// One more than the page shows tells whether there are older ones.
		r.changes = asked.ReputationChanges(ctx, of, before, limit+1)
	})
	if withScores {
		both.Go(func() {
			since := p.Now.Truncate(scoreStep).Add(-(scoreSteps - 1) * scoreStep)
			r.scores = asked.ReputationScores(ctx, of, since, scoreStep, scoreSteps)
		})
	}
	both.Wait()
	if list := r.changes.Or(nil); len(list) > limit {
		r.changes, r.older = validator.Some(list[:limit]), list[limit-1].Cursor()
	}
	r.state = asked.State()
	return r
}

// indexCursor is how far the index has read a contract's events.
func (s *Server) indexCursor(contract validator.Address) validator.Maybe[validator.IndexCursor] {
	if s.index == nil {
		return validator.None[validator.IndexCursor]("this server keeps no index of events")
	}
	return s.index.IndexCursor(contract)
}

// points are what a chart of the score shows: its score by day, or every change while there
// are too few days.
func (r reputationRead) points(first bool) []validator.ReputationPoint {
	days := r.scores.Or(nil)
	if len(days) >= 3 || !first {
		return days
	}
	var out []validator.ReputationPoint
	for _, c := range slices.Backward(r.changes.Or(nil)) {
		out = append(out, validator.ReputationPoint{At: c.When(), Score: c.NewScore})
	}
	if len(out) < len(days) {
		return days
	}
	return out
}

// reach says how far the index of ReputationManager's events goes, in a sentence, and
// whether it ends before the block that the page is of.
func (r reputationRead) reach(head validator.Block, older bool) (string, bool) {
	c, known := r.index.Get()
	switch {
	case !known:
		return "How far ReputationManager's events are read is unknown: " + validator.Sentence(r.index.Reason()), false
	case c.Done == nil:
		return "ReputationManager's events have not been read yet.", true
	}
	from := ""
	if c.Start == validator.IndexFromSetting && c.First > 0 && !older {
		from = fmt.Sprintf(" INDEX_FROM_BLOCK leaves out what was before block %s.", integer(c.First))
	}
	const usual = 2 * time.Minute
	if behind := head.Time.Sub(c.Done.Time); head.Number > c.Done.Number && behind > usual {
		return fmt.Sprintf("Not complete: ReputationManager's events are read up to block %s, %s before the newest.%s", integer(c.Done.Number), validator.Ago(behind), from), true
	}
	return fmt.Sprintf("From ReputationManager's events of the blocks %s to %s.%s", integer(c.First), integer(c.Done.Number), from), false
}

// A cursor's text is the number of its block and its place there.
func cursorText(c validator.ReputationCursor) string {
	if c.IsZero() {
		return ""
	}
	return fmt.Sprintf("%d-%d", c.Block, c.Place)
}

// parseReputationCursor reads what cursorText wrote.
func parseReputationCursor(field, text string) (validator.ReputationCursor, error) {
	if text == "" {
		return validator.ReputationCursor{}, nil
	}
	block, place, _ := strings.Cut(text, "-")
	n, err := strconv.ParseUint(block, 10, 63)
	i, err2 := strconv.ParseInt(place, 10, 32)
	if err != nil || err2 != nil || i < 0 {
		return validator.ReputationCursor{}, badField(field, "must be a block's number and a place in it, such as 12345-0, as an answer's next_before tells it", text)
	}
	return validator.ReputationCursor{Block: n, Place: int(i)}, nil
}
