package db_test

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// randomEarnings writes many jobs and claims, several at the same moment, claims without a
// transaction among them.
func randomEarnings(b bench) {
	b.exec(`INSERT INTO jobs (job_id, worker_address, status, payment_amount, created_at, completed_at, execution_time_ms)
		SELECT 'job-' || n, CASE WHEN n % 9 = 0 THEN '0xb0b' ELSE '0xa11' END, (ARRAY['completed', 'completed', 'completed', 'failed', 'timeout', 'running'])[1 + n % 6],
		       CASE WHEN n % 7 > 0 THEN (n * 7919 % 1000003)::numeric * 1000000000000000 END,
		       $1::timestamptz - (n * 7919 % 600) * interval '6 hours', CASE WHEN n % 5 > 0 THEN $1::timestamptz - (n * 7919 % 600) * interval '6 hours' + interval '1 hour' END,
		       CASE WHEN n % 4 > 0 THEN n * 1000 END
		FROM generate_series(1, 900) n`, now)
	b.exec(`INSERT INTO reward_claims (address, amount, claim_type, claim_time, tx_hash, status)
		SELECT '0xa11', CASE WHEN n % 8 > 0 THEN n * 1000000000000000 END, (ARRAY['staking', 'mining', 'bonus', 'job'])[1 + n % 4], $1::timestamptz - (n % 90) * interval '36 hours',
		       CASE WHEN n % 3 > 0 OR n % 8 = 0 THEN '0x' || to_hex(n) END, CASE WHEN n % 8 = 0 THEN 'submitted' WHEN n % 8 = 1 THEN 'failed' ELSE 'confirmed' END
		FROM generate_series(1, 300) n`, now)
}

// TestEarningsOfDaysAreWhatTheRowsSayTheyAre compares the sums of random ranges with those of
// the single earnings, walked through page by page, before and after the totals are folded.
func TestEarningsOfDaysAreWhatTheRowsSayTheyAre(t *testing.T) {
	b := newBench(t)
	randomEarnings(b)
	dice := rand.New(rand.NewPCG(7, 7))
	for round := range 12 {
		first := validator.DayOf(now).AddDate(0, 0, -dice.IntN(160))
		r := validator.DayRange{First: first, Last: first.AddDate(0, 0, dice.IntN(60))}
		days, _, err := b.store.EarningDays(b.ctx(), alice, r.First, r.Last)
		check(t, err)
		jobTime := must[validator.ComputeTime](t)(b.store.JobTime(b.ctx(), alice, r.First, r.Last))
		report := validator.NewEarningReport(r, validator.ByWeek, days, jobTime, now)
		naive := validator.EarningSums{}
		check(t, b.store.EachEarning(b.ctx(), alice, db.EarningFilter{From: r.First, To: r.End()}, func(e validator.Earning) error {
			k := naive[e.Kind]
			naive[e.Kind] = validator.EarningSum{Entries: k.Entries + 1, Amount: k.Amount.Add(e.Amount)}
			return nil
		}))
		for _, kind := range validator.RewardKinds {
			equal(t, fmt.Sprintf("%s of %v", kind, r), report.Sums[kind], naive[kind])
		}
		hours := 0.0
		jobs := must[[]validator.Job](t)(b.store.Jobs(b.ctx(), alice, db.JobFilter{}))
		for _, j := range jobs {
			end := j.CreatedAt
			if j.CompletedAt != nil {
				end = *j.CompletedAt
			}
			if j.ExecutionTime != nil && !j.Status.InProgress() && !end.Before(r.First) && end.Before(r.End()) {
				hours += j.ExecutionTime.Hours()
			}
		}
		equal(t, "hours of jobs", fmt.Sprintf("%.6f", report.JobTime.Hours()), fmt.Sprintf("%.6f", hours))
		if round == 5 {
			check(t, b.store.FoldTotals(b.ctx()))
		}
	}
}

