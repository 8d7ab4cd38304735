package web

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/maypok86/otter/v2"

	"github.com/bitsage-network/validator-dashboard/db"
)

// proven asks the database who a secret belongs to, and remembers whom it vouched for
// lately: who is signed in goes on seeing the last values while the database is away for a
// moment. The database is asked every time, so what was revoked anywhere ends everywhere with
// the next request.
type proven[T any] struct {
	kept *otter.Cache[db.SecretHash, provenEntry[T]]
	ask  func(context.Context, db.SecretHash, time.Time) (T, error)
}

type provenEntry[T any] struct {
	value T
	at    time.Time
}

const (
	provenSize     = 10_000 // secrets remembered, the least used of them dropped first
	provenPatience = 1500 * time.Millisecond
	// provenFor is how long the database's word counts while it cannot be asked: what is revoked
	// meanwhile ends within 30 s, the wait for the database included.
	provenFor = 30*time.Second - provenPatience
)

func newProven[T any](ask func(context.Context, db.SecretHash, time.Time) (T, error)) (*proven[T], error) {
	kept, err := otter.New(&otter.Options[db.SecretHash, provenEntry[T]]{
		MaximumSize:      provenSize,
		ExpiryCalculator: otter.ExpiryWriting[db.SecretHash, provenEntry[T]](provenFor),
	})
	if err != nil {
		return nil, fmt.Errorf("memory of credentials: %w", err)
	}
	return &proven[T]{kept, ask}, nil
}

// of returns what a secret belongs to. db.ErrNotFound: nothing.
func (p *proven[T]) of(ctx context.Context, hash db.SecretHash, now time.Time) (T, error) {
	asking, cancel := context.WithTimeout(ctx, provenPatience)
	defer cancel()
	v, err := p.ask(asking, hash, now)
	switch {
	case err == nil:
		p.kept.Set(hash, provenEntry[T]{v, now})
	case errors.Is(err, db.ErrNotFound):
		p.forget(hash)
	default:
		if e, had := p.kept.GetIfPresent(hash); had && now.Sub(e.at) < provenFor {
			return e.value, nil
		}
	}
	return v, err
}

func (p *proven[T]) forget(hash db.SecretHash) { p.kept.Invalidate(hash) }
