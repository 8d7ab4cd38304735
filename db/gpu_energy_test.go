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
