package db_test

import (
	"context"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// holdLock keeps everybody off the jobs until it may let go.
func holdLock(url string, locked chan<- struct{}, release <-chan struct{}) error {
	ctx := context.Background()
	c, err := pgx.Connect(ctx, url)
	if err != nil {
		close(locked)
		return err
	}
	_, err = c.Exec(ctx, "BEGIN; LOCK TABLE jobs")
	close(locked)
	<-release
	if err != nil {
		return err
	}
	return c.Close(ctx)
}

// TestEveryMigrationCanBeTakenBack and applied again, and leaves nothing behind.
func TestEveryMigrationCanBeTakenBack(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	config, err := pgx.ParseConfig(url)
	check(t, err)
	pool := stdlib.OpenDB(*config)
	t.Cleanup(func() { _ = pool.Close() })
	provider, err := goose.NewProvider(goose.DialectPostgres, pool, os.DirFS("migrations"))
	check(t, err)
	dbtest.Exec(t, url, "INSERT INTO jobs (job_id, worker_address, status, payment_amount) VALUES ('j', '0xa11', 'completed', 5)")
	sources := provider.ListSources()
	for range sources {
		_, err := provider.Down(t.Context())
		check(t, err)
		if left := dbtest.Value(t, url, "SELECT to_regclass('jobs')"); left != "" {
			dbtest.Exec(t, url, "UPDATE jobs SET status = 'running'") // no trigger of a table that is gone
		}
	}
	equal(t, "what is left", dbtest.Value(t, url, `SELECT string_agg(name, ' ') FROM (
		SELECT relname AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND relname <> 'goose_db_version' AND relname NOT LIKE 'river%'
		UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname NOT LIKE 'river%') things`), "")
	_, err = provider.Up(t.Context())
	check(t, err)
}

// TestTotalsCountTheJobsThatWereThereBefore the totals were.
func TestTotalsCountTheJobsThatWereThereBefore(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptyURL(t)
	config, err := pgx.ParseConfig(url)
	check(t, err)
	pool := stdlib.OpenDB(*config)
	t.Cleanup(func() { _ = pool.Close() })
	provider, err := goose.NewProvider(goose.DialectPostgres, pool, os.DirFS("migrations"))
	check(t, err)
	_, err = provider.UpTo(t.Context(), 1)
	check(t, err)
	dbtest.Exec(t, url, "INSERT INTO jobs (job_id, worker_address, status, payment_amount) SELECT n::text, '0xa11', 'completed', 5 FROM generate_series(1, 7) n")
	_, err = provider.Up(t.Context())
	check(t, err)
	equal(t, "jobs", dbtest.Value(t, url, "SELECT sum(jobs) FROM job_totals"), 7)
	equal(t, "wei", dbtest.Value(t, url, "SELECT sum(amount_wei) FROM earning_days"), 35)
}
