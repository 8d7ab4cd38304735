package db

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// spansOfCard bounds the stretches that are read of one card for one window of time.
const spansOfCard = 500

// GPUThrottles returns in which stretches that reach into a time a GPU was slowed, in the order
// of their beginnings. Each is whole, however little of it is in that time.
func (s *Store) GPUThrottles(ctx context.Context, worker validator.Address, uuid string, since, until time.Time) ([]validator.ThrottleSpan, error) {
	rows, err := s.q.listGPUThrottles(ctx, listGPUThrottlesParams{WorkerAddress: worker, GPUUUID: uuid, Since: since, Until: until, Most: spansOfCard})
	if err != nil {
		return nil, s.fail("list when a GPU was slowed", err)
	}
	out := make([]validator.ThrottleSpan, len(rows))
	for i, r := range rows {
		out[i] = throttleSpan(r)
	}
	return validator.MergeThrottleSpans(out), nil
}

func throttleSpan(r listGPUThrottlesRow) validator.ThrottleSpan {
	return validator.ThrottleSpan{
		GPUUUID: r.GPUUUID, Reason: validator.ThrottleReasons(r.Reason), Pauses: int(r.Pauses),
		After: timeOr(r.BeganAfter), From: r.BeganAt.UTC(), To: r.LastAt.UTC(), Before: timeOr(r.EndedBefore),
	}
}

func timeOr(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

func throttleRow(worker validator.Address, workerID string, x validator.ThrottleSpan) growGPUThrottleParams {
	return growGPUThrottleParams{
		WorkerAddress: worker, WorkerID: workerID, GPUUUID: x.GPUUUID, Reason: int64(x.Reason), Pauses: int32(x.Pauses),
		BeganAfter: timeOrNull(x.After), BeganAt: x.From, LastAt: x.To, EndedBefore: timeOrNull(x.Before),
	}
}

// placeThrottles lets samples that have just been stored begin, continue, join, end or split the
// stretches in which their GPUs were slowed. They may come late: a host that was cut off
// sends what it kept. Whoever stores samples of a GPU of a host holds the lock on its newest.
func placeThrottles(ctx context.Context, q *Queries, rows []storeGPUSampleParams) error {
	var kept []storeGPUSampleParams
	var uuids []string
	var first, last time.Time
	for _, r := range rows {
		if !r.KeepHistory || r.ThrottleReasons == nil {
			continue
		}
		if kept = append(kept, r); len(kept) == 1 || r.SampledAt.Before(first) {
			first = r.SampledAt
		}
		if r.SampledAt.After(last) {
			last = r.SampledAt
		}
		uuids = append(uuids, r.GPUUUID)
	}
	if len(kept) == 0 {
		return nil
	}
	list, err := q.gpuThrottlesNear(ctx, gpuThrottlesNearParams{
		WorkerAddress: kept[0].WorkerAddress, WorkerID: kept[0].WorkerID, GPUUUIDs: uuids,
		Since: first.Add(-validator.SampleReach), Until: last.Add(validator.SampleReach),
	})
	if err != nil {
		return err
	}
	near := map[string][]validator.ThrottleSpan{}
	for _, r := range list {
		near[r.GPUUUID] = append(near[r.GPUUUID], throttleSpan(listGPUThrottlesRow(r)))
	}
	var asked []gpuSamplesBesideParams
	for _, r := range kept {
		if len(near[r.GPUUUID]) > 0 || validator.ThrottleReasons(*r.ThrottleReasons).Slowed() {
			asked = append(asked, gpuSamplesBesideParams{WorkerAddress: r.WorkerAddress, GPUUUID: r.GPUUUID, WorkerID: r.WorkerID, SampledAt: r.SampledAt, Since: r.SampledAt.Add(-validator.SampleReach), Until: r.SampledAt.Add(validator.SampleReach)})
		}
	}
	if len(asked) == 0 {
		return nil
	}
	return changeThrottles(ctx, q, asked, near)
}

// changeThrottles places each sample between those beside it, and writes what that changes.
func changeThrottles(ctx context.Context, q *Queries, asked []gpuSamplesBesideParams, near map[string][]validator.ThrottleSpan) error {
	var drop []dropGPUThrottleParams
	var put []putGPUThrottleParams
	var failed error
	q.gpuSamplesBeside(ctx, asked).QueryRow(func(i int, r gpuSamplesBesideRow, err error) {
		switch {
		case errors.Is(err, pgx.ErrNoRows): // another sample of that time was stored before, and does not tell
			return
		case err != nil:
			failed = errors.Join(failed, err)
			return
		}
		a := asked[i]
		change := validator.PlaceThrottleSample(
			a.GPUUUID, near[a.GPUUUID],
			throttleSample(r.BeforeAt, r.BeforeReasons), throttleSample(a.SampledAt, r.Reasons), throttleSample(r.BehindAt, r.BehindReasons),
			validator.SampleReach,
		)
		for _, x := range change.Drop {
			drop = append(drop, dropGPUThrottleParams{WorkerAddress: a.WorkerAddress, WorkerID: a.WorkerID, GPUUUID: x.GPUUUID, Reason: int64(x.Reason), BeganAt: x.From})
		}
		for _, x := range change.Put {
			put = append(put, putGPUThrottleParams(throttleRow(a.WorkerAddress, a.WorkerID, x)))
		}
	})
	if failed == nil && len(drop) > 0 {
		failed = firstError(q.dropGPUThrottle(ctx, drop).Exec)
	}
	if failed == nil && len(put) > 0 {
		failed = firstError(q.putGPUThrottle(ctx, put).Exec)
	}
	return failed
}

// throttleSample is none at the epoch.
func throttleSample(at time.Time, reasons int64) validator.ThrottleSample {
	if at.Unix() == 0 {
		return validator.ThrottleSample{}
	}
	return validator.ThrottleSample{At: at.UTC(), Reasons: validator.ThrottleReasons(reasons)}
}
