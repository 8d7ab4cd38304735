package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/gpu"
	"github.com/bitsage-network/validator-dashboard/gpu/gpusim"
	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
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
func keepOn(t *testing.T, store sampleStore, host string, cards ...gpusim.Card) *sampleKeeper {
	t.Helper()
	rig, err := gpusim.New(gpusim.Config{Cards: cards, Seed: 7})
	if err != nil {
		t.Fatal(err)
	}
	sampler, err := gpu.NewSampler(gpu.Config{Open: rig.Open, Interval: 10 * time.Millisecond, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	k := &sampleKeeper{store: store, gpus: sampler, worker: wallet, host: host, every: 20 * time.Millisecond, log: slog.New(slog.DiscardHandler)}
	g := newGroup(t.Context(), k.log)
	g.run(stageWork, "sampler", sampler.Run)
	g.run(stageWork, "keeper", k.run)
	t.Cleanup(func() {
		g.stop()
		if err := g.wait(); err != nil {
			t.Error(err)
		}
	})
	return k
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
	eventually(t, "several samples of both hosts", func() bool {
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
	eventually(t, "some tries in vain", func() bool { return store.tries.Load() > 10 })
	if n := dbtest.Value(t, url, `SELECT count(*) FROM gpu_samples`); n != "0" {
		t.Fatalf("%s samples are stored in a database that is away", n)
	}
	back := time.Now()
	store.away.Store(false)
	eventually(t, "the samples of the outage", func() bool {
		return dbtest.Value(t, url, `SELECT count(*) > 8 FROM gpu_samples WHERE sampled_at < $1`, back) == "true"
	})

	k := &sampleKeeper{gpus: &everNewer{}, store: store, worker: wallet, host: "rig-1"}
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

// TestThisHostsGPUsHaveADayAndAreShownOnce runs the program on the stand-in of NVML.
func TestThisHostsGPUsHaveADayAndAreShownOnce(t *testing.T) {
	lib, script := gputest.BuildFake(t, gputest.Current), gputest.NewScript(t, "count=2", "temp=61", "power=412000")
	database := dbtest.NewURL(t)
	p := start(t, "DATABASE_URL="+database, "NVML_LIBRARY="+lib, gputest.Env+"="+script.Path(), "VALIDATOR_ADDRESS="+string(wallet))
	eventually(t, "a stored sample of each card", func() bool {
		return dbtest.Value(t, database, `SELECT count(DISTINCT gpu_uuid) FROM gpu_samples WHERE worker_address = $1 AND temperature_c = 61 AND power_milliwatts = 412000`, string(wallet)) == "2"
	})
	gpus, _ := p.get(t, "/api/validator/gpus", "")["gpus"].([]any)
	if len(gpus) != 2 {
		t.Errorf("%d cards of two", len(gpus))
	}
	uuid, _ := gpus[0].(map[string]any)["uuid"].(string)
	for _, window := range []string{"24h", "7d"} {
		eventually(t, "the window "+window, func() bool {
			_, b := p.call(t, http.MethodGet, "/gpus/"+uuid+"?window="+window, "", "")
			return strings.Contains(text(b), "From the samples that this server stored") && strings.Contains(string(b), `id="chart-temperature"`)
		})
	}
}
