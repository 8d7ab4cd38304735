package chain

import (
	"errors"
	"fmt"

	"github.com/NethermindEth/juno/core/felt"
	"github.com/NethermindEth/starknet.go/rpc"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// viewCall is a call of a contract's view in a batch, and how its answer is decoded.
type viewCall[T any] struct {
	contract namedContract
	call     validator.ContractCall
	rpc      *rpcCall // nil if the contract is not configured: nothing is asked
	decode   func([]validator.Felt) (T, error)
}

// maxKeptFelts bounds the raw answer that is kept of a malformed read.
const maxKeptFelts = 64

// newView makes the call of a view, pinned to a block.
func newView[T any](k namedContract, function string, block validator.Felt,
	decode func([]validator.Felt) (T, error), calldata ...validator.Felt) viewCall[T] {
	return newViewAt(k, function, atBlock(block), decode, calldata...)
}

// newViewAt is newView for a block that is named in any way.
func newViewAt[T any](k namedContract, function string, block rpc.BlockID,
	decode func([]validator.Felt) (T, error), calldata ...validator.Felt) viewCall[T] {
	v := viewCall[T]{contract: k, decode: decode,
		call: validator.ContractCall{Contract: k.address, Function: function, Calldata: calldata}}
	if k.address == "" {
		return v
	}
	args := make([]*felt.Felt, len(calldata))
	for i, f := range calldata {
		args[i] = wireFelt(f)
	}
	v.rpc = &rpcCall{method: "starknet_call", params: []any{
		rpc.FunctionCall{
			ContractAddress:    wireFelt(k.address.Felt()),
			EntryPointSelector: wireFelt(selector(function)),
			Calldata:           args,
		},
		block,
	}}
	return v
}

// appendTo adds the call to a batch if it is one.
func (v viewCall[T]) appendTo(batch []*rpcCall) []*rpcCall {
	if v.rpc == nil {
		return batch
	}
	return append(batch, v.rpc)
}

// read decodes the answer, or says in words why there is none.
func (v viewCall[T]) read(n Network) validator.ChainRead[T] {
	missing := func(reason string) validator.ChainRead[T] {
		return validator.ChainRead[T]{Maybe: validator.None[T](reason), Call: v.call}
	}
	if v.rpc == nil {
		return missing(notConfigured(n, v.contract))
	}
	name := v.contract.name + "." + v.call.Function
	if v.rpc.err != nil {
		return missing(callFailure(v.contract, v.call.Function, v.rpc.err))
	}
	felts, err := parseFelts(v.rpc.raw)
	if err != nil {
		return missing(name + " " + err.Error())
	}
	v.call.Result = felts[:min(len(felts), maxKeptFelts)]
	value, err := v.decode(felts)
	if err != nil {
		return missing(name + " " + err.Error())
	}
	return validator.ChainRead[T]{Maybe: validator.Some(value), Call: v.call}
}

// notConfigured says why a contract without an address is not read.
func notConfigured(n Network, k namedContract) string {
	if n.Deployed() {
		return fmt.Sprintf("%s has no address: set %s", k.name, k.setting)
	}
	return fmt.Sprintf("%s is not deployed on %s: set %s", k.name, n.Name, k.setting)
}

// callFailure says in words why a call of a contract has no answer.
func callFailure(k namedContract, function string, err error) string {
	name := k.name + "." + function
	switch code := codeOf(err); code {
	case codeContractNotFound:
		return fmt.Sprintf("%s is not deployed at %s", k.name, k.address.Abbreviated())
	case codeEntryPointNotFound:
		return fmt.Sprintf("%s has no function %s", k.name, function)
	case codeContractError:
		var e *rpc.RPCError
		if errors.As(err, &e) && e.Data != nil {
			if words := revertWords(e.Data.ErrorMessage()); words != "" {
				return fmt.Sprintf("%s was refused by the contract: %s", name, words)
			}
		}
		return name + " was refused by the contract"
	case 0:
		return "the node left " + name + " unanswered"
	default:
		said := fmt.Sprintf("the node could not answer %s (JSON-RPC error %d)", name, code)
		if e, is := errors.AsType[*rpc.RPCError](err); is {
			said += inQuotes(nodeWords(e.Message))
		}
		return said
	}
}
