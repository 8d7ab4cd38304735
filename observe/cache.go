package observe

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// The bounds of what is cached and of how long a read may take.
const (
	cacheBytes       = 48 << 20 // of all answers
	cacheWalletBytes = 6 << 20  // of those about one wallet: some pages of long error messages
	cacheUnused      = 24 * time.Hour
	readTimeout      = 8 * time.Second // a read goes on for the next poll after the request gave up on it

	// entryOverhead is roughly what the cache itself needs for an entry, in bytes.
	entryOverhead = 512
)

// DefaultMaxWait is how long a request waits for a database read before it shows what is cached.
const DefaultMaxWait = 1500 * time.Millisecond

// cache keeps the newest good answer of each database read. It coalesces the reads of panels that
// poll together, and it is what pages show, marked stale, while the database is away.
//
// What it keeps is bounded in bytes, in all and per wallet, by an estimate of each answer: what a
// wallet asks for, however much and however often, takes room from that wallet's answers only.
// Libraries bound the sum of weights and know no owners. Answers that are no wallet's, whose number
// the server alone decides, count in all. The answers themselves stand in tables, one a read.
type cache struct {
	limits cacheLimits

	mu      sync.Mutex    // guards the tables too
	maxWait time.Duration // how long a request waits for a read before it shows what it has
	newest  *list.List    // of *slot, the last used first
	wallets map[validator.Address]*walletSlots
	bytes   int64
}

// cacheLimits bound a cache.
type cacheLimits struct {
	all, wallet int64         // bytes
	unused      time.Duration // after its last use an answer is dropped
}

// walletSlots are the answers about one wallet.
type walletSlots struct {
	newest *list.List // of *slot, the last used first
	bytes  int64
}

// slot is the room that an answer takes, whatever its type.
type slot struct {
	owner    validator.Address // whose data it is, "" for what is nobody's
	bytes    int64
	storedAt time.Time
	usedAt   time.Time
	evict    func() // takes the answer out of its table

	inAll, inWallet *list.Element
}

func newCache(maxWait time.Duration) *cache {
	return &cache{
		limits:  cacheLimits{all: cacheBytes, wallet: cacheWalletBytes, unused: cacheUnused},
		maxWait: maxWait, newest: list.New(), wallets: map[validator.Address]*walletSlots{},
	}
}

// touch notes that an answer was used.
func (c *cache) touch(s *slot, now time.Time) {
	s.usedAt = now
	c.newest.MoveToFront(s.inAll)
	c.wallets[s.owner].newest.MoveToFront(s.inWallet)
}

// add takes an answer in, and drops what there is no room for: the wallet's answers that were used
// longest ago, then everybody's.
func (c *cache) add(s *slot) {
	w := c.wallets[s.owner]
	if w == nil {
		w = &walletSlots{newest: list.New()}
		c.wallets[s.owner] = w
	}
	s.inAll, s.inWallet = c.newest.PushFront(s), w.newest.PushFront(s)
	c.bytes += s.bytes
	w.bytes += s.bytes
	for s.owner != "" && w.bytes > c.limits.wallet {
		c.drop(oldest(w.newest))
	}
	for o := oldest(c.newest); o != nil && (c.bytes > c.limits.all || s.usedAt.Sub(o.usedAt) > c.limits.unused); o = oldest(c.newest) {
		c.drop(o)
	}
}

func (c *cache) drop(s *slot) {
	w := c.wallets[s.owner]
	s.evict()
	c.newest.Remove(s.inAll)
	w.newest.Remove(s.inWallet)
	c.bytes -= s.bytes
	w.bytes -= s.bytes
	if w.newest.Len() == 0 {
		delete(c.wallets, s.owner)
	}
}

// clear drops every answer.
func (c *cache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for s := oldest(c.newest); s != nil; s = oldest(c.newest) {
		c.drop(s)
	}
}

func oldest(l *list.List) *slot {
	last := l.Back()
	if last == nil {
		return nil
	}
	s, _ := last.Value.(*slot)
	return s
}

// key names every parameter of a read.
type key interface {
	comparable
	owner() validator.Address // whose data is read, "" for what is nobody's
}

// ofWallet is the key of a read that has no parameter but the wallet.
type ofWallet validator.Address

func (k ofWallet) owner() validator.Address { return validator.Address(k) }

// nobodys is what keys hold of reads that are no wallet's; alone it is the key of one without
// parameters.
type nobodys struct{}

func (nobodys) owner() validator.Address { return "" }

