package db_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	jobManager    = validator.Address("0x00000000000000000000000000000000000000000000000000000000000000d1")
	paymentRouter = validator.Address("0x00000000000000000000000000000000000000000000000000000000000000d2")
	proverStaking = validator.Address("0x00000000000000000000000000000000000000000000000000000000000000d3")
)

var payers = validator.PaymentContracts{JobManager: jobManager, PaymentRouter: paymentRouter, ProverStaking: proverStaking}

// TestJobNumbersAreReadAlike by the database and by the program.
func TestJobNumbersAreReadAlike(t *testing.T) {
	b := newBench(t)
	for id, want := range map[string]string{
		"7": "7", "0": "0", "007": "7", "0x7": "7", "0X1f": "31", "0x00ABCdef": "11259375", "0x0": "0", "000": "0",
		"115792089237316195423570985008687907853269984665640564039457584007913129639935":                                "115792089237316195423570985008687907853269984665640564039457584007913129639935",
		"115792089237316195423570985008687907853269984665640564039457584007913129639936":                                "",
		"0xffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff":                                            "115792089237316195423570985008687907853269984665640564039457584007913129639935",
		"0x00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff":                                          "115792089237316195423570985008687907853269984665640564039457584007913129639935",
		"0x10000000000000000000000000000000000000000000000000000000000000000":                                           "",
		"99999999999999999999999999999999999999999999999999999999999999999999999999999":                                 "99999999999999999999999999999999999999999999999999999999999999999999999999999",
		"1000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000": "",
		"": "", "0x": "", "x7": "", "-7": "", "+7": "", "7 ": "", " 7": "", "1e3": "", "7.0": "", "0xg": "", "job-7": "", "1_000": "", "٣": "", "7\n": "",
	} {
		number, ok := validator.JobNumber(id)
		if number != want || ok != (want != "") {
			t.Errorf("%q is read as %q (%v), not %q", id, number, ok, want)
		}
		equal(t, fmt.Sprintf("%q in the database", id), dbtest.Value(t, b.url, "SELECT COALESCE(job_number($1), '')", id), want)
		if ok {
			for _, spelling := range validator.JobSpellings(number) {
				if again, _ := validator.JobNumber(spelling); again != number {
					t.Errorf("%q is spelt %q, which is %q", number, spelling, again)
				}
			}
		}
	}
}

// chainer is the index at work: it stores events, takes blocks back and begins anew.
type chainer struct {
	storm

	store *db.Store
	heads map[validator.Address]*validator.Block
}

func (c *chainer) event(n uint64, place int) validator.ChainEvent {
	e := validator.ChainEvent{Contract: jobManager, Block: c.block(n), TxHash: validator.Felt(fmt.Sprintf("0x%064x", 1+c.rng.IntN(1<<30))), Index: place, Place: place}
	e.Payment = &validator.ChainPayment{
		Kind: validator.PaymentReleased, JobID: fmt.Sprint(c.rng.IntN(400)), Worker: validator.Address(fmt.Sprintf("0x%064x", 0xa1+c.rng.IntN(4))), Amount: wei(int64(c.rng.IntN(3))),
	}
	if c.rng.IntN(2) == 0 {
		e.Contract, e.Payment.Kind, e.Payment.Private = paymentRouter, validator.PaymentPaid, c.rng.IntN(3) == 0
	}
	return e
}

func (c *chainer) block(n uint64) validator.Block {
	return validator.Block{Number: n, Hash: validator.Felt(fmt.Sprintf("0x%064x", n+1)), Time: c.base.Add(-30 * 24 * time.Hour).Add(time.Duration(n) * time.Hour).Truncate(time.Second)}
}

func (c *chainer) cursors() []validator.IndexCursor {
	var out []validator.IndexCursor
	for _, k := range []validator.Address{jobManager, paymentRouter} {
		out = append(out, validator.IndexCursor{Contract: k, Name: "contract", Start: validator.IndexFromSetting, Done: c.heads[k]})
	}
	return out
}

