package chain

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// foundEvents is what was read of a span of blocks.
type foundEvents struct {
	reorg  bool // the chain no longer has a block up to which events had been read
	done   validator.Block
	head   *validator.Block // the chain's newest block, if its header was read
	blocks []validator.Block
	events []validator.ChainEvent
	pages  int  // of the contract that took most
	tried  bool // events were asked for, and the answer is what failed
}

// readSpan reads the events of contracts in the blocks from first to last, from the first
// node that serves it. A node that takes fewer blocks at once is passed over, unless none of
// the others serves.
func (x *Indexer) readSpan(ctx context.Context, group []validator.IndexCursor, first, last uint64, newest head) (foundEvents, error) {
	var found foundEvents
	var passedOver uint64 // the most blocks that such a node takes
	c := x.client
	err := c.pool.do(ctx, c.cfg.HistoryTimeout, func(ctx context.Context, e *endpoint) error {
		if f := e.takesFewer(last-first+1, &passedOver); f != nil {
			return besides(f)
		}
		found = foundEvents{}
		s := spanReader{Indexer: x, node: e, group: group, first: first, last: last, newest: newest, found: &found}
		if last == newest.number && last-first < followSpan {
			return besides(s.readEnd(ctx))
		}
		return besides(s.readPast(ctx))
	})
	if err != nil && passedOver > 0 && ctx.Err() == nil {
		return x.readSpan(ctx, group, first, first+passedOver-1, newest)
	}
	return found, err
}

// takesFewer is the fault of a node that is known to take fewer blocks at once; most becomes
// the most that such a node takes.
func (e *endpoint) takesFewer(n uint64, most *uint64) *fault {
	takes := e.limits.sizeOf(&e.limits.span)
	if n <= takes {
		return nil
	}
	*most = max(*most, takes)
	return &fault{kind: faultTooLarge, host: e.host, says: fmt.Sprintf("the node at %s tells the events of at most %s at once", e.host, blocks(takes))}
}

// spanReader reads one span from one node. Its errors are *fault or ctx's.
type spanReader struct {
	*Indexer

	node        *endpoint
	group       []validator.IndexCursor
	first, last uint64
	newest      head
	found       *foundEvents
}

// readEnd reads the newest blocks. Each header names the block before it, from the newest
// back to the last that was read: nothing can have come between.
func (s spanReader) readEnd(ctx context.Context) error {
	id := &rpcCall{method: "starknet_chainId"}
	calls := []*rpcCall{id}
	for n := s.first; n <= s.last; n++ {
		calls = append(calls, numberedHeaderCall(n))
	}
	if err := s.node.batchAtBlock(ctx, calls); err != nil {
		return err
	}
	if err := s.node.checkChain(id, s.client.cfg.Network.ChainID); err != nil {
		return err
	}
	times := make(map[uint64]validator.Block, len(calls))
	var before validator.Felt
	for i, call := range calls[1:] {
		h, err := s.node.decodeNumberedHeader(call, s.first+uint64(i))
		switch {
		case err != nil:
			return err
		case i == 0 && s.leaves(h.parent):
			s.found.reorg = true
			return nil
		case i > 0 && h.parent != before:
			return s.node.blockGone() // the chain changed while it was read
		}
		before, times[h.Number] = h.Hash, h.Block
		s.found.blocks = append(s.found.blocks, h.Block)
	}
	if before != s.newest.hash {
		return s.node.blockGone()
	}
	s.found.done = s.found.blocks[len(s.found.blocks)-1]
	s.found.head = &s.found.done
	emitted, err := s.readNumbered(ctx)
	if err != nil {
		return err
	}
	for i, e := range emitted {
		b := times[e.block.Number]
		if b.Hash != e.block.Hash {
			return s.node.nonsense("events", errors.New("an event's block is not the one at its height"))
		}
		emitted[i].block = b
	}
	s.keep(emitted)
	return nil
}

// leaves says whether the chain's block before the span is another than the one up to which
// a contract was read.
func (s spanReader) leaves(before validator.Felt) bool {
	return slices.ContainsFunc(s.group, func(c validator.IndexCursor) bool { return c.Done != nil && c.Done.Hash != before })
}

