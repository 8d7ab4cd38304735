package web

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/danielgtaylor/huma/v2"

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

// gpuSample is one GPU as a host reports it. What is left out is stored as not reported, and
// what cannot be (validator.Bound) as said but not known.
type gpuSample struct {
	Index              int      `json:"index" minimum:"0" maximum:"1024"`
	UUID               string   `json:"uuid" minLength:"1" maxLength:"100" example:"GPU-5f1e1a52-5a2c-4a36-9d4f-0d8a1b2c3d4e"`
	Name               *string  `json:"name,omitempty" maxLength:"200" example:"NVIDIA H100 80GB HBM3"`
	MemoryTotalBytes   *reading `json:"memory_total_bytes,omitempty"`
	MemoryUsedBytes    *reading `json:"memory_used_bytes,omitempty"`
	ComputeUtilization *reading `json:"compute_utilization,omitempty" doc:"Percent"`
	MemoryActivity     *reading `json:"memory_activity_percent,omitempty"`
	TemperatureCelsius *reading `json:"temperature_celsius,omitempty"`
	PowerWatts         *reading `json:"power_watts,omitempty"`
	PowerLimitWatts    *reading `json:"power_limit_watts,omitempty"`
	SMClockMHz         *reading `json:"sm_clock_mhz,omitempty"`
	MemoryClockMHz     *reading `json:"memory_clock_mhz,omitempty"`
	FanPercent         *reading `json:"fan_percent,omitempty" doc:"Of the speed of most noise; may exceed 100"`
	ThrottleReasons    *reading `json:"throttle_reasons_mask,omitempty" doc:"The bits of nvmlClocksEventReasons"`
	ECCUncorrected     *reading `json:"ecc_uncorrected_errors,omitempty"`
}

// reading is a number of any size, as it was written: whether it can be is for
// validator.Bound to say, of this one field. A decoder would refuse the whole report.
type reading string

// Schema describes a reading as a number.
func (reading) Schema(huma.Registry) *huma.Schema { return &huma.Schema{Type: huma.TypeNumber} }

// UnmarshalJSON keeps the number as it was written.
func (r *reading) UnmarshalJSON(b []byte) error {
	*r = reading(b)
	return nil
}

// read returns what a host said of a quantity, in units of per of the field's own, or why
// that is no value.
func read[T uint32 | uint64 | int](r *reading, per float64, bound validator.Bound) validator.Maybe[T] {
	if r == nil {
		return validator.None[T]("not reported")
	}
	if n, err := strconv.ParseUint(string(*r), 10, 64); err == nil && per == 1 { // exact, where a float is not
		return validator.Map(validator.Within(validator.Some(n), bound, validator.Worker), func(n uint64) T { return T(n) })
	}
	f, err := strconv.ParseFloat(string(*r), 64)
	if f *= per; err != nil || !bound.Holds(f) {
		return validator.None[T](bound.Said(validator.Worker, f))
	}
	return validator.Some(T(math.Round(f)))
}

func (g gpuSample) toGPU(at time.Time) validator.GPU {
	const milli = 1000
	out := validator.GPU{
		Index: g.Index, UUID: g.UUID, SampledAt: at,
		Fault:                  validator.None[string]("none"),
		MissingSince:           validator.None[time.Time]("it is there"),
		Name:                   reported(g.Name),
		MemoryTotalBytes:       read[uint64](g.MemoryTotalBytes, 1, validator.BoundMemoryTotal),
		MemoryUsedBytes:        read[uint64](g.MemoryUsedBytes, 1, validator.BoundMemory),
		UtilizationPercent:     read[uint32](g.ComputeUtilization, 1, validator.BoundPercent),
		MemoryActivityPercent:  read[uint32](g.MemoryActivity, 1, validator.BoundPercent),
		TemperatureC:           read[int](g.TemperatureCelsius, 1, validator.BoundTemperature),
		PowerMilliwatts:        read[uint32](g.PowerWatts, milli, validator.BoundPower),
		PowerLimitMilliwatts:   read[uint32](g.PowerLimitWatts, milli, validator.BoundPowerLimit),
		SMClockMHz:             read[uint32](g.SMClockMHz, 1, validator.BoundClock),
		MemoryClockMHz:         read[uint32](g.MemoryClockMHz, 1, validator.BoundClock),
		FanPercent:             read[uint32](g.FanPercent, 1, validator.BoundFanPercent),
		ECCUncorrectedVolatile: read[uint64](g.ECCUncorrected, 1, validator.BoundErrors),
		ThrottleReasons: validator.Map(read[uint64](g.ThrottleReasons, 1, validator.BoundThrottle),
			func(b uint64) validator.ThrottleReasons { return validator.ThrottleReasons(b) }),
		Tier: validator.None[validator.Tier]("no model was reported"),
	}
	if g.Name != nil {
		out.Tier = validator.None[validator.Tier]("this model is in no tier of the network's table")
		if t, known := validator.TierOfModel(*g.Name); known {
			out.Tier = validator.Some(t)
		}
	}
	return out.Bounded(validator.Worker)
}

