package chain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// ErrNoProverStaking says that claims cannot be followed because ProverStaking has no address.
var ErrNoProverStaking = errors.New("ProverStaking is not configured")

// paidEventFelts is how many felts the data of RewardsClaimed has, and of UnstakeCompleted.
const paidEventFelts = 2

// noClaim is said of a transaction that succeeded without a claim.
const noClaim = "this transaction holds no claim of this wallet"

// ClaimOutcome says what became of a wallet's claim, by the receipt of its transaction.
// While no block holds the transaction the claim is submitted. It is confirmed only by
// ProverStaking's own RewardsClaimed event for the wallet, with the event's amount; a
// transaction that was reverted, or succeeded without that event, failed.
//
// The error is ErrNoProverStaking, the context's, or says that no node could answer: then
// nothing is known. It calls nodes: it is for a background tracker, not for a request.
func (c *Client) ClaimOutcome(ctx context.Context, tx validator.Felt, wallet validator.Address) (validator.ClaimOutcome, error) {
	if c.cfg.Contracts.ProverStaking == "" {
		return validator.ClaimOutcome{}, ErrNoProverStaking
	}
	var out validator.ClaimOutcome
	err := c.pool.do(ctx, c.cfg.CallTimeout, func(ctx context.Context, e *endpoint) error {
		r, err := e.receipt(ctx, c.cfg.Network.ChainID, tx)
		if err != nil {
			return err
		}
		if r == nil || r.BlockHash == nil {
			out = validator.ClaimOutcome{Status: validator.ClaimSubmitted, Unseen: r == nil}
			return nil
		}
		out, err = r.outcome(c.cfg.Contracts.ProverStaking, wallet)
		if err != nil {
			return e.nonsense("a receipt", err)
		}
		hash, err := parseFelt(r.BlockHash)
		if err != nil {
			return e.nonsense("a receipt", err)
		}
		b, err := e.header(ctx, hash)
		if err != nil {
			return err
		}
		out.Block = &b
		return nil
	})
	if err != nil {
		return validator.ClaimOutcome{}, fmt.Errorf("read the receipt of %s: %w", tx.Short(), err)
	}
	return out, nil
}

// receipt is the part of a transaction's receipt that tells of a claim.
type receipt struct {
	TransactionHash json.RawMessage `json:"transaction_hash"`
	BlockHash       json.RawMessage `json:"block_hash"` // absent until a block holds it
	ExecutionStatus string          `json:"execution_status"`
	RevertReason    string          `json:"revert_reason"`
	Events          []receiptEvent  `json:"events"`
}

type receiptEvent struct {
	From json.RawMessage `json:"from_address"`
	Keys json.RawMessage `json:"keys"`
	Data json.RawMessage `json:"data"`
}

// receipt asks a node of the right network for a receipt; nil means that it knows no such
// transaction.
func (e *endpoint) receipt(ctx context.Context, chainID string, tx validator.Felt) (*receipt, error) {
	id := &rpcCall{method: "starknet_chainId"}
	call := receiptCall(tx)
	if err := e.batch(ctx, []*rpcCall{id, call}); err != nil {
		return nil, err
	}
	if err := e.checkChain(id, chainID); err != nil {
		return nil, err
	}
	return e.decodeReceipt(call, tx)
}

func receiptCall(tx validator.Felt) *rpcCall {
	return &rpcCall{method: "starknet_getTransactionReceipt", params: []any{wireFelt(tx)}}
}

// decodeReceipt reads the answer to receiptCall; nil means that the node knows no such
// transaction. The error is a *fault.
func (e *endpoint) decodeReceipt(call *rpcCall, tx validator.Felt) (*receipt, error) {
	switch {
	case codeOf(call.err) == codeTxNotFound:
		return nil, nil
	case call.err != nil:
		return nil, e.refusal(call.err)
	}
	var r receipt
	if err := json.Unmarshal(call.raw, &r); err != nil {
		return nil, e.nonsense("a receipt", err)
	}
	if hash, err := parseFelt(r.TransactionHash); err != nil || hash != tx {
		return nil, e.nonsense("a receipt", errors.New("it is of another transaction"))
	}
	if string(r.BlockHash) == "null" {
		r.BlockHash = nil
	}
	return &r, nil
}

// outcome reads the receipt of a transaction that is in a block. An error means that the
// receipt makes no sense.
func (r *receipt) outcome(staking, wallet validator.Address) (validator.ClaimOutcome, error) {
	switch r.ExecutionStatus {
	case "REVERTED":
		why := validator.ClaimReverted
		if words := revertWords(r.RevertReason); words != "" {
			why += ": " + words
		}
		return validator.ClaimOutcome{Status: validator.ClaimFailed, Failure: why}, nil
	case "SUCCEEDED":
	default:
		return validator.ClaimOutcome{}, fmt.Errorf("execution status %q", r.ExecutionStatus)
	}
	var total validator.Wei
	found := false
	for i, ev := range r.Events {
		amount, ok, err := ev.paid("RewardsClaimed", staking, wallet)
		if err != nil {
			return validator.ClaimOutcome{}, fmt.Errorf("event %d: %w", i+1, err)
		}
		if ok {
			total, found = total.Add(amount), true
		}
	}
	if !found {
		return validator.ClaimOutcome{Status: validator.ClaimFailed, Failure: noClaim}, nil
	}
	return validator.ClaimOutcome{Status: validator.ClaimConfirmed, Amount: &total}, nil
}

// paid returns the amount if the event is ProverStaking's own of that name for the wallet:
// RewardsClaimed or UnstakeCompleted.
func (ev receiptEvent) paid(name string, staking, wallet validator.Address) (validator.Wei, bool, error) {
	from, err := parseFelt(ev.From)
	if err != nil {
		return validator.Wei{}, false, fmt.Errorf("its contract: %w", err)
	}
	if from != staking.Felt() {
		return validator.Wei{}, false, nil
	}
	keys, err := parseFelts(ev.Keys)
	if err != nil {
		return validator.Wei{}, false, fmt.Errorf("its keys: %w", err)
	}
	if len(keys) != 2 || keys[0] != selector(name) || keys[1] != wallet.Felt() {
		return validator.Wei{}, false, nil
	}
	data, err := parseFelts(ev.Data)
	if err != nil {
		return validator.Wei{}, false, fmt.Errorf("its data: %w", err)
	}
	amount, err := decodeExactly(data, paidEventFelts, func(d *decoder) validator.Wei { return d.u256("amount") })
	if err != nil {
		return validator.Wei{}, false, fmt.Errorf("%s: %w", name, err)
	}
	return amount, true, nil
}
