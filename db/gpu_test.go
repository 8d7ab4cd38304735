package db_test

import (
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func sample(uuid string, index int, at time.Time, temperature int) validator.GPU {
	return validator.GPU{
		Index: index, UUID: uuid, SampledAt: at, Name: validator.Some("NVIDIA H100"), Tier: validator.Some(validator.TierEnterprise),
		TemperatureC: validator.Some(temperature), UtilizationPercent: validator.Some(uint32(50)),
		MemoryUsedBytes: validator.Some(uint64(1 << 36)), MemoryTotalBytes: validator.Some(uint64(80 << 30)),
		PowerMilliwatts: validator.Some(uint32(350_000)), ThrottleReasons: validator.Some(validator.ThrottlePowerCap),
		EnergyMillijoules: validator.Some(uint64(1 << 53)),
		Processes:         validator.Some([]validator.GPUProcess{{PID: 7, Name: validator.Some("python")}}),
		FanPercent:        validator.None[uint32]("passively cooled"),
	}
}

func TestWorkerGPUs(t *testing.T) {
	b := newBench(t)
	at := time.Now().UTC().Truncate(time.Second)
	gpus := []validator.GPU{sample("GPU-1", 1, at, 61), sample("GPU-0", 0, at, 60)}
	check(t, b.store.UpsertWorkerGPUs(b.ctx(), alice, "host", at, gpus))
	check(t, b.store.UpsertWorkerGPUs(b.ctx(), alice, "host", at, gpus)) // posted twice
	check(t, b.store.UpsertWorkerGPUs(b.ctx(), alice, "host", at.Add(time.Minute), []validator.GPU{sample("GPU-0", 0, at.Add(time.Minute), 70)}))
	check(t, b.store.UpsertWorkerGPUs(b.ctx(), alice, "host", at.Add(30*time.Second), []validator.GPU{sample("GPU-0", 0, at.Add(30*time.Second), 65)})) // late
	check(t, b.store.UpsertWorkerGPUs(b.ctx(), bob, "host", at, []validator.GPU{sample("GPU-0", 0, at, 10)}))

	got := must[[]validator.WorkerGPU](t)(b.store.WorkerGPUs(b.ctx(), alice))
	equal(t, "GPUs", len(got), 2)
	equal(t, "order", got[0].GPU.UUID+got[1].GPU.UUID, "GPU-0GPU-1")
	equal(t, "newest", got[0].GPU.TemperatureC.Or(0), 70)
	g := got[1].GPU
	if got[1].WorkerID != "host" || g.EnergyMillijoules.Or(0) != 1<<53 || g.Tier.Or(0) != validator.TierEnterprise ||
		g.Processes.Or(nil)[0].Name.Or("") != "python" || g.FanPercent.Reason() != "passively cooled" || !g.SampledAt.Equal(at) || g.ECCEnabled.Known() {
		t.Errorf("%+v", g)
	}
	steps := must[[]validator.GPUStep](t)(b.store.WorkerGPUSteps(b.ctx(), alice, "GPU-0", at.Add(-time.Hour), time.Second))
	var temperatures []float64
	for _, p := range steps {
		temperatures = append(temperatures, p.TemperatureC.Or(validator.Spread{}).Mean)
	}
	equal(t, "history", temperatures, []float64{60, 65, 70})
	one := func(v float64) validator.Spread { return validator.Spread{Mean: v, Min: v, Max: v} }
	equal(t, "step", steps[0], validator.GPUStep{
		At: at, UtilizationPercent: validator.Some(one(50)), MemoryUsedBytes: validator.Some(one(1 << 36)), TemperatureC: validator.Some(one(60)),
		PowerMilliwatts: validator.Some(one(350_000)), ThrottleReasons: validator.ThrottlePowerCap,
	})
}

func TestAGPUWithoutUUIDHasNoHistory(t *testing.T) {
	b := newBench(t)
	at := time.Now().UTC().Truncate(time.Second)
	check(t, b.store.UpsertWorkerGPUs(b.ctx(), alice, "host", at, []validator.GPU{
		{Index: 0, Fault: validator.Some("it fell off the bus")}, {Index: 1, Fault: validator.Some("lost")}, sample("GPU-2", 2, at, 50),
	}))
	got := must[[]validator.WorkerGPU](t)(b.store.WorkerGPUs(b.ctx(), alice))
	equal(t, "GPUs", len(got), 3)
	equal(t, "first", []any{got[0].GPU.UUID, got[0].GPU.Fault.Or("")}, "[ it fell off the bus]")
	equal(t, "history", dbtest.Value(t, b.url, "SELECT count(*) FROM gpu_samples"), 1)
	check(t, b.store.UpsertWorkerGPUs(b.ctx(), alice, "host", at.Add(time.Second), []validator.GPU{sample("GPU-2", 2, at.Add(time.Second), 50)}))
	equal(t, "GPUs once they have names", len(must[[]validator.WorkerGPU](t)(b.store.WorkerGPUs(b.ctx(), alice))), 1)
}

func TestImpossibleSamplesAreRefused(t *testing.T) {
	b := newBench(t)
	at := time.Now().UTC()
	for name, change := range map[string]func(*validator.GPU){
		"percent": func(g *validator.GPU) { g.UtilizationPercent = validator.Some(uint32(101)) },
		"memory":  func(g *validator.GPU) { g.MemoryUsedBytes = validator.Some(uint64(math.MaxUint64)) },
		"degrees": func(g *validator.GPU) { g.TemperatureC = validator.Some(math.MaxInt) },
		"old":     func(g *validator.GPU) { g.SampledAt = at.AddDate(0, 0, -31) },
		"future":  func(g *validator.GPU) { g.SampledAt = at.AddDate(0, 0, 9) },
		"name":    func(g *validator.GPU) { g.Name = validator.Some("a\x00b") },
	} {
		g := sample("GPU-0", 0, at, 50)
		change(&g)
		if err := b.store.UpsertWorkerGPUs(b.ctx(), alice, "host", at, []validator.GPU{sample("GPU-1", 1, at, 50), g}); !errors.Is(err, db.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	equal(t, "GPUs", len(must[[]validator.WorkerGPU](t)(b.store.WorkerGPUs(b.ctx(), alice))), 0)
}

// TestValuesThatCannotBeEnterNoSum: whoever writes them, by SQL or as an older version did.
func TestValuesThatCannotBeEnterNoSum(t *testing.T) {
	b := newBench(t)
	at := time.Now().UTC().Truncate(time.Minute).Add(-2 * time.Hour)
	check(t, b.store.UpsertWorkerGPUs(b.ctx(), alice, "host", at, []validator.GPU{sample("GPU-0", 0, at, 60)}))
	b.exec(`INSERT INTO gpu_samples (worker_address, worker_id, gpu_uuid, sampled_at, utilization_percent, memory_used_bytes, temperature_c, power_milliwatts)
		SELECT $1, 'host', 'GPU-0', $2::timestamptz + interval '5 seconds', 50, 9223372036854775807, 4294967, 4294967295`, alice, at)
	b.exec(`UPDATE worker_gpus SET sample = sample || '{"FanPercent": 4294967295, "UtilizationPercent": 905}'`)

	g := must[[]validator.WorkerGPU](t)(b.store.WorkerGPUs(b.ctx(), alice))[0].GPU
	equal(t, "reasons", []string{g.FanPercent.Reason(), g.UtilizationPercent.Reason()}, []string{"the worker said 4,294,967,295 %", "the worker said 905 %"})
	want := func(when string) {
		t.Helper()
		steps := must[[]validator.GPUStep](t)(b.store.WorkerGPUSteps(b.ctx(), alice, "GPU-0", at.Add(-time.Hour), 24*time.Hour))
		equal(t, when, []float64{
			steps[0].UtilizationPercent.Or(validator.Spread{}).Max, steps[0].MemoryUsedBytes.Or(validator.Spread{}).Max,
			steps[0].TemperatureC.Or(validator.Spread{}).Max, steps[0].PowerMilliwatts.Or(validator.Spread{}).Max,
		}, []float64{50, 1 << 36, 60, 350_000})
	}
	want("samples")
	day := at.Truncate(24*time.Hour).AddDate(0, 0, 1)
	b.exec("SELECT keep_gpu_hours($1, $2, -50, 200, 20000000)", day, int64(1)<<50)
	b.exec("DELETE FROM gpu_samples")
	want("hours")
	b.exec("UPDATE gpu_hours SET power_max = 4294967295, power_sum = power_sum + 4294967295, power_samples = power_samples + 1")
	steps := must[[]validator.GPUStep](t)(b.store.WorkerGPUSteps(b.ctx(), alice, "GPU-0", at.Add(-time.Hour), 24*time.Hour))
	if steps[0].PowerMilliwatts.Known() || steps[0].TemperatureC.Or(validator.Spread{}).Max != 60 {
		t.Errorf("of an hour that an older version summed up: %+v", steps[0])
	}
}

// TestLateSamplesFindTheirDay: an agent that was cut off posts what it kept.
func TestLateSamplesFindTheirDay(t *testing.T) {
	b := newBench(t)
	at := time.Now().UTC().AddDate(0, 0, -20)
	check(t, b.store.UpsertWorkerGPUs(b.ctx(), alice, "host", at, []validator.GPU{sample("GPU-0", 0, at, 50)}))
	equal(t, "steps", len(must[[]validator.GPUStep](t)(b.store.WorkerGPUSteps(b.ctx(), alice, "GPU-0", at.Add(-time.Hour), time.Minute))), 1)
}

// TestTheDatabaseSumsStepsUpAsMemoryDoes: a chart tells the same of a GPU wherever its
// samples are kept.
func TestTheDatabaseSumsStepsUpAsMemoryDoes(t *testing.T) {
	b := newBench(t)
	const step = 90 * time.Minute
	at := time.Now().UTC().Truncate(time.Second).Add(-10 * time.Hour)
	var points []validator.GPUPoint
	for n := range 120 {
		g := sample("GPU-0", 0, at.Add(time.Duration(n*n)*time.Second), n%37)
		g.UtilizationPercent = validator.Some(uint32(n * 7 % 101))
		if n%3 == 0 {
			g.PowerMilliwatts = validator.None[uint32]("not reported")
		}
		if n > 100 {
			g.ThrottleReasons = validator.Some(validator.ThrottleSWThermal)
		}
		check(t, b.store.UpsertWorkerGPUs(b.ctx(), alice, "host", g.SampledAt, []validator.GPU{g}))
		points = append(points, validator.GPUPoint{
			At: g.SampledAt, UtilizationPercent: g.UtilizationPercent, MemoryUsedBytes: g.MemoryUsedBytes,
			TemperatureC: g.TemperatureC, PowerMilliwatts: g.PowerMilliwatts, ThrottleReasons: g.ThrottleReasons,
		})
	}
	got := must[[]validator.GPUStep](t)(b.store.WorkerGPUSteps(b.ctx(), alice, "GPU-0", at, step))
	want := validator.GPUSteps(points, step)
	equal(t, "steps", len(got), len(want))
	text := func(m validator.Maybe[validator.Spread]) string {
		s := m.Or(validator.Spread{})
		return fmt.Sprintf("%v %.6g %g %g", m.Known(), s.Mean, s.Min, s.Max)
	}
	for i := range want {
		g, w := got[i], want[i]
		equal(t, "step", []any{g.At, text(g.UtilizationPercent), text(g.MemoryUsedBytes), text(g.TemperatureC), text(g.PowerMilliwatts), g.ThrottleReasons},
			[]any{w.At, text(w.UtilizationPercent), text(w.MemoryUsedBytes), text(w.TemperatureC), text(w.PowerMilliwatts), w.ThrottleReasons})
	}
}

// TestOldDaysOfSamplesAreDropped, and what they sum up to by hour stays.
func TestOldDaysOfSamplesAreDropped(t *testing.T) {
	url := dbtest.NewURL(t)
	now := time.Now().UTC()
	old := dbtest.Open(t, db.Config{URL: url})
	b := bench{t, url, old}
	hour := now.Truncate(time.Hour)
	for _, days := range []int{0, 3, 20} {
		for n := range 3 {
			at := hour.AddDate(0, 0, -days).Add(-time.Duration(20*n+1) * time.Minute)
			g := sample("GPU-0", 0, at, 50+7*n+days)
			if n == 1 {
				g.PowerMilliwatts = validator.None[uint32]("not reported")
			}
			check(t, old.UpsertWorkerGPUs(b.ctx(), alice, "host", at, []validator.GPU{g}))
		}
	}
	steps := func() []validator.GPUStep {
		return must[[]validator.GPUStep](t)(old.WorkerGPUSteps(b.ctx(), alice, "GPU-0", now.AddDate(0, 0, -25), time.Hour))
	}
	before := steps()
	equal(t, "steps", len(before), 3)
	keeper := dbtest.Open(t, db.Config{URL: url, SampleRetention: 5 * 24 * time.Hour})
	runPeriodicJobs(t, keeper, keeper.PeriodicJobs()...)
	eventually(t, "old samples are dropped", func() bool { return dbtest.Value(t, url, "SELECT count(*) FROM gpu_samples") == "6" })
	equal(t, "steps without the samples", steps(), before)
	equal(t, "hours", dbtest.Value(t, url, "SELECT count(*) FROM gpu_hours"), 1)
}
