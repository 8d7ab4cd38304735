package history

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

// startTakes is the longest that starting the demo may take without a gap in its heartbeats.
const startTakes = 5 * time.Minute

// beat sends a heartbeat of each of the worker's hosts, with what their cards do now. The
// first time it tells of the moments too that passed since the story's end.
func (l *Live) beat(ctx context.Context, now time.Time) error {
	var missed []validator.Heartbeat
	if since := l.cfg.Story.Now; !l.beaten && now.Sub(since) < startTakes {
		for at := since; at.Before(now); at = at.Add(beatEvery) {
			missed = append(missed, l.heartbeats(at)...)
		}
	}
	err := l.cfg.Store.InsertHeartbeats(ctx, append(missed, l.heartbeats(now)...))
	l.beaten = l.beaten || err == nil
	return err
}

func (l *Live) heartbeats(now time.Time) []validator.Heartbeat {
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
	return beats
}

// others sends a heartbeat of each active worker of the rest of the network, and lets one
// of them complete a job now and then.
func (l *Live) others(ctx context.Context, now time.Time) error {
	beats := make([]validator.Heartbeat, otherActive)
	for n := range beats {
		beats[n] = otherBeat(l.dice, n, now.Add(-l.upTo(time.Minute)))
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
		ID: strconv.FormatInt(l.newestID, 10), Client: client(l.dice), Worker: OtherWorker(l.dice.IntN(otherActive)), Type: k.name,
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
				g.XIDsWatchedSince = validator.None[time.Time]("agents do not report it")
				if tier, known := validator.TierOfModel(g.Name.Or("")); known {
					g.Tier = validator.Some(tier)
				}
				own = append(own, g)
			}
		}
		failed = append(failed, l.cfg.Store.UpsertWorkerGPUs(ctx, l.cfg.Story.Worker, h.ID, now, own))
	}
	return errors.Join(failed...)
}
