package db_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// runPeriodicJobs runs a store's periodic jobs until what it returns is called, or the test ends.
func runPeriodicJobs(t *testing.T, store *db.Store, periodic ...db.PeriodicJob) (end func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- store.RunPeriodicJobs(ctx, periodic...) }()
	stop := func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("periodic jobs ended with %v", err)
			}
			ended <- nil
		case <-time.After(time.Minute):
			t.Error("periodic jobs did not end with their context")
		}
	}
	t.Cleanup(stop)
	return stop
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// TestADutyIsDoneByOneOfManyAtATime, and by another when that one is gone.
func TestADutyIsDoneByOneOfManyAtATime(t *testing.T) {
	b := newBench(t)
	var runs [2]atomic.Int64
	var now, overlaps atomic.Int64
	job := func(replica int) db.PeriodicJob {
		return db.PeriodicJob{Name: "count", Every: 20 * time.Millisecond, Limit: time.Minute, Do: func(context.Context) error {
			if now.Add(1) > 1 {
				overlaps.Add(1)
			}
			time.Sleep(10 * time.Millisecond) // several come due meanwhile
			runs[replica].Add(1)
			now.Add(-1)
			return nil
		}}
	}
	total := func() int64 { return runs[0].Load() + runs[1].Load() }
	endFirst := runPeriodicJobs(t, b.store, job(0))
	eventually(t, "the first does its periodic job", func() bool { return runs[0].Load() > 2 })
	runPeriodicJobs(t, dbtest.Open(t, db.Config{URL: b.url}), job(1))
	before := total()
	eventually(t, "the periodic job is done on", func() bool { return total() > before+5 })
	endFirst()
	done := runs[0].Load()
	before = runs[1].Load()
	eventually(t, "the second goes on alone", func() bool { return runs[1].Load() > before+2 })
	equal(t, "runs of the one that ended", runs[0].Load(), done)
	equal(t, "overlapping runs", overlaps.Load(), 0)
}

// TestADutyOutlivesItsFailures: an error, a panic, a lost connection and a lost database.
func TestADutyOutlivesItsFailures(t *testing.T) {
	b := newBench(t)
	var runs atomic.Int64
	runPeriodicJobs(t, b.store, db.PeriodicJob{Name: "fail", Every: 20 * time.Millisecond, Limit: time.Minute, Do: func(ctx context.Context) error {
		switch runs.Add(1) {
		case 1:
			return errors.New("a failure")
		case 2:
			panic("a failure")
		case 3:
			dbtest.Exec(t, b.url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
			<-ctx.Done() // of a queue that is given up when its database is lost
			return ctx.Err()
		}
		return nil
	}})
	eventually(t, "the periodic job is done on", func() bool { return runs.Load() > 5 })
}

func TestDutiesThatCannotBe(t *testing.T) {
	b := newBench(t)
	do := func(context.Context) error { return nil }
	good := db.PeriodicJob{Name: "a", Every: time.Second, Limit: time.Second, Do: do}
	for name, periodic := range map[string][]db.PeriodicJob{
		"no name":   {{Every: time.Second, Limit: time.Second, Do: do}},
		"no rhythm": {{Name: "a", Limit: time.Second, Do: do}},
		"no limit":  {{Name: "a", Every: time.Second, Do: do}},
		"nothing":   {{Name: "a", Every: time.Second, Limit: time.Second}},
		"twice":     {good, good},
		"bad queue": {{Name: "No Queue!", Every: time.Second, Limit: time.Second, Do: do}},
	} {
		if err := b.store.RunPeriodicJobs(b.ctx(), periodic...); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
