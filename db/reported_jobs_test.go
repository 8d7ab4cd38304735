package db_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// done is a report of a completed job of a minute.
func done(id string, payment int64) validator.Job {
	at, paid, took := time.Now().UTC().Truncate(time.Second), wei(payment), time.Minute
	begin := at.Add(-took)
	return validator.Job{ID: id, Type: "proof", Status: validator.JobCompleted, CreatedAt: begin, AssignedAt: &begin, CompletedAt: &at, ExecutionTime: &took, Payment: &paid, GPUUUID: "GPU-1"}
}

func (b bench) reports(worker validator.Address, jobs ...validator.Job) db.JobsStored {
	b.Helper()
	return must[db.JobsStored](b)(b.store.ReportJobs(b.ctx(), worker, jobs))
}

// publicJobs is what the network's figures say of jobs.
func (b bench) publicJobs() string {
	b.Helper()
	at := time.Now()
	c := must[validator.NetworkCounts](b)(b.store.NetworkCounts(b.ctx(), activeFor, at))
	var completed int64
	for _, h := range must[[]validator.NetworkHour](b)(b.store.NetworkHours(b.ctx(), at.AddDate(0, 0, -1), at)) {
		completed += h.Completed + h.Submitted
	}
	months := must[validator.WorkerMonths](b)(b.store.WorkerMonths(b.ctx(), 5, at.AddDate(0, 0, 1)))
	return fmt.Sprintf("%d workers, %d jobs, %d in 24 h, %.3f hours, %d by hour, %d in months, average known: %v",
		c.TotalWorkers, c.JobsProcessed, c.JobsLast24h, c.ComputeTime.Hours(), completed, len(months), c.AverageCompletion != nil)
}

const nothingPublic = "0 workers, 0 jobs, 0 in 24 h, 0.000 hours, 0 by hour, 0 in months, average known: false"

// TestAReportMeetsNobodyElses: the same identifiers of two workers are two jobs, the answers are
// the same, and no figure of the network knows of either.
func TestAReportMeetsNobodyElses(t *testing.T) {
	b := newBench(t)
	for _, worker := range []validator.Address{alice, bob} {
		equal(t, "the first report", b.reports(worker, done("X", 5), done("Y", 6)), db.JobsStored{Added: 2})
		equal(t, "the second", b.reports(worker, validator.Job{ID: "X", Status: validator.JobCompleted, ResultHash: "r"}), db.JobsStored{Changed: 1})
	}
	for _, worker := range []validator.Address{alice, bob} {
		jobs := must[[]validator.Job](t)(b.store.Jobs(b.ctx(), worker, db.JobFilter{}))
		equal(t, "jobs", []any{len(jobs), jobs[0].Worker == worker, jobs[0].SelfReported, jobs[0].Unconfirmed()}, "[2 true true true]")
		for _, by := range []db.JobSort{db.SortPayment, db.SortDuration} {
			sorted := must[[]validator.Job](t)(b.store.Jobs(b.ctx(), worker, db.JobFilter{Sort: by}))
			found := must[[]validator.Job](t)(b.store.Jobs(b.ctx(), worker, db.JobFilter{Sort: by, Search: "X"}))
			equal(t, "sorted and found", []any{len(sorted), len(found), sorted[0].Worker == worker}, "[2 1 true]")
		}
		c := must[validator.JobCounts](t)(b.store.JobCounts(b.ctx(), worker, time.Now()))
		equal(t, "counts", []any{c.Total, c.SelfReported, c.Last24h}, "[2 2 2]")
		e := must[validator.Earnings](t)(b.store.Earnings(b.ctx(), worker, time.Now()))
		equal(t, "earned", []any{e.Total, e.SelfReported, e.SelfReportedJobs}, "[11 11 2]")
	}
	equal(t, "the network", b.publicJobs(), nothingPublic)
	b.differences("written")
	b.fold()
	equal(t, "the network, folded", b.publicJobs(), nothingPublic)
	b.differences("folded")
}

// TestTheCoordinatorsRowWins over the report of its worker, whichever comes first and however the
// number is written, and over nobody else's; without it the report is what there is.
func TestTheCoordinatorsRowWins(t *testing.T) {
	b := newBench(t)
	shown := func(worker validator.Address, id string) string {
		t.Helper()
		job, err := b.store.Job(b.ctx(), worker, id)
		if err != nil {
			return "none"
		}
		all := must[[]validator.Job](t)(b.store.Jobs(b.ctx(), worker, db.JobFilter{}))
		total := must[validator.JobCounts](t)(b.store.JobCounts(b.ctx(), worker, time.Now())).Total
		b.differences("at " + id)
		return fmt.Sprintf("%s %v of %d, counted %d", job.Status, job.SelfReported, len(all), total)
	}
	const upsert = "INSERT INTO jobs (job_id, worker_address, status) VALUES ($1, $2, $3) ON CONFLICT (job_id) DO UPDATE SET worker_address = excluded.worker_address, status = excluded.status"
	b.reports(alice, done("255", 5))
	b.reports(bob, done("255", 5))
	b.exec(upsert, "0xff", nil, "pending")
	equal(t, "while it is nobody's", shown(alice, "255"), "completed true of 1, counted 1")
	b.exec(upsert, "0xff", string(bob), "failed")
	equal(t, "Bob's, given to Bob", shown(bob, "255"), "failed false of 1, counted 1")
	equal(t, "Alice's, given to Bob", shown(alice, "255"), "completed true of 1, counted 1")
	equal(t, "the card that Bob named", must[validator.Job](t)(b.store.Job(b.ctx(), bob, "0xff")).GPUUUID, "GPU-1")
	equal(t, "Bob reports again", b.reports(bob, validator.Job{ID: "255", Status: validator.JobCompleted, ResultHash: "r"}), db.JobsStored{Changed: 1})
	equal(t, "Bob's, reported again", shown(bob, "255"), "failed false of 1, counted 1")
	b.exec(upsert, "0xff", string(alice), "completed")
	equal(t, "Bob's, given to Alice", shown(bob, "255"), "completed true of 1, counted 1")
	equal(t, "Alice's, given to Alice", shown(alice, "255"), "completed false of 1, counted 1")
	equal(t, "the network", must[validator.NetworkCounts](t)(b.store.NetworkCounts(b.ctx(), activeFor, time.Now())).JobsProcessed, 1)
	b.exec("DELETE FROM jobs")
	equal(t, "without the row", shown(alice, "255"), "completed true of 1, counted 1")
	b.exec(upsert, "7", string(alice), "running")
	b.reports(alice, done("0x07", 5))
	equal(t, "reported after the row", shown(alice, "7"), "running false of 2, counted 2")
	b.exec("TRUNCATE jobs")
	equal(t, "emptied", shown(alice, "0x07"), "completed true of 2, counted 2")
}

