package devchain

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// What a simulated transaction is said to cost.
const (
	gasOfTransaction = 800_000
	gasOfCall        = 450_000
	gasPriceFRI      = 8_000_000_000
)

// nobody is the caller of a transaction.
const nobody validator.Address = "0x0000000000000000000000000000000000000000000000000000000000000000"

// nonce is starknet_getNonce. In the block that is being built the transactions that wait
// have run.
func (v chainView) nonce(p []json.RawMessage) (any, error) {
	b, pin, err := v.stateAt(p[0])
	if err != nil {
		return nil, err
	}
	at, err := feltParam(p[1])
	if err != nil {
		return nil, err
	}
	if _, ok := b.state.deployed[validator.Address(at)]; !ok {
		return nil, &RPCError{Code: 20, Message: "Contract not found"}
	}
	n := b.state.nonces[validator.Address(at)]
	if pin == preConfirmed {
		n = v.nextNonce(validator.Address(at))
	}
	return feltOfUint(n).Short(), nil
}

// simulated is a transaction that ran on a copy of a block's state.
type simulated struct {
	state  *state // after it
	sender validator.Address
	calls  int
	trace  []map[string]any // of each call
	result error            // *RPCError if it cannot begin
	revert string           // why it reverts; "" if it does not
	failed Call
	cause  error
}

// simulate runs transactions one after another on a copy of a block's state.
func (v chainView) simulate(block, txs, flags json.RawMessage) ([]simulated, error) {
	b, pin, err := v.stateAt(block)
	if err != nil {
		return nil, err
	}
	var list []json.RawMessage
	var marks []string
	if json.Unmarshal(txs, &list) != nil || json.Unmarshal(flags, &marks) != nil {
		return nil, &RPCError{Code: -32602, Message: "Invalid params"}
	}
	st := b.state.clone()
	if pin == preConfirmed {
		for _, tx := range v.queue {
			st.nonces[tx.sender]++
		}
	}
	out := make([]simulated, len(list))
	for i, raw := range list {
		tx, err := v.readInvoke(raw)
		if err != nil {
			return nil, err
		}
		out[i] = tx.run(st, b.time, slices.Contains(marks, "SKIP_VALIDATE"))
		if why, cannot := out[i].result.(*RPCError); cannot { //nolint:errorlint // it is made here
			return nil, &RPCError{Code: 41, Message: why.Message, Data: map[string]any{"transaction_index": i, "execution_error": why.Data}}
		}
	}
	return out, nil
}

// run executes a transaction and leaves its changes in the state.
func (tx invoke) run(st *state, now int64, skipValidate bool) simulated {
	out := simulated{state: st, sender: tx.sender}
	cannot := func(why string) simulated {
		out.result = &RPCError{Message: "Transaction execution error", Data: why}
		return out
	}
	want := feltOfUint(st.nonces[out.sender])
	switch err := tx.validate(st); {
	case errors.Is(err, errNotDeployed):
		return cannot(fmt.Sprintf("Requested contract address %s is not deployed.", tx.sender.Felt().Short()))
	case tx.nonce != want:
		return cannot(fmt.Sprintf("Invalid transaction nonce of contract at address %s. Account nonce: %s; got: %s.", tx.sender.Felt().Short(), want.Short(), tx.nonce.Short()))
	case err != nil && !skipValidate:
		return cannot("Account validation failed: " + failure(err))
	}
	st.nonces[out.sender]++
	calls, err := callsOf(tx.calldata)
	if err != nil {
		return cannot("Execution failed. Failure reason: " + failure(err) + ".")
	}
	out.calls = len(calls)
	out.execute(st, now, calls)
	return out
}

// callsOf reads calls as accounts take them.
func callsOf(args []validator.Felt) ([]Call, error) {
	next := func() (validator.Felt, bool) {
		if len(args) == 0 {
			return "", false
		}
		f := args[0]
		args = args[1:]
		return f, true
	}
	count, ok := next()
	if !ok || !count.Big().IsInt64() || count.Big().Int64() > int64(len(args)) {
		return nil, badParam(1)
	}
	calls := make([]Call, count.Big().Int64())
	for i := range calls {
		to, _ := next()
		sel, _ := next()
		length, ok := next()
		if !ok || !length.Big().IsInt64() || length.Big().Int64() > int64(len(args)) {
			return nil, badParam(1)
		}
		n := length.Big().Int64()
		calls[i], args = Call{To: validator.Address(to), entryPoint: sel, Calldata: args[:n]}, args[n:]
	}
	if len(args) > 0 {
		return nil, panicked("Input too long for arguments")
	}
	return calls, nil
}

