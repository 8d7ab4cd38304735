package devchain

import "encoding/json"

func (v chainView) transaction(raw json.RawMessage) (*transaction, error) {
	hash, err := feltParam(raw)
	if err != nil {
		return nil, err
	}
	tx, ok := v.byHash[hash]
	if !ok || tx.block != nil && tx.block.number > v.newest().number {
		return nil, &RPCError{Code: 29, Message: "Transaction hash not found"}
	}
	return tx, nil
}

func (v chainView) receipt(p []json.RawMessage) (any, error) {
	tx, err := v.transaction(p[0])
	if err != nil {
		return nil, err
	}
	if tx.block == nil && !tx.preConfirmed {
		return nil, &RPCError{Code: 29, Message: "Transaction hash not found"}
	}
	r := receiptJSON(tx)
	r["block_number"] = v.newest().number + 1
	if tx.block != nil {
		r["block_hash"], r["block_number"] = tx.block.hash.Short(), tx.block.number
	}
	return r, nil
}

// receiptJSON writes a receipt without its block.
func receiptJSON(tx *transaction) map[string]any {
	gas := gasOf(len(tx.calls))
	r := map[string]any{
		"type":                "INVOKE",
		"transaction_hash":    tx.hash.Short(),
		"actual_fee":          map[string]string{"amount": feltOfUint(gas * gasPriceFRI).Short(), "unit": "FRI"},
		"messages_sent":       []any{},
		"events":              eventsJSON(tx.events),
		"execution_resources": map[string]any{"l1_gas": 0, "l1_data_gas": 0, "l2_gas": gas},
		"finality_status":     "PRE_CONFIRMED",
		"execution_status":    "SUCCEEDED",
	}
	if tx.block != nil {
		r["finality_status"] = "ACCEPTED_ON_L2"
	}
	if tx.revertReason != "" {
		r["execution_status"], r["revert_reason"] = "REVERTED", tx.revertReason
	}
	return r
}

func eventsJSON(events []event) []any {
	out := make([]any, len(events))
	for i, e := range events {
		out[i] = eventJSON(e)
	}
	return out
}

func eventJSON(e event) map[string]any {
	return map[string]any{"from_address": e.from.Felt().Short(), "keys": short(e.keys), "data": short(e.data)}
}

func (v chainView) status(p []json.RawMessage) (any, error) {
	tx, err := v.transaction(p[0])
	if err != nil {
		return nil, err
	}
	s := map[string]string{"finality_status": "RECEIVED"}
	switch {
	case tx.block != nil:
		s["finality_status"], s["execution_status"] = "ACCEPTED_ON_L2", "SUCCEEDED"
		if tx.revertReason != "" {
			s["execution_status"], s["failure_reason"] = "REVERTED", tx.revertReason
		}
	case tx.preConfirmed:
		s["finality_status"], s["execution_status"] = "PRE_CONFIRMED", "SUCCEEDED"
	}
	return s, nil
}
