package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// tell posts to the API as a program on another machine does, with a token of a wallet; ""
// is a coordinator's.
func tell(t *testing.T, s *Server, token, path, body string) (int, string) {
	t.Helper()
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.RemoteAddr, r.Host = "203.0.113.7:50000", "validators.example"
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer "+token)
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w.Code, w.Body.String()
}

// reporter is a server with an ingest token for one worker and one for a coordinator.
func reporter(t *testing.T) (s *Server, url, one, every string) {
	t.Helper()
	t.Parallel()
	url = dbtest.NewURL(t)
	s = newServer(t, dbtest.Open(t, db.Config{URL: url}), onPublicURL)
	token := func(n db.Token) string {
		secret := db.NewTokenSecret()
		n.Name, n.Scope, n.CreatedAt = "a script", db.ScopeIngest, time.Now()
		if _, err := s.db.AddToken(t.Context(), db.HashSecret(secret), n); err != nil {
			t.Fatal(err)
		}
		return secret
	}
	return s, url, token(db.Token{Wallet: alice}), token(db.Token{})
}

func TestJobsAreReportedInBatches(t *testing.T) {
	s, url, _, every := reporter(t)
	var list []string
	for i := range 1000 {
		list = append(list, fmt.Sprintf(`{"job_id": "job-%d", "worker_address": "0xA%d", "client_address": "0xc1", "job_type": "proof", "status": "completed", "payment_amount": "5000000000000000000",
			"created_at": 1790000000.25, "assigned_at": 1790000001, "completed_at": 1790000009, "execution_time_ms": 8000, "result_hash": "r", "gpu_uuid": "GPU-1", "tx_hash": "0xff", "block_number": 7, "updated_at": 1790000010}`, i, i%7))
	}
	body := `{"jobs": [` + strings.Join(list, ",") + `]}`
	for _, want := range []string{`"added":1000,"changed":0,"unchanged":0`, `"added":0,"changed":0,"unchanged":1000`} {
		if code, b := tell(t, s, every, "/api/jobs", body); code != http.StatusOK || !strings.Contains(b, want) {
			t.Fatalf("%d %s, want %s", code, b, want)
		}
	}
	if code, b := tell(t, s, every, "/api/jobs", `{"jobs": [{"job_id": "job-3", "status": "running", "updated_at": 1790000009.9}, {"job_id": "job-4", "status": "failed", "error_message": "undone", "updated_at": 1790000011}, {"job_id": "unassigned", "status": "pending"}]}`); code != http.StatusOK || !strings.Contains(b, `"added":1,"changed":1,"unchanged":1`) {
		t.Errorf("%d %s", code, b)
	}
	for sql, want := range map[string]string{
		"SELECT status FROM jobs WHERE job_id = 'job-3'":                                                                        "completed",
		"SELECT status || error_message FROM jobs WHERE job_id = 'job-4'":                                                       "failedundone",
		"SELECT to_char(created_at, 'HH24:MI:SS.US') || payment_amount || ' ' || block_number FROM jobs WHERE job_id = 'job-9'": "14:13:20.2500005000000000000000000 7",
		"SELECT sum(jobs) FROM job_totals WHERE status = 'completed'":                                                           "999",
		"SELECT worker_address IS NULL FROM jobs WHERE job_id = 'unassigned'":                                                   "true",
	} {
		if got := dbtest.Value(t, url, sql); got != want {
			t.Errorf("%s: %s, want %s", sql, got, want)
		}
	}
}

