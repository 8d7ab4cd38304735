package demodata

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// sampledFor is how far back the samples of reported GPUs go.
const sampledFor = 24 * time.Hour

// writeSamples writes a day of one sample a minute for each reported GPU, as its jobs loaded it.
func (s Story) writeSamples(ctx context.Context, tx pgx.Tx, jobs []validator.Job, outages []outage) error {
	from := s.Now.Add(-sampledFor).Truncate(time.Minute)
	if _, err := tx.Exec(ctx, `SELECT keep_gpu_sample_days($1::date, $1::date, ($2::date + 2))`, from.UTC(), s.Now.UTC()); err != nil {
		return fmt.Errorf("days of samples: %w", err)
	}
	var rows [][]any
	stream := uint64(streamGPU)
	for _, h := range s.Hosts {
		for _, g := range h.GPUs {
			stream++
			if !h.Reported {
				continue
			}
			rows = append(rows, s.samplesOf(h, g, s.dice(stream+streamGPU), jobs, outages, from)...)
		}
	}
	columns := []string{"worker_address", "worker_id", "gpu_uuid", "sampled_at", "utilization_percent", "memory_activity_percent", "memory_used_bytes", "memory_total_bytes", "temperature_c", "memory_temperature_c", "power_milliwatts", "power_limit_milliwatts", "sm_clock_mhz", "throttle_reasons"}
	if _, err := tx.CopyFrom(ctx, pgx.Identifier{"gpu_samples"}, columns, pgx.CopyFromRows(rows)); err != nil {
		return fmt.Errorf("samples: %w", err)
	}
	return nil
}

func (s Story) samplesOf(h Host, g GPU, dice *rand.Rand, jobs []validator.Job, outages []outage, from time.Time) [][]any {
	const idleWatts, airC, kelvinPerWatt, perMinute = 76.0, 27.0, 0.053, 0.8
	dieC := airC + idleWatts*kelvinPerWatt
	var rows [][]any
	for t := from; t.Before(s.Now); t = t.Add(time.Minute) {
		k, busy := loadAt(jobs, g.UUID, t)
		watts, util, used := idleWatts, 0.0, 0.0
		if busy {
			util = min(k.utilization+dice.Float64()*0.03, 1)
			watts += (float64(g.PowerLimitWatts) - idleWatts) * util * 0.95
			used = k.memoryShare * float64(g.MemoryTotalBytes)
		}
		dieC += (airC + watts*kelvinPerWatt - dieC) * perMinute
		if _, dark := within(outages, t); dark {
			continue
		}
		clock := int64(345)
		if busy {
			clock = 1980
		}
		rows = append(rows, []any{string(s.Worker), h.ID, g.UUID, t, int32(util * 100), int32(util * 60), int64(used), int64(g.MemoryTotalBytes), int32(math.Round(dieC)), int32(math.Round(dieC + 4)), int64(watts * 1000), int64(g.PowerLimitWatts) * 1000, clock, int64(0)})
	}
	return rows
}

// loadAt is the kind of the job that a card ran at a time.
func loadAt(jobs []validator.Job, uuid string, t time.Time) (kind, bool) {
	for i := len(jobs) - 1; i >= 0; i-- {
		j := jobs[i]
		if j.CreatedAt.Before(t.Add(-6 * time.Hour)) {
			break
		}
		if j.GPUUUID == uuid && !j.AssignedAt.After(t) && j.CompletedAt.After(t) {
			return kindNamed(j.Type), true
		}
	}
	return kind{}, false
}

func kindNamed(name string) kind {
	for _, k := range kinds {
		if k.name == name {
			return k
		}
	}
	return kinds[0]
}

func numeric(w validator.Wei) pgtype.Numeric { return pgtype.Numeric{Int: w.Big(), Valid: true} }

func numericOrNull(w *validator.Wei) pgtype.Numeric {
	if w == nil {
		return pgtype.Numeric{}
	}
	return numeric(*w)
}
