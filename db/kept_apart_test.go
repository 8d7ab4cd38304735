package db_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// impossibleJobs are rows by SQL whose execution times do not fit, two that do, and one of a
// time to come.
const impossibleJobs = `INSERT INTO jobs (job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at, execution_time_ms)
	SELECT 'long-' || n, '0xa11', 'proof', 'completed', 1, now() - interval '1 hour', now() - interval '1 hour', now() - interval '1 hour' + interval '9 seconds', 9223372036854 FROM generate_series(1, 200) n;
	INSERT INTO jobs (job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at, execution_time_ms) VALUES
	('fits', '0xa11', 'proof', 'completed', 1, now() - interval '2 hours', now() - interval '2 hours', now() - interval '1 hour', 3600000),
	('has no end', '0xa11', 'proof', 'completed', 1, now() - interval '2 hours', now() - interval '2 hours', NULL, 3600000),
	('to come', '0xa11', 'train', 'completed', 7, now(), now(), now() + interval '3 days', 1000);
	INSERT INTO reward_claims (address, amount, claim_type, claim_time, tx_hash, status) VALUES
	('0xa11', 40, 'staking', now() + interval '3 days', '0x1', 'confirmed'), ('0xa11', 2, 'staking', now(), '0x2', 'confirmed')`

// impossibleSums are what the sums hold of them.
func (b bench) checkImpossibleSums(when string) {
	b.Helper()
	at := time.Now()
	network := must[validator.NetworkCounts](b)(b.store.NetworkCounts(b.ctx(), activeFor, at))
	equal(b, when+": jobs and compute hours", []any{network.JobsProcessed, network.JobsLast24h, network.ComputeTime.Hours()}, "[202 202 2]")
	counts := must[validator.JobCounts](b)(b.store.JobCounts(b.ctx(), alice, at))
	equal(b, when+": the wallet's jobs", []any{counts.Total, counts.Completed, counts.KeptApart[validator.FaultExecution], counts.KeptApart[validator.FaultAhead]}, "[202 202 200 1]")
	equal(b, when+": its average", *counts.AverageCompletion, (time.Duration(200*9+2*3600) * time.Second / 202).Round(time.Nanosecond).String())
	earned := must[validator.Earnings](b)(b.store.Earnings(b.ctx(), alice, at))
	equal(b, when+": earned", []any{earned.Total, earned.Last24h, earned.LastClaim.Before(at)}, "[204 204 true]")
	later := must[validator.Earnings](b)(b.store.Earnings(b.ctx(), alice, at.AddDate(0, 0, 3).Add(time.Hour)))
	equal(b, when+": earned, asked when the time has come", later.Total, "204")
	history := must[[]validator.Earning](b)(b.store.EarningsHistory(b.ctx(), alice, nil, 1000, 0))
	equal(b, when+": listed earnings", len(history), 203)
	for _, d := range must[[]db.Difference](b)(b.store.CheckTotals(b.ctx())) {
		b.Errorf("%s: %s", when, d)
	}
	equal(b, when+": kept apart", must[[]db.KeptApart](b)(b.store.KeptApart(b.ctx())), "[{jobs ahead 1} {jobs execution 200} {reward_claims ahead 1}]")
}

// TestWhatCannotBeIsKeptApart, written by SQL, and enters the sums when it can be.
func TestWhatCannotBeIsKeptApart(t *testing.T) {
	b := newBench(t)
	b.exec(impossibleJobs)
	b.checkImpossibleSums("written")
	b.fold()
	check(t, b.store.FoldPayments(b.ctx()))
	b.checkImpossibleSums("folded")
	job := must[validator.Job](t)(b.store.Job(b.ctx(), alice, "long-1"))
	equal(t, "why", []any{job.KeptApart, job.ExecutionTime.Milliseconds()}, "[execution 9223372036854]")

	b.exec("UPDATE jobs SET execution_time_ms = 9000 WHERE job_id LIKE 'long-%'")
	network := must[validator.NetworkCounts](t)(b.store.NetworkCounts(b.ctx(), activeFor, time.Now()))
	equal(t, "compute hours of mended rows", network.ComputeTime.Hours(), 2.5)
	b.exec("UPDATE jobs SET completed_at = created_at - interval '1 second' WHERE job_id = 'to come'; DELETE FROM jobs WHERE job_id LIKE 'long-1%'")
	equal(t, "mended and deleted rows", must[[]db.Difference](t)(b.store.CheckTotals(b.ctx())), "[]")
	equal(t, "what is left apart", must[[]db.KeptApart](t)(b.store.KeptApart(b.ctx())), "[{jobs execution 1} {reward_claims ahead 1}]")
}