// TestAReportWithAnythingWrongStoresNothing, and each row that is wrong is named.
func TestAReportWithAnythingWrongStoresNothing(t *testing.T) {
	s, url, one, every := reporter(t)
	dbtest.Exec(t, url, "INSERT INTO jobs (job_id, worker_address, status) VALUES ('bobs', '0xb0b', 'running'), ('nobodys', NULL, 'pending')")
	good := `{"job_id": "good", "status": "running"}`
	for _, c := range []struct {
		token, rows string
		code        int
		want        []string // index, field and the beginning of the rule
	}{
		{every, `{"job_id": "j", "status": "done"}`, 400, []string{`1 status expected value to be one of`}},
		{every, `{"status": "running"}`, 400, []string{`1 job_id expected required property`}},
		{every, `{"job_id": 7, "status": "running"}, {"job_id": "k", "status": "running", "jobs": 1}`, 400, []string{`1 job_id expected string`, `2 jobs unexpected property`}},
		{every, `{"job_id": "j", "status": "running", "worker_address": "alice", "payment_amount": "-1", "tx_hash": "0xg", "created_at": 1, "client_address": "0x0"}`, 400,
			[]string{`1 worker_address is `, `1 payment_amount is not an amount`, `1 tx_hash is `, `1 created_at must be unix seconds`, `1 client_address is `}},
		{every, `{"job_id": "j", "status": "failed", "error_message": "a\u0000b"}`, 400, []string{`1 error_message expected string to be UTF-8 text without the character U+0000`}},
		{one, `{"job_id": "j", "status": "running", "worker_address": "0xb0b"}`, 403, []string{`1 worker_address is of a worker for whom`}},
	} {
		code, b := tell(t, s, c.token, "/api/jobs", `{"jobs": [`+good+`, `+c.rows+`]}`)
		var p struct {
			Error  string
			Errors []struct {
				Index       *int
				Field, Rule string
			}
		}
		if err := json.Unmarshal([]byte(b), &p); err != nil || code != c.code || p.Error == "" {
			t.Errorf("%s: %d %s", c.rows, code, b)
		}
		for _, want := range c.want {
			found := false
			for _, e := range p.Errors {
				found = found || e.Index != nil && strings.HasPrefix(fmt.Sprint(*e.Index, " ", e.Field, " ", e.Rule), want)
			}
			if !found {
				t.Errorf("%s: %s is missing in %s", c.rows, want, b)
			}
		}
	}
	for _, body := range []string{`{"jobs": []}`, `{}`, `[]`, `{"jobs": [` + good + strings.Repeat(","+good, 1000) + `]}`} {
		if code, b := tell(t, s, every, "/api/jobs", body); code != http.StatusBadRequest {
			t.Errorf("%.40s: %d %s", body, code, b)
		}
	}
	if got := dbtest.Value(t, url, "SELECT string_agg(job_id || status, ' ' ORDER BY job_id) FROM jobs"); got != "bobsrunning nobodyspending" {
		t.Errorf("there is %s", got)
	}
	if code, b := tell(t, s, one, "/api/jobs", `{"jobs": [`+good+`]}`); code != http.StatusOK || dbtest.Value(t, url, "SELECT worker_address FROM reported_jobs WHERE job_id = 'good'") != string(alice) {
		t.Errorf("a worker's own: %d %s", code, b)
	}
}

func TestHeartbeatsAreReportedInBatches(t *testing.T) {
	s, url, one, every := reporter(t)
	now := time.Now().Unix()
	body := fmt.Sprintf(`{"heartbeats": [{"worker_id": "a", "heartbeat_time": %d, "gpu_count": 8}, {"worker_id": "a", "heartbeat_time": %d}, {"worker_id": "b", "version": "2"}]}`, now-60, now-120)
	if code, b := tell(t, s, one, "/api/worker/heartbeats", body); code != http.StatusOK || !strings.Contains(b, `"added":3,"present":0`) {
		t.Errorf("%d %s", code, b)
	}
	if code, b := tell(t, s, one, "/api/worker/heartbeats", fmt.Sprintf(`{"heartbeats": [{"worker_id": "a", "heartbeat_time": %d}]}`, now-60)); code != http.StatusOK || !strings.Contains(b, `"added":0,"present":1`) {
		t.Errorf("again: %d %s", code, b)
	}
	for token, want := range map[string]int{one: http.StatusForbidden, every: http.StatusBadRequest} { // a coordinator names its workers
		code, b := tell(t, s, token, "/api/worker/heartbeats", `{"heartbeats": [{"worker_id": "c", "worker_address": "0xb0b"}, {"worker_id": "c", "heartbeat_time": 7, "worker_address": "0xb0b"}]}`)
		if code != want || !strings.Contains(b, `"index":1`) || !strings.Contains(b, `"field":"heartbeat_time"`) {
			t.Errorf("%d %s", code, b)
		}
	}
	if got := dbtest.Value(t, url, "SELECT count(*) || ' ' || count(DISTINCT worker_address) || ' ' || max(gpu_count) FROM heartbeats"); got != "3 1 8" {
		t.Errorf("there is %s", got)
	}
}
