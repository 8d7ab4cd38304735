package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// ownReport is a batch of a worker's own completed jobs.
func ownReport(ids ...string) string {
	now := time.Now().Unix()
	rows := make([]string, len(ids))
	for i, id := range ids {
		rows[i] = fmt.Sprintf(`{"job_id": %q, "status": "completed", "job_type": "proof", "payment_amount": "5000000000000000000", "assigned_at": %d, "completed_at": %d, "execution_time_ms": 3600000}`, id, now-3600, now)
	}
	return `{"jobs": [` + strings.Join(rows, ",") + `]}`
}

// TestWhoReportsAJobFirstNeitherFailsNorTellsTheNext: two workers report the same identifiers, and
// so does each of them what the coordinator has of somebody else; all of them get the same answers.
func TestWhoReportsAJobFirstNeitherFailsNorTellsTheNext(t *testing.T) {
	s, url, one, every := reporter(t)
	other := db.NewTokenSecret()
	if _, err := s.db.AddToken(t.Context(), db.HashSecret(other), db.Token{Name: "other", Scope: db.ScopeIngest, Wallet: bob, CreatedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if code, b := tell(t, s, every, "/api/jobs", `{"jobs": [{"job_id": "Z", "worker_address": "0xc4", "status": "running"}, {"job_id": "nobodys", "status": "pending"}]}`); code != http.StatusOK {
		t.Fatal(code, b)
	}
	var answers []string
	for _, token := range []string{one, other} {
		for _, id := range []string{"X", "Z", "nobodys", "unheard-of"} {
			code, b := tell(t, s, token, "/api/jobs", ownReport(id, "good "+id))
			answers = append(answers, fmt.Sprint(code, b))
		}
	}
	for _, a := range answers {
		if a != answers[0] || !strings.HasPrefix(a, "200") {
			t.Errorf("%s, and another was answered %s", a, answers[0])
		}
	}
	if got := dbtest.Value(t, url, "SELECT (SELECT count(*) FROM jobs) || ' ' || (SELECT count(*) FROM reported_jobs) || ' ' || (SELECT status FROM jobs WHERE job_id = 'Z')"); got != "2 16 running" {
		t.Errorf("there is %s", got)
	}
}

// TestSelfReportedJobsAreMarkedAndNotPublic on every page, in the API and in exports, until the
// coordinator's row says the same.
func TestSelfReportedJobsAreMarkedAndNotPublic(t *testing.T) {
	database := dbtest.NewURL(t)
	s := newServer(t, dbtest.Open(t, db.Config{URL: database}))
	secret := db.NewTokenSecret()
	if _, err := s.db.AddToken(t.Context(), db.HashSecret(secret), db.Token{Name: "rig", Scope: db.ScopeIngest, Wallet: alice, CreatedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	if code, b := tell(t, s, secret, "/api/jobs", ownReport("7")); code != http.StatusOK {
		t.Fatal(code, b)
	}
	dbtest.Exec(t, database, "SELECT fold_payments(NULL::bigint)")
	wallet := "wallet=" + string(alice)
	api := func(path string) string { return visit(s, path, "X-Wallet-Address", string(alice)).Body.String() }
	for path, want := range map[string]string{
		"/?" + wallet: "Self-reported earnings", "/jobs?" + wallet: "Self-reported: 1 of these jobs.", "/jobs/7?" + wallet: "this wallet itself.",
		"/earnings?" + wallet: "self-reported", "/earnings/reconciliation?class=not_known_yet&" + wallet: "self-reported",
	} {
		if page := open(t, s, path); !strings.Contains(page, want) {
			t.Errorf("%s does not say %q", path, want)
		}
	}
	for path, want := range map[string]string{
		"/api/jobs/recent": `"self_reported":true`, "/api/jobs/analytics": `"jobs_self_reported":1`, "/api/validator/history": `"self_reported":true`,
		"/api/validator/rewards": `"self_reported_earned":"5000000000000000000"`, "/api/validator/reconciliation": `"self_reported":true`,
		"/jobs/export?format=ndjson&" + wallet: `"self_reported":true`, "/earnings/export?format=ndjson&" + wallet: `"self_reported":true`,
		"/earnings/reconciliation/export?format=ndjson&class=not_known_yet&" + wallet: `"self_reported":true`,
	} {
		if path == "/api/validator/reconciliation" {
			path += "?class=not_known_yet"
		}
		if body := api(path); !strings.Contains(body, want) {
			t.Errorf("%s lacks %s: %.400s", path, want, body)
		}
	}
	public := func() string {
		t.Helper()
		var n struct {
			Workers *int64   `json:"total_workers"`
			Jobs    *int64   `json:"total_jobs_processed"`
			Day     *int64   `json:"jobs_last_24h"`
			Hours   *float64 `json:"total_compute_hours"`
		}
		fresh := newServer(t, s.db) // without what the other remembers
		if err := json.Unmarshal(visit(fresh, "/api/network/stats").Body.Bytes(), &n); err != nil || n.Workers == nil || n.Jobs == nil || n.Day == nil {
			t.Fatal(err, n)
		}
		hours := 0.0
		if n.Hours != nil {
			hours = *n.Hours
		}
		return fmt.Sprint(*n.Workers, *n.Jobs, *n.Day, hours)
	}
	if got := public(); got != "0 0 0 0" {
		t.Errorf("the network has %s", got)
	}
	dbtest.Exec(t, database, `INSERT INTO jobs (job_id, worker_address, status, payment_amount, created_at, assigned_at, completed_at, execution_time_ms)
		VALUES ('7', $1, 'completed', 5000000000000000000, now() - interval '1 hour', now() - interval '1 hour', now(), 3600000)
		ON CONFLICT (job_id) DO UPDATE SET status = excluded.status`, alice)
	if got := public(); got != "1 1 1 1" {
		t.Errorf("the network has %s of the coordinator's row", got)
	}
	fresh := newServer(t, s.db)
	if body := visit(fresh, "/api/jobs/recent", "X-Wallet-Address", string(alice)).Body.String(); strings.Count(body, `"job_id"`) != 1 || !strings.Contains(body, `"self_reported":false`) {
		t.Errorf("shown is %s", body)
	}
}
