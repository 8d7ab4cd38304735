package history

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// heartbeatsFirst is how far back Write tells of heartbeats: what pages count. A year of
// them takes longer than all the rest together.
const heartbeatsFirst = 40 * day

// ErrNotOurs says that the database holds rows that no story wrote.
var ErrNotOurs = errors.New("the database holds rows that are not the demo's")

// Write tells the story to a database whose schema is up to date and that is empty or holds
// an older story, which it replaces: all of it or nothing, and everything but the older
// heartbeats, which are WriteOlderHeartbeats' part. Rows go in as those of any program, so
// that all that the schema keeps of rows is kept of these.
func Write(ctx context.Context, databaseURL string, s Story) error {
	t, err := Generate(s)
	if err != nil {
		return err
	}
	return t.Write(ctx, databaseURL, s)
}

// Timeline is a story of which all jobs are known.
type Timeline struct {
	story Story
	year  *year
	tasks []task // of all workers, in order of submission
}

// Generate lets the story's year pass.
func Generate(s Story) (*Timeline, error) {
	s, err := s.normalised()
	if err != nil {
		return nil, fmt.Errorf("tell the demo's year: %w", err)
	}
	t := &Timeline{story: s, year: s.live()}
	t.tasks = append(t.year.tasks(), s.otherTasks()...)
	slices.SortStableFunc(t.tasks, func(a, b task) int { return a.CreatedAt.Compare(b.CreatedAt) })
	s.number(t.tasks)
	return t, nil
}

// Ended lists the worker's jobs that ended since a time, in the order of their ends.
func (t *Timeline) Ended(since time.Time) []validator.Job {
	var out []validator.Job
	for _, j := range t.tasks {
		if j.Worker == t.story.Worker && j.CompletedAt != nil && !j.CompletedAt.Before(since) {
			out = append(out, j.Job)
		}
	}
	slices.SortStableFunc(out, func(a, b validator.Job) int { return a.CompletedAt.Compare(*b.CompletedAt) })
	return out
}

// Write writes what was generated, as the function Write does. Of the story as it is now, the claims
// and the source of prices count: they may have become known meanwhile.
func (t *Timeline) Write(ctx context.Context, databaseURL string, now Story) error {
	s, y := t.story, t.year
	s.Claims, s.PriceSource = now.Claims, now.PriceSource
	err := onConn(ctx, databaseURL, func(conn *pgx.Conn) error {
		err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			w := writer{ctx, tx}
			if err := w.clearOwn(); err != nil {
				return err
			}
			return errors.Join(w.weeks(s.heartbeatsSplit(), s.Now), w.jobs(t.tasks), w.heartbeats(y, s.heartbeatsSplit(), s.Now), w.otherHeartbeats(s), w.prices(s), w.claims(s.Claims), w.samples(y), w.energy(y))
		})
		if err != nil {
			return err
		}
		_, err = conn.Exec(ctx, "ANALYZE jobs; ANALYZE heartbeats; ANALYZE reward_claims; ANALYZE gpu_samples; ANALYZE worker_gpus; ANALYZE sage_prices; ANALYZE gpu_energy_days")
		return err
	})
	if err != nil {
		return fmt.Errorf("write the demo's year: %w", err)
	}
	return nil
}

func onConn(ctx context.Context, databaseURL string, do func(*pgx.Conn) error) error {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return err
	}
	return errors.Join(do(conn), conn.Close(context.WithoutCancel(ctx)))
}

func (s Story) heartbeatsSplit() time.Time { return s.ago(heartbeatsFirst) }

