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
}

// dispatch runs a method on what the node sees of its chain at this moment.
func (n *Node) dispatch(name string, params json.RawMessage, f Faults) (any, error) {
	m, ok := methodNamed(name)
	if !ok {
		return nil, &RPCError{Code: -32601, Message: "Method not found"}
	}
	p, err := positional(m.params, params)
	if err != nil {
		return nil, err
	}
	n.chain.mu.RLock()
	defer n.chain.mu.RUnlock()
	return m.run(chainView{n.chain, f, n}, p)
}

func methodNamed(name string) (method, bool) {
	switch name {
	case "starknet_specVersion":
		return method{nil, chainView.specVersion}, true
	case "starknet_chainId":
		return method{nil, chainView.chainID}, true
	case "starknet_blockNumber":
		return method{nil, chainView.blockNumber}, true
	case "starknet_blockHashAndNumber":
		return method{nil, chainView.blockHashAndNumber}, true
	case "starknet_getBlockWithTxHashes":
		return method{[]string{"block_id"}, chainView.blockWithTxHashes}, true
	case "starknet_getBlockWithTxs":
		return method{[]string{"block_id"}, chainView.blockWithTxs}, true
	case "starknet_call":
		return method{[]string{"request", "block_id"}, chainView.call}, true
	case "starknet_getClassAt":
		return method{[]string{"block_id", "contract_address"}, chainView.classAt}, true
	case "starknet_getClassHashAt":
		return method{[]string{"block_id", "contract_address"}, chainView.classHashAt}, true
	case "starknet_getTransactionReceipt":
		return method{[]string{"transaction_hash"}, chainView.receipt}, true
	case "starknet_getTransactionStatus":
		return method{[]string{"transaction_hash"}, chainView.status}, true
	case "starknet_getNonce":
		return method{[]string{"block_id", "contract_address"}, chainView.nonce}, true
	case "starknet_simulateTransactions":
		return method{[]string{"block_id", "transactions", "simulation_flags"}, chainView.simulateTransactions}, true
	case "starknet_estimateFee":
		return method{[]string{"request", "simulation_flags", "block_id"}, chainView.estimateFee}, true
	case "starknet_getEvents":
		return method{[]string{"filter"}, chainView.events}, true
	}
	return method{}, false
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
		return nil, callError(to, sel, errNoContract)
	}
	name, ok := functionOf(d, sel)
	if !ok {
		return nil, callError(to, sel, errNoEntryPoint)
	}
	key := Function{to, name}
	v.node.count(func(c *Counters) { c.Calls[key]++; c.Pins[pin]++ })
	if e, ok := v.faults.Broken[key]; ok {
		return nil, &e
	}
	if text, ok := v.faults.Reverts[key]; ok {
		return nil, callError(to, sel, panicked(text))
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
		return nil, callError(to, sel, err)
	}
	return short(result), nil
}

// callError is how a node tells that a call failed.
func callError(to validator.Address, sel validator.Felt, err error) *RPCError {
	switch {
	case errors.Is(err, errNoContract):
		return &RPCError{Code: 20, Message: "Contract not found"}
	case errors.Is(err, errNoEntryPoint):
		return &RPCError{Code: 21, Message: "Requested entrypoint does not exist in the contract"}
	}
	return &RPCError{Code: 40, Message: "Contract error", Data: map[string]any{
		"revert_error": map[string]any{
			"contract_address": to.Felt().Short(),
			"class_hash":       digest("class", to).Short(),
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
