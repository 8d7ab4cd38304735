-- name: workerJobTotals :many
SELECT job_type, status, sum(jobs)::bigint AS jobs,
       sum(completion_ms)::double precision AS completion_ms, sum(completion_jobs)::bigint AS completion_jobs,
       COALESCE(sum(jobs) FILTER (WHERE self_reported), 0)::bigint AS self_reported
FROM job_totals
WHERE worker_address = @worker_address
GROUP BY job_type, status
HAVING sum(jobs) <> 0;

-- name: countWorkerJobs :one
SELECT COALESCE(sum(jobs), 0)::bigint FROM job_totals
WHERE worker_address = @worker_address
  AND (sqlc.narg(status)::text IS NULL OR status = sqlc.narg(status));

-- name: networkJobTotals :one
-- networkJobTotals leaves out what only workers say.
SELECT COALESCE(sum(jobs), 0)::bigint AS jobs,
       (COALESCE(sum(execution_ms), 0) / 3600000)::double precision AS execution_hours,
       COALESCE(sum(completion_ms), 0)::double precision AS completion_ms,
       COALESCE(sum(completion_jobs), 0)::bigint AS completion_jobs
FROM job_totals
WHERE status = 'completed' AND NOT self_reported;

-- name: workerEarningDays :many
-- workerEarningDays sums a worker's earnings per UTC day and kind, and the claims that pay
-- out what jobs had earned, which are no earnings (kind payout).
SELECT day, kind, sum(jobs)::bigint AS entries, sum(amount_wei)::numeric AS amount
FROM earning_days
WHERE worker_address = @worker_address AND kind IN ('job', 'staking', 'mining', 'bonus', 'payout')
  AND day >= @first_day::date AND day <= @last_day::date
GROUP BY day, kind
HAVING sum(jobs) <> 0
ORDER BY day, kind;

-- name: jobPaymentsSince :many
-- jobPaymentsSince sums the payments of completed jobs since each of several times: the
-- rest of the first hour from the jobs, the rest of the first UTC day from job_hours, and
-- the days after it from earning_days.
SELECT COALESCE(sum(parts.jobs), 0)::bigint AS jobs, COALESCE(sum(parts.amount), 0)::numeric AS amount
FROM unnest(@since::timestamptz[]) WITH ORDINALITY AS period(since, number)
LEFT JOIN LATERAL (
    SELECT count(*) AS jobs, sum(j.payment_amount) AS amount
    FROM wallet_jobs j
    WHERE j.worker_address = @worker_address::text AND NOT j.superseded AND j.status = 'completed' AND j.payment_amount IS NOT NULL
      AND j.kept_apart IS DISTINCT FROM 'ahead'
      AND COALESCE(j.completed_at, j.created_at) >= period.since
      AND COALESCE(j.completed_at, j.created_at) < date_trunc('hour', period.since, 'UTC') + interval '1 hour'
    UNION ALL
    SELECT sum(h.paid), sum(h.amount_wei)
    FROM job_hours h
    WHERE h.worker_address = @worker_address::text AND h.hour > period.since
      AND h.hour < (date_trunc('day', period.since AT TIME ZONE 'UTC') + interval '1 day') AT TIME ZONE 'UTC'
    UNION ALL
    SELECT sum(d.jobs), sum(d.amount_wei)
    FROM earning_days d
    WHERE d.worker_address = @worker_address::text AND d.kind = 'job' AND d.day > (period.since AT TIME ZONE 'UTC')::date
) parts ON true
GROUP BY period.number
ORDER BY period.number;

