-- In which times GPUs were slowed, by reason, with the times of the readings that tell when it
-- began and ended. A chart's buckets tell neither, and it is evidence for a slash. Only this
-- program writes this table.

-- +goose Up
CREATE TABLE gpu_throttles (
    worker_address text NOT NULL,
    worker_id      text NOT NULL,
    gpu_uuid       text NOT NULL,
    reason         bigint NOT NULL,
    began_after    timestamptz,
    began_at       timestamptz NOT NULL,
    last_at        timestamptz NOT NULL,
    ended_before   timestamptz,
    pauses         integer NOT NULL DEFAULT 0,
    PRIMARY KEY (worker_address, gpu_uuid, reason, began_at, worker_id),
    CONSTRAINT gpu_throttles_worker_address_is_address CHECK (is_address(worker_address)),
    CONSTRAINT gpu_throttles_times_are_in_order CHECK (began_after < began_at AND began_at <= last_at AND last_at < ended_before),
    CONSTRAINT gpu_throttles_began_at_is_plausible CHECK (is_plausible_time(began_at))
);
COMMENT ON TABLE gpu_throttles IS 'Stretches of time in which every reading of a GPU gave one reason that slowed it.';
COMMENT ON COLUMN gpu_throttles.worker_address IS 'The wallet that the GPU worked for.';
COMMENT ON COLUMN gpu_throttles.worker_id IS 'The host that read the GPU, by its own name.';
COMMENT ON COLUMN gpu_throttles.gpu_uuid IS 'The GPU, by the UUID that NVML gives.';
COMMENT ON COLUMN gpu_throttles.reason IS 'One bit of nvmlClocksEventReasons: heat, a power brake or a hardware slowdown.';
COMMENT ON COLUMN gpu_throttles.began_after IS 'The reading before it: it began after that one. Null where none was near enough to tell.';
COMMENT ON COLUMN gpu_throttles.began_at IS 'The first reading that gives the reason.';
COMMENT ON COLUMN gpu_throttles.last_at IS 'The last reading that gives the reason; it grows while the reason stays.';
COMMENT ON COLUMN gpu_throttles.ended_before IS 'The reading after it: it ended before that one. Null while the reason stays, and where readings stopped.';
COMMENT ON COLUMN gpu_throttles.pauses IS 'How often the reason went away for less than ten seconds, which does not end it.';
CREATE INDEX gpu_throttles_of_card ON gpu_throttles (worker_address, gpu_uuid, last_at);
CREATE INDEX gpu_throttles_by_age ON gpu_throttles (last_at);

-- derive_gpu_throttles finds the stretches in the samples that are kept, for samples that came
-- by another way than one after the other. Slowing are the bits that count; samples at most
-- reach apart tell of the time between them.
-- +goose StatementBegin
CREATE FUNCTION derive_gpu_throttles(slowing bigint, reach interval) RETURNS void LANGUAGE sql AS $$
INSERT INTO gpu_throttles (worker_address, worker_id, gpu_uuid, reason, began_after, began_at, last_at, ended_before)
SELECT worker_address, worker_id, gpu_uuid, reason, min(before) FILTER (WHERE first), min(sampled_at), max(sampled_at), max(behind) FILTER (WHERE last)
FROM (SELECT *, count(*) FILTER (WHERE first) OVER (PARTITION BY worker_address, gpu_uuid, worker_id, reason ORDER BY sampled_at) AS stretch
      FROM (SELECT worker_address, worker_id, gpu_uuid, reason, sampled_at, before, behind,
                   before IS NULL OR before_reasons & reason = 0 AS first, behind IS NULL OR behind_reasons & reason = 0 AS last
            FROM (SELECT worker_address, worker_id, gpu_uuid, sampled_at, throttle_reasons,
                         CASE WHEN lag(sampled_at) OVER beside >= sampled_at - reach THEN lag(sampled_at) OVER beside END AS before,
                         CASE WHEN lead(sampled_at) OVER beside <= sampled_at + reach THEN lead(sampled_at) OVER beside END AS behind,
                         lag(throttle_reasons) OVER beside AS before_reasons, lead(throttle_reasons) OVER beside AS behind_reasons
                  FROM gpu_samples s
                  WHERE throttle_reasons IS NOT NULL
                    AND (worker_address, gpu_uuid) IN (SELECT x.worker_address, x.gpu_uuid FROM gpu_samples x WHERE x.throttle_reasons & slowing <> 0)
                  WINDOW beside AS (PARTITION BY worker_address, gpu_uuid, worker_id ORDER BY sampled_at)) samples
            JOIN (SELECT 1::bigint << n AS reason FROM generate_series(0, 61) n) reasons ON slowing & reason <> 0 AND throttle_reasons & reason <> 0) edges) stretches
GROUP BY worker_address, worker_id, gpu_uuid, reason, stretch
ON CONFLICT DO NOTHING
$$;
-- +goose StatementEnd

-- What the samples of before tell: 232 are the bits 0x8, 0x20, 0x40 and 0x80.
SELECT derive_gpu_throttles(232, '5 minutes');

-- +goose Down
DROP FUNCTION derive_gpu_throttles(bigint, interval);
DROP TABLE gpu_throttles;
