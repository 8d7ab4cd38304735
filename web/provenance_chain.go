package web

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// chainFigure tells of a figure that one view of a contract answered.
func chainFigure[T any](title string, read func(evidence) validator.ChainRead[T], value func(evidence) views.Row, note string) func(evidence) views.Provenance {
	return func(e evidence) views.Provenance {
		r := read(e)
		p := e.fromChain(title, r.Call)
		p.Value, p.Note = value(e), note
		if !r.Known() {
			p.When, p.Reason = nil, validator.Sentence(r.Reason())
		}
		return p
	}
}

// fromChain is what every chain read tells of itself.
func (e evidence) fromChain(title string, calls ...validator.ContractCall) views.Provenance {
	p := views.Provenance{Title: title, Source: "Starknet contract", RawName: "Raw felts"}
	if !e.Chain.Block.Time.IsZero() {
		p.When = momentOf(e.Now, e.Chain.Block.Time)
		p.Rows = append(p.Rows, views.Row{Label: "Block", Value: views.Value{Text: integer(e.Chain.Block.Number), Title: string(e.Chain.Block.Hash)}})
	}
	if st := e.Chain.State; st.Health != validator.HealthOK {
		p.Reason, p.Remedy = validator.Sentence(st.Reason), st.Remedy
	}
	for _, call := range calls {
		if call.Function == "" {
			continue
		}
		contract := abbreviated(string(call.Contract))
		p.Rows = append(p.Rows, views.Row{Label: call.Function, Value: views.Value{Text: "of " + contract, Title: string(call.Contract)}})
		for _, f := range call.Result {
			p.Raw = append(p.Raw, short(f))
		}
		if call.Contract != "" && e.Chain.Block.Hash != "" {
			p.Commands = append(p.Commands, views.Command{Label: "Repeat " + call.Function + " at this block", Text: repeatCall(call, e.Chain.Block)})
		}
	}
	return p
}

// short writes a felt without the zeros in front.
func short(f validator.Felt) string {
	digits := strings.TrimLeft(strings.TrimPrefix(string(f), "0x"), "0")
	if digits == "" {
		digits = "0"
	}
	return "0x" + digits
}

// repeatCall is a curl of the JSON-RPC request of a call. The node's address may hold a key, so it is left
// to the reader's own environment.
func repeatCall(call validator.ContractCall, at validator.Block) string {
	calldata := make([]string, len(call.Calldata))
	for i, f := range call.Calldata {
		calldata[i] = short(f)
	}
	body, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": 1, "method": "starknet_call",
		"params": map[string]any{
			"request":  map[string]any{"contract_address": short(call.Contract.Felt()), "entry_point_selector": short(chain.Selector(call.Function)), "calldata": calldata},
			"block_id": map[string]string{"block_hash": short(at.Hash)},
		},
	})
	if err != nil {
		return ""
	}
	return fmt.Sprintf("curl -s -H 'Content-Type: application/json' \\\n  -d '%s' \\\n  \"$STARKNET_RPC\"", body)
}
