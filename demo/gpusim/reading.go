package gpusim

import (
	"fmt"
	"math"
	"time"

	"github.com/bitsage-network/validator-dashboard/gpu"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// pass is what one pass over the cards knows besides the card: how long the host runs,
// what it says of itself, and since when this Reader watches for XIDs.
type pass struct {
	since   time.Duration
	host    validator.GPUHost
	watched time.Time
}

// read is the card as NVML shows it, and whether the driver lists it at all.
func (c *card) read(p pass) (validator.GPU, bool) {
	g := validator.GPU{Index: c.index, UUID: c.UUID, XIDsWatchedSince: validator.Some(p.watched)}
	c.readLasting(&g)
	if c.lostAt(p.since) {
		lose(&g)
		return g, p.since < c.FallsOffBusAfter+listedAfterLoss
	}
	c.readLoad(&g)
	c.readHeat(&g)
	c.readClocks(&g)
	c.readErrors(&g)
	g.PCIeGeneration, g.PCIeWidth = g.PCIeGenerationMax, g.PCIeWidthMax
	g.ConfidentialComputeActive = validator.Map(p.host.ConfidentialCompute, func(cc validator.ConfidentialCompute) bool { return cc.Enabled })
	return g, true
}

// lose leaves of a GPU what NVML's reader keeps of one that fell off the bus: what does
// not change. Each other field is missing because the GPU is lost.
func lose(g *validator.GPU) {
	g.Fault = validator.Some(validator.FaultLost)
	for _, f := range []interface{ set(string) }{
		field(&g.MemoryTotalBytes), field(&g.MemoryUsedBytes), field(&g.MemoryReservedBytes),
		field(&g.UtilizationPercent), field(&g.MemoryActivityPercent), field(&g.EncoderPercent), field(&g.DecoderPercent),
		field(&g.TemperatureC), field(&g.MemoryTemperatureC), field(&g.FanPercent),
		field(&g.PowerMilliwatts), field(&g.PowerLimitMilliwatts), field(&g.EnergyMillijoules),
		field(&g.SMClockMHz), field(&g.MemoryClockMHz), field(&g.PerformanceState), field(&g.ThrottleReasons),
		field(&g.ECCEnabled), field(&g.ECCCorrectedVolatile), field(&g.ECCUncorrectedVolatile), field(&g.ECCUncorrectedAggregate), field(&g.RetiredPages),
		field(&g.PCIeGeneration), field(&g.PCIeWidth), field(&g.Processes), field(&g.ProcessCount), field(&g.MIGEnabled), field(&g.ConfidentialComputeActive),
	} {
		f.set(validator.FaultLost)
	}
}

type missing[T any] struct{ of *validator.Maybe[T] }

func field[T any](of *validator.Maybe[T]) missing[T] { return missing[T]{of} }

func (m missing[T]) set(reason string) { *m.of = validator.None[T](reason) }

// only returns a value where the model has the feature, and else what NVML says.
func only[T any](has bool, v T) validator.Maybe[T] {
	if !has {
		return validator.None[T](gpu.NotSupportedByGPU)
	}
	return validator.Some(v)
}

// buses are where the eight modules of an HGX H100 board commonly are; a host with more
// cards has them in further domains.
var buses = [...]int{0x18, 0x2A, 0x3A, 0x5D, 0x9A, 0xAB, 0xBA, 0xDB}

func (c *card) readLasting(g *validator.GPU) {
	m := c.model
	g.Name = validator.Some(c.Name)
	g.PCIBusID = validator.Some(fmt.Sprintf("%08X:%02X:00.0", c.index/len(buses), buses[c.index%len(buses)]))
	g.VBIOS = validator.Some("00.00.00.00.00") // of no real board
	g.SlowdownTemperatureC = validator.Some(int(m.slowdownC))
	g.ShutdownTemperatureC = validator.Some(int(m.shutdownC))
	g.MaxTemperatureC = validator.Some(int(m.maxC))
	g.PowerDefaultMilliwatts = validator.Some(milli(m.powerLimitWatts))
	g.SMClockMaxMHz, g.MemoryClockMaxMHz = validator.Some(uint32(m.smClockMHz)), validator.Some(m.memoryClockMHz)
	const lanes = 16
	g.PCIeGenerationMax, g.PCIeWidthMax = validator.Some(m.pcieGeneration), validator.Some(lanes)
}

func milli(v float64) uint32 { return uint32(math.Round(v * 1000)) }

func (c *card) readLoad(g *validator.GPU) {
	m := c.model
	const memoryActivity = 0.62 // of the time in which a kernel runs, memory is read or written
	percent := func(share float64) uint32 { return uint32(math.Round(share * 100)) }
	g.UtilizationPercent = validator.Some(percent(c.busy))
	g.MemoryActivityPercent = validator.Some(percent(c.busy * memoryActivity))
	g.EncoderPercent, g.DecoderPercent = only[uint32](m.has.videoEncoders, 0), validator.Some[uint32](0)
	g.MemoryTotalBytes, g.MemoryReservedBytes = validator.Some(m.memoryBytes), validator.Some(m.reservedBytes)
	g.MemoryUsedBytes = validator.Some(uint64(min(c.memoryBytes, float64(m.memoryBytes-m.reservedBytes))))
	g.MIGEnabled = only(m.has.mig, false)
	running := []validator.GPUProcess{}
	if c.load.Process != "" {
		running = append(running, validator.GPUProcess{PID: c.load.PID, Name: validator.Some(c.load.Process), MemoryBytes: g.MemoryUsedBytes, Compute: true})
	}
	g.Processes, g.ProcessCount = validator.Some(running), validator.Some(len(running))
}

func (c *card) readHeat(g *validator.GPU) {
	m := c.model
	g.TemperatureC = validator.Some(int(math.Round(c.dieC)))
	g.MemoryTemperatureC = only(m.has.memorySensor, int(math.Round(c.memoryC)))
	g.PowerMilliwatts, g.PowerLimitMilliwatts = validator.Some(milli(c.watts)), validator.Some(milli(c.limitWatts))
	g.EnergyMillijoules = validator.Some(uint64(c.energyJ * 1000))
	// The fan stands still while the card is cool, as on cards with a fan stop.
	const starts, slowest, full = 50.0, 30.0, 90.0 // °C, percent, °C
	var fan uint32
	if c.dieC > starts {
		fan = uint32(slowest + (100-slowest)*min((c.dieC-starts)/(full-starts), 1))
	}
	g.FanPercent = only(m.has.fan, fan)
}

func (c *card) readClocks(g *validator.GPU) {
	const (
		fastest, idleState = 0, 8
		clockStep          = 15 // MHz: clocks move in steps
	)
	m := c.model
	state, sm, memory := fastest, math.Floor(m.smClockMHz*c.heat*c.capped/clockStep)*clockStep, m.memoryClockMHz
	if c.idle() {
		state, sm, memory = idleState, m.smClockIdleMHz, m.memoryIdleMHz
	}
	g.PerformanceState = validator.Some(state)
	g.SMClockMHz, g.MemoryClockMHz = validator.Some(uint32(sm)), validator.Some(memory)
	g.ThrottleReasons = validator.Some(c.throttle())
}

func (c *card) readErrors(g *validator.GPU) {
	ecc := c.model.has.ecc
	g.ECCEnabled = only(ecc, true)
	g.ECCCorrectedVolatile, g.ECCUncorrectedVolatile, g.ECCUncorrectedAggregate = only[uint64](ecc, 0), only[uint64](ecc, 0), only[uint64](ecc, 0)
	g.RetiredPages = only[uint32](ecc, 0)
}
