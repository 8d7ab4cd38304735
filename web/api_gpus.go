package web

import (
	"context"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	bytesPerGiB = 1 << 30
	bytesPerMiB = 1 << 20
)

// gpusJSON answers /api/validator/gpus.
type gpusJSON struct {
	GPUs           []gpuJSON   `json:"gpus"`
	TotalVRAMMB    *float64    `json:"total_vram_mb" doc:"MiB over all GPUs whose memory is known; null if none is"`
	UsedVRAMMB     *float64    `json:"used_vram_mb" doc:"MiB over the GPUs that report it"`
	AvgUtilization *float64    `json:"avg_utilization" doc:"Percent over the GPUs that report it"`
	AvgTemperature *float64    `json:"avg_temperature" doc:"°C over the GPUs that report it"`
	DriverVersion  *string     `json:"driver_version" doc:"Of this host"`
	CUDAVersion    *string     `json:"cuda_version" doc:"Highest that this host's driver supports"`
	Sources        sourcesJSON `json:"sources"`
}

// gpuJSON is one GPU. Members that are null could not be read; unknown says why.
type gpuJSON struct {
	Index               int               `json:"index"`
	UUID                *string           `json:"uuid"`
	Host                *string           `json:"host" doc:"worker_id of the host that reported it; null for this host"`
	Name                *string           `json:"name" doc:"As NVML spells it"`
	Model               *string           `json:"model" doc:"The name without the maker's"`
	Tier                *string           `json:"tier" doc:"The contract's tier of this model; null for a model that its table does not know"`
	VRAMTotalGB         *float64          `json:"vram_total_gb" doc:"GiB (2^30 bytes); the member's name is kept for existing clients"`
	VRAMUsedGB          *float64          `json:"vram_used_gb" doc:"GiB (2^30 bytes)"`
	VRAMTotalBytes      *uint64           `json:"vram_total_bytes"`
	VRAMUsedBytes       *uint64           `json:"vram_used_bytes"`
	ComputeUtilization  *uint32           `json:"compute_utilization" doc:"Percent of the last sample period in which a kernel ran"`
	MemoryActivity      *uint32           `json:"memory_activity_percent" doc:"Percent in which memory was read or written: the bus, not how full it is"`
	TemperatureCelsius  *int              `json:"temperature_celsius"`
	TemperatureSlowdown *int              `json:"temperature_slowdown_celsius" doc:"From here on the GPU throttles"`
	TemperatureShutdown *int              `json:"temperature_shutdown_celsius"`
	PowerWatts          *float64          `json:"power_watts"`
	PowerLimitWatts     *float64          `json:"power_limit_watts" doc:"Enforced"`
	SMClockMHz          *uint32           `json:"sm_clock_mhz"`
	MemoryClockMHz      *uint32           `json:"memory_clock_mhz"`
	FanPercent          *uint32           `json:"fan_percent"`
	PerformanceState    *int              `json:"performance_state" doc:"0 (P0, fastest) to 15"`
	ThrottleReasons     *[]string         `json:"throttle_reasons" doc:"In words, most severe first"`
	ECCEnabled          *bool             `json:"ecc_enabled"`
	ECCUncorrected      *uint64           `json:"ecc_uncorrected_errors" doc:"Since the driver was loaded"`
	Status              string            `json:"status" enum:"active,idle,throttled,fault,missing,unknown"`
	Message             *string           `json:"message" doc:"Why it is missing, faulted, or not known to be there"`
	MissingSince        *int64            `json:"missing_since" doc:"Unix seconds; the other members hold its last reading"`
	SampledAt           *int64            `json:"sampled_at" doc:"Unix seconds"`
	HasTEE              *bool             `json:"has_tee" doc:"Confidential computing is on, as NVML says"`
	TEEType             *string           `json:"tee_type" doc:"nvidia-cc, or nvidia-cc-devtools where debugging voids its protection"`
	CurrentJobID        *string           `json:"current_job_id" doc:"A job in progress that names this GPU"`
	ProcessCount        *int              `json:"process_count" doc:"Programs that use the GPU"`
	Processes           *[]processJSON    `json:"processes" doc:"The largest of them by memory, at most 8"`
	Events              []gpuEventJSON    `json:"events" doc:"What happened to it in the last 90 days, newest first, at most 50; null if that cannot be read"`
	EventsWatched       *watchedJSON      `json:"events_watched" doc:"In which times the driver's errors would have been seen; null if never or not known"`
	Unknown             map[string]string `json:"unknown" doc:"Why members are null, by member"`
}

// processJSON is a program that uses a GPU.
type processJSON struct {
	PID         uint32  `json:"pid"`
	Name        *string `json:"name" doc:"null where the driver does not tell it"`
	MemoryBytes *uint64 `json:"memory_bytes" doc:"Of all its contexts; null where the driver does not tell it"`
	Compute     bool    `json:"compute" doc:"It has a compute context"`
	Graphics    bool    `json:"graphics" doc:"It has a graphics context"`
}

func processesToJSON(all []validator.GPUProcess) []processJSON {
	out := []processJSON{}
	for _, p := range validator.LargestProcesses(all) {
		out = append(out, processJSON{p.PID, known(p.Name), known(p.MemoryBytes), p.Compute, p.Graphics})
	}
	return out
}

