package app

import (
	"io"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// unset is an environment without variables.
func unset(string) string { return "" }

// TestCheckFailsWithTheDifferences, and only then.
func TestCheckFailsWithTheDifferences(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	dbtest.Exec(t, url, "INSERT INTO jobs (job_id, worker_address, status) SELECT n::text, '0xa11', 'running' FROM generate_series(1, 3) n")
	check := func() (string, error) {
		var out strings.Builder
		err := Program{Getenv: unset, Stdout: &out, Stderr: io.Discard}.Run(t.Context(), []string{"check", "--database-url", url})
		return out.String(), err
	}
	if out, err := check(); err != nil || !strings.Contains(out, "agrees with their rows") || strings.Contains(out, "Kept apart") {
		t.Errorf("%s, %v", out, err)
	}
	dbtest.Exec(t, url, "INSERT INTO jobs (job_id, status, created_at, execution_time_ms) VALUES ('ahead', 'pending', now() + interval '1 hour', NULL), ('long', 'completed', now(), 9223372036854)")
	if out, err := check(); err != nil || !strings.Contains(out, "Kept apart: 1 rows of jobs tell a time more than 5 minutes ahead") || !strings.Contains(out, "Kept apart: 1 rows of jobs tell an execution time longer") {
		t.Errorf("%s, %v", out, err)
	}
	dbtest.Exec(t, url, "UPDATE job_totals SET jobs = jobs + 1")
	out, err := check()
	if err == nil || !strings.HasPrefix(err.Error(), "2 sums differ") || !strings.Contains(out, "job_totals: worker 0x") || !strings.Contains(out, "state running: kept 4, 0, 0, 0, counted 3, 0, 0, 0") {
		t.Errorf("%s, %v", out, err)
	}
}

// TestCheckRunsBesideAServer on its private database.
func TestCheckRunsBesideAServer(t *testing.T) {
	t.Parallel()
	dir := dbtest.Dir(t)
	p := harness.Start(t, "DATA_DIR="+dir)
	harness.Eventually(t, "the database", func() bool {
		code, _ := p.Call(t, "GET", "/health/ready", "", "")
		return code == 200
	})
	if code, b := p.Call(t, "POST", "/api/worker/heartbeat", "0x123", `{"worker_id":"rig"}`); code != 200 {
		t.Fatalf("heartbeat: %d %s", code, b)
	}
	var out strings.Builder
	if err := (Program{Getenv: unset, Stdout: &out, Stderr: io.Discard}).Run(t.Context(), []string{"check", "--data-dir", dir}); err != nil || !strings.Contains(out.String(), "agrees with their rows") {
		t.Errorf("%s, %v", out.String(), err)
	}
	if code, b := p.Call(t, "POST", "/api/worker/heartbeat", "0x123", `{"worker_id":"rig"}`); code != 200 {
		t.Errorf("heartbeat after it: %d %s", code, b)
	}
}
