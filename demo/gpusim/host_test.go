package gpusim

import (
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/gpu"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	h100 = "NVIDIA H100 80GB HBM3"
	l40s = "NVIDIA L40S"
)

// clock is a time that a test moves.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)} }

func (c *clock) time() time.Time { return c.now }

func (c *clock) pass(d time.Duration) { c.now = c.now.Add(d) }

// fatal is what *testing.T and *rapid.T have in common.
type fatal interface {
	Helper()
	Fatal(args ...any)
}

func newHost(t fatal, c *clock, cards ...Card) (*Host, gpu.Reader) {
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

func read(t fatal, r gpu.Reader) gpu.Reading {
	t.Helper()
	reading, err := r.Read()
	if err != nil {
		t.Fatal(err)
	}
	return reading
}

func put(t fatal, h *Host, uuid string, l Load) {
	t.Helper()
	if err := h.SetLoad(uuid, l); err != nil {
		t.Fatal(err)
	}
}

func training() Load {
	return Load{Utilization: 0.99, MemoryBytes: 12 << 30, Process: "python3", PID: 4242}
}

// story runs one and the same story, with extra readings between those that it returns.
func story(t *testing.T, seed uint64, between int) []gpu.Reading {
	t.Helper()
	c := newClock()
	h, err := New(Config{
		Cards: []Card{{UUID: "a", Name: h100, Overheats: true}, {UUID: "b", Name: l40s}},
		Seed:  seed, Clock: c.time,
	})
	if err != nil {
		t.Fatal(err)
	}
	r, err := h.Open()
	if err != nil {
		t.Fatal(err)
	}
	var out []gpu.Reading
	for i := range 60 {
		if i == 3 {
			put(t, h, "a", training())
		}
		const interval = 2 * time.Second
		for range between {
			c.pass(interval / time.Duration(between+1))
			read(t, r)
		}
		c.pass(interval - time.Duration(between)*(interval/time.Duration(between+1)))
		out = append(out, read(t, r))
	}
	return out
}

func TestSeedAndClockDecideTheReadings(t *testing.T) {
	first := story(t, 7, 0)
	if !reflect.DeepEqual(first, story(t, 7, 0)) {
		t.Error("the same seed and clock gave other readings")
	}
	if !reflect.DeepEqual(first, story(t, 7, 6)) {
		t.Error("reading more often changed what was read")
	}
	if reflect.DeepEqual(first, story(t, 8, 0)) {
		t.Error("another seed gave the same readings")
	}
}

func TestReadingTwiceAtOnceIsTheSame(t *testing.T) {
	c := newClock()
	h, r := newHost(t, c, Card{UUID: "a", Name: h100})
	put(t, h, "a", training())
	c.pass(time.Minute)
	if one := read(t, r); !reflect.DeepEqual(one, read(t, r)) {
		t.Error("two readings of one moment differ")
	}
}

// A laptop that slept for a day has cards that slept too, and wakes at once.
func TestALongPauseIsBounded(t *testing.T) {
	c := newClock()
	h, r := newHost(t, c, Card{UUID: "a", Name: h100})
	put(t, h, "a", training())
	before := read(t, r).GPUs[0].EnergyMillijoules.Or(0)
	c.pass(24 * time.Hour)
	g := read(t, r).GPUs[0]
	if most := time.Duration(ticksAtOnce) * tickLength; float64(g.EnergyMillijoules.Or(0)-before) > 710e3*most.Seconds() {
		t.Errorf("it drew %d mJ while the host slept", g.EnergyMillijoules.Or(0)-before)
	}
	if g.UtilizationPercent.Or(0) < 95 {
		t.Errorf("%d %% after the pause; want the job to go on", g.UtilizationPercent.Or(0))
	}
	c.pass(-time.Hour)
	if !reflect.DeepEqual(g, read(t, r).GPUs[0]) {
		t.Error("a clock that was set back changed the cards")
	}
}

func TestEveryModelIsWhatItsDriverTells(t *testing.T) {
	for name, m := range models {
		t.Run(name, func(t *testing.T) {
			_, r := newHost(t, newClock(), Card{UUID: "a", Name: name})
			reading := read(t, r)
			g := reading.GPUs[0]
			if g.Name.Or("") != name || !g.Tier.Known() && g.Tier.Reason() == "" {
				t.Errorf("name %q", g.Name.Or(""))
			}
			if _, known := validator.TierOfModel(name); !known {
				t.Error("the network has no tier for this model")
			}
			if g.MaxTemperatureC.Or(0) > g.SlowdownTemperatureC.Or(0) || g.SlowdownTemperatureC.Or(0) >= g.ShutdownTemperatureC.Or(0) {
				t.Errorf("thresholds %v, %v, %v", g.MaxTemperatureC, g.SlowdownTemperatureC, g.ShutdownTemperatureC)
			}
			for what, got := range map[string]struct{ is, has bool }{
				"fan": {g.FanPercent.Known(), m.has.fan}, "ECC": {g.ECCEnabled.Known(), m.has.ecc}, "MIG": {g.MIGEnabled.Known(), m.has.mig},
				"a memory sensor": {g.MemoryTemperatureC.Known(), m.has.memorySensor}, "confidential computing": {reading.Host.ConfidentialCompute.Known(), m.has.confidential},
			} {
				if got.is != got.has {
					t.Errorf("%s: %t, want %t", what, got.is, got.has)
				}
			}
			if !m.has.fan && g.FanPercent.Reason() != gpu.NotSupportedByGPU {
				t.Errorf("the fan is missing because %q", g.FanPercent.Reason())
			}
		})
	}
}

func TestACardCanBeAVariantOfItsModel(t *testing.T) {
	c := newClock()
	h, r := newHost(t, c, Card{UUID: "a", Name: h100, MemoryBytes: 96 << 30, PowerLimitWatts: 500})
	put(t, h, "a", training())
	c.pass(time.Minute)
	g := read(t, r).GPUs[0]
	if g.MemoryTotalBytes.Or(0) != 96<<30 || g.PowerLimitMilliwatts.Or(0) != 500_000 || g.PowerDefaultMilliwatts.Or(0) != 700_000 {
		t.Errorf("memory %v, limit %v of %v", g.MemoryTotalBytes, g.PowerLimitMilliwatts, g.PowerDefaultMilliwatts)
	}
	if p := float64(g.PowerMilliwatts.Or(0)); math.Abs(p-500_000) > 5_000 || g.ThrottleReasons.Or(0) != validator.ThrottlePowerCap || g.SMClockMHz.Or(0) > 1800 {
		t.Errorf("%g mW at %d MHz, throttled %#x; want it held at the lower limit", p, g.SMClockMHz.Or(0), g.ThrottleReasons.Or(0))
	}
}

func TestCardsOfOneHostAreApart(t *testing.T) {
	var cards []Card
	for _, uuid := range strings.Split("abcdefghij", "") {
		cards = append(cards, Card{UUID: uuid, Name: h100})
	}
	c := newClock()
	h, r := newHost(t, c, cards...)
	for _, card := range cards {
		put(t, h, card.UUID, Load{Utilization: 0.5})
	}
	c.pass(time.Minute)
	buses, power := map[string]bool{}, map[uint32]bool{}
	for i, g := range read(t, r).GPUs {
		if g.Index != i || len(g.PCIBusID.Or("")) != len("00000000:18:00.0") {
			t.Errorf("card %d has index %d and bus %q", i, g.Index, g.PCIBusID.Or(""))
		}
		buses[g.PCIBusID.Or("")], power[g.PowerMilliwatts.Or(0)] = true, true
	}
	if len(buses) != len(cards) || len(power) < len(cards)-1 {
		t.Errorf("%d buses and %d draws of %d cards", len(buses), len(power), len(cards))
	}
}

// Without a card that can take part, NVML tells of no confidential computing at all; beside
// one that can, it is off for all.
func TestConfidentialComputingIsTheHosts(t *testing.T) {
	_, r := newHost(t, newClock(), Card{UUID: "a", Name: l40s})
	if cc := read(t, r).GPUs[0].ConfidentialComputeActive; cc.Known() || cc.Reason() != gpu.NotSupportedByGPU {
		t.Errorf("active %v", cc)
	}
	_, r = newHost(t, newClock(), Card{UUID: "a", Name: l40s}, Card{UUID: "b", Name: h100})
	for _, g := range read(t, r).GPUs {
		if on, known := g.ConfidentialComputeActive.Get(); on || !known {
			t.Errorf("%s: active %v", g.UUID, g.ConfidentialComputeActive)
		}
	}
}

func TestWhatCannotBeSimulatedIsRefused(t *testing.T) {
	for why, cards := range map[string][]Card{
		"an unknown model": {{UUID: "a", Name: "GeForce"}}, "no UUID": {{Name: h100}}, "one UUID twice": {{UUID: "a", Name: h100}, {UUID: "a", Name: h100}},
		"too little memory": {{UUID: "a", Name: h100, MemoryBytes: 1}}, "too low a limit": {{UUID: "a", Name: h100, PowerLimitWatts: 100}}, "too high a limit": {{UUID: "a", Name: h100, PowerLimitWatts: 701}},
	} {
		if _, err := New(Config{Cards: cards}); err == nil {
			t.Errorf("%s was taken", why)
		}
	}
	_, err := New(Config{Cards: []Card{{UUID: "a", Name: "GeForce"}}})
	for name := range models {
		if !strings.Contains(err.Error(), name) {
			t.Errorf("the error does not list %s: %v", name, err)
		}
	}
	h, _ := newHost(t, newClock(), Card{UUID: "a", Name: h100})
	if err := h.SetLoad("other", training()); !errors.Is(err, ErrNoCard) {
		t.Errorf("a load on no card: %v", err)
	}
	for _, u := range []float64{-0.1, 1.1, math.NaN()} {
		if err := h.SetLoad("a", Load{Utilization: u}); err == nil {
			t.Errorf("a utilisation of %g was taken", u)
		}
	}
	if h.Usable("other") || !h.Usable("a") {
		t.Error("a card that is there can be used, one that is not cannot")
	}
}
