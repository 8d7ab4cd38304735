package db

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// UpsertWorkerGPUs stores what a worker's host reported of its GPUs, all or none. Each
// becomes the newest sample of its GPU unless a newer one is there, joins the history
// once, and tells when its GPU began or ceased to be slowed. ErrInvalid: the database refuses
// a value, or a sample is older than the retention or more than a day ahead.
func (s *Store) UpsertWorkerGPUs(ctx context.Context, worker validator.Address, workerID string, sampledAt time.Time, gpus []validator.GPU) error {
	return s.storeSamples(ctx, worker, workerID, sampledAt, gpus, placeThrottles)
}

// StoreHostSamples is UpsertWorkerGPUs for a host whose sampler journals by itself when its
// GPUs are slowed, since it reads them more often than samples are stored.
func (s *Store) StoreHostSamples(ctx context.Context, worker validator.Address, workerID string, sampledAt time.Time, gpus []validator.GPU) error {
	return s.storeSamples(ctx, worker, workerID, sampledAt, gpus, func(context.Context, *Queries, []storeGPUSampleParams) error { return nil })
}

func (s *Store) storeSamples(
	ctx context.Context, worker validator.Address, workerID string, sampledAt time.Time, gpus []validator.GPU,
	placeThrottles func(context.Context, *Queries, []storeGPUSampleParams) error,
) error {
	rows := make([]storeGPUSampleParams, len(gpus))
	for i, g := range gpus {
		row, err := sampleRow(g, sampledAt)
		if err != nil {
			return fmt.Errorf("store GPU samples: %w", err)
		}
		row.WorkerAddress, row.WorkerID, row.ReportedAt = worker, workerID, sampledAt
		rows[i] = row
	}
	err := s.sampleTimes(rows)
	if err == nil {
		err = s.inTransaction(ctx, func(q *Queries) error {
			if err := firstError(q.storeGPUSample(ctx, rows).Exec); err != nil {
				return err
			}
			if err := placeThrottles(ctx, q, rows); err != nil {
				return err
			}
			return q.forgetUnnamedGPUs(ctx, forgetUnnamedGPUsParams{WorkerAddress: worker, WorkerID: workerID, ReportedAt: sampledAt})
		})
	}
	return s.fail("store GPU samples", err)
}

// sampleTimes refuses samples of the history that would be dropped at once, or are of a time
// to come.
func (s *Store) sampleTimes(rows []storeGPUSampleParams) error {
	now := s.Now()
	oldest, newest := now.Add(-s.cfg.SampleRetention), now.Add(24*time.Hour)
	for _, r := range rows {
		if r.KeepHistory && (r.SampledAt.Before(oldest) || r.SampledAt.After(newest)) {
			return fmt.Errorf("%w: a sample's time, %s, is not within the last %d days", ErrInvalid, r.SampledAt.UTC().Format(time.RFC3339), int(s.cfg.SampleRetention.Hours()/24))
		}
	}
	return nil
}

// storedGPU is a sample as JSON, in which a missing value is null, with the reasons.
type storedGPU struct {
	validator.GPU

	Unknown map[string]string `json:"Unknown,omitempty"`
}

// sampleRow is a sample as the database keeps it. A GPU without a UUID has no history,
// since its index is no identity that lasts.
func sampleRow(g validator.GPU, reportedAt time.Time) (storeGPUSampleParams, error) {
	sample, err := json.Marshal(storedGPU{g, g.Reasons()})
	if err != nil {
		return storeGPUSampleParams{}, fmt.Errorf("%w: a sample cannot be written: %w", ErrInvalid, err)
	}
	row := storeGPUSampleParams{GPUUUID: g.UUID, KeepHistory: g.UUID != "", SampledAt: g.SampledAt, Sample: sample}
	if row.SampledAt.IsZero() {
		row.SampledAt = reportedAt
	}
	if g.UUID == "" {
		row.GPUUUID = fmt.Sprintf("index:%d", g.Index)
	}
	if _, faulty := g.Fault.Get(); faulty {
		row.KeepHistory = false
	}
	for _, f := range []struct {
		from validator.Maybe[uint64]
		to   **int64
	}{
		{g.MemoryUsedBytes, &row.MemoryUsedBytes},
		{g.MemoryTotalBytes, &row.MemoryTotalBytes},
		{validator.Map(g.ThrottleReasons, func(r validator.ThrottleReasons) uint64 { return uint64(r) }), &row.ThrottleReasons},
		{wide(g.PowerMilliwatts), &row.PowerMilliwatts},
		{wide(g.PowerLimitMilliwatts), &row.PowerLimitMilliwatts},
		{wide(g.SMClockMHz), &row.SmClockMhz},
		{wide(g.FanPercent), &row.FanPercent},
	} {
		v, known := f.from.Get()
		if !known {
			continue
		}
		if v > math.MaxInt64 {
			return storeGPUSampleParams{}, fmt.Errorf("%w: a sample holds the impossible number %d", ErrInvalid, v)
		}
		n := int64(v)
		*f.to = &n
	}
	row.UtilizationPercent, err = percent(g.UtilizationPercent, err)
	row.MemoryActivityPercent, err = percent(g.MemoryActivityPercent, err)
	row.TemperatureC, err = celsius(g.TemperatureC, err)
	row.MemoryTemperatureC, err = celsius(g.MemoryTemperatureC, err)
	return row, err
}

