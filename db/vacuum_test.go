package db_test

import (
	"testing"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// TestWhatChurnsIsVacuumed where autovacuum does not.
func TestWhatChurnsIsVacuumed(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	s := dbtest.Open(t, db.Config{URL: url})
	dbtest.Exec(t, url, "ALTER TABLE payment_changes SET (autovacuum_enabled = false); ALTER TABLE jobs SET (autovacuum_enabled = false)")
	dbtest.Exec(t, url, "INSERT INTO jobs (job_id, worker_address, status, payment_amount) SELECT n::text, '0xa11', 'completed', 5 FROM generate_series(1, 20000) n")
	check(t, s.FoldPayments(t.Context()))
	number := func(column, table string) string {
		return dbtest.Value(t, url, "(SELECT "+column+" FROM pg_stat_user_tables WHERE relname = '"+table+"')")
	}
	waitFor(t, "the dead rows to be counted", func() bool { return number("n_dead_tup > 10000", "payment_changes") == "true" })
	waitFor(t, "the tables to be vacuumed", func() bool {
		check(t, s.VacuumOverdue(t.Context()))
		return number("n_dead_tup = 0 AND vacuum_count > 0", "payment_changes") == "true" && number("analyze_count > 0", "jobs") == "true"
	})
	equal(t, "bytes of a table without rows", dbtest.Value(t, url, "pg_relation_size('payment_changes')"), 0)
	before := number("vacuum_count", "payment_changes")
	check(t, s.VacuumOverdue(t.Context()))
	equal(t, "vacuums of a table that needs none", number("vacuum_count", "payment_changes"), before)
}
