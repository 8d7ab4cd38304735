package gpusim

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// The surroundings, and how fast a card follows them.
const (
	airC           = 27.0
	loadTau        = 1.5  // seconds in which utilisation follows a job
	memoryTau      = 3.0  // seconds in which a job takes its memory
	thermalTau     = 40.0 // seconds in which the die follows its power
	memoryHeatTau  = 20.0 // seconds in which the memory follows the die
	memoryOverDieC = 6.0

	busyNoise     = 0.03  // of the load, from end to end
	powerNoise    = 0.008 // of the draw, from end to end: the regulator and its sensor
	peakOverLimit = 1.06  // what a full load would draw without the limit, of the default limit
	idleBelow     = 0.01  // of utilisation

	coolingFailsFrom = 20 * time.Second
	coolingFailsIn   = 10 * time.Second
	coolingFailsBy   = 1.6 // the resistance grows by this share
)

// The thermal controller takes clock away in proportion to how far the die is above where
// the driver begins to slow it, and to how long it was above its slowdown temperature. With
// the die's time constant and what the clock is worth in heat (some 180 kelvin), the die
// settles at that temperature within seconds, without swinging.
const (
	softwareFromC    = 2.0   // below the slowdown temperature the driver begins
	controllerShare  = 0.05  // of the clock a kelvin
	controllerGather = 0.005 // of the clock a kelvin and second
	lowestClockShare = 0.35

	// powerOfClock is how fast power falls with the clock: voltage falls with it.
	powerOfClock = 2.2

	hardwareLetsGoC = 2.0 // below the slowdown temperature the hardware stops slowing
)

// card is a simulated GPU and its state.
type card struct {
	Card

	model       model
	index       int
	limitWatts  float64
	seed        uint64
	noise       *rand.PCG
	load        Load
	xidReported bool

	utilization float64 // what the job has come to, 0 to 1
	busy        float64 // the same with its noise
	memoryBytes float64
	watts       float64
	dieC        float64
	memoryC     float64
	gathered    float64 // what the controller has gathered, share of the clock
	heat        float64 // share of the clock that the thermal controller leaves, 1 while cool
	capped      float64 // share of that which the power limit leaves
	slowed      bool    // by the hardware, for heat
	energyJ     float64
}

func newCard(c Card, m model, index int, seed uint64) *card {
	limit := m.powerLimitWatts
	if c.PowerLimitWatts != 0 {
		limit = c.PowerLimitWatts
	}
	die := airC + m.resistance*m.idleWatts
	s := &card{
		Card: c, model: m, index: index, limitWatts: limit, seed: seed + uint64(index)<<32, noise: rand.NewPCG(0, 0),
		watts: m.idleWatts, heat: 1, capped: 1, dieC: die, memoryC: die + memoryOverDieC,
	}
	const earlier = 4e9 // joules since the driver was loaded: some months of light work
	s.energyJ = earlier * (1 + s.random(0)())
	return s
}

// random returns numbers from 0 to 1 that depend on the seed, the card and the tick only,
// so that the readings of a moment do not depend on how often the card was read before.
func (c *card) random(tick int64) func() float64 {
	c.noise.Seed(c.seed, uint64(tick))
	r := rand.New(c.noise) //nolint:gosec // noise that can be repeated
	return r.Float64
}

func (c *card) lostAt(since time.Duration) bool {
	return c.FallsOffBusAfter > 0 && since >= c.FallsOffBusAfter
}

// step simulates the tick that ends at a time since the start.
func (c *card) step(tick int64, since time.Duration) {
	if c.lostAt(since) {
		return
	}
	const s = float64(tickLength) / float64(time.Second)
	c.utilization += (c.load.Utilization - c.utilization) * follow(s, loadTau)
	if wanted := float64(c.load.MemoryBytes); wanted > c.memoryBytes {
		c.memoryBytes += (wanted - c.memoryBytes) * follow(s, memoryTau)
	} else {
		c.memoryBytes = wanted // a process that ends gives all back at once
	}
	c.draw(c.random(tick))
	c.warm(s, since)
	c.energyJ += c.watts * s
}

// follow is how much of the way to its goal a value goes in some seconds.
func follow(seconds, tau float64) float64 { return 1 - math.Exp(-seconds/tau) }

// draw sets power and what the power limit leaves of the clock.
func (c *card) draw(random func() float64) {
	c.busy = min(max(c.utilization*(1+(random()-0.5)*busyNoise), 0), 1)
	span := c.model.powerLimitWatts*peakOverLimit - c.model.idleWatts
	wanted := span * c.busy * math.Pow(c.heat, powerOfClock)
	room := c.limitWatts - c.model.idleWatts
	c.capped = 1
	if wanted > room {
		c.capped = math.Pow(room/wanted, 1/powerOfClock)
		wanted = room
	}
	c.watts = (c.model.idleWatts + wanted) * (1 + (random()-0.5)*powerNoise)
}

// warm moves the temperatures towards where the power leads them, and the thermal
// controller with them.
func (c *card) warm(seconds float64, since time.Duration) {
	goal := airC + c.resistance(since)*c.watts
	c.dieC += (goal - c.dieC) * follow(seconds, thermalTau)
	c.memoryC += (c.dieC + memoryOverDieC - c.memoryC) * follow(seconds, memoryHeatTau)

	over := c.dieC - c.model.slowdownC
	c.gathered = min(max(c.gathered+controllerGather*over*seconds, 0), 1-lowestClockShare)
	c.heat = max(1-controllerShare*max(over+softwareFromC, 0)-c.gathered, lowestClockShare)
	c.slowed = over >= 0 || c.slowed && over >= -hardwareLetsGoC
}

// resistance grows while the cooling of a card that overheats fails.
func (c *card) resistance(since time.Duration) float64 {
	if !c.Overheats || since < coolingFailsFrom {
		return c.model.resistance
	}
	failed := min(float64(since-coolingFailsFrom)/float64(coolingFailsIn), 1)
	return c.model.resistance * (1 + coolingFailsBy*failed)
}

func (c *card) idle() bool { return c.utilization < idleBelow }

func (c *card) throttle() validator.ThrottleReasons {
	var r validator.ThrottleReasons
	if c.idle() {
		r |= validator.ThrottleGPUIdle
	}
	if c.capped < 1 {
		r |= validator.ThrottlePowerCap
	}
	if c.heat < 1 {
		r |= validator.ThrottleSWThermal
	}
	if c.slowed {
		r |= validator.ThrottleHWThermal | validator.ThrottleHWSlowdown
	}
	return r
}
