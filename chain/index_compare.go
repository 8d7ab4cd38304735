package chain

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// EventDifference is a block of which other events of a contract are stored than the chain
// has.
type EventDifference struct {
	Contract string // its name, such as ProverStaking
	Block    uint64 // number
	Stored   int    // events
	Chain    int    // events
}

// EventComparison is what Compare found.
type EventComparison struct {
	Compared    []validator.IndexCursor // the contracts whose stored events were compared, up to their Done
	Skipped     []validator.IndexCursor // those of which events are stored that the client has no address of
	Events      int                     // of the chain
	Differences []EventDifference       // the first MaxEventDifferences, by blocks
	Differing   int                     // all of them
	First       uint64                  // number of the first block that differs, if one does
}

// MaxEventDifferences is how many differences Compare lists.
const MaxEventDifferences = 100

// Compare reads the events of every block whose events are stored from the nodes, as many
// blocks at a time as they take, and compares. It stores nothing. The error is ctx's, the
// store's, or says in words why the nodes did not serve.
func (x *Indexer) Compare(ctx context.Context) (EventComparison, error) {
	var out EventComparison
	index, err := x.store.ChainIndex(ctx)
	if err != nil {
		return out, err
	}
	own := x.contracts()
	for _, c := range index.Cursors {
		switch {
		case c.Done == nil:
		case index.ChainID == x.client.cfg.Network.ChainID && slices.ContainsFunc(own, func(k namedContract) bool { return k.address == c.Contract }):
			out.Compared = append(out.Compared, c)
		default:
			out.Skipped = append(out.Skipped, c)
		}
	}
	ctx = context.WithValue(ctx, patienceKey{}, x.cfg.Pause)
	for first := uint64(0); ; {
		group, last := x.comparable(out.Compared, first)
		if len(group) == 0 {
			return out, nil
		}
		first = max(first, group[0].First)
		last = min(last, first+x.spanNow()-1)
		read, err := x.readBeside(ctx, group, first, last)
		again, err := x.compareAgain(ctx, err)
		if err != nil {
			return out, err
		}
		if again {
			continue
		}
		x.wentWell()
		x.grow(read.last-first+1, read.foundEvents)
		out.Events += len(read.events)
		if differs(read.stored, read.events) {
			out.note(group, read.stored, read.events)
		}
		first = read.last + 1
	}
}

// comparable returns the contracts to compare next from a block on, and the last block up to
// which they are compared together: those of the same progress.
func (x *Indexer) comparable(cursors []validator.IndexCursor, first uint64) (group []validator.IndexCursor, last uint64) {
	for _, c := range cursors {
		switch {
		case c.Done.Number < first || c.First > c.Done.Number:
		case len(group) == 0:
			group, last = []validator.IndexCursor{c}, c.Done.Number
		case max(c.First, first) < max(group[0].First, first):
			group, last = []validator.IndexCursor{c}, min(c.Done.Number, group[0].First-1)
		case max(c.First, first) > max(group[0].First, first):
			last = min(last, c.First-1)
		default:
			group, last = append(group, c), min(last, c.Done.Number)
		}
	}
	// readBeside asks whether the chain still has the block up to which the first was read.
	slices.SortStableFunc(group, func(a, b validator.IndexCursor) int {
		return int(min(max(int64(b.Done.Number)-int64(a.Done.Number), -1), 1))
	})
	return group, last
}

// compareAgain decides on a failure to read whether to try again, with fewer blocks or later.
func (x *Indexer) compareAgain(ctx context.Context, err error) (again bool, _ error) {
	const mostTries = 6
	var o *outage
	switch {
	case err == nil:
		return false, nil
	case ctx.Err() != nil:
		return false, ctx.Err()
	case !errors.As(err, &o):
		return false, err
	case o.limitsRate() && x.failures < mostTries:
		x.failures++
		return sleep(ctx, x.cfg.Pause<<x.failures), ctx.Err()
	case !o.limitsRate() && o.limitsSize() && x.narrow(err):
		return true, nil
	}
	return false, errors.New(indexFailureWords(o))
}

// differs reports whether other events are stored than the chain has.
func differs(stored []validator.StoredEvent, found []validator.ChainEvent) bool {
	drop, add := reconcile(stored, found)
	return len(drop)+len(add) > 0 && !onlyNumbersDiffer(stored, found)
}

// note counts the events of each contract and block, and lists those that differ.
func (c *EventComparison) note(group []validator.IndexCursor, stored []validator.StoredEvent, found []validator.ChainEvent) {
	type spot struct {
		block    uint64
		contract validator.Address
	}
	type both struct {
		stored []validator.StoredEvent
		found  []validator.ChainEvent
	}
	spots := make(map[spot]*both)
	at := func(block uint64, contract validator.Address) *both {
		k := spot{block, contract}
		if spots[k] == nil {
			spots[k] = &both{}
		}
		return spots[k]
	}
	for _, e := range stored {
		b := at(e.BlockNumber, e.Contract)
		b.stored = append(b.stored, e)
	}
	for _, e := range found {
		b := at(e.Block.Number, e.Contract)
		b.found = append(b.found, e)
	}
	var differ []EventDifference
	for k, b := range spots {
		if !differs(b.stored, b.found) {
			continue
		}
		i := slices.IndexFunc(group, func(c validator.IndexCursor) bool { return c.Contract == k.contract })
		differ = append(differ, EventDifference{Contract: group[i].Name, Block: k.block, Stored: len(b.stored), Chain: len(b.found)})
	}
	slices.SortFunc(differ, func(a, b EventDifference) int {
		return cmp.Or(cmp.Compare(a.Block, b.Block), cmp.Compare(a.Contract, b.Contract))
	})
	if c.Differing == 0 && len(differ) > 0 {
		c.First = differ[0].Block
	}
	c.Differing += len(differ)
	c.Differences = append(c.Differences, differ[:min(len(differ), MaxEventDifferences-len(c.Differences))]...)
}
