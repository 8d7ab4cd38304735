package collect

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/demo/gpusim"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// deafJournal is a store that takes samples but, for a while, no events.
type deafJournal struct {
	*db.Store

	deaf  atomic.Bool
	tries atomic.Int64
}

func (d *deafJournal) StoreGPUJournal(ctx context.Context, worker validator.Address, host string, j validator.GPUJournal) error {
	d.tries.Add(1)
	if d.deaf.Load() {
		return db.ErrUnavailable
	}
	return d.Store.StoreGPUJournal(ctx, worker, host, j)
}

// What happens while the database is away is stored once it is back, once.
func TestEventsWaitForADatabaseThatIsAway(t *testing.T) {
	url := dbtest.NewURL(t)
	store := &deafJournal{Store: dbtest.Open(t, db.Config{URL: url})}
	store.deaf.Store(true)
	keepOn(t, store, "rig-1", gpusim.Card{UUID: "GPU-one", Name: "NVIDIA H100 80GB HBM3"}, gpusim.Card{UUID: "GPU-two", Name: "NVIDIA H100 80GB HBM3", FallsOffBusAfter: 300 * time.Millisecond})
	count := func(sql string) string { return dbtest.Value(t, url, sql) }
	harness.Eventually(t, "tries in vain, after the card was lost", func() bool { return store.tries.Load() > 60 })
	if n := count("SELECT count(*) FROM gpu_events"); n != "0" {
		t.Fatalf("%s events in a database that is away", n)
	}
	store.deaf.Store(false)
	harness.Eventually(t, "the loss and its error", func() bool {
		return count("SELECT string_agg(kind || ' ' || code, ', ' ORDER BY kind) FROM gpu_events") == "lost 0, xid 79"
	})
	if got := count(fmt.Sprintf("SELECT count(*) FROM gpu_events WHERE worker_address = '%s' AND worker_id = 'rig-1' AND gpu_uuid = 'GPU-two' AND severity = 'critical'", wallet)); got != "2" {
		t.Errorf("%s events are of the lost card", got)
	}
	harness.Eventually(t, "times of watching that grow, one row each", func() bool {
		return count("SELECT count(*) FROM gpu_watches WHERE gpu_uuid = 'GPU-one' AND watched_to - watched_from > interval '1 second'") == "1"
	})
	if n := count("SELECT count(*) FROM gpu_watches WHERE gpu_uuid = 'GPU-one'"); n != "1" {
		t.Errorf("the time of watching one card is %s rows", n)
	}
	harness.Eventually(t, "both cards' times of watching", func() bool {
		return count("SELECT count(DISTINCT gpu_uuid) FROM gpu_watches WHERE watched_to > watched_from") == "2"
	})
}
