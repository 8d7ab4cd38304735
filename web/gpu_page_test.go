package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// oneGPUReader is a host with one card, which it has read since an hour.
type oneGPUReader struct{ gpu validator.GPU }

func (r oneGPUReader) Snapshot() validator.GPUSnapshot {
	return validator.GPUSnapshot{State: validator.SourceState{Source: validator.SourceGPU, Health: validator.HealthOK, ObservedAt: r.gpu.SampledAt}, GPUs: []validator.GPU{r.gpu}}
}

func (r oneGPUReader) History(_ string, since time.Time) []validator.GPUPoint {
	var out []validator.GPUPoint
	for at := r.gpu.SampledAt.Add(-time.Hour); !at.After(r.gpu.SampledAt); at = at.Add(2 * time.Second) {
		if !at.Before(since) {
			out = append(out, validator.GPUPoint{At: at, UtilizationPercent: r.gpu.UtilizationPercent, TemperatureC: r.gpu.TemperatureC})
		}
	}
	return out
}

func localGPU() validator.GPU {
	now := time.Now().UTC()
	return validator.GPU{
		UUID: "GPU-local", SampledAt: now, Name: validator.Some("NVIDIA H100 80GB HBM3"), Tier: validator.Some(validator.TierEnterprise),
		Fault: validator.None[string]("none"), MissingSince: validator.None[time.Time]("it is there"),
		UtilizationPercent: validator.Some(uint32(73)), TemperatureC: validator.Some(61), PCIeWidth: validator.Some(8), PCIeWidthMax: validator.Some(16),
		Events: []validator.GPUEvent{xidEvent(1, 79, now.Add(-time.Minute)), xidEvent(2, 79, now.Add(-4*time.Minute)), xidEvent(3, 7777, now.Add(-6*time.Minute))}, XIDsWatchedSince: validator.Some(now.Add(-time.Hour)),
		SlowedSince: validator.Some(now.Add(-5 * time.Minute)), ThrottleReasons: validator.Some(validator.ThrottleSWThermal),
	}
}

func xidEvent(sequence int64, code uint64, at time.Time) validator.GPUEvent {
	return validator.GPUEvent{GPUUUID: "GPU-local", Kind: validator.GPUEventXID, Code: code, Source: validator.GPUEventOfEventSet, At: at, Last: at, Count: 1, Watcher: "run", Sequence: sequence}
}

// report stores a sample of a GPU as another host would.
func report(t *testing.T, store *db.Store, worker validator.Address, g validator.GPU) {
	t.Helper()
	if err := store.UpsertWorkerGPUs(t.Context(), worker, "rig-2", g.SampledAt, []validator.GPU{g}); err != nil {
		t.Fatal(err)
	}
}

