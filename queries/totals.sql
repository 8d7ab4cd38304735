-- name: workerJobTotals :many
SELECT job_type, status, sum(jobs)::bigint AS jobs,
       sum(completion_ms)::double precision AS completion_ms, sum(completion_jobs)::bigint AS completion_jobs
FROM job_totals
WHERE worker_address = @worker_address
GROUP BY job_type, status
HAVING sum(jobs) <> 0;

-- name: countWorkerJobs :one
SELECT COALESCE(sum(jobs), 0)::bigint FROM job_totals
WHERE worker_address = @worker_address
  AND (sqlc.narg(status)::text IS NULL OR status = sqlc.narg(status));

-- name: networkJobTotals :one
SELECT COALESCE(sum(jobs), 0)::bigint AS jobs,
       (COALESCE(sum(execution_ms), 0) / 3600000)::double precision AS execution_hours,
       COALESCE(sum(completion_ms), 0)::double precision AS completion_ms,
       COALESCE(sum(completion_jobs), 0)::bigint AS completion_jobs
FROM job_totals
WHERE status = 'completed';

-- name: workerEarningDays :many
SELECT day, sum(amount_wei)::numeric AS amount
FROM earning_days
WHERE worker_address = @worker_address AND day >= @first_day::date
GROUP BY day;

-- name: jobPaymentsSince :many
-- jobPaymentsSince sums the payments of completed jobs since each of several times: the
-- rest of the first UTC day from the jobs, the days after it from earning_days.
SELECT COALESCE(sum(parts.jobs), 0)::bigint AS jobs, COALESCE(sum(parts.amount), 0)::numeric AS amount
FROM unnest(@since::timestamptz[]) WITH ORDINALITY AS period(since, number)
LEFT JOIN LATERAL (
    SELECT count(*) AS jobs, sum(j.payment_amount) AS amount
    FROM jobs j
    WHERE j.worker_address = @worker_address::text AND j.status = 'completed' AND j.payment_amount IS NOT NULL
      AND COALESCE(j.completed_at, j.created_at) >= period.since
      AND COALESCE(j.completed_at, j.created_at) < (date_trunc('day', period.since AT TIME ZONE 'UTC') + interval '1 day') AT TIME ZONE 'UTC'
    UNION ALL
    SELECT sum(d.jobs), sum(d.amount_wei)
    FROM earning_days d
    WHERE d.worker_address = @worker_address::text AND d.day > (period.since AT TIME ZONE 'UTC')::date
) parts ON true
GROUP BY period.number
ORDER BY period.number;

-- name: allowLongStatements :exec
SET LOCAL statement_timeout = '60s';

-- name: lockTotals :one
-- lockTotals says whether nobody else folds the totals now.
SELECT pg_try_advisory_xact_lock(hashtext('fold totals'));

-- name: foldJobTotals :exec
-- foldJobTotals replaces the rows of every key that has new ones by their sum. Readers see
-- the rows before or after, and both add up to the same.
WITH keys AS (
    SELECT DISTINCT worker_address, job_type, status FROM job_totals WHERE NOT folded
), gone AS (
    DELETE FROM job_totals t USING keys k
    WHERE t.worker_address = k.worker_address AND t.job_type = k.job_type AND t.status = k.status
    RETURNING t.*
)
INSERT INTO job_totals (worker_address, job_type, status, jobs, execution_ms, completion_ms, completion_jobs, folded)
SELECT worker_address, job_type, status, sum(jobs), sum(execution_ms), sum(completion_ms), sum(completion_jobs), true
FROM gone
GROUP BY worker_address, job_type, status
HAVING sum(jobs) <> 0 OR sum(execution_ms) <> 0 OR sum(completion_ms) <> 0 OR sum(completion_jobs) <> 0;

-- name: foldEarningDays :exec
WITH keys AS (
    SELECT DISTINCT worker_address, day FROM earning_days WHERE NOT folded
), gone AS (
    DELETE FROM earning_days t USING keys k
    WHERE t.worker_address = k.worker_address AND t.day = k.day
    RETURNING t.*
)
INSERT INTO earning_days (worker_address, day, jobs, amount_wei, folded)
SELECT worker_address, day, sum(jobs), sum(amount_wei), true
FROM gone
GROUP BY worker_address, day
HAVING sum(jobs) <> 0 OR sum(amount_wei) <> 0;
