package db_test

import (
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// TestTheIngestQuotaIsOneForAllReplicas, by worker and by the database's day.
func TestTheIngestQuotaIsOneForAllReplicas(t *testing.T) {
	b := newBench(t)
	quota := db.IngestQuota{Rows: 100, Bytes: 5000}
	stores := []*db.Store{dbtest.Open(t, db.Config{URL: b.url, IngestQuota: quota}), dbtest.Open(t, db.Config{URL: b.url, IngestQuota: quota})}
	var all sync.WaitGroup
	var counted, over atomic.Int64
	for n := range 20 {
		all.Go(func() {
			err := stores[n%2].SpendIngest(b.ctx(), alice, 10, 100)
			if e, is := errors.AsType[*db.QuotaError](err); is {
				over.Add(1)
				if e.Quota != quota || e.Spent.Rows != 100 || e.Ends <= 0 || e.Ends > 24*time.Hour {
					t.Errorf("%+v", e)
				}
			} else if err != nil {
				t.Error(err)
			} else {
				counted.Add(1)
			}
		})
	}
	all.Wait()
	equal(t, "counted and refused", []int64{counted.Load(), over.Load()}, "[10 10]")
	check(t, stores[0].SpendIngest(b.ctx(), bob, 1, 5000))
	if _, is := errors.AsType[*db.QuotaError](stores[1].SpendIngest(b.ctx(), bob, 1, 1)); !is {
		t.Error("more bytes than the quota were counted")
	}
	b.exec("UPDATE ingest_days SET day = day - 1") // as tomorrow
	check(t, stores[0].SpendIngest(b.ctx(), alice, 10, 100))
}
