package chain

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// A node may have a block before it has that block's events, leave events out, or repeat
// them. So the newest blocks are read again while the chain goes on, the last few of them
// often, and every block once more when it is old: what was stored is then brought to what
// the chain has.
const settleDepth = 120 // blocks that a block must be old to be read for the last time

// rereadWindow is how many of the newest blocks are read again, and when.
type rereadWindow struct {
	blocks uint64
	step   uint64        // after so many new blocks
	after  time.Duration // or after a new block and so long

	number uint64 // the newest block when they were last read again
	hash   validator.Felt
	at     time.Time
}

// rereadWindows stand in the order of their widths.
type rereadWindows [2]rereadWindow

func newRereadWindows() rereadWindows {
	return rereadWindows{
		{blocks: 20, step: 5, after: 10 * time.Second},
		{blocks: settleDepth, step: 20, after: time.Minute},
	}
}

func (w *rereadWindow) due(newest head, now time.Time) bool {
	switch {
	case w.hash == newest.hash:
		return false
	case w.hash == "", newest.number <= w.number:
		return true
	}
	return newest.number-w.number >= w.step || now.Sub(w.at) >= w.after
}

// due returns how many blocks are to be read again, 0 for none.
func (w *rereadWindows) due(newest head, now time.Time) uint64 {
	for i := len(w) - 1; i >= 0; i-- {
		if w[i].due(newest, now) {
			return w[i].blocks
		}
	}
	return 0
}

// done notes that so many blocks were read again.
func (w *rereadWindows) done(blocks uint64, newest head, now time.Time) {
	for i := range w {
		if w[i].blocks <= blocks {
			w[i].number, w[i].hash, w[i].at = newest.number, newest.hash, now
		}
	}
}

// settledBy is up to which block the reading of blocks up to done settles them: those that are
// old already. It is nil if none is, or blocks before them are not settled.
func (x *Indexer) settledBy(group []validator.IndexCursor, done uint64, newest head) *uint64 {
	for _, c := range group {
		if c.NextToSettle() != c.Next() {
			return nil
		}
	}
	if newest.number < settleDepth {
		return nil
	}
	settled := min(done, newest.number-settleDepth)
	if settled < group[0].Next() {
		return nil
	}
	return &settled
}

// readAgain reads the newest blocks again if that is due, or old ones for the last time, and
// says whether there may be more to read. All contracts have been read up to the newest block.
func (x *Indexer) readAgain(ctx context.Context, index validator.ChainIndex, newest head) (more bool, err error) {
	var group []validator.IndexCursor
	for _, k := range x.contracts() {
		if c, ok := cursorOf(index, k.address); ok && c.Done != nil && c.Done.Hash == newest.hash {
			group = append(group, c)
		}
	}
	if len(group) == 0 {
		return false, nil
	}
	now := x.client.cfg.Now()
	if blocks := x.again.due(newest, now); blocks > 0 {
		for first := newest.number + 1 - min(blocks, newest.number+1); first <= newest.number; {
			last, err := x.reread(ctx, group, first, min(newest.number, first+x.spanNow()-1), false)
			if err != nil {
				return false, err
			}
			first = last + 1
		}
		x.again.done(blocks, newest, now)
	}
	return x.settleOld(ctx, group, newest)
}

// settleOld reads old blocks for the last time: of those contracts that are behind most, and
// no further than where the next is.
func (x *Indexer) settleOld(ctx context.Context, group []validator.IndexCursor, newest head) (more bool, err error) {
	if newest.number < settleDepth {
		return false, nil
	}
	last := newest.number - settleDepth
	slices.SortStableFunc(group, func(a, b validator.IndexCursor) int {
		return int(min(max(int64(a.NextToSettle())-int64(b.NextToSettle()), -1), 1))
	})
	first := group[0].NextToSettle()
	n := 1
	for n < len(group) && group[n].NextToSettle() == first {
		n++
	}
	if n < len(group) {
		last = min(last, group[n].NextToSettle()-1)
	}
	const atLeast = settleDepth / 2 // so that they are not read one by one
	if first > last || last-first+1 < atLeast && last == newest.number-settleDepth {
		return false, nil
	}
	_, err = x.reread(ctx, group[:n], first, min(last, first+x.spanNow()-1), true)
	return true, err
}

// reread reads blocks again and brings what is stored to what is found. It returns up to which
// block it did, and notes that they are settled if they are old.
func (x *Indexer) reread(ctx context.Context, group []validator.IndexCursor, first, last uint64, old bool) (uint64, error) {
	read, err := x.readBeside(ctx, group, first, last)
	if err != nil {
		return 0, err
	}
	drop, add := reconcile(read.stored, read.events)
	change := validator.IndexChange{
		ChainID: x.client.cfg.Network.ChainID, Read: group, Done: *group[0].Done, Drop: drop, Events: add, At: x.client.cfg.Now(),
	}
	if old {
		change.Settled = &read.last
	}
	switch {
	case len(drop)+len(add) > 0 && onlyNumbersDiffer(read.stored, read.events):
		x.log.Info("Stored events are numbered by their receipts", "from", first, "to", read.last, "events", len(drop))
	case len(drop)+len(add) > 0:
		x.log.Warn("Stored events are corrected by what the chain has", "from", first, "to", read.last, "stored", len(read.stored), "found", len(read.events))
	case !old:
		return read.last, nil
	}
	return read.last, x.store.ChangeIndex(ctx, change)
}

// storedAndFound is what is stored of some blocks, and what the chain has of them.
type storedAndFound struct {
	foundEvents

	stored []validator.StoredEvent
	last   uint64 // the number of the last of the blocks
}

