package gpusim

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bitsage-network/validator-dashboard/gpu"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const h100 = "NVIDIA H100 80GB HBM3"

// clock is a time that a test moves.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) time() time.Time { return c.now }

func newHost(t testing.TB, c *clock, cards ...Card) (*Host, gpu.Reader) {
	t.Helper()
	h, err := New(Config{Cards: cards, Seed: 7, Clock: c.time})
	if err != nil {
		t.Fatal(err)
	}
	r, err := h.Open()
	if err != nil {
		t.Fatal(err)
	}
	return h, r
}

func read(t testing.TB, r gpu.Reader) gpu.Reading {
	t.Helper()
	reading, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	return reading
}

func training() Load {
	return Load{Utilization: 0.99, MemoryBytes: 60 << 30, Process: "python3", PID: 4242}
}

func TestTheSameSeedAndClockGiveTheSameReadings(t *testing.T) {
	run := func() []gpu.Reading {
		c := newClock()
		h, r := newHost(t, c, Card{UUID: "a", Name: h100, Overheats: true}, Card{UUID: "b", Name: "NVIDIA L40S", FallsOffBusAfter: time.Minute})
		var out []gpu.Reading
		for i := range 100 {
			if i == 3 {
				if err := h.SetLoad("a", training()); err != nil {
					t.Fatal(err)
				}
			}
			c.now = c.now.Add(2 * time.Second)
			out = append(out, read(t, r))
		}
		return out
	}
	if !reflect.DeepEqual(run(), run()) {
		t.Error("two runs differ")
	}
}

func TestACardIsPhysical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		name := rapid.SampledFrom([]string{h100, "NVIDIA H200", "NVIDIA A100-SXM4-80GB", "NVIDIA L40S"}).Draw(t, "model")
		h, err := New(Config{Cards: []Card{{UUID: "a", Name: name, Overheats: rapid.Bool().Draw(t, "overheats")}}, Seed: rapid.Uint64().Draw(t, "seed"), Clock: c.time})
		if err != nil {
			t.Fatal(err)
		}
		r, _ := h.Open()
		before := uint64(0)
		for range rapid.IntRange(1, 60).Draw(t, "readings") {
			load := Load{Utilization: rapid.Float64Range(0, 1).Draw(t, "load"), MemoryBytes: rapid.Uint64Range(0, 1<<40).Draw(t, "memory")}
			if err := h.SetLoad("a", load); err != nil {
				t.Fatal(err)
			}
			c.now = c.now.Add(time.Duration(rapid.IntRange(1, 30_000).Draw(t, "pause")) * time.Millisecond)
			reading, err := r.Read()
			if err != nil {
				t.Fatal(err)
			}
			g := reading.GPUs[0]
			if p, limit := g.PowerMilliwatts.Or(0), g.PowerLimitMilliwatts.Or(0); p > limit || p == 0 {
				t.Fatalf("%d mW of at most %d", p, limit)
			}
			if g.MemoryUsedBytes.Or(0)+g.MemoryReservedBytes.Or(0) > g.MemoryTotalBytes.Or(0) {
				t.Fatalf("%d bytes used", g.MemoryUsedBytes.Or(0))
			}
			if e := g.EnergyMillijoules.Or(0); e < before {
				t.Fatal("the energy counter went back")
			} else {
				before = e
			}
			hot, throttled := g.TemperatureC.Or(0), g.ThrottleReasons.Or(0)
			if hot > g.ShutdownTemperatureC.Or(0) || hot < 20 {
				t.Fatalf("%d °C", hot)
			}
			if throttled&validator.ThrottlePowerCap != 0 && g.PowerMilliwatts.Or(0) != g.PowerLimitMilliwatts.Or(0) {
				t.Fatal("held by a power limit that it does not reach")
			}
			if g.SMClockMHz.Or(0) > g.SMClockMaxMHz.Or(0) {
				t.Fatalf("%d MHz", g.SMClockMHz.Or(0))
			}
		}
	})
}

func TestTemperatureFollowsPowerToItsEquilibrium(t *testing.T) {
	c := newClock()
	h, r := newHost(t, c, Card{UUID: "a", Name: h100})
	cool := read(t, r).GPUs[0].TemperatureC.Or(0)
	if err := h.SetLoad("a", training()); err != nil {
		t.Fatal(err)
	}
	last := cool
	energyBefore := read(t, r).GPUs[0].EnergyMillijoules.Or(0)
	var joules float64
	for range 120 {
		c.now = c.now.Add(2 * time.Second)
		g := read(t, r).GPUs[0]
		if now := g.TemperatureC.Or(0); now < last-1 {
			t.Fatalf("under a constant load it cooled from %d to %d °C", last, now)
		} else {
			last = now
		}
		joules += float64(g.PowerMilliwatts.Or(0)) / 1000 * 2
	}
	g := read(t, r).GPUs[0]
	if last < 60 || last >= g.SlowdownTemperatureC.Or(0) {
		t.Errorf("a card with working cooling settles at %d °C", last)
	}
	counted := float64(g.EnergyMillijoules.Or(0)-energyBefore) / 1000
	if counted < joules*0.95 || counted > joules*1.05 {
		t.Errorf("the counter says %.0f J, its power %.0f J", counted, joules)
	}
	if g.PerformanceState.Or(-1) != 0 || len(g.Processes.Or(nil)) != 1 || g.UtilizationPercent.Or(0) < 95 {
		t.Errorf("under load: %+v", g)
	}
	if err := h.SetLoad("a", Load{}); err != nil {
		t.Fatal(err)
	}
	c.now = c.now.Add(5 * time.Minute)
	if g := read(t, r).GPUs[0]; g.TemperatureC.Or(99) > cool+2 || g.PerformanceState.Or(0) != 8 || g.MemoryUsedBytes.Or(1) > 1<<20 {
		t.Errorf("idle again: %d °C, P%d, %d bytes", g.TemperatureC.Or(0), g.PerformanceState.Or(0), g.MemoryUsedBytes.Or(0))
	}
}

