//go:build linux && cgo

package gpu

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// twoGPUs are two cards with UUIDs and names of their own.
var twoGPUs = []string{
	"count=2", "0.uuid=GPU-a", "1.uuid=GPU-b", "0.temp=40", "1.temp=50",
	"0.name=NVIDIA H100 80GB HBM3", "1.name=NVIDIA GeForce RTX 4090",
}

func byUUID(t *testing.T, s validator.GPUSnapshot, uuid string) validator.GPU {
	t.Helper()
	i := slices.IndexFunc(s.GPUs, func(g validator.GPU) bool { return g.UUID == uuid })
	if i < 0 {
		t.Fatalf("no GPU %s in %+v", uuid, s.GPUs)
	}
	return s.GPUs[i]
}

// missingNow says whether the second of twoGPUs is listed as missing.
func missingNow(s validator.GPUSnapshot) bool {
	return slices.ContainsFunc(s.GPUs, func(g validator.GPU) bool { return g.UUID == "GPU-b" && g.MissingSince.Known() })
}

func TestValuesFollowTheGPU(t *testing.T) {
	onFake(t, gputest.Current, twoGPUs, func(t *testing.T, f fake) {
		s := run(t, f.fast())
		snap := until(t, s, "two GPUs", healthy(2))
		a, b := snap.GPUs[0], snap.GPUs[1]
		if a.UUID != "GPU-a" || a.TemperatureC.Or(0) != 40 || a.Tier.Or(-1) != validator.TierEnterprise || b.Tier.Or(-1) != validator.TierConsumer {
			t.Errorf("GPUs %+v", snap.GPUs)
		}
		f.Set("0.temp", "88", "1.name", "Some New Card")
		snap = until(t, s, "it is hotter", func(s validator.GPUSnapshot) bool { return s.GPUs[0].TemperatureC.Or(0) == 88 })
		if s.History("GPU-b", time.Time{}) == nil || s.History("GPU-nobody", time.Time{}) != nil {
			t.Error("history is kept for the cards there are")
		}
		points := s.History("GPU-a", time.Time{})
		if first, last := points[0], points[len(points)-1]; first.TemperatureC.Or(0) != 40 || !last.At.After(first.At) {
			t.Errorf("history from %+v to %+v", first, last)
		}
		if tier := snap.GPUs[1].Tier; tier.Or(-1) != validator.TierConsumer {
			t.Errorf("tier %v: a card's name lasts while NVML is initialised", tier)
		}
	})
}

func TestUnknownModelHasNoTier(t *testing.T) {
	onFake(t, gputest.Current, []string{"name=NVIDIA Z9000"}, func(t *testing.T, f fake) {
		snap := until(t, run(t, f.fast()), "one GPU", healthy(1))
		if tier := snap.GPUs[0].Tier; tier.Known() || tier.Reason() != "this model is in no tier of the network's table" {
			t.Errorf("tier %v, %q", tier, tier.Reason())
		}
	})
}

func TestNoGPUs(t *testing.T) {
	onFake(t, gputest.Current, []string{"count=0"}, func(t *testing.T, f fake) {
		s := run(t, f.fast())
		snap := until(t, s, "a first pass", func(s validator.GPUSnapshot) bool { return !s.State.ObservedAt.IsZero() })
		if snap.State.Health != validator.HealthOK || len(snap.GPUs) != 0 || !snap.Host.DriverVersion.Known() {
			t.Errorf("snapshot %s; want a working driver without GPUs", summary(snap))
		}
		f.Set("count", "1")
		until(t, s, "the GPU is found", healthy(1))
	})
}