// readBeside reads what is stored and what the chain has of the same blocks: of fewer than
// asked for if no node that serves takes so many. All contracts of the group have been read up
// to the block of the first, or to one before it, and the chain must still have that block.
func (x *Indexer) readBeside(ctx context.Context, group []validator.IndexCursor, first, last uint64) (storedAndFound, error) {
	contracts := make([]validator.Address, len(group))
	for i, c := range group {
		contracts[i] = c.Contract
	}
	read := storedAndFound{last: last}
	var err error
	if read.stored, err = x.store.StoredEvents(ctx, contracts, first, last); err != nil {
		return read, err
	}
	var passedOver uint64
	c := x.client
	err = c.pool.do(ctx, c.cfg.HistoryTimeout, func(ctx context.Context, e *endpoint) error {
		if f := e.takesFewer(last-first+1, &passedOver); f != nil {
			return besides(f)
		}
		read.foundEvents = foundEvents{}
		s := spanReader{Indexer: x, node: e, group: group, first: first, last: last, found: &read.foundEvents}
		return besides(s.readOver(ctx, read.stored))
	})
	switch {
	case err != nil && passedOver > 0 && ctx.Err() == nil:
		return x.readBeside(ctx, group, first, first+passedOver-1)
	case err != nil && read.tried:
		err = tooWide{err, last - first + 1}
	}
	return read, err
}

// readOver reads the span's events, and those of transactions of which stored events were not
// told this time: what a node leaves out is dropped only where the block itself denies it.
func (s spanReader) readOver(ctx context.Context, stored []validator.StoredEvent) error {
	until := s.group[0].Done
	id, last, end := &rpcCall{method: "starknet_chainId"}, numberedHeaderCall(s.last), numberedHeaderCall(until.Number)
	if err := s.node.batchAtBlock(ctx, []*rpcCall{id, last, end}); err != nil {
		return err
	}
	if err := s.node.checkChain(id, s.client.cfg.Network.ChainID); err != nil {
		return err
	}
	if h, err := s.node.decodeNumberedHeader(end, until.Number); err != nil {
		return err
	} else if h.Hash != until.Hash {
		return s.node.blockGone() // it follows another fork than what is stored
	}
	done, err := s.node.decodeNumberedHeader(last, s.last)
	if err != nil {
		return err
	}
	s.found.done = done.Block
	s.client.blockTimes.put(done.Block)
	emitted, err := s.readNumbered(ctx)
	if err != nil {
		return err
	}
	found := make(map[validator.EventID]bool, len(emitted))
	foundTx := make(map[txKey]bool)
	for _, e := range emitted {
		found[e.id()] = true
		foundTx[txKey{e.block.Hash, e.tx}] = true
	}
	doubted := make(map[txKey]uint64)
	for _, e := range stored {
		k := txKey{e.BlockHash, e.TxHash}
		if e.ByReceipt && !found[e.EventID] || !e.ByReceipt && !foundTx[k] {
			doubted[k] = e.BlockNumber
		}
	}
	txs, err := s.client.transactionsEvents(ctx, s.node, doubted)
	if err != nil {
		return err
	}
	for _, events := range txs {
		for _, e := range events {
			if s.reads(e.contract) {
				emitted = append(emitted, e)
			}
		}
	}
	emitted = inChainOrder(emitted)
	if err := s.node.readBlockTimes(ctx, &s.client.blockTimes, emitted); err != nil {
		return err
	}
	s.keep(emitted)
	return nil
}

// reconcile compares what is stored with what the chain has. It returns what is to be
// dropped, and all events of the transactions of which something is dropped or missing.
func reconcile(stored []validator.StoredEvent, found []validator.ChainEvent) (drop []validator.EventID, add []validator.ChainEvent) {
	has := make(map[validator.EventID]validator.ChainEvent, len(found))
	for _, e := range found {
		has[e.ID()] = e
	}
	right := make(map[validator.EventID]bool, len(stored))
	touched := make(map[txKey]bool)
	for _, e := range stored {
		on, ok := has[e.EventID]
		if ok && e.ByReceipt && e.HasDetail == on.HasDetail() && slices.Equal(e.Keys, on.Keys) && slices.Equal(e.Data, on.Data) {
			right[e.EventID] = true
			continue
		}
		drop = append(drop, e.EventID)
		touched[txKey{e.BlockHash, e.TxHash}] = true
	}
	for _, e := range found {
		if !right[e.ID()] {
			touched[txKey{e.Block.Hash, e.TxHash}] = true
		}
	}
	for _, e := range found {
		if touched[txKey{e.Block.Hash, e.TxHash}] {
			add = append(add, e)
		}
	}
	return drop, add
}

// onlyNumbersDiffer reports whether the same events are stored as the chain has, those that
// still have their older numbers apart from them.
func onlyNumbersDiffer(stored []validator.StoredEvent, found []validator.ChainEvent) bool {
	if len(stored) != len(found) {
		return false
	}
	count := make(map[string]int)
	key := func(id validator.EventID, hasDetail bool, keys, data []validator.Felt) string {
		return fmt.Sprint(id.Contract, id.BlockNumber, id.BlockHash, id.TxHash, hasDetail, keys, data)
	}
	has := make(map[validator.EventID]bool, len(found))
	for _, e := range found {
		has[e.ID()] = true
		count[key(e.ID(), e.HasDetail(), e.Keys, e.Data)]++
	}
	for _, e := range stored {
		k := key(e.EventID, e.HasDetail, e.Keys, e.Data)
		if count[k]--; count[k] < 0 || e.ByReceipt && !has[e.EventID] {
			return false
		}
	}
	return true
}
