package devchain

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// What nodes allow in a filter of starknet_getEvents.
const (
	maxEventChunk = 1000 // events in a page
	maxEventKeys  = 100  // keys in a filter
)

// eventFilter is the parameter of starknet_getEvents.
type eventFilter struct {
	FromBlock json.RawMessage `json:"from_block"`
	ToBlock   json.RawMessage `json:"to_block"`
	Address   *string         `json:"address"`
	Keys      [][]string      `json:"keys"`
	Chunk     int             `json:"chunk_size"`
	Token     string          `json:"continuation_token"`
}

// eventMatcher is a filter with its felts read.
type eventMatcher struct {
	address validator.Felt // "" for any
	keys    [][]validator.Felt
}

// matches says whether an event passes: each position of the filter holds one of the
// event's key's values, or none for any. An event with fewer keys does not pass.
func (m eventMatcher) matches(e event) bool {
	if m.address != "" && m.address != e.from.Felt() || len(e.keys) < len(m.keys) {
		return false
	}
	for i, alternatives := range m.keys {
		if len(alternatives) > 0 && !slices.Contains(alternatives, e.keys[i]) {
			return false
		}
	}
	return true
}

func (f eventFilter) matcher() (eventMatcher, error) {
	var m eventMatcher
	invalid := func(err error) error {
		return &RPCError{Code: -32602, Message: "Invalid params", Data: err.Error()}
	}
	if f.Address != nil {
		a, err := validator.ParseFelt(*f.Address)
		if err != nil {
			return m, invalid(err)
		}
		m.address = a
	}
	n := 0
	for _, texts := range f.Keys {
		alternatives := make([]validator.Felt, len(texts))
		for i, s := range texts {
			k, err := validator.ParseFelt(s)
			if err != nil {
				return m, invalid(err)
			}
			alternatives[i] = k
		}
		m.keys, n = append(m.keys, alternatives), n+len(alternatives)
	}
	if n > maxEventKeys {
		return m, &RPCError{Code: 34, Message: "Too many keys provided in a filter"}
	}
	return m, nil
}

// events is starknet_getEvents: the events of sealed blocks, oldest first, in pages.
func (v chainView) events(p []json.RawMessage) (any, error) {
	var f eventFilter
	if err := json.Unmarshal(p[0], &f); err != nil {
		return nil, &RPCError{Code: -32602, Message: "Invalid params", Data: err.Error()}
	}
	switch {
	case f.Chunk < 1:
		return nil, &RPCError{Code: -32602, Message: "Invalid params", Data: "chunk_size must be at least 1"}
	case f.Chunk > maxEventChunk, v.faults.Limits.EventChunk > 0 && f.Chunk > v.faults.Limits.EventChunk:
		return nil, &RPCError{Code: 31, Message: "Requested page size is too big"}
	}
	m, err := f.matcher()
	if err != nil {
		return nil, err
	}
	first, last, err := v.eventRange(f)
	if err != nil {
		return nil, err
	}
	if span := v.faults.EventRange; span > 0 && last >= first && last-first >= span {
		v.node.count(func(c *Counters) { c.Refused++ })
		if v.faults.RangeError != nil {
			return nil, v.faults.RangeError
		}
		return nil, &RPCError{Code: -32602, Message: "Invalid params", Data: fmt.Sprintf("block range is limited to %d blocks", span)}
	}
	from, skip := first, 0
	if f.Token != "" {
		if _, err := fmt.Sscanf(f.Token, "%d-%d", &from, &skip); err != nil || from < first || from > last || skip < 0 {
			return nil, &RPCError{Code: 33, Message: "The supplied continuation token is invalid or unknown"}
		}
	}
	found, token := v.searchEvents(m, from, last, skip, f.Chunk)
	if v.faults.FirstEvents && len(found) > 0 {
		found = found[1:]
	}
	if v.faults.TwiceEvents {
		found = append(slices.Clone(found), found...)
	}
	page := map[string]any{"events": found}
	if token != "" {
		page["continuation_token"] = token
	}
	return page, nil
}

// searchEvents fills one page from block first on, where skip events that pass are left
// out. The token is "" once block last is done.
func (v chainView) searchEvents(m eventMatcher, first, last uint64, skip, chunk int) (found []any, token string) {
	found = []any{}
	for n := first; n <= last; n++ {
		if scan := v.faults.EventScan; scan > 0 && n-first >= scan {
			return found, fmt.Sprintf("%d-%d", n, 0)
		}
		passed := 0
		if v.faults.LateEvents && v.node.late(m.address, v.blocks[n].hash) {
			continue
		}
		for i, tx := range v.blocks[n].txs {
			for j, e := range tx.events {
				if !m.matches(e) {
					continue
				}
				if passed++; n == first && passed <= skip {
					continue
				}
				if len(found) == chunk {
					return found, fmt.Sprintf("%d-%d", n, passed-1)
				}
				told := emittedJSON(v.blocks[n], tx, e)
				if v.faults.EventIndexes {
					told["transaction_index"], told["event_index"] = i, j
				}
				found = append(found, told)
			}
		}
	}
	return found, ""
}

func emittedJSON(b *block, tx *transaction, e event) map[string]any {
	out := eventJSON(e)
	out["block_hash"], out["block_number"], out["transaction_hash"] = b.hash.Short(), b.number, tx.hash.Short()
	return out
}

// eventRange returns the numbers of the first and last block of a filter; the first is
// above the last if the filter lies past the head.
func (v chainView) eventRange(f eventFilter) (first, last uint64, err error) {
	last = v.newest().number
	if first, err = v.eventBlock(f.FromBlock, 0); err != nil {
		return 0, 0, err
	}
	to, err := v.eventBlock(f.ToBlock, last)
	return first, min(to, last), err
}

// eventBlock returns the number that a block id of a filter names. A number past the head
// is as good as any, the block that is being built comes after the head.
func (v chainView) eventBlock(raw json.RawMessage, def uint64) (uint64, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return def, nil
	}
	var id struct {
		Number *uint64 `json:"block_number"`
	}
	if json.Unmarshal(raw, &id) == nil && id.Number != nil {
		return *id.Number, nil
	}
	b, pin, err := v.at(raw)
	if err != nil {
		return 0, err
	}
	if pin == "pre_confirmed" {
		return b.number + 1, nil
	}
	return b.number, nil
}
