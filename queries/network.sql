-- name: stakeLeaders :many
-- stakeLeaders tells what ProverStaking's events leave staked of every worker: the total of
-- its newest stake, less what was taken out of it or slashed since. It hops from one worker
-- to the next in the index, so that it costs by workers and not by events.
WITH RECURSIVE workers AS (
    (SELECT worker_address FROM stake_events ORDER BY worker_address LIMIT 1)
    UNION ALL
    SELECT (SELECT e.worker_address FROM stake_events e WHERE e.worker_address > w.worker_address ORDER BY e.worker_address LIMIT 1)
    FROM workers w WHERE w.worker_address IS NOT NULL
)
SELECT w.worker_address::text AS worker_address, last.gpu_tier,
       (last.total - COALESCE(gone.amount, 0))::numeric AS amount, COALESCE(gone.slashed, 0)::numeric AS slashed
FROM workers w
CROSS JOIN LATERAL (
    SELECT gpu_tier, total, block_number, place FROM stake_events
    WHERE worker_address = w.worker_address AND contract_address = sqlc.arg(contract_address)::text AND kind = 'staked'
    ORDER BY block_number DESC, place DESC LIMIT 1) last
CROSS JOIN LATERAL (
    SELECT sum(amount) FILTER (WHERE (block_number, place) > (last.block_number, last.place)) AS amount, sum(amount) FILTER (WHERE kind = 'slashed') AS slashed
    FROM stake_events
    WHERE worker_address = w.worker_address AND contract_address = sqlc.arg(contract_address)::text AND kind IN ('unstake_completed', 'slashed')) gone
WHERE last.total > COALESCE(gone.amount, 0)
ORDER BY amount DESC, worker_address;

-- name: reputationLeaders :many
-- reputationLeaders is the newest score of everybody whom ReputationManager's events tell of.
WITH RECURSIVE workers AS (
    (SELECT worker_id FROM reputation_changes ORDER BY worker_id LIMIT 1)
    UNION ALL
    SELECT (SELECT c.worker_id FROM reputation_changes c WHERE c.worker_id > w.worker_id ORDER BY c.worker_id LIMIT 1)
    FROM workers w WHERE w.worker_id IS NOT NULL
)
SELECT w.worker_id::text AS worker_id, last.new_score, last.block_time
FROM workers w
CROSS JOIN LATERAL (
    SELECT new_score, block_time FROM reputation_changes
    WHERE worker_id = w.worker_id AND contract_address = sqlc.arg(contract_address)::text
    ORDER BY block_number DESC, place DESC LIMIT 1) last
ORDER BY new_score DESC, worker_id;

-- name: workerMonths :many
-- workerMonths is what each worker that was ever heard, or ever had a job, did from a UTC day
-- on: how many minutes of the days before today are up, in which minutes of today and the hour
-- before it was heard, since when it was ever heard (no minutes: it never was), and the jobs
-- that it completed, without what only it says. Jobs without a worker stand under ''.
WITH RECURSIVE beating AS (
    (SELECT worker_address FROM worker_days ORDER BY worker_address LIMIT 1)
    UNION ALL
    SELECT (SELECT d.worker_address FROM worker_days d WHERE d.worker_address > b.worker_address ORDER BY d.worker_address LIMIT 1)
    FROM beating b WHERE b.worker_address IS NOT NULL
), working AS (
    (SELECT worker_address FROM job_days WHERE worker_address > '' ORDER BY worker_address LIMIT 1)
    UNION ALL
    SELECT (SELECT d.worker_address FROM job_days d WHERE d.worker_address > w.worker_address ORDER BY d.worker_address LIMIT 1)
    FROM working w WHERE w.worker_address IS NOT NULL
), workers AS (
    SELECT worker_address FROM beating WHERE worker_address IS NOT NULL
    UNION
    SELECT worker_address FROM working WHERE worker_address IS NOT NULL
)
SELECT w.worker_address::text AS worker_address, COALESCE(up.minutes, 0)::bigint AS up_minutes,
       COALESCE(first.hour, 'epoch')::timestamptz AS first_hour, COALESCE(first.minutes, 0)::bigint AS first_minutes,
       COALESCE(recent.hours, '{}')::timestamptz[] AS today_hours, COALESCE(recent.minutes, '{}')::bigint[] AS today_minutes, done.jobs::bigint AS jobs
FROM workers w
CROSS JOIN LATERAL (
    SELECT sum((within[sqlc.arg(interval_minutes)::integer])::integer) AS minutes FROM worker_days
    WHERE worker_address = w.worker_address AND day >= sqlc.arg(first_day)::date AND day < sqlc.arg(today)::date) up
LEFT JOIN LATERAL (
    SELECT hour, minutes FROM heartbeat_hours WHERE worker_address = w.worker_address AND minutes <> 0 ORDER BY hour LIMIT 1) first ON true
CROSS JOIN LATERAL (
    SELECT COALESCE(sum(jobs), 0) AS jobs FROM job_days
    WHERE worker_address = w.worker_address AND day >= sqlc.arg(first_day)::date AND status = 'completed' AND NOT self_reported) done
CROSS JOIN LATERAL (
    SELECT array_agg(h.hour ORDER BY h.hour) AS hours, array_agg(h.minutes ORDER BY h.hour) AS minutes
    FROM (SELECT hour, bit_or(minutes) AS minutes FROM uptime_hours
          WHERE worker_address = w.worker_address AND hour >= sqlc.arg(today)::date::timestamp AT TIME ZONE 'UTC' - interval '1 hour'
          GROUP BY hour HAVING bit_or(minutes) <> 0) h) recent
WHERE up.minutes > 0 OR recent.hours IS NOT NULL OR done.jobs > 0
ORDER BY worker_address;
