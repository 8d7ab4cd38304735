package chain

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// Events are identified by the chain's own numbers: the transaction's index in its block and
// the event's in the transaction's receipt. Nodes tell both since version 0.10 of the
// specification; of older ones the receipts and the blocks are asked for. Then the receipts
// also say which events there are, whatever a node left out or repeated in its pages.

// What is remembered at most: the events of so many transactions, and the transactions of so
// many blocks, some 4 MB each.
const (
	maxTxEventsKept = 4_096
	maxBlockTxsKept = 128
)

// receiptsPerBatch is how many receipts are asked for at once.
const receiptsPerBatch = 50

// txKey names a transaction in a block.
type txKey struct{ block, tx validator.Felt }

// txEvents remembers the numbered events of transactions, and where in their blocks
// transactions stand. It may be used from many goroutines.
type txEvents struct {
	mu     sync.Mutex
	txs    map[txKey][]emittedEvent
	blocks map[validator.Felt]blockTxs
}

// blockTxs are the places of a block's transactions by their hashes.
type blockTxs struct {
	number uint64
	places map[validator.Felt]int
}

func (t *txEvents) putBlock(hash validator.Felt, b blockTxs) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.blocks == nil || len(t.blocks) >= maxBlockTxsKept {
		t.blocks = make(map[validator.Felt]blockTxs)
	}
	t.blocks[hash] = b
}

func (t *txEvents) block(hash validator.Felt) (blockTxs, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	b, ok := t.blocks[hash]
	return b, ok
}

func (t *txEvents) put(k txKey, events []emittedEvent) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.txs == nil || len(t.txs) >= maxTxEventsKept {
		t.txs = make(map[txKey][]emittedEvent)
	}
	t.txs[k] = events
}

func (t *txEvents) get(k txKey) ([]emittedEvent, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	events, ok := t.txs[k]
	return events, ok
}

// numberEvents returns events in the chain's order, each once. Where the node does not number
// them, the receipts of their transactions are read, and all their events of the contracts
// that stand in the list are returned. The error is a *fault or ctx's.
func (c *Client) numberEvents(ctx context.Context, e *endpoint, events []emittedEvent, of func(validator.Address) bool) ([]emittedEvent, error) {
	var out []emittedEvent
	blocks := make(map[txKey]uint64)
	for _, ev := range events {
		if ev.numbered {
			out = append(out, ev)
		} else {
			blocks[txKey{ev.block.Hash, ev.tx}] = ev.block.Number
		}
	}
	if len(blocks) > 0 {
		txs, err := c.transactionsEvents(ctx, e, blocks)
		if err != nil {
			return nil, err
		}
		for _, all := range txs {
			for _, ev := range all {
				if of(ev.contract) {
					out = append(out, ev)
				}
			}
		}
	}
	return inChainOrder(out), nil
}

// inChainOrder sorts numbered events and drops what stands twice.
func inChainOrder(events []emittedEvent) []emittedEvent {
	slices.SortFunc(events, func(a, b emittedEvent) int {
		return cmp.Or(cmp.Compare(a.block.Number, b.block.Number), cmp.Compare(a.txIndex, b.txIndex), cmp.Compare(a.index, b.index))
	})
	return slices.CompactFunc(events, func(a, b emittedEvent) bool { return a.id() == b.id() })
}

// transactionsEvents reads all events of transactions, by the block that holds each. One that
// the block does not hold has none.
func (c *Client) transactionsEvents(ctx context.Context, e *endpoint, txs map[txKey]uint64) (map[txKey][]emittedEvent, error) {
	out := make(map[txKey][]emittedEvent)
	var ask []txKey
	for k := range txs {
		if events, ok := c.txEvents.get(k); ok {
			out[k] = events
		} else {
			ask = append(ask, k)
		}
	}
	slices.SortFunc(ask, func(a, b txKey) int {
		return cmp.Or(cmp.Compare(txs[a], txs[b]), cmp.Compare(a.tx, b.tx))
	})
	places, err := c.transactionPlaces(ctx, e, ask, txs)
	if err != nil {
		return nil, err
	}
	for batch := range slices.Chunk(ask, receiptsPerBatch) {
		calls := make([]*rpcCall, len(batch))
		for i, k := range batch {
			calls[i] = receiptCall(k.tx)
		}
		if err := e.batch(ctx, calls); err != nil {
			return nil, err
		}
		for i, k := range batch {
			place, held := places[k]
			if !held {
				out[k] = nil
				continue
			}
			events, err := e.decodeReceiptEvents(calls[i], k, txs[k], place)
			if err != nil {
				return nil, err
			}
			c.txEvents.put(k, events)
			out[k] = events
		}
	}
	return out, nil
}