func wide(m validator.Maybe[uint32]) validator.Maybe[uint64] {
	return validator.Map(m, func(v uint32) uint64 { return uint64(v) })
}

// percent is a known value as the database takes it. An earlier error is handed on.
func percent(m validator.Maybe[uint32], earlier error) (*int32, error) {
	v, known := m.Get()
	if !known || earlier != nil {
		return nil, earlier
	}
	if v > 100 {
		return nil, fmt.Errorf("%w: a sample holds %d percent", ErrInvalid, v)
	}
	n := int32(v)
	return &n, nil
}

func celsius(m validator.Maybe[int], earlier error) (*int32, error) {
	v, known := m.Get()
	if !known || earlier != nil {
		return nil, earlier
	}
	if v < math.MinInt32 || v > math.MaxInt32 {
		return nil, fmt.Errorf("%w: a sample holds %d degrees", ErrInvalid, v)
	}
	n := int32(v)
	return &n, nil
}

// WorkerGPUs returns the newest sample of every GPU of a worker's hosts, by host and
// index. Values that cannot be are unknown,
// whoever wrote them. GPUs that nobody reported for the retention's time are forgotten.
func (s *Store) WorkerGPUs(ctx context.Context, worker validator.Address) ([]validator.WorkerGPU, error) {
	rows, err := s.q.listWorkerGPUs(ctx, worker)
	if err != nil {
		return nil, s.fail("list GPUs", err)
	}
	out := make([]validator.WorkerGPU, len(rows))
	for i, r := range rows {
		out[i].WorkerID, out[i].ReportedAt = r.WorkerID, r.SampledAt
		var g storedGPU
		if err := json.Unmarshal(r.Sample, &g); err != nil {
			return nil, fmt.Errorf("read a GPU's sample: %w", err)
		}
		out[i].GPU = g.WithReasons(g.Unknown).Bounded(validator.Worker)
	}
	return out, nil
}

// WorkerGPUSteps sums up a GPU's samples since a time by steps of time, oldest first.
// Steps without a sample are left out.
func (s *Store) WorkerGPUSteps(ctx context.Context, worker validator.Address, uuid string, since time.Time, step time.Duration) ([]validator.GPUStep, error) {
	return s.WorkerGPUStepsBetween(ctx, worker, uuid, since, endOfTime, step)
}

// FirstGPUSample is since when anything is kept of a GPU; zero if nothing is.
func (s *Store) FirstGPUSample(ctx context.Context, worker validator.Address, uuid string) (time.Time, error) {
	first, err := s.q.firstGPUSample(ctx, firstGPUSampleParams{WorkerAddress: worker, GPUUUID: uuid})
	if err != nil || first.Unix() == 0 {
		return time.Time{}, s.fail("read since when a GPU is known", err)
	}
	return first.UTC(), nil
}

// WorkerGPUStepsBetween is WorkerGPUSteps for the samples before a time.
func (s *Store) WorkerGPUStepsBetween(ctx context.Context, worker validator.Address, uuid string, since, until time.Time, step time.Duration) ([]validator.GPUStep, error) {
	rows, err := s.q.gpuSteps(ctx, gpuStepsParams{
		WorkerAddress: worker, GPUUUID: uuid, Since: since, Until: until, Step: step,
		MemoryMax: int64(validator.BoundMemory.High), PowerMax: int64(validator.BoundPower.High),
		TemperatureMin: int32(validator.BoundTemperature.Low), TemperatureMax: int32(validator.BoundTemperature.High),
	})
	if err != nil {
		return nil, s.fail("read a GPU's history", err)
	}
	out := make([]validator.GPUStep, len(rows))
	for i, r := range rows {
		out[i] = validator.GPUStep{
			At:                 r.StepStart.UTC(),
			UtilizationPercent: spread(r.UtilizationSamples, r.UtilizationMean, r.UtilizationMin, r.UtilizationMax),
			MemoryUsedBytes:    spread(r.MemorySamples, r.MemoryMean, r.MemoryMin, r.MemoryMax),
			TemperatureC:       spread(r.TemperatureSamples, r.TemperatureMean, r.TemperatureMin, r.TemperatureMax),
			PowerMilliwatts:    spread(r.PowerSamples, r.PowerMean, r.PowerMin, r.PowerMax),
			ThrottleReasons:    validator.ThrottleReasons(r.ThrottleReasons), // stored from a uint64 that fits
		}
	}
	return out, nil
}

// spread is what a step's samples sum up to, missing if none holds the quantity.
func spread(samples int64, mean, low, high float64) validator.Maybe[validator.Spread] {
	if samples == 0 {
		return validator.None[validator.Spread]("no reading")
	}
	return validator.Some(validator.Spread{Mean: mean, Min: low, Max: high})
}