// step reads some blocks, or takes some back.
func (c *chainer) step(ctx context.Context) error {
	head := c.heads[jobManager]
	if head != nil && c.rng.IntN(4) == 0 {
		change := validator.IndexChange{ChainID: "c", At: c.base, Reorg: true}
		if back := head.Number - min(head.Number, uint64(1+c.rng.IntN(6))); back > 0 {
			b := c.block(back)
			change.Undo = &b
		}
		if err := c.store.ChangeIndex(ctx, change); err != nil {
			return err
		}
		c.heads[jobManager], c.heads[paymentRouter] = change.Undo, change.Undo
		return nil
	}
	next := uint64(1)
	if head != nil {
		next = head.Number + 1
	}
	change := validator.IndexChange{ChainID: "c", At: c.base, Read: c.cursors(), Done: c.block(next + uint64(c.rng.IntN(5)))}
	for n := next; n <= change.Done.Number; n++ {
		for place := range c.rng.IntN(40) {
			change.Events = append(change.Events, c.event(n, place))
		}
	}
	if err := c.store.ChangeIndex(ctx, change); err != nil {
		return err
	}
	c.heads[jobManager], c.heads[paymentRouter] = &change.Done, &change.Done
	return nil
}

// TestNoPaymentIsMiscomparedInAStorm: programs write jobs in every way, the index adds events
// and takes blocks back, and maintenance compares meanwhile.
func TestNoPaymentIsMiscomparedInAStorm(t *testing.T) {
	b := newBench(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	base := time.Now().UTC().Truncate(time.Minute)
	c := &chainer{storm{rng: rand.New(rand.NewPCG(seed, 99)), base: base}, b.store, map[validator.Address]*validator.Block{}}
	check(t, b.store.ChangeIndex(b.ctx(), validator.IndexChange{ChainID: "c", At: base, Starts: c.cursors()}))
	var writers sync.WaitGroup
	writers.Go(func() {
		for range 80 {
			if err := c.step(b.ctx()); err != nil {
				t.Errorf("the index: %v", err)
			}
		}
	})
	for w := range uint64(5) {
		conn := must[*pgx.Conn](t)(pgx.Connect(b.ctx(), b.url))
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		writers.Go(func() {
			s := storm{rng: rand.New(rand.NewPCG(seed, w)), conn: conn, base: base}
			s.id = func() string { return s.pick("", "0x0", "0x", "0", "job-") + fmt.Sprint(s.rng.IntN(400)) }
			s.pay = func() any { return s.rng.IntN(3) }
			if err := s.rage(b.ctx(), 100); err != nil {
				t.Errorf("writer %d: %v", w, err)
			}
		})
	}
	calm := make(chan struct{})
	go func() { writers.Wait(); close(calm) }()
	for raging := true; raging; {
		select {
		case <-calm:
			raging = false
		case <-time.After(20 * time.Millisecond):
			check(t, b.store.FoldPaymentsBy(b.ctx(), 70))
			b.differences("while writers write")
		}
	}
	b.differences("after the storm")
	// The storm's last act may have emptied a side: both go on until there is something to compare.
	for c.heads[jobManager] == nil || c.heads[jobManager].Number < 60 {
		check(t, c.step(b.ctx()))
	}
	dbtest.Exec(t, b.url, `INSERT INTO jobs (job_id, worker_address, job_type, status, payment_amount, created_at, completed_at)
		SELECT prefix || n, '0x' || lpad(to_hex(161 + n % 2), 64, '0'), 'proof', 'completed', n % 3, $1, $1
		FROM generate_series(0, 399) n, (VALUES (''), ('job-')) p (prefix) ON CONFLICT DO NOTHING`, base)
	check(t, b.store.FoldPayments(b.ctx()))
	b.differences("after the fold")
	for _, state := range []validator.PaymentState{validator.PaymentsMatch, validator.PaymentsDiffer, validator.PaymentUnpaid, validator.PaymentUnrecorded, validator.PaymentHidden, validator.PaymentUnnumbered, validator.PaymentNothingDue} {
		if dbtest.Value(t, b.url, "SELECT EXISTS (SELECT FROM reconciled_jobs WHERE state = $1)", string(state)) != "true" {
			t.Errorf("the storm left no job in state %s", state)
		}
	}
	b.sameAsTheRule(c, base)

	check(t, b.store.ChangeIndex(b.ctx(), validator.IndexChange{ChainID: "c", At: base, Reorg: true}))
	check(t, b.store.FoldPayments(b.ctx()))
	b.differences("without a chain")
	equal(t, "jobs that the chain knows", dbtest.Value(t, b.url, "SELECT count(*) FROM reconciled_jobs WHERE releases + payments > 0"), 0)
	check(t, c.restart(b.ctx()))
	b.exec("TRUNCATE jobs")
	b.differences("without jobs")
	check(t, b.store.FoldPayments(b.ctx()))
	b.differences("without jobs, folded")
	b.exec("TRUNCATE chain_payments; DELETE FROM reported_jobs")
	b.differences("without a chain or reports")
	check(t, b.store.FoldPayments(b.ctx()))
	b.differences("when all is gone")
	equal(t, "what is kept", dbtest.Value(t, b.url, "SELECT (SELECT count(*) FROM reconciled_jobs) + (SELECT count(*) FROM reconciled_days) + (SELECT count(*) FROM payment_changes)"), 0)
}

func (c *chainer) restart(ctx context.Context) error {
	c.heads = map[validator.Address]*validator.Block{}
	return c.step(ctx)
}

// TestPaymentsAreFoldedInParts of any size, though a job's changes fall into several.
func TestPaymentsAreFoldedInParts(t *testing.T) {
	b := newBench(t)
	insert := func(from, to int) {
		b.exec(`INSERT INTO jobs (job_id, worker_address, status, payment_amount, created_at, completed_at)
			SELECT n, $1, 'completed', n, $2, $2 FROM generate_series($3::int, $4::int) n`, string(alice), now, from, to)
	}
	insert(1, 20)
	b.exec("UPDATE jobs SET payment_amount = payment_amount + 1, completed_at = completed_at + interval '1 hour'")
	b.exec("DELETE FROM jobs WHERE job_id::int > 15")
	// The changes to rows come before the rows themselves.
	b.exec(`WITH gone AS (DELETE FROM payment_changes RETURNING *) INSERT INTO payment_changes TABLE gone ORDER BY jobs, job_key`)
	equal(t, "waiting", dbtest.Value(t, b.url, "SELECT count(*) FROM payment_changes"), 45)
	equal(t, "folded of a part", dbtest.Value(t, b.url, "SELECT fold_payments(10)"), 10)
	equal(t, "left of it", dbtest.Value(t, b.url, "SELECT count(*) FROM payment_changes"), 35)
	check(t, b.store.FoldPaymentsBy(b.ctx(), 7))
	equal(t, "left", dbtest.Value(t, b.url, "SELECT count(*) FROM payment_changes"), 0)
	b.differences("after the parts")
	equal(t, "jobs and what they were paid", dbtest.Value(t, b.url, "SELECT count(*) || ' ' || sum(recorded_wei) FROM reconciled_jobs"), "15 135")
}

// sameAsTheRule reads all of every class, in pages, and holds it against the rule, applied to
// rows that are joined here.
func (b bench) sameAsTheRule(c *chainer, base time.Time) {
	b.Helper()
	first := base.Add(-25 * 24 * time.Hour)
	b.exec("UPDATE chain_index_contracts SET first_time = $1", first)
	for _, at := range []time.Time{c.heads[jobManager].Time.Add(time.Minute), c.heads[jobManager].Time.Add(time.Hour), base} {
		for n := range 4 {
			worker := validator.Address(fmt.Sprintf("0x%064x", 0xa1+n))
			r := must[validator.Reconciliation](b)(b.store.Reconciliation(b.ctx(), worker, payers, at))
			want := map[validator.ReconcileClass]validator.ReconcileSum{}
			for _, p := range b.paymentsOf(worker) {
				if class, ok := validator.ClassOf(p, r.Coverage, at); ok {
					sum := validator.ReconcileSum{Jobs: 1, Recorded: p.Recorded, OnChain: p.OnChain()}
					if short := p.Recorded.Sub(p.OnChain()); short.Sign() > 0 {
						sum.Short = short
					}
					want[class] = want[class].Plus(sum)
				}
			}
			for _, class := range validator.ReconcileClasses {
				equal(b, fmt.Sprintf("%s of %s at %s", class, worker.Abbreviated(), at), r.Payments[class], want[class])
				b.equalPages(worker, class, r.Coverage, at, want[class])
			}
		}
	}
}

// equalPages walks over a class in small pages.
func (b bench) equalPages(worker validator.Address, class validator.ReconcileClass, known validator.Maybe[validator.EventCoverage], at time.Time, want validator.ReconcileSum) {
	b.Helper()
	var got validator.ReconcileSum
	var before db.PaymentCursor
	for {
		page := must[[]validator.ReconciledPayment](b)(b.store.ReconciledPayments(b.ctx(), worker, class.Windows(known, at), before, 7))
		for _, p := range page {
			if !before.At.IsZero() && p.At().After(before.At) {
				b.Fatalf("%s: %s at %s stands below %s", class, p.Job, p.At(), before.At)
			}
			before = db.PaymentCursorAfter(p)
			if int64(len(p.Events)) != p.Releases+p.Payments || int64(len(p.Rows)) < p.Jobs && p.Jobs == 1 {
				b.Errorf("%s: behind job %s stand %d events and %d rows: %+v", class, p.Job, len(p.Events), len(p.Rows), p.JobPayment)
			}
			if c, _ := validator.ClassOf(p.JobPayment, known, at); c != class {
				b.Errorf("job %s is listed as %s and is %s", p.Job, class, c)
			}
			sum := validator.ReconcileSum{Jobs: 1, Recorded: p.Recorded, OnChain: p.OnChain()}
			if short := p.Recorded.Sub(p.OnChain()); short.Sign() > 0 {
				sum.Short = short
			}
			got = got.Plus(sum)
		}
		if len(page) < 7 {
			break
		}
	}
	equal(b, "the list of "+string(class), got, want)
}

// paymentsOf joins a worker's jobs and events anew.
func (b bench) paymentsOf(worker validator.Address) []validator.JobPayment {
	b.Helper()
	conn := must[*pgx.Conn](b)(pgx.Connect(b.ctx(), b.url))
	defer func() { check(b, conn.Close(b.ctx())) }()
	all := map[string]*validator.JobPayment{}
	of := func(key string) *validator.JobPayment {
		if all[key] == nil {
			all[key] = &validator.JobPayment{Job: key}
		}
		return all[key]
	}
	ends := map[string]int64{}
	rows := must[pgx.Rows](b)(conn.Query(b.ctx(), `SELECT job_id, payment_amount, COALESCE(completed_at, created_at)
		FROM (SELECT job_id, worker_address, status, payment_amount, completed_at, created_at FROM counted_jobs
		      UNION ALL SELECT job_id, worker_address, status, payment_amount, completed_at, created_at FROM counted_reports) j
		WHERE worker_address = $1 AND status = 'completed' AND payment_amount IS NOT NULL`, string(worker)))
	for rows.Next() {
		var id string
		var amount validator.Wei
		var end time.Time
		check(b, rows.Scan(&id, &amount, &end))
		if number, ok := validator.JobNumber(id); ok {
			id = number
		}
		p := of(id)
		ends[id] += end.UnixMicro()
		p.Jobs, p.Recorded = p.Jobs+1, p.Recorded.Add(amount)
		p.Ended = time.UnixMicro(ends[id] / p.Jobs)
	}
	check(b, rows.Err())
	events := map[string][]validator.PaymentEvent{}
	rows = must[pgx.Rows](b)(conn.Query(b.ctx(), "SELECT job_id, kind, amount, private, block_time FROM chain_payments WHERE worker_address = $1", string(worker)))
	for rows.Next() {
		var job string
		var e validator.PaymentEvent
		check(b, rows.Scan(&job, &e.Kind, &e.Amount, &e.Private, &e.Block.Time))
		events[job] = append(events[job], e)
		of(job)
	}
	check(b, rows.Err())
	var out []validator.JobPayment
	for _, key := range slices.Sorted(maps.Keys(all)) {
		out = append(out, all[key].With(events[key]))
	}
	return out
}

// TestAPaymentIsFollowedThroughItsLife, from the job's end to a reorganisation.
func TestAPaymentIsFollowedThroughItsLife(t *testing.T) {
	b := newBench(t)
	c := &chainer{storm{base: now.Add(30 * 24 * time.Hour)}, b.store, map[validator.Address]*validator.Block{}}
	check(t, b.store.ChangeIndex(b.ctx(), validator.IndexChange{ChainID: "c", At: now, Starts: c.cursors()}))
	read := func(hour uint64, events ...validator.ChainEvent) {
		t.Helper()
		done := c.block(hour)
		check(t, b.store.ChangeIndex(b.ctx(), validator.IndexChange{ChainID: "c", At: now, Read: c.cursors(), Done: done, Events: events, Dated: []validator.IndexCursor{
			{Contract: jobManager, FirstTime: now.Add(-time.Hour)}, {Contract: paymentRouter, FirstTime: now.Add(-time.Hour)},
		}}))
		c.heads[jobManager], c.heads[paymentRouter] = &done, &done
	}
	event := func(hour uint64, kind validator.PaymentKind, job string, amount int64) validator.ChainEvent {
		return validator.ChainEvent{Contract: map[validator.PaymentKind]validator.Address{validator.PaymentReleased: jobManager, validator.PaymentPaid: paymentRouter}[kind],
			Block: c.block(hour), TxHash: "0x00000000000000000000000000000000000000000000000000000000000000ee", Payment: &validator.ChainPayment{Kind: kind, JobID: job, Worker: alice, Amount: wei(amount)}}
	}
	is := func(when string, at time.Time, want string) {
		t.Helper()
		check(t, b.store.FoldPayments(b.ctx()))
		b.differences(when)
		r := must[validator.Reconciliation](t)(b.store.Reconciliation(b.ctx(), alice, payers, at))
		got := ""
		for _, class := range validator.ReconcileClasses {
			if s := r.Payments[class]; s.Jobs > 0 {
				got += fmt.Sprintf("%s %d: %s/%s ", class, s.Jobs, s.Recorded, s.OnChain)
			}
		}
		equal(t, when, got, want)
		if j, err := b.store.Job(b.ctx(), alice, "0x7"); err == nil {
			p, known, err := b.store.PaymentOfJob(b.ctx(), j, payers)
			check(t, err)
			if class, ok := validator.ClassOf(p.JobPayment, known, at); ok != (want != "") || ok && r.Payments[class].Jobs != 1 {
				t.Errorf("%s: the job's own page says %s (%v)", when, class, ok)
			}
		} else if !errors.Is(err, db.ErrNotFound) {
			t.Fatal(err)
		}
	}
	b.exec("INSERT INTO jobs (job_id, worker_address, status, payment_amount, created_at, completed_at) VALUES ('0x7', '0xa11', 'completed', 80, $1, $2)", now.Add(-time.Minute), now)
	is("before the index has begun", now, "not_known_yet 1: 80/0 ")
	read(0)
	is("as the job ends", now.Add(time.Second), "awaited 1: 80/0 ")
	is("while the index stands still", now.Add(20*time.Minute), "not_known_yet 1: 80/0 ")
	read(1)
	is("when its blocks are read", now.Add(time.Hour), "missing_on_chain 1: 80/0 ")
	read(2, event(2, validator.PaymentReleased, "7", 100))
	is("when it is released", now.Add(2*time.Hour), "different_amount 1: 80/100 ")
	read(3, event(3, validator.PaymentPaid, "7", 50))
	is("when a part is paid", now.Add(3*time.Hour), "different_amount 1: 80/50 ")
	read(4, event(4, validator.PaymentPaid, "7", 30))
	is("when the rest is paid", now.Add(4*time.Hour), "matched 1: 80/80 ")
	b.exec("UPDATE jobs SET status = 'failed' WHERE job_id = '0x7'")
	is("when the database takes it back", now.Add(3*time.Hour+9*time.Minute), "awaited 1: 0/80 ")
	is("and leaves it so", now.Add(5*time.Hour), "missing_in_database 1: 0/80 ")
	b.exec("UPDATE jobs SET status = 'completed' WHERE job_id = '0x7'")
	two := c.block(2)
	check(t, b.store.ChangeIndex(b.ctx(), validator.IndexChange{ChainID: "c", At: now, Reorg: true, Undo: &two}))
	is("when the chain takes the payments back", now.Add(4*time.Hour), "different_amount 1: 80/100 ")
	check(t, b.store.ChangeIndex(b.ctx(), validator.IndexChange{ChainID: "c", At: now, Reorg: true}))
	is("when the chain begins anew", now.Add(4*time.Hour), "not_known_yet 1: 80/0 ")
	b.exec("UPDATE jobs SET payment_amount = 0 WHERE job_id = '0x7'")
	is("when nothing is due", now.Add(4*time.Hour), "")
}
