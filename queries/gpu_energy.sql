-- name: workerEnergy :one
-- workerEnergy sums up the energy that a worker's GPUs used on the UTC days from the first to
-- the last, as far as it was measured. It counts those GPUs too that were seen on these days
-- and told no power; since and until are the times at which the days begin and end.
WITH energy AS (
    SELECT d.gpu_uuid, sum(d.joules) AS joules, sum(d.covered_seconds) AS covered_seconds
    FROM gpu_energy_days d
    WHERE d.worker_address = @worker_address AND d.day >= @first_day::date AND d.day <= @last_day::date
    GROUP BY d.gpu_uuid
), silent AS (
    SELECT DISTINCT w.gpu_uuid
    FROM worker_gpus w
    WHERE w.worker_address = @worker_address AND w.gpu_uuid NOT IN (SELECT e.gpu_uuid FROM energy e)
      AND (EXISTS (SELECT 1 FROM gpu_samples s WHERE s.worker_address = @worker_address AND s.gpu_uuid = w.gpu_uuid
                AND s.sampled_at >= @since::timestamptz AND s.sampled_at < @until::timestamptz)
        OR EXISTS (SELECT 1 FROM gpu_hours h WHERE h.worker_address = @worker_address AND h.gpu_uuid = w.gpu_uuid
                AND h.hour >= @since::timestamptz AND h.hour < @until::timestamptz))
)
SELECT (SELECT count(*) FROM energy) + (SELECT count(*) FROM silent) AS gpus,
    COALESCE((SELECT sum(e.joules) FROM energy e), 0)::double precision AS joules, COALESCE((SELECT sum(e.covered_seconds) FROM energy e), 0)::double precision AS covered_seconds;

-- name: rollUpGPUEnergy :one
SELECT roll_up_gpu_energy(@most::integer, @power_max::bigint)::bigint AS hours;
