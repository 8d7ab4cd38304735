package chain

import (
	"sync"
	"time"
)

// nodeLimits are what a node was found to take: how many calls in one request, how many
// events in a page, events of how many blocks, and how often it may be asked. They are
// learnt from what it refuses, and kept while the program runs.
type nodeLimits struct {
	now func() time.Time

	mu    sync.Mutex
	calls sizeLimit
	page  sizeLimit
	span  sizeLimit

	shortest, pause time.Duration // between the parts of a request that was split, after refusals for asking too often

	// Refusals for asking too often, of requests of about so many calls, in a row: how many
	// came although a smaller request was answered since the one before.
	crowded, crowdedSize int
	smallerAnswered      bool
}

func newNodeLimits(cfg Config) *nodeLimits {
	return &nodeLimits{
		now:   cfg.Now,
		calls: newSizeLimit(uint64(cfg.BatchCalls)),
		page:  newSizeLimit(eventsPerPage),
		span:  newSizeLimit(largestSpan),

		shortest: cfg.RetryBackoff,
	}
}

// The waits before a larger size than the one that a node takes is tried again.
const (
	firstProbe  = time.Minute
	rarestProbe = time.Hour
)

// sizeLimit is one size: lowered when it is refused, and raised again step by step.
type sizeLimit struct {
	most    uint64 // never asked for more
	size    uint64 // asked for now
	good    uint64 // the largest that was taken and not refused since
	refused uint64 // the last that was refused above size
	probeIn time.Duration
	probeAt time.Time
}

func newSizeLimit(most uint64) sizeLimit {
	return sizeLimit{most: most, size: most, probeIn: firstProbe}
}

// refuse lowers the limit after n was refused: to half of it, or to what was taken before
// where that is more. It reports false if n was the least that can be asked for.
func (l *sizeLimit) refuse(n uint64, now time.Time) bool {
	if n <= 1 {
		return false
	}
	if n <= l.good {
		l.good = 0 // the node takes less than it did
	}
	if l.good > 0 && l.good >= n/2 {
		l.probeIn = min(2*l.probeIn, rarestProbe)
	}
	l.size = min(l.size, max(l.good, n/2))
	if l.refused <= l.size || n < l.refused {
		l.refused = n
	}
	l.probeAt = now.Add(l.probeIn)
	return true
}

// take notes that n was taken, and raises the limit where that is due: halfway to what was
// refused, and beyond it once the two are close.
func (l *sizeLimit) take(n uint64, now time.Time) {
	if n < l.size || l.size >= l.most {
		l.good = max(l.good, min(n, l.size))
		return
	}
	if l.size > l.good && l.good > 0 {
		l.probeIn = firstProbe // a larger size than before was tried with success
	}
	l.good = l.size
	if now.Before(l.probeAt) {
		return
	}
	larger := 2 * l.size
	if l.refused > l.size+1+l.size/8 {
		larger = l.size + (l.refused-l.size)/2
	}
	l.size = min(larger, l.most)
	l.probeAt = now.Add(l.probeIn)
}

// callsNow is how many calls are asked for at once, and whether so many were answered before.
func (l *nodeLimits) callsNow() (calls int, proven bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return int(l.calls.size), l.calls.good >= l.calls.size
}

func (l *nodeLimits) sizeOf(s *sizeLimit) uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return s.size
}

// refuse lowers a limit after n was refused. It reports whether a smaller n may do, and
// whether this is news.
func (l *nodeLimits) refuse(s *sizeLimit, n uint64) (smaller, lowered bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	before := s.size
	smaller = s.refuse(n, l.now())
	return smaller, s.size < before
}

func (l *nodeLimits) take(s *sizeLimit, n uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.take(n, l.now())
}

// answered notes that a request of n calls was answered.
func (l *nodeLimits) answered(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls.take(uint64(n), l.now())
	if 2*n < l.crowdedSize {
		l.smallerAnswered = true // which says little of larger requests
		return
	}
	l.crowded = 0
	if l.pause = l.pause * 3 / 4; l.pause < l.shortest/8 {
		l.pause = 0
	}
}

// tooOften notes that a request of n calls was refused for asking too often. Providers count
// requests, which fewer and larger ones suit, or calls, of which one request may hold more
// than are ever allowed at a time. It is the latter where smaller requests are answered
// meanwhile.
func (l *nodeLimits) tooOften(n int) {
	const inARow, small, mostDoublings = 3, 8, 3
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pause = min(max(2*l.pause, l.shortest), l.shortest<<mostDoublings)
	if 2*n < l.crowdedSize {
		l.crowded = 0 // small ones are refused too
	} else if l.smallerAnswered {
		l.crowded++
	}
	l.crowdedSize, l.smallerAnswered = n, false
	if l.crowded >= inARow && n > small {
		l.crowded, l.crowdedSize = 0, 0
		l.calls.refuse(uint64(n), l.now())
	}
}

func (l *nodeLimits) pauseNow() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.pause
}
