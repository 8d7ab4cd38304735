-- name: addToldHeartbeats :one
-- addToldHeartbeats adds the heartbeats of a list that are not there, and returns how many.
SELECT add_told_heartbeats(@list::jsonb)::bigint AS added;

-- name: firstHeartbeatHour :one
-- firstHeartbeatHour is the first hour ever in which the worker was heard.
SELECT hour, minutes FROM uptime_hours
WHERE worker_address = @worker_address AND minutes <> 0
ORDER BY hour
LIMIT 1;

-- name: newestHeartbeat :one
-- newestHeartbeat is the newest that is not ahead of the database's clock.
SELECT * FROM heartbeats
WHERE worker_address = @worker_address AND heartbeat_time <= now()
ORDER BY heartbeat_time DESC, worker_id DESC
LIMIT 1;

-- name: clocksAhead :many
-- clocksAhead lists the hosts whose heartbeats were ahead of the database's clock lately, with
-- the newest of these, unless one that was not has come since.
SELECT a.worker_id, a.heartbeat_time, a.received_at FROM heartbeats_ahead a
WHERE a.worker_address = sqlc.arg(worker_address)::text AND a.received_at > now() - interval '7 days'
  AND NOT EXISTS (SELECT 1 FROM heartbeats h WHERE h.worker_address = a.worker_address AND h.worker_id = a.worker_id
      AND h.heartbeat_time > a.received_at AND h.heartbeat_time <= now())
UNION ALL
SELECT h.worker_id, max(h.heartbeat_time)::timestamptz, now()::timestamptz FROM heartbeats h
WHERE h.worker_address = sqlc.arg(worker_address)::text AND h.heartbeat_time > now() + interval '30 seconds'
GROUP BY h.worker_id
ORDER BY worker_id;

-- name: forgetHeartbeatsAhead :exec
DELETE FROM heartbeats_ahead WHERE received_at < now() - interval '30 days';

-- name: heartbeatHours :many
-- heartbeatHours lists the minutes in which any host of the worker was heard, bit n for
-- minute n, of each hour since a time.
SELECT hour, bit_or(minutes)::bigint AS minutes
FROM uptime_hours
WHERE worker_address = @worker_address AND hour >= date_trunc('hour', @since::timestamptz, 'UTC')
GROUP BY hour
HAVING bit_or(minutes) <> 0
ORDER BY hour;

-- name: heartbeatHoursBetween :many
-- heartbeatHoursBetween is heartbeatHours for the hours of two times and those between.
SELECT hour, bit_or(minutes)::bigint AS minutes
FROM uptime_hours
WHERE worker_address = @worker_address AND hour >= date_trunc('hour', @since::timestamptz, 'UTC') AND hour <= @until::timestamptz
GROUP BY hour
HAVING bit_or(minutes) <> 0
ORDER BY hour;

-- name: hostHeartbeatHours :many
SELECT worker_id, hour, minutes FROM uptime_hours
WHERE worker_address = @worker_address AND hour >= date_trunc('hour', @since::timestamptz, 'UTC') AND minutes <> 0
ORDER BY worker_id, hour;

-- name: uptimeDays :many
-- uptimeDays lists how many minutes of each UTC day are up, for any host of the worker, if
-- hosts are expected to be heard in an interval of so many minutes.
SELECT day, (within[sqlc.arg(interval_minutes)::integer])::integer AS minutes FROM worker_days
WHERE worker_address = @worker_address AND day >= @first_day::date AND day < @end_day::date
ORDER BY day;

-- name: hostUptimeDays :many
SELECT worker_id, day, (within[sqlc.arg(interval_minutes)::integer])::integer AS minutes FROM heartbeat_days
WHERE worker_address = @worker_address AND day >= @first_day::date AND day < @end_day::date
ORDER BY worker_id, day;

