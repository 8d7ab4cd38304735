package chain

import (
	"context"
	"slices"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// followSpan is how many blocks at the chain's end are read with all their headers, each
// linked to the one before it.
const followSpan = 16

// advance brings the index one step on, and says whether there is more to do.
func (x *Indexer) advance(ctx context.Context, index validator.ChainIndex) (more bool, err error) {
	newest, err := x.newest(ctx)
	if err != nil {
		return false, err
	}
	started, err := x.start(ctx, index, newest)
	if err != nil || started {
		return started, err
	}
	group, last := x.nextSpan(index, newest)
	if len(group) == 0 {
		return false, nil // none is deployed yet
	}
	first := group[0].Next()
	if first > newest.number {
		if more, err := x.settle(ctx, index, group, newest); err != nil || more {
			return more, err
		}
		if more, err := x.readAgain(ctx, index, newest); err != nil || more {
			return more, err
		}
		return false, x.dateFirstBlocks(ctx, index, newest)
	}
	found, err := x.readSpan(ctx, group, first, last, newest)
	switch {
	case err != nil && found.tried:
		return false, tooWide{err, last - first + 1}
	case err != nil:
		return false, err
	case found.reorg:
		return x.undo(ctx, index, newest)
	}
	change := validator.IndexChange{
		ChainID: x.client.cfg.Network.ChainID, Read: group, Done: found.done, Events: found.events, Blocks: found.blocks,
		Head: found.head, At: x.client.cfg.Now(), Settled: x.settledBy(group, found.done.Number, newest),
	}
	if err := x.store.ChangeIndex(ctx, change); err != nil {
		return false, err
	}
	if index.Failure != "" {
		x.log.Info("The contracts' events are read on")
	}
	x.grow(found.done.Number-first+1, found)
	return true, nil
}

// tooWide is a node's failure to tell the events of some blocks.
type tooWide struct {
	error

	blocks uint64
}

func (t tooWide) Unwrap() error { return t.error }

// newest is the chain's newest block: the one that the client follows, where it does, else
// what a node says.
func (x *Indexer) newest(ctx context.Context) (head, error) {
	c := x.client
	c.mu.Lock()
	running, known, fault := c.running, c.head, c.headFault
	c.mu.Unlock()
	switch {
	case running && fault != nil:
		return head{}, fault
	case running && known != nil:
		return *known, nil
	}
	var h head
	err := c.pool.do(ctx, c.cfg.CallTimeout, func(ctx context.Context, e *endpoint) error {
		var err error
		h, err = e.pollHead(ctx, c.cfg.Network.ChainID)
		return besides(err)
	})
	return h, err
}

// nextSpan chooses the contracts that are behind most, and the last block up to which they
// are read together: no further than where another contract is, so that it joins them.
func (x *Indexer) nextSpan(index validator.ChainIndex, newest head) (group []validator.IndexCursor, last uint64) {
	own := x.contracts()
	first, bound := uint64(0), newest.number
	for _, c := range index.Cursors {
		if !slices.ContainsFunc(own, func(k namedContract) bool { return k.address == c.Contract }) {
			continue
		}
		switch next := c.Next(); {
		case len(group) == 0 || next < first:
			if len(group) > 0 {
				bound = min(bound, first-1)
			}
			group, first = []validator.IndexCursor{c}, next
		case next == first:
			group = append(group, c)
		default:
			bound = min(bound, next-1)
		}
	}
	if left := newest.number - min(first, newest.number); left >= followSpan {
		bound = min(bound, newest.number-followSpan) // the chain's end is read by itself
	}
	return group, min(bound, first+x.spanNow()-1)
}

// spanNow is of how many blocks the events are asked for at once.
func (x *Indexer) spanNow() uint64 { return min(x.span, x.client.pool.widestSpan()) }

// settle ends a sweep whose contracts have all been read up to the newest block, if that is
// the block which was read.
func (x *Indexer) settle(ctx context.Context, index validator.ChainIndex, group []validator.IndexCursor, newest head) (more bool, err error) {
	for _, c := range group {
		switch {
		case c.Done == nil: // it begins in a block to come
		case c.Done.Number > newest.number, c.Done.Hash != newest.hash:
			return x.undo(ctx, index, newest)
		}
	}
	if index.Failure != "" {
		return false, x.store.ChangeIndex(ctx, validator.IndexChange{ChainID: x.client.cfg.Network.ChainID, At: x.client.cfg.Now()})
	}
	return false, nil
}

// grow asks for more blocks the next time, if these were easily read.
func (x *Indexer) grow(blocks uint64, found foundEvents) {
	const easySteps = 8
	if blocks < x.span || found.pages > x.cfg.MaxPages/4 || len(found.events) > x.cfg.MaxEvents/4 {
		return
	}
	if x.span < x.ceiling {
		x.span = min(2*x.span, x.ceiling)
		return
	}
	if x.easy++; x.easy >= easySteps {
		x.ceiling, x.easy = min(2*x.ceiling, x.cfg.LargestSpan), 0
	}
}
