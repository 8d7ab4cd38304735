package db

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// InsertHeartbeats stores heartbeats, all or none. One that is there already (the same
// worker, host and time) stays as it is. ErrInvalid: the database refuses a value.
func (s *Store) InsertHeartbeats(ctx context.Context, beats []validator.Heartbeat) error {
	_, err := s.AddHeartbeats(ctx, beats)
	return err
}

// AddHeartbeats is InsertHeartbeats, and returns how many were not there.
func (s *Store) AddHeartbeats(ctx context.Context, beats []validator.Heartbeat) (added int64, err error) {
	if len(beats) == 0 {
		return 0, nil
	}
	rows := make([]heartbeatReport, len(beats))
	for i, b := range beats {
		rows[i] = heartbeatReport{
			WorkerAddress: b.Worker, WorkerID: b.WorkerID, HeartbeatTime: b.At, GPUCount: b.GPUCount,
			GPUUtilizationAvg: b.GPUUtilizationPercent, MemoryUtilizationAvg: b.MemoryUtilizationPercent,
			JobsInProgress: b.JobsInProgress, LatencyMS: b.LatencyMS, Version: b.Version,
		}
	}
	list, err := json.Marshal(rows)
	if err != nil {
		return 0, fmt.Errorf("store heartbeats: %w: %w", ErrInvalid, err)
	}
	err = s.inTransaction(ctx, func(q *Queries) (err error) {
		added, err = q.addToldHeartbeats(ctx, list)
		return err
	})
	return added, s.fail("store heartbeats", err)
}

// heartbeatReport is a heartbeat by the names of its columns; what is left out is NULL.
type heartbeatReport struct {
	WorkerAddress        validator.Address `json:"worker_address"`
	WorkerID             string            `json:"worker_id"`
	HeartbeatTime        time.Time         `json:"heartbeat_time"`
	GPUCount             *int32            `json:"gpu_count,omitempty"`
	GPUUtilizationAvg    *float64          `json:"gpu_utilization_avg,omitempty"`
	MemoryUtilizationAvg *float64          `json:"memory_utilization_avg,omitempty"`
	JobsInProgress       *int32            `json:"jobs_in_progress,omitempty"`
	LatencyMS            *int32            `json:"latency_ms,omitempty"`
	Version              string            `json:"version,omitempty"`
}

// firstError runs a batch and returns what its first failing row said; the rows after it
// only repeat that the batch failed.
func firstError(exec func(func(int, error))) error {
	var first error
	exec(func(_ int, err error) {
		if first == nil {
			first = err
		}
	})
	return first
}

// Heartbeats summarises a worker's heartbeats: the first ever, the newest, and the minutes
// since the start of a time's hour in which at least one arrived. The first is exact to the
// minute, and it and the minutes outlive the heartbeats themselves.
func (s *Store) Heartbeats(ctx context.Context, worker validator.Address, since time.Time) (validator.HeartbeatSummary, error) {
	var sum validator.HeartbeatSummary
	err := s.inSnapshot(ctx, func(q *Queries) error {
		newest, err := q.newestHeartbeat(ctx, worker)
		switch {
		case err == nil:
			last := newest.heartbeat()
			sum.Last = &last
		case !errors.Is(err, pgx.ErrNoRows):
			return err
		}
		ahead, err := q.clocksAhead(ctx, string(worker))
		if err != nil {
			return err
		}
		for _, a := range ahead {
			sum.ClocksAhead = append(sum.ClocksAhead, validator.ClockAhead{WorkerID: a.WorkerID, By: a.HeartbeatTime.Sub(a.ReceivedAt), ReceivedAt: a.ReceivedAt})
		}
		if sum.First, err = firstMinute(ctx, q, worker); err != nil || sum.First == nil {
			return err
		}
		hours, err := q.heartbeatHours(ctx, heartbeatHoursParams{WorkerAddress: worker, Since: since})
		if err != nil {
			return err
		}
		for _, h := range hours {
			sum.Hours = append(sum.Hours, validator.HourMask{Hour: h.Hour, Minutes: uint64(h.Minutes)})
		}
		return nil
	})
	if err != nil {
		return validator.HeartbeatSummary{}, s.fail("read heartbeats", err)
	}
	return sum, nil
}

// firstMinute is the first minute ever in which a worker was heard, nil if there is none.
func firstMinute(ctx context.Context, q *Queries, worker validator.Address) (*time.Time, error) {
	h, err := q.firstHeartbeatHour(ctx, worker)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return nil, nil
	case err != nil:
		return nil, err
	}
	at := firstOf(h.Hour, h.Minutes)
	return &at, nil
}

func (r HeartbeatRow) heartbeat() validator.Heartbeat {
	return validator.Heartbeat{
		Worker: r.WorkerAddress, WorkerID: r.WorkerID, At: r.HeartbeatTime, GPUCount: r.GPUCount,
		GPUUtilizationPercent: r.GPUUtilizationAvg, MemoryUtilizationPercent: r.MemoryUtilizationAvg,
		JobsInProgress: r.JobsInProgress, LatencyMS: r.LatencyMS, Version: orZero(r.Version),
	}
}
