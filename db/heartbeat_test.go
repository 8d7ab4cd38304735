package db_test

import (
	"errors"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func TestHeartbeats(t *testing.T) {
	b := newBench(t)
	none := must[validator.HeartbeatSummary](t)(b.store.Heartbeats(b.ctx(), alice, now))
	if none.First != nil || none.Last != nil || none.Hours != nil {
		t.Errorf("a worker without heartbeats has %+v", none)
	}
	hour := now.Truncate(time.Hour)
	beat := func(at time.Time, host string) validator.Heartbeat {
		return validator.Heartbeat{Worker: alice, WorkerID: host, At: at}
	}
	full := validator.Heartbeat{
		Worker: alice, WorkerID: "h1", At: hour.Add(59*time.Minute + 59*time.Second), GPUCount: ptr(int32(8)), GPUUtilizationPercent: ptr(99.5),
		MemoryUtilizationPercent: ptr(0.0), JobsInProgress: ptr(int32(0)), LatencyMS: ptr(int32(12)), Version: "1.2",
	}
	beats := []validator.Heartbeat{
		beat(hour.Add(-100*24*time.Hour), "h1"), // before the time asked for
		beat(hour.Add(-2*time.Hour), "h1"), beat(hour.Add(-2*time.Hour), "h2"), beat(hour.Add(-2*time.Hour+30*time.Second), "h1"),
		beat(hour.Add(-2*time.Hour+31*time.Minute), "h1"),
		beat(hour, "h2"), full,
	}
	check(t, b.store.InsertHeartbeats(b.ctx(), beats))
	check(t, b.store.InsertHeartbeats(b.ctx(), beats)) // again
	check(t, b.store.InsertHeartbeats(b.ctx(), nil))
	equal(t, "rows", dbtest.Value(t, b.url, "SELECT count(*) FROM heartbeats"), 7)

	got := must[validator.HeartbeatSummary](t)(b.store.Heartbeats(b.ctx(), alice, hour.Add(-30*24*time.Hour)))
	equal(t, "first", got.First.UTC(), hour.Add(-100*24*time.Hour))
	equal(t, "hours", got.Hours, []validator.HourMask{
		{Hour: hour.Add(-2 * time.Hour), Minutes: 1 | 1<<31}, {Hour: hour, Minutes: 1 | 1<<59},
	})
	last := *got.Last
	if !last.At.Equal(full.At) || *last.GPUCount != 8 || *last.GPUUtilizationPercent != 99.5 || *last.MemoryUtilizationPercent != 0 ||
		*last.JobsInProgress != 0 || *last.LatencyMS != 12 || last.Version != "1.2" || last.WorkerID != "h1" {
		t.Errorf("last: %+v", last)
	}
	bare := must[validator.HeartbeatSummary](t)(b.store.Heartbeats(b.ctx(), alice, hour.Add(time.Hour)))
	if len(bare.Hours) != 0 || bare.Last == nil {
		t.Errorf("since later: %+v", bare)
	}
}

func TestRefusedHeartbeatsStoreNothing(t *testing.T) {
	b := newBench(t)
	err := b.store.InsertHeartbeats(b.ctx(), []validator.Heartbeat{
		{Worker: alice, At: now}, {Worker: alice, At: now.Add(time.Second), GPUUtilizationPercent: ptr(100.5)}, {Worker: alice, At: now.Add(time.Minute)},
	})
	if !errors.Is(err, db.ErrInvalid) {
		t.Errorf("got %v", err)
	}
	equal(t, "rows", dbtest.Value(t, b.url, "SELECT count(*) FROM heartbeats"), 0)
}

// TestAMonthOfHeartbeatsIsSmall: what comes back grows with the hours, not with the rows.
func TestAMonthOfHeartbeatsIsSmall(t *testing.T) {
	b := newBench(t)
	b.exec(`INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time)
		SELECT $1, 'h', $2::timestamptz - n * interval '1 minute' FROM generate_series(0, 30 * 24 * 60) n`, string(alice), now)
	got := must[validator.HeartbeatSummary](t)(b.store.Heartbeats(b.ctx(), alice, now.Add(-30*24*time.Hour)))
	equal(t, "hours", len(got.Hours), 721)
	for _, h := range got.Hours[1:720] {
		if h.Minutes != 1<<60-1 {
			t.Fatalf("%v: %b", h.Hour, h.Minutes)
		}
	}
}
