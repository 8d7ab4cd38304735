-- Each of these counts the rows again, and lists where that differs from what is kept of
-- them: all of a table's sums in one text, in the order of its columns.

-- They take as long as there are rows, whatever the planner believes of their number: it knows
-- nothing of tables that were just filled. So nothing is looked up row by row: what depends on
-- another table is joined by equal keys, and loops within loops are a last resort.

-- name: avoidNestedLoops :exec
SET LOCAL enable_nestloop = off;

-- name: checkJobTotals :many
SELECT key::text AS key, COALESCE(kept, 'nothing')::text AS kept, COALESCE(counted, 'nothing')::text AS counted
FROM (SELECT format('worker %s, type %s, state %s%s', worker_address, job_type, status, CASE WHEN self_reported THEN ', self-reported' END) AS key,
             format('%s, %s, %s, %s', sum(jobs), sum(execution_ms), sum(completion_ms), sum(completion_jobs)) AS kept
      FROM job_totals GROUP BY worker_address, job_type, status, self_reported
      HAVING sum(jobs) <> 0 OR sum(execution_ms) <> 0 OR sum(completion_ms) <> 0 OR sum(completion_jobs) <> 0) k
FULL JOIN (
      SELECT format('worker %s, type %s, state %s%s', worker_address, job_type, status, CASE WHEN self_reported THEN ', self-reported' END) AS key,
             format('%s, %s, %s, %s', sum(jobs), COALESCE(sum(execution_time_ms) FILTER (WHERE status = 'completed'), 0),
                    COALESCE(sum(took_ms) FILTER (WHERE status = 'completed'), 0), count(took_ms) FILTER (WHERE status = 'completed')) AS counted
      FROM (SELECT COALESCE(worker_address, '') AS worker_address, job_type, status, 1 AS jobs, execution_time_ms, job_duration_ms(execution_time_ms, assigned_at, completed_at) AS took_ms, false AS self_reported FROM counted_jobs
            UNION ALL
            SELECT worker_address, job_type, status, 1, NULL, NULL, paid_at IS NULL FROM counted_reports
            UNION ALL
            SELECT worker_address, job_type, status, 0, execution_time_ms, job_duration_ms(execution_time_ms, assigned_at, completed_at), true FROM counted_reports WHERE status = 'completed') j
      GROUP BY worker_address, job_type, status, self_reported
      HAVING sum(jobs) <> 0 OR sum(execution_time_ms) FILTER (WHERE status = 'completed') <> 0 OR count(took_ms) FILTER (WHERE status = 'completed') <> 0) c USING (key)
WHERE kept IS DISTINCT FROM counted
ORDER BY 1 LIMIT @max_rows;

-- name: checkJobDays :many
SELECT key::text AS key, COALESCE(kept, 'nothing')::text AS kept, COALESCE(counted, 'nothing')::text AS counted
FROM (SELECT format('worker %s, day %s, type %s, state %s%s', worker_address, day, job_type, status, CASE WHEN self_reported THEN ', self-reported' END) AS key,
             format('%s, %s', sum(jobs), sum(execution_ms)) AS kept
      FROM job_days GROUP BY worker_address, day, job_type, status, self_reported
      HAVING sum(jobs) <> 0 OR sum(execution_ms) <> 0) k
