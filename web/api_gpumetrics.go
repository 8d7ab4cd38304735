package web

import (
	"context"
	"fmt"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// gpuMetricsInput is a host's report of its GPUs.
type gpuMetricsInput struct {
	WalletInput

	Body struct {
		WorkerAddress string      `json:"worker_address,omitempty" doc:"The worker's wallet; left out: the header's"`
		WorkerID      string      `json:"worker_id" minLength:"1" maxLength:"200" doc:"The host's own name, unique per worker" example:"rig-1"`
		SampledAt     *int64      `json:"sampled_at,omitempty" doc:"Unix seconds; left out: now"`
		GPUs          []gpuSample `json:"gpus" minItems:"1" maxItems:"64"`
	}
}

// gpuSample is one GPU as a host reports it. What is left out is stored as not reported.
type gpuSample struct {
	Index              int      `json:"index" minimum:"0" maximum:"1024"`
	UUID               string   `json:"uuid" minLength:"1" maxLength:"100" example:"GPU-5f1e1a52-5a2c-4a36-9d4f-0d8a1b2c3d4e"`
	Name               *string  `json:"name,omitempty" maxLength:"200" example:"NVIDIA H100 80GB HBM3"`
	MemoryTotalBytes   *uint64  `json:"memory_total_bytes,omitempty"`
	MemoryUsedBytes    *uint64  `json:"memory_used_bytes,omitempty"`
	ComputeUtilization *uint32  `json:"compute_utilization,omitempty" maximum:"100" doc:"Percent"`
	MemoryActivity     *uint32  `json:"memory_activity_percent,omitempty" maximum:"100"`
	TemperatureCelsius *int     `json:"temperature_celsius,omitempty" minimum:"-50" maximum:"200"`
	PowerWatts         *float64 `json:"power_watts,omitempty" minimum:"0" maximum:"100000"`
	PowerLimitWatts    *float64 `json:"power_limit_watts,omitempty" minimum:"0" maximum:"100000"`
	SMClockMHz         *uint32  `json:"sm_clock_mhz,omitempty"`
	MemoryClockMHz     *uint32  `json:"memory_clock_mhz,omitempty"`
	FanPercent         *uint32  `json:"fan_percent,omitempty" maximum:"200"`
	ThrottleReasons    *uint64  `json:"throttle_reasons_mask,omitempty" doc:"The bits of nvmlClocksEventReasons"`
	ECCUncorrected     *uint64  `json:"ecc_uncorrected_errors,omitempty"`
}

func (g gpuSample) toGPU(at time.Time) validator.GPU {
	out := validator.GPU{
		Index: g.Index, UUID: g.UUID, SampledAt: at,
		Fault:                  validator.None[string]("none"),
		MissingSince:           validator.None[time.Time]("it is there"),
		Name:                   reported(g.Name),
		MemoryTotalBytes:       reported(g.MemoryTotalBytes),
		MemoryUsedBytes:        reported(g.MemoryUsedBytes),
		UtilizationPercent:     reported(g.ComputeUtilization),
		MemoryActivityPercent:  reported(g.MemoryActivity),
		TemperatureC:           reported(g.TemperatureCelsius),
		PowerMilliwatts:        validator.Map(reported(g.PowerWatts), milliwatts),
		PowerLimitMilliwatts:   validator.Map(reported(g.PowerLimitWatts), milliwatts),
		SMClockMHz:             reported(g.SMClockMHz),
		MemoryClockMHz:         reported(g.MemoryClockMHz),
		FanPercent:             reported(g.FanPercent),
		ECCUncorrectedVolatile: reported(g.ECCUncorrected),
		ThrottleReasons:        validator.Map(reported(g.ThrottleReasons), func(b uint64) validator.ThrottleReasons { return validator.ThrottleReasons(b) }),
		Tier:                   validator.None[validator.Tier]("no model was reported"),
	}
	if g.Name != nil {
		out.Tier = validator.None[validator.Tier]("this model is in no tier of the network's table")
		if t, known := validator.TierOfModel(*g.Name); known {
			out.Tier = validator.Some(t)
		}
	}
	return out
}

func reported[T any](v *T) validator.Maybe[T] {
	if v == nil {
		return validator.None[T]("not reported")
	}
	return validator.Some(*v)
}

func milliwatts(w float64) uint32 { return uint32(w*1000 + 0.5) }

func (s *Server) apiGPUMetrics(ctx context.Context, in *gpuMetricsInput) (*reply[storedJSON], error) {
	worker, err := s.workerFor(ctx, in.WalletInput, in.Body.WorkerAddress)
	if err != nil {
		return nil, err
	}
	at, err := s.reportTime("body.sampled_at", in.Body.SampledAt)
	if err != nil {
		return nil, err
	}
	gpus := make([]validator.GPU, 0, len(in.Body.GPUs))
	seen := map[string]int{}
	for i, g := range in.Body.GPUs {
		if first, twice := seen[g.UUID]; twice {
			return nil, badField(fmt.Sprintf("body.gpus[%d].uuid", i), fmt.Sprintf("is the same as that of gpus[%d]", first), g.UUID)
		}
		seen[g.UUID] = i
		if g.MemoryTotalBytes != nil && g.MemoryUsedBytes != nil && *g.MemoryUsedBytes > *g.MemoryTotalBytes {
			return nil, badField(fmt.Sprintf("body.gpus[%d].memory_used_bytes", i), "must not be above memory_total_bytes", *g.MemoryUsedBytes)
		}
		gpus = append(gpus, g.toGPU(at))
	}
	if err := s.db.UpsertWorkerGPUs(ctx, worker, in.Body.WorkerID, at, gpus); err != nil {
		return nil, s.storeProblem(err)
	}
	return ok(storedJSON{"ok", string(worker), at.Unix()})
}
