package program

import (
	"net/http"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
)

// TestADatabaseThatTakesNoWritesIsSaid by the health checks, the pages and the API, while reads
// go on.
func TestADatabaseThatTakesNoWritesIsSaid(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	name := dbtest.Value(t, url, "current_database()")
	admin := strings.Replace(url, "/"+name, "/postgres", 1)
	p := start(t, "DATABASE_URL="+url)
	beat := func() (int, http.Header, string) {
		t.Helper()
		return p.Exchange(t, http.MethodPost, "/api/worker/heartbeat", "0x123", `{"worker_id":"rig"}`)
	}
	ready := func() int {
		code, _ := p.Call(t, http.MethodGet, "/health/ready", "", "")
		return code
	}
	if code, _, body := beat(); code != http.StatusOK || ready() != http.StatusOK {
		t.Fatalf("a heartbeat: %d %s", code, body)
	}

	dbtest.Exec(t, admin, "ALTER DATABASE "+name+" SET default_transaction_read_only = on")
	dbtest.Exec(t, admin, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '"+name+"'")
	harness.Eventually(t, "the state", func() bool {
		return source(p.Get(t, "/api/validator/status", "0x123"), "database")["status"] == "stale"
	})
	v := p.Get(t, "/api/worker/status", "0x123")
	if reason, _ := source(v, "database")["error"].(string); !strings.Contains(reason, "takes no writes: it is set to read-only") || v["worker_id"] != "rig" {
		t.Errorf("the worker's state: %v", v)
	}
	code, header, body := beat()
	if code != http.StatusServiceUnavailable || header.Get("Retry-After") == "" || !strings.Contains(body, "Nothing was stored. The database takes no writes: it is set to read-only. Send it again.") {
		t.Errorf("a heartbeat: %d %v %s", code, header, body)
	}
	for path, payload := range map[string]string{
		"/api/worker/gpu-metrics": `{"worker_id":"rig","gpus":[{"index":0,"uuid":"GPU-1"}]}`, "/api/jobs": `{"jobs":[{"job_id":"1","status":"pending"}]}`,
		"/api/worker/heartbeats": `{"heartbeats":[{"worker_id":"rig"}]}`, "/api/worker/claim-reward": `{"tx_hash":"0x5"}`,
	} {
		if code, header, body := p.Exchange(t, http.MethodPost, path, "0x123", payload); code != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
			t.Errorf("%s: %d %s", path, code, body)
		}
	}
	if code := ready(); code != http.StatusServiceUnavailable {
		t.Errorf("/health/ready: %d", code)
	}
	if code, b := p.Call(t, http.MethodGet, "/?wallet=0x123", "", ""); code != http.StatusOK || !strings.Contains(string(b), "takes no writes") {
		t.Errorf("the page: %d", code)
	}

	dbtest.Exec(t, admin, "ALTER DATABASE "+name+" RESET default_transaction_read_only")
	harness.Eventually(t, "the database to take writes", func() bool { return ready() == http.StatusOK })
	if code, _, body := beat(); code != http.StatusOK {
		t.Errorf("a heartbeat: %d %s", code, body)
	}
}

// TestADatabaseOfANewerProgramIsSaid, and the program goes on.
func TestADatabaseOfANewerProgramIsSaid(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	dbtest.Exec(t, url, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (88888, true)")
	p := start(t, "DATABASE_URL="+url)
	code, _, body := p.Exchange(t, http.MethodPost, "/api/worker/heartbeat", "0x123", `{"worker_id":"rig"}`)
	if code != http.StatusServiceUnavailable || !strings.Contains(body, "A newer version of this program made the database's tables (schema 88888)") {
		t.Errorf("a heartbeat: %d %s", code, body)
	}
	if code, b := p.Call(t, http.MethodGet, "/?wallet=0x123", "", ""); code != http.StatusOK || !strings.Contains(string(b), "Start the newer version") {
		t.Errorf("the page: %d", code)
	}
	dbtest.Exec(t, url, "DELETE FROM goose_db_version WHERE version_id = 88888")
	harness.Eventually(t, "the database", func() bool {
		code, _ := p.Call(t, http.MethodGet, "/health/ready", "", "")
		return code == http.StatusOK
	})
}
