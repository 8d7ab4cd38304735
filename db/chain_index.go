package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// Errors of changes to the index, for errors.Is.
var (
	// ErrIndexMoved says that a change begins where the index no longer is: another program
	// has read on, or blocks were undone. Nothing was stored.
	ErrIndexMoved = errors.New("the index is no longer where this change begins")
	// ErrOtherChain says that the database holds the events of another chain.
	ErrOtherChain = errors.New("the database holds the events of another chain")
)

// Of the blocks that the index remembers, the newest ones are all kept and older ones now
// and then: most reorganisations are shallow.
const (
	denseBlocks     = 4096
	sparseBlocks    = 1024
	thinnedPerWrite = 4096
)

// ChainIndex returns how far the chain's events have been read.
func (s *Store) ChainIndex(ctx context.Context) (validator.ChainIndex, error) {
	var index validator.ChainIndex
	err := s.inSnapshot(ctx, func(q *Queries) (err error) {
		index, err = q.chainIndex(ctx)
		return err
	})
	return index, s.fail("read how far the chain's events are known", err)
}

func (q *Queries) chainIndex(ctx context.Context) (validator.ChainIndex, error) {
	row, err := q.getChainIndex(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		return validator.ChainIndex{}, nil
	}
	if err != nil {
		return validator.ChainIndex{}, err
	}
	cursors, err := q.listIndexCursors(ctx)
	if err != nil {
		return validator.ChainIndex{}, err
	}
	return row.index(cursors), nil
}

// IndexedBlocks returns the blocks of the chain that the index remembers, newest first.
func (s *Store) IndexedBlocks(ctx context.Context) ([]validator.Block, error) {
	rows, err := s.q.listChainBlocks(ctx)
	blocks := make([]validator.Block, len(rows))
	for i, r := range rows {
		blocks[i] = validator.Block{Number: uint64(r.BlockNumber), Hash: r.BlockHash, Time: r.BlockTime}
	}
	return blocks, s.fail("list the blocks whose events are known", err)
}

// ChangeIndex stores a step of the index in one transaction. ErrIndexMoved and ErrOtherChain
// say that nothing was stored, and so does every other error.
func (s *Store) ChangeIndex(ctx context.Context, c validator.IndexChange) error {
	err := s.inUpkeep(ctx, func(ctx context.Context, q *Queries) error {
		row, err := q.openChainIndex(ctx, c.ChainID)
		if err != nil {
			return err
		}
		if row.ChainID != c.ChainID {
			return fmt.Errorf("%w: it has those of %s, not of %s", ErrOtherChain, row.ChainID, c.ChainID)
		}
		if err := q.changeCursors(ctx, c); err != nil {
			return err
		}
		if err := q.dropEvents(ctx, c.Drop); err != nil {
			return err
		}
		if err := q.storeEvents(ctx, c.Events); err != nil {
			return err
		}
		if err := q.dropClaims(ctx, c.Drop); err != nil {
			return err
		}
		if err := q.noteBlocks(ctx, c.Blocks); err != nil {
			return err
		}
		return q.noteChainIndex(ctx, note(c))
	})
	return s.fail("store the chain's events", err)
}

// changeCursors does what of a change makes contracts be read from elsewhere.
func (q *Queries) changeCursors(ctx context.Context, c validator.IndexChange) error {
	for _, k := range c.Starts {
		if err := q.startIndexing(ctx, startIndexingParams{ContractAddress: k.Contract, Name: k.Name, FirstBlock: int64(k.First), Start: k.Start}); err != nil {
			return err
		}
	}
	for _, k := range c.Dated {
		if err := q.noteFirstBlock(ctx, noteFirstBlockParams{FirstTime: &k.FirstTime, ContractAddress: k.Contract, FirstBlock: int64(k.First)}); err != nil {
			return err
		}
	}
	if c.Reorg {
		if err := q.undoBlocksAfter(ctx, c.Undo); err != nil {
			return err
		}
	}
	for _, k := range c.Read {
		p := moveIndexCursorParams{ContractAddress: k.Contract, FirstBlock: int64(k.First)}
		if c.Settled != nil {
			settled := int64(*c.Settled)
			p.Settled = &settled
		}
		p.BlockNumber, p.BlockHash, p.BlockTime = blockColumns(&c.Done)
		if k.Done != nil {
			p.AfterHash = &k.Done.Hash
		}
		moved, err := q.moveIndexCursor(ctx, p)
		if err == nil && moved == 0 {
			err = ErrIndexMoved
		}
		if err != nil {
			return fmt.Errorf("the events of %s: %w", k.Name, err)
		}
	}
	return nil
}