func TestGPUIsLostAndComesBack(t *testing.T) {
	for name, how := range map[string]func(fake){
		"every call fails":    func(f fake) { f.Fail("1.lost", 15) },
		"its handle fails":    func(f fake) { f.Fail("1.handle", 15) },
		"one call fails":      func(f fake) { f.Fail("1.power", 15) },
		"it needs a reset":    func(f fake) { f.Fail("1.util", 16) },
		"its UUID fails":      func(f fake) { f.Fail("1.uuid", 999) },
		"it is not listed":    func(f fake) { f.Set("count", "1") },
		"the driver drops it": func(f fake) { f.Fail("1.handle", 28) },
	} {
		t.Run(name, func(t *testing.T) {
			onFake(t, gputest.Current, twoGPUs, func(t *testing.T, f fake) {
				s := run(t, f.fast())
				until(t, s, "two GPUs", healthy(2))
				f.Set("1.temp", "66")
				until(t, s, "a new value", func(s validator.GPUSnapshot) bool { return s.GPUs[1].TemperatureC.Or(0) == 66 })
				lost := time.Now()
				f.Set("0.temp", "44")
				how(f)
				until(t, s, "the GPU is missing", missingNow)

				// What the other GPU does goes on, also when NVML is opened anew meanwhile.
				f.Set("0.temp", "45")
				until(t, s, "the other GPU goes on", func(s validator.GPUSnapshot) bool { return s.GPUs[0].TemperatureC.Or(0) == 45 })
				time.Sleep(300 * time.Millisecond)
				snap := until(t, s, "the other GPU is there", func(s validator.GPUSnapshot) bool { return s.State.Health == validator.HealthOK })
				b := byUUID(t, snap, "GPU-b")
				since, known := b.MissingSince.Get()
				if !known || since.Before(lost) || b.TemperatureC.Or(0) != 66 || b.SampledAt.After(since) || !b.Fault.Known() || len(snap.GPUs) != 2 {
					t.Errorf("missing GPU %+v\nof %d GPUs; want its last reading and since when", b, len(snap.GPUs))
				}
				if snap.GPUs[0].Fault.Known() || snap.GPUs[0].MissingSince.Known() {
					t.Errorf("the other GPU %+v is fine", snap.GPUs[0])
				}
				if points := s.History("GPU-b", time.Time{}); points[len(points)-1].At.After(since) {
					t.Error("history has points of when the GPU was missing")
				}

				f.Set("count", "2", "1.uuid", "GPU-b", "1.temp", "51")
				f.Unset("1.lost", "1.handle", "1.power", "1.util")
				snap = until(t, s, "it is back", healthy(2))
				if b := byUUID(t, snap, "GPU-b"); b.MissingSince.Known() || b.TemperatureC.Or(0) != 51 {
					t.Errorf("GPU %+v; want it back", b)
				}
			})
		})
	}
}

func TestFaultyFromTheStart(t *testing.T) {
	onFake(t, gputest.Current, append(twoGPUs, "1.handle=!15"), func(t *testing.T, f fake) {
		s := run(t, f.fast())
		snap := until(t, s, "two entries", func(s validator.GPUSnapshot) bool { return len(s.GPUs) == 2 })
		g := snap.GPUs[1]
		if !strings.Contains(g.Fault.Or(""), "GPU is lost") || g.MissingSince.Known() || g.UUID != "" || !g.SampledAt.IsZero() || g.Index != 1 {
			t.Errorf("GPU %+v; want a fault and nothing else", g)
		}
		for _, c := range fieldCases {
			if v, known, reason := get(t, g, c.field); known || reason == "not read yet" {
				t.Errorf("%s = %v, %v, %q; want the reason of the fault", c.field, v, known, reason)
			}
		}
		f.Unset("1.handle")
		until(t, s, "it works", healthy(2))
	})
}

func TestIndexChange(t *testing.T) {
	onFake(t, gputest.Current, twoGPUs, func(t *testing.T, f fake) {
		s := run(t, f.fast())
		until(t, s, "two GPUs", healthy(2))
		f.Set("0.uuid", "GPU-b", "1.uuid", "GPU-a", "0.temp", "50", "1.temp", "40",
			"0.name", "NVIDIA GeForce RTX 4090", "1.name", "NVIDIA H100 80GB HBM3")
		snap := until(t, s, "they changed places", func(s validator.GPUSnapshot) bool {
			return len(s.GPUs) == 2 && s.GPUs[0].UUID == "GPU-b" && s.GPUs[1].UUID == "GPU-a"
		})
		for uuid, want := range map[string]struct {
			temp  int
			model string
		}{"GPU-a": {40, "NVIDIA H100 80GB HBM3"}, "GPU-b": {50, "NVIDIA GeForce RTX 4090"}} {
			if g := byUUID(t, snap, uuid); g.TemperatureC.Or(0) != want.temp || g.Name.Or("") != want.model || g.MissingSince.Known() {
				t.Errorf("%s is %+v; want %+v", uuid, g, want)
			}
			for _, p := range s.History(uuid, time.Time{}) {
				if p.TemperatureC.Or(0) != want.temp {
					t.Errorf("the history of %s has the other card's %v", uuid, p.TemperatureC)
				}
			}
		}
	})
}

// A card that takes the index of one that is gone is another card.
func TestReplacedCard(t *testing.T) {
	onFake(t, gputest.Current, twoGPUs, func(t *testing.T, f fake) {
		s := run(t, f.fast())
		until(t, s, "two GPUs", healthy(2))
		f.Set("1.uuid", "GPU-c", "1.name", "NVIDIA B200")
		snap := until(t, s, "the new card", missingNow)
		if len(snap.GPUs) != 3 || snap.GPUs[1].UUID != "GPU-c" || snap.GPUs[1].Tier.Or(-1) != validator.TierFrontier || snap.GPUs[2].UUID != "GPU-b" {
			t.Errorf("GPUs %+v; want a, c and then the missing b", snap.GPUs)
		}
	})
}

