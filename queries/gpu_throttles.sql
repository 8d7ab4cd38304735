-- name: growGPUThrottle :batchexec
-- growGPUThrottle stores a stretch as whoever follows the readings has it now.
INSERT INTO gpu_throttles (worker_address, worker_id, gpu_uuid, reason, began_after, began_at, last_at, ended_before, pauses)
VALUES (@worker_address, @worker_id, @gpu_uuid, @reason, @began_after, @began_at, @last_at, @ended_before, @pauses)
ON CONFLICT (worker_address, gpu_uuid, reason, began_at, worker_id) DO UPDATE
SET last_at = excluded.last_at, ended_before = excluded.ended_before, pauses = excluded.pauses
WHERE excluded.last_at >= gpu_throttles.last_at;

-- name: putGPUThrottle :batchexec
-- putGPUThrottle stores a stretch as its samples have it.
INSERT INTO gpu_throttles (worker_address, worker_id, gpu_uuid, reason, began_after, began_at, last_at, ended_before, pauses)
VALUES (@worker_address, @worker_id, @gpu_uuid, @reason, @began_after, @began_at, @last_at, @ended_before, @pauses)
ON CONFLICT (worker_address, gpu_uuid, reason, began_at, worker_id) DO UPDATE
SET began_after = excluded.began_after, last_at = excluded.last_at, ended_before = excluded.ended_before, pauses = excluded.pauses;

-- name: dropGPUThrottle :batchexec
DELETE FROM gpu_throttles
WHERE worker_address = @worker_address AND worker_id = @worker_id AND gpu_uuid = @gpu_uuid AND reason = @reason AND began_at = @began_at;

-- name: gpuThrottlesNear :many
-- gpuThrottlesNear lists the stretches that a host's samples of a time may change.
SELECT gpu_uuid, reason, began_after, began_at, last_at, ended_before, pauses
FROM gpu_throttles
WHERE worker_address = @worker_address AND worker_id = @worker_id AND gpu_uuid = ANY(@gpu_uuids::text[])
    AND last_at >= @since AND began_at <= @until;

-- name: gpuSamplesBeside :batchone
-- gpuSamplesBeside is what a stored sample says of throttle reasons, and those beside it that
-- say any: of the epoch where none is near.
SELECT coalesce(own.throttle_reasons, 0)::bigint AS reasons,
    coalesce(before.sampled_at, timestamptz 'epoch')::timestamptz AS before_at, coalesce(before.throttle_reasons, 0)::bigint AS before_reasons,
    coalesce(behind.sampled_at, timestamptz 'epoch')::timestamptz AS behind_at, coalesce(behind.throttle_reasons, 0)::bigint AS behind_reasons
FROM gpu_samples own
LEFT JOIN LATERAL (
    SELECT s.sampled_at, s.throttle_reasons FROM gpu_samples s
    WHERE s.worker_address = @worker_address AND s.gpu_uuid = @gpu_uuid AND s.worker_id = @worker_id AND s.throttle_reasons IS NOT NULL
        AND s.sampled_at < @sampled_at AND s.sampled_at >= @since
    ORDER BY s.sampled_at DESC LIMIT 1
) before ON true
LEFT JOIN LATERAL (
    SELECT s.sampled_at, s.throttle_reasons FROM gpu_samples s
    WHERE s.worker_address = @worker_address AND s.gpu_uuid = @gpu_uuid AND s.worker_id = @worker_id AND s.throttle_reasons IS NOT NULL
        AND s.sampled_at > @sampled_at AND s.sampled_at <= @until
    ORDER BY s.sampled_at LIMIT 1
) behind ON true
WHERE own.worker_address = @worker_address AND own.gpu_uuid = @gpu_uuid AND own.worker_id = @worker_id AND own.sampled_at = @sampled_at
    AND own.throttle_reasons IS NOT NULL;

-- name: listGPUThrottles :many
-- listGPUThrottles lists the stretches that reach into a time, the newest first.
SELECT gpu_uuid, reason, began_after, began_at, last_at, ended_before, pauses
FROM gpu_throttles
WHERE worker_address = @worker_address AND gpu_uuid = @gpu_uuid AND last_at >= @since AND began_at < @until
ORDER BY last_at DESC, reason LIMIT @most;

-- name: forgetGPUThrottlesBefore :exec
DELETE FROM gpu_throttles WHERE last_at < @oldest;
