package db_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// TestEarnings covers what counts and what does not: a payment belongs to the time of
// completion, a claim of kind job pays out what jobs had earned, what is not known is not 0.
func TestEarnings(t *testing.T) {
	b := newBench(t)
	job := func(id, worker, status, payment string, created time.Duration, completed *time.Duration) {
		var at *time.Time
		if completed != nil {
			at = ptr(now.Add(-*completed))
		}
		b.exec("INSERT INTO jobs (job_id, worker_address, status, payment_amount, created_at, completed_at) VALUES ($1, $2, $3, "+payment+", $4, $5)",
			id, worker, status, now.Add(-created), at)
	}
	claim := func(tx, amount, kind, status string, age time.Duration) {
		b.exec("INSERT INTO reward_claims (address, amount, claim_type, claim_time, tx_hash, status) VALUES ('0xa11', "+amount+", $1, $2, $3, $4)",
			kind, now.Add(-age), tx, status)
	}
	day := 24 * time.Hour
	job("1", "0xa11", "completed", "1", 40*day, ptr(time.Hour)) // submitted long ago, completed now
	job("2", "0xa11", "completed", "20", 24*time.Hour, nil)     // no completion time: its submission's
	job("3", "0xa11", "completed", "300", 9*day, ptr(8*day))    // not in the week
	job("4", "0xa11", "completed", "4000", 50*day, ptr(45*day)) // not in the month
	job("5", "0xa11", "completed", "NULL", time.Hour, ptr(time.Minute))
	job("6", "0xa11", "failed", "7", time.Hour, ptr(time.Minute))
	job("7", "0xb0b", "completed", "7", time.Hour, ptr(time.Minute))
	job("8", "0xa11", "completed", "0", time.Hour, ptr(25*time.Hour)) // a known payment of nothing is an earning
	claim("0x1", "50000", "staking", "confirmed", 2*time.Hour)
	claim("0x2", "600000", "mining", "confirmed", 29*day)
	claim("0x3", "9", "job", "confirmed", time.Minute)
	claim("0x4", "NULL", "staking", "submitted", time.Minute)
	claim("0x5", "9", "staking", "failed", time.Minute)
	claim("0x6", "7000000", "bonus", "confirmed", 60*day)

	for _, folded := range []bool{false, true} {
		e := must[validator.Earnings](t)(b.store.Earnings(b.ctx(), alice, now))
		equal(t, "sums", []validator.Wei{e.Total, e.FromJobs, e.Claimed, e.Last24h, e.Last7d, e.Last30d},
			"[7654321 4321 7650000 50021 50021 650321]")
		equal(t, "first", e.First.UTC(), now.Add(-60*day))
		equal(t, "last claim", e.LastClaim.UTC(), now.Add(-time.Minute))
		equal(t, "days", len(e.Daily), 30)
		equal(t, "first day", e.Daily[0], validator.DailyEarnings{Day: time.Date(2026, 10, 22, 0, 0, 0, 0, time.UTC), Amount: wei(600000)})
		equal(t, "day 8 ago", e.Daily[21].Amount, 300)
		equal(t, "yesterday", e.Daily[28].Amount, 20)
		equal(t, "today", e.Daily[29].Amount, 50001)
		equal(t, "a day without", e.Daily[15].Amount, 0)
		check(t, b.store.FoldTotals(b.ctx()))
		_ = folded
	}

	for since, want := range map[*time.Time]validator.EarningsPeriod{
		nil:                     {Total: wei(7654321), Entries: 8, JobCount: 5, JobTotal: wei(4321)},
		ptr(now.Add(-day)):      {Total: wei(50021), Entries: 3, JobCount: 2, JobTotal: wei(21)},
		ptr(now.Add(-30 * day)): {Total: wei(650321), Entries: 6, JobCount: 4, JobTotal: wei(321)},
		ptr(now):                {},
	} {
		equal(t, fmt.Sprintf("since %v", since), must[validator.EarningsPeriod](t)(b.store.EarningsPeriod(b.ctx(), alice, since)), want)
		history := must[[]validator.Earning](t)(b.store.EarningsHistory(b.ctx(), alice, since, 100, 0))
		equal(t, "entries of the history", len(history), want.Entries)
		var sum validator.Wei
		for i, e := range history {
			sum = sum.Add(e.Amount)
			if i > 0 && e.At.After(history[i-1].At) {
				t.Errorf("%v stands after %v", e.At, history[i-1].At)
			}
		}
		equal(t, "sum of the history", sum, want.Total)
	}
	pages := must[[]validator.Earning](t)(b.store.EarningsHistory(b.ctx(), alice, nil, 3, 0))
	pages = append(pages, must[[]validator.Earning](t)(b.store.EarningsHistory(b.ctx(), alice, nil, 3, 3))...)
	pages = append(pages, must[[]validator.Earning](t)(b.store.EarningsHistory(b.ctx(), alice, nil, 3, 6))...)
	equal(t, "pages", pages, must[[]validator.Earning](t)(b.store.EarningsHistory(b.ctx(), alice, nil, 9, 0)))
	equal(t, "a job's", []any{pages[0].Kind, pages[0].JobID, pages[0].TxHash}, "[job 1 ]")
	equal(t, "a claim's", []any{pages[1].Kind, pages[1].JobID, pages[1].TxHash.Short()}, "[staking  0x1]")
}

func TestWhoNeverEarnedHasNoFirstEarning(t *testing.T) {
	b := newBench(t)
	e := must[validator.Earnings](t)(b.store.Earnings(b.ctx(), alice, now))
	if e.First != nil || e.LastClaim != nil || e.Total.Sign() != 0 || len(e.Daily) != 30 {
		t.Errorf("%+v", e)
	}
	if h := must[[]validator.Earning](t)(b.store.EarningsHistory(b.ctx(), alice, nil, 10, 0)); len(h) != 0 {
		t.Errorf("%+v", h)
	}
}