// transactionPlaces reads the indexes of transactions in their blocks, of which the node has
// said the numbers. One that its block does not hold is left out.
func (c *Client) transactionPlaces(ctx context.Context, e *endpoint, txs []txKey, numbers map[txKey]uint64) (map[txKey]int, error) {
	blocks := make(map[validator.Felt]blockTxs)
	var ask []validator.Felt
	for _, k := range txs {
		if _, asked := blocks[k.block]; asked {
			continue
		}
		b, known := c.txEvents.block(k.block)
		blocks[k.block] = b
		if !known {
			ask = append(ask, k.block)
		}
	}
	for batch := range slices.Chunk(ask, headersPerBatch) {
		calls := make([]*rpcCall, len(batch))
		for i, hash := range batch {
			calls[i] = headerCall(hash)
		}
		if err := e.batchAtBlock(ctx, calls); err != nil {
			return nil, err
		}
		for i, call := range calls {
			b, err := e.decodeHeader(call, batch[i])
			if err != nil {
				return nil, err
			}
			c.blockTimes.put(b)
			held, err := e.decodeTransactions(call)
			if err != nil {
				return nil, err
			}
			blocks[b.Hash] = blockTxs{b.Number, held}
			c.txEvents.putBlock(b.Hash, blocks[b.Hash])
		}
	}
	places := make(map[txKey]int, len(txs))
	for _, k := range txs {
		b := blocks[k.block]
		if b.number != numbers[k] {
			return nil, e.nonsense("events", errors.New("an event's block has another number than the block itself"))
		}
		if place, held := b.places[k.tx]; held {
			places[k] = place
		}
	}
	return places, nil
}

// decodeTransactions reads the places of a block's transactions from the answer to headerCall.
func (e *endpoint) decodeTransactions(call *rpcCall) (map[validator.Felt]int, error) {
	var held struct {
		Txs []json.RawMessage `json:"transactions"`
	}
	if err := json.Unmarshal(call.raw, &held); err != nil {
		return nil, e.nonsense("a block", err)
	}
	places := make(map[validator.Felt]int, len(held.Txs))
	for place, raw := range held.Txs {
		tx, err := parseFelt(raw)
		if err != nil {
			return nil, e.nonsense("a block", err)
		}
		places[tx] = place
	}
	return places, nil
}

// decodeReceiptEvents reads the events of a transaction that a block holds at a place.
func (e *endpoint) decodeReceiptEvents(call *rpcCall, k txKey, number uint64, place int) ([]emittedEvent, error) {
	r, err := e.decodeReceipt(call, k.tx)
	if err != nil {
		return nil, err
	}
	if r == nil || r.BlockHash == nil {
		return nil, e.blockGone() // the block holds it: what answers are nodes that are not equally far
	}
	if hash, err := parseFelt(r.BlockHash); err != nil || hash != k.block {
		return nil, e.blockGone()
	}
	if len(r.Events) > validator.MaxEventsPerTransaction {
		return nil, e.nonsense("a receipt", fmt.Errorf("it has %d events", len(r.Events)))
	}
	events := make([]emittedEvent, len(r.Events))
	for i, w := range r.Events {
		ev := emittedEvent{block: validator.Block{Number: number, Hash: k.block}, tx: k.tx, numbered: true, txIndex: place, index: i}
		from, err := parseFelt(w.From)
		if err == nil {
			ev.contract = validator.Address(from)
			ev.keys, err = parseFelts(w.Keys)
		}
		if err == nil {
			ev.data, err = parseFelts(w.Data)
		}
		if err != nil {
			return nil, e.nonsense("a receipt", errors.Join(fmt.Errorf("event %d", i+1), err))
		}
		events[i] = ev
	}
	return events, nil
}