// TestAWriterOfJobsNeverWaitsForAWorker, nor fails for one, in any isolation level; what its
// trigger left out is made good.
func TestAWriterOfJobsNeverWaitsForAWorker(t *testing.T) {
	b := newBench(t)
	b.reports(alice, done("locked", 1), done("changed", 1))
	conn := must[*pgx.Conn](t)(pgx.Connect(b.ctx(), b.url))
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	worker := must[pgx.Tx](t)(conn.Begin(b.ctx()))
	must[any](t)(worker.Exec(b.ctx(), "UPDATE reported_jobs SET status = 'failed' WHERE job_id = 'locked'"))
	b.exec("SET lock_timeout = '5s'; INSERT INTO jobs (job_id, worker_address, status) VALUES ('locked', '0xa11', 'completed')")
	check(t, worker.Commit(b.ctx()))

	coordinator := must[pgx.Tx](t)(conn.BeginTx(b.ctx(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead}))
	must[any](t)(coordinator.Exec(b.ctx(), "SELECT count(*) FROM jobs"))
	b.reports(alice, validator.Job{ID: "changed", Status: validator.JobCompleted, ErrorMessage: "changed since"}, done("meanwhile", 1))
	must[any](t)(coordinator.Exec(b.ctx(), "INSERT INTO jobs (job_id, worker_address, status) VALUES ('changed', '0xa11', 'completed'), ('meanwhile', '0xa11', 'completed')"))
	check(t, coordinator.Commit(b.ctx()))

	check(t, b.store.FollowReportChecks(b.ctx()))
	equal(t, "shown", len(must[[]validator.Job](t)(b.store.Jobs(b.ctx(), alice, db.JobFilter{}))), 3)
	equal(t, "reports that count", dbtest.Value(t, b.url, "SELECT count(*) FROM counted_reports"), 0)
	b.differences("after all")
}

// TestAPaymentOnChainConfirmsAReport: its job then counts for the network, at the chain's time and
// without the worker's own times, and ceases to when the chain takes the payment back.
func TestAPaymentOnChainConfirmsAReport(t *testing.T) {
	b := newBench(t)
	b.reports(alice, done("41", 5), done("42", 5), done("43", 5))
	b.reports(bob, done("41", 5)) // whom the chain did not pay
	check(t, b.store.FoldPayments(b.ctx()))
	equal(t, "before", b.publicJobs(), nothingPublic)
	block := validator.Block{Number: 7, Hash: validator.Felt(fmt.Sprintf("0x%064x", 7)), Time: time.Now().UTC().Add(-2 * time.Hour).Truncate(time.Second)}
	event := func(place int, id string, amount int64) validator.ChainEvent {
		return validator.ChainEvent{Contract: jobManager, Block: block, TxHash: validator.Felt(fmt.Sprintf("0x%064x", place+1)), Index: place, Place: place,
			Payment: &validator.ChainPayment{Kind: validator.PaymentReleased, JobID: id, Worker: alice, Amount: wei(amount)}}
	}
	cursor := validator.IndexCursor{Contract: jobManager, Name: "JobManager", Start: validator.IndexFromSetting}
	check(t, b.store.ChangeIndex(b.ctx(), validator.IndexChange{ChainID: "c", At: block.Time, Starts: []validator.IndexCursor{cursor}}))
	check(t, b.store.ChangeIndex(b.ctx(), validator.IndexChange{ChainID: "c", At: block.Time, Read: []validator.IndexCursor{cursor}, Done: block, Events: []validator.ChainEvent{event(0, "41", 5), event(1, "42", 4)}}))
	check(t, b.store.FoldPayments(b.ctx()))
	equal(t, "paid", b.publicJobs(), "0 workers, 1 jobs, 1 in 24 h, 0.000 hours, 1 by hour, 1 in months, average known: false")
	for id, want := range map[string]bool{"41": true, "42": false, "43": false} {
		equal(t, id+" is paid", must[validator.Job](t)(b.store.Job(b.ctx(), alice, id)).PaidOnChain, want)
	}
	equal(t, "Bob's is paid", must[validator.Job](t)(b.store.Job(b.ctx(), bob, "41")).PaidOnChain, false)
	equal(t, "what only Alice says", must[validator.JobCounts](t)(b.store.JobCounts(b.ctx(), alice, time.Now())).SelfReported, 2)
	b.differences("paid")
	b.fold()
	b.differences("folded")
	check(t, b.store.ChangeIndex(b.ctx(), validator.IndexChange{ChainID: "c", At: block.Time, Reorg: true}))
	check(t, b.store.FoldPayments(b.ctx()))
	equal(t, "taken back", b.publicJobs(), nothingPublic)
	b.differences("taken back")
}
