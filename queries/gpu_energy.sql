-- name: workerEnergy :one
-- workerEnergy sums up the energy that a worker's GPUs used on the UTC days from the first to
-- the last, as far as it was measured.
SELECT count(DISTINCT gpu_uuid) AS gpus, COALESCE(sum(joules), 0)::double precision AS joules, COALESCE(sum(covered_seconds), 0)::double precision AS covered_seconds
FROM gpu_energy_days
WHERE worker_address = @worker_address AND day >= @first_day::date AND day <= @last_day::date;

-- name: rollUpGPUEnergy :one
SELECT roll_up_gpu_energy(@most::integer)::bigint AS hours;
