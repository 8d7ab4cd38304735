package db_test

import (
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// TestAHeartbeatOfATimeToComeIsNoSignOfLife now or when its time has come, and says that its
// host's clock is ahead until a heartbeat of its own time comes.
func TestAHeartbeatOfATimeToComeIsNoSignOfLife(t *testing.T) {
	b := newBench(t)
	b.exec(`INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time) VALUES ('0xA11', 'rig-1', now() - interval '2 hours'), ('0xA11', 'rig-1', now() + interval '3 days')`)
	b.exec("SELECT fold_heartbeats()")
	heard := must[validator.HeartbeatSummary](t)(b.store.Heartbeats(b.ctx(), alice, time.Now().Add(-24*time.Hour)))
	if heard.Last == nil || time.Since(heard.Last.At).Round(time.Minute) != 2*time.Hour {
		t.Fatalf("the newest heartbeat is %+v", heard.Last)
	}
	if len(heard.ClocksAhead) != 1 || heard.ClocksAhead[0].WorkerID != "rig-1" || heard.ClocksAhead[0].By.Round(time.Minute) != 72*time.Hour {
		t.Errorf("clocks ahead: %+v", heard.ClocksAhead)
	}
	equal(t, "rows of heartbeats", dbtest.Value(t, b.url, "SELECT count(*) FROM heartbeats"), "1")
	equal(t, "hours with a heartbeat to come", dbtest.Value(t, b.url, "SELECT count(*) FROM uptime_hours WHERE hour > now() AND minutes <> 0"), "0")
	counts := must[validator.NetworkCounts](t)(b.store.NetworkCounts(b.ctx(), 5*time.Minute, time.Now()))
	equal(t, "active workers", counts.ActiveWorkers, 0)

	b.exec(`INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time) VALUES ('0xa11', 'rig-2', now() + interval '2 minutes')`)
	heard = must[validator.HeartbeatSummary](t)(b.store.Heartbeats(b.ctx(), alice, time.Now().Add(-24*time.Hour)))
	if len(heard.ClocksAhead) != 2 || heard.ClocksAhead[1].By < time.Minute || heard.Last.WorkerID != "rig-1" {
		t.Errorf("a clock that is 2 minutes ahead: %+v, the newest is %+v", heard.ClocksAhead, heard.Last)
	}
	b.exec(`DELETE FROM heartbeats WHERE worker_id = 'rig-2'`)
	b.exec(`INSERT INTO heartbeats (worker_address, worker_id) VALUES ('0xa11', 'rig-1')`)
	heard = must[validator.HeartbeatSummary](t)(b.store.Heartbeats(b.ctx(), alice, time.Now().Add(-24*time.Hour)))
	if len(heard.ClocksAhead) != 0 || time.Since(heard.Last.At) > time.Minute {
		t.Errorf("a clock that is set again: %+v, the newest is %+v", heard.ClocksAhead, heard.Last)
	}
}