-- name: hostFirstHours :many
-- hostFirstHours is the first hour ever in which each host was heard: it hops in the index
-- from one host's first day to the next host's.
WITH RECURSIVE hosts AS (
    (SELECT worker_id, day FROM heartbeat_days
     WHERE worker_address = sqlc.arg(worker_address)::text ORDER BY worker_id, day LIMIT 1)
    UNION ALL
    SELECT next.worker_id, next.day FROM hosts h CROSS JOIN LATERAL (
        SELECT d.worker_id, d.day FROM heartbeat_days d
        WHERE d.worker_address = sqlc.arg(worker_address)::text AND d.worker_id > h.worker_id ORDER BY d.worker_id, d.day LIMIT 1) next
)
SELECT h.worker_id::text AS worker_id, f.hour, f.minutes FROM hosts h CROSS JOIN LATERAL (
    SELECT hour, minutes FROM heartbeat_hours
    WHERE worker_address = sqlc.arg(worker_address)::text AND worker_id = h.worker_id AND minutes <> 0
      AND hour >= h.day::timestamp AT TIME ZONE 'UTC' AND hour < (h.day + 1)::timestamp AT TIME ZONE 'UTC'
    ORDER BY hour LIMIT 1) f
ORDER BY worker_id;

-- name: countWorkers :one
-- countWorkers hops from one address to the next in the indexes, so that it costs by
-- workers and not by rows.
WITH RECURSIVE beating AS (
    (SELECT worker_address FROM worker_days ORDER BY worker_address LIMIT 1)
    UNION ALL
    SELECT (SELECT d.worker_address FROM worker_days d WHERE d.worker_address > b.worker_address ORDER BY d.worker_address LIMIT 1)
    FROM beating b WHERE b.worker_address IS NOT NULL
), fresh AS (
    (SELECT worker_address FROM heartbeat_changes ORDER BY worker_address LIMIT 1)
    UNION ALL
    SELECT (SELECT c.worker_address FROM heartbeat_changes c WHERE c.worker_address > f.worker_address ORDER BY c.worker_address LIMIT 1)
    FROM fresh f WHERE f.worker_address IS NOT NULL
), working AS (
    (SELECT worker_address FROM jobs WHERE worker_address IS NOT NULL ORDER BY worker_address LIMIT 1)
    UNION ALL
    SELECT (SELECT j.worker_address FROM jobs j WHERE j.worker_address > w.worker_address ORDER BY j.worker_address LIMIT 1)
    FROM working w WHERE w.worker_address IS NOT NULL
)
SELECT count(*) FROM (
    SELECT worker_address FROM beating WHERE worker_address IS NOT NULL
    UNION
    SELECT worker_address FROM fresh WHERE worker_address IS NOT NULL
    UNION
    SELECT worker_address FROM working WHERE worker_address IS NOT NULL
) workers;

-- name: activeHosts :many
-- activeHosts groups the newest heartbeat of every host that is active three ways: over
-- all hosts, by version and by number of GPUs.
WITH newest AS (
    SELECT DISTINCT ON (worker_address, worker_id)
        worker_address, gpu_count, gpu_utilization_avg, jobs_in_progress, version
    FROM heartbeats
    WHERE heartbeat_time > @since::timestamptz AND heartbeat_time <= @until::timestamptz
    ORDER BY worker_address, worker_id, heartbeat_time DESC
)
SELECT grouping(version) = 0 AS by_version, grouping(gpu_count) = 0 AS by_gpu_count,
       version, gpu_count,
       count(*) AS hosts,
       count(DISTINCT worker_address) AS workers,
       COALESCE(sum(gpu_count), 0)::bigint AS gpus,
       count(*) FILTER (WHERE jobs_in_progress > 0) AS busy_hosts,
       COALESCE(sum(gpu_utilization_avg), 0)::double precision AS gpu_utilization_sum,
       count(gpu_utilization_avg) AS gpu_utilization_hosts
FROM newest
GROUP BY GROUPING SETS ((), (version), (gpu_count))
ORDER BY hosts DESC, version, gpu_count;

-- name: settleHeartbeatHours :exec
-- settleHeartbeatHours forgets how many heartbeats came in each minute of the hours whose
-- rows were dropped for their age: what is gone cannot go again.
UPDATE heartbeat_hours SET beats = NULL
WHERE beats IS NOT NULL AND hour < (SELECT dropped_before FROM partitions_dropped WHERE table_name = 'heartbeats');
