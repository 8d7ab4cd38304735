package program

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
)

// TestTheProgramBehindAPoolerOfTransactions says what it needs, and with it stores, reads and
// does its periodic jobs.
func TestTheProgramBehindAPoolerOfTransactions(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptyURL(t)
	pooler := dbtest.StartPooler(t, url, "transaction")
	waiting := start(t, "DATABASE_URL="+pooler.URL)
	harness.Eventually(t, "what is missing", func() bool {
		_, page := waiting.Call(t, http.MethodGet, "/?wallet=0x123", "", "")
		return strings.Contains(string(page), "DATABASE_DIRECT_URL")
	})
	p := start(t, "DATABASE_URL="+pooler.URL, "DATABASE_DIRECT_URL="+url)
	for name, p := range map[string]*program{"the one that migrates": p, "the one that waited": waiting} {
		harness.Eventually(t, name, func() bool {
			code, _ := p.Call(t, http.MethodGet, "/health/ready", "", "")
			return code == http.StatusOK
		})
	}
	for _, id := range []string{"1", "2", "3"} {
		if code, _, body := p.Exchange(t, http.MethodPost, "/api/jobs", "0x123", `{"jobs":[{"job_id":"`+id+`","status":"pending"}]}`); code != http.StatusOK {
			t.Errorf("job %s: %d %s", id, code, body)
		}
	}
	jobs, _ := waiting.Get(t, "/api/jobs/recent", "0x123")["jobs"].([]any)
	if len(jobs) != 3 {
		t.Errorf("the other sees %d jobs, want 3", len(jobs))
	}
	harness.Eventually(t, "a periodic job's run", func() bool {
		return dbtest.Value(t, url, "EXISTS (SELECT FROM river_job WHERE state = 'completed')") == "true"
	})
}