// WriteOlderHeartbeats writes the heartbeats of the year that Write left out, newest first,
// some days at a time. Other work in the database goes on meanwhile.
func WriteOlderHeartbeats(ctx context.Context, databaseURL string, s Story) error {
	const piece = 5 * day
	s, err := s.normalised()
	if err != nil {
		return fmt.Errorf("write older heartbeats: %w", err)
	}
	y, first := s.live(), s.start().Truncate(time.Minute)
	err = onConn(ctx, databaseURL, func(conn *pgx.Conn) error {
		for to := s.heartbeatsSplit(); to.After(first); to = to.Add(-piece) {
			from := to.Add(-piece)
			if from.Before(first) {
				from = first
			}
			if err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error { return writer{ctx, tx}.heartbeats(y, from, to) }); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("write older heartbeats: %w", err)
	}
	return nil
}

// writer writes in one transaction.
type writer struct {
	ctx context.Context
	tx  pgx.Tx
}

// clearOwn empties a database that holds an earlier story, which a table of its own
// tells. Rows that no story wrote are never touched.
func (w writer) clearOwn() error {
	// A server's maintenance takes the same locks before it touches the tables in its own order.
	if _, err := w.tx.Exec(w.ctx, `SET LOCAL synchronous_commit = off; SET LOCAL statement_timeout = 0;
		SELECT pg_advisory_xact_lock(hashtext('fold totals')), pg_advisory_xact_lock(hashtext('fold payments')), pg_advisory_xact_lock(hashtext('keep partitions of heartbeats')),
			pg_advisory_xact_lock(hashtext('keep partitions of gpu_samples'))`); err != nil {
		return err
	}
	var ours, used bool
	err := w.tx.QueryRow(w.ctx, `SELECT to_regclass('demo_story') IS NOT NULL,
		EXISTS (SELECT FROM jobs) OR EXISTS (SELECT FROM heartbeats) OR EXISTS (SELECT FROM reward_claims) OR EXISTS (SELECT FROM worker_gpus)`).Scan(&ours, &used)
	switch {
	case err != nil:
		return err
	case used && !ours:
		return ErrNotOurs
	case !used: // emptying would lock the tables for nothing
		_, err = w.tx.Exec(w.ctx, `CREATE TABLE IF NOT EXISTS demo_story (told_at timestamptz NOT NULL DEFAULT now())`)
		return err
	}
	_, err = w.tx.Exec(w.ctx, `DO $$ DECLARE t regclass; BEGIN
			FOR t IN SELECT c.oid FROM pg_class c WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
				AND NOT c.relispartition AND c.relname NOT IN ('goose_db_version', 'demo_story')
			LOOP
				EXECUTE format('TRUNCATE %s RESTART IDENTITY CASCADE', t);
			END LOOP;
		END $$`)
	return err
}

// copyRows writes rows as fast as PostgreSQL takes them.
func (w writer) copyRows(table string, columns []string, next func() ([]any, error)) error {
	if _, err := w.tx.CopyFrom(w.ctx, pgx.Identifier{table}, columns, pgx.CopyFromFunc(next)); err != nil {
		return fmt.Errorf("fill %s: %w", table, err)
	}
	return nil
}

// rowsOf yields a row for each item.
func rowsOf[T any](items []T, row func(T) []any) func() ([]any, error) {
	return func() ([]any, error) {
		if len(items) == 0 {
			return nil, nil
		}
		next := items[0]
		items = items[1:]
		return row(next), nil
	}
}

var jobColumns = []string{"job_id", "client_address", "worker_address", "job_type", "status", "payment_amount", "created_at", "assigned_at", "completed_at", "execution_time_ms", "result_hash", "error_message", "gpu_uuid", "tx_hash", "block_number"}

func jobRow(j validator.Job) []any {
	return []any{
		j.ID, text(string(j.Client)), text(string(j.Worker)), j.Type, string(j.Status), numericOrNull(j.Payment), j.CreatedAt, j.AssignedAt, j.CompletedAt,
		milliseconds(j.ExecutionTime), text(j.ResultHash), text(j.ErrorMessage), text(j.GPUUUID), text(string(j.TxHash)), j.BlockNumber,
	}
}

func milliseconds(d *time.Duration) *int64 {
	if d == nil {
		return nil
	}
	ms := d.Milliseconds()
	return &ms
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func numericOrNull(w *validator.Wei) pgtype.Numeric {
	if w == nil {
		return pgtype.Numeric{}
	}
	return pgtype.Numeric{Int: w.Big(), Valid: true}
}

func orNull(m validator.Maybe[uint32]) *int64 {
	v, known := m.Get()
	if !known {
		return nil
	}
	n := int64(v)
	return &n
}

func (w writer) jobs(tasks []task) error {
	return w.copyRows("jobs", jobColumns, rowsOf(tasks, func(j task) []any { return jobRow(j.Job) }))
}

var heartbeatColumns = []string{"worker_address", "worker_id", "heartbeat_time", "gpu_count", "gpu_utilization_avg", "memory_utilization_avg", "jobs_in_progress", "latency_ms", "version"}

func heartbeatRow(b validator.Heartbeat) []any {
	return []any{string(b.Worker), b.WorkerID, b.At, b.GPUCount, b.GPUUtilizationPercent, b.MemoryUtilizationPercent, b.JobsInProgress, b.LatencyMS, b.Version}
}

// weeks makes the partitions of heartbeats from a time on.
func (w writer) weeks(from, to time.Time) error {
	if _, err := w.tx.Exec(w.ctx, `SELECT keep_partitions('heartbeats', 7, '2001-01-01', $1::date, $2::date + 14)`, from, to); err != nil {
		return fmt.Errorf("make weeks of heartbeats: %w", err)
	}
	return nil
}

func (w writer) heartbeats(y *year, from, to time.Time) error {
	var all []validator.Heartbeat
	y.each(from, to, func(b validator.Heartbeat) { all = append(all, b) })
	return w.copyRows("heartbeats", heartbeatColumns, rowsOf(all, heartbeatRow))
}

func (w writer) otherHeartbeats(s Story) error {
	return w.copyRows("heartbeats", heartbeatColumns, rowsOf(s.otherHeartbeats(), heartbeatRow))
}

func (w writer) claims(claims []validator.Claim) error {
	columns := []string{"address", "amount", "claim_type", "claim_time", "tx_hash", "block_number", "status", "failure"}
	return w.copyRows("reward_claims", columns, rowsOf(claims, func(c validator.Claim) []any {
		return []any{string(c.Address), numericOrNull(c.Amount), string(c.Kind), c.At, text(string(c.TxHash)), c.BlockNumber, string(c.Status), text(c.Failure)}
	}))
}

// samples writes the history of the hosts' GPUs, and the newest of each.
func (w writer) samples(y *year) error {
	s := y.story
	if _, err := w.tx.Exec(w.ctx, `SELECT keep_partitions('gpu_samples', 1, $1::date, $1::date, $2::date + 2)`, y.firstSample(), s.Now); err != nil {
		return fmt.Errorf("make days of samples: %w", err)
	}
	columns := []string{"worker_address", "worker_id", "gpu_uuid", "sampled_at", "utilization_percent", "memory_activity_percent", "memory_used_bytes", "memory_total_bytes", "temperature_c", "memory_temperature_c", "power_milliwatts", "power_limit_milliwatts", "sm_clock_mhz", "throttle_reasons"}
	for _, h := range s.Hosts {
		var rows [][]any
		newest := map[string]validator.GPU{}
		y.eachSample(h, func(g validator.GPU) {
			newest[g.UUID] = g
			rows = append(rows, []any{
				string(s.Worker), h.ID, g.UUID, g.SampledAt, int64(g.UtilizationPercent.Or(0)), int64(g.MemoryActivityPercent.Or(0)), int64(g.MemoryUsedBytes.Or(0)), int64(g.MemoryTotalBytes.Or(0)),
				g.TemperatureC.Or(0), g.MemoryTemperatureC.Or(0), int64(g.PowerMilliwatts.Or(0)), int64(g.PowerLimitMilliwatts.Or(0)), orNull(g.SMClockMHz), int64(g.ThrottleReasons.Or(0)),
			})
		})
		if err := w.copyRows("gpu_samples", columns, rowsOf(rows, func(row []any) []any { return row })); err != nil {
			return err
		}
		for uuid, g := range newest {
			sample, err := json.Marshal(g)
			if err != nil {
				return fmt.Errorf("write the newest sample of %s: %w", uuid, err)
			}
			if _, err := w.tx.Exec(w.ctx, `INSERT INTO worker_gpus (worker_address, worker_id, gpu_uuid, sampled_at, sample) VALUES ($1, $2, $3, $4, $5)`,
				string(s.Worker), h.ID, uuid, g.SampledAt, sample); err != nil {
				return fmt.Errorf("write the newest sample of %s: %w", uuid, err)
			}
		}
	}
	if _, err := w.tx.Exec(w.ctx, `SELECT derive_gpu_throttles($1, $2)`, slowing(), validator.SampleReach); err != nil {
		return fmt.Errorf("find when GPUs were slowed: %w", err)
	}
	return nil
}

// slowing are the throttle reasons that count as being slowed, as one mask.
func slowing() (mask int64) {
	for _, r := range validator.SlowingReasons() {
		mask |= int64(r)
	}
	return mask
}
