package chain

import (
	"context"
	"encoding/json"
	"errors"
	"time"

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
	switch {
	case codeOf(call.err) == codeBlockNotFound:
		return validator.Block{}, e.blockGone()
	case call.err != nil:
		return validator.Block{}, e.refusal(call.err)
	}
	var answer struct {
		Hash      json.RawMessage `json:"block_hash"`
		Number    *uint64         `json:"block_number"`
		Timestamp *uint64         `json:"timestamp"`
	}
	if err := json.Unmarshal(call.raw, &answer); err != nil {
		return validator.Block{}, e.nonsense("a block", err)
	}
	got, err := parseFelt(answer.Hash)
	switch {
	case err != nil:
	case got != hash:
		err = errors.New("it is another block than the one asked for")
	case answer.Number == nil || answer.Timestamp == nil:
		err = errors.New("it lacks its number or its time")
	case *answer.Timestamp > lastYear:
		err = errors.New("its time is after the year 9999")
	}
	if err != nil {
		return validator.Block{}, e.nonsense("a block", err)
	}
	return validator.Block{Number: *answer.Number, Hash: hash, Time: time.Unix(int64(*answer.Timestamp), 0).UTC()}, nil
}

// blockGone is the fault of a node that does not know a block: it was reorganised away,
// or what answers behind one URL are several nodes that are not equally far.
func (e *endpoint) blockGone() *fault {
	return &fault{kind: faultBlockGone, host: e.host,
		says: "the node at " + e.host + " does not know the block that is being read"}
}
