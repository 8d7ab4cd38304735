-- What stays of GPU samples when their partitions go: their sums by hour.

-- +goose Up
CREATE TABLE gpu_hours (
    worker_address      text NOT NULL,
    gpu_uuid            text NOT NULL,
    hour                timestamptz NOT NULL,
    utilization_samples bigint NOT NULL,
    utilization_sum     bigint,
    utilization_min     integer,
    utilization_max     integer,
    memory_samples      bigint NOT NULL,
    memory_sum          numeric,
    memory_min          bigint,
    memory_max          bigint,
    temperature_samples bigint NOT NULL,
    temperature_sum     bigint,
    temperature_min     integer,
    temperature_max     integer,
    power_samples       bigint NOT NULL,
    power_sum           numeric,
    power_min           bigint,
    power_max           bigint,
    throttle_reasons    bigint NOT NULL,
    PRIMARY KEY (worker_address, gpu_uuid, hour)
);
COMMENT ON TABLE gpu_hours IS 'Sums of the GPU samples that were dropped for their age, by hour.';

-- keep_gpu_hours sums up the samples before a day that is about to be the oldest.
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

-- +goose Down
DROP FUNCTION keep_gpu_hours(date);
DROP TABLE gpu_hours;
