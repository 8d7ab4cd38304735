package devchain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// specVersion is the version of the JSON-RPC specification that a healthy node speaks.
const specVersion = "0.9.0"

// method is a JSON-RPC method: the names of its parameters and what it answers.
type method struct {
	params []string
	run    func(v chainView, p []json.RawMessage) (any, error)
	writes bool // it changes the chain
}

// dispatch runs a method on what the node sees of its chain at this moment.
func (n *Node) dispatch(name string, params json.RawMessage, f Faults) (any, error) {
	if result, known, err := n.control(name, params); known {
		return result, err
	}
	m, ok := methods()[name]
	if !ok {
		return nil, &RPCError{Code: -32601, Message: "Method not found"}
	}
	p, err := positional(m.params, params)
	if err != nil {
		return nil, err
	}
	if m.writes {
		n.chain.mu.Lock()
		defer n.chain.mu.Unlock()
	} else {
		n.chain.mu.RLock()
		defer n.chain.mu.RUnlock()
	}
	return m.run(chainView{n.chain, f, n}, p)
}

// methods are what a node understands.
func methods() map[string]method {
	block := []string{"block_id"}
	at := []string{"block_id", "contract_address"}
	tx := []string{"transaction_hash"}
	return map[string]method{
		"starknet_specVersion":                     {run: chainView.specVersion},
		"starknet_chainId":                         {run: chainView.chainID},
		"starknet_syncing":                         {run: func(chainView, []json.RawMessage) (any, error) { return false, nil }},
		"starknet_blockNumber":                     {run: chainView.blockNumber},
		"starknet_blockHashAndNumber":              {run: chainView.blockHashAndNumber},
		"starknet_getBlockTransactionCount":        {params: block, run: chainView.transactionCount},
		"starknet_getBlockWithTxHashes":            {params: block, run: chainView.blockWithTxHashes},
		"starknet_getBlockWithTxs":                 {params: block, run: chainView.blockWithTxs},
		"starknet_getBlockWithReceipts":            {params: block, run: chainView.blockWithReceipts},
		"starknet_call":                            {params: []string{"request", "block_id"}, run: chainView.call},
		"starknet_getClass":                        {params: []string{"block_id", "class_hash"}, run: chainView.class},
		"starknet_getClassAt":                      {params: at, run: chainView.classAt},
		"starknet_getClassHashAt":                  {params: at, run: chainView.classHashAt},
		"starknet_getNonce":                        {params: at, run: chainView.nonce},
		"starknet_getTransactionByHash":            {params: tx, run: chainView.transactionByHash},
		"starknet_getTransactionByBlockIdAndIndex": {params: []string{"block_id", "index"}, run: chainView.transactionByIndex},
		"starknet_getTransactionReceipt":           {params: tx, run: chainView.receipt},
		"starknet_getTransactionStatus":            {params: tx, run: chainView.status},
		"starknet_simulateTransactions":            {params: []string{"block_id", "transactions", "simulation_flags"}, run: chainView.simulateTransactions},
		"starknet_estimateFee":                     {params: []string{"request", "simulation_flags", "block_id"}, run: chainView.estimateFee},
		"starknet_addInvokeTransaction":            {params: []string{"invoke_transaction"}, run: chainView.addInvoke, writes: true},
		"starknet_getEvents":                       {params: []string{"filter"}, run: chainView.events},
	}
}

// positional brings parameters, given as a list or by name, into the method's order.
func positional(names []string, raw json.RawMessage) ([]json.RawMessage, error) {
	invalid := &RPCError{Code: -32602, Message: "Invalid params"}
	raw = bytes.TrimSpace(raw)
	out := make([]json.RawMessage, len(names))
	switch {
	case len(raw) == 0 || string(raw) == "null":
	case raw[0] == '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil || len(list) > len(names) {
			return nil, invalid
		}
		copy(out, list)
	default:
		var named map[string]json.RawMessage
		if json.Unmarshal(raw, &named) != nil {
			return nil, invalid
		}
		for i, name := range names {
			out[i] = named[name]
		}
	}
	for _, p := range out {
		if len(p) == 0 {
			return nil, invalid
		}
	}
	return out, nil
}

// chainView is what a node sees of its chain while it answers one call.
type chainView struct {
	*Chain
	faults Faults
	node   *Node
}

func (v chainView) newest() *block { return v.blocks[v.faults.sees(v.head().number)] }

