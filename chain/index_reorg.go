package chain

import (
	"context"
	"slices"
	"sort"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// undo removes from the index what the chain no longer has: everything after the newest
// block of those that were read which the chain still has.
func (x *Indexer) undo(ctx context.Context, index validator.ChainIndex, newest head) (more bool, err error) {
	remembered, err := x.remembered(ctx, index)
	if err != nil {
		return false, err
	}
	var common *validator.Block
	var replaced bool
	c := x.client
	err = c.pool.do(ctx, c.cfg.HistoryTimeout, func(ctx context.Context, e *endpoint) error {
		var err error
		common, replaced, err = e.newestCommon(ctx, remembered, newest)
		return besides(err)
	})
	if err != nil || !replaced {
		// Where nothing stands in the place of the blocks that are missing, the node is behind,
		// or their successors are still to come.
		return false, err
	}
	change := validator.IndexChange{ChainID: c.cfg.Network.ChainID, Reorg: true, Undo: common, At: c.cfg.Now()}
	if err := x.store.ChangeIndex(ctx, change); err != nil {
		return false, err
	}
	from := uint64(0)
	if common != nil {
		from = common.Number + 1
	}
	x.log.Warn("The chain was reorganised: events are read again", "from", from)
	return true, nil
}

// remembered are the blocks that the index remembers, newest first.
func (x *Indexer) remembered(ctx context.Context, index validator.ChainIndex) ([]validator.Block, error) {
	blocks, err := x.store.IndexedBlocks(ctx)
	if err != nil {
		return nil, err
	}
	for _, c := range index.Cursors {
		if c.Done != nil && !slices.ContainsFunc(blocks, func(b validator.Block) bool { return b.Hash == c.Done.Hash }) {
			blocks = append(blocks, *c.Done)
		}
	}
	slices.SortStableFunc(blocks, func(a, b validator.Block) int {
		return int(min(max(int64(b.Number)-int64(a.Number), -1), 1))
	})
	return blocks, nil
}

// newestCommon finds the newest of some blocks that the node's chain has, nil if it has
// none, and says whether it has another block in the place of a later one. They stand newest
// first. Reorganisations are shallow, so the newest are compared at once; of those before it
// is enough to halve: who has a block has those before it.
func (e *endpoint) newestCommon(ctx context.Context, known []validator.Block, newest head) (common *validator.Block, replaced bool, err error) {
	passed := slices.IndexFunc(known, func(b validator.Block) bool { return b.Number <= newest.number })
	if passed < 0 {
		return nil, false, nil
	}
	known = known[passed:]
	near := known[:min(len(known), headersPerBatch)]
	has, err := e.hasBlocks(ctx, near)
	if err != nil {
		return nil, false, err
	}
	if i := slices.Index(has, true); i >= 0 {
		return &near[i], i > 0, nil
	}
	far := known[len(near):]
	i := sort.Search(len(far), func(i int) bool {
		if err != nil {
			return true
		}
		var one []bool
		one, err = e.hasBlocks(ctx, far[i:i+1])
		return err == nil && one[0]
	})
	if err != nil || i == len(far) {
		return nil, err == nil, err
	}
	return &far[i], true, nil
}

// hasBlocks says of each block whether the node's chain has it at its height.
func (e *endpoint) hasBlocks(ctx context.Context, blocks []validator.Block) ([]bool, error) {
	calls := make([]*rpcCall, len(blocks))
	for i, b := range blocks {
		calls[i] = numberedHeaderCall(b.Number)
	}
	if err := e.batchAtBlock(ctx, calls); err != nil {
		return nil, err
	}
	has := make([]bool, len(blocks))
	for i, b := range blocks {
		h, err := e.decodeNumberedHeader(calls[i], b.Number)
		if err != nil {
			return nil, err
		}
		has[i] = h.Hash == b.Hash
	}
	return has, nil
}