// undoBlocksAfter removes everything that is known of the blocks after one, of all blocks
// for nil.
func (q *Queries) undoBlocksAfter(ctx context.Context, last *validator.Block) error {
	number, hash, at := blockColumns(last)
	if number == nil {
		none := int64(-1)
		number = &none
	}
	for _, undo := range []func() error{
		func() error { return q.undoClaimsFromEvents(ctx, number) },
		func() error { return q.reopenClaims(ctx, number) },
		func() error { return q.undoStakeEvents(ctx, *number) },
		func() error { return q.undoChainPayments(ctx, *number) },
		func() error { return q.undoReputationChanges(ctx, *number) },
		func() error { return q.undoChainEvents(ctx, *number) },
		func() error { return q.undoChainBlocks(ctx, *number) },
		func() error {
			return q.setBackIndexCursors(ctx, setBackIndexCursorsParams{BlockNumber: *number, BlockHash: (*string)(hash), BlockTime: at})
		},
	} {
		if err := undo(); err != nil {
			return err
		}
	}
	return nil
}

// noteBlocks remembers blocks, and forgets most of those that have grown old.
func (q *Queries) noteBlocks(ctx context.Context, blocks []validator.Block) error {
	if len(blocks) == 0 {
		return nil
	}
	rows := make([]noteChainBlockParams, len(blocks))
	newest := int64(0)
	for i, b := range blocks {
		rows[i] = noteChainBlockParams{BlockNumber: int64(b.Number), BlockHash: b.Hash, BlockTime: b.Time}
		newest = max(newest, int64(b.Number))
	}
	if err := execAll(ctx, rows, q.noteChainBlock); err != nil {
		return err
	}
	old := newest - denseBlocks
	return q.thinChainBlocks(ctx, thinChainBlocksParams{FirstBlock: old - thinnedPerWrite, LastBlock: old, KeepEvery: sparseBlocks})
}

func note(c validator.IndexChange) noteChainIndexParams {
	p := noteChainIndexParams{Failure: foreignText(c.Failure)}
	p.HeadNumber, p.HeadHash, p.HeadTime = blockColumns(c.Head)
	if c.Failure == "" {
		p.SweptAt = &c.At
	}
	if c.Reorg {
		p.Reorgs = 1
	}
	return p
}

func (r ChainIndexRow) index(cursors []IndexCursorRow) validator.ChainIndex {
	x := validator.ChainIndex{
		ChainID: r.ChainID, Head: blockOf(r.HeadNumber, r.HeadHash, r.HeadTime), SweptAt: orZero(r.SweptAt),
		Failure: orZero(r.Failure), Reorgs: uint64(r.Reorgs),
	}
	for _, c := range cursors {
		k := validator.IndexCursor{
			Contract: c.ContractAddress, Name: c.Name, First: uint64(c.FirstBlock), FirstTime: orZero(c.FirstTime), Start: c.Start,
			Done: blockOf(c.BlockNumber, c.BlockHash, c.BlockTime),
		}
		if c.SettledBlock != nil {
			settled := uint64(*c.SettledBlock)
			k.Settled = &settled
		}
		x.Cursors = append(x.Cursors, k)
	}
	return x
}

func blockOf(number *int64, hash *validator.Felt, at *time.Time) *validator.Block {
	if number == nil || hash == nil || at == nil {
		return nil
	}
	return &validator.Block{Number: uint64(*number), Hash: *hash, Time: *at}
}

func blockColumns(b *validator.Block) (number *int64, hash *validator.Felt, at *time.Time) {
	if b == nil {
		return nil, nil, nil
	}
	n := int64(b.Number)
	return &n, &b.Hash, &b.Time
}