// TestPagesOfEarnings: pages of any size, down and up again, hold every earning once and in
// one order, also where many are of one moment.
func TestPagesOfEarnings(t *testing.T) {
	b := newBench(t)
	randomEarnings(b)
	for _, f := range []db.EarningFilter{{}, {From: now.AddDate(0, 0, -60), To: now.AddDate(0, 0, -20)}} {
		var all []validator.Earning
		check(t, b.store.EachEarning(b.ctx(), alice, f, func(e validator.Earning) error { all = append(all, e); return nil }))
		if len(all) < 100 || !slices.IsSortedFunc(all, func(a, b validator.Earning) int { return b.At.Compare(a.At) }) {
			t.Fatalf("%d earnings", len(all))
		}
		for _, size := range []int{1, 7, 50} {
			down := f
			down.Limit = size
			var walked []validator.Earning
			for {
				page := must[[]validator.Earning](t)(b.store.EarningsPage(b.ctx(), alice, down))
				if len(page) == 0 {
					break
				}
				walked = append(walked, page...)
				down.Before = db.EarningPlace(page[len(page)-1])
			}
			equal(t, "down", walked, all)
			up, at := f, len(all)-1
			up.Limit = size
			for at > 0 {
				up.After = db.EarningPlace(all[at])
				page := must[[]validator.Earning](t)(b.store.EarningsPage(b.ctx(), alice, up))
				if n := min(size, at); len(page) != n || fmt.Sprint(page) != fmt.Sprint(all[at-n:at]) {
					t.Fatalf("above %d: %v, want %v", at, page, all[at-n:at])
				}
				at -= len(page)
			}
		}
	}
}

func TestAClaimIsPricedByWhatWasObservedBeforeIt(t *testing.T) {
	b := newBench(t)
	observe := func(price, currency string, ago time.Duration) {
		amount := must[*big.Rat](t)(validator.ParsePrice(price))
		check(t, b.store.StoreSAGEPrice(b.ctx(), validator.SAGEPrice{Amount: amount, Currency: currency, Source: "prices.example", At: now.Add(-ago)}))
	}
	if p := must[*validator.SAGEPrice](t)(b.store.SAGEPrice(b.ctx())); p != nil {
		t.Errorf("a price of nowhere: %+v", p)
	}
	observe("0.123456789012345678901234567890", "USD", 5*time.Hour)
	observe("0.5", "EUR", 2*time.Hour)
	claim := func(tx string, ago time.Duration) {
		b.exec("INSERT INTO reward_claims (address, amount, claim_type, claim_time, tx_hash, status) VALUES ('0xa11', 5, 'staking', $1, $2, 'confirmed')", now.Add(-ago), tx)
	}
	claim("0x1", 4*time.Hour+time.Minute)
	claim("0x2", 3*time.Hour)             // the last price is too old
	claim("0x3", 6*time.Hour)             // none yet
	claim("0x4", 2*time.Hour-time.Minute) // of another currency by then
	b.exec("INSERT INTO reward_claims (address, claim_type, claim_time, tx_hash, status) VALUES ('0xa11', 'staking', $1, '0x5', 'submitted')", now)
	b.exec("INSERT INTO reward_claims (address, amount, claim_type, claim_time, status) VALUES ('0xa11', 5, 'staking', $1, 'confirmed')", now.Add(-4*time.Hour-30*time.Minute))
	prices := func() (out string) {
		for _, c := range must[[]db.PricedClaim](t)(b.store.PricedClaims(b.ctx(), alice, 10)) {
			text := "none"
			if c.Price != nil {
				text = validator.PriceText(c.Price.Amount) + " " + c.Price.Currency
			}
			if c.Price != nil && c.Price.ByHand {
				text += " by hand"
			}
			out += fmt.Sprintf("%s: %s; ", c.TxHash.Short(), text)
		}
		return out
	}
	const observed = "0.12345678901234567890123456789 USD"
	equal(t, "prices", prices(), "0x5: none; 0x4: 0.5 EUR; 0x2: none; 0x1: "+observed+"; 0x0: none; 0x3: none; ")

	// Confirmed an hour and a half ago, it takes the price of then.
	confirmed := validator.ClaimOutcome{Status: validator.ClaimConfirmed, Amount: ptr(wei(9)), Block: &validator.Block{Number: 7, Time: now.Add(-90 * time.Minute)}}
	open := must[[]validator.Claim](t)(b.store.OpenClaims(b.ctx(), 5))
	check(t, b.store.SettleClaim(b.ctx(), open[0], confirmed))

	hand := validator.SAGEPrice{Amount: must[*big.Rat](t)(validator.ParsePrice("0.75")), Currency: "CHF", At: now}
	set := func(tx string) error {
		return b.store.SetClaimPrice(b.ctx(), alice, must[validator.Felt](t)(validator.ParseFelt(tx)), hand)
	}
	check(t, set("0x2"))
	check(t, set("0x2"))
	b.wants("an observed price", set("0x1"), db.ErrPriceObserved)
	b.wants("no claim", set("0x99"), db.ErrNotFound)
	b.wants("another's claim", b.store.SetClaimPrice(b.ctx(), bob, must[validator.Felt](t)(validator.ParseFelt("0x3")), hand), db.ErrNotFound)
	equal(t, "prices", prices(), "0x5: 0.5 EUR; 0x4: 0.5 EUR; 0x2: 0.75 CHF by hand; 0x1: "+observed+"; 0x0: none; 0x3: none; ")

	// A claim that is gone takes an observed price along, and leaves what was entered.
	b.exec("DELETE FROM reward_claims WHERE tx_hash IS NOT NULL")
	equal(t, "prices without a claim", []string{dbtest.Value(t, b.url, "SELECT count(*) FROM claim_prices"), dbtest.Value(t, b.url, "SELECT count(*) FROM claim_prices WHERE by_hand")}, "[1 1]")
}