// TestATimeThatHasComeIsJudgedAgain: what a fast clock wrote is not lost for good.
func TestATimeThatHasComeIsJudgedAgain(t *testing.T) {
	b := newBench(t)
	b.exec(`INSERT INTO jobs (job_id, worker_address, status, payment_amount, created_at, completed_at) VALUES ('j', '0xa11', 'completed', 7, now(), now() + interval '1 hour')`)
	b.exec(`INSERT INTO reward_claims (address, amount, claim_type, claim_time, tx_hash, status) VALUES ('0xa11', 40, 'staking', now() + interval '1 hour', '0x1', 'confirmed')`)
	// The time passes: as if the rows had been written an hour ago.
	b.exec("ALTER TABLE jobs DISABLE TRIGGER USER; ALTER TABLE reward_claims DISABLE TRIGGER USER")
	b.exec("UPDATE jobs SET created_at = now() - interval '1 hour', completed_at = now(); UPDATE reward_claims SET claim_time = now()")
	b.exec("ALTER TABLE jobs ENABLE TRIGGER USER; ALTER TABLE reward_claims ENABLE TRIGGER USER")
	check(t, b.store.JudgeAgain(b.ctx()))
	equal(t, "earned", must[validator.Earnings](t)(b.store.Earnings(b.ctx(), alice, time.Now())).Total, "47")
	equal(t, "differences", must[[]db.Difference](t)(b.store.CheckTotals(b.ctx())), "[]")
	equal(t, "kept apart", must[[]db.KeptApart](t)(b.store.KeptApart(b.ctx())), "[]")
}

// TestWhatCannotBeAndIsThereAlreadyIsKeptApart by the migration, and the sums with it; taking
// it back takes it into the sums again.
func TestWhatCannotBeAndIsThereAlreadyIsKeptApart(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptyURL(t)
	config, err := pgx.ParseConfig(url)
	check(t, err)
	pool := stdlib.OpenDB(*config)
	t.Cleanup(func() { _ = pool.Close() })
	provider, err := goose.NewProvider(goose.DialectPostgres, pool, os.DirFS("migrations"))
	check(t, err)
	_, err = provider.UpTo(t.Context(), 44)
	check(t, err)
	dbtest.Exec(t, url, impossibleJobs)
	hours := func() string {
		return dbtest.Value(t, url, "SELECT (sum(execution_ms) / 3600000)::bigint FROM job_totals")
	}
	equal(t, "compute hours before", hours(), "512409560")
	_, err = provider.Up(t.Context())
	check(t, err)
	b := bench{t, url, dbtest.Open(t, db.Config{URL: url})}
	b.checkImpossibleSums("migrated")
	_, err = provider.DownTo(t.Context(), 44)
	check(t, err)
	equal(t, "compute hours, taken back", hours(), "512409560")
}

// TestAnyProgramsRowIsJudged, whatever its search path, and whatever it writes into the column.
func TestAnyProgramsRowIsJudged(t *testing.T) {
	b := newBench(t)
	role := "judged_" + dbtest.Value(t, b.url, "current_database()")
	b.exec("CREATE ROLE " + role + "; GRANT SELECT, INSERT, UPDATE ON jobs TO " + role)
	b.exec("CREATE SCHEMA elsewhere; SET search_path = elsewhere; SET ROLE " + role + "; " + strings.Join([]string{
		"INSERT INTO public.jobs (job_id, status, created_at, kept_apart) VALUES ('ahead', 'pending', now() + interval '6 minutes', NULL)",
		"INSERT INTO public.jobs (job_id, status, created_at, kept_apart) VALUES ('near', 'pending', now() + interval '4 minutes', 'ahead')",
		"INSERT INTO public.jobs (job_id, status, execution_time_ms) VALUES ('runs', 'running', 100000), ('ran', 'failed', 400000)",
	}, ";"))
	equal(t, "why", dbtest.Value(t, b.url, "SELECT string_agg(job_id || '=' || COALESCE(kept_apart, ''), ' ' ORDER BY job_id) FROM jobs"), "ahead=ahead near= ran=execution runs=")
	b.exec("DROP OWNED BY " + role + "; DROP ROLE " + role)
}
