-- name: storeGPUSample :batchexec
-- storeGPUSample keeps the sample in worker_gpus unless a newer one is there, and adds it
-- to the history once.
WITH newest AS (
    INSERT INTO worker_gpus (worker_address, worker_id, gpu_uuid, sampled_at, sample)
    VALUES (@worker_address, @worker_id, @gpu_uuid, @reported_at, @sample)
    ON CONFLICT (worker_address, worker_id, gpu_uuid) DO UPDATE
    SET sampled_at = excluded.sampled_at, sample = excluded.sample
    WHERE excluded.sampled_at > worker_gpus.sampled_at
)
INSERT INTO gpu_samples (worker_address, worker_id, gpu_uuid, sampled_at, utilization_percent,
    memory_activity_percent, memory_used_bytes, memory_total_bytes, temperature_c, memory_temperature_c,
    power_milliwatts, power_limit_milliwatts, sm_clock_mhz, fan_percent, throttle_reasons)
SELECT @worker_address, @worker_id, @gpu_uuid, @sampled_at, sqlc.narg(utilization_percent)::integer,
    sqlc.narg(memory_activity_percent)::integer, sqlc.narg(memory_used_bytes)::bigint, sqlc.narg(memory_total_bytes)::bigint,
    sqlc.narg(temperature_c)::integer, sqlc.narg(memory_temperature_c)::integer, sqlc.narg(power_milliwatts)::bigint,
    sqlc.narg(power_limit_milliwatts)::bigint, sqlc.narg(sm_clock_mhz)::bigint, sqlc.narg(fan_percent)::bigint,
    sqlc.narg(throttle_reasons)::bigint
WHERE @keep_history::boolean
ON CONFLICT DO NOTHING;

-- name: forgetUnnamedGPUs :exec
-- forgetUnnamedGPUs drops a host's GPUs that had no UUID at an earlier report: an index is
-- no lasting identity.
DELETE FROM worker_gpus
WHERE worker_address = @worker_address AND worker_id = @worker_id AND gpu_uuid LIKE 'index:%' AND sampled_at < @reported_at;

-- name: listWorkerGPUs :many
SELECT worker_id, sampled_at, sample FROM worker_gpus
WHERE worker_address = @worker_address
ORDER BY worker_id, (sample ->> 'Index')::bigint, gpu_uuid;

-- name: gpuSteps :many
-- gpuSteps sums up the samples of every step of time; steps without one are left out. Of
-- samples that were dropped for their age the hours are left, each at its start. A value that
-- cannot be is as good as none, and so is an hour's sum of what older versions let pass.
SELECT step_start::timestamptz AS step_start,
    sum(utilization_samples)::bigint AS utilization_samples, coalesce(sum(utilization_sum) / nullif(sum(utilization_samples), 0), 0)::double precision AS utilization_mean,
    coalesce(min(utilization_min), 0)::double precision AS utilization_min, coalesce(max(utilization_max), 0)::double precision AS utilization_max,
    sum(memory_samples)::bigint AS memory_samples, coalesce(sum(memory_sum) / nullif(sum(memory_samples), 0), 0)::double precision AS memory_mean,
    coalesce(min(memory_min), 0)::double precision AS memory_min, coalesce(max(memory_max), 0)::double precision AS memory_max,
    sum(temperature_samples)::bigint AS temperature_samples, coalesce(sum(temperature_sum) / nullif(sum(temperature_samples), 0), 0)::double precision AS temperature_mean,
    coalesce(min(temperature_min), 0)::double precision AS temperature_min, coalesce(max(temperature_max), 0)::double precision AS temperature_max,
    sum(power_samples)::bigint AS power_samples, coalesce(sum(power_sum) / nullif(sum(power_samples), 0), 0)::double precision AS power_mean,
    coalesce(min(power_min), 0)::double precision AS power_min, coalesce(max(power_max), 0)::double precision AS power_max,
    coalesce(bit_or(throttle_reasons), 0)::bigint AS throttle_reasons
