package chain

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	headersPerBatch   = 20    // a header comes with its block's transactions' hashes, some 30 KB
	maxBlockTimesKept = 8_192 // some 2 MB
)

// blockTimes remembers blocks by their hashes, for their timestamps: a hash stands for the
// same block for ever. It may be used from many goroutines.
type blockTimes struct {
	mu     sync.Mutex
	blocks map[validator.Felt]validator.Block
}

func (b *blockTimes) put(block validator.Block) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.blocks == nil || len(b.blocks) >= maxBlockTimesKept {
		b.blocks = make(map[validator.Felt]validator.Block)
	}
	b.blocks[block.Hash] = block
}

func (b *blockTimes) get(hash validator.Felt) (validator.Block, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	block, ok := b.blocks[hash]
	return block, ok
}

// readBlockTimes puts the times of the events' blocks into them, asking the node for those
// that no node told before. The error is a *fault or ctx's.
func (e *endpoint) readBlockTimes(ctx context.Context, known *blockTimes, events []emittedEvent) error {
	blocks := make(map[validator.Felt]validator.Block)
	var ask []validator.Felt
	for _, ev := range events {
		hash := ev.block.Hash
		if _, seen := blocks[hash]; seen {
			continue
		}
		b, ok := known.get(hash)
		blocks[hash] = b
		if !ok {
			ask = append(ask, hash)
		}
	}
	for batch := range slices.Chunk(ask, headersPerBatch) {
		calls := make([]*rpcCall, len(batch))
		for i, hash := range batch {
			calls[i] = headerCall(hash)
		}
		if err := e.batchAtBlock(ctx, calls); err != nil {
			return err
		}
		for i, call := range calls {
			b, err := e.decodeHeader(call, batch[i])
			if err != nil {
				return err
			}
			blocks[b.Hash] = b
			known.put(b)
		}
	}
	for i := range events {
		b := &events[i].block
		if blocks[b.Hash].Number != b.Number {
			return e.nonsense("events", errors.New("an event's block has another number than the block itself"))
		}
		*b = blocks[b.Hash]
	}
	return nil
}