func reported[T any](v *T) validator.Maybe[T] {
	if v == nil {
		return validator.None[T]("not reported")
	}
	return validator.Some(*v)
}

// gpusStoredJSON says what was stored of a report, and what was not.
type gpusStoredJSON struct {
	storedJSON

	Unknown map[string]map[string]string `json:"unknown,omitempty" doc:"By the GPU's uuid and member: values that were sent, cannot be, and are stored as unknown"`
}

// impossible lists the members of a sample that were sent and are not known, with the reason.
func (g gpuSample) impossible(stored validator.GPU) map[string]string {
	out := map[string]string{}
	for _, f := range []struct {
		member string
		sent   *reading
		reason string
	}{
		{"memory_total_bytes", g.MemoryTotalBytes, stored.MemoryTotalBytes.Reason()},
		{"memory_used_bytes", g.MemoryUsedBytes, stored.MemoryUsedBytes.Reason()},
		{"compute_utilization", g.ComputeUtilization, stored.UtilizationPercent.Reason()},
		{"memory_activity_percent", g.MemoryActivity, stored.MemoryActivityPercent.Reason()},
		{"temperature_celsius", g.TemperatureCelsius, stored.TemperatureC.Reason()},
		{"power_watts", g.PowerWatts, stored.PowerMilliwatts.Reason()},
		{"power_limit_watts", g.PowerLimitWatts, stored.PowerLimitMilliwatts.Reason()},
		{"sm_clock_mhz", g.SMClockMHz, stored.SMClockMHz.Reason()},
		{"memory_clock_mhz", g.MemoryClockMHz, stored.MemoryClockMHz.Reason()},
		{"fan_percent", g.FanPercent, stored.FanPercent.Reason()},
		{"throttle_reasons_mask", g.ThrottleReasons, stored.ThrottleReasons.Reason()},
		{"ecc_uncorrected_errors", g.ECCUncorrected, stored.ECCUncorrectedVolatile.Reason()},
	} {
		if f.sent != nil && f.reason != "" {
			out[f.member] = f.reason
		}
	}
	return out
}

func (s *Server) apiGPUMetrics(ctx context.Context, in *gpuMetricsInput) (*reply[gpusStoredJSON], error) {
	worker, err := s.workerFor(ctx, in.WalletInput, in.Body.WorkerAddress)
	if err != nil {
		return nil, err
	}
	now, err := s.reportClock(ctx)
	if err != nil {
		return nil, err
	}
	at, err := reportTime(now, "body.sampled_at", in.Body.SampledAt)
	if err != nil {
		return nil, err
	}
	gpus := make([]validator.GPU, 0, len(in.Body.GPUs))
	seen, unknown := map[string]int{}, map[string]map[string]string{}
	for i, g := range in.Body.GPUs {
		if first, twice := seen[g.UUID]; twice {
			return nil, badField(fmt.Sprintf("body.gpus[%d].uuid", i), fmt.Sprintf("is the same as that of gpus[%d]", first), g.UUID)
		}
		seen[g.UUID] = i
		gpu := g.toGPU(at)
		if why := g.impossible(gpu); len(why) > 0 {
			unknown[g.UUID] = why
		}
		gpus = append(gpus, gpu)
	}
	if err := s.spend(ctx, len(gpus)); err != nil {
		return nil, err
	}
	if err := s.db.UpsertWorkerGPUs(ctx, worker, in.Body.WorkerID, at, gpus); err != nil {
		return nil, s.storeProblem(err)
	}
	return ok(gpusStoredJSON{storedJSON{"ok", string(worker), at.Unix()}, unknown})
}
