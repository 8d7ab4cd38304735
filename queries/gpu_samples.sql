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
SELECT worker_id, sample FROM worker_gpus
WHERE worker_address = @worker_address
ORDER BY worker_id, (sample ->> 'Index')::bigint, gpu_uuid;

-- name: gpuHistory :many
-- gpuHistory yields the newest sample of every step: samples as they were, never averages.
SELECT DISTINCT ON (date_bin(@step::interval, sampled_at, @since::timestamptz))
    sampled_at, utilization_percent, memory_used_bytes, temperature_c, power_milliwatts
FROM gpu_samples
WHERE worker_address = @worker_address AND gpu_uuid = @gpu_uuid AND sampled_at >= @since::timestamptz
ORDER BY date_bin(@step::interval, sampled_at, @since::timestamptz), sampled_at DESC;

-- name: keepGPUSampleDays :exec
SELECT keep_gpu_sample_days(@oldest::date, @first_day::date, @last_day::date);

-- name: forgetGPUsUnseenSince :exec
DELETE FROM worker_gpus WHERE sampled_at < @unseen_since;
