package validator

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
)

// Speaker is who said a value that cannot be, in a sentence.
type Speaker string

// The speakers.
const (
	Driver Speaker = "the driver"
	Worker Speaker = "the worker"
)

// said is the reason why there is no value where an impossible one was given.
func (s Speaker) said(what string) string { return string(s) + " said " + what }

// Bound is what a quantity of a GPU can be: wide enough for cards to come, and narrow enough
// for what only a fault makes. Low and High are in the field's own unit, inclusive.
type Bound struct {
	Low, High float64
	Unit      string  // in which people read it
	Per       float64 // the field's units in one Unit
	never     []float64
}

// The bounds of every quantity that a GPU has, and the only ones: the reader of this host's
// GPUs, reports of other hosts and sums in the database keep to them.
//
// NVML marks a value that it does not have by NVML_VALUE_NOT_AVAILABLE, which is -1 in the
// type of the field: all of its bits set. Drivers were seen to answer so with success, and
// with figures in the thousands for a percentage (DCGM issue 199, dcgm-exporter issue 418).
// A percentage is a share of time (nvmlUtilization_t); a fan's may exceed 100
// (nvmlDeviceGetFanSpeed). Of the cards that are sold the GB300 draws most, 1.4 kW, and has
// most memory, 288 GB.
var (
	BoundPercent      = Bound{Low: 0, High: 100, Unit: "%", Per: 1}
	BoundFanPercent   = Bound{Low: 0, High: 200, Unit: "%", Per: 1}
	BoundTemperature  = Bound{Low: -50, High: 200, Unit: "°C", Per: 1, never: []float64{-1}}
	BoundThreshold    = Bound{Low: 1, High: 200, Unit: "°C", Per: 1} // 0 stands for none on some cards
	BoundPower        = Bound{Low: 0, High: 20_000_000, Unit: "W", Per: 1000}
	BoundPowerLimit   = Bound{Low: 1, High: 20_000_000, Unit: "W", Per: 1000}
	BoundEnergy       = Bound{Low: 0, High: 20_000_000 * 20 * 365 * 86_400, Unit: "J", Per: 1000} // twenty years of that power
	BoundClock        = Bound{Low: 0, High: 100_000, Unit: "MHz", Per: 1}
	BoundClockMaximum = Bound{Low: 1, High: 100_000, Unit: "MHz", Per: 1}
	BoundMemory       = Bound{Low: 0, High: 1 << 50, Unit: "GiB", Per: 1 << 30}
	BoundMemoryTotal  = Bound{Low: 1, High: 1 << 50, Unit: "GiB", Per: 1 << 30} // 0 where card and host share theirs, as GB10
	BoundErrors       = Bound{Low: 0, High: 1e15, Per: 1, never: []float64{math.MaxUint32}}
	BoundRetired      = Bound{Low: 0, High: 1e6, Per: 1}     // pages or rows; cards have spares for some hundreds
	BoundProcesses    = Bound{Low: 0, High: 1 << 22, Per: 1} // Linux has no more PIDs (PID_MAX_LIMIT)
	BoundPState       = Bound{Low: 0, High: 15, Per: 1}      // nvmlPstates_t, but for its "unknown"
	BoundPCIeGen      = Bound{Low: 1, High: 15, Per: 1}
	BoundPCIeWidth    = Bound{Low: 1, High: 64, Per: 1}
	BoundThrottle     = Bound{Low: 0, High: 1 << 62, Per: 1, never: []float64{math.MaxUint32}} // a mask; 32 unused bits at once are no reasons
)

// Holds reports whether a quantity can be what was given, in the field's own unit.
func (b Bound) Holds(v float64) bool {
	return v >= b.Low && v <= b.High && !slices.Contains(b.never, v)
}

// Said is the reason why there is no value where an impossible one was given.
func (b Bound) Said(by Speaker, v float64) string { return b.said(by, decimal(v/cmp.Or(b.Per, 1))) }

func (b Bound) said(by Speaker, number string) string {
	return by.said(strings.TrimSpace(number + " " + b.Unit))
}

// quantity is the type of a field that a Bound is for.
type quantity interface {
	~int | ~uint32 | ~uint64
}

// Within returns a value that can be, or else says who gave which that cannot.
func Within[T quantity](m Maybe[T], b Bound, by Speaker) Maybe[T] {
	v, known := m.Get()
	switch {
	case !known || b.Holds(float64(v)):
		return m
	case b.Per != 1:
		return None[T](b.Said(by, float64(v)))
	case v < 0:
		return None[T](b.said(by, grouped(strconv.FormatInt(int64(v), 10))))
	}
	return None[T](b.said(by, grouped(strconv.FormatUint(uint64(v), 10))))
}

