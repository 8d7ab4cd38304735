package db_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// TestTheCapOfTokensHoldsUnderARace of two programs on one database.
func TestTheCapOfTokensHoldsUnderARace(t *testing.T) {
	b := newBench(t)
	stores := []*db.Store{b.store, dbtest.Open(t, db.Config{URL: b.url})}
	var all sync.WaitGroup
	var made, refused atomic.Int64
	for n := range db.MaxTokens + 20 {
		all.Go(func() {
			switch _, err := stores[n%2].AddToken(b.ctx(), db.HashSecret(db.NewTokenSecret()), db.Token{Name: "many", Scope: db.ScopeRead, Wallet: alice, CreatedAt: now}); {
			case err == nil:
				made.Add(1)
			case errors.Is(err, db.ErrTooMany):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	equal(t, "made and refused", []int64{made.Load(), refused.Load()}, "[50 20]")
	check(t, onlyErr(b.store.AddToken(b.ctx(), db.HashSecret(db.NewTokenSecret()), db.Token{Name: "of another", Scope: db.ScopeRead, Wallet: bob, CreatedAt: now})))
}
