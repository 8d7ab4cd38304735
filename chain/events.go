package chain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/NethermindEth/juno/core/felt"
	"github.com/NethermindEth/starknet.go/rpc"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// What one read of events may cost. Nodes answer in pages, which may be short or empty where
// a node searches so many blocks at a time. Juno takes pages of 10,240 events, Pathfinder of
// 1,024, others of fewer: then smaller ones are asked for.
const (
	eventsPerPage = 500
	maxEventPages = 512
)

const methodGetEvents = "starknet_getEvents"

// eventFilter says which events of a contract are read, from a block to a block.
type eventFilter struct {
	contract validator.Address
	keys     [][]validator.Felt // alternatives by position
	from     uint64             // number
	to       validator.Block
}

// emittedEvent is an event as nodes tell it.
type emittedEvent struct {
	contract   validator.Address
	keys, data []validator.Felt
	block      validator.Block // without its time
	tx         validator.Felt

	numbered       bool // the chain's own numbers are known
	txIndex, index int  // of the transaction in the block, and of the event in the receipt
}

// id names the event; it must be numbered.
func (e emittedEvent) id() validator.EventID {
	return validator.EventID{Contract: e.contract, BlockNumber: e.block.Number, BlockHash: e.block.Hash, TxHash: e.tx, Index: e.index}
}

// page is the call for one page of so many events; the token is "" for the first.
func (f eventFilter) page(token string, events uint64) *rpcCall {
	keys := make([][]*felt.Felt, len(f.keys))
	for i, alternatives := range f.keys {
		keys[i] = make([]*felt.Felt, len(alternatives))
		for j, k := range alternatives {
			keys[i][j] = wireFelt(k)
		}
	}
	return &rpcCall{method: methodGetEvents, params: []any{rpc.EventsInput{
		EventFilter: rpc.EventFilter{
			FromBlock: rpc.WithBlockNumber(f.from), ToBlock: atBlock(f.to.Hash),
			Address: wireFelt(f.contract.Felt()), Keys: keys,
		},
		ResultPageRequest: rpc.ResultPageRequest{ContinuationToken: token, ChunkSize: int(events)},
	}}}
}

// query is the filter for people.
func (f eventFilter) query() validator.EventQuery {
	return validator.EventQuery{Contract: f.contract, Keys: f.keys, Block: f.to}
}

// admits says whether an event is one that was asked for.
func (f eventFilter) admits(e emittedEvent) bool {
	if len(e.keys) < len(f.keys) || e.block.Number < f.from || e.block.Number > f.to.Number {
		return false
	}
	for i, alternatives := range f.keys {
		if !slices.Contains(alternatives, e.keys[i]) {
			return false
		}
	}
	return true
}

// newestEvents reads all events that a filter finds, each once, and keeps the newest, in the
// chain's order; it also returns how many older ones were left out. The tokens of pages are a
// node's own, so every page comes from this one. The error is a *fault or ctx's.
func (c *Client) newestEvents(ctx context.Context, e *endpoint, f eventFilter, keep int) (kept []emittedEvent, omitted int, err error) {
	token := ""
	seen := make(map[validator.EventID]bool)
	for range maxEventPages {
		size := e.limits.sizeOf(&e.limits.page)
		call := f.page(token, size)
		if err := e.batch(ctx, []*rpcCall{call}); err != nil {
			return nil, 0, err
		}
		if e.lowerPage(size, call.err) {
			return c.newestEvents(ctx, e, f, keep) // from the first page on: what a token means is the node's own affair
		}
		page, next, err := e.decodeEvents(call, f)
		if err != nil {
			return nil, 0, err
		}
		page, err = c.numberEvents(ctx, e, page, func(a validator.Address) bool { return a == f.contract })
		if err != nil {
			return nil, 0, err
		}
		for _, ev := range page {
			if id := ev.id(); f.admits(ev) && !seen[id] {
				seen[id] = true
				kept = append(kept, ev)
			}
		}
		kept = inChainOrder(kept)
		if over := len(kept) - keep; over > 0 {
			kept, omitted = slices.Clone(kept[over:]), omitted+over
		}
		if next == "" {
			return kept, omitted, nil
		}
		if next == token {
			return nil, 0, e.nonsense("events", errors.New("a page is followed by itself"))
		}
		token = next
	}
	return nil, 0, &fault{kind: faultTooLarge, host: e.host,
		says: fmt.Sprintf("the node at %s answers in more than %d pages", e.host, maxEventPages)}
}

