-- Values of GPUs that cannot be enter no sum: a driver that answers 4,294,967 W for some
-- seconds has told nothing of that time. What can be is the program's to say, which hands its
-- bounds in.

-- +goose Up

-- A sample without a power that can be ends what the one before it covers. So it changes its
-- hour too, where there is anything to integrate at all.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION note_gpu_energy() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO gpu_energy_changes (worker_address, gpu_uuid, hour)
    SELECT DISTINCT worker_address, gpu_uuid, date_trunc('hour', sampled_at - back, 'UTC')
    FROM new_rows, (VALUES (interval '0'), (interval '5 minutes')) b (back)
    WHERE power_milliwatts IS NOT NULL
       OR EXISTS (SELECT FROM gpu_energy_hours h WHERE h.worker_address = new_rows.worker_address AND h.gpu_uuid = new_rows.gpu_uuid
                   AND h.hour = date_trunc('hour', new_rows.sampled_at - back, 'UTC'));
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION note_gpu_energy() SET search_path = %I, pg_temp', current_schema());
END $$;
-- +goose StatementEnd

-- roll_up_gpu_energy integrates some of the hours that have changed, and returns how many.
-- A pair of samples covers the time between them if both tell a power of at most max_milliwatts.
-- The samples of a host that never tells any are left out: it may report a card that another
-- host measures. Hours whose samples were dropped for their age stay as they are.
DROP FUNCTION roll_up_gpu_energy(integer);
-- +goose StatementBegin
CREATE FUNCTION roll_up_gpu_energy(most integer, max_milliwatts bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    dropped timestamptz := COALESCE((SELECT dropped_before FROM partitions_dropped WHERE table_name = 'gpu_samples'), '-infinity');
    hours   bigint;
BEGIN
    WITH gone AS (DELETE FROM gpu_energy_changes RETURNING *)
    INSERT INTO gpu_energy_hours (worker_address, gpu_uuid, hour)
    SELECT DISTINCT worker_address, gpu_uuid, gone.hour FROM gone WHERE gone.hour >= dropped
    ON CONFLICT (worker_address, gpu_uuid, hour) DO UPDATE SET due = 1;

    UPDATE gpu_energy_hours h SET due = 2
    FROM (SELECT worker_address, gpu_uuid, hour FROM gpu_energy_hours WHERE due > 0 ORDER BY due, hour LIMIT most) d
    WHERE h.worker_address = d.worker_address AND h.gpu_uuid = d.gpu_uuid AND h.hour = d.hour;

    UPDATE gpu_energy_hours h SET joules = e.joules, covered_seconds = e.seconds
    FROM gpu_energy_hours d CROSS JOIN LATERAL (
        SELECT COALESCE(sum((power + next_power) / 2000.0 * seconds), 0)::double precision AS joules, COALESCE(sum(seconds), 0)::double precision AS seconds
        FROM (SELECT sampled_at, power, lead(power) OVER later AS next_power,
                     extract(epoch FROM lead(sampled_at) OVER later - sampled_at) AS seconds
              FROM (SELECT sampled_at, CASE WHEN power_milliwatts BETWEEN 0 AND max_milliwatts THEN power_milliwatts END AS power,
                           count(power_milliwatts) OVER (PARTITION BY worker_id) AS tells
                    FROM gpu_samples s
                    WHERE s.worker_address = d.worker_address AND s.gpu_uuid = d.gpu_uuid
                      AND s.sampled_at >= d.hour AND s.sampled_at < d.hour + interval '65 minutes') said
              WHERE tells > 0
              WINDOW later AS (ORDER BY sampled_at)) pairs
        WHERE sampled_at < d.hour + interval '1 hour' AND seconds <= 300 AND power IS NOT NULL AND next_power IS NOT NULL) e
    WHERE d.due = 2 AND h.worker_address = d.worker_address AND h.gpu_uuid = d.gpu_uuid AND h.hour = d.hour;

    INSERT INTO gpu_energy_days (worker_address, day, gpu_uuid, joules, covered_seconds)
    SELECT h.worker_address, d.day, h.gpu_uuid, sum(h.joules), sum(h.covered_seconds)
    FROM (SELECT DISTINCT worker_address, gpu_uuid, (hour AT TIME ZONE 'UTC')::date AS day FROM gpu_energy_hours WHERE due = 2) d
    JOIN gpu_energy_hours h ON h.worker_address = d.worker_address AND h.gpu_uuid = d.gpu_uuid
        AND h.hour >= d.day::timestamp AT TIME ZONE 'UTC' AND h.hour < (d.day + 1)::timestamp AT TIME ZONE 'UTC'
    GROUP BY 1, 2, 3
    ON CONFLICT (worker_address, day, gpu_uuid) DO UPDATE SET joules = excluded.joules, covered_seconds = excluded.covered_seconds;

    UPDATE gpu_energy_hours SET due = 0 WHERE due = 2;
    GET DIAGNOSTICS hours = ROW_COUNT;
    RETURN hours;
END $$;
-- +goose StatementEnd

-- keep_gpu_hours sums up the samples before a day that is about to be the oldest, but for
-- values out of bounds.
DROP FUNCTION keep_gpu_hours(date);
-- +goose StatementBegin
CREATE FUNCTION keep_gpu_hours(oldest date, max_memory bigint, min_temperature integer, max_temperature integer, max_power bigint) RETURNS void LANGUAGE sql AS $$
INSERT INTO gpu_hours
SELECT worker_address, gpu_uuid, date_trunc('hour', sampled_at, 'UTC'),
       count(utilization_percent), sum(utilization_percent), min(utilization_percent), max(utilization_percent),
       count(memory_used_bytes), sum(memory_used_bytes), min(memory_used_bytes), max(memory_used_bytes),
       count(temperature_c), sum(temperature_c), min(temperature_c), max(temperature_c),
       count(power_milliwatts), sum(power_milliwatts), min(power_milliwatts), max(power_milliwatts),
       COALESCE(bit_or(throttle_reasons), 0)
FROM (SELECT worker_address, gpu_uuid, sampled_at, utilization_percent, throttle_reasons,
          CASE WHEN memory_used_bytes <= max_memory THEN memory_used_bytes END AS memory_used_bytes,
          CASE WHEN temperature_c BETWEEN min_temperature AND max_temperature THEN temperature_c END AS temperature_c,
          CASE WHEN power_milliwatts BETWEEN 0 AND max_power THEN power_milliwatts END AS power_milliwatts
      FROM gpu_samples) possible
WHERE sampled_at < oldest::timestamp AT TIME ZONE 'UTC'
GROUP BY 1, 2, 3
ON CONFLICT DO NOTHING
$$;
-- +goose StatementEnd

-- What such values made is integrated anew, as far as its samples are there: 20 kW is beyond
-- any card.
INSERT INTO gpu_energy_hours (worker_address, gpu_uuid, hour)
SELECT DISTINCT worker_address, gpu_uuid, date_trunc('hour', sampled_at - back, 'UTC')
FROM gpu_samples, (VALUES (interval '0'), (interval '5 minutes')) b (back)
WHERE power_milliwatts NOT BETWEEN 0 AND 20000000
ON CONFLICT (worker_address, gpu_uuid, hour) DO UPDATE SET due = 1;

-- +goose Down
DROP FUNCTION keep_gpu_hours(date, bigint, integer, integer, bigint);
-- +goose StatementBegin
CREATE FUNCTION keep_gpu_hours(oldest date) RETURNS void LANGUAGE sql AS $$
INSERT INTO gpu_hours
SELECT worker_address, gpu_uuid, date_trunc('hour', sampled_at, 'UTC'),
       count(utilization_percent), sum(utilization_percent), min(utilization_percent), max(utilization_percent),
       count(memory_used_bytes), sum(memory_used_bytes), min(memory_used_bytes), max(memory_used_bytes),
       count(temperature_c), sum(temperature_c), min(temperature_c), max(temperature_c),
       count(power_milliwatts), sum(power_milliwatts), min(power_milliwatts), max(power_milliwatts),
       COALESCE(bit_or(throttle_reasons), 0)
FROM gpu_samples
WHERE sampled_at < oldest::timestamp AT TIME ZONE 'UTC'
GROUP BY 1, 2, 3
ON CONFLICT DO NOTHING
$$;
-- +goose StatementEnd
DROP FUNCTION roll_up_gpu_energy(integer, bigint);
-- +goose StatementBegin
CREATE FUNCTION roll_up_gpu_energy(most integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    dropped timestamptz := COALESCE((SELECT dropped_before FROM partitions_dropped WHERE table_name = 'gpu_samples'), '-infinity');
    hours   bigint;
BEGIN
    WITH gone AS (DELETE FROM gpu_energy_changes RETURNING *)
    INSERT INTO gpu_energy_hours (worker_address, gpu_uuid, hour)
    SELECT DISTINCT worker_address, gpu_uuid, gone.hour FROM gone WHERE gone.hour >= dropped
    ON CONFLICT (worker_address, gpu_uuid, hour) DO UPDATE SET due = 1;

    UPDATE gpu_energy_hours h SET due = 2
    FROM (SELECT worker_address, gpu_uuid, hour FROM gpu_energy_hours WHERE due > 0 ORDER BY due, hour LIMIT most) d
    WHERE h.worker_address = d.worker_address AND h.gpu_uuid = d.gpu_uuid AND h.hour = d.hour;

    UPDATE gpu_energy_hours h SET joules = e.joules, covered_seconds = e.seconds
    FROM gpu_energy_hours d CROSS JOIN LATERAL (
        SELECT COALESCE(sum((power + next_power) / 2000.0 * seconds), 0)::double precision AS joules, COALESCE(sum(seconds), 0)::double precision AS seconds
        FROM (SELECT sampled_at, power_milliwatts AS power, lead(power_milliwatts) OVER later AS next_power,
                     extract(epoch FROM lead(sampled_at) OVER later - sampled_at) AS seconds
              FROM gpu_samples s
              WHERE s.worker_address = d.worker_address AND s.gpu_uuid = d.gpu_uuid AND s.power_milliwatts IS NOT NULL
                AND s.sampled_at >= d.hour AND s.sampled_at < d.hour + interval '65 minutes'
              WINDOW later AS (ORDER BY sampled_at)) pairs
        WHERE sampled_at < d.hour + interval '1 hour' AND seconds <= 300) e
    WHERE d.due = 2 AND h.worker_address = d.worker_address AND h.gpu_uuid = d.gpu_uuid AND h.hour = d.hour;

    INSERT INTO gpu_energy_days (worker_address, day, gpu_uuid, joules, covered_seconds)
    SELECT h.worker_address, d.day, h.gpu_uuid, sum(h.joules), sum(h.covered_seconds)
    FROM (SELECT DISTINCT worker_address, gpu_uuid, (hour AT TIME ZONE 'UTC')::date AS day FROM gpu_energy_hours WHERE due = 2) d
    JOIN gpu_energy_hours h ON h.worker_address = d.worker_address AND h.gpu_uuid = d.gpu_uuid
        AND h.hour >= d.day::timestamp AT TIME ZONE 'UTC' AND h.hour < (d.day + 1)::timestamp AT TIME ZONE 'UTC'
    GROUP BY 1, 2, 3
    ON CONFLICT (worker_address, day, gpu_uuid) DO UPDATE SET joules = excluded.joules, covered_seconds = excluded.covered_seconds;

    UPDATE gpu_energy_hours SET due = 0 WHERE due = 2;
    GET DIAGNOSTICS hours = ROW_COUNT;
    RETURN hours;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION note_gpu_energy() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO gpu_energy_changes (worker_address, gpu_uuid, hour)
    SELECT DISTINCT worker_address, gpu_uuid, date_trunc('hour', sampled_at - back, 'UTC')
    FROM new_rows, (VALUES (interval '0'), (interval '5 minutes')) b (back)
    WHERE power_milliwatts IS NOT NULL;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION note_gpu_energy() SET search_path = %I, pg_temp', current_schema());
END $$;
-- +goose StatementEnd
