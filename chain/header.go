package chain

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/NethermindEth/starknet.go/rpc"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// headerCall asks for a block's header. Nothing smaller than the block with its
// transactions' hashes tells a block's time.
func headerCall(hash validator.Felt) *rpcCall {
	return &rpcCall{method: "starknet_getBlockWithTxHashes", params: []any{atBlock(hash)}}
}

// header reads a block's header from a node.
func (e *endpoint) header(ctx context.Context, hash validator.Felt) (validator.Block, error) {
	call := headerCall(hash)
	if err := e.batch(ctx, []*rpcCall{call}); err != nil {
		return validator.Block{}, err
	}
	return e.decodeHeader(call, hash)
}

// decodeHeader reads the answer to headerCall. The error is a *fault.
func (e *endpoint) decodeHeader(call *rpcCall, hash validator.Felt) (validator.Block, error) {
	h, err := e.decodeAnyHeader(call)
	if err == nil && h.Hash != hash {
		err = e.nonsense("a block", errOtherBlock)
	}
	if err != nil {
		return validator.Block{}, err
	}
	return h.Block, nil
}

var errOtherBlock = errors.New("it is another block than the one asked for")

// linkedHeader is a block with the hash of the one before it.
type linkedHeader struct {
	validator.Block

	parent validator.Felt
}

// numberedHeaderCall asks for the header of the block that the chain has at a height.
func numberedHeaderCall(number uint64) *rpcCall {
	return &rpcCall{method: "starknet_getBlockWithTxHashes", params: []any{rpc.WithBlockNumber(number)}}
}

// decodeNumberedHeader reads the answer to numberedHeaderCall. The error is a *fault.
func (e *endpoint) decodeNumberedHeader(call *rpcCall, number uint64) (linkedHeader, error) {
	h, err := e.decodeAnyHeader(call)
	if err == nil && h.Number != number {
		err = e.nonsense("a block", errOtherBlock)
	}
	return h, err
}

func (e *endpoint) decodeAnyHeader(call *rpcCall) (linkedHeader, error) {
	switch {
	case codeOf(call.err) == codeBlockNotFound:
		return linkedHeader{}, e.blockGone()
	case call.err != nil:
		return linkedHeader{}, e.refusal(call.err)
	}
	h, err := decodeLinkedHeader(call.raw)
	if err != nil {
		return linkedHeader{}, e.nonsense("a block", err)
	}
	return h, nil
}

// decodeLinkedHeader reads a block's header.
func decodeLinkedHeader(raw json.RawMessage) (linkedHeader, error) {
	var answer struct {
		Hash      json.RawMessage `json:"block_hash"`
		Parent    json.RawMessage `json:"parent_hash"`
		Number    *uint64         `json:"block_number"`
		Timestamp *uint64         `json:"timestamp"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return linkedHeader{}, err
	}
	var h linkedHeader
	var err error
	if h.Hash, err = parseFelt(answer.Hash); err == nil && answer.Parent != nil {
		h.parent, err = parseFelt(answer.Parent)
	}
	switch {
	case err != nil:
	case answer.Number == nil || answer.Timestamp == nil:
		err = errors.New("it lacks its number or its time")
	case *answer.Timestamp > lastYear:
		err = errors.New("its time is after the year 9999")
	}
	if err != nil {
		return linkedHeader{}, err
	}
	h.Number, h.Time = *answer.Number, time.Unix(int64(*answer.Timestamp), 0).UTC()
	return h, nil
}

// blockGone is the fault of a node that does not know a block: it was reorganised away,
// or what answers behind one URL are several nodes that are not equally far.
func (e *endpoint) blockGone() *fault {
	return &fault{kind: faultBlockGone, host: e.host,
		says: "the node at " + e.host + " does not know the block that is being read"}
}
