package demodata

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// heartbeatsFirst is how far back Write tells of heartbeats: what pages count. A year of
// them takes longer than all the rest together.
const heartbeatsFirst = 40 * 24 * time.Hour

// Write tells the story to an empty database whose schema is up to date, all of it or
// nothing: everything but the older heartbeats, which are WriteOlderHeartbeats' part. What
// the schema keeps by itself of rows is kept of these too.
func Write(ctx context.Context, databaseURL string, s Story) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("write the demo's year: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is left to do on it
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, "SET LOCAL synchronous_commit = off; SET LOCAL statement_timeout = 0"); err != nil {
			return err
		}
		outages := s.outages()
		own := s.ownJobs(outages)
		jobs, number := append(own, s.otherJobs()...), newIDs(s)
		for i := range jobs {
			if jobs[i].ID == "" {
				jobs[i].ID = number.next(jobs[i].CreatedAt)
			}
		}
		for _, step := range []func() error{
			func() error { return writeJobs(ctx, tx, jobs) },
			func() error { return s.writeHeartbeats(ctx, tx, outages, s.heartbeatsSplit(), s.Now) },
			func() error { return s.writeOtherHeartbeats(ctx, tx) },
			func() error { return s.writeClaims(ctx, tx) },
			func() error { return s.writeSamples(ctx, tx, own, outages) },
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write the demo's year: %w", err)
	}
	for _, sql := range []string{"ANALYZE jobs", "ANALYZE heartbeats", "ANALYZE reward_claims", "ANALYZE gpu_samples"} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return fmt.Errorf("write the demo's year: %w", err)
		}
	}
	return nil
}

func (s Story) heartbeatsSplit() time.Time {
	return s.Now.Add(-heartbeatsFirst).Truncate(time.Minute)
}

// WriteOlderHeartbeats writes the heartbeats of the year that Write left out, newest first,
// a few days at a time. Other work in the database goes on meanwhile.
func WriteOlderHeartbeats(ctx context.Context, databaseURL string, s Story) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return fmt.Errorf("write older heartbeats: %w", err)
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is left to do on it
	const days = 5 * 24 * time.Hour
	outages := s.outages()
	for to := s.heartbeatsSplit(); to.After(s.start()); to = to.Add(-days) {
		from := to.Add(-days)
		if from.Before(s.start()) {
			from = s.start()
		}
		if err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return s.writeHeartbeats(ctx, tx, outages, from, to) }); err != nil {
			return fmt.Errorf("write older heartbeats: %w", err)
		}
	}
	return nil
}

var jobColumns = []string{"job_id", "client_address", "worker_address", "job_type", "status", "payment_amount", "created_at", "assigned_at", "completed_at", "execution_time_ms", "result_hash", "error_message", "gpu_uuid", "tx_hash", "block_number"}

func jobRow(j validator.Job) []any {
	var took *int64
	if j.ExecutionTime != nil {
		ms := j.ExecutionTime.Milliseconds()
		took = &ms
	}
	return []any{j.ID, text(string(j.Client)), text(string(j.Worker)), j.Type, string(j.Status), numericOrNull(j.Payment), j.CreatedAt, j.AssignedAt, j.CompletedAt, took, text(j.ResultHash), text(j.ErrorMessage), text(j.GPUUUID), text(string(j.TxHash)), j.BlockNumber}
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func writeJobs(ctx context.Context, tx pgx.Tx, jobs []validator.Job) error {
	_, err := tx.CopyFrom(ctx, pgx.Identifier{"jobs"}, jobColumns, pgx.CopyFromSlice(len(jobs), func(i int) ([]any, error) {
		return jobRow(jobs[i]), nil
	}))
	if err != nil {
		return fmt.Errorf("jobs: %w", err)
	}
	return nil
}

// writeHeartbeats lets the database make one heartbeat a minute for each host between two
// times, but in outages.
func (s Story) writeHeartbeats(ctx context.Context, tx pgx.Tx, outages []outage, first, end time.Time) error {
	from, to := make([]time.Time, len(outages)), make([]time.Time, len(outages))
	for i, o := range outages {
		from[i], to[i] = o.from, o.to
	}
	const dark = `WITH dark AS (SELECT range_agg(tstzrange(f, t)) AS times FROM unnest($1::timestamptz[], $2::timestamptz[]) AS o(f, t)) `
	for n, h := range s.Hosts {
		since := first
		if h.Since.After(since) {
			since = h.Since
		}
		_, err := tx.Exec(ctx, dark+`INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time, gpu_count, gpu_utilization_avg, memory_utilization_avg, jobs_in_progress, latency_ms, version)
			SELECT $3, $4, t + make_interval(secs => $8::float8), $5::int, 40 + 35 * sin(extract(epoch FROM t) / 7000 + $8::float8), 30 + 25 * sin(extract(epoch FROM t) / 9000), ($5::int * (1 + sin(extract(epoch FROM t) / 7000)) / 2)::int, 18 + (extract(epoch FROM t)::bigint / 60) % 11, '1.8.2'
			FROM generate_series($6::timestamptz, $7::timestamptz, interval '1 minute') t, dark WHERE NOT (t <@ dark.times)`,
			from, to, string(s.Worker), h.ID, len(h.GPUs), since.Truncate(time.Minute), end.Truncate(time.Minute).Add(-time.Minute), 11*n+3)
		if err != nil {
			return fmt.Errorf("heartbeats of %s: %w", h.ID, err)
		}
	}
	return nil
}

func (s Story) writeOtherHeartbeats(ctx context.Context, tx pgx.Tx) error {
	for w := range otherActive {
		const recently = 90 * time.Minute
		if _, err := tx.Exec(ctx, `INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time, gpu_count, gpu_utilization_avg, jobs_in_progress, version)
			SELECT $1, 'node', t, $2::int, 55, 1, '1.8.2' FROM generate_series($3::timestamptz, $4::timestamptz, interval '1 minute') t`,
			string(OtherWorker(w)), otherGPUs(w), s.Now.Add(-recently), s.Now.Add(-time.Duration(w)*time.Second)); err != nil {
			return fmt.Errorf("heartbeats of the network: %w", err)
		}
	}
	return nil
}

// otherGPUs is how many GPUs another worker has.
func otherGPUs(worker int) int { return 1 + worker*worker%8 }

func (s Story) writeClaims(ctx context.Context, tx pgx.Tx) error {
	for _, c := range s.Claims {
		if _, err := tx.Exec(ctx, `INSERT INTO reward_claims (address, amount, claim_type, claim_time, tx_hash, block_number, status, failure) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			string(c.Address), numericOrNull(c.Amount), string(c.Kind), c.At, string(c.TxHash), c.BlockNumber, string(c.Status), text(c.Failure)); err != nil {
			return fmt.Errorf("claims: %w", err)
		}
	}
	return nil
}