func TestAGPUIsShownToItsWalletOnly(t *testing.T) {
	store := dbtest.New(t)
	s := newServer(t, store, func(c *Config) { c.GPUs, c.ValidatorAddress = oneGPUReader{localGPU()}, alice })
	slashed := localGPU()
	slashed.UUID = "GPU-of/bob?"
	report(t, store, bob, slashed)

	mine, his := "/gpus/GPU-local", "/gpus/"+url.PathEscape(slashed.UUID)+"?wallet="+string(bob)
	for _, path := range []string{mine, mine + "?wallet=" + string(alice), his} {
		if w := visit(s, path); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "NVIDIA H100 80GB HBM3") {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	unknown := visit(s, "/gpus/GPU-nowhere").Body.String()
	for _, path := range []string{"/gpus/GPU-nowhere", "/gpus/" + url.PathEscape(slashed.UUID), "/gpus/GPU-local?wallet=" + string(bob), "/gpus/%20"} {
		w := visit(s, path)
		if w.Code != http.StatusNotFound || main(w.Body.String()) != main(unknown) || !strings.Contains(unknown, "No GPU of this wallet has that UUID") {
			t.Errorf("%s: %d %s", path, w.Code, main(w.Body.String()))
		}
	}
	for _, part := range []string{"gpu", "gpu-charts", "gpu-health", "gpu-failures"} {
		asked := func(wallet validator.Address, uuid string) int {
			return visit(s, "/partials/"+part+"?"+url.Values{"wallet": {string(wallet)}, "uuid": {uuid}}.Encode(), "HX-Request", "true").Code
		}
		if a, b := asked(alice, slashed.UUID), asked(bob, slashed.UUID); a != http.StatusNotFound || b != http.StatusOK {
			t.Errorf("/partials/%s: another wallet's GPU %d, its own %d", part, a, b)
		}
	}
}

// main is the content of a page.
func main(page string) string {
	_, after, _ := strings.Cut(page, "<main")
	before, _, _ := strings.Cut(after, "</main>")
	return before
}

func TestAGPUsPageSaysWhatIsWrongAndWhatToDo(t *testing.T) {
	store := dbtest.New(t)
	s := newServer(t, store, func(c *Config) { c.GPUs, c.ValidatorAddress = oneGPUReader{localGPU()}, alice })
	page := visit(s, "/gpus/GPU-local").Body.String()
	for _, words := range []string{
		"XID 79", "2 times", "has fallen off the bus", "Power the host off and on", "XID 7777", "does not explain this code", validator.XIDCatalogURL,
		"x8", "of x16", "narrower than this card", "too hot: slowed by the driver", "began ", `data-copy-text="GPU-local"`,
		"Each point is the mean of 5 s", "No job failed here in the last 10 min", `href="/gpus/GPU-local?window=7d"`,
	} {
		if !strings.Contains(page, words) {
			t.Errorf("the page lacks %q", words)
		}
	}
	if w := visit(s, "/gpus/GPU-local?window=24h").Body.String(); !strings.Contains(w, "this server remembers one hour. Longer windows show the samples in the database") {
		t.Error("an empty day does not say why")
	}
	if w := visit(s, "/gpus/GPU-local?window=1y"); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "10m, 1h, 24h, 7d") {
		t.Errorf("a window that there is not: %d", w.Code)
	}
}

func TestAGPUOfAnotherHostHasItsHistoryFromTheDatabase(t *testing.T) {
	store := dbtest.New(t)
	s := newServer(t, store)
	g := localGPU()
	g.UUID = "GPU-remote"
	for _, ago := range []time.Duration{5 * time.Hour, 4 * time.Hour, 3 * time.Hour} {
		g.SampledAt = time.Now().Add(-ago)
		report(t, store, bob, g)
	}
	page := visit(s, "/gpus/GPU-remote?wallet="+string(bob)).Body.String()
	for _, words := range []string{"Stale", "on rig-2", "From the samples that its host reported", "Each point is the mean of 12 min", `aria-current="true">24 h`} {
		if !strings.Contains(page, words) {
			t.Errorf("the page lacks %q", words)
		}
	}
	if n := strings.Count(page, `<th scope="row">`); n < 3 {
		t.Errorf("%d rows of three samples", n)
	}
	if w := visit(s, "/gpus/GPU-remote?window=10m&wallet="+string(bob)).Body.String(); !strings.Contains(w, "Its host reported no sample in that time.") {
		t.Error("ten minutes without a sample do not say so")
	}
}

func TestWithoutADatabaseAnUnknownGPUIsNotSaidToBeNone(t *testing.T) {
	store := dbtest.Run(t, db.Config{URL: "postgres://nobody@127.0.0.1:9/none"})
	s := newServer(t, store, func(c *Config) { c.GPUs, c.ValidatorAddress = oneGPUReader{localGPU()}, alice })
	s.observer.SetMaxWait(5 * time.Second)
	if w := visit(s, "/gpus/GPU-elsewhere"); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "cannot be listed now") {
		t.Errorf("%d %s", w.Code, main(w.Body.String()))
	}
	if w := visit(s, "/gpus/GPU-local"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "Failed jobs unknown") {
		t.Errorf("this host's GPU: %d", w.Code)
	}
	if w := visit(s, "/gpus/GPU-local?window=7d"); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "History unknown") {
		t.Errorf("its week: %d", w.Code)
	}
}