// lowerPage notes that the node refused a page for its size, and reports whether a smaller
// one may do.
func (e *endpoint) lowerPage(size uint64, refused error) bool {
	words := strings.ToLower(e.callWords(refused))
	ofPage := codeOf(refused) == codePageTooBig || strings.Contains(words, "page size") || strings.Contains(words, "chunk")
	if !ofPage {
		if refused == nil {
			e.limits.take(&e.limits.page, size)
		}
		return false
	}
	smaller, lowered := e.limits.refuse(&e.limits.page, size)
	if lowered {
		e.log.Info("Starknet node takes smaller pages of events", "node", e.host,
			"refused", size, "next", e.limits.sizeOf(&e.limits.page), "because", e.callWords(refused))
	}
	return smaller
}

// lowerSpan notes that the node refused the events of so many blocks for their number.
func (e *endpoint) lowerSpan(blocks uint64, err error) {
	f, failed := errors.AsType[*fault](err)
	if !failed || !f.span || f.rate {
		return
	}
	if _, lowered := e.limits.refuse(&e.limits.span, blocks); lowered {
		e.log.Info("Starknet node tells the events of fewer blocks at once", "node", e.host,
			"refused", blocks, "next", e.limits.sizeOf(&e.limits.span), "because", f.Error())
	}
}

// decodeEvents reads a page. The error is a *fault.
func (e *endpoint) decodeEvents(call *rpcCall, f eventFilter) (events []emittedEvent, next string, err error) {
	switch {
	case codeOf(call.err) == codeBlockNotFound:
		return nil, "", e.blockGone()
	case call.err != nil:
		return nil, "", e.refusal(call.err)
	}
	var page struct {
		Events []emittedWire `json:"events"`
		Token  string        `json:"continuation_token"`
	}
	err = json.Unmarshal(call.raw, &page)
	if err == nil && page.Events == nil {
		err = errors.New("a page without a list")
	}
	if err != nil {
		return nil, "", e.nonsense("events", err)
	}
	for i, w := range page.Events {
		ev, err := w.decode(f.contract)
		if err == nil && !f.admits(ev) {
			err = errors.New("it was not asked for")
		}
		if err != nil {
			return nil, "", e.nonsense("events", fmt.Errorf("event %d of a page: %w", i+1, err))
		}
		events = append(events, ev)
	}
	return events, page.Token, nil
}

// emittedWire is an event in JSON.
type emittedWire struct {
	receiptEvent

	BlockHash   json.RawMessage `json:"block_hash"`
	BlockNumber *uint64         `json:"block_number"`
	TxHash      json.RawMessage `json:"transaction_hash"`

	// Told from version 0.10 of the specification on.
	TxIndex    *int `json:"transaction_index"`
	EventIndex *int `json:"event_index"`
}

func (w emittedWire) decode(contract validator.Address) (emittedEvent, error) {
	from, err := parseFelt(w.From)
	if err != nil {
		return emittedEvent{}, fmt.Errorf("its contract: %w", err)
	}
	if from != contract.Felt() {
		return emittedEvent{}, errors.New("it is of another contract")
	}
	e := emittedEvent{contract: contract}
	if e.keys, err = parseFelts(w.Keys); err != nil {
		return emittedEvent{}, fmt.Errorf("its keys: %w", err)
	}
	if e.data, err = parseFelts(w.Data); err != nil {
		return emittedEvent{}, fmt.Errorf("its data: %w", err)
	}
	if e.tx, err = parseFelt(w.TxHash); err != nil {
		return emittedEvent{}, fmt.Errorf("its transaction: %w", err)
	}
	if e.block.Hash, err = parseFelt(w.BlockHash); err != nil {
		return emittedEvent{}, fmt.Errorf("its block: %w", err)
	}
	if w.BlockNumber == nil {
		return emittedEvent{}, errors.New("its block has no number")
	}
	e.block.Number = *w.BlockNumber
	if w.TxIndex != nil && w.EventIndex != nil {
		e.numbered, e.txIndex, e.index = true, *w.TxIndex, *w.EventIndex
		if e.txIndex < 0 || e.txIndex >= validator.MaxTransactionsPerBlock || e.index < 0 || e.index >= validator.MaxEventsPerTransaction {
			return emittedEvent{}, errors.New("its index cannot be")
		}
	}
	return e, nil
}
