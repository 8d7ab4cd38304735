package chain

import (
	"context"
	"errors"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// readBlocks reads what is unread at the head, whenever the head was seen, until ctx ends.
func (c *Client) readBlocks(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.readNow:
		}
		for ctx.Err() == nil {
			more, err := c.readChunk(ctx)
			if err != nil || !more {
				break
			}
		}
		signal(c.historyNow)
	}
}

// nextRead is the block to read at: one that a websocket announced, else the head. It says false
// if there is none; c.mu is held.
func (c *Client) nextRead() (validator.Felt, *announcedHead, bool) {
	switch {
	case c.announced != nil:
		return c.announced.Hash, c.announced, true
	case c.head != nil && c.headFault == nil:
		return c.head.hash, nil, true
	}
	return "", nil, false
}

// readChunk reads one batch of what is unread at the head: the network if it is, and some
// wallets, never-read ones first. It says whether there was anything to read.
func (c *Client) readChunk(ctx context.Context) (bool, error) {
	c.mu.Lock()
	hash, announced, some := c.nextRead()
	if !some {
		c.mu.Unlock()
		return false, nil
	}
	block := c.block
	c.watched.expire(c.cfg.Now().Add(-c.cfg.WatchFor))
	wallets := c.watched.unread(hash, c.cfg.BatchWallets)
	type asked struct {
		address  validator.Address
		workerID validator.Felt
		findID   bool
	}
	todo := make([]asked, len(wallets))
	for i, w := range wallets {
		todo[i] = asked{w.address, w.workerID, !w.knownByAddress}
	}
	c.mu.Unlock()
	if block != nil && block.Hash != hash {
		block = nil
	}
	if block != nil && len(todo) == 0 {
		return false, nil
	}

	n, k := c.cfg.Network, c.cfg.Contracts
	var plans []*walletPlan
	var bp *blockPlan
	var read *blockReads
	err := c.pool.do(ctx, classTimeout(c.cfg), func(ctx context.Context, e *endpoint) error {
		ctx = context.WithValue(ctx, requestTimeoutKey{}, c.cfg.CallTimeout) // a node may take few calls at a time
		read, bp = block, nil
		if block == nil {
			bp = planBlock(k, hash)
		}
		plans = make([]*walletPlan, len(todo))
		for i, t := range todo {
			plans[i] = planWallet(k, t.address, t.workerID, hash, t.findID)
		}
		err := e.ask(ctx, n, k, bp, plans)
		if err == nil && bp != nil {
			read, err = bp.decode(e, n, hash, c.cfg.Now())
		}
		if f, is := errors.AsType[*fault](err); is && announced != nil && f.kind == faultBlockGone {
			f.early = true
		}
		return err
	})
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err == nil {
		c.noteFitness(bp, plans) // before the values: who sees them finds their contracts judged
	}
	c.noteRead(announced, wallets, plans, read, err)
	return true, err
}

// noteRead keeps the outcome of a read, at an announced block if announced is one.
func (c *Client) noteRead(announced *announcedHead, wallets []*watchedWallet, plans []*walletPlan, read *blockReads, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if announced != nil {
		if err != nil {
			c.forgetAnnounced(announced, err)
			return
		}
		c.acceptAnnounced(announced, read.Block)
	}
	if (err == nil) != (c.readFault == nil) {
		if err != nil {
			c.log.Warn("The contracts cannot be read", "error", err.Error())
		} else {
			c.log.Info("The contracts are read again", "block", read.Number)
		}
	}
	c.readFault = err
	if err != nil {
		for _, w := range wallets {
			w.fault = err
		}
		c.watched.failNew(err)
		signal(c.askNow) // the next poll asks for what is unread again
		return
	}
	c.batches++
	c.walletsInAll += uint64(len(plans))
	c.block = read
	at := c.cfg.Now()
	for i, w := range wallets {
		w.snapshot, w.fault = plans[i].snapshot(c.cfg.Network, read, at), nil
		if id := plans[i].workerID(); id != "" {
			w.workerID = id
		}
		w.knownByAddress = plans[i].knownByAddress(c.cfg.Network)
		w.endFirst()
	}
}
