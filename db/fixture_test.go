package db_test

import (
	"context"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// now is the time at which most tests ask.
var now = time.Date(2026, 11, 20, 15, 30, 0, 0, time.UTC)

const (
	alice = validator.Address("0x0000000000000000000000000000000000000000000000000000000000000a11")
	bob   = validator.Address("0x0000000000000000000000000000000000000000000000000000000000000b0b")
)

// bench is a fresh database with a Store on it, and plain SQL beside it.
type bench struct {
	*testing.T
	url   string
	store *db.Store
}

func newBench(t *testing.T) bench {
	t.Parallel()
	url := dbtest.NewURL(t)
	return bench{t, url, dbtest.Open(t, db.Config{URL: url})}
}

func (b bench) exec(sql string, args ...any) {
	b.Helper()
	dbtest.Exec(b, b.url, sql, args...)
}

func (b bench) ctx() context.Context { return b.Context() }

// must fails the test on an error and hands the value on.
func must[T any](t testing.TB) func(T, error) T {
	t.Helper()
	return func(v T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// equal compares by what is printed, which for these plain types is everything.
func equal(t testing.TB, what string, got, want any) {
	t.Helper()
	if g, w := fmt.Sprintf("%v", got), fmt.Sprintf("%v", want); g != w {
		t.Errorf("%s is %s, want %s", what, g, w)
	}
}

func wei(n int64) validator.Wei { return validator.WeiFromInt(n) }

// power is 10^n.
func power(n int64) validator.Wei {
	return validator.WeiFromBig(new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil))
}

func ptr[T any](v T) *T { return &v }