func (s *Server) apiGPUs(ctx context.Context, in *WalletInput) (*reply[gpusJSON], error) {
	wallet, err := s.walletFor(ctx, *in)
	if err != nil {
		return nil, err
	}
	f := s.fleet(ctx, wallet)
	out := gpusJSON{GPUs: []gpuJSON{}, Sources: sources(f.states()...)}
	if f.hostApplies {
		out.DriverVersion, out.CUDAVersion = known(f.host.Host.DriverVersion), known(f.host.Host.CUDAVersion)
	}
	var total, used, util, temp mean
	for _, m := range f.members {
		out.GPUs = append(out.GPUs, gpuToJSON(m))
		if m.Stale || m.GPU.MissingSince.Known() {
			continue
		}
		addTo(&total, m.GPU.MemoryTotalBytes)
		addTo(&used, m.GPU.MemoryUsedBytes)
		addTo(&util, m.GPU.UtilizationPercent)
		addTo(&temp, m.GPU.TemperatureC)
	}
	out.TotalVRAMMB, out.UsedVRAMMB = total.sumOver(bytesPerMiB), used.sumOver(bytesPerMiB)
	out.AvgUtilization, out.AvgTemperature = util.mean(), temp.mean()
	return ok(out)
}

// mean gathers known values.
type mean struct {
	sum float64
	n   int
}

func addTo[T uint64 | uint32 | int](m *mean, v validator.Maybe[T]) {
	if x, known := v.Get(); known {
		m.sum += float64(x)
		m.n++
	}
}

func (m mean) mean() *float64 {
	if m.n == 0 {
		return nil
	}
	v := m.sum / float64(m.n)
	return &v
}

func (m mean) sumOver(unit float64) *float64 {
	if m.n == 0 {
		return nil
	}
	v := m.sum / unit
	return &v
}

func gpuToJSON(m fleetGPU) gpuJSON {
	g := m.GPU
	why := map[string]string{}
	out := gpuJSON{
		Index: g.Index, UUID: nonEmpty(g.UUID), Host: nonEmpty(m.WorkerID),
		Name:                orWhy(why, "name", g.Name),
		Model:               field(g.Name, modelOf),
		Tier:                field(g.Tier, validator.Tier.String),
		VRAMTotalBytes:      orWhy(why, "vram_total_bytes", g.MemoryTotalBytes),
		VRAMUsedBytes:       orWhy(why, "vram_used_bytes", g.MemoryUsedBytes),
		VRAMTotalGB:         field(g.MemoryTotalBytes, gib),
		VRAMUsedGB:          field(g.MemoryUsedBytes, gib),
		ComputeUtilization:  orWhy(why, "compute_utilization", g.UtilizationPercent),
		MemoryActivity:      orWhy(why, "memory_activity_percent", g.MemoryActivityPercent),
		TemperatureCelsius:  orWhy(why, "temperature_celsius", g.TemperatureC),
		TemperatureSlowdown: orWhy(why, "temperature_slowdown_celsius", g.SlowdownTemperatureC),
		TemperatureShutdown: orWhy(why, "temperature_shutdown_celsius", g.ShutdownTemperatureC),
		PowerWatts:          field(g.PowerMilliwatts, watts),
		PowerLimitWatts:     field(g.PowerLimitMilliwatts, watts),
		SMClockMHz:          orWhy(why, "sm_clock_mhz", g.SMClockMHz),
		MemoryClockMHz:      orWhy(why, "memory_clock_mhz", g.MemoryClockMHz),
		FanPercent:          orWhy(why, "fan_percent", g.FanPercent),
		PerformanceState:    orWhy(why, "performance_state", g.PerformanceState),
		ThrottleReasons:     field(g.ThrottleReasons, throttleWords),
		ECCEnabled:          orWhy(why, "ecc_enabled", g.ECCEnabled),
		ECCUncorrected:      orWhy(why, "ecc_uncorrected_errors", g.ECCUncorrectedVolatile),
		SampledAt:           unix(g.SampledAt),
		HasTEE:              orWhy(why, "has_tee", g.ConfidentialComputeActive),
		CurrentJobID:        nonEmpty(m.jobID),
		ProcessCount:        orWhy(why, "process_count", g.ProcessCount),
		Processes:           orWhy(why, "processes", validator.Map(g.Processes, processesToJSON)),
		Unknown:             why,
	}
	for member, r := range map[string]string{"vram_total_gb": g.MemoryTotalBytes.Reason(), "vram_used_gb": g.MemoryUsedBytes.Reason(), "power_watts": g.PowerMilliwatts.Reason(), "power_limit_watts": g.PowerLimitMilliwatts.Reason(), "throttle_reasons": g.ThrottleReasons.Reason(), "tier": g.Tier.Reason()} {
		if r != "" {
			why[member] = r
		}
	}
	if m.tee != "" {
		out.TEEType = &m.tee
	}
	if m.eventsReason == "" || len(g.Events) > 0 {
		out.Events = eventsToJSON(g.Events)
	}
	if m.eventsReason != "" {
		why["events"] = m.eventsReason
	}
	out.EventsWatched = field(m.watching, watchingToJSON)
	if !m.watching.Known() {
		why["events_watched"] = m.watching.Reason()
	}
	st := statusOf(m.FleetGPU)
	out.Status, out.Message = st.word, nonEmpty(st.message)
	out.MissingSince = unix(g.MissingSince.Or(time.Time{}))
	return out
}

// orWhy returns a known value, or notes why there is none.
func orWhy[T any](why map[string]string, member string, m validator.Maybe[T]) *T {
	if !m.Known() {
		why[member] = m.Reason()
	}
	return known(m)
}

func modelOf(name string) string { return strings.TrimPrefix(name, "NVIDIA ") }

func gib(b uint64) float64 { return float64(b) / bytesPerGiB }

func watts(mw uint32) float64 { return float64(mw) / 1000 }

func throttleWords(r validator.ThrottleReasons) []string {
	words := []string{}
	for _, t := range r.List() {
		words = append(words, t.Words)
	}
	return words
}
