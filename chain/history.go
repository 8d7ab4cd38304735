package chain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// maxStakeEvents is how many of a wallet's events are kept, the newest: a claim a day for
// more than half a year.
const maxStakeEvents = 200

// stakeHistory is what was read of a wallet's events. It is read beside the block's views,
// since it costs a node many times as much: once when the wallet is watched, and again
// when its stake has changed.
type stakeHistory struct {
	stake   []validator.Felt // the raw answer of get_stake that goes with the events; nil until they are read
	events  []validator.StakeEvent
	query   validator.EventQuery
	fault   error // why the last read failed; nil if it did not
	tries   int   // failures in a row
	retryAt time.Time
}

// historyPart is what is known of the history next to a snapshot.
func (w *watchedWallet) historyPart() (validator.Maybe[[]validator.StakeEvent], validator.EventQuery) {
	stake, known := w.snapshot.Stake.Get()
	h := &w.history
	switch {
	case !known:
		return validator.None[[]validator.StakeEvent](w.snapshot.Stake.Reason()), validator.EventQuery{}
	case !stake.Registered():
		return validator.Some([]validator.StakeEvent{}), validator.EventQuery{}
	case h.fault != nil:
		return validator.None[[]validator.StakeEvent](historyFaultWords(h.fault)), validator.EventQuery{}
	case h.stake == nil:
		return validator.None[[]validator.StakeEvent]("ProverStaking's events are being read"), validator.EventQuery{}
	}
	q := h.query
	q.Outdated = !slices.Equal(h.stake, w.snapshot.Stake.Call.Result)
	return validator.Some(h.events), q
}

// historyDue says whether the wallet's events are to be read now. One that never staked has
// none, which its stake tells already.
func (w *watchedWallet) historyDue(now time.Time) bool {
	if w.snapshot == nil {
		return false
	}
	stake, known := w.snapshot.Stake.Get()
	return known && stake.Registered() && !slices.Equal(w.history.stake, w.snapshot.Stake.Call.Result) &&
		!now.Before(w.history.retryAt)
}

// dueHistory returns a wallet whose events are to be read, one that was never read first,
// or nil.
func (l *watchSet) dueHistory(now time.Time) *watchedWallet {
	var again *watchedWallet
	for el := l.order.Front(); el != nil; el = el.Next() {
		switch w := el.Value.(*watchedWallet); {
		case !w.historyDue(now):
		case w.history.stake == nil && w.history.fault == nil:
			return w
		case again == nil || w.history.retryAt.Before(again.history.retryAt):
			again = w
		}
	}
	return again
}

// readHistories reads the events of wallets that need it, one after another, whenever the
// views were read, until ctx ends.
func (c *Client) readHistories(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.historyNow:
		}
		for more := true; more && ctx.Err() == nil; {
			more = c.readHistory(ctx)
		}
	}
}

// readHistory reads the events of one wallet and says whether there was one to read.
func (c *Client) readHistory(ctx context.Context) bool {
	c.mu.Lock()
	c.watched.expire(c.cfg.Now().Add(-c.cfg.WatchFor))
	w := c.watched.dueHistory(c.cfg.Now())
	if w == nil {
		c.mu.Unlock()
		return false
	}
	read := stakeHistory{stake: w.snapshot.Stake.Call.Result}
	filter := stakeEventFilter(c.cfg.Contracts.ProverStaking, w.address, w.snapshot.Block)
	c.mu.Unlock()

	read.query = filter.query()
	c.blockTimes.put(filter.to) // the block in which the stake changed, more often than not
	err := c.pool.do(ctx, c.cfg.HistoryTimeout, func(ctx context.Context, e *endpoint) error {
		events, omitted, err := c.newestEvents(ctx, e, filter, maxStakeEvents)
		if err == nil {
			err = e.readBlockTimes(ctx, &c.blockTimes, events)
		}
		if err != nil {
			return besides(err)
		}
		read.events, read.query.Omitted = make([]validator.StakeEvent, len(events)), omitted
		for i, ev := range events {
			if read.events[len(events)-1-i], err = decodeStakeEvent(ev); err != nil {
				return err
			}
		}
		return nil
	})
	if ctx.Err() == nil {
		c.noteHistory(w, read, err)
	}
	return true
}

// besides marks a node's failure as one of a read that goes beside the views: many nodes
// serve those well and search events slowly or not at all.
func besides(err error) error {
	var f *fault
	if !errors.As(err, &f) {
		return err
	}
	marked := *f
	marked.beside = true
	return &marked
}

// noteHistory keeps the outcome of a read.
func (c *Client) noteHistory(w *watchedWallet, read stakeHistory, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if (err == nil) != (c.historyFault == nil) {
		if err != nil {
			c.log.Warn("ProverStaking's events cannot be read", "error", err.Error())
		} else {
			c.log.Info("ProverStaking's events are read again")
		}
	}
	c.historyFault = err
	if err == nil {
		c.histories++
		w.history = read
		return
	}
	h := &w.history
	var o *outage
	if errors.As(err, &o) && o.only(faultBlockGone) {
		// The block was reorganised away: the next snapshot is of another one.
		h.retryAt = c.cfg.Now().Add(c.cfg.PollInterval)
		return
	}
	const mostDoublings = 4
	h.fault, h.retryAt = err, c.cfg.Now().Add(c.cfg.HistoryRetry<<min(h.tries, mostDoublings))
	h.tries++
}

// historyFaultWords says in a phrase why a wallet's events are missing.
func historyFaultWords(err error) string {
	const missing = "ProverStaking's events cannot be read"
	var o *outage
	if !errors.As(err, &o) {
		return fmt.Sprintf("%s: %s", missing, err)
	}
	says := make([]string, len(o.faults))
	for i, f := range o.faults {
		says[i] = f.says
	}
	return missing + ": " + strings.Join(says, "; ")
}
