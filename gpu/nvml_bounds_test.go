//go:build linux && cgo

package gpu

import (
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// sampled returns what a Sampler shows of n GPUs.
func (f fake) sampled(t *testing.T, n int) []validator.GPU {
	t.Helper()
	return until(t, run(t, f.fast()), "the GPUs are read", healthy(n)).GPUs
}

// A driver that answers with success and a value that cannot be takes no other value along.
func TestImpossibleValues(t *testing.T) {
	lines := append(script(), "count=2", "1.temp=52")
	impossible := map[string]string{} // field to reason
	for key, c := range map[string]struct{ value, field, reason string }{
		"util":           {"905", "UtilizationPercent", "the driver said 905 %"},
		"util.mem":       {"4294967295", "MemoryActivityPercent", "the driver said 4,294,967,295 %"},
		"util.enc":       {"101", "EncoderPercent", "the driver said 101 %"},
		"util.dec":       {"627618", "DecoderPercent", "the driver said 627,618 %"},
		"fan":            {"4294967295", "FanPercent", "the driver said 4,294,967,295 %"},
		"temp":           {"4294967295", "TemperatureC", "the driver said -1 °C"},
		"temp.mem":       {"4294967295", "MemoryTemperatureC", "the driver said 4,294,967,295 °C"},
		"temp.max.0":     {"0", "ShutdownTemperatureC", "the driver said 0 °C"},
		"temp.max.1":     {"0", "SlowdownTemperatureC", "the driver said 0 °C"},
		"temp.max.3":     {"4294967295", "MaxTemperatureC", "the driver said 4,294,967,295 °C"},
		"power":          {"4294967295", "PowerMilliwatts", "the driver said 4,294,967.295 W"},
		"power.enforced": {"0", "PowerLimitMilliwatts", "the driver said 0 W"},
		"power.default":  {"4294967295", "PowerDefaultMilliwatts", "the driver said 4,294,967.295 W"},
		"energy":         {"18446744073709551615", "EnergyMillijoules", "the driver said 18,446,744,073,709,552 J"},
		"clock.1":        {"4294967295", "SMClockMHz", "the driver said 4,294,967,295 MHz"},
		"clock.max.2":    {"0", "MemoryClockMaxMHz", "the driver said 0 MHz"},
		"pstate":         {"33", "PerformanceState", "the driver said 33"},
		"throttle":       {"0xffffffffffffffff", "ThrottleReasons", "the driver said 0xffffffffffffffff"},
		"ecc.0.0":        {"18446744073709551615", "ECCCorrectedVolatile", "the driver said 18,446,744,073,709,551,615"},
		"ecc.1.0":        {"4294967295", "ECCUncorrectedVolatile", "the driver said 4,294,967,295"},
		"remapped.0":     {"4294967295", "RetiredPages", "the driver said 4,294,967,295"},
		"pcie.gen":       {"0", "PCIeGeneration", "the driver said 0"},
		"pcie.width":     {"4294967295", "PCIeWidth", "the driver said 4,294,967,295"},
	} {
		lines = append(lines, "0."+key+"="+c.value)
		impossible[c.field] = c.reason
	}
	lines = append(lines, "0.mem.used=18446744073709551615")
	impossible["MemoryUsedBytes"] = "the driver said 17,179,869,184 GiB"
	onFake(t, gputest.Current, lines, func(t *testing.T, f fake) {
		gpus := f.sampled(t, 2)
		wantFields(t, gpus[0], impossible)
		if c := gpus[1].TemperatureC.Or(0); c != 52 {
			t.Errorf("the other GPU has %d °C, want its 52", c)
		}
		wantFields(t, withTemperature(gpus[1], 61), nil)
	})
}

func withTemperature(g validator.GPU, c int) validator.GPU {
	g.TemperatureC = validator.Some(c)
	return g
}

// A card that shares the host's memory (GB10) has none of its own, and a threshold of 0 °C
// is none.
func TestMemoryAndThresholdsOfZero(t *testing.T) {
	onFake(t, gputest.Current, []string{
		"count=3", "0.name=NVIDIA GB10", "0.mem.total=0", "0.mem.used=0", "1.name=Tesla T4", "1.temp.max.0=0", "1.temp.max.1=0", "1.temp.max.3=0",
		"2.mem.used=103079215104",
	}, func(t *testing.T, f fake) {
		gpus := f.sampled(t, 3)
		if total, used := gpus[0].MemoryTotalBytes, gpus[0].MemoryUsedBytes; total.Reason() != "the driver said 0 GiB" || used.Reason() != "the driver said 0 GiB in all" {
			t.Errorf("memory %q, used %q", total.Reason(), used.Reason())
		}
		if limit := gpus[1].HeatLimitC(); limit.Known() || limit.Reason() != "the driver said 0 °C" {
			t.Errorf("heat limit %v, %q", limit, limit.Reason())
		}
		if used := gpus[2].MemoryUsedBytes; used.Reason() != "the driver said 96 GiB of 80 GiB" || gpus[2].MemoryTotalBytes.Or(0) != 80<<30 {
			t.Errorf("used %q of %d", used.Reason(), gpus[2].MemoryTotalBytes.Or(0))
		}
	})
}

// What does not change is read once, unless it cannot be: the next answer may be right.
func TestAnImpossibleLimitIsReadAgain(t *testing.T) {
	onFake(t, gputest.Current, []string{"temp.max.1=4294967295"}, func(t *testing.T, f fake) {
		s := run(t, f.fast())
		until(t, s, "the GPU is read", healthy(1))
		f.Set("temp.max.1", "89")
		until(t, s, "its limit is known", func(s validator.GPUSnapshot) bool { return s.GPUs[0].SlowdownTemperatureC.Or(0) == 89 })
	})
}

func TestMoreGPUsThanCanBe(t *testing.T) {
	onFake(t, gputest.Current, []string{"count=4294967295"}, func(t *testing.T, f fake) {
		s := run(t, f.fast())
		until(t, s, "the driver's count is refused", func(s validator.GPUSnapshot) bool {
			return strings.Contains(s.State.Reason, "4294967295 GPUs, which cannot be")
		})
		f.Set("count", "2")
		until(t, s, "two GPUs", healthy(2))
	})
}

// A list that is shorter than the driver says is no list, and all else is read.
func TestAListThatIsShorterThanItsLength(t *testing.T) {
	onFake(t, gputest.Current, []string{"procs=1:2 3:4", "procs.claim=4294967295", "temp=61"}, func(t *testing.T, f fake) {
		g := f.sampled(t, 1)[0]
		if g.Processes.Known() || g.Processes.Reason() != noSense || g.TemperatureC.Or(0) != 61 {
			t.Errorf("processes %v, %q; temperature %d", g.Processes, g.Processes.Reason(), g.TemperatureC.Or(0))
		}
	})
}
