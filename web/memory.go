package web

import (
	"context"
	"fmt"
	"time"

	"github.com/maypok86/otter/v2"
	"golang.org/x/sync/singleflight"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// memory keeps the newest good answer of each database read. It coalesces the reads of
// panels that poll together, and it is what pages show, marked stale, while the database
// is away.
type memory struct {
	kept    *otter.Cache[memoryKey, memoryEntry]
	flights singleflight.Group
	// patience is how long a request waits for a read before it shows what it has.
	patience time.Duration
}

// memoryKey names a read.
type memoryKey struct {
	read   string
	wallet validator.Address
	detail string
}

type memoryEntry struct {
	value any
	at    time.Time
}

const (
	memorySize   = 10_000         // answers kept, the least used of them dropped first
	memoryFor    = 24 * time.Hour // after its last use an answer is forgotten
	readPatience = 1500 * time.Millisecond
	readTimeout  = 8 * time.Second // a read goes on for the next poll after the request gave up on it
)

func newMemory() (*memory, error) {
	kept, err := otter.New(&otter.Options[memoryKey, memoryEntry]{
		MaximumSize:      memorySize,
		ExpiryCalculator: otter.ExpiryAccessing[memoryKey, memoryEntry](memoryFor),
	})
	if err != nil {
		return nil, fmt.Errorf("memory of database answers: %w", err)
	}
	return &memory{kept: kept, patience: readPatience}, nil
}

// forget makes the next request read anew what has just been changed.
func (m *memory) forget(key memoryKey) { m.kept.Invalidate(key) }

// recalled is an answer of the database, perhaps an old one.
type recalled[T any] struct {
	value validator.Maybe[T]
	at    time.Time // of the value
	err   error     // why it is not fresh, or missing
}

// recall answers from memory if that is younger than maxAge, else reads. One read runs at
// a time for a key however many requests ask.
func recall[T any](ctx context.Context, m *memory, key memoryKey, maxAge time.Duration, read func(context.Context) (T, error)) recalled[T] {
	old, had := m.kept.GetIfPresent(key)
	if had && time.Since(old.at) < maxAge {
		return recalled[T]{value: validator.Some(old.value.(T)), at: old.at}
	}
	flight := m.flights.DoChan(fmt.Sprintf("%s|%s|%s", key.read, key.wallet, key.detail), func() (any, error) {
		rctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readTimeout)
		defer cancel()
		v, err := read(rctx)
		if err == nil {
			m.kept.Set(key, memoryEntry{v, time.Now()})
		}
		return v, err
	})
	timer := time.NewTimer(m.patience)
	defer timer.Stop()
	var err error
	select {
	case r := <-flight:
		if r.Err == nil {
			return recalled[T]{value: validator.Some(r.Val.(T)), at: time.Now()}
		}
		err = r.Err
	case <-timer.C:
		err = errSlow
	case <-ctx.Done():
		err = ctx.Err()
	}
	if had {
		return recalled[T]{value: validator.Some(old.value.(T)), at: old.at, err: err}
	}
	return recalled[T]{value: validator.None[T](""), err: err}
}
