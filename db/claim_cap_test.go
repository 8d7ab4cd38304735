package db_test

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func claimTx(n int) validator.Felt { return validator.Felt(fmt.Sprintf("0x%064x", n+1)) }

// TestOpenClaimsOfAWalletAreCapped, also where two programs note them at once, and others' are not.
func TestOpenClaimsOfAWalletAreCapped(t *testing.T) {
	b := newBench(t)
	stores := []*db.Store{b.store, dbtest.Open(t, db.Config{URL: b.url})}
	var all sync.WaitGroup
	var noted, refused atomic.Int64
	for n := range 2 * db.MostOpenClaims {
		all.Go(func() {
			switch _, err := stores[n%2].SubmitClaim(b.ctx(), alice, claimTx(n), validator.RewardStaking, now); {
			case err == nil:
				noted.Add(1)
			case errors.Is(err, db.ErrTooManyClaims):
				refused.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	equal(t, "noted and refused", []int64{noted.Load(), refused.Load()}, "[20 20]")
	check(t, onlyErr(b.store.SubmitClaim(b.ctx(), bob, claimTx(0), validator.RewardStaking, now)))
	open := must[[]validator.Claim](t)(b.store.OpenClaims(b.ctx(), 100))
	equal(t, "open claims", len(open), 21)
	check(t, onlyErr(b.store.SubmitClaim(b.ctx(), alice, open[2].TxHash, validator.RewardStaking, now))) // noted before
	check(t, b.store.SettleClaim(b.ctx(), open[2], validator.ClaimOutcome{Status: validator.ClaimFailed, Failure: "It was reverted."}))
	check(t, onlyErr(b.store.SubmitClaim(b.ctx(), alice, claimTx(100), validator.RewardStaking, now)))
}

// TestOpenClaimsComeInTurn: of each wallet the newest, then of each the second newest.
func TestOpenClaimsComeInTurn(t *testing.T) {
	b := newBench(t)
	for n := range 3 {
		check(t, onlyErr(b.store.SubmitClaim(b.ctx(), alice, claimTx(n), validator.RewardStaking, now.Add(time.Duration(n)*time.Minute))))
	}
	check(t, onlyErr(b.store.SubmitClaim(b.ctx(), bob, claimTx(10), validator.RewardStaking, now.Add(-time.Hour))))
	var order []string
	for _, c := range must[[]validator.Claim](t)(b.store.OpenClaims(b.ctx(), 3)) {
		order = append(order, c.Address.Felt().Short()+" "+c.TxHash.Short())
	}
	equal(t, "in turn", order, "[0xa11 0x3 0xb0b 0xb 0xa11 0x2]")
}

// TestAnExpiredClaimIsOpenOnceItIsSentAgain, and its event settles it whatever it was.
func TestAnExpiredClaimIsOpenOnceItIsSentAgain(t *testing.T) {
	b := newBench(t)
	claim := must[validator.Claim](t)(b.store.SubmitClaim(b.ctx(), alice, claimTx(0), validator.RewardStaking, now))
	expired := validator.ClaimOutcome{Status: validator.ClaimExpired, Failure: "No node knew it."}
	check(t, b.store.SettleClaim(b.ctx(), claim, expired))
	got := must[validator.Claim](t)(b.store.Claim(b.ctx(), alice, claim.TxHash))
	equal(t, "expired", []any{got.Status, got.Failure, got.Amount == nil}, "[expired No node knew it. true]")
	equal(t, "open", len(must[[]validator.Claim](t)(b.store.OpenClaims(b.ctx(), 10))), 0)
	again := must[validator.Claim](t)(b.store.SubmitClaim(b.ctx(), alice, claim.TxHash, validator.RewardStaking, now.Add(time.Hour)))
	equal(t, "again", []any{again.Status, again.Failure, again.At.Equal(now.Add(time.Hour))}, "[submitted  true]")
	check(t, b.store.SettleClaim(b.ctx(), claim, expired))
	event := validator.ClaimOutcome{Status: validator.ClaimConfirmed, Amount: ptr(power(20)), Block: &validator.Block{Number: 7, Time: now}}
	check(t, b.store.SettleClaim(b.ctx(), claim, event))
	equal(t, "after it was settled", must[validator.Claim](t)(b.store.Claim(b.ctx(), alice, claim.TxHash)).Status, "expired")
}
