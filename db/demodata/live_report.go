package demodata

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// beat sends a heartbeat of each of the worker's hosts, with what their cards do now.
func (l *Live) beat(ctx context.Context, now time.Time) error {
	beats := make([]validator.Heartbeat, len(l.cfg.Story.Hosts))
	for i, h := range l.cfg.Story.Hosts {
		var cards, jobs int32
		var utilization, memory float64
		for _, s := range l.slots {
			if s.hostID != h.ID || !l.cfg.Usable(s.gpu.UUID) {
				continue
			}
			cards++
			utilization += s.load.Utilization * (97 + 3*l.dice.Float64())
			memory += 100 * float64(s.load.MemoryBytes) / float64(s.gpu.MemoryTotalBytes)
			if s.job != nil {
				jobs++
			}
		}
		latency := int32(14 + l.dice.IntN(12))
		beats[i] = validator.Heartbeat{
			Worker: l.cfg.Story.Worker, WorkerID: h.ID, At: now, GPUCount: &cards, JobsInProgress: &jobs, LatencyMS: &latency, Version: newestVersion,
		}
		if cards > 0 {
			utilization, memory = utilization/float64(cards), memory/float64(cards)
			beats[i].GPUUtilizationPercent, beats[i].MemoryUtilizationPercent = &utilization, &memory
		}
	}
	return l.cfg.Store.InsertHeartbeats(ctx, beats)
}

// others sends a heartbeat of each active worker of the rest of the network, and lets one
// of them complete a job now and then.
func (l *Live) others(ctx context.Context, now time.Time) error {
	beats := make([]validator.Heartbeat, otherActive)
	for n := range beats {
		cards := int32(otherGPUs(n))
		jobs := l.dice.Int32N(cards + 1)
		utilization := 90 * float64(jobs) / float64(cards)
		beats[n] = validator.Heartbeat{
			Worker: OtherWorker(n), WorkerID: otherHost, At: now.Add(-l.upTo(time.Minute)), GPUCount: &cards,
			GPUUtilizationPercent: &utilization, JobsInProgress: &jobs, Version: newestVersion,
		}
	}
	if err := l.cfg.Store.InsertHeartbeats(ctx, beats); err != nil || l.dice.IntN(3) > 0 {
		return err
	}
	return l.completeElsewhere(ctx, now)
}

// completeElsewhere adds a job that another worker has just completed.
func (l *Live) completeElsewhere(ctx context.Context, now time.Time) error {
	k := l.liveKind()
	took := k.liveLeast + l.upTo(k.liveSpan).Truncate(time.Millisecond)
	assigned := now.Add(-took)
	pay := k.payment(l.dice, took)
	l.newestID++
	j := validator.Job{
		ID: strconv.FormatInt(l.newestID, 10), Client: client(l.dice.IntN(clientCount)), Worker: OtherWorker(l.dice.IntN(otherActive)), Type: k.name,
		Status: validator.JobCompleted, CreatedAt: assigned.Add(-startUp), AssignedAt: &assigned, CompletedAt: &now, ExecutionTime: &took,
		Payment: &pay, ResultHash: string(felt(l.dice)), TxHash: felt(l.dice), BlockNumber: l.cfg.Story.blockAt(now),
	}
	_, err := l.db.CopyFrom(ctx, pgx.Identifier{"jobs"}, jobColumns, pgx.CopyFromRows([][]any{jobRow(j)}))
	return err
}

// report stores what the reported hosts say of their GPUs, as their agents would.
func (l *Live) report(ctx context.Context, now time.Time) error {
	if l.cfg.Read == nil {
		return nil
	}
	gpus, err := l.cfg.Read()
	if err != nil {
		return fmt.Errorf("read the reported hosts: %w", err)
	}
	var failed []error
	for _, h := range l.cfg.Story.Hosts {
		if !h.Reported {
			continue
		}
		var own []validator.GPU
		for _, g := range gpus {
			if slices.ContainsFunc(h.GPUs, func(card GPU) bool { return card.UUID == g.UUID }) {
				g.SampledAt = now
				own = append(own, g)
			}
		}
		failed = append(failed, l.cfg.Store.UpsertWorkerGPUs(ctx, l.cfg.Story.Worker, h.ID, now, own))
	}
	return errors.Join(failed...)
}