// execute runs the calls. If one fails, none has an effect.
func (t *simulated) execute(st *state, now int64, calls []Call) {
	x := &execution{state: st.clone(), now: now}
	for _, c := range calls {
		before := len(x.events)
		x.caller = t.sender
		result, err := x.run(c)
		if err != nil {
			t.failed, t.cause = c, err
			t.revert = st.revertReason(t.sender, c, err)
			return
		}
		t.trace = append(t.trace, st.traced(c, t.sender, result, x.events[before:]))
	}
	*st = *x.state
}

// traced writes a call's FUNCTION_INVOCATION. What other contracts emitted stands in calls of
// those.
func (s *state) traced(c Call, caller validator.Address, result []validator.Felt, events []event) map[string]any {
	out := s.invocationJSON(caller, c.To, c.selector(), c.Calldata)
	out["result"] = short(result)
	var own, nested []any
	for i, e := range events {
		told := map[string]any{"order": i, "keys": short(e.keys), "data": short(e.data)}
		if e.from == c.To {
			own = append(own, told)
			continue
		}
		inner := s.invocationJSON(c.To, e.from, e.keys[0], nil)
		inner["events"] = []any{told}
		nested = append(nested, inner)
	}
	out["events"], out["calls"] = append([]any{}, own...), append([]any{}, nested...)
	return out
}

func (s *state) invocationJSON(caller, to validator.Address, sel validator.Felt, calldata []validator.Felt) map[string]any {
	return map[string]any{
		"contract_address": to.Felt().Short(), "entry_point_selector": sel.Short(), "calldata": short(calldata),
		"caller_address": caller.Felt().Short(), "class_hash": classHash(s.deployed[to]).Short(),
		"entry_point_type": "EXTERNAL", "call_type": "CALL", "result": []string{}, "calls": []any{}, "events": []any{},
		"messages": []any{}, "execution_resources": map[string]int{"l1_gas": 0, "l2_gas": gasOfCall}, "is_reverted": false,
	}
}

// gasOf is the L2 gas that a transaction of so many calls takes.
func gasOf(calls int) uint64 { return uint64(gasOfTransaction + gasOfCall*calls) }

// fee writes a FEE_ESTIMATE.
func (t simulated) fee() map[string]any {
	gas := gasOf(t.calls)
	return map[string]any{
		"l1_gas_consumed": "0x0", "l1_gas_price": "0x1", "l1_data_gas_consumed": "0x0", "l1_data_gas_price": "0x1",
		"l2_gas_consumed": feltOfUint(gas).Short(), "l2_gas_price": feltOfUint(gasPriceFRI).Short(),
		"overall_fee": feltOfUint(gas * gasPriceFRI).Short(), "unit": "FRI",
	}
}

// simulateTransactions tells of a transaction that reverts in its trace.
func (v chainView) simulateTransactions(p []json.RawMessage) (any, error) {
	runs, err := v.simulate(p[0], p[1], p[2])
	if err != nil {
		return nil, err
	}
	out := make([]any, len(runs))
	for i, t := range runs {
		execute := map[string]any{"revert_reason": t.revert}
		if t.revert == "" {
			execute = t.state.invocationJSON(nobody, t.sender, selector("__execute__"), nil)
			execute["calls"] = t.trace
		}
		out[i] = map[string]any{
			"fee_estimation":    t.fee(),
			"transaction_trace": map[string]any{"type": "INVOKE", "execute_invocation": execute, "execution_resources": map[string]int{"l1_gas": 0, "l1_data_gas": 0, "l2_gas": gasOfTransaction}},
		}
	}
	return out, nil
}

// estimateFee has no answer for a transaction that reverts, but an error.
func (v chainView) estimateFee(p []json.RawMessage) (any, error) {
	runs, err := v.simulate(p[2], p[0], p[1])
	if err != nil {
		return nil, err
	}
	out := make([]any, len(runs))
	for i, t := range runs {
		if t.revert != "" {
			return nil, executionError(i, t)
		}
		out[i] = t.fee()
	}
	return out, nil
}

// executionError nests the frames of a failed transaction, from the account inwards.
func executionError(index int, t simulated) *RPCError {
	frame := func(at validator.Address, sel validator.Felt, inner any) map[string]any {
		return map[string]any{"contract_address": at.Felt().Short(), "class_hash": classHash(t.state.deployed[at]).Short(), "selector": sel.Short(), "error": inner}
	}
	why := fmt.Sprintf("(%s, 0x454e545259504f494e545f4641494c4544 ('ENTRYPOINT_FAILED'))", failure(t.cause))
	return &RPCError{Code: 41, Message: "Transaction execution error", Data: map[string]any{
		"transaction_index": index,
		"execution_error":   frame(t.sender, selector("__execute__"), frame(t.failed.To, t.failed.selector(), why)),
	}}
}
