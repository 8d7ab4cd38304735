package db

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	gpuEventsKept = 400 * 24 * time.Hour
	eventsOfCard  = 200 // the newest that are read of one card
)

// StoreGPUJournal stores what happened to the GPUs of a worker's host, all or nothing. What is
// stored already stays one row; ErrInvalid: the database refuses a record.
func (s *Store) StoreGPUJournal(ctx context.Context, worker validator.Address, workerID string, j validator.GPUJournal) error {
	events := make([]storeGPUEventParams, len(j.Events))
	for i, e := range j.Events {
		events[i] = storeGPUEventParams{
			WorkerAddress: worker, WorkerID: workerID, GPUUUID: e.GPUUUID, Kind: string(e.Kind), Code: int64(e.Code), Severity: e.Severity().String(),
			Detail: e.Detail, Source: string(e.Source), OccurredAt: e.At, LastAt: e.Last, Count: e.Count, BootID: j.BootID, Watcher: e.Watcher, Sequence: e.Sequence,
		}
	}
	watches := make([]storeGPUWatchParams, len(j.Watches))
	for i, w := range j.Watches {
		watches[i] = storeGPUWatchParams{WorkerAddress: worker, WorkerID: workerID, GPUUUID: w.GPUUUID, Watcher: j.Watcher, WatchedFrom: w.From, WatchedTo: w.To}
	}
	spans := make([]growGPUThrottleParams, len(j.Throttled))
	for i, x := range j.Throttled {
		spans[i] = throttleRow(worker, workerID, x)
	}
	if err := (gate{s}).open(); err != nil {
		return s.fail("store events of GPUs", err)
	}
	return s.fail("store events of GPUs", pgx.BeginFunc(ctx, s.pool, func(tx pgx.Tx) error {
		q := s.q.WithTx(tx)
		if len(events) > 0 {
			if err := q.lockGPUEvents(ctx, lockGPUEventsParams{WorkerAddress: string(worker), WorkerID: workerID}); err != nil {
				return err
			}
			if err := firstError(q.storeGPUEvent(ctx, events).Exec); err != nil {
				return err
			}
		}
		if len(watches) > 0 {
			if err := firstError(q.storeGPUWatch(ctx, watches).Exec); err != nil {
				return err
			}
		}
		if len(spans) == 0 {
			return nil
		}
		return firstError(q.growGPUThrottle(ctx, spans).Exec)
	}))
}

// GPUEvents returns the newest events of each GPU that a worker's hosts have reported, since a
// time, by the GPU's UUID.
func (s *Store) GPUEvents(ctx context.Context, worker validator.Address, since time.Time) (map[string][]validator.GPUEvent, error) {
	rows, err := s.q.listGPUEvents(ctx, listGPUEventsParams{WorkerAddress: worker, Since: since, PerCard: eventsOfCard})
	if err != nil {
		return nil, s.fail("list events of GPUs", err)
	}
	out := map[string][]validator.GPUEvent{}
	for _, r := range rows {
		out[r.GPUUUID] = append(out[r.GPUUUID], gpuEvent(r))
	}
	return out, nil
}

// GPUEventsBetween returns a GPU's events of a time, the newest first.
func (s *Store) GPUEventsBetween(ctx context.Context, worker validator.Address, uuid string, since, until time.Time) ([]validator.GPUEvent, error) {
	rows, err := s.q.listGPUEventsBetween(ctx, listGPUEventsBetweenParams{WorkerAddress: worker, GPUUUID: uuid, Since: since, Until: until, Most: eventsOfCard})
	if err != nil {
		return nil, s.fail("list a GPU's events", err)
	}
	out := make([]validator.GPUEvent, len(rows))
	for i, r := range rows {
		out[i] = gpuEvent(listGPUEventsRow(r))
	}
	return out, nil
}

func gpuEvent(r listGPUEventsRow) validator.GPUEvent {
	return validator.GPUEvent{
		GPUUUID: r.GPUUUID, Kind: validator.GPUEventKind(r.Kind), Code: uint64(max(r.Code, 0)), Detail: r.Detail, Source: validator.GPUEventSource(r.Source),
		At: r.OccurredAt.UTC(), Last: r.LastAt.UTC(), Count: r.Count, Watcher: r.Watcher, Sequence: r.Sequence,
	}
}

// GPUWatches returns in which times since another events of a worker's GPUs were waited for,
// by the GPU's UUID. Stretches that reach back further are whole.
func (s *Store) GPUWatches(ctx context.Context, worker validator.Address, since time.Time) (map[string][]validator.Interval, error) {
	rows, err := s.q.listGPUWatches(ctx, listGPUWatchesParams{WorkerAddress: worker, Since: since})
	if err != nil {
		return nil, s.fail("list when GPUs were watched", err)
	}
	out := map[string][]validator.Interval{}
	for _, r := range rows {
		out[r.GPUUUID] = append(out[r.GPUUUID], validator.Interval{From: r.WatchedFrom.UTC(), To: r.WatchedTo.UTC()})
	}
	return out, nil
}

// forgetGPUEvents deletes events, and stretches of watching and of being slowed, that are past
// their age.
func (s *Store) forgetGPUEvents(ctx context.Context, now time.Time) error {
	oldest := now.Add(-gpuEventsKept)
	for _, forget := range []func(context.Context, time.Time) error{s.q.forgetGPUEventsBefore, s.q.forgetGPUWatchesBefore, s.q.forgetGPUThrottlesBefore} {
		if err := forget(ctx, oldest); err != nil {
			return err
		}
	}
	return nil
}
