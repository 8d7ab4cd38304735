package gpusim

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/bitsage-network/validator-dashboard/gpu"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// The surroundings, and how fast a card follows them.
const (
	airC             = 27.0
	loadTau          = 1.5  // seconds in which utilisation follows a job
	memoryTau        = 3.0  // seconds in which memory follows it
	thermalTau       = 38.0 // seconds in which the die follows its power
	memoryOverDieC   = 6.0  // how much hotter the memory is under full power
	utilisationNoise = 0.03
	peakOverLimit    = 1.06 // what a full load would draw without the limit

	coolingFailsFrom = 20 * time.Second
	coolingFailsIn   = 25 * time.Second
	coolingFailsBy   = 1.2 // the resistance grows by this share

	// The thermal controller holds the die at the slowdown temperature.
	controllerGain    = 0.02 // of the clock, a second and a kelvin too many
	controllerRelease = 0.015
	lowestClockShare  = 0.35
	hardwareMarginC   = 0.8 // above the slowdown temperature the hardware steps in too
)

// card is a simulated GPU and its state.
type card struct {
	Card

	model   model
	index   int
	noise   *rand.Rand
	load    Load
	xidTold bool

	utilization float64 // 0 to 1
	memoryBytes float64
	watts       float64
	dieC        float64
	heat        float64 // share of the clock that the thermal controller leaves, 1 while cool
	capped      float64 // share of the clock that the power limit leaves
	energyJ     float64
}

func newCard(c Card, m model, index int, seed uint64) *card {
	noise := rand.New(rand.NewPCG(seed, uint64(index)+1)) //nolint:gosec // noise that can be repeated
	return &card{
		Card: c, model: m, index: index, noise: noise, watts: m.idleWatts, heat: 1, capped: 1,
		dieC: airC + m.resistance*m.idleWatts, energyJ: 4e9 * (1 + noise.Float64()),
	}
}

func (c *card) lostAt(since time.Duration) bool {
	return c.FallsOffBusAfter > 0 && since >= c.FallsOffBusAfter
}

// step simulates dt, which ends at a time since the start.
func (c *card) step(dt, since time.Duration) {
	if c.lostAt(since) {
		return
	}
	s := dt.Seconds()
	c.utilization += (c.load.Utilization - c.utilization) * follow(s, loadTau)
	c.memoryBytes += (float64(c.load.MemoryBytes) - c.memoryBytes) * follow(s, memoryTau)
	c.draw()
	c.warm(s, since)
	c.energyJ += c.watts * s
}

// follow is how much of the way to its goal a value goes in some seconds.
func follow(seconds, tau float64) float64 { return 1 - math.Exp(-seconds/tau) }

// draw sets power and what the power limit leaves of the clock. Power falls faster than the
// clock, since voltage falls with it.
func (c *card) draw() {
	const powerOfClock = 2.2
	span := c.model.powerLimitWatts*peakOverLimit - c.model.idleWatts
	busy := min(max(c.utilization+(c.noise.Float64()-0.5)*utilisationNoise*c.utilization, 0), 1)
	wanted := span * busy * math.Pow(c.heat, powerOfClock)
	room := c.model.powerLimitWatts - c.model.idleWatts
	c.capped = 1
	if wanted > room {
		c.capped = math.Pow(room/wanted, 1/powerOfClock)
		wanted = room
	}
	c.watts = c.model.idleWatts + wanted
}

// warm moves the die towards the temperature that its power leads to, and the thermal
// controller with it.
func (c *card) warm(seconds float64, since time.Duration) {
	goal := airC + c.resistance(since)*c.watts
	c.dieC += (goal - c.dieC) * follow(seconds, thermalTau)
	if over := c.dieC - c.model.slowdownC; over >= 0 {
		c.heat = max(c.heat-controllerGain*(1+over)*seconds, lowestClockShare)
	} else {
		c.heat = min(c.heat+controllerRelease*min(-over, 4)*seconds, 1)
	}
}

// resistance grows while the cooling of a card that overheats fails.
func (c *card) resistance(since time.Duration) float64 {
	if !c.Overheats || since < coolingFailsFrom {
		return c.model.resistance
	}
	failed := min(float64(since-coolingFailsFrom)/float64(coolingFailsIn), 1)
	return c.model.resistance * (1 + coolingFailsBy*failed)
}

func (c *card) throttle() validator.ThrottleReasons {
	var r validator.ThrottleReasons
	if c.utilization < 0.01 {
		r |= validator.ThrottleGPUIdle
	}
	if c.capped < 1 {
		r |= validator.ThrottlePowerCap
	}
	if c.heat < 1 {
		r |= validator.ThrottleSWThermal
	}
	if c.dieC >= c.model.slowdownC+hardwareMarginC {
		r |= validator.ThrottleHWThermal | validator.ThrottleHWSlowdown
	}
	return r
}