-- name: countJobsSubmittedSince :one
-- countJobsSubmittedSince takes the whole hours from job_hours, and of the first one what
-- lies before or after the time from the jobs, whichever is less.
SELECT (CASE WHEN sqlc.arg(day_ago)::timestamptz - date_trunc('hour', sqlc.arg(day_ago)::timestamptz, 'UTC') < interval '30 minutes'
        THEN (SELECT COALESCE(sum(submitted), 0) FROM job_hours WHERE worker_address = sqlc.arg(worker_address)::text AND hour >= date_trunc('hour', sqlc.arg(day_ago)::timestamptz, 'UTC'))
           - (SELECT count(*) FROM wallet_jobs WHERE worker_address = sqlc.arg(worker_address)::text AND NOT superseded AND kept_apart IS DISTINCT FROM 'ahead' AND created_at >= date_trunc('hour', sqlc.arg(day_ago)::timestamptz, 'UTC') AND created_at < sqlc.arg(day_ago)::timestamptz)
        ELSE (SELECT COALESCE(sum(submitted), 0) FROM job_hours WHERE worker_address = sqlc.arg(worker_address)::text AND hour > sqlc.arg(day_ago)::timestamptz)
           + (SELECT count(*) FROM wallet_jobs WHERE worker_address = sqlc.arg(worker_address)::text AND NOT superseded AND kept_apart IS DISTINCT FROM 'ahead' AND created_at >= sqlc.arg(day_ago)::timestamptz AND created_at < date_trunc('hour', sqlc.arg(day_ago)::timestamptz, 'UTC') + interval '1 hour')
        END)::bigint AS last_24h,
       (CASE WHEN sqlc.arg(week_ago)::timestamptz - date_trunc('hour', sqlc.arg(week_ago)::timestamptz, 'UTC') < interval '30 minutes'
        THEN (SELECT COALESCE(sum(submitted), 0) FROM job_hours WHERE worker_address = sqlc.arg(worker_address)::text AND hour >= date_trunc('hour', sqlc.arg(week_ago)::timestamptz, 'UTC'))
           - (SELECT count(*) FROM wallet_jobs WHERE worker_address = sqlc.arg(worker_address)::text AND NOT superseded AND kept_apart IS DISTINCT FROM 'ahead' AND created_at >= date_trunc('hour', sqlc.arg(week_ago)::timestamptz, 'UTC') AND created_at < sqlc.arg(week_ago)::timestamptz)
        ELSE (SELECT COALESCE(sum(submitted), 0) FROM job_hours WHERE worker_address = sqlc.arg(worker_address)::text AND hour > sqlc.arg(week_ago)::timestamptz)
           + (SELECT count(*) FROM wallet_jobs WHERE worker_address = sqlc.arg(worker_address)::text AND NOT superseded AND kept_apart IS DISTINCT FROM 'ahead' AND created_at >= sqlc.arg(week_ago)::timestamptz AND created_at < date_trunc('hour', sqlc.arg(week_ago)::timestamptz, 'UTC') + interval '1 hour')
        END)::bigint AS last_7d;

-- name: countJobsCompletedSince :one
-- countJobsCompletedSince counts over all workers: the rest of the first hour from the
-- jobs and the reports that the chain has paid, and the hours after it from network_hours.
SELECT ((SELECT count(*) FROM jobs
         WHERE status = 'completed' AND kept_apart IS DISTINCT FROM 'ahead' AND COALESCE(completed_at, created_at) >= @since::timestamptz
           AND COALESCE(completed_at, created_at) < date_trunc('hour', @since::timestamptz, 'UTC') + interval '1 hour')
      + (SELECT count(*) FROM counted_reports
         WHERE status = 'completed' AND paid_at >= @since::timestamptz AND paid_at < date_trunc('hour', @since::timestamptz, 'UTC') + interval '1 hour')
      + (SELECT COALESCE(sum(completed), 0)::bigint FROM network_hours WHERE hour > @since::timestamptz))::bigint AS completed;

-- name: networkHours :many
-- networkHours lists what all workers did in each hour from the first to the last.
SELECT hour, sum(submitted)::bigint AS submitted, sum(completed)::bigint AS completed, sum(failed)::bigint AS failed,
       (sum(execution_ms) / 3600000)::double precision AS execution_hours
FROM network_hours
WHERE hour >= @first_hour::timestamptz AND hour <= @last_hour::timestamptz
GROUP BY hour
ORDER BY hour;

-- name: workerJobDays :many
-- workerJobDays counts a worker's jobs per UTC day of their end, type and state.
SELECT day, job_type, status, sum(jobs)::bigint AS jobs, sum(execution_ms)::double precision AS execution_ms
FROM job_days
WHERE worker_address = @worker_address AND day >= @first_day::date AND day <= @last_day::date
GROUP BY day, job_type, status
HAVING sum(jobs) <> 0
ORDER BY day, job_type, status;

-- name: sumJobTime :one
-- sumJobTime adds up a worker's jobs that ended on the UTC days from the first to the last.
SELECT (COALESCE(sum(execution_ms), 0) / 3600000)::double precision AS execution_hours
FROM job_days
WHERE worker_address = @worker_address AND day >= @first_day::date AND day <= @last_day::date
  AND status IN ('completed', 'failed', 'timeout', 'cancelled');

-- name: lockTotals :one
-- lockTotals says whether nobody else folds the totals now.
SELECT pg_try_advisory_xact_lock(hashtext('fold totals'));

-- name: foldJobTotals :exec
-- foldJobTotals replaces the rows of every key that has new ones by their sum. Readers see
-- the rows before or after, and both add up to the same.
WITH keys AS (
    SELECT DISTINCT worker_address, job_type, status, self_reported FROM job_totals WHERE NOT folded
), gone AS (
    DELETE FROM job_totals t USING keys k
    WHERE t.worker_address = k.worker_address AND t.job_type = k.job_type AND t.status = k.status AND t.self_reported = k.self_reported
    RETURNING t.*
)
INSERT INTO job_totals (worker_address, job_type, status, self_reported, jobs, execution_ms, completion_ms, completion_jobs, folded)
SELECT worker_address, job_type, status, self_reported, sum(jobs), sum(execution_ms), sum(completion_ms), sum(completion_jobs), true
FROM gone
GROUP BY worker_address, job_type, status, self_reported
HAVING sum(jobs) <> 0 OR sum(execution_ms) <> 0 OR sum(completion_ms) <> 0 OR sum(completion_jobs) <> 0;