// table holds the answers of one read, in the room of a cache, whose lock guards it. The zero
// table is empty.
type table[K key, V any] struct {
	entries map[K]*entry[V]
	flights map[K]*flight[V]
}

type entry[V any] struct {
	slot

	value V
}

// flight is a read that runs.
type flight[V any] struct {
	done   chan struct{} // closed once value and err are there
	value  V
	err    error
	wanted int // by so many requests; guarded by cache.mu
	cancel context.CancelFunc
}

// forget makes the next request read anew what has just been changed.
func (t *table[K, V]) forget(c *cache, k K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(t.flights, k) // what runs may have read before the change
	if e, had := t.entries[k]; had {
		c.drop(&e.slot)
	}
}

// answer is one of the database, perhaps an old one.
type answer[V any] struct {
	value validator.Maybe[V]
	at    time.Time // of the value
	err   error     // why it is not fresh, or missing
}

var (
	errSlow         = errors.New("the database did not answer in time")
	errReadPanicked = errors.New("the read panicked")
)

// load answers from the table if that is younger than maxAge, else reads. One read runs at a
// time for a key however many requests ask, and ends once all of them have hung up.
func (t *table[K, V]) load(ctx context.Context, c *cache, k K, maxAge time.Duration, read func(context.Context) (V, error)) answer[V] {
	old, maxWait := t.newest(c, k)
	if old.value.Known() && time.Since(old.at) < maxAge {
		return old
	}
	f := t.join(ctx, c, k, read)
	timer := time.NewTimer(maxWait)
	defer timer.Stop()
	select {
	case <-f.done:
		if f.err == nil {
			return answer[V]{value: validator.Some(f.value), at: time.Now()}
		}
		old.err = f.err
	case <-timer.C:
		old.err = errSlow // the page asks again, so the read goes on for it
	case <-ctx.Done():
		t.leave(c, k, f)
		old.err = ctx.Err()
	}
	return old
}

// newest returns the answer that is kept for a key, and how long to wait for a newer one.
func (t *table[K, V]) newest(c *cache, k K) (answer[V], time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, had := t.entries[k]
	if !had {
		return answer[V]{value: validator.None[V]("")}, c.maxWait
	}
	c.touch(&e.slot, time.Now())
	return answer[V]{value: validator.Some(e.value), at: e.storedAt}, c.maxWait
}

// join returns the read of a key that runs, or starts one.
func (t *table[K, V]) join(ctx context.Context, c *cache, k K, read func(context.Context) (V, error)) *flight[V] {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f, runs := t.flights[k]; runs {
		f.wanted++
		return f
	}
	ctx, cancel := context.WithTimeout(db.OnBehalfOf(context.WithoutCancel(ctx), k.owner()), readTimeout) //nolint:gosec // fly cancels it
	f := &flight[V]{done: make(chan struct{}), wanted: 1, cancel: cancel}
	if t.flights == nil {
		t.flights = map[K]*flight[V]{}
	}
	t.flights[k] = f
	go t.fly(ctx, c, k, f, read)
	return f
}

// leave notes that a request has hung up; a read that nobody wants ends.
func (t *table[K, V]) leave(c *cache, k K, f *flight[V]) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if f.wanted--; f.wanted > 0 {
		return
	}
	f.cancel()
	if t.flights[k] == f {
		delete(t.flights, k)
	}
}

func (t *table[K, V]) fly(ctx context.Context, c *cache, k K, f *flight[V], read func(context.Context) (V, error)) {
	defer f.cancel()
	defer close(f.done)
	defer func() {
		if p := recover(); p != nil {
			f.err = fmt.Errorf("%w: %v", errReadPanicked, p)
		}
		t.land(c, k, f)
	}()
	f.value, f.err = read(ctx)
}

// land keeps what a flight brought, unless it is outdated since forget.
func (t *table[K, V]) land(c *cache, k K, f *flight[V]) {
	var bytes int64
	if f.err == nil {
		bytes = heapBytes(f.value) + heapBytes(k) + entryOverhead
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if t.flights[k] != f {
		return
	}
	delete(t.flights, k)
	if f.err != nil {
		return
	}
	if old, had := t.entries[k]; had {
		c.drop(&old.slot)
	}
	now := time.Now()
	e := &entry[V]{slot: slot{owner: k.owner(), bytes: bytes, storedAt: now, usedAt: now, evict: func() { delete(t.entries, k) }}, value: f.value}
	if t.entries == nil {
		t.entries = map[K]*entry[V]{}
	}
	t.entries[k] = e
	c.add(&e.slot)
}
