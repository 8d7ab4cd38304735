package db

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/sync/semaphore"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// onBehalfKey is the context key of the wallet that statements run for.
type onBehalfKey struct{}

// OnBehalfOf returns a context whose statements run on behalf of a wallet: no more of them at a
// time than its share of the Store's connections, so that others never wait for connections that
// one wallet holds. The others of its statements wait in turn. "" lifts the bound of ctx: the
// statements are nobody's.
func OnBehalfOf(ctx context.Context, wallet validator.Address) context.Context {
	return context.WithValue(ctx, onBehalfKey{}, wallet)
}

// ErrBusy says that a wallet's statement did not get its turn: as many as its share of the
// connections allows ran all the time. It comes as an UnavailableError.
var ErrBusy = errors.New("too many statements of this wallet run at once")

// shares are the connections that wallets use now.
type shares struct {
	each     int64         // connections that one wallet may use at a time
	patience time.Duration // for which a statement waits for its turn

	mu  sync.Mutex
	use map[validator.Address]*share // of those that use or wait for some
}

type share struct {
	free  *semaphore.Weighted
	users int // statements that run or wait
}

// shareOf is a wallet's part of a pool's connections. The program's own work holds some of the rest.
func shareOf(connections int32) int64 { return max(1, int64(connections)*3/10) }

func newShares(connections int32, patience time.Duration) *shares {
	return &shares{each: shareOf(connections), patience: patience, use: map[validator.Address]*share{}}
}

// enter waits for a wallet's turn; leave must be called once its statement is over.
func (s *shares) enter(ctx context.Context) (leave func(), err error) {
	wallet, _ := ctx.Value(onBehalfKey{}).(validator.Address)
	if wallet == "" {
		return func() {}, nil
	}
	s.mu.Lock()
	of := s.use[wallet]
	if of == nil {
		of = &share{free: semaphore.NewWeighted(s.each)}
		s.use[wallet] = of
	}
	of.users++
	s.mu.Unlock()
	waiting, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	if err := of.free.Acquire(waiting, 1); err != nil {
		s.forget(wallet, of)
		if canceled := context.Cause(ctx); errors.Is(canceled, context.Canceled) {
			return nil, fmt.Errorf("wait for the wallet's turn: %w", canceled)
		}
		return nil, &UnavailableError{Reason: "Too many requests of this wallet are running at once.", Remedy: "Wait until some of them have ended.", Cause: ErrBusy}
	}
	return sync.OnceFunc(func() {
		of.free.Release(1)
		s.forget(wallet, of)
	}), nil
}

func (s *shares) forget(wallet validator.Address, of *share) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if of.users--; of.users == 0 {
		delete(s.use, wallet)
	}
}

// sharedRows gives the connection's place back with the rows.
type sharedRows struct {
	pgx.Rows

	leave func()
}

func (r sharedRows) Close() {
	r.Rows.Close()
	r.leave()
}

func (r sharedRows) Next() bool {
	next := r.Rows.Next()
	if !next { // pgx gives the connection back by itself then
		r.leave()
	}
	return next
}

// sharedResults gives the connection's place back with a batch's results.
type sharedResults struct {
	pgx.BatchResults

	leave func()
}

func (r sharedResults) Close() error {
	defer r.leave()
	return r.BatchResults.Close()
}
