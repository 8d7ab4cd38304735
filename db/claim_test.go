package db_test

import (
	"errors"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func TestAClaimFromSubmissionToSettlement(t *testing.T) {
	b := newBench(t)
	tx := validator.Felt("0x00000000000000000000000000000000000000000000000000000000000000aa")
	first := must[validator.Claim](t)(b.store.SubmitClaim(b.ctx(), alice, tx, validator.RewardStaking, now))
	if first.Amount != nil || first.Status != validator.ClaimSubmitted || !first.At.Equal(now) || first.TxHash != tx {
		t.Errorf("submitted: %+v", first)
	}
	again := must[validator.Claim](t)(b.store.SubmitClaim(b.ctx(), alice, tx, validator.RewardMining, now.Add(time.Hour)))
	equal(t, "the same claim again", again, first)
	bobs := must[validator.Claim](t)(b.store.SubmitClaim(b.ctx(), bob, tx, validator.RewardStaking, now.Add(time.Minute)))
	equal(t, "open claims", must[[]validator.Claim](t)(b.store.OpenClaims(b.ctx(), 10)), []validator.Claim{bobs, first})

	check(t, b.store.SettleClaim(b.ctx(), first, validator.ClaimOutcome{Status: validator.ClaimSubmitted}))
	equal(t, "still open", len(must[[]validator.Claim](t)(b.store.OpenClaims(b.ctx(), 10))), 2)
	if err := b.store.SettleClaim(b.ctx(), first, validator.ClaimOutcome{Status: validator.ClaimConfirmed}); !errors.Is(err, db.ErrInvalid) {
		t.Errorf("confirmed without an amount: %v", err)
	}
	if err := b.store.SettleClaim(b.ctx(), first, validator.ClaimOutcome{Status: "lost"}); !errors.Is(err, db.ErrInvalid) {
		t.Errorf("an unknown status: %v", err)
	}

	blockTime := now.Add(42 * time.Second)
	confirmed := validator.ClaimOutcome{Status: validator.ClaimConfirmed, Amount: ptr(power(20)), Block: &validator.Block{Number: 7, Time: blockTime}}
	check(t, b.store.SettleClaim(b.ctx(), first, confirmed))
	check(t, b.store.SettleClaim(b.ctx(), first, confirmed))
	check(t, b.store.SettleClaim(b.ctx(), first, validator.ClaimOutcome{Status: validator.ClaimFailed, Failure: "too late"}))
	got := must[[]validator.Claim](t)(b.store.Claims(b.ctx(), alice, 10))[0]
	if got.Status != validator.ClaimConfirmed || !got.Amount.Equal(power(20)) || *got.BlockNumber != 7 || !got.At.Equal(blockTime) || got.Failure != "" {
		t.Errorf("confirmed: %+v", got)
	}
	equal(t, "earned", must[validator.Earnings](t)(b.store.Earnings(b.ctx(), alice, now)).Claimed, power(20))

	check(t, b.store.SettleClaim(b.ctx(), bobs, validator.ClaimOutcome{Status: validator.ClaimFailed, Failure: "It was reverted.", Block: &validator.Block{Number: 8, Time: blockTime}}))
	failed := must[validator.Claim](t)(b.store.SubmitClaim(b.ctx(), bob, tx, validator.RewardStaking, now))
	if failed.Status != validator.ClaimFailed || failed.Failure != "It was reverted." || failed.Amount != nil || !failed.At.Equal(now.Add(time.Minute)) {
		t.Errorf("failed: %+v", failed)
	}
	equal(t, "open claims", len(must[[]validator.Claim](t)(b.store.OpenClaims(b.ctx(), 10))), 0)
	unknown := validator.Claim{Address: alice, TxHash: tx[:65] + "b"}
	if err := b.store.SettleClaim(b.ctx(), unknown, confirmed); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("an unknown claim: %v", err)
	}
}

func TestClaimsAreListedNewestFirst(t *testing.T) {
	b := newBench(t)
	b.exec(`INSERT INTO reward_claims (address, amount, claim_type, claim_time, tx_hash, status)
		SELECT '0xa11', n, 'staking', $1::timestamptz + n * interval '1 hour', '0x' || n, 'confirmed' FROM generate_series(1, 9) n`, now)
	claims := must[[]validator.Claim](t)(b.store.Claims(b.ctx(), alice, 3))
	equal(t, "amounts", []*validator.Wei{claims[0].Amount, claims[1].Amount, claims[2].Amount}, []validator.Wei{wei(9), wei(8), wei(7)})
}
