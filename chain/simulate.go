package chain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/NethermindEth/starknet.go/rpc"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// ErrNoSimulation says that no node offers to simulate or estimate transactions.
var ErrNoSimulation = errors.New("no Starknet node here simulates transactions")

// Simulation is what a transaction would have done right after a block.
type Simulation struct {
	Block    validator.Block // the newest one that the node had
	Reverted bool
	Reason   string         // the contract's words if it reverts; "" if there are none
	FeeFRI   validator.Wei  // estimated fee in FRI, 10^-18 STRK; 0 if it reverts
	FeeHeld  *validator.Wei // what the account holds of the token that fees are paid in; nil if the node does not tell
	Claimed  *validator.Wei // rewards that ProverStaking pays the wallet; nil if none, or the node does not tell
	TakenOut *validator.Wei // stake that it gives back; likewise
}

// Simulate runs calls of a wallet's account in one transaction on the state of the newest
// block, without a signature and without sending anything. The error is
// ErrAccountNotDeployed, ErrNoSimulation, the context's, or says why no node could answer.
//
// It calls a node at once: whoever serves it bounds how often. What the calls run is the
// asker's choice, so what goes wrong does not count against the node.
func (c *Client) Simulate(ctx context.Context, wallet validator.Address, calls []validator.ContractCall) (Simulation, error) {
	var out Simulation
	err := c.pool.do(ctx, c.cfg.CallTimeout, func(ctx context.Context, e *endpoint) error {
		var err error
		out, err = e.simulate(ctx, c.cfg, wallet, calls)
		if f, is := errors.AsType[*fault](err); is {
			f.beside = true
		}
		return err
	})
	if o, is := errors.AsType[*outage](err); is && o.lackMethod() {
		err = ErrNoSimulation
	}
	if err != nil {
		return Simulation{}, fmt.Errorf("simulate a transaction of %s: %w", wallet.Abbreviated(), err)
	}
	return out, nil
}

// codeMethodNotFound is JSON-RPC's own.
const codeMethodNotFound = -32601

// lackMethod says whether every node lacks what was asked of it.
func (o *outage) lackMethod() bool {
	for _, f := range o.faults {
		if codeOf(f.cause) != codeMethodNotFound {
			return false
		}
	}
	return len(o.faults) > 0
}

// simulate asks one node of the right network. A node without traces still estimates fees,
// and says as well whether the transaction would fail.
func (e *endpoint) simulate(ctx context.Context, cfg Config, wallet validator.Address, calls []validator.ContractCall) (Simulation, error) {
	account, err := e.accountState(ctx, cfg.Network, wallet)
	if err != nil {
		return Simulation{}, err
	}
	block, nonce := account.block, account.nonce
	tx := []any{unsignedInvoke(wallet, nonce, calls)}
	flags := []string{"SKIP_VALIDATE", "SKIP_FEE_CHARGE"}
	run := &rpcCall{method: "starknet_simulateTransactions", params: []any{atBlock(block.Hash), tx, flags}}
	read := func() (Simulation, error) { return e.decodeSimulation(run.raw, cfg.Contracts.ProverStaking, wallet) }
	err = e.batch(ctx, []*rpcCall{run})
	if codeOf(err) == codeMethodNotFound {
		run = &rpcCall{method: "starknet_estimateFee", params: []any{tx, flags[:1], atBlock(block.Hash)}}
		read = func() (Simulation, error) { return e.decodeEstimate(run.raw) }
		err = e.batch(ctx, []*rpcCall{run})
	}
	if err != nil {
		return Simulation{}, err
	}
	switch codeOf(run.err) {
	case 0:
	case codeBlockNotFound:
		return Simulation{}, e.blockGone()
	case codeExecutionError, codeContractError:
		return Simulation{Block: block, Reverted: true, Reason: executionWords(run.err)}, nil
	default:
		return Simulation{}, e.refusal(run.err)
	}
	if run.err != nil {
		return Simulation{}, e.nonsense("a simulation", run.err)
	}
	out, err := read()
	if err != nil {
		return Simulation{}, e.nonsense("a simulation", err)
	}
	out.Block, out.FeeHeld = block, account.feeHeld
	return out, nil
}