func TestDriverRestart(t *testing.T) {
	for name, how := range map[string]func(fake){
		"restarted":        func(f fake) { f.Set("session", "2") },
		"not loaded":       func(f fake) { f.Fail("count", 9) },
		"unknown error":    func(f fake) { f.Fail("count", 999) },
		"lost in mid-pass": func(f fake) { f.Fail("1.temp.v", 1) },
	} {
		t.Run(name, func(t *testing.T) {
			onFake(t, gputest.Current, twoGPUs, func(t *testing.T, f fake) {
				s := run(t, f.fast())
				until(t, s, "two GPUs", healthy(2))
				before := len(f.Log())
				how(f)
				deadline := time.Now().Add(10 * time.Second)
				for !slices.Contains(f.Log()[before:], "init") {
					if time.Now().After(deadline) {
						t.Fatalf("NVML was not initialised again: %v", f.Log())
					}
					time.Sleep(5 * time.Millisecond)
				}
				for _, g := range s.Snapshot().GPUs {
					if g.MissingSince.Known() {
						t.Errorf("GPU %s is called missing, but it is the driver that is gone", g.UUID)
					}
				}
				f.Unset("count", "1.temp.v")
				f.Set("count", "2", "0.temp", "71")
				until(t, s, "it goes on", func(s validator.GPUSnapshot) bool {
					return healthy(2)(s) && s.GPUs[0].TemperatureC.Or(0) == 71
				})
			})
		})
	}
}

// The driver goes away for good: what is shown grows stale, and says why.
func TestDriverGoesAway(t *testing.T) {
	onFake(t, gputest.Current, twoGPUs, func(t *testing.T, f fake) {
		cfg := f.fast()
		cfg.StaleAfter = 300 * time.Millisecond
		s := run(t, cfg)
		until(t, s, "two GPUs", healthy(2))
		f.Set("init", "!9", "count", "!9")
		snap := until(t, s, "it is stale", func(s validator.GPUSnapshot) bool {
			return s.State.Health == validator.HealthStale && strings.Contains(s.State.Reason, "driver is not loaded")
		})
		if len(snap.GPUs) != 2 || snap.GPUs[0].TemperatureC.Or(0) != 40 || snap.State.ObservedAt.IsZero() || snap.State.Remedy == "" {
			t.Errorf("snapshot %s; want the last reading with its age", summary(snap))
		}
	})
}

func TestDriverHangs(t *testing.T) {
	onFake(t, gputest.Current, twoGPUs, func(t *testing.T, f fake) {
		cfg := f.fast()
		cfg.StaleAfter = 300 * time.Millisecond
		s := run(t, cfg)
		until(t, s, "two GPUs", healthy(2))
		f.Set("sleep", "60000")
		snap := until(t, s, "it is stale", func(s validator.GPUSnapshot) bool { return s.State.Health == validator.HealthStale })
		if !strings.Contains(snap.State.Reason, "has not answered for") || len(snap.GPUs) != 2 {
			t.Errorf("snapshot %s; want the last reading and that the driver hangs", summary(snap))
		}
		time.Sleep(cfg.StaleAfter)
		f.Unset("sleep")
		until(t, s, "it goes on", healthy(2))
		gap := slices.ContainsFunc(s.History("GPU-a", time.Time{}), func(p validator.GPUPoint) bool { return !p.TemperatureC.Known() })
		if !gap {
			t.Error("the history has no gap for the time of the hang")
		}
	})
}

func TestCleanShutdown(t *testing.T) {
	onFake(t, gputest.Current, twoGPUs, func(t *testing.T, f fake) {
		t.Run("while running", func(t *testing.T) {
			s := run(t, f.fast())
			until(t, s, "two GPUs", healthy(2))
			f.Fail("1.lost", 15) // brings a few openings anew
			until(t, s, "the GPU is missing", missingNow)
			time.Sleep(400 * time.Millisecond)
		})
		count := map[string]int{}
		for _, line := range f.Log() {
			count[line]++
		}
		if count["init"] < 2 || count["init"] != count["shutdown"] || count["eventset"] != count["eventset-free"] {
			t.Errorf("the library counted %v; what was opened must be closed", count)
		}
		if log := f.Log(); log[len(log)-1] != "shutdown" {
			t.Errorf("the last call was %s; want shutdown", log[len(log)-1])
		}
	})
}