// readPast reads older blocks. Its events are those of the chain that ends in the span's
// last block, by whose hash they are asked for; that the block before the span is still the
// chain's is asked afterwards.
func (s spanReader) readPast(ctx context.Context) error {
	id, last := &rpcCall{method: "starknet_chainId"}, numberedHeaderCall(s.last)
	calls := []*rpcCall{id, last}
	newest, known := s.client.blockTimes.get(s.newest.hash)
	if !known {
		calls = append(calls, headerCall(s.newest.hash))
	}
	if err := s.node.batchAtBlock(ctx, calls); err != nil {
		return err
	}
	if err := s.node.checkChain(id, s.client.cfg.Network.ChainID); err != nil {
		return err
	}
	if !known {
		var err error
		if newest, err = s.node.decodeHeader(calls[2], s.newest.hash); err != nil {
			return err
		}
		s.client.blockTimes.put(newest)
	}
	done, err := s.node.decodeNumberedHeader(last, s.last)
	if err != nil {
		return err
	}
	s.found.done, s.found.head, s.found.blocks = done.Block, &newest, []validator.Block{done.Block}
	s.client.blockTimes.put(done.Block)
	emitted, err := s.readNumbered(ctx)
	if err != nil {
		return err
	}
	if err := s.node.readBlockTimes(ctx, &s.client.blockTimes, emitted); err != nil {
		return err
	}
	if s.found.reorg, err = s.left(ctx); err != nil || s.found.reorg {
		return err
	}
	s.keep(emitted)
	return nil
}

// left asks whether the chain still has the block before the span up to which contracts
// were read.
func (s spanReader) left(ctx context.Context) (bool, error) {
	if !slices.ContainsFunc(s.group, func(c validator.IndexCursor) bool { return c.Done != nil }) {
		return false, nil
	}
	before := numberedHeaderCall(s.first - 1)
	if err := s.node.batchAtBlock(ctx, []*rpcCall{before}); err != nil {
		return false, err
	}
	h, err := s.node.decodeNumberedHeader(before, s.first-1)
	return err == nil && s.leaves(h.Hash), err
}

// readNumbered reads the events of every contract of the span, in the chain's order.
func (s spanReader) readNumbered(ctx context.Context) ([]emittedEvent, error) {
	emitted, err := s.readContracts(ctx)
	if err != nil {
		return nil, err
	}
	s.found.tried = true // with fewer blocks there are fewer receipts
	emitted, err = s.client.numberEvents(ctx, s.node, emitted, s.reads)
	s.found.tried = err != nil
	return emitted, err
}

// reads says whether a contract's events are read.
func (s spanReader) reads(a validator.Address) bool {
	return slices.ContainsFunc(s.group, func(c validator.IndexCursor) bool { return c.Contract == a })
}

// readContracts reads the events of every contract of the span, a page of each at a time.
func (s spanReader) readContracts(ctx context.Context) ([]emittedEvent, error) {
	type reading struct {
		filter eventFilter
		token  string
		call   *rpcCall
		events []emittedEvent
	}
	s.found.tried = true
	readings := make([]*reading, len(s.group))
	for i, c := range s.group {
		readings[i] = &reading{filter: eventFilter{contract: c.Contract, from: max(s.first, c.First), to: s.found.done}}
	}
	open := slices.Clone(readings)
	total := 0
	for page := 1; len(open) > 0; page++ {
		calls := make([]*rpcCall, len(open))
		size := s.node.limits.sizeOf(&s.node.limits.page)
		for i, r := range open {
			r.call = r.filter.page(r.token, size)
			calls[i] = r.call
		}
		if err := s.node.batch(ctx, calls); err != nil {
			s.node.lowerSpan(s.last-s.first+1, err)
			return nil, err
		}
		if slices.ContainsFunc(calls, func(c *rpcCall) bool { return s.node.lowerPage(size, c.err) }) {
			return s.readContracts(ctx)
		}
		s.found.pages = page
		still := open[:0]
		for _, r := range open {
			events, next, err := s.node.decodeEvents(r.call, r.filter)
			if err != nil {
				s.node.lowerSpan(s.last-s.first+1, err)
				return nil, err
			}
			if next != "" && next == r.token {
				return nil, s.node.nonsense("events", errors.New("a page is followed by itself"))
			}
			r.events, total = append(r.events, events...), total+len(events)
			if r.token = next; next != "" {
				still = append(still, r)
			}
		}
		open = still
		if len(open) > 0 && s.tooMuch(page, total) {
			return nil, &fault{kind: faultTooLarge, host: s.node.host,
				says: fmt.Sprintf("the node at %s tells more events of %s than are read at a time", s.node.host, blocks(s.last-s.first+1))}
		}
	}
	s.found.tried = false
	s.node.limits.take(&s.node.limits.span, s.last-s.first+1)
	var all []emittedEvent
	for _, r := range readings {
		all = append(all, r.events...)
	}
	return all, nil
}

// tooMuch says whether to begin anew with fewer blocks. A single block has what it has.
func (s spanReader) tooMuch(pages, events int) bool {
	if s.first == s.last {
		return pages > maxEventPages
	}
	return pages >= s.cfg.MaxPages || events > s.cfg.MaxEvents
}

// keep notes events and reads what they tell.
func (s spanReader) keep(emitted []emittedEvent) {
	for _, e := range emitted {
		s.found.events = append(s.found.events, s.book.event(e))
	}
}
