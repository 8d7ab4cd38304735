-- The energy that GPUs used, as far as their samples tell, by hour and UTC day. It stays when
-- the samples go.
--
-- Each statement that writes samples notes which hours it changed; upkeep integrates those
-- hours anew (roll_up_gpu_energy). Two samples of a GPU that are at most five minutes apart
-- cover the time between them, at the mean of their power; it belongs to the hour in which it
-- begins. What lies between samples further apart is not covered.

-- +goose Up
CREATE TABLE gpu_energy_hours (
    worker_address  text NOT NULL,
    gpu_uuid        text NOT NULL,
    hour            timestamptz NOT NULL,
    joules          double precision NOT NULL DEFAULT 0,
    covered_seconds double precision NOT NULL DEFAULT 0,
    due             smallint NOT NULL DEFAULT 1, -- 0: as its samples tell, 1: to be integrated anew, 2: being so
    PRIMARY KEY (worker_address, gpu_uuid, hour)
);
COMMENT ON TABLE gpu_energy_hours IS 'Energy of GPUs by hour, integrated over their samples.';
CREATE INDEX gpu_energy_hours_due ON gpu_energy_hours (due, hour) WHERE due > 0;

CREATE TABLE gpu_energy_days (
    worker_address  text NOT NULL,
    day             date NOT NULL,
    gpu_uuid        text NOT NULL,
    joules          double precision NOT NULL,
    covered_seconds double precision NOT NULL,
    PRIMARY KEY (worker_address, day, gpu_uuid)
);
COMMENT ON TABLE gpu_energy_days IS 'Energy of GPUs by UTC day: the sums of their hours.';

CREATE TABLE gpu_energy_changes (
    worker_address text NOT NULL,
    gpu_uuid       text NOT NULL,
    hour           timestamptz NOT NULL
);
COMMENT ON TABLE gpu_energy_changes IS 'Hours whose samples have changed since upkeep looked.';
ALTER TABLE gpu_energy_changes SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);

-- A sample changes its hour, and the one before if that reaches up to it.
-- +goose StatementBegin
CREATE FUNCTION note_gpu_energy() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO gpu_energy_changes (worker_address, gpu_uuid, hour)
    SELECT DISTINCT worker_address, gpu_uuid, date_trunc('hour', sampled_at - back, 'UTC')
    FROM new_rows, (VALUES (interval '0'), (interval '5 minutes')) b (back)
    WHERE power_milliwatts IS NOT NULL;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER note_gpu_energy AFTER INSERT ON gpu_samples REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION note_gpu_energy();

-- roll_up_gpu_energy integrates some of the hours that have changed, and returns how many.
-- Hours whose samples were dropped for their age stay as they are.
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
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION note_gpu_energy() SET search_path = %I, pg_temp', current_schema());
END $$;
-- +goose StatementEnd

-- What is there already.
INSERT INTO gpu_energy_hours (worker_address, gpu_uuid, hour)
SELECT DISTINCT worker_address, gpu_uuid, date_trunc('hour', sampled_at, 'UTC') FROM gpu_samples WHERE power_milliwatts IS NOT NULL;

-- +goose Down
DROP FUNCTION roll_up_gpu_energy(integer);
DROP TRIGGER note_gpu_energy ON gpu_samples;
DROP FUNCTION note_gpu_energy();
DROP TABLE gpu_energy_changes;
DROP TABLE gpu_energy_days;
DROP TABLE gpu_energy_hours;
