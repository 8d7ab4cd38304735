package chain

import (
	"container/list"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// watchSet holds the wallets that somebody looked at lately, the last looked at first.
// Its owner's mutex guards it.
type watchSet struct {
	limit  int
	order  *list.List // of *watchedWallet
	byAddr map[validator.Address]*list.Element
}

// watchedWallet is one of them with what was last read of it.
type watchedWallet struct {
	address    validator.Address
	lastAccess time.Time
	first      chan struct{} // closed once a first read ended, well or not
	tried      bool          // first is closed

	snapshot *validator.ChainSnapshot // without its states; nil until a read succeeded
	fault    error                    // why the last read failed; nil if it did not

	// workerID is JobManager's id of the wallet, under which ReputationManager may know
	// it; "" until one is found.
	workerID       validator.Felt
	knownByAddress bool // ReputationManager knows the wallet by its address

	history stakeHistory
}

func newWatchList(limit int) watchSet {
	return watchSet{limit: limit, order: list.New(), byAddr: make(map[validator.Address]*list.Element)}
}

func (l *watchSet) len() int { return l.order.Len() }

// touch marks a wallet as asked for now, and takes it up if it was not watched.
func (l *watchSet) touch(a validator.Address, now time.Time) *watchedWallet {
	if el, ok := l.byAddr[a]; ok {
		l.order.MoveToFront(el)
		w := el.Value.(*watchedWallet)
		w.lastAccess = now
		return w
	}
	for l.order.Len() >= l.limit {
		l.drop(l.order.Back())
	}
	w := &watchedWallet{address: a, lastAccess: now, first: make(chan struct{})}
	l.byAddr[a] = l.order.PushFront(w)
	return w
}

// expire drops the wallets whose last look is before the given time.
func (l *watchSet) expire(before time.Time) {
	for el := l.order.Back(); el != nil && el.Value.(*watchedWallet).lastAccess.Before(before); el = l.order.Back() {
		l.drop(el)
	}
}

func (l *watchSet) drop(el *list.Element) {
	w := l.order.Remove(el).(*watchedWallet)
	delete(l.byAddr, w.address)
	w.endFirst()
}

// endFirst lets everybody go who waits for the wallet's first read.
func (w *watchedWallet) endFirst() {
	if !w.tried {
		w.tried = true
		close(w.first)
	}
}

// unread returns at most n wallets that were not read at a block, never-read ones first and
// then those that were read longest ago: where a node is too slow to be asked for all of them
// at every block, each has its turn.
func (l *watchSet) unread(block validator.Felt, n int) []*watchedWallet {
	var fresh, again []*watchedWallet
	for el := l.order.Front(); el != nil; el = el.Next() {
		switch w := el.Value.(*watchedWallet); {
		case w.snapshot == nil:
			fresh = append(fresh, w)
		case w.snapshot.Block.Hash != block:
			again = append(again, w)
		}
	}
	slices.SortStableFunc(again, func(a, b *watchedWallet) int { return a.snapshot.ObservedAt.Compare(b.snapshot.ObservedAt) })
	all := slices.Concat(fresh, again)
	return all[:min(n, len(all))]
}

// failNew ends the first read of every wallet that was never read.
func (l *watchSet) failNew(err error) {
	for el := l.order.Front(); el != nil; el = el.Next() {
		if w := el.Value.(*watchedWallet); w.snapshot == nil {
			w.fault = err
			w.endFirst()
		}
	}
}
