package chain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/NethermindEth/juno/core/felt"
	"github.com/NethermindEth/starknet.go/rpc"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// Errors of VerifySignature that callers tell apart, for errors.Is. Any other error than
// these and the context's means that no node could say.
var (
	// ErrSignatureInvalid says that the account does not accept the signature.
	ErrSignatureInvalid = errors.New("the account does not accept the signature")
	// ErrAccountNotDeployed says that there is no contract at the account's address, which
	// is how accounts are until their first transaction.
	ErrAccountNotDeployed = errors.New("the account is not deployed")
)

// MaxSignatureFelts bounds a signature. Most have 2 felts, and each further signer adds a few.
// A passkey's takes about 90 to 200, since it holds what the browser signed byte by byte, and
// an account may have several.
const MaxSignatureFelts = 1024

// maxVerifyLag is how many blocks a node may be behind the head that is known here and
// still be asked: nodes behind one URL are not equally far, but one that stands still would
// accept keys that their owners have replaced.
const maxVerifyLag = 10

// signatureValid is what is_valid_signature answers (SNIP-6); contracts from before it
// answer 1.
var signatureValid = shortStringFelt("VALID")

// entryPointNotFound is what nodes say of a missing function where they say it with the
// code of a reverted call.
const entryPointNotFound = "ENTRYPOINT_NOT_FOUND"

// VerifySignature asks an account's contract at the latest block whether it accepts a
// signature of a hash. Signatures have the length that the account's kind gives them, and
// are handed on as they are; one without felts, or of more than MaxSignatureFelts, is
// invalid without a question. It returns nil, ErrSignatureInvalid, ErrAccountNotDeployed,
// the context's error, or an error that says why no node could answer.
//
// Unlike the reads of pages it calls a node at once: whoever serves it bounds how often.
// A contract of the asker's choice runs, so what goes wrong does not count against the node.
func (c *Client) VerifySignature(ctx context.Context, account validator.Address, hash validator.Felt, signature []validator.Felt) error {
	if len(signature) == 0 || len(signature) > MaxSignatureFelts {
		return fmt.Errorf("%w: it has %d felts, of at most %d", ErrSignatureInvalid, len(signature), MaxSignatureFelts)
	}
	c.mu.Lock()
	var known uint64
	if c.head != nil {
		known = c.head.number
	}
	c.mu.Unlock()
	err := c.pool.do(ctx, c.cfg.CallTimeout, func(ctx context.Context, e *endpoint) error {
		err := e.verify(ctx, c.cfg.Network.ChainID, known, account, hash, signature)
		if f, is := errors.AsType[*fault](err); is {
			f.beside = true
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("check a signature of %s: %w", account.Abbreviated(), err)
	}
	return nil
}

// verify asks one node of the right network that is not behind.
func (e *endpoint) verify(ctx context.Context, chainID string, known uint64, account validator.Address, hash validator.Felt, signature []validator.Felt) error {
	id := &rpcCall{method: "starknet_chainId"}
	newest := &rpcCall{method: "starknet_blockNumber"}
	check := validityCall("is_valid_signature", account, hash, signature)
	if err := e.batch(ctx, []*rpcCall{id, newest, check}); err != nil {
		return err
	}
	if err := e.checkChain(id, chainID); err != nil {
		return err
	}
	if err := e.checkLag(newest, known); err != nil {
		return err
	}
	if lacksFunction(check.err) {
		check = validityCall("isValidSignature", account, hash, signature) // accounts from before SNIP-6
		if err := e.batch(ctx, []*rpcCall{check}); err != nil {
			return err
		}
	}
	return e.judge(check)
}

// validityCall asks an account about a signature at the latest block.
func validityCall(function string, account validator.Address, hash validator.Felt, signature []validator.Felt) *rpcCall {
	args := make([]*felt.Felt, 0, 2+len(signature))
	args = append(args, wireFelt(hash), new(felt.Felt).SetUint64(uint64(len(signature))))
	for _, f := range signature {
		args = append(args, wireFelt(f))
	}
	return &rpcCall{method: "starknet_call", params: []any{
		rpc.FunctionCall{ContractAddress: wireFelt(account.Felt()), EntryPointSelector: wireFelt(selector(function)), Calldata: args},
		rpc.WithBlockTag(rpc.BlockTagLatest),
	}}
}

// checkLag refuses a node whose newest block is too far behind the one that is known.
func (e *endpoint) checkLag(newest *rpcCall, known uint64) error {
	if newest.err != nil {
		return e.refusal(newest.err)
	}
	var number uint64
	if err := json.Unmarshal(newest.raw, &number); err != nil {
		return e.nonsense("its newest block", err)
	}
	if number+maxVerifyLag < known {
		return &fault{kind: faultBehind, host: e.host, says: fmt.Sprintf("the node at %s is %s behind", e.host, blocks(known-number))}
	}
	return nil
}

// lacksFunction says whether a call failed because the contract has no such function.
func lacksFunction(err error) bool {
	switch codeOf(err) {
	case codeEntryPointNotFound:
		return true
	case codeContractError:
		var e *rpc.RPCError
		return errors.As(err, &e) && e.Data != nil && strings.Contains(e.Data.ErrorMessage(), entryPointNotFound)
	}
	return false
}

// judge reads an account's answer. Only the answers that SNIP-6 names accept a signature.
func (e *endpoint) judge(check *rpcCall) error {
	switch codeOf(check.err) {
	case 0:
	case codeContractNotFound:
		return ErrAccountNotDeployed
	case codeEntryPointNotFound, codeContractError:
		return ErrSignatureInvalid
	default:
		return e.refusal(check.err)
	}
	if check.err != nil {
		return e.nonsense("a signature", check.err)
	}
	answer, err := parseFelts(check.raw)
	if err != nil {
		return e.nonsense("a signature", err)
	}
	if len(answer) > 0 && (answer[0] == signatureValid || answer[0].Big().Cmp(big.NewInt(1)) == 0) {
		return nil
	}
	return ErrSignatureInvalid
}
