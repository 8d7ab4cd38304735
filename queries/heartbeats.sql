-- name: insertHeartbeat :batchexec
INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time, gpu_count, gpu_utilization_avg,
    memory_utilization_avg, jobs_in_progress, latency_ms, version)
VALUES (@worker_address, @worker_id, @heartbeat_time, @gpu_count, @gpu_utilization_avg,
    @memory_utilization_avg, @jobs_in_progress, @latency_ms, @version)
ON CONFLICT (worker_address, worker_id, heartbeat_time) DO NOTHING;

-- name: firstHeartbeat :one
SELECT heartbeat_time FROM heartbeats
WHERE worker_address = @worker_address
ORDER BY heartbeat_time
LIMIT 1;

-- name: newestHeartbeat :one
SELECT * FROM heartbeats
WHERE worker_address = @worker_address
ORDER BY heartbeat_time DESC, worker_id DESC
LIMIT 1;

-- name: heartbeatHours :many
SELECT date_trunc('hour', heartbeat_time, 'UTC')::timestamptz AS hour,
       bit_or(1::bigint << extract(minute FROM heartbeat_time AT TIME ZONE 'UTC')::integer)::bigint AS minutes
FROM heartbeats
WHERE worker_address = @worker_address AND heartbeat_time >= @since
GROUP BY 1
ORDER BY 1;

-- name: countWorkers :one
-- countWorkers hops from one address to the next in the indexes, so that it costs by
-- workers and not by rows.
WITH RECURSIVE beating AS (
    (SELECT worker_address FROM heartbeats ORDER BY worker_address LIMIT 1)
    UNION ALL
    SELECT (SELECT h.worker_address FROM heartbeats h WHERE h.worker_address > b.worker_address ORDER BY h.worker_address LIMIT 1)
    FROM beating b WHERE b.worker_address IS NOT NULL
), working AS (
    (SELECT worker_address FROM jobs WHERE worker_address IS NOT NULL ORDER BY worker_address LIMIT 1)
    UNION ALL
    SELECT (SELECT j.worker_address FROM jobs j WHERE j.worker_address > w.worker_address ORDER BY j.worker_address LIMIT 1)
    FROM working w WHERE w.worker_address IS NOT NULL
)
SELECT count(*) FROM (
    SELECT worker_address FROM beating WHERE worker_address IS NOT NULL
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
