package collect

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/demo/gpusim"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
	"github.com/bitsage-network/validator-dashboard/gpu"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// outage is a store whose database can be away.
type outage struct {
	*db.Store

	away  atomic.Bool
	tries atomic.Int64
}

func (o *outage) StoreHostSamples(ctx context.Context, worker validator.Address, host string, at time.Time, gpus []validator.GPU) error {
	o.tries.Add(1)
	if o.away.Load() {
		return db.ErrUnavailable
	}
	return o.Store.StoreHostSamples(ctx, worker, host, at, gpus)
}

// keepOn runs a sampler of simulated cards and the keeper of its samples, until the test ends.
func keepOn(t *testing.T, store SampleStore, host string, cards ...gpusim.Card) *SampleRecorder {
	t.Helper()
	rig, err := gpusim.New(gpusim.Config{Cards: cards, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	sampler, err := gpu.NewSampler(gpu.Config{Open: rig.Open, Interval: 10 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	r := NewSampleRecorder(SampleRecorderConfig{Store: store, GPUs: sampler, Worker: wallet, Host: host, Interval: 20 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	for _, run := range []func(context.Context) error{sampler.Run, r.Run} {
		running.Go(func() {
			if err := run(ctx); err != nil && !errors.Is(err, context.Canceled) {
				t.Error(err)
			}
		})
	}
	t.Cleanup(func() { stop(); running.Wait() })
	return r
}

// Journal tells of nothing.
func (e *everNewer) Journal(uint64) validator.GPUJournal { return validator.GPUJournal{} }

func TestEachHostKeepsTheSamplesOfItsOwnGPUs(t *testing.T) {
	url := dbtest.NewURL(t)
	store := &outage{Store: dbtest.Open(t, db.Config{URL: url})}
	count := func(sql string) string { return dbtest.Value(t, url, sql) }
	for host, uuid := range map[string]string{"rig-1": "GPU-one", "rig-2": "GPU-two"} {
		keepOn(t, store, host, gpusim.Card{UUID: uuid, Name: "NVIDIA H100 80GB HBM3"})
	}
	harness.Eventually(t, "several samples of both hosts", func() bool {
		return count(`SELECT count(*) FROM (SELECT 1 FROM gpu_samples GROUP BY worker_id, gpu_uuid HAVING count(*) > 5) x`) == "2"
	})
	if got := count(`SELECT string_agg(worker_id || ' ' || gpu_uuid || ' ' || worker_address, ', ' ORDER BY worker_id) FROM worker_gpus`); got != fmt.Sprintf("rig-1 GPU-one %s, rig-2 GPU-two %s", wallet, wallet) {
		t.Errorf("the newest samples are of %s", got)
	}
	if n := count(`SELECT count(*) FROM gpu_samples WHERE temperature_c IS NULL OR power_milliwatts IS NULL OR throttle_reasons IS NULL OR memory_total_bytes IS NULL`); n != "0" {
		t.Errorf("%s samples lack values", n)
	}
}

func TestSamplesWaitForADatabaseThatIsAwayAndNotWithoutEnd(t *testing.T) {
	url := dbtest.NewURL(t)
	store := &outage{Store: dbtest.Open(t, db.Config{URL: url})}
	store.away.Store(true)
	keepOn(t, store, "rig-1", gpusim.Card{UUID: "GPU-one", Name: "NVIDIA H100 80GB HBM3"})
	harness.Eventually(t, "some tries in vain", func() bool { return store.tries.Load() > 10 })
	if n := dbtest.Value(t, url, `SELECT count(*) FROM gpu_samples`); n != "0" {
		t.Fatalf("%s samples are stored in a database that is away", n)
	}
	back := time.Now()
	store.away.Store(false)
	harness.Eventually(t, "the samples of the outage", func() bool {
		return dbtest.Value(t, url, `SELECT count(*) > 8 FROM gpu_samples WHERE sampled_at < $1`, back) == "true"
	})

	k := NewSampleRecorder(SampleRecorderConfig{GPUs: &everNewer{}, Store: store, Worker: wallet, Host: "rig-1"})
	for range samplesWaiting + 50 {
		k.take()
	}
	if len(k.waiting) != samplesWaiting || !k.waiting[samplesWaiting-1].at.Equal(k.newest) {
		t.Errorf("%d samples wait, the newest of %s", len(k.waiting), k.waiting[len(k.waiting)-1].at)
	}
	for _, g := range k.waiting[0].gpus {
		if g.UUID == "" {
			t.Error("a card without a UUID is stored: it would be shown twice")
		}
	}
}

// everNewer reads two cards, one without a UUID, at another time each time.
type everNewer struct{ n int }

func (e *everNewer) Snapshot() validator.GPUSnapshot {
	e.n++
	at := time.Date(2026, 1, 1, 0, 0, e.n, 0, time.UTC)
	return validator.GPUSnapshot{
		State: validator.SourceState{Health: validator.HealthOK, ObservedAt: at},
		GPUs:  []validator.GPU{{UUID: "GPU-one", SampledAt: at}, {SampledAt: at}},
	}
}