FULL JOIN (
      SELECT format('worker %s, day %s, type %s, state %s%s', COALESCE(worker_address, ''), (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, job_type, status, CASE WHEN self_reported THEN ', self-reported' END) AS key,
             format('%s, %s', count(*), COALESCE(sum(execution_time_ms), 0)) AS counted
      FROM (SELECT worker_address, created_at, completed_at, job_type, status, execution_time_ms, false AS self_reported FROM counted_jobs
            UNION ALL SELECT worker_address, created_at, completed_at, job_type, status, execution_time_ms, paid_at IS NULL FROM counted_reports) j
      GROUP BY COALESCE(worker_address, ''), (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, job_type, status, self_reported) c USING (key)
WHERE kept IS DISTINCT FROM counted
ORDER BY 1 LIMIT @max_rows;

-- name: checkJobHours :many
SELECT key::text AS key, COALESCE(kept, 'nothing')::text AS kept, COALESCE(counted, 'nothing')::text AS counted
FROM (SELECT format('worker %s, hour %s', worker_address, hour) AS key,
             format('%s, %s, %s', sum(submitted), sum(paid), sum(amount_wei)) AS kept
      FROM job_hours GROUP BY worker_address, hour
      HAVING sum(submitted) <> 0 OR sum(paid) <> 0 OR sum(amount_wei) <> 0) k
FULL JOIN (
      SELECT format('worker %s, hour %s', worker_address, hour) AS key, format('%s, %s, %s', sum(submitted), sum(paid), sum(amount)) AS counted
      FROM (SELECT worker_address, date_trunc('hour', created_at, 'UTC') AS hour, 1 AS submitted, 0 AS paid, 0::numeric AS amount
            FROM (SELECT job_id, worker_address, status, payment_amount, created_at, completed_at FROM counted_jobs UNION ALL SELECT job_id, worker_address, status, payment_amount, created_at, completed_at FROM counted_reports) j WHERE worker_address IS NOT NULL
            UNION ALL
            SELECT worker_address, date_trunc('hour', COALESCE(completed_at, created_at), 'UTC'), 0, 1, payment_amount
            FROM (SELECT job_id, worker_address, status, payment_amount, created_at, completed_at FROM counted_jobs UNION ALL SELECT job_id, worker_address, status, payment_amount, created_at, completed_at FROM counted_reports) j WHERE worker_address IS NOT NULL AND status = 'completed' AND payment_amount IS NOT NULL) h
      GROUP BY worker_address, hour) c USING (key)
WHERE kept IS DISTINCT FROM counted
ORDER BY 1 LIMIT @max_rows;

-- name: checkNetworkHours :many
SELECT key::text AS key, COALESCE(kept, 'nothing')::text AS kept, COALESCE(counted, 'nothing')::text AS counted
FROM (SELECT format('hour %s', hour) AS key,
             format('%s, %s, %s, %s', sum(submitted), sum(completed), sum(failed), sum(execution_ms)) AS kept
      FROM network_hours GROUP BY hour
      HAVING sum(submitted) <> 0 OR sum(completed) <> 0 OR sum(failed) <> 0 OR sum(execution_ms) <> 0) k
FULL JOIN (
      SELECT format('hour %s', hour) AS key, format('%s, %s, %s, %s', sum(submitted), sum(completed), sum(failed), sum(execution)) AS counted
      FROM (SELECT date_trunc('hour', created_at, 'UTC') AS hour, 1 AS submitted, 0 AS completed, 0 AS failed, 0::bigint AS execution FROM counted_jobs
            UNION ALL
            SELECT date_trunc('hour', COALESCE(completed_at, created_at), 'UTC'), 0, (status = 'completed')::integer, (status <> 'completed')::integer,
                   CASE WHEN status = 'completed' THEN COALESCE(execution_time_ms, 0) ELSE 0 END
            FROM counted_jobs WHERE status IN ('completed', 'failed', 'timeout')
            UNION ALL
            SELECT date_trunc('hour', paid_at, 'UTC'), 0, 1, 0, 0 FROM counted_reports WHERE status = 'completed' AND paid_at IS NOT NULL) h
      GROUP BY hour) c USING (key)
WHERE kept IS DISTINCT FROM counted
ORDER BY 1 LIMIT @max_rows;

-- name: checkEarningDays :many
SELECT key::text AS key, COALESCE(kept, 'nothing')::text AS kept, COALESCE(counted, 'nothing')::text AS counted
FROM (SELECT format('worker %s, day %s, kind %s%s', worker_address, day, kind, CASE WHEN self_reported THEN ', self-reported' END) AS key, format('%s, %s', sum(jobs), sum(amount_wei)) AS kept
      FROM earning_days GROUP BY worker_address, day, kind, self_reported
      HAVING sum(jobs) <> 0 OR sum(amount_wei) <> 0) k
FULL JOIN (
      SELECT format('worker %s, day %s, kind %s%s', worker_address, day, kind, CASE WHEN self_reported THEN ', self-reported' END) AS key, format('%s, %s', count(*), sum(amount)) AS counted
      FROM (SELECT worker_address, (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date AS day, 'job' AS kind, payment_amount AS amount, false AS self_reported
            FROM counted_jobs WHERE worker_address IS NOT NULL AND status = 'completed' AND payment_amount IS NOT NULL
            UNION ALL
            SELECT worker_address, (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, 'job', payment_amount, paid_at IS NULL
            FROM counted_reports WHERE status = 'completed' AND payment_amount IS NOT NULL
            UNION ALL
            SELECT address, (claim_time AT TIME ZONE 'UTC')::date, CASE claim_type WHEN 'job' THEN 'payout' ELSE claim_type END, amount, false
            FROM reward_claims WHERE status = 'confirmed' AND kept_apart IS NULL) e
      GROUP BY worker_address, day, kind, self_reported) c USING (key)
WHERE kept IS DISTINCT FROM counted
ORDER BY 1 LIMIT @max_rows;

-- name: checkHeartbeatHours :many
-- checkHeartbeatHours compares hours whose heartbeats are all there still.
SELECT key::text AS key, COALESCE(kept, 'nothing')::text AS kept, COALESCE(counted, 'nothing')::text AS counted
FROM (SELECT format('worker %s, host %s, hour %s', worker_address, worker_id, hour) AS key, sum_counts(beats)::text AS kept
      FROM (SELECT worker_address, worker_id, hour, beats FROM heartbeat_hours WHERE beats IS NOT NULL
            UNION ALL
            SELECT worker_address, worker_id, hour, beats FROM heartbeat_changes) h
      WHERE hour >= COALESCE((SELECT dropped_before FROM partitions_dropped WHERE table_name = 'heartbeats'), '-infinity')
      GROUP BY worker_address, worker_id, hour
      HAVING sum_counts(beats) <> array_fill(0, ARRAY[60])) k
FULL JOIN (
      SELECT format('worker %s, host %s, hour %s', worker_address, worker_id, hour) AS key,
             minute_counts(array_agg(extract(minute FROM heartbeat_time AT TIME ZONE 'UTC')::integer), array_agg(1))::text AS counted
      FROM (SELECT worker_address, worker_id, heartbeat_time, date_trunc('hour', heartbeat_time, 'UTC') AS hour FROM heartbeats
            WHERE heartbeat_time >= COALESCE((SELECT dropped_before FROM partitions_dropped WHERE table_name = 'heartbeats'), '-infinity')) b
      GROUP BY worker_address, worker_id, hour) c USING (key)
WHERE kept IS DISTINCT FROM counted
ORDER BY 1 LIMIT @max_rows;

-- name: checkHeartbeatMinutes :many
SELECT format('worker %s, host %s, hour %s', worker_address, worker_id, hour)::text AS key,
       minutes::bit(64)::text AS kept, counted_minutes(beats)::bit(64)::text AS counted
FROM heartbeat_hours
WHERE beats IS NOT NULL AND minutes <> counted_minutes(beats)
ORDER BY 1 LIMIT @max_rows;

-- name: checkHeartbeatDays :many
-- checkHeartbeatDays counts the days from the hours, each host's and, without a name, any
-- host's. Those whose hours change at the next fold are left out.
WITH changing AS MATERIALIZED (
    SELECT worker_address, (hour AT TIME ZONE 'UTC')::date AS day FROM heartbeat_changes
    UNION SELECT worker_address, (hour AT TIME ZONE 'UTC')::date + 1 FROM heartbeat_changes)
SELECT key::text AS key, COALESCE(kept, 'nothing')::text AS kept, COALESCE(counted, 'nothing')::text AS counted
FROM (SELECT format('worker %s, host %s, day %s', worker_address, worker_id, day) AS key, format('%s, %s', minutes, within) AS kept
      FROM (SELECT worker_address, quote_ident(worker_id) AS worker_id, day, minutes, within FROM heartbeat_days
            UNION ALL SELECT worker_address, '(any)', day, minutes, within FROM worker_days) d
      WHERE NOT EXISTS (SELECT FROM changing c WHERE c.worker_address = d.worker_address AND c.day = d.day)) k
FULL JOIN (
      SELECT format('worker %s, host %s, day %s', worker_address, worker_id, day) AS key, format('%s, %s', within[0], within[1:60]) AS counted
      FROM (SELECT worker_address, worker_id, day, minutes_within(array_agg(place), array_agg(minutes)) AS within
            FROM (SELECT worker_address, worker_id, minutes, day, (extract(epoch FROM hour - day::timestamp AT TIME ZONE 'UTC') / 3600)::integer + 1 AS place
                  FROM (SELECT worker_address, quote_ident(worker_id) AS worker_id, hour, minutes, (hour AT TIME ZONE 'UTC')::date AS day FROM heartbeat_hours
                        UNION SELECT worker_address, quote_ident(worker_id), hour, minutes, ((hour + interval '1 hour') AT TIME ZONE 'UTC')::date FROM heartbeat_hours
                        UNION SELECT worker_address, '(any)', hour, bit_or(minutes), (hour AT TIME ZONE 'UTC')::date FROM heartbeat_hours GROUP BY worker_address, hour
                        UNION SELECT worker_address, '(any)', hour, bit_or(minutes), ((hour + interval '1 hour') AT TIME ZONE 'UTC')::date FROM heartbeat_hours GROUP BY worker_address, hour) h
                  WHERE minutes <> 0) hours
            GROUP BY worker_address, worker_id, day) d
      WHERE within[60] > 0
        AND NOT EXISTS (SELECT FROM changing c WHERE c.worker_address = d.worker_address AND c.day = d.day)) c USING (key)
WHERE kept IS DISTINCT FROM counted
ORDER BY 1 LIMIT @max_rows;

-- name: checkReconciledJobs :many
-- checkReconciledJobs puts jobs and chain_payments side by side again. State and time are
-- compared where nothing waits to be folded: 'changing' comes before every state.
WITH changing AS MATERIALIZED (SELECT DISTINCT worker_address, job_key FROM payment_changes)
SELECT key::text AS key, COALESCE(kept, 'nothing')::text AS kept, COALESCE(counted, 'nothing')::text AS counted
FROM (SELECT format('worker %s, job %s', worker_address, job_key) AS key,
             format('%s, %s, %s, %s, %s, %s, %s, %s, %s, %s', sum(jobs), sum(recorded_wei), sum(ended_us), sum(releases), sum(released_wei),
                    sum(payments), sum(paid_wei), sum(hidden), sum(told_us), min(state)) AS kept
      FROM (SELECT worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us,
                   state
            FROM reconciled_jobs
            UNION ALL
            SELECT worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us, 'changing' FROM payment_changes) r
      GROUP BY worker_address, job_key
      HAVING sum(jobs) <> 0 OR sum(releases) <> 0 OR sum(payments) <> 0 OR sum(recorded_wei) <> 0 OR sum(ended_us) <> 0
          OR sum(released_wei) <> 0 OR sum(paid_wei) <> 0 OR sum(hidden) <> 0 OR sum(told_us) <> 0) k
FULL JOIN (
      SELECT format('worker %s, job %s', n.worker_address, n.job_key) AS key,
             format('%s, %s, %s, %s, %s, %s, %s, %s, %s, %s', jobs, recorded, ended, releases, released, payments, paid, hidden, told,
                    CASE WHEN w.job_key IS NOT NULL THEN 'changing'
                         WHEN jobs = 0 THEN 'unrecorded'
                         WHEN releases + payments > 0 THEN CASE WHEN hidden > 0 THEN 'hidden' WHEN recorded = CASE payments WHEN 0 THEN released ELSE paid END THEN 'matched' ELSE 'different' END
                         WHEN recorded = 0 THEN 'free'
                         WHEN job_number(n.job_key) IS NULL THEN 'unnumbered'
                         ELSE 'unpaid' END) AS counted
      FROM (SELECT COALESCE(d.worker_address, p.worker_address) AS worker_address, COALESCE(d.job_key, p.job_key) AS job_key, COALESCE(d.jobs, 0) AS jobs, COALESCE(recorded, 0) AS recorded, COALESCE(ended, 0) AS ended,
                   COALESCE(releases, 0) AS releases, COALESCE(released, 0) AS released, COALESCE(payments, 0) AS payments, COALESCE(paid, 0) AS paid,
                   COALESCE(hidden, 0) AS hidden, COALESCE(told, 0) AS told
            FROM (SELECT worker_address, COALESCE(job_number(job_id), job_id) AS job_key, count(*) AS jobs, sum(payment_amount) AS recorded,
                         sum(microseconds(COALESCE(completed_at, created_at))) AS ended
                  FROM (SELECT job_id, worker_address, status, payment_amount, created_at, completed_at FROM counted_jobs UNION ALL SELECT job_id, worker_address, status, payment_amount, created_at, completed_at FROM counted_reports) j WHERE worker_address IS NOT NULL AND status = 'completed' AND payment_amount IS NOT NULL
                  GROUP BY 1, 2) d
            FULL JOIN (
                  SELECT worker_address, job_id AS job_key, count(*) FILTER (WHERE kind = 'released') AS releases, sum(amount) FILTER (WHERE kind = 'released') AS released,
                         count(*) FILTER (WHERE kind = 'paid') AS payments, sum(amount) FILTER (WHERE kind = 'paid') AS paid,
                         count(*) FILTER (WHERE kind = 'paid' AND private AND amount = 0) AS hidden, sum(microseconds(block_time)) AS told
                  FROM chain_payments GROUP BY 1, 2) p ON p.worker_address = d.worker_address AND p.job_key = d.job_key) n
      LEFT JOIN changing w ON w.worker_address = n.worker_address AND w.job_key = n.job_key) c USING (key)
WHERE kept IS DISTINCT FROM counted
ORDER BY 1 LIMIT @max_rows;

-- name: checkReconciledDays :many
SELECT key::text AS key, COALESCE(kept, 'nothing')::text AS kept, COALESCE(counted, 'nothing')::text AS counted
FROM (SELECT format('worker %s, state %s, day %s', worker_address, state, day) AS key, format('%s, %s, %s, %s', jobs, recorded_wei, chain_wei, short_wei) AS kept
      FROM reconciled_days WHERE jobs <> 0 OR recorded_wei <> 0 OR chain_wei <> 0 OR short_wei <> 0) k
FULL JOIN (
      SELECT format('worker %s, state %s, day %s', worker_address, state, day_of(at_us)) AS key,
             format('%s, %s, %s, %s', count(*), sum(recorded_wei), sum(chain_wei), sum(GREATEST(recorded_wei - chain_wei, 0))) AS counted
      FROM reconciled_jobs WHERE state <> 'none' GROUP BY worker_address, state, day_of(at_us)) c USING (key)
WHERE kept IS DISTINCT FROM counted
ORDER BY 1 LIMIT @max_rows;

-- name: countKeptApart :many
-- countKeptApart counts the jobs and claims that are kept apart, by the reason.
SELECT tab::text AS tab, reason::text AS reason, count(*) AS entries FROM (
    SELECT 'jobs' AS tab, kept_apart AS reason FROM jobs WHERE kept_apart IS NOT NULL
    UNION ALL
    SELECT 'reported_jobs', kept_apart FROM reported_jobs WHERE kept_apart IS NOT NULL AND NOT superseded
    UNION ALL
    SELECT 'reward_claims', kept_apart FROM reward_claims WHERE kept_apart IS NOT NULL) apart
GROUP BY tab, reason
ORDER BY tab, reason;
