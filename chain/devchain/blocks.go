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

func (v chainView) blockWithTxHashes(p []json.RawMessage) (any, error) {
	b, _, err := v.at(p[0])
	if err != nil {
		return nil, err
	}
	hashes := make([]validator.Felt, len(b.txs))
	for i, tx := range b.txs {
		hashes[i] = tx.hash
	}
	return header(b, short(hashes)), nil
}

func (v chainView) blockWithTxs(p []json.RawMessage) (any, error) {
	b, _, err := v.at(p[0])
	if err != nil {
		return nil, err
	}
	txs := make([]any, len(b.txs))
	for i, tx := range b.txs {
		txs[i] = invokeJSON(tx)
	}
	return header(b, txs), nil
}

// header writes a block as starknet_getBlockWith… answer it.
func header(b *block, transactions any) map[string]any {
	price := map[string]string{"price_in_fri": "0x1", "price_in_wei": "0x1"}
	return map[string]any{
		"status":            "ACCEPTED_ON_L2",
		"block_hash":        b.hash.Short(),
		"parent_hash":       feltOf(b.parent.Big()).Short(),
		"block_number":      b.number,
		"new_root":          digest("root", b.hash).Short(),
		"timestamp":         b.time,
		"sequencer_address": "0x1",
		"l1_gas_price":      price,
		"l2_gas_price":      price,
		"l1_data_gas_price": price,
		"l1_da_mode":        "BLOB",
		"starknet_version":  "0.14.0",
		"transactions":      transactions,
	}
}

// invokeJSON writes a transaction as an invoke of version 3.
func invokeJSON(tx *transaction) map[string]any {
	none := map[string]string{"max_amount": "0x0", "max_price_per_unit": "0x0"}
	return map[string]any{
		"transaction_hash":             tx.hash.Short(),
		"type":                         "INVOKE",
		"version":                      "0x3",
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

// multicall writes calls as accounts take them: how many, then each with its calldata.
func multicall(calls []Call) []validator.Felt {
	out := felts(uint64(len(calls)))
	for _, c := range calls {
		out = append(out, felts(c.To.Felt(), selector(c.Function), uint64(len(c.Calldata)), c.Calldata)...)
	}
	return out
}
