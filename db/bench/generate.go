package main

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/jackc/pgx/v5"
)

// scale is how much the generated database holds.
type scale struct {
	jobs       int // of all workers: five of six are the busy worker's
	few        int // of them, of the worker with few jobs
	workers    int
	rawDays    int // of single heartbeats, one a minute and worker
	rollUpDays int // of what is kept of heartbeats
}

// fullScale is the database that the README's figures are of, times a factor.
func fullScale(factor float64) scale {
	n := func(full int) int { return max(int(float64(full)*factor), 1) }
	return scale{jobs: n(12_000_000), few: 10_000, workers: max(n(1000), 10), rawDays: 7, rollUpDays: 365}
}

// The workers that are measured.
const (
	busyWorker = "0x0000000000000000000000000000000000000000000000000000000000000001"
	fewWorker  = "0x0000000000000000000000000000000000000000000000000000000000000002"
)

// generate fills a migrated, empty database set by set: rows without their triggers and
// indexes, then those, then what the triggers would have kept. What is kept of the jobs is
// made by the very statements of the triggers.
func generate(ctx context.Context, conn *pgx.Conn, s scale) error {
	steps := []struct{ what, sql string }{
		{"set aside indexes and triggers", `
			CREATE TABLE bench_indexes AS SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'jobs' AND indexname <> 'jobs_pkey';
			DO $$ DECLARE i text; BEGIN FOR i IN SELECT indexname FROM bench_indexes LOOP EXECUTE 'DROP INDEX ' || i; END LOOP; END $$;
			ALTER TABLE jobs DISABLE TRIGGER USER;
			ALTER TABLE heartbeats DISABLE TRIGGER USER`},
		{"jobs", fmt.Sprintf(`INSERT INTO jobs (job_id, client_address, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
				execution_time_ms, result_hash, error_message, gpu_uuid, tx_hash, block_number)
			SELECT ('x' || left(md5(n::text), 15))::bit(60)::bigint::text, '0x' || lpad(to_hex(4096 + n %% 500), 64, '0'),
			       '0x' || lpad(to_hex(CASE WHEN n %% 6 < 5 THEN 1 WHEN n %% %[2]d = 5 THEN 2 ELSE 3 + n / 6 %% (%[3]d - 2) END), 64, '0'),
			       (ARRAY['proof', 'training', 'inference', 'render'])[1 + n / 7 %% 4], status, CASE WHEN status = 'completed' THEN (n %% 9999 + 1)::numeric * 10^15 END,
			       at, at + interval '2 seconds', CASE WHEN status IN ('completed', 'failed') THEN at + (5 + n %% 300) * interval '1 second' END,
			       CASE WHEN status = 'completed' THEN (3 + n %% 300) * 1000 END, CASE WHEN status = 'completed' THEN '0x' || md5(n::text) END,
			       CASE WHEN status = 'failed' THEN 'CUDA error: out of memory, block ' || n END, 'GPU-' || n / 6 %% 8,
			       CASE WHEN status = 'completed' THEN '0x' || lpad(to_hex(n), 64, '0') END, CASE WHEN status = 'completed' THEN 1000000 + n / 12 END
			FROM (SELECT n, now() - n * (interval '365 days' / %[1]d) AS at,
			             CASE WHEN n < 40 THEN 'running' WHEN n / 6 %% 25 = 7 THEN 'failed' WHEN n / 6 %% 100 = 8 THEN 'cancelled' ELSE 'completed' END AS status
			      FROM generate_series(%[1]d, 1, -1) n) rows`, s.jobs, max(s.jobs/s.few, 6), s.workers)},
		{"the jobs' indexes", `DO $$ DECLARE i text; BEGIN FOR i IN SELECT indexdef FROM bench_indexes LOOP EXECUTE i; END LOOP; END $$; DROP TABLE bench_indexes`},
		{"what is kept of the jobs", `DO $$ DECLARE s text; BEGIN
				FOREACH s IN ARRAY add_job_totals(current_schema(), 'SELECT 1 AS sign, * FROM jobs') LOOP EXECUTE s; END LOOP;
				EXECUTE job_rollup_statements('SELECT 1 AS sign, j.* FROM jobs j');
				EXECUTE 'INSERT INTO reconciled_jobs ' || payment_sums(job_payments('SELECT 1 AS sign, j.* FROM jobs j'));
				UPDATE job_totals SET folded = true; UPDATE job_days SET folded = true; UPDATE job_hours SET folded = true;
				UPDATE network_hours SET folded = true; UPDATE earning_days SET folded = true;
			END $$`},
		{"heartbeats", fmt.Sprintf(`SELECT keep_partitions('heartbeats', 7, '2001-01-01', current_date - %[2]d, current_date + 14);
			INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time, gpu_count, gpu_utilization_avg, memory_utilization_avg, jobs_in_progress, latency_ms, version)
			SELECT '0x' || lpad(to_hex(w), 64, '0'), 'rig-1', date_trunc('minute', now()) - m * interval '1 minute' + w %% 60 * interval '1 second', 8, 50 + w %% 40, 60, 1, 20, '1.' || w %% 3
			FROM generate_series(%[2]d * 1440, 0, -1) m, generate_series(1, %[1]d) w
			WHERE (m + w) %% 1000 > 2`, s.workers, s.rawDays)},
		{"what is kept of the single heartbeats", `DO $$ BEGIN
				EXECUTE heartbeat_rollup_statement('SELECT 1 AS sign, h.* FROM heartbeats h');
				PERFORM fold_heartbeats();
			END $$`},
		{"what is kept of a year of heartbeats", fmt.Sprintf(`
			INSERT INTO heartbeat_hours (worker_address, worker_id, hour, minutes)
			SELECT '0x' || lpad(to_hex(w), 64, '0'), 'rig-1', date_trunc('hour', now(), 'UTC') - h * interval '1 hour', CASE WHEN (w + h) %% 40 = 0 THEN (1::bigint << 51) - 1 ELSE (1::bigint << 60) - 1 END
			FROM generate_series(1, %[1]d) w, generate_series(%[2]d * 24, 0, -1) h
			ON CONFLICT DO NOTHING;
			SELECT count_heartbeat_days(array_agg(worker_address), array_agg(day))
			FROM (SELECT DISTINCT worker_address, (hour AT TIME ZONE 'UTC')::date AS day FROM heartbeat_hours) every_day`, s.workers, s.rollUpDays)},
		{"triggers", `ALTER TABLE jobs ENABLE TRIGGER USER; ALTER TABLE heartbeats ENABLE TRIGGER USER`},
		{"vacuum", `VACUUM (ANALYZE)`},
	}
	if _, err := conn.Exec(ctx, "SET synchronous_commit = off; SET maintenance_work_mem = '1GB'; SET work_mem = '256MB'; SET statement_timeout = 0"); err != nil {
		return err
	}
	for _, step := range steps {
		start := time.Now()
		if _, err := conn.Exec(ctx, step.sql); err != nil {
			return fmt.Errorf("generate %s: %w", step.what, err)
		}
		log.Printf("%-40s %s", step.what, time.Since(start).Round(100*time.Millisecond))
	}
	return nil
}
