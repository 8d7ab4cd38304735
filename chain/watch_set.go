package chain

import (
	"context"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// WalletSnapshot returns the newest snapshot of a wallet and keeps the wallet watched for the
// configured time. It answers at once, except the first look at a wallet: that one waits
// until the wallet has been read, at most FirstReadWait, and not at all while every node
// is known to be down or there is no contract to read. All first looks at a wallet share one read.
//
// The address must be in normal form. The snapshot's slices are shared: do not write them.
func (c *Client) WalletSnapshot(ctx context.Context, wallet validator.Address) validator.ChainSnapshot {
	c.mu.Lock()
	w := c.watched.touch(wallet, c.cfg.Now())
	first := !w.tried
	c.mu.Unlock()
	if first && !c.cfg.Contracts.unreadable() && !c.pool.open() {
		signal(c.pollNow)
		t := time.NewTimer(c.cfg.FirstReadWait)
		defer t.Stop()
		select {
		case <-w.first:
		case <-t.C:
		case <-ctx.Done():
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Now()
	state := c.walletState(w, now)
	var s validator.ChainSnapshot
	if w.snapshot != nil {
		s = *w.snapshot
		s.StakeEvents, s.StakeEventsQuery = w.historyPart()
		s.Network.State = state
	} else {
		s = planWallet(c.cfg.Contracts, wallet, "", "", false).unread(c.cfg.Network, phrase(state.Reason))
		s.Network = c.networkAt(now)
	}
	s.State = state
	return s
}

// Network returns what was last read of the network as a whole. It never waits; the first
// look after a time without any has the head asked for at once.
func (c *Client) Network() validator.ChainNetwork {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Now()
	if !c.lookedAt(now) {
		signal(c.pollNow) // the head may not have been asked for since the idle interval began
	}
	c.lastNetLook = now
	return c.networkAt(now)
}

func (c *Client) networkAt(now time.Time) validator.ChainNetwork {
	state := c.stateAt(now)
	if c.block != nil {
		n := c.block.network()
		n.State = state
		return n
	}
	p := planBlock(c.cfg.Contracts, "")
	reason := phrase(state.Reason)
	return validator.ChainNetwork{
		State:        state,
		Config:       p.config.unread(c.cfg.Network, reason),
		TotalStaked:  p.totalStaked.unread(c.cfg.Network, reason),
		TotalSlashed: p.totalSlashed.unread(c.cfg.Network, reason),
		Reputation:   p.reputation.unread(c.cfg.Network, reason),
	}
}

// unread is the read of a view that was not called yet.
func (v viewCall[T]) unread(n Network, reason string) validator.ChainRead[T] {
	if v.rpc == nil {
		return v.read(n)
	}
	return validator.ChainRead[T]{Maybe: validator.None[T](reason), Call: v.call}
}

// unread is the snapshot of a wallet that was not read yet.
func (p *walletPlan) unread(n Network, reason string) validator.ChainSnapshot {
	return validator.ChainSnapshot{
		Address:        p.address,
		Stake:          p.stake.unread(n, reason),
		Eligible:       p.eligible.unread(n, reason),
		Reputation:     p.byWallet.reputation.unread(n, reason),
		ReputationRank: p.byWallet.rank.unread(n, reason),
		WalletBalance:  p.balance.unread(n, reason),
		Mining: validator.MiningReads{
			Configured: p.mining.configured, Stats: p.mining.stats.unread(n, reason),
			RemainingCap: p.mining.left.unread(n, reason), Tier: p.mining.tier.unread(n, reason),
		},
		StakeEvents: validator.None[[]validator.StakeEvent](p.stake.unread(n, reason).Reason()),
	}
}
