package web

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// memory keeps the newest good answer of each database read. It coalesces the reads of
// panels that poll together, and it is what pages show, marked stale, while the database
// is away.
type memory struct {
	kept *answerCache
	// patience is how long a request waits for a read before it shows what it has.
	patience time.Duration

	mu      sync.Mutex
	flights map[memoryKey]*flight
}

// memoryKey names a read.
type memoryKey struct {
	read   string
	wallet validator.Address // whose data it is, "" for what is nobody's
	detail string
}

// flight is a read that runs.
type flight struct {
	done   chan struct{} // closed once value and err are there
	value  any
	err    error
	wanted int // by so many requests; guarded by memory.mu
	cancel context.CancelFunc
}

const (
	memoryBytes       = 48 << 20 // of all answers that are kept
	memoryWalletBytes = 6 << 20  // of those about one wallet: some pages of long error messages
	memoryFor         = 24 * time.Hour
	readPatience      = 1500 * time.Millisecond
	readTimeout       = 8 * time.Second // a read goes on for the next poll after the request gave up on it
)

func newMemory() *memory {
	return &memory{
		kept:     newAnswerCache(cacheLimits{all: memoryBytes, wallet: memoryWalletBytes, unused: memoryFor}),
		patience: readPatience, flights: map[memoryKey]*flight{},
	}
}

// forget makes the next request read anew what has just been changed.
func (m *memory) forget(key memoryKey) {
	m.mu.Lock()
	delete(m.flights, key) // what runs may have read before the change
	m.mu.Unlock()
	m.kept.remove(key)
}

// recalled is an answer of the database, perhaps an old one.
type recalled[T any] struct {
	value validator.Maybe[T]
	at    time.Time // of the value
	err   error     // why it is not fresh, or missing
}

// recall answers from memory if that is younger than maxAge, else reads. One read runs at
// a time for a key however many requests ask, and ends once all of them have hung up.
func recall[T any](ctx context.Context, m *memory, key memoryKey, maxAge time.Duration, read func(context.Context) (T, error)) recalled[T] {
	old, at, had := m.kept.get(key, time.Now())
	if had && time.Since(at) < maxAge {
		return recalled[T]{value: validator.Some(old.(T)), at: at}
	}
	f := m.join(ctx, key, func(ctx context.Context) (any, error) { return read(ctx) })
	timer := time.NewTimer(m.patience)
	defer timer.Stop()
	var err error
	select {
	case <-f.done:
		if f.err == nil {
			return recalled[T]{value: validator.Some(f.value.(T)), at: time.Now()}
		}
		err = f.err
	case <-timer.C:
		err = errSlow // the page asks again, so the read goes on for it
	case <-ctx.Done():
		m.leave(key, f)
		err = ctx.Err()
	}
	if had {
		return recalled[T]{value: validator.Some(old.(T)), at: at, err: err}
	}
	return recalled[T]{value: validator.None[T](""), err: err}
}

// join returns the read of a key that runs, or starts one.
func (m *memory) join(ctx context.Context, key memoryKey, read func(context.Context) (any, error)) *flight {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f, runs := m.flights[key]; runs {
		f.wanted++
		return f
	}
	ctx, cancel := context.WithTimeout(db.OnBehalfOf(context.WithoutCancel(ctx), key.wallet), readTimeout)
	f := &flight{done: make(chan struct{}), wanted: 1, cancel: cancel}
	m.flights[key] = f
	go m.fly(ctx, key, f, read)
	return f
}

// leave notes that a request has hung up; a read that nobody wants ends.
func (m *memory) leave(key memoryKey, f *flight) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if f.wanted--; f.wanted > 0 {
		return
	}
	f.cancel()
	if m.flights[key] == f {
		delete(m.flights, key)
	}
}

var errReadPanicked = errors.New("the read panicked")

func (m *memory) fly(ctx context.Context, key memoryKey, f *flight, read func(context.Context) (any, error)) {
	defer f.cancel()
	defer close(f.done)
	defer func() {
		if p := recover(); p != nil {
			f.err = fmt.Errorf("%w: %v", errReadPanicked, p)
		}
		m.land(key, f)
	}()
	f.value, f.err = read(ctx)
}

// land keeps what a flight brought, unless it is outdated since forget.
func (m *memory) land(key memoryKey, f *flight) {
	bytes := int64(0)
	if f.err == nil {
		bytes = heapBytes(f.value)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.flights[key] != f {
		return
	}
	delete(m.flights, key)
	if f.err == nil {
		m.kept.set(key, f.value, bytes, time.Now())
	}
}
