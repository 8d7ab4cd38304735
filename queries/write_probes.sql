-- name: limitProbeWaits :exec
-- limitProbeWaits bounds how long a probe waits for another session's locks.
SET LOCAL lock_timeout = '2s';

-- name: lockForWriting :exec
-- lockForWriting takes the locks that storing a report takes. The partitions of a table are
-- left out, since every writer locks the table first.
LOCK TABLE ONLY jobs, ONLY heartbeats, ONLY gpu_samples, ONLY worker_gpus, ONLY reward_claims IN ROW EXCLUSIVE MODE;

-- name: writeProbe :exec
INSERT INTO write_probes (replica, written_at) VALUES (@replica, clock_timestamp())
ON CONFLICT (replica) DO UPDATE SET written_at = excluded.written_at;

-- name: emptySpaceProbe :exec
-- emptySpaceProbe gives the table a new file.
TRUNCATE space_probe;

-- name: fillSpaceProbe :exec
-- fillSpaceProbe makes that file some 64 KiB long.
INSERT INTO space_probe SELECT generate_series(1, 1800);

-- name: forgetWriteProbes :exec
DELETE FROM write_probes WHERE written_at < now() - interval '1 day';

-- name: isStandby :one
SELECT pg_is_in_recovery();