func TestACardThatOverheatsIsHeldAtItsLimit(t *testing.T) {
	c := newClock()
	h, r := newHost(t, c, Card{UUID: "a", Name: h100, Overheats: true})
	if err := h.SetLoad("a", training()); err != nil {
		t.Fatal(err)
	}
	throttledAfter := time.Duration(0)
	for i := range 150 {
		c.now = c.now.Add(2 * time.Second)
		g := read(t, r).GPUs[0]
		if throttledAfter == 0 && g.ThrottleReasons.Or(0).Slowed() {
			throttledAfter = time.Duration(i+1) * 2 * time.Second
		}
		if throttledAfter > 0 && g.TemperatureC.Or(0) > g.SlowdownTemperatureC.Or(0)+3 {
			t.Fatalf("%d °C in spite of throttling", g.TemperatureC.Or(0))
		}
	}
	if throttledAfter < 30*time.Second || throttledAfter > 90*time.Second {
		t.Errorf("it throttles after %s", throttledAfter)
	}
	g := read(t, r).GPUs[0]
	if !g.ThrottleReasons.Or(0).Slowed() || g.SMClockMHz.Or(0) >= g.SMClockMaxMHz.Or(0) || g.PowerMilliwatts.Or(0) >= g.PowerLimitMilliwatts.Or(0) {
		t.Errorf("throttled: %d MHz, %d mW, %b", g.SMClockMHz.Or(0), g.PowerMilliwatts.Or(0), g.ThrottleReasons.Or(0))
	}
	if err := h.SetLoad("a", Load{}); err != nil {
		t.Fatal(err)
	}
	c.now = c.now.Add(3 * time.Minute)
	if g := read(t, r).GPUs[0]; g.ThrottleReasons.Or(0).Slowed() {
		t.Error("it is slowed without a load")
	}
}

func TestALostCardStaysMissing(t *testing.T) {
	c := newClock()
	_, r := newHost(t, c, Card{UUID: "a", Name: h100, FallsOffBusAfter: time.Minute}, Card{UUID: "b", Name: h100})
	if n := len(read(t, r).GPUs); n != 2 {
		t.Fatalf("%d cards", n)
	}
	c.now = c.now.Add(61 * time.Second)
	lost := read(t, r)
	if len(lost.XIDs) != 1 || lost.XIDs[0].UUID != "a" || lost.XIDs[0].Code != 79 {
		t.Errorf("XIDs: %+v", lost.XIDs)
	}
	if len(lost.GPUs) != 2 || lost.GPUs[0].Fault.Or("") != gpu.FaultLost || lost.GPUs[1].Fault.Known() {
		t.Errorf("cards: %+v", lost.GPUs)
	}
	c.now = c.now.Add(listedAfterLoss)
	if gone := read(t, r); len(gone.GPUs) != 1 || len(gone.XIDs) != 0 || gone.GPUs[0].UUID != "b" {
		t.Errorf("later: %+v", gone)
	}
}

func TestTheSamplerShowsALostCardAsMissing(t *testing.T) {
	h, err := New(Config{Cards: []Card{{UUID: "a", Name: h100, FallsOffBusAfter: 200 * time.Millisecond}}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := gpu.NewSampler(gpu.Config{Open: h.Open, Interval: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- s.Run(t.Context()) }()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		gpus := s.Snapshot().GPUs
		if len(gpus) == 1 && gpus[0].MissingSince.Known() && len(gpus[0].XIDs) == 1 && gpus[0].Tier.Or(-1) == validator.TierEnterprise {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the card never went missing: %+v", gpus)
		}
	}
	if h.Usable("a") {
		t.Error("a lost card can be used")
	}
}

func TestWhatCannotBeSimulatedIsRefused(t *testing.T) {
	for _, cards := range [][]Card{{{UUID: "a", Name: "GeForce"}}, {{Name: h100}}, {{UUID: "a", Name: h100}, {UUID: "a", Name: h100}}} {
		if _, err := New(Config{Cards: cards}); err == nil {
			t.Errorf("%+v was taken", cards)
		}
	}
	if _, err := New(Config{Cards: []Card{{UUID: "a", Name: "GeForce"}}}); !strings.Contains(err.Error(), h100) {
		t.Errorf("the error does not list what there is: %v", err)
	}
	h, _ := newHost(t, newClock(), Card{UUID: "a", Name: h100})
	if err := h.SetLoad("other", training()); !errors.Is(err, ErrNoCard) {
		t.Errorf("a load on no card: %v", err)
	}
}
