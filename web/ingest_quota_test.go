package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// TestAWorkerSendsNoMoreThanItsQuota: each way of reporting counts, the answer says so and when to
// try again, and a coordinator has none.
func TestAWorkerSendsNoMoreThanItsQuota(t *testing.T) {
	s := newServer(t, dbtest.Open(t, db.Config{URL: dbtest.NewURL(t), IngestQuota: db.IngestQuota{Rows: 5, Bytes: 100_000}}), onPublicURL)
	token := func(n db.Token) string {
		secret := db.NewTokenSecret()
		n.Name, n.Scope, n.CreatedAt = "a script", db.ScopeIngest, time.Now()
		if _, err := s.db.AddToken(t.Context(), db.HashSecret(secret), n); err != nil {
			t.Fatal(err)
		}
		return secret
	}
	rig, other, coordinator := token(db.Token{Wallet: alice}), token(db.Token{Wallet: bob}), token(db.Token{})
	sends := func(who, path, body string, want int) {
		t.Helper()
		r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		r.RemoteAddr, r.Host = "203.0.113.7:50000", "validators.example"
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+who)
		w := httptest.NewRecorder()
		s.Handler().ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
		if want == http.StatusTooManyRequests && (w.Header().Get("Retry-After") == "" || !strings.Contains(w.Body.String(), "Nothing was stored: a worker may send 5 rows")) {
			t.Errorf("%s: %v %s", path, w.Header(), w.Body)
		}
	}
	const beat, beats = `{"worker_id": "r"}`, `{"heartbeats": [{"worker_id": "a"}, {"worker_id": "b"}]}`
	jobs := `{"jobs": [{"job_id": "1", "status": "running"}, {"job_id": "2", "status": "running"}]}`
	cards := `{"worker_id": "r", "gpus": [{"uuid": "GPU-1", "index": 0}]}`
	sends(rig, "/api/worker/heartbeat", beat, http.StatusOK)
	sends(rig, "/api/worker/heartbeats", beats, http.StatusOK)
	sends(rig, "/api/jobs", strings.Replace(jobs, "2", "1", 1), http.StatusOK)
	for path, body := range map[string]string{"/api/worker/heartbeat": beat, "/api/worker/heartbeats": beats, "/api/jobs": jobs, "/api/worker/gpu-metrics": cards} {
		sends(rig, path, body, http.StatusTooManyRequests)
	}
	sends(other, "/api/worker/heartbeat", beat+strings.Repeat(" ", 99_000), http.StatusOK)
	sends(other, "/api/worker/heartbeat", beat+strings.Repeat(" ", 2000), http.StatusTooManyRequests)
	for range 3 {
		sends(coordinator, "/api/jobs", `{"jobs": [{"job_id": "1", "worker_address": "0xa11", "status": "running"}, {"job_id": "2", "worker_address": "0xa11", "status": "running"}]}`, http.StatusOK)
	}
}
