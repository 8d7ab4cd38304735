package db_test

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// TestEnergyIsIntegratedOverWhatSamplesCover compares random samples, which come in any order
// and from time to time late, with an integral over them all.
func TestEnergyIsIntegratedOverWhatSamplesCover(t *testing.T) {
	b := newBench(t)
	dice := rand.New(rand.NewPCG(3, 4))
	end := time.Now().UTC().Truncate(time.Minute)
	start := end.Add(-50 * time.Hour)
	type reading struct {
		at    time.Time
		watts float64
	}
	readings := map[string][]reading{}
	for _, uuid := range []string{"GPU-a", "GPU-b"} {
		for at := start; at.Before(end); at = at.Add(time.Duration(20+dice.IntN(500)) * time.Second) {
			readings[uuid] = append(readings[uuid], reading{at, float64(100 + dice.IntN(600))})
		}
	}
	write := func(uuid string, list []reading) {
		for _, r := range list {
			g := validator.GPU{UUID: uuid, SampledAt: r.at, PowerMilliwatts: validator.Some(uint32(r.watts * 1000))}
			check(t, b.store.UpsertWorkerGPUs(b.ctx(), alice, "rig", r.at, []validator.GPU{g}))
		}
	}
	silent := validator.GPU{UUID: "GPU-c", SampledAt: end, PowerMilliwatts: validator.None[uint32]("not supported")}
	check(t, b.store.UpsertWorkerGPUs(b.ctx(), alice, "rig", end, []validator.GPU{silent}))
	gone := validator.GPU{UUID: "GPU-d", SampledAt: start.AddDate(0, 0, -2), PowerMilliwatts: validator.None[uint32]("not supported")}
	check(t, b.store.UpsertWorkerGPUs(b.ctx(), alice, "rig", gone.SampledAt, []validator.GPU{gone}))
	known := map[string][]reading{}
	late := map[string][]reading{}
	for uuid, list := range readings {
		for i, r := range list {
			if i%7 == 3 {
				late[uuid] = append(late[uuid], r)
			} else {
				known[uuid] = append(known[uuid], r)
			}
		}
	}
	compare := func(when string) {
		t.Helper()
		check(t, b.store.RollUpGPUEnergy(b.ctx()))
		m := must[validator.MeasuredEnergy](t)(b.store.MeasuredEnergy(b.ctx(), alice, start, end))
		joules, covered := 0.0, time.Duration(0)
		for _, list := range known {
			slices.SortFunc(list, func(a, b reading) int { return a.at.Compare(b.at) })
			for i := 1; i < len(list); i++ {
				if apart := list[i].at.Sub(list[i-1].at); apart <= 5*time.Minute {
					joules += (list[i].watts + list[i-1].watts) / 2 * apart.Seconds()
					covered += apart
				}
			}
		}
		kWh, _ := m.KWh.Float64()
		if math.Abs(kWh-joules/3.6e6) > 1e-9 || (m.Covered-covered).Abs() > time.Millisecond || m.GPUs != len(known)+1 {
			t.Errorf("%s: %v kWh over %s of %d GPUs, want %v over %s of those and the silent one", when, kWh, m.Covered, m.GPUs, joules/3.6e6, covered)
		}
	}
	for uuid, list := range known {
		write(uuid, list)
	}
	compare("at first")
	for uuid, list := range late {
		write(uuid, list)
		known[uuid] = append(known[uuid], list...)
	}
	compare("with those that came late")
	compare("once more")
	summed := func(day time.Time) int {
		return must[validator.MeasuredEnergy](t)(b.store.MeasuredEnergy(b.ctx(), alice, day, day)).GPUs
	}
	equal(t, "GPUs of the days before", []int{summed(start.AddDate(0, 0, -2)), summed(start.AddDate(0, 0, -3))}, "[1 0]")
	b.exec("INSERT INTO gpu_hours (worker_address, gpu_uuid, hour, utilization_samples, memory_samples, temperature_samples, power_samples, throttle_reasons) SELECT worker_address, gpu_uuid, $1, 0, 0, 0, 0, 0 FROM gpu_samples WHERE gpu_uuid = 'GPU-d'", start.AddDate(0, 0, -3).Truncate(time.Hour))
	equal(t, "GPUs of which only hours are left", summed(start.AddDate(0, 0, -3)), "1")
	if m := must[validator.MeasuredEnergy](t)(b.store.MeasuredEnergy(b.ctx(), bob, start, end)); m.GPUs != 0 || m.Covered != 0 || m.KWh.Sign() != 0 {
		t.Errorf("another's: %+v", m)
	}
}

// TestABadSampleIsNotCovered: a driver that answers 4,294,967 W for 16 s makes no 17.9 kWh, and
// tells nothing of that time; nor does a row that was written by SQL.
func TestABadSampleIsNotCovered(t *testing.T) {
	for name, bad := range map[string]func(bench, time.Time){
		"the driver": func(b bench, at time.Time) {
			g := validator.GPU{UUID: "GPU-a", SampledAt: at, PowerMilliwatts: validator.Some[uint32](math.MaxUint32)}.Bounded(validator.Driver)
			check(b, b.store.UpsertWorkerGPUs(b.ctx(), alice, "rig", at, []validator.GPU{g}))
		},
		"SQL": func(b bench, at time.Time) {
			b.exec("INSERT INTO gpu_samples (worker_address, worker_id, gpu_uuid, sampled_at, power_milliwatts) VALUES ($1, 'rig', 'GPU-a', $2, 4294967295)", alice, at)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			at := time.Now().UTC().Truncate(time.Hour).Add(-30 * time.Minute)
			for _, s := range []int{0, 10, 20, 30, 40, 60, 70, 76} {
				g := validator.GPU{UUID: "GPU-a", SampledAt: at.Add(time.Duration(s) * time.Second), PowerMilliwatts: validator.Some[uint32](300_000)}
				check(t, b.store.UpsertWorkerGPUs(b.ctx(), alice, "rig", g.SampledAt, []validator.GPU{g}))
			}
			measured := func() (float64, time.Duration) {
				check(t, b.store.RollUpGPUEnergy(b.ctx()))
				m := must[validator.MeasuredEnergy](t)(b.store.MeasuredEnergy(b.ctx(), alice, at, at))
				kWh, _ := m.KWh.Float64()
				return kWh, m.Covered
			}
			if kWh, covered := measured(); math.Abs(kWh-300*76/3.6e6) > 1e-9 || covered != 76*time.Second {
				t.Errorf("before: %v kWh over %s", kWh, covered)
			}
			bad(b, at.Add(50*time.Second)) // late, between two that were integrated
			if kWh, covered := measured(); math.Abs(kWh-300*56/3.6e6) > 1e-9 || covered != 56*time.Second {
				t.Errorf("%v kWh over %s, want %v over 56s", kWh, covered, 300*56/3.6e6)
			}
			// Another host that reports the card and never its power takes nothing away.
			for _, s := range []int{5, 45, 65} {
				g := validator.GPU{UUID: "GPU-a", SampledAt: at.Add(time.Duration(s) * time.Second), PowerMilliwatts: validator.None[uint32]("not reported")}
				check(t, b.store.UpsertWorkerGPUs(b.ctx(), alice, "agent", g.SampledAt, []validator.GPU{g}))
			}
			if kWh, covered := measured(); math.Abs(kWh-300*56/3.6e6) > 1e-9 || covered != 56*time.Second {
				t.Errorf("with a silent host: %v kWh over %s", kWh, covered)
			}
		})
	}
}
