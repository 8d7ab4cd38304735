package chain

import (
	"context"
	"errors"

	"github.com/NethermindEth/starknet.go/rpc"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// start takes a contract into the index that is not in it, or that is to be read from an
// earlier block than it was, and says whether there was one.
func (x *Indexer) start(ctx context.Context, index validator.ChainIndex, newest head) (bool, error) {
	for _, k := range x.contracts() {
		cursor, ok := cursorOf(index, k.address)
		if ok && (x.cfg.From == nil || *x.cfg.From >= cursor.First) {
			continue
		}
		first, how, err := x.firstBlock(ctx, k, newest)
		if errors.Is(err, errNotDeployed) {
			continue
		}
		if err != nil {
			return false, err
		}
		x.log.Info("Events are read", "contract", k.name, "address", string(k.address), "from", first, "because", string(how))
		return true, x.store.ChangeIndex(ctx, validator.IndexChange{
			ChainID: x.client.cfg.Network.ChainID, At: x.client.cfg.Now(), Failure: index.Failure,
			Starts: []validator.IndexCursor{{Contract: k.address, Name: k.name, First: first, Start: how}},
		})
	}
	return false, nil
}

// dateFirstBlocks notes when the first blocks that are read were made, where that is not
// known yet. A node that tells it not is asked again in a later sweep: reading on does not
// depend on it.
func (x *Indexer) dateFirstBlocks(ctx context.Context, index validator.ChainIndex, newest head) error {
	var undated []validator.IndexCursor
	for _, k := range x.contracts() {
		if c, ok := cursorOf(index, k.address); ok && c.FirstTime.IsZero() && c.First <= newest.number {
			undated = append(undated, c)
		}
	}
	if len(undated) == 0 {
		return nil
	}
	calls := make([]*rpcCall, len(undated))
	c := x.client
	err := c.pool.do(ctx, c.cfg.HistoryTimeout, func(ctx context.Context, e *endpoint) error {
		id := &rpcCall{method: "starknet_chainId"}
		for i, k := range undated {
			calls[i] = numberedHeaderCall(k.First)
		}
		if err := e.batchAtBlock(ctx, append([]*rpcCall{id}, calls...)); err != nil {
			return besides(err)
		}
		if err := e.checkChain(id, c.cfg.Network.ChainID); err != nil {
			return besides(err)
		}
		for i, k := range undated {
			h, err := e.decodeNumberedHeader(calls[i], k.First)
			if err != nil {
				return besides(err)
			}
			undated[i].FirstTime = h.Time
		}
		return nil
	})
	if err != nil {
		x.log.Debug("When the first block was made is not known", "error", err.Error())
		return ctx.Err()
	}
	return x.store.ChangeIndex(ctx, validator.IndexChange{ChainID: c.cfg.Network.ChainID, At: c.cfg.Now(), Dated: undated})
}

func cursorOf(index validator.ChainIndex, contract validator.Address) (validator.IndexCursor, bool) {
	for _, c := range index.Cursors {
		if c.Contract == contract {
			return c, true
		}
	}
	return validator.IndexCursor{}, false
}

var errNotDeployed = errors.New("there is no such contract")

// firstBlock says from which block on a contract's events are read.
func (x *Indexer) firstBlock(ctx context.Context, k namedContract, newest head) (first uint64, how validator.IndexStart, err error) {
	if x.cfg.From != nil {
		return *x.cfg.From, validator.IndexFromSetting, nil
	}
	c := x.client
	err = c.pool.do(ctx, c.cfg.HistoryTimeout, func(ctx context.Context, e *endpoint) error {
		var err error
		first, how, err = e.deploymentOf(ctx, c.cfg.Network.ChainID, k, newest)
		return besides(err)
	})
	return first, how, err
}

// deploymentOf finds the block in which a contract was deployed, by halving. A node that
// keeps no old state cannot tell it; then a contract's events begin wherever they do.
func (e *endpoint) deploymentOf(ctx context.Context, chainID string, k namedContract, newest head) (uint64, validator.IndexStart, error) {
	hashes, err := e.classHashes(ctx, chainID, []namedContract{k})
	switch answer := hashes[k.address]; {
	case err != nil:
		return 0, "", err
	case answer.err != nil:
		return 0, "", answer.err
	case answer.notDeployed:
		return 0, "", errNotDeployed
	}
	low, high := uint64(0), newest.number // it is there at high
	for low < high {
		middle := low + (high-low)/2
		switch there, known, err := e.deployedAt(ctx, k, middle); {
		case err != nil:
			return 0, "", err
		case !known:
			return 0, validator.IndexFromFirstBlock, nil
		case there:
			high = middle
		default:
			low = middle + 1
		}
	}
	return low, validator.IndexFromDeployment, nil
}

// deployedAt says whether there is a contract in a block's state; known is false where the
// node keeps that state no longer.
func (e *endpoint) deployedAt(ctx context.Context, k namedContract, block uint64) (there, known bool, err error) {
	call := &rpcCall{method: "starknet_getClassHashAt", params: []any{rpc.WithBlockNumber(block), wireFelt(k.address.Felt())}}
	err = e.batch(ctx, []*rpcCall{call})
	var f *fault
	if errors.As(err, &f) && f.kind == faultRPC && !f.limitsRate() {
		return false, false, nil
	}
	switch {
	case err != nil:
		return false, false, err
	case codeOf(call.err) == codeContractNotFound:
		return false, true, nil
	case call.err != nil:
		return false, false, nil
	}
	_, err = parseFelt(call.raw)
	return err == nil, err == nil, nil
}
