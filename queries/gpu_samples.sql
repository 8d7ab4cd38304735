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
-- gpuSteps sums up the samples of every step of time; steps without one are left out.
SELECT date_bin(@step::interval, sampled_at, timestamptz 'epoch')::timestamptz AS step_start,
    count(utilization_percent) AS utilization_samples, coalesce(avg(utilization_percent), 0)::double precision AS utilization_mean,
    coalesce(min(utilization_percent), 0)::double precision AS utilization_min, coalesce(max(utilization_percent), 0)::double precision AS utilization_max,
    count(memory_used_bytes) AS memory_samples, coalesce(avg(memory_used_bytes), 0)::double precision AS memory_mean,
    coalesce(min(memory_used_bytes), 0)::double precision AS memory_min, coalesce(max(memory_used_bytes), 0)::double precision AS memory_max,
    count(temperature_c) AS temperature_samples, coalesce(avg(temperature_c), 0)::double precision AS temperature_mean,
    coalesce(min(temperature_c), 0)::double precision AS temperature_min, coalesce(max(temperature_c), 0)::double precision AS temperature_max,
    count(power_milliwatts) AS power_samples, coalesce(avg(power_milliwatts), 0)::double precision AS power_mean,
    coalesce(min(power_milliwatts), 0)::double precision AS power_min, coalesce(max(power_milliwatts), 0)::double precision AS power_max,
    coalesce(bit_or(throttle_reasons), 0)::bigint AS throttle_reasons
FROM gpu_samples
WHERE worker_address = @worker_address AND gpu_uuid = @gpu_uuid AND sampled_at >= @since::timestamptz
GROUP BY step_start
ORDER BY step_start;

-- name: keepPartitions :exec
SELECT keep_partitions(@parent::text, @part_days::integer, @oldest::date, @first_day::date, @last_day::date);

-- name: limitLockWaits :exec
-- limitLockWaits keeps a change of partitions from making others wait behind it for long.
SET LOCAL lock_timeout = '3s';

-- name: forgetGPUsUnseenSince :exec
DELETE FROM worker_gpus WHERE sampled_at < @unseen_since;