// at finds the block that a BLOCK_ID names, and says how it names it.
func (v chainView) at(raw json.RawMessage) (*block, string, error) {
	notFound := &RPCError{Code: 24, Message: "Block not found"}
	var tag string
	if json.Unmarshal(raw, &tag) == nil {
		switch tag {
		case "latest", "pre_confirmed", "l1_accepted":
			return v.newest(), tag, nil
		}
		return nil, "", &RPCError{Code: -32602, Message: "Invalid params", Data: "unknown block tag"}
	}
	var id struct {
		Number *uint64 `json:"block_number"`
		Hash   *string `json:"block_hash"`
	}
	if err := json.Unmarshal(raw, &id); err != nil {
		return nil, "", &RPCError{Code: -32602, Message: "Invalid params", Data: err.Error()}
	}
	switch {
	case id.Number != nil && *id.Number <= v.newest().number:
		return v.blocks[*id.Number], "number", nil
	case id.Hash != nil:
		h, err := validator.ParseFelt(*id.Hash)
		if err != nil {
			return nil, "", &RPCError{Code: -32602, Message: "Invalid params", Data: err.Error()}
		}
		for _, b := range slices.Backward(v.blocks[:v.newest().number+1]) {
			if b.hash == h {
				return b, "hash", nil
			}
		}
	}
	return nil, "", notFound
}

// stateAt is at for reads of a block's state, which may be pruned.
func (v chainView) stateAt(raw json.RawMessage) (*block, string, error) {
	b, pin, err := v.at(raw)
	if err == nil && b.state == nil {
		err = &RPCError{Code: -32603, Message: "Internal error", Data: "the state of this block is pruned"}
	}
	return b, pin, err
}

func feltParam(raw json.RawMessage) (validator.Felt, error) {
	var s string
	if err := json.Unmarshal(raw, &s); err != nil {
		return "", &RPCError{Code: -32602, Message: "Invalid params", Data: "a felt is a string"}
	}
	f, err := validator.ParseFelt(s)
	if err != nil {
		return "", &RPCError{Code: -32602, Message: "Invalid params", Data: err.Error()}
	}
	return f, nil
}

// short writes felts as nodes do, without leading zeros.
func short(fs []validator.Felt) []string {
	out := make([]string, len(fs))
	for i, f := range fs {
		out[i] = f.Short()
	}
	return out
}

// call is starknet_call.
func (v chainView) call(p []json.RawMessage) (any, error) {
	var q struct {
		Contract string   `json:"contract_address"`
		Selector string   `json:"entry_point_selector"`
		Calldata []string `json:"calldata"`
	}
	if err := json.Unmarshal(p[0], &q); err != nil {
		return nil, &RPCError{Code: -32602, Message: "Invalid params", Data: err.Error()}
	}
	words := append([]string{q.Contract, q.Selector}, q.Calldata...)
	args := make([]validator.Felt, len(words))
	for i, w := range words {
		f, err := validator.ParseFelt(w)
		if err != nil {
			return nil, &RPCError{Code: -32602, Message: "Invalid params", Data: err.Error()}
		}
		args[i] = f
	}
	b, pin, err := v.stateAt(p[1])
	if err != nil {
		return nil, err
	}
	return v.callAt(b, pin, validator.Address(args[0]), args[1], args[2:])
}

func (v chainView) callAt(b *block, pin string, to validator.Address, sel validator.Felt, calldata []validator.Felt) (any, error) {
	d, ok := b.state.deployed[to]
	if !ok {
		return nil, callError(d, to, sel, errNoContract)
	}
	name, ok := functionOf(d, sel)
	if !ok {
		return nil, callError(d, to, sel, errNoEntryPoint)
	}
	key := Function{to, name}
	v.node.count(func(c *Counters) { c.Calls[key]++; c.Pins[pin]++ })
	if e, ok := v.faults.Broken[key]; ok {
		return nil, &e
	}
	if text, ok := v.faults.Reverts[key]; ok {
		return nil, callError(d, to, sel, panicked(text))
	}
	if answer, ok := v.faults.Malformed[key]; ok {
		return answer, nil
	}
	x := &execution{state: b.state, now: b.time}
	if !d.kind.functions[name].view {
		x.state = b.state.clone()
	}
	result, err := x.call(to, name, calldata)
	if err != nil {
		return nil, callError(d, to, sel, err)
	}
	return short(result), nil
}

// callError is how a node tells that a call failed.
func callError(d deployment, to validator.Address, sel validator.Felt, err error) *RPCError {
	switch {
	case errors.Is(err, errNoContract):
		return &RPCError{Code: 20, Message: "Contract not found"}
	case errors.Is(err, errNoEntryPoint):
		return &RPCError{Code: 21, Message: "Requested entrypoint does not exist in the contract"}
	}
	return &RPCError{Code: 40, Message: "Contract error", Data: map[string]any{
		"revert_error": map[string]any{
			"contract_address": to.Felt().Short(),
			"class_hash":       classHash(d).Short(),
			"selector":         sel.Short(),
			"error":            fmt.Sprintf("Execution failed. Failure reason: %s.", failure(err)),
		},
	}}
}

func (v chainView) specVersion([]json.RawMessage) (any, error) {
	if v.faults.SpecVersion != "" {
		return v.faults.SpecVersion, nil
	}
	return specVersion, nil
}

func (v chainView) chainID([]json.RawMessage) (any, error) {
	id := v.cfg.ChainID
	if v.faults.ChainID != "" {
		id = v.faults.ChainID
	}
	return feltOfText(id).Short(), nil
}