// accountState is what an account's next transaction begins with.
type accountState struct {
	block   validator.Block // the newest
	nonce   validator.Felt
	feeHeld *validator.Wei // as in Simulation
}

// accountState reads an account's state in the newest block.
func (e *endpoint) accountState(ctx context.Context, network Network, wallet validator.Address) (accountState, error) {
	latest := rpc.WithBlockTag(rpc.BlockTagLatest)
	id := &rpcCall{method: "starknet_chainId"}
	newest := &rpcCall{method: "starknet_getBlockWithTxHashes", params: []any{latest}}
	next := &rpcCall{method: "starknet_getNonce", params: []any{latest, wireFelt(wallet.Felt())}}
	held := feeHeldView(network, wallet)
	if err := e.batch(ctx, held.appendTo([]*rpcCall{id, newest, next})); err != nil {
		return accountState{}, err
	}
	if err := e.checkChain(id, network.ChainID); err != nil {
		return accountState{}, err
	}
	h, err := e.decodeAnyHeader(newest)
	if err != nil {
		return accountState{}, err
	}
	switch {
	case codeOf(next.err) == codeContractNotFound:
		return accountState{}, ErrAccountNotDeployed
	case next.err != nil:
		return accountState{}, e.refusal(next.err)
	}
	nonce, err := parseFelt(next.raw)
	if err != nil {
		return accountState{}, e.nonsense("a nonce", err)
	}
	out := accountState{block: h.Block, nonce: nonce}
	if amount, known := held.read(network).Get(); known {
		out.feeHeld = &amount
	}
	return out, nil
}

// feeHeldView asks what a wallet holds of the token that fees are paid in. It is asked beside:
// a node that does not tell changes nothing.
func feeHeldView(network Network, wallet validator.Address) viewCall[validator.Wei] {
	token := namedContract{name: "STRK", address: network.FeeToken}
	return newViewAt(token, "balance_of", rpc.WithBlockTag(rpc.BlockTagLatest), decodeU256, wallet.Felt())
}

// unsignedInvoke is a transaction of version 3 that pays nothing: its gas has a limit, which
// execution needs, and no price.
func unsignedInvoke(wallet validator.Address, nonce validator.Felt, calls []validator.ContractCall) map[string]any {
	none := map[string]string{"max_amount": "0x0", "max_price_per_unit": "0x0"}
	ample := map[string]string{"max_amount": "0x3b9aca00", "max_price_per_unit": "0x0"} // 10^9, near what a transaction may use
	return map[string]any{
		"type": "INVOKE", "version": "0x3",
		"sender_address":  wallet.Felt().Short(),
		"calldata":        shortFelts(multicall(calls)),
		"signature":       []string{},
		"nonce":           nonce.Short(),
		"resource_bounds": map[string]any{"l1_gas": none, "l1_data_gas": none, "l2_gas": ample},
		"tip":             "0x0", "paymaster_data": []string{}, "account_deployment_data": []string{},
		"nonce_data_availability_mode": "L1", "fee_data_availability_mode": "L1",
	}
}

// multicall writes calls as accounts take them: how many, then each with its calldata.
func multicall(calls []validator.ContractCall) []validator.Felt {
	out := []validator.Felt{numberFelt(uint64(len(calls)))}
	for _, c := range calls {
		out = append(out, c.Contract.Felt(), selector(c.Function), numberFelt(uint64(len(c.Calldata))))
		out = append(out, c.Calldata...)
	}
	return out
}

func shortFelts(fs []validator.Felt) []string {
	out := make([]string, len(fs))
	for i, f := range fs {
		out[i] = f.Short()
	}
	return out
}

// feeEstimate is the part of a FEE_ESTIMATE that is read.
type feeEstimate struct {
	Overall json.RawMessage `json:"overall_fee"`
	Unit    string          `json:"unit"`
}

