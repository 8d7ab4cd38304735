-- What workers' hosts report of their GPUs. Only this program writes these tables.

-- +goose Up
CREATE TABLE worker_gpus (
    worker_address text NOT NULL,
    worker_id      text NOT NULL,
    gpu_uuid       text NOT NULL, -- "index:N" for a GPU whose UUID could not be read
    sampled_at     timestamptz NOT NULL,
    sample         jsonb NOT NULL,
    PRIMARY KEY (worker_address, worker_id, gpu_uuid),
    CONSTRAINT worker_gpus_worker_address_is_address CHECK (is_address(worker_address)),
    CONSTRAINT worker_gpus_sampled_at_is_plausible CHECK (is_plausible_time(sampled_at))
);
COMMENT ON TABLE worker_gpus IS 'The newest sample of every GPU on every host.';
CREATE INDEX worker_gpus_by_time ON worker_gpus (sampled_at);

CREATE TABLE gpu_samples (
    worker_address          text NOT NULL,
    worker_id               text NOT NULL,
    gpu_uuid                text NOT NULL,
    sampled_at              timestamptz NOT NULL,
    utilization_percent     integer,
    memory_activity_percent integer,
    memory_used_bytes       bigint,
    memory_total_bytes      bigint,
    temperature_c           integer,
    memory_temperature_c    integer,
    power_milliwatts        bigint,
    power_limit_milliwatts  bigint,
    sm_clock_mhz            bigint,
    fan_percent             bigint,
    throttle_reasons        bigint,
    PRIMARY KEY (worker_address, gpu_uuid, sampled_at, worker_id),
    CONSTRAINT gpu_samples_worker_address_is_address CHECK (is_address(worker_address)),
    CONSTRAINT gpu_samples_utilization_percent_is_0_to_100 CHECK (utilization_percent BETWEEN 0 AND 100),
    CONSTRAINT gpu_samples_memory_activity_percent_is_0_to_100 CHECK (memory_activity_percent BETWEEN 0 AND 100),
    CONSTRAINT gpu_samples_memory_is_0_or_more CHECK (memory_used_bytes >= 0 AND memory_total_bytes >= 0)
) PARTITION BY RANGE (sampled_at);
COMMENT ON TABLE gpu_samples IS 'History of GPU samples, one partition per UTC day.';

-- keep_gpu_sample_days makes the partitions of the days from first_day to last_day and
-- drops those of days before oldest. A new partition is attached rather than created in place,
-- since attaching does not lock out readers.
-- +goose StatementBegin
CREATE FUNCTION keep_gpu_sample_days(oldest date, first_day date, last_day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    home text := (SELECT relnamespace::regnamespace::text FROM pg_class WHERE oid = 'gpu_samples'::regclass);
    day  date;
    part text;
    old  regclass;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('keep_gpu_sample_days'));
    FOR day IN SELECT d::date FROM generate_series(first_day::timestamp, last_day::timestamp, interval '1 day') d LOOP
        part := format('%s.%I', home, 'gpu_samples_' || to_char(day, 'YYYYMMDD'));
        CONTINUE WHEN to_regclass(part) IS NOT NULL;
        EXECUTE format('CREATE TABLE %s (LIKE gpu_samples INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part);
        EXECUTE format('ALTER TABLE gpu_samples ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)',
            part, to_char(day, 'YYYY-MM-DD 00:00:00+00'), to_char(day + 1, 'YYYY-MM-DD 00:00:00+00'));
    END LOOP;
    FOR old IN
        SELECT inhrelid::regclass FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = 'gpu_samples'::regclass AND relname < 'gpu_samples_' || to_char(oldest, 'YYYYMMDD')
    LOOP
        EXECUTE format('DROP TABLE %s', old);
    END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION keep_gpu_sample_days(date, date, date);
DROP TABLE gpu_samples;
DROP TABLE worker_gpus;
