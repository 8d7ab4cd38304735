package web

import (
	"fmt"
	"strings"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// gpuFigure is how one field of a GPU is read.
type gpuFigure struct {
	title string
	nvml  string // the function of NVIDIA's library
	smi   string // what nvidia-smi calls it in --query-gpu; "" if it cannot show it
	show  func(validator.GPU) views.Value
	raw   func(validator.GPU) string // as NVML tells it
	note  string
}

func rawOf[T any](unit string, of func(validator.GPU) validator.Maybe[T]) func(validator.GPU) string {
	return func(g validator.GPU) string {
		v, known := of(g).Get()
		if !known {
			return ""
		}
		return strings.TrimSpace(fmt.Sprint(v) + " " + unit)
	}
}

// gpuFigures tell how the fields of a GPU are read, by the field's name.
var gpuFigures = map[string]gpuFigure{
	"utilisation": {"Utilisation", "nvmlDeviceGetUtilizationRates (gpu)", "utilization.gpu", func(g validator.GPU) views.Value { return show(g.UtilizationPercent, "%", integer[uint32]) },
		rawOf("%", func(g validator.GPU) validator.Maybe[uint32] { return g.UtilizationPercent }), "The share of the driver's last sample period in which a kernel ran."},
	"memory": {"Memory in use", "nvmlDeviceGetMemoryInfo_v2 (used)", "memory.used", func(g validator.GPU) views.Value { return show(g.MemoryUsedBytes, "GiB", gibText) },
		rawOf("bytes", func(g validator.GPU) validator.Maybe[uint64] { return g.MemoryUsedBytes }), "Without the driver's own reserve where the driver tells it apart. 1 GiB is 2³⁰ bytes."},
	"temperature": {"Temperature", "nvmlDeviceGetTemperatureV", "temperature.gpu", func(g validator.GPU) views.Value { return show(g.TemperatureC, "°C", integer[int]) },
		rawOf("°C", func(g validator.GPU) validator.Maybe[int] { return g.TemperatureC }), ""},
	"power": {"Power", "nvmlDeviceGetPowerUsage", "power.draw", func(g validator.GPU) views.Value { return show(g.PowerMilliwatts, "W", wattsText) },
		rawOf("mW", func(g validator.GPU) validator.Maybe[uint32] { return g.PowerMilliwatts }), "The board's draw, without the host around it."},
	"smclock": {"SM clock", "nvmlDeviceGetClockInfo (SM)", "clocks.sm", func(g validator.GPU) views.Value { return show(g.SMClockMHz, "MHz", integer[uint32]) },
		rawOf("MHz", func(g validator.GPU) validator.Maybe[uint32] { return g.SMClockMHz }), ""},
	"memoryclock": {"Memory clock", "nvmlDeviceGetClockInfo (memory)", "clocks.mem", func(g validator.GPU) views.Value { return show(g.MemoryClockMHz, "MHz", integer[uint32]) },
		rawOf("MHz", func(g validator.GPU) validator.Maybe[uint32] { return g.MemoryClockMHz }), ""},
	"fan": {"Fan speed", "nvmlDeviceGetFanSpeed_v2", "fan.speed", func(g validator.GPU) views.Value { return show(g.FanPercent, "%", integer[uint32]) },
		rawOf("%", func(g validator.GPU) validator.Maybe[uint32] { return g.FanPercent }), "Passively cooled cards have no fan of their own."},
	"pstate": {"Performance state", "nvmlDeviceGetPerformanceState", "pstate", func(g validator.GPU) views.Value {
		return show(g.PerformanceState, "", func(p int) string { return fmt.Sprintf("P%d", p) })
	}, rawOf("", func(g validator.GPU) validator.Maybe[int] { return g.PerformanceState }), "P0 is the fastest."},
	"ecc": {"Uncorrected ECC errors", "nvmlDeviceGetTotalEccErrors (uncorrected, volatile)", "ecc.errors.uncorrected.volatile.total", func(g validator.GPU) views.Value {
		return show(g.ECCUncorrectedVolatile, "", integer[uint64])
	}, rawOf("", func(g validator.GPU) validator.Maybe[uint64] { return g.ECCUncorrectedVolatile }), "Since the driver was loaded."},
	"cc": {"Confidential computing", "nvmlSystemGetConfComputeState", "", func(g validator.GPU) views.Value {
		return show(g.ConfidentialComputeActive, "", func(on bool) string {
			if on {
				return "on"
			}
			return "off"
		})
	}, rawOf("", func(g validator.GPU) validator.Maybe[bool] { return g.ConfidentialComputeActive }), "Read from the driver, never guessed from a model's name. nvidia-smi conf-compute -f shows the same."},
	"throttle": {"Throttle reasons", "nvmlDeviceGetCurrentClocksEventReasons", "clocks_event_reasons.active", func(g validator.GPU) views.Value {
		return show(g.ThrottleReasons, "", func(r validator.ThrottleReasons) string {
			var words []string
			for _, t := range r.List() {
				words = append(words, t.Words)
			}
			if len(words) == 0 {
				return "none"
			}
			return strings.Join(words, ", ")
		})
	}, func(g validator.GPU) string {
		if r, known := g.ThrottleReasons.Get(); known {
			return fmt.Sprintf("0x%x", uint64(r))
		}
		return ""
	}, ""},
	"xid": {"XID errors", "nvmlEventSetWait_v2 (nvmlEventTypeXidCriticalError)", "", func(g validator.GPU) views.Value {
		xids := validator.XIDs(g.Events)
		switch {
		case len(xids) > 0:
			return views.Value{Text: integer(xids[0].Code)}
		case !g.XIDsWatchedSince.Known():
			return views.Value{Reason: validator.Sentence(g.XIDsWatchedSince.Reason())}
		}
		return views.Value{Text: "none"}
	}, func(validator.GPU) string { return "" }, "The newest of the last 90 days in which this program watched, from the table gpu_events; the kernel's log (dmesg) has all of them."},
}

// gpu tells where a field of a GPU came from.
func (e evidence) gpu(f gpuFigure, m validator.FleetGPU) views.Provenance {
	g := m.GPU
	p := views.Provenance{Title: fmt.Sprintf("%s of GPU %d", f.title, g.Index), Value: views.Row{Value: f.show(g)}, Note: f.note, RawName: "Raw value"}
	if raw := f.raw(g); raw != "" {
		p.Raw = []string{raw}
	}
	if !g.SampledAt.IsZero() {
		p.When = momentOf(e.Now, g.SampledAt)
	}
	p.Rows = []views.Row{{Label: "Function", Value: views.Value{Text: f.nvml}}, {Label: "Device", Value: views.Value{Text: g.UUID}}}
	if m.WorkerID == "" {
		p.Source = "NVML on this host"
		if st := e.HostGPUs.State; st.Health != validator.HealthOK {
			p.Reason, p.Remedy = validator.Sentence(st.Reason), st.Remedy
		}
	} else {
		p.Source = "NVML on the host " + m.WorkerID + ", as its worker reported it"
		p.Commands = append(p.Commands, sql("What it reported, in psql", db.Statement("listWorkerGPUs", e.Address)))
	}
	if fault, faulted := g.Fault.Get(); faulted {
		p.Reason = validator.Sentence(fault)
	} else if !p.Value.Value.Known() {
		p.Reason = validator.Sentence(p.Value.Value.Reason)
	}
	if f.smi != "" && g.UUID != "" {
		p.Commands = append([]views.Command{{Label: "Repeat it on the host", Text: fmt.Sprintf("nvidia-smi --query-gpu=%s --format=csv -i %s", f.smi, shellSafe(g.UUID))}}, p.Commands...)
	}
	return p
}

// shellSafe quotes a UUID that a host reported, so that nobody pastes what it made up.
func shellSafe(s string) string {
	if domID(s, 0) == s {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
