package web

import (
	"container/list"
	"sync"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// answerCache keeps the newest answer of each database read. What it keeps is bounded in bytes, in
// all and per wallet, by an estimate of each answer: what a wallet asks for, however much and
// however often, takes room from that wallet's answers only. Libraries bound the sum of weights
// and know no owners. Answers that are no wallet's, whose number the server alone decides, count in
// all.
type answerCache struct {
	limits cacheLimits

	mu      sync.Mutex
	entries map[memoryKey]*cacheEntry
	newest  *list.List // of *cacheEntry, the last used first
	wallets map[validator.Address]*walletAnswers
	bytes   int64
}

// cacheLimits bound an answerCache.
type cacheLimits struct {
	all, wallet int64         // bytes
	unused      time.Duration // after its last use an answer is dropped
}

// walletAnswers are the answers about one wallet.
type walletAnswers struct {
	newest *list.List // of *cacheEntry, the last used first
	bytes  int64
}

type cacheEntry struct {
	key   memoryKey
	value any
	at    time.Time // of the value
	used  time.Time // last

	bytes           int64
	inAll, inWallet *list.Element
}

// entryOverhead is roughly what the cache itself needs for an entry, in bytes.
const entryOverhead = 512

func newAnswerCache(limits cacheLimits) *answerCache {
	return &answerCache{limits: limits, entries: map[memoryKey]*cacheEntry{}, newest: list.New(), wallets: map[validator.Address]*walletAnswers{}}
}

// get returns an answer and the time that it is of.
func (c *answerCache) get(key memoryKey, now time.Time) (value any, at time.Time, had bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, had := c.entries[key]
	if !had {
		return nil, time.Time{}, false
	}
	e.used = now
	c.newest.MoveToFront(e.inAll)
	c.wallets[key.wallet].newest.MoveToFront(e.inWallet)
	return e.value, e.at, true
}

// set keeps an answer of so many bytes in the place of the one before, and drops what there is no
// room for: the wallet's answers that were used longest ago, then everybody's.
func (c *answerCache) set(key memoryKey, value any, bytes int64, now time.Time) {
	bytes += int64(len(key.read)+len(key.wallet)+len(key.detail)) + entryOverhead
	c.mu.Lock()
	defer c.mu.Unlock()
	if old, had := c.entries[key]; had {
		c.drop(old)
	}
	w := c.wallets[key.wallet]
	if w == nil {
		w = &walletAnswers{newest: list.New()}
		c.wallets[key.wallet] = w
	}
	e := &cacheEntry{key: key, value: value, at: now, used: now, bytes: bytes}
	e.inAll, e.inWallet = c.newest.PushFront(e), w.newest.PushFront(e)
	c.entries[key] = e
	c.bytes += bytes
	w.bytes += bytes
	for key.wallet != "" && w.bytes > c.limits.wallet {
		c.drop(oldest(w.newest))
	}
	for e := oldest(c.newest); e != nil && (c.bytes > c.limits.all || now.Sub(e.used) > c.limits.unused); e = oldest(c.newest) {
		c.drop(e)
	}
}

// remove forgets an answer.
func (c *answerCache) remove(key memoryKey) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, had := c.entries[key]; had {
		c.drop(e)
	}
}

func (c *answerCache) drop(e *cacheEntry) {
	w := c.wallets[e.key.wallet]
	delete(c.entries, e.key)
	c.newest.Remove(e.inAll)
	w.newest.Remove(e.inWallet)
	c.bytes -= e.bytes
	w.bytes -= e.bytes
	if w.newest.Len() == 0 {
		delete(c.wallets, e.key.wallet)
	}
}

func oldest(l *list.List) *cacheEntry {
	last := l.Back()
	if last == nil {
		return nil
	}
	e, _ := last.Value.(*cacheEntry)
	return e
}