func (f feeEstimate) fri() (validator.Wei, error) {
	if f.Unit != "FRI" {
		return validator.Wei{}, fmt.Errorf("a fee in %.10q, where FRI was expected", f.Unit)
	}
	v, err := parseFelt(f.Overall)
	if err != nil {
		return validator.Wei{}, fmt.Errorf("its fee: %w", err)
	}
	return validator.WeiFromBig(v.Big()), nil
}

// invocation is a call in a trace, with what it called.
type invocation struct {
	RevertReason *string         `json:"revert_reason"` // of the whole transaction
	Contract     json.RawMessage `json:"contract_address"`
	Reverted     bool            `json:"is_reverted"`
	Events       []receiptEvent  `json:"events"`
	Calls        []invocation    `json:"calls"`
}

// decodeSimulation reads what starknet_simulateTransactions answers.
func (e *endpoint) decodeSimulation(raw json.RawMessage, staking, wallet validator.Address) (Simulation, error) {
	var list []struct {
		Fee   feeEstimate `json:"fee_estimation"`
		Trace struct {
			Execute *invocation `json:"execute_invocation"`
		} `json:"transaction_trace"`
	}
	if err := json.Unmarshal(raw, &list); err != nil {
		return Simulation{}, err
	}
	if len(list) != 1 || list[0].Trace.Execute == nil {
		return Simulation{}, errors.New("it is not of the one transaction that was asked about")
	}
	run := list[0].Trace.Execute
	if run.RevertReason != nil {
		return Simulation{Reverted: true, Reason: revertWords(*run.RevertReason)}, nil
	}
	fee, err := list[0].Fee.fri()
	if err != nil {
		return Simulation{}, err
	}
	out := Simulation{FeeFRI: fee}
	for name, amount := range map[string]**validator.Wei{"RewardsClaimed": &out.Claimed, "UnstakeCompleted": &out.TakenOut} {
		paid, found, err := run.paid(name, staking, wallet)
		if err != nil {
			return Simulation{}, err
		}
		if found {
			*amount = &paid
		}
	}
	return out, nil
}

// paid sums what the call, and what it called, paid the wallet by an event's name.
func (i invocation) paid(name string, staking, wallet validator.Address) (total validator.Wei, found bool, err error) {
	if i.Reverted {
		return total, false, nil
	}
	for _, ev := range i.Events {
		ev.From = i.Contract
		amount, ok, err := ev.paid(name, staking, wallet)
		if err != nil {
			return total, false, err
		}
		if ok {
			total, found = total.Add(amount), true
		}
	}
	for _, c := range i.Calls {
		amount, ok, err := c.paid(name, staking, wallet)
		if err != nil {
			return total, false, err
		}
		if ok {
			total, found = total.Add(amount), true
		}
	}
	return total, found, nil
}

// decodeEstimate reads what starknet_estimateFee answers.
func (e *endpoint) decodeEstimate(raw json.RawMessage) (Simulation, error) {
	var list []feeEstimate
	if err := json.Unmarshal(raw, &list); err != nil {
		return Simulation{}, err
	}
	if len(list) != 1 {
		return Simulation{}, errors.New("it is not of the one transaction that was asked about")
	}
	fee, err := list[0].fri()
	if err != nil {
		return Simulation{}, err
	}
	return Simulation{FeeFRI: fee}, nil
}

// executionWords finds the contract's words in an execution error, whose data nests frames
// from the account inwards.
func executionWords(err error) string {
	e, is := errors.AsType[*rpc.RPCError](err)
	if !is || e.Data == nil {
		return ""
	}
	raw := json.RawMessage(e.Data.ErrorMessage())
	for {
		var text string
		if json.Unmarshal(raw, &text) == nil {
			return revertWords(text)
		}
		var frame struct {
			Execution json.RawMessage `json:"execution_error"`
			Revert    json.RawMessage `json:"revert_error"`
			Inner     json.RawMessage `json:"error"`
		}
		if json.Unmarshal(raw, &frame) != nil {
			return revertWords(string(raw))
		}
		switch {
		case frame.Execution != nil:
			raw = frame.Execution
		case frame.Revert != nil:
			raw = frame.Revert
		case frame.Inner != nil:
			raw = frame.Inner
		default:
			return revertWords(string(raw))
		}
	}
}