FROM (
    SELECT date_bin(@step::interval, sampled_at, timestamptz 'epoch') AS step_start,
        count(utilization_percent) AS utilization_samples, sum(utilization_percent) AS utilization_sum, min(utilization_percent) AS utilization_min, max(utilization_percent) AS utilization_max,
        count(memory_used_bytes) AS memory_samples, sum(memory_used_bytes) AS memory_sum, min(memory_used_bytes) AS memory_min, max(memory_used_bytes) AS memory_max,
        count(temperature_c) AS temperature_samples, sum(temperature_c) AS temperature_sum, min(temperature_c) AS temperature_min, max(temperature_c) AS temperature_max,
        count(power_milliwatts) AS power_samples, sum(power_milliwatts) AS power_sum, min(power_milliwatts) AS power_min, max(power_milliwatts) AS power_max,
        bit_or(throttle_reasons) AS throttle_reasons
    FROM (SELECT sampled_at, utilization_percent, throttle_reasons,
            CASE WHEN memory_used_bytes <= @memory_max::bigint THEN memory_used_bytes END AS memory_used_bytes,
            CASE WHEN temperature_c BETWEEN @temperature_min::integer AND @temperature_max::integer THEN temperature_c END AS temperature_c,
            CASE WHEN power_milliwatts BETWEEN 0 AND @power_max::bigint THEN power_milliwatts END AS power_milliwatts
        FROM gpu_samples g
        WHERE g.worker_address = @worker_address AND g.gpu_uuid = @gpu_uuid AND g.sampled_at >= @since::timestamptz AND g.sampled_at < @until::timestamptz) possible
    GROUP BY 1
    UNION ALL
    SELECT date_bin(@step::interval, hour, timestamptz 'epoch'), utilization_samples, utilization_sum, utilization_min, utilization_max,
        CASE WHEN memory_max > @memory_max::bigint THEN 0 ELSE memory_samples END, CASE WHEN memory_max <= @memory_max::bigint THEN memory_sum END,
        CASE WHEN memory_max <= @memory_max::bigint THEN memory_min END, CASE WHEN memory_max <= @memory_max::bigint THEN memory_max END,
        temperature_samples, temperature_sum, temperature_min, temperature_max,
        CASE WHEN power_max > @power_max::bigint THEN 0 ELSE power_samples END, CASE WHEN power_max <= @power_max::bigint THEN power_sum END,
        CASE WHEN power_max <= @power_max::bigint THEN power_min END, CASE WHEN power_max <= @power_max::bigint THEN power_max END,
        throttle_reasons
    FROM gpu_hours h
    WHERE h.worker_address = @worker_address AND h.gpu_uuid = @gpu_uuid AND h.hour >= @since::timestamptz AND h.hour < @until::timestamptz
) parts
GROUP BY step_start
ORDER BY step_start;

-- name: firstGPUSample :one
-- firstGPUSample is since when anything is kept of a GPU, the epoch if nothing is.
SELECT coalesce(least(
    (SELECT min(h.hour) FROM gpu_hours h WHERE h.worker_address = @worker_address AND h.gpu_uuid = @gpu_uuid),
    (SELECT min(g.sampled_at) FROM gpu_samples g WHERE g.worker_address = @worker_address AND g.gpu_uuid = @gpu_uuid)
), timestamptz 'epoch')::timestamptz AS first;

-- name: keepPartitions :exec
SELECT keep_partitions(@parent::text, @part_days::integer, @oldest::date, @first_day::date, @last_day::date);

-- name: keepGPUHours :exec
SELECT keep_gpu_hours(@oldest::date, @memory_max::bigint, @temperature_min::integer, @temperature_max::integer, @power_max::bigint);

-- name: limitLockWaits :exec
-- limitLockWaits keeps a change of partitions from making others wait behind it for long.
SET LOCAL lock_timeout = '3s';

-- name: forgetGPUsUnseenSince :exec
DELETE FROM worker_gpus WHERE sampled_at < @unseen_since;