// TestAClaimKeepsItsPriceWhenItIsReadAgain: prices are kept for 400 days, claims for ever.
func TestAClaimKeepsItsPriceWhenItIsReadAgain(t *testing.T) {
	b := newBench(t)
	check(t, b.store.StoreSAGEPrice(b.ctx(), validator.SAGEPrice{Amount: big.NewRat(1, 2), Currency: "USD", Source: "prices.example", At: now.Add(-time.Minute)}))
	confirm := func(at time.Time) {
		t.Helper()
		b.exec(`INSERT INTO reward_claims (address, amount, claim_type, claim_time, tx_hash, block_number, status, from_event) VALUES ('0xa11', 5, 'staking', $1, '0x1', 7, 'confirmed', true)
			ON CONFLICT (address, tx_hash) DO UPDATE SET amount = excluded.amount, claim_time = excluded.claim_time, block_number = excluded.block_number, status = 'confirmed', failure = NULL`, at)
	}
	recorded := func(when, want string) {
		t.Helper()
		equal(t, "prices "+when, dbtest.Value(t, b.url, "SELECT count(*) FROM claim_prices WHERE price = 0.5 AND NOT by_hand"), want)
	}
	confirm(now)
	b.exec("DELETE FROM sage_prices")
	confirm(now)
	recorded("once it is confirmed again", "1")
	b.exec("UPDATE reward_claims SET amount = 6")
	confirm(now.Add(30 * time.Minute))
	recorded("at a time that it fits too", "1")
	confirm(now.Add(2 * time.Hour))
	recorded("at a time that it is too old for", "0")

	check(t, b.store.StoreSAGEPrice(b.ctx(), validator.SAGEPrice{Amount: big.NewRat(1, 2), Currency: "USD", Source: "prices.example", At: now.Add(-time.Minute)}))
	confirm(now)
	recorded("when one was observed again", "1")
	b.exec("DELETE FROM sage_prices")
	b.exec("UPDATE reward_claims SET status = 'submitted', amount = NULL, block_number = NULL")
	recorded("of a claim that is open again", "0")
	check(t, b.store.StoreSAGEPrice(b.ctx(), validator.SAGEPrice{Amount: big.NewRat(1, 2), Currency: "USD", Source: "prices.example", At: now.Add(-time.Minute)}))
	confirm(now)
	recorded("once it is confirmed anew", "1")
	b.exec("DELETE FROM reward_claims")
	recorded("of a claim that the chain took back", "0")
}
