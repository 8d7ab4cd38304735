//go:build linux && cgo

package gpu

import (
	"encoding/binary"
	"math"
	"strings"

	"github.com/NVIDIA/go-nvml/pkg/nvml"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// begin begins the questions about the GPU that has the index in this pass.
func (r *nvmlReader) begin(index int) *query {
	device, ret := r.lib.DeviceGetHandleByIndex(index)
	if ret != nvml.SUCCESS {
		return &query{r: r, broken: ret}
	}
	return &query{r: r, device: device}
}

// readGPU reads one GPU. If it breaks on the way, the GPU has a Fault.
func (q *query) readGPU(index int, host validator.Maybe[validator.ConfidentialCompute]) validator.GPU {
	g := q.identify()
	g.Index = index
	q.readLoad(&g)
	q.readHeat(&g)
	q.readClocks(&g)
	q.readErrors(&g)
	q.readLink(&g)
	q.readProcesses(&g)
	g.ConfidentialComputeActive = q.confidential(host)
	if q.broken != nvml.SUCCESS {
		g.Fault = validator.Some(explain(q.broken).phrase)
	}
	return g
}

// identify returns the GPU with its UUID and what does not change, read once for each
// handle: unless the handle has come to mean another card.
func (q *query) identify() validator.GPU {
	var cached validator.GPU
	known := false
	if q.device != nil {
		cached, known = q.r.lasting[q.device]
	}
	var refused nvml.Return
	uuid := ask(q, func() (string, nvml.Return) {
		s, ret := q.device.GetUUID()
		refused = ret
		return s, ret
	}, "nvmlDeviceGetUUID")
	if q.broken == nvml.SUCCESS && !settled(refused) {
		q.broken = refused
	}
	if q.broken != nvml.SUCCESS && known {
		return cached
	}
	if known && cached.UUID == uuid.Or("") {
		return cached
	}
	g := validator.GPU{UUID: uuid.Or("")}
	q.passed = false
	q.readLasting(&g)
	impossible := len(g.Bounded(validator.Driver).Reasons()) > len(g.Reasons())
	if q.broken == nvml.SUCCESS && !q.passed && !impossible {
		q.r.lasting[q.device] = g
	}
	return g
}

// readLasting reads what only another card, or a driver started anew, would change.
func (q *query) readLasting(g *validator.GPU) {
	g.Name = validator.Map(ask(q, func() (string, nvml.Return) { return q.device.GetName() }, "nvmlDeviceGetName"), printable)
	g.PCIBusID = validator.Map(ask(q, func() (nvml.PciInfo, nvml.Return) { return q.device.GetPciInfo() }, pciSymbols...), busID)
	g.VBIOS = validator.Map(ask(q, func() (string, nvml.Return) { return q.device.GetVbiosVersion() }, "nvmlDeviceGetVbiosVersion"), printable)
	g.SlowdownTemperatureC = q.threshold(nvml.TEMPERATURE_THRESHOLD_SLOWDOWN)
	g.ShutdownTemperatureC = q.threshold(nvml.TEMPERATURE_THRESHOLD_SHUTDOWN)
	g.MaxTemperatureC = q.threshold(nvml.TEMPERATURE_THRESHOLD_GPU_MAX)
	g.PowerDefaultMilliwatts = ask(q, func() (uint32, nvml.Return) { return q.device.GetPowerManagementDefaultLimit() }, "nvmlDeviceGetPowerManagementDefaultLimit")
	g.SMClockMaxMHz = q.clock(nvml.Device.GetMaxClockInfo, nvml.CLOCK_SM, "nvmlDeviceGetMaxClockInfo")
	g.MemoryClockMaxMHz = q.clock(nvml.Device.GetMaxClockInfo, nvml.CLOCK_MEM, "nvmlDeviceGetMaxClockInfo")
	g.PCIeGenerationMax = ask(q, func() (int, nvml.Return) { return q.device.GetMaxPcieLinkGeneration() }, "nvmlDeviceGetMaxPcieLinkGeneration")
	g.PCIeWidthMax = ask(q, func() (int, nvml.Return) { return q.device.GetMaxPcieLinkWidth() }, "nvmlDeviceGetMaxPcieLinkWidth")
}

func (q *query) threshold(t nvml.TemperatureThresholds) validator.Maybe[int] {
	return validator.Map(ask(q, func() (uint32, nvml.Return) { return q.device.GetTemperatureThreshold(t) }, "nvmlDeviceGetTemperatureThreshold"),
		func(c uint32) int { return int(c) })
}

func (q *query) clock(get func(nvml.Device, nvml.ClockType) (uint32, nvml.Return), t nvml.ClockType, symbol string) validator.Maybe[uint32] {
	return ask(q, func() (uint32, nvml.Return) { return get(q.device, t) }, symbol)
}

// readLoad reads memory and utilisation.
func (q *query) readLoad(g *validator.GPU) {
	type memory struct{ total, used uint64 }
	v2 := ask(q, func() (nvml.Memory_v2, nvml.Return) { return q.device.GetMemoryInfo_v2() }, "nvmlDeviceGetMemoryInfo_v2")
	m := either(validator.Map(v2, func(m nvml.Memory_v2) memory { return memory{m.Total, m.Used} }), func() validator.Maybe[memory] {
		v1 := ask(q, func() (nvml.Memory, nvml.Return) { return q.device.GetMemoryInfo() }, "nvmlDeviceGetMemoryInfo")
		return validator.Map(v1, func(m nvml.Memory) memory { return memory{m.Total, m.Used} })
	})
	g.MemoryTotalBytes = validator.Map(m, func(m memory) uint64 { return m.total })
	g.MemoryUsedBytes = validator.Map(m, func(m memory) uint64 { return m.used })
	g.MemoryReservedBytes = validator.Map(v2, func(m nvml.Memory_v2) uint64 { return m.Reserved })

	u := ask(q, func() (nvml.Utilization, nvml.Return) { return q.device.GetUtilizationRates() }, "nvmlDeviceGetUtilizationRates")
	g.UtilizationPercent = validator.Map(u, func(u nvml.Utilization) uint32 { return u.Gpu })
	g.MemoryActivityPercent = validator.Map(u, func(u nvml.Utilization) uint32 { return u.Memory })
	g.EncoderPercent = ask(q, func() (uint32, nvml.Return) {
		v, _, ret := q.device.GetEncoderUtilization()
		return v, ret
	}, "nvmlDeviceGetEncoderUtilization")
	g.DecoderPercent = ask(q, func() (uint32, nvml.Return) {
		v, _, ret := q.device.GetDecoderUtilization()
		return v, ret
	}, "nvmlDeviceGetDecoderUtilization")
	g.MIGEnabled = ask(q, func() (bool, nvml.Return) {
		current, _, ret := q.device.GetMigMode()
		return current == nvml.DEVICE_MIG_ENABLE, ret
	}, "nvmlDeviceGetMigMode")
}

// readHeat reads temperatures, fan, power and energy.
func (q *query) readHeat(g *validator.GPU) {
	g.TemperatureC = either(
		ask(q, func() (int, nvml.Return) {
			t, ret := q.device.GetTemperatureV().V1() // the sensor is 0, NVML_TEMPERATURE_GPU
			return int(t.Temperature), ret
		}, "nvmlDeviceGetTemperatureV"),
		func() validator.Maybe[int] {
			return ask(q, func() (int, nvml.Return) {
				t, ret := q.device.GetTemperature(nvml.TEMPERATURE_GPU)
				return int(t), ret
			}, "nvmlDeviceGetTemperature")
		})
	g.MemoryTemperatureC = q.memoryTemperature()
	g.FanPercent = ask(q, func() (uint32, nvml.Return) { return q.device.GetFanSpeed() }, "nvmlDeviceGetFanSpeed")
	g.PowerMilliwatts = ask(q, func() (uint32, nvml.Return) { return q.device.GetPowerUsage() }, "nvmlDeviceGetPowerUsage")
	g.PowerLimitMilliwatts = either(
		ask(q, func() (uint32, nvml.Return) { return q.device.GetEnforcedPowerLimit() }, "nvmlDeviceGetEnforcedPowerLimit"),
		func() validator.Maybe[uint32] {
			return ask(q, func() (uint32, nvml.Return) { return q.device.GetPowerManagementLimit() }, "nvmlDeviceGetPowerManagementLimit")
		})
	g.EnergyMillijoules = ask(q, func() (uint64, nvml.Return) { return q.device.GetTotalEnergyConsumption() }, "nvmlDeviceGetTotalEnergyConsumption")
}

// memoryTemperature reads NVML_FI_DEV_MEMORY_TEMP. Cards without that sensor may answer
// 0 with success, and no card in use has memory at 0 °C.
func (q *query) memoryTemperature() validator.Maybe[int] {
	t := ask(q, func() (int, nvml.Return) {
		fields := []nvml.FieldValue{{FieldId: nvml.FI_DEV_MEMORY_TEMP}}
		if ret := q.device.GetFieldValues(fields); ret != nvml.SUCCESS {
			return 0, ret
		}
		ret := nvml.Return(fields[0].NvmlReturn)
		return int(binary.NativeEndian.Uint32(fields[0].Value[:])), ret
	}, "nvmlDeviceGetFieldValues")
	if v, ok := t.Get(); ok && v == 0 {
		return validator.None[int](fromGPU)
	}
	return t
}

func (q *query) readClocks(g *validator.GPU) {
	g.SMClockMHz = q.clock(nvml.Device.GetClockInfo, nvml.CLOCK_SM, "nvmlDeviceGetClockInfo")
	g.MemoryClockMHz = q.clock(nvml.Device.GetClockInfo, nvml.CLOCK_MEM, "nvmlDeviceGetClockInfo")
	g.PerformanceState = validator.Map(
		ask(q, func() (nvml.Pstates, nvml.Return) {
			p, ret := q.device.GetPerformanceState()
			if ret == nvml.SUCCESS && p == nvml.PSTATE_UNKNOWN {
				ret = nvml.ERROR_NO_DATA
			}
			return p, ret
		}, "nvmlDeviceGetPerformanceState"),
		func(p nvml.Pstates) int { return int(p) })
	g.ThrottleReasons = validator.Map(either(
		ask(q, func() (uint64, nvml.Return) { return q.device.GetCurrentClocksEventReasons() }, "nvmlDeviceGetCurrentClocksEventReasons"),
		func() validator.Maybe[uint64] {
			return ask(q, func() (uint64, nvml.Return) { return q.device.GetCurrentClocksThrottleReasons() }, "nvmlDeviceGetCurrentClocksThrottleReasons")
		}),
		func(bits uint64) validator.ThrottleReasons { return validator.ThrottleReasons(bits) })
}

// readErrors reads ECC and the memory that was taken out of use.
func (q *query) readErrors(g *validator.GPU) {
	g.ECCEnabled = ask(q, func() (bool, nvml.Return) {
		current, _, ret := q.device.GetEccMode()
		return current == nvml.FEATURE_ENABLED, ret
	}, "nvmlDeviceGetEccMode")
	total := func(e nvml.MemoryErrorType, c nvml.EccCounterType) validator.Maybe[uint64] {
		if on, known := g.ECCEnabled.Get(); known && !on {
			return validator.None[uint64]("ECC is off")
		}
		return ask(q, func() (uint64, nvml.Return) { return q.device.GetTotalEccErrors(e, c) }, "nvmlDeviceGetTotalEccErrors")
	}
	g.ECCCorrectedVolatile = total(nvml.MEMORY_ERROR_TYPE_CORRECTED, nvml.VOLATILE_ECC)
	g.ECCUncorrectedVolatile = total(nvml.MEMORY_ERROR_TYPE_UNCORRECTED, nvml.VOLATILE_ECC)
	g.ECCUncorrectedAggregate = total(nvml.MEMORY_ERROR_TYPE_UNCORRECTED, nvml.AGGREGATE_ECC)
	g.RetiredPages = either(
		ask(q, func() (uint32, nvml.Return) {
			corrected, uncorrected, _, _, ret := q.device.GetRemappedRows()
			return total32(uint32(corrected), uint32(uncorrected)), ret
		}, "nvmlDeviceGetRemappedRows"),
		func() validator.Maybe[uint32] {
			return validator.Map2(q.retired(nvml.PAGE_RETIREMENT_CAUSE_MULTIPLE_SINGLE_BIT_ECC_ERRORS), q.retired(nvml.PAGE_RETIREMENT_CAUSE_DOUBLE_BIT_ECC_ERROR),
				total32)
		})
}

// total32 adds two counters; a sum that does not fit is the largest number, which no counter
// of a card can be.
func total32(a, b uint32) uint32 { return uint32(min(uint64(a)+uint64(b), math.MaxUint32)) }

func (q *query) retired(cause nvml.PageRetirementCause) validator.Maybe[uint32] {
	return ask(q, func() (uint32, nvml.Return) {
		pages, ret := q.device.GetRetiredPages(cause)
		return uint32(len(pages)), ret
	}, "nvmlDeviceGetRetiredPages")
}

// readLink reads the PCIe link, but not its throughput: NVML measures that for some
// 40 ms of each GPU's time.
func (q *query) readLink(g *validator.GPU) {
	g.PCIeGeneration = ask(q, func() (int, nvml.Return) { return q.device.GetCurrPcieLinkGeneration() }, "nvmlDeviceGetCurrPcieLinkGeneration")
	g.PCIeWidth = ask(q, func() (int, nvml.Return) { return q.device.GetCurrPcieLinkWidth() }, "nvmlDeviceGetCurrPcieLinkWidth")
}

// confidential says whether the host's confidential computing protects this GPU: whether
// any of its memory is protected.
func (q *query) confidential(host validator.Maybe[validator.ConfidentialCompute]) validator.Maybe[bool] {
	cc, known := host.Get()
	switch {
	case q.broken != nvml.SUCCESS:
		return validator.None[bool](explain(q.broken).phrase)
	case !known:
		return validator.None[bool](host.Reason())
	case !cc.Enabled:
		return validator.Some(false)
	}
	return ask(q, func() (bool, nvml.Return) {
		m, ret := q.device.GetConfComputeMemSizeInfo()
		return m.ProtectedMemSizeKib > 0, ret
	}, "nvmlDeviceGetConfComputeMemSizeInfo")
}

// busID returns "00000000:01:00.0"; drivers before 384 know only the shorter form.
func busID(p nvml.PciInfo) string {
	if id := cString(p.BusId[:]); id != "" {
		return id
	}
	return cString(p.BusIdLegacy[:])
}

func cString(chars []int8) string {
	b := make([]byte, 0, len(chars))
	for _, c := range chars {
		if c == 0 {
			break
		}
		b = append(b, byte(c))
	}
	return printable(string(b))
}

// printable drops what is no text: names come from other programs and go to pages.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
}
