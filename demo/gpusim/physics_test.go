package gpusim

import (
	"maps"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bitsage-network/validator-dashboard/validator"
)

const thermalBits = validator.ThrottleSWThermal | validator.ThrottleHWThermal | validator.ThrottleHWSlowdown

func anyModel(t *rapid.T) string {
	return rapid.SampledFrom(slices.Sorted(maps.Keys(models))).Draw(t, "model")
}

// checkReading checks what holds in every reading of a card that works.
func checkReading(t *rapid.T, c *card, g validator.GPU) {
	limit, watts := float64(g.PowerLimitMilliwatts.Or(0)), float64(g.PowerMilliwatts.Or(0))
	if watts <= 0 || watts > limit*1.02 {
		t.Fatalf("%g of at most %g mW", watts, limit)
	}
	if used := g.MemoryUsedBytes.Or(0); used+g.MemoryReservedBytes.Or(0) > g.MemoryTotalBytes.Or(0) {
		t.Fatalf("%d bytes used", used)
	}
	if g.TemperatureC.Or(0) >= g.ShutdownTemperatureC.Or(0) || g.TemperatureC.Or(0) < airC {
		t.Fatalf("%d °C", g.TemperatureC.Or(0))
	}
	if sm := g.SMClockMHz.Or(0); sm == 0 || sm > g.SMClockMaxMHz.Or(0) || g.MemoryClockMHz.Or(0) > g.MemoryClockMaxMHz.Or(0) {
		t.Fatalf("%d MHz", sm)
	}
	if g.UtilizationPercent.Or(101) > 100 || g.MemoryActivityPercent.Or(101) > g.UtilizationPercent.Or(0) || g.FanPercent.Or(0) > 100 {
		t.Fatalf("%v, %v, %v", g.UtilizationPercent, g.MemoryActivityPercent, g.FanPercent)
	}
	r, over := g.ThrottleReasons.Or(0), c.dieC-c.model.slowdownC
	for what, rule := range map[string]bool{
		"the power cap only at the limit":         r&validator.ThrottlePowerCap == 0 || watts >= limit*0.99,
		"the power cap whenever at the limit":     r&validator.ThrottlePowerCap != 0 || watts <= limit*1.005,
		"the driver slows from near the limit on": (r&validator.ThrottleSWThermal != 0) == (over > -softwareFromC || c.gathered > 0),
		"the hardware slows at the limit":         over < 0 || r&validator.ThrottleHWThermal != 0,
		"the hardware slows near the limit only":  over >= -hardwareLetsGoC || r&validator.ThrottleHWThermal == 0,
		"thermal slowing costs clock":             r&validator.ThrottleSWThermal == 0 || c.idle() || g.SMClockMHz.Or(0) < g.SMClockMaxMHz.Or(0),
		"idle in a slow state, fast under load":   r&validator.ThrottleGPUIdle != 0 == (g.PerformanceState.Or(0) == 8) && r&validator.ThrottleGPUIdle == 0 == (g.PerformanceState.Or(8) == 0),
		"no thermal slowing of a cool card":       over > -20 || r&thermalBits == 0,
	} {
		if !rule {
			t.Fatalf("broken: %s (%.2f K over, %g of %g mW, %#x, heat %.3f, gathered %.4f)", what, over, watts, limit, r, c.heat, c.gathered)
		}
	}
}

func TestEveryReadingIsPhysical(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		h, err := New(Config{
			Cards: []Card{{UUID: "a", Name: anyModel(t), Overheats: rapid.Bool().Draw(t, "overheats")}},
			Seed:  rapid.Uint64().Draw(t, "seed"), Clock: c.time,
		})
		if err != nil {
			t.Fatal(err)
		}
		r, _ := h.Open()
		energy := uint64(0)
		for range rapid.IntRange(1, 40).Draw(t, "readings") {
			put(t, h, "a", Load{Utilization: rapid.Float64Range(0, 1).Draw(t, "load"), MemoryBytes: rapid.Uint64Range(0, 1<<40).Draw(t, "memory")})
			c.pass(time.Duration(rapid.IntRange(1, 60_000).Draw(t, "pause in ms")) * time.Millisecond)
			g := read(t, r).GPUs[0]
			checkReading(t, h.cards[0], g)
			if e := g.EnergyMillijoules.Or(0); e < energy {
				t.Fatal("the energy counter went back")
			} else {
				energy = e
			}
		}
	})
}

func TestEnergyIsTheIntegralOfPower(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		h, r := newHost(t, c, Card{UUID: "a", Name: anyModel(t), Overheats: rapid.Bool().Draw(t, "overheats")})
		put(t, h, "a", Load{Utilization: rapid.Float64Range(0, 1).Draw(t, "load")})
		before := read(t, r).GPUs[0].EnergyMillijoules.Or(0)
		var millijoules float64
		const ticks = 400
		for range ticks {
			c.pass(tickLength)
			millijoules += float64(read(t, r).GPUs[0].PowerMilliwatts.Or(0)) * tickLength.Seconds()
		}
		counted := float64(read(t, r).GPUs[0].EnergyMillijoules.Or(0) - before)
		if math.Abs(counted-millijoules) > ticks { // each power is rounded to a milliwatt
			t.Fatalf("counted %g mJ, the power's integral is %g", counted, millijoules)
		}
	})
}