// read is the card as NVML shows it, and whether the driver lists it at all.
func (c *card) read(since time.Duration, start time.Time) (validator.GPU, bool) {
	g := validator.GPU{Index: c.index, UUID: c.UUID}
	if c.lostAt(since) {
		g.Fault = validator.Some(gpu.FaultLost)
		return g, since < c.FallsOffBusAfter+listedAfterLoss
	}
	c.readLasting(&g, start)
	c.readLoad(&g)
	c.readHeat(&g)
	return g, true
}

func (c *card) readLasting(g *validator.GPU, start time.Time) {
	m := c.model
	const firstBus, lanes = 0x18, 16
	g.Name = validator.Some(c.Name)
	g.PCIBusID = validator.Some(fmt.Sprintf("00000000:%02X:00.0", firstBus+0x22*c.index))
	g.SlowdownTemperatureC, g.ShutdownTemperatureC, g.MaxTemperatureC = validator.Some(int(m.slowdownC)), validator.Some(int(m.shutdownC)), validator.Some(int(m.maxC))
	g.PowerLimitMilliwatts, g.PowerDefaultMilliwatts = validator.Some(milli(m.powerLimitWatts)), validator.Some(milli(m.powerLimitWatts))
	g.SMClockMaxMHz, g.MemoryClockMaxMHz = validator.Some(uint32(m.smClockMHz)), validator.Some(m.memoryClockMHz)
	g.PCIeGeneration, g.PCIeGenerationMax = validator.Some(m.pcieGeneration), validator.Some(m.pcieGeneration)
	g.PCIeWidth, g.PCIeWidthMax = validator.Some(lanes), validator.Some(lanes)
	g.MIGEnabled, g.ECCEnabled = validator.Some(false), validator.Some(true)
	g.ECCCorrectedVolatile, g.ECCUncorrectedVolatile, g.ECCUncorrectedAggregate = validator.Some[uint64](0), validator.Some[uint64](0), validator.Some[uint64](0)
	g.RetiredPages = validator.Some[uint32](0)
	g.XIDsWatchedSince = validator.Some(start)
	g.ConfidentialComputeActive = validator.None[bool](gpu.NotSupportedByGPU)
	if m.hasConfidential {
		g.ConfidentialComputeActive = validator.Some(false)
	}
}

func milli(v float64) uint32 { return uint32(math.Round(v * 1000)) }

func (c *card) readLoad(g *validator.GPU) {
	m := c.model
	percent := func(share float64) uint32 { return uint32(math.Round(min(max(share, 0), 1) * 100)) }
	jitter := 1 + (c.noise.Float64()-0.5)*utilisationNoise
	g.UtilizationPercent = validator.Some(percent(c.utilization * jitter))
	g.MemoryActivityPercent = validator.Some(percent(c.utilization * jitter * 0.62))
	g.EncoderPercent, g.DecoderPercent = validator.Some[uint32](0), validator.Some[uint32](0)
	g.MemoryTotalBytes, g.MemoryReservedBytes = validator.Some(m.memoryBytes), validator.Some(m.reservedBytes)
	g.MemoryUsedBytes = validator.Some(uint64(min(max(c.memoryBytes, 0), float64(m.memoryBytes-m.reservedBytes))))
	var running []validator.GPUProcess
	if c.load.Process != "" {
		running = append(running, validator.GPUProcess{PID: c.load.PID, Name: validator.Some(c.load.Process), MemoryBytes: g.MemoryUsedBytes})
	}
	g.Processes = validator.Some(running)
}

func (c *card) readHeat(g *validator.GPU) {
	m := c.model
	g.TemperatureC = validator.Some(int(math.Round(c.dieC)))
	g.MemoryTemperatureC = validator.Some(int(math.Round(c.dieC + memoryOverDieC*c.watts/m.powerLimitWatts)))
	g.PowerMilliwatts = validator.Some(milli(c.watts))
	g.EnergyMillijoules = validator.Some(uint64(c.energyJ * 1000))
	busy := c.utilization >= 0.01
	state, sm, memory := 8, m.smClockIdleMHz, m.memoryIdleMHz
	if busy {
		const clockStep = 15 // clocks move in steps
		state, memory = 0, m.memoryClockMHz
		sm = math.Floor(m.smClockMHz*min(c.heat, c.capped)/clockStep) * clockStep
	}
	g.PerformanceState = validator.Some(state)
	g.SMClockMHz, g.MemoryClockMHz = validator.Some(uint32(sm)), validator.Some(memory)
	g.FanPercent = validator.None[uint32](gpu.NotSupportedByGPU)
	if m.hasFan {
		const slowest, from, span = 30.0, 40.0, 50.0
		g.FanPercent = validator.Some(uint32(slowest + (100-slowest)*min(max((c.dieC-from)/span, 0), 1)))
	}
	g.ThrottleReasons = validator.Some(c.throttle())
}
