package devchain

import (
	"encoding/json"

	"github.com/bitsage-network/validator-dashboard/validator"
)

func (v chainView) blockNumber([]json.RawMessage) (any, error) { return v.newest().number, nil }

func (v chainView) blockHashAndNumber([]json.RawMessage) (any, error) {
	b := v.newest()
	return map[string]any{"block_hash": b.hash.Short(), "block_number": b.number}, nil
}

// preConfirmed is the tag of the block that is being built.
const preConfirmed = "pre_confirmed"

// contents finds a block and its transactions. Of the block that is being built these are the
// ones that the sequencer has told of.
func (v chainView) contents(raw json.RawMessage) (b *block, building bool, txs []*transaction, err error) {
	b, pin, err := v.at(raw)
	if err != nil || pin != preConfirmed {
		if err == nil {
			txs = b.txs
		}
		return b, false, txs, err
	}
	for _, tx := range v.queue {
		if tx.preConfirmed {
			txs = append(txs, tx)
		}
	}
	return b, true, txs, nil
}

// blockOf answers a block whose transactions are written by one.
func (v chainView) blockOf(raw json.RawMessage, one func(*transaction) any) (any, error) {
	b, building, txs, err := v.contents(raw)
	if err != nil {
		return nil, err
	}
	told := make([]any, len(txs))
	for i, tx := range txs {
		told[i] = one(tx)
	}
	if building {
		return v.buildingHeader(b, told), nil
	}
	return header(b, told), nil
}

func (v chainView) blockWithTxHashes(p []json.RawMessage) (any, error) {
	return v.blockOf(p[0], func(tx *transaction) any { return tx.hash.Short() })
}

func (v chainView) blockWithTxs(p []json.RawMessage) (any, error) {
	return v.blockOf(p[0], func(tx *transaction) any { return invokeJSON(tx) })
}

func (v chainView) blockWithReceipts(p []json.RawMessage) (any, error) {
	return v.blockOf(p[0], func(tx *transaction) any {
		sent := invokeJSON(tx)
		delete(sent, "transaction_hash") // the receipt tells it
		return map[string]any{"transaction": sent, "receipt": receiptJSON(tx)}
	})
}

func (v chainView) transactionCount(p []json.RawMessage) (any, error) {
	_, _, txs, err := v.contents(p[0])
	return len(txs), err
}

func (v chainView) transactionByHash(p []json.RawMessage) (any, error) {
	tx, err := v.transaction(p[0])
	if err != nil {
		return nil, err
	}
	return invokeJSON(tx), nil
}

func (v chainView) transactionByIndex(p []json.RawMessage) (any, error) {
	_, _, txs, err := v.contents(p[0])
	if err != nil {
		return nil, err
	}
	var i int
	if json.Unmarshal(p[1], &i) != nil || i < 0 {
		return nil, &RPCError{Code: -32602, Message: "Invalid params"}
	}
	if i >= len(txs) {
		return nil, &RPCError{Code: 27, Message: "Invalid transaction index in a block"}
	}
	return invokeJSON(txs[i]), nil
}

// header writes a block as starknet_getBlockWith… answer it.
func header(b *block, transactions []any) map[string]any {
	h := sharedHeader(transactions)
	h["status"] = "ACCEPTED_ON_L2"
	h["block_hash"], h["parent_hash"] = b.hash.Short(), feltOf(b.parent.Big()).Short()
	h["block_number"], h["timestamp"] = b.number, b.time
	h["new_root"] = digest("root", b.hash).Short()
	return h
}

// buildingHeader writes the block that is being built after b: it has no hash, no parent and
// no status yet.
func (v chainView) buildingHeader(b *block, transactions []any) map[string]any {
	h := sharedHeader(transactions)
	h["block_number"], h["timestamp"] = b.number+1, max(v.cfg.Clock().Unix(), b.time+1)
	return h
}

func sharedHeader(transactions []any) map[string]any {
	price := map[string]string{"price_in_fri": "0x1", "price_in_wei": "0x1"}
	return map[string]any{
		"sequencer_address": "0x1",
		"l1_gas_price":      price,
		"l2_gas_price":      map[string]string{"price_in_fri": feltOfUint(gasPriceFRI).Short(), "price_in_wei": "0x1"},
		"l1_data_gas_price": price,
		"l1_da_mode":        "BLOB",
		"starknet_version":  "0.14.0",
		"transactions":      transactions,
	}
}

// invokeJSON writes a transaction as an invoke of version 3.
func invokeJSON(tx *transaction) map[string]any {
	if tx.wire != nil {
		return sentJSON(tx)
	}
	none := map[string]string{"max_amount": "0x0", "max_price_per_unit": "0x0"}
	return map[string]any{
		"transaction_hash":             tx.hash.Short(),
		"type":                         "INVOKE",
		"version":                      invokeVersion,
		"sender_address":               tx.sender.Felt().Short(),
		"calldata":                     short(multicall(tx.calls)),
		"signature":                    []string{},
		"nonce":                        feltOfUint(tx.nonce).Short(),
		"resource_bounds":              map[string]any{"l1_gas": none, "l2_gas": none, "l1_data_gas": none},
		"tip":                          "0x0",
		"paymaster_data":               []string{},
		"account_deployment_data":      []string{},
		"nonce_data_availability_mode": "L1",
		"fee_data_availability_mode":   "L1",
	}
}

// sentJSON writes a transaction as the client sent it.
func sentJSON(tx *transaction) map[string]any {
	var out map[string]any
	if b, err := json.Marshal(tx.wire); err == nil {
		_ = json.Unmarshal(b, &out) // it was written a line above
	}
	out["transaction_hash"] = tx.hash.Short()
	return out
}

// multicall writes calls as accounts take them: how many, then each with its calldata.
func multicall(calls []Call) []validator.Felt {
	out := felts(uint64(len(calls)))
	for _, c := range calls {
		out = append(out, felts(c.To.Felt(), c.selector(), uint64(len(c.Calldata)), c.Calldata)...)
	}
	return out
}