func TestTemperatureGoesToItsEquilibrium(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		h, r := newHost(t, c, Card{UUID: "a", Name: anyModel(t)})
		put(t, h, "a", Load{Utilization: rapid.Float64Range(0, 1).Draw(t, "load before")})
		c.pass(time.Duration(rapid.IntRange(0, 300).Draw(t, "for seconds")) * time.Second)
		load := Load{Utilization: rapid.Float64Range(0, 1).Draw(t, "load")}
		put(t, h, "a", load)
		c.pass(10 * time.Second) // the job has come to its load
		read(t, r)

		other := newClock()
		settled, rs := newHost(t, other, Card{UUID: "a", Name: h.cards[0].Name})
		put(t, settled, "a", load)
		other.pass(15 * time.Minute)
		read(t, rs)
		goal := settled.cards[0].dieC

		distance := math.Abs(h.cards[0].dieC - goal)
		const noise = 0.7 // kelvin that load and power wander around the equilibrium
		for range 150 {
			c.pass(2 * time.Second)
			read(t, r)
			now := math.Abs(h.cards[0].dieC - goal)
			if now > max(distance, noise) {
				t.Fatalf("it went from %.2f to %.2f K off its equilibrium of %.1f °C", distance, now, goal)
			}
			distance = now
		}
		if distance > noise {
			t.Fatalf("after five minutes it is %.2f K off its equilibrium of %.1f °C", distance, goal)
		}
	})
}

func TestLoadShowsWithinSeconds(t *testing.T) {
	c := newClock()
	h, r := newHost(t, c, Card{UUID: "a", Name: h100})
	g := read(t, r).GPUs[0]
	if w := g.PowerMilliwatts.Or(0); w < 65_000 || w > 80_000 || g.PerformanceState.Or(-1) != 8 || g.ThrottleReasons.Or(0) != validator.ThrottleGPUIdle {
		t.Errorf("idle: %d mW, P%d, %#x", w, g.PerformanceState.Or(-1), g.ThrottleReasons.Or(0))
	}
	put(t, h, "a", training())
	c.pass(15 * time.Second)
	g = read(t, r).GPUs[0]
	if g.UtilizationPercent.Or(0) < 95 || g.MemoryUsedBytes.Or(0) < 11<<30 || g.PowerMilliwatts.Or(0) < 690_000 || g.PerformanceState.Or(-1) != 0 {
		t.Errorf("busy: %d %%, %d bytes, %d mW, P%d", g.UtilizationPercent.Or(0), g.MemoryUsedBytes.Or(0), g.PowerMilliwatts.Or(0), g.PerformanceState.Or(-1))
	}
	if p := g.Processes.Or(nil); len(p) != 1 || p[0].PID != 4242 || p[0].Name.Or("") != "python3" || p[0].MemoryBytes != g.MemoryUsedBytes {
		t.Errorf("processes %+v", p)
	}
	if sm := g.SMClockMHz.Or(0); sm < 1850 || sm >= 1980 || g.ThrottleReasons.Or(0) != validator.ThrottlePowerCap {
		t.Errorf("at its power limit: %d MHz, %#x; want somewhat less than the highest", sm, g.ThrottleReasons.Or(0))
	}
	put(t, h, "a", Load{})
	c.pass(10 * time.Second)
	g = read(t, r).GPUs[0]
	if p, known := g.Processes.Get(); !known || len(p) != 0 || g.MemoryUsedBytes.Or(1) != 0 || g.PerformanceState.Or(-1) != 8 {
		t.Errorf("idle again: %+v, %d bytes, P%d", g.Processes, g.MemoryUsedBytes.Or(1), g.PerformanceState.Or(-1))
	}
}

// A card whose cooling fails comes to its slowdown temperature within about a minute, is
// held there without swinging, and recovers once its load is gone.
func TestACardThatOverheatsIsHeldAtItsLimit(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(models)) {
		for _, idle := range []time.Duration{0, 5 * time.Minute} {
			t.Run(name+" after "+idle.String(), func(t *testing.T) {
				c := newClock()
				h, r := newHost(t, c, Card{UUID: "a", Name: name, Overheats: true})
				c.pass(idle)
				if r := read(t, r).GPUs[0].ThrottleReasons.Or(0); r.Slowed() {
					t.Fatalf("slowed without a load: %#x", r)
				}
				put(t, h, "a", training())
				at := func(g validator.GPU) bool { return g.TemperatureC.Or(0) >= g.SlowdownTemperatureC.Or(0) }
				took := time.Duration(0)
				for ; took < 2*time.Minute && !at(read(t, r).GPUs[0]); took += time.Second {
					c.pass(time.Second)
				}
				if took < 35*time.Second || took > 65*time.Second {
					t.Errorf("it came to its slowdown temperature after %s", took)
				}
				c.pass(30 * time.Second)
				lowest, highest := math.Inf(1), 0.0
				for range 120 {
					c.pass(time.Second)
					g := read(t, r).GPUs[0]
					watts := float64(g.PowerMilliwatts.Or(0)) / 1000
					lowest, highest = min(lowest, watts), max(highest, watts)
					if d := g.TemperatureC.Or(0) - g.SlowdownTemperatureC.Or(0); d < -1 || d > 1 {
						t.Fatalf("%d kelvin off its limit", d)
					}
					if r := g.ThrottleReasons.Or(0); r&thermalBits != thermalBits || r&validator.ThrottlePowerCap != 0 {
						t.Fatalf("throttled by %#x", r)
					}
				}
				limit := h.cards[0].limitWatts
				if highest > 0.85*limit || highest-lowest > 0.1*limit {
					t.Errorf("it draws from %g to %g W of %g", lowest, highest, limit)
				}
				put(t, h, "a", Load{})
				c.pass(time.Minute)
				g := read(t, r).GPUs[0]
				if g.ThrottleReasons.Or(0).Slowed() || g.TemperatureC.Or(0) > g.SlowdownTemperatureC.Or(0)-20 {
					t.Errorf("a minute after its load: %d °C, %#x", g.TemperatureC.Or(0), g.ThrottleReasons.Or(0))
				}
			})
		}
	}
}