// Bounded returns the GPU without the values that cannot be; each has the reason instead.
func (g GPU) Bounded(by Speaker) GPU {
	g.boundMemory(by)
	for _, f := range []struct {
		field *Maybe[uint32]
		bound Bound
	}{
		{&g.UtilizationPercent, BoundPercent},
		{&g.MemoryActivityPercent, BoundPercent},
		{&g.EncoderPercent, BoundPercent},
		{&g.DecoderPercent, BoundPercent},
		{&g.FanPercent, BoundFanPercent},
		{&g.PowerMilliwatts, BoundPower},
		{&g.PowerLimitMilliwatts, BoundPowerLimit},
		{&g.PowerDefaultMilliwatts, BoundPowerLimit},
		{&g.SMClockMHz, BoundClock},
		{&g.MemoryClockMHz, BoundClock},
		{&g.SMClockMaxMHz, BoundClockMaximum},
		{&g.MemoryClockMaxMHz, BoundClockMaximum},
		{&g.RetiredPages, BoundRetired},
	} {
		*f.field = Within(*f.field, f.bound, by)
	}
	for _, f := range []struct {
		field *Maybe[int]
		bound Bound
	}{
		{&g.TemperatureC, BoundTemperature},
		{&g.MemoryTemperatureC, BoundTemperature},
		{&g.SlowdownTemperatureC, BoundThreshold},
		{&g.ShutdownTemperatureC, BoundThreshold},
		{&g.MaxTemperatureC, BoundThreshold},
		{&g.PerformanceState, BoundPState},
		{&g.PCIeGeneration, BoundPCIeGen},
		{&g.PCIeGenerationMax, BoundPCIeGen},
		{&g.PCIeWidth, BoundPCIeWidth},
		{&g.PCIeWidthMax, BoundPCIeWidth},
		{&g.ProcessCount, BoundProcesses},
	} {
		*f.field = Within(*f.field, f.bound, by)
	}
	for _, counter := range []*Maybe[uint64]{&g.ECCCorrectedVolatile, &g.ECCUncorrectedVolatile, &g.ECCUncorrectedAggregate} {
		*counter = Within(*counter, BoundErrors, by)
	}
	g.EnergyMillijoules = Within(g.EnergyMillijoules, BoundEnergy, by)
	if mask, known := g.ThrottleReasons.Get(); known && !BoundThrottle.Holds(float64(mask)) {
		g.ThrottleReasons = None[ThrottleReasons](by.said("0x" + strconv.FormatUint(uint64(mask), 16)))
	}
	g.Processes = Map(g.Processes, func(list []GPUProcess) []GPUProcess {
		list = slices.Clone(list)
		for i := range list {
			list[i].MemoryBytes = Within(list[i].MemoryBytes, BoundMemory, by)
		}
		return list
	})
	return g
}

// boundMemory keeps the answer on memory only as far as it agrees with itself: what is used
// of a total that cannot be, or is more than the total, is not known.
func (g *GPU) boundMemory(by Speaker) {
	g.MemoryTotalBytes = Within(g.MemoryTotalBytes, BoundMemoryTotal, by)
	total, known := g.MemoryTotalBytes.Get()
	impossible := strings.HasPrefix(g.MemoryTotalBytes.Reason(), by.said("")) // by this call, or before it
	for _, part := range []*Maybe[uint64]{&g.MemoryUsedBytes, &g.MemoryReservedBytes} {
		*part = Within(*part, BoundMemory, by)
		switch v, has := part.Get(); {
		case has && impossible:
			*part = None[uint64](g.MemoryTotalBytes.Reason() + " in all")
		case has && known && v > total:
			*part = None[uint64](BoundMemory.Said(by, float64(v)) + " of " + decimal(float64(total)/BoundMemory.Per) + " " + BoundMemory.Unit)
		}
	}
}

// decimal writes a number to three decimals at most, and one that is too long to be read as
// a power of ten.
func decimal(v float64) string {
	const long = 1e21
	switch {
	case math.IsInf(v, 0):
		return "more than " + strconv.FormatFloat(math.Copysign(math.MaxFloat64, v), 'g', 2, 64)
	case math.Abs(v) >= long:
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	s := strconv.FormatFloat(v, 'f', 3, 64)
	return grouped(strings.TrimSuffix(strings.TrimRight(s, "0"), "."))
}

// grouped puts commas between the thousands of a decimal number.
func grouped(number string) string {
	whole, fraction, _ := strings.Cut(number, ".")
	digits := strings.TrimPrefix(whole, "-")
	sign := whole[:len(whole)-len(digits)]
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	if fraction != "" {
		fraction = "." + fraction
	}
	return sign + digits + fraction
}
