package db_test

import (
	"testing"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

func TestSmoke(t *testing.T) {
	url := dbtest.NewURL(t)
	s := dbtest.Open(t, db.Config{URL: url})
	t.Log(s.State())
	dbtest.Exec(t, url, "INSERT INTO jobs (job_id, worker_address, status, payment_amount, completed_at, execution_time_ms) VALUES ('a', '0x1', 'completed', 12, now(), 5)")
	t.Log(dbtest.Value(t, url, "SELECT string_agg(j::text, ' ') FROM job_totals j"))
	t.Log(dbtest.Value(t, url, "SELECT string_agg(j::text, ' ') FROM earning_days j"))
}