-- name: foldEarningDays :exec
WITH keys AS (
    SELECT DISTINCT worker_address, kind, day, self_reported FROM earning_days WHERE NOT folded
), gone AS (
    DELETE FROM earning_days t USING keys k
    WHERE t.worker_address = k.worker_address AND t.kind = k.kind AND t.day = k.day AND t.self_reported = k.self_reported
    RETURNING t.*
)
INSERT INTO earning_days (worker_address, kind, day, self_reported, jobs, amount_wei, folded)
SELECT worker_address, kind, day, self_reported, sum(jobs), sum(amount_wei), true
FROM gone
GROUP BY worker_address, kind, day, self_reported
HAVING sum(jobs) <> 0 OR sum(amount_wei) <> 0;

-- name: foldJobDays :exec
WITH keys AS (
    SELECT DISTINCT worker_address, day, job_type, status, self_reported FROM job_days WHERE NOT folded
), gone AS (
    DELETE FROM job_days t USING keys k
    WHERE t.worker_address = k.worker_address AND t.day = k.day AND t.job_type = k.job_type AND t.status = k.status AND t.self_reported = k.self_reported
    RETURNING t.*
)
INSERT INTO job_days (worker_address, day, job_type, status, self_reported, jobs, execution_ms, folded)
SELECT worker_address, day, job_type, status, self_reported, sum(jobs), sum(execution_ms), true
FROM gone
GROUP BY worker_address, day, job_type, status, self_reported
HAVING sum(jobs) <> 0 OR sum(execution_ms) <> 0;

-- name: foldJobHours :exec
WITH keys AS (
    SELECT DISTINCT worker_address, hour FROM job_hours WHERE NOT folded
), gone AS (
    DELETE FROM job_hours t USING keys k
    WHERE t.worker_address = k.worker_address AND t.hour = k.hour
    RETURNING t.*
)
INSERT INTO job_hours (worker_address, hour, submitted, paid, amount_wei, folded)
SELECT worker_address, hour, sum(submitted), sum(paid), sum(amount_wei), true
FROM gone
GROUP BY worker_address, hour
HAVING sum(submitted) <> 0 OR sum(paid) <> 0 OR sum(amount_wei) <> 0;

-- name: foldNetworkHours :exec
WITH keys AS (
    SELECT DISTINCT hour FROM network_hours WHERE NOT folded
), gone AS (
    DELETE FROM network_hours t USING keys k WHERE t.hour = k.hour
    RETURNING t.*
)
INSERT INTO network_hours (hour, submitted, completed, failed, execution_ms, folded)
SELECT hour, sum(submitted), sum(completed), sum(failed), sum(execution_ms), true
FROM gone
GROUP BY hour
HAVING sum(submitted) <> 0 OR sum(completed) <> 0 OR sum(failed) <> 0 OR sum(execution_ms) <> 0;

-- name: foldHeartbeats :exec
SELECT fold_heartbeats();

-- name: judgeJobsAgain :exec
-- judgeJobsAgain lets the trigger judge some of the jobs again whose times lay ahead and have come.
UPDATE jobs SET kept_apart = NULL
WHERE job_id IN (SELECT job_id FROM jobs WHERE kept_apart = 'ahead' AND GREATEST(created_at, assigned_at, completed_at) <= latest_time() LIMIT 10000 FOR UPDATE SKIP LOCKED);

-- name: judgeReportsAgain :exec
UPDATE reported_jobs SET kept_apart = NULL
WHERE (worker_address, job_id) IN (SELECT worker_address, job_id FROM reported_jobs WHERE kept_apart = 'ahead' AND GREATEST(created_at, assigned_at, completed_at) <= latest_time() LIMIT 10000 FOR UPDATE SKIP LOCKED);

-- name: judgeClaimsAgain :exec
UPDATE reward_claims SET kept_apart = NULL WHERE kept_apart = 'ahead' AND claim_time <= latest_time();

-- name: selfReportedEarnings :one
-- selfReportedEarnings sums the payments of completed jobs that only the worker says of.
SELECT COALESCE(sum(jobs), 0)::bigint AS jobs, COALESCE(sum(amount_wei), 0)::numeric AS amount
FROM earning_days
WHERE worker_address = @worker_address AND kind = 'job' AND self_reported AND day >= @first_day::date AND day <= @last_day::date;
