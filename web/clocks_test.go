package web

import (
	"encoding/json"
	"html"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// TestAHostWhoseClockIsAheadIsWarnedOf on the dashboard, on the page of its uptime and in the
// API, and its future heartbeat keeps nobody alive.
func TestAHostWhoseClockIsAheadIsWarnedOf(t *testing.T) {
	url := dbtest.NewURL(t)
	s := newServer(t, dbtest.Open(t, db.Config{URL: url}), func(c *Config) { c.ValidatorAddress = alice })
	dbtest.Exec(t, url, `INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time) VALUES ($1, 'rig-1', now() - interval '2 hours'), ($1, 'rig-1', now() + interval '3 days 1 minute')`, alice)
	dbtest.Exec(t, url, "SELECT fold_heartbeats()")
	var status workerStatusJSON
	if err := json.Unmarshal(visit(s, "/api/worker/status").Body.Bytes(), &status); err != nil {
		t.Fatal(err)
	}
	if *status.IsActive || *status.HeartbeatAgeSecs < 7100 || len(status.ClocksAhead) != 1 || status.ClocksAhead[0].WorkerID != "rig-1" || status.ClocksAhead[0].AheadSecs < 259_000 {
		t.Errorf("the API: %+v", status)
	}
	arrived := dbtest.Value(t, url, "SELECT to_char(min(heartbeat_time) AT TIME ZONE 'UTC', 'HH24:MI') FROM heartbeats")
	for path, want := range map[string]string{"/": "The newest arrived at " + arrived + ` UTC. The clock of "rig-1" is 3 d ahead.`, "/uptime": `The clock of "rig-1" is 3 d ahead. Set the host's clock by NTP`} {
		if page := askedLocally(s, path); !strings.Contains(page, want) {
			t.Errorf("%s does not say %q", path, want)
		}
	}
	if page := askedLocally(s, "/"); !strings.Contains(page, "<strong>No, no work brings anything in now.</strong>") {
		t.Error("the dashboard does not answer whether the wallet earns")
	}
	if page := askedLocally(s, "/uptime"); strings.Contains(page, "in 2 d") || strings.Contains(page, "in 3 d") {
		t.Error("the page says that the host will be heard")
	}
}

// askedLocally is a page as somebody on this machine reads it.
func askedLocally(s *Server, path string) string {
	return html.UnescapeString(visit(s, path).Body.String())
}
