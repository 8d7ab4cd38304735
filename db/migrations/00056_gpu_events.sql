-- What happened to GPUs, and in which times anybody would have seen it. Only this program
-- writes these tables.

-- +goose Up
CREATE TABLE gpu_events (
    worker_address text NOT NULL,
    worker_id      text NOT NULL,
    gpu_uuid       text NOT NULL,
    kind           text NOT NULL,
    code           bigint NOT NULL DEFAULT 0,
    severity       text NOT NULL,
    detail         text NOT NULL DEFAULT '',
    source         text NOT NULL,
    occurred_at    timestamptz NOT NULL,
    last_at        timestamptz NOT NULL,
    count          bigint NOT NULL DEFAULT 1,
    boot_id        text NOT NULL DEFAULT '',
    watcher        text NOT NULL,
    sequence       bigint NOT NULL,
    stored_at      timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (worker_address, gpu_uuid, watcher, sequence),
    CONSTRAINT gpu_events_worker_address_is_address CHECK (is_address(worker_address)),
    CONSTRAINT gpu_events_kind_is_a_word CHECK (kind ~ '^[a-z_]{1,40}$'),
    CONSTRAINT gpu_events_severity_is_known CHECK (severity IN ('good', 'neutral', 'warning', 'critical')),
    CONSTRAINT gpu_events_count_is_1_or_more CHECK (count >= 1),
    CONSTRAINT gpu_events_ends_after_it_begins CHECK (last_at >= occurred_at),
    CONSTRAINT gpu_events_occurred_at_is_plausible CHECK (is_plausible_time(occurred_at))
);
COMMENT ON TABLE gpu_events IS 'Events of GPUs: errors that the driver reported, cards that were lost and found. One row an incident.';
COMMENT ON COLUMN gpu_events.worker_address IS 'The wallet that the GPU worked for.';
COMMENT ON COLUMN gpu_events.worker_id IS 'The host that the GPU was in, by its own name.';
COMMENT ON COLUMN gpu_events.gpu_uuid IS 'The GPU, by the UUID that NVML gives.';
COMMENT ON COLUMN gpu_events.kind IS 'xid: the driver reported an error; lost: the GPU could no longer be read; found: it could be again.';
COMMENT ON COLUMN gpu_events.code IS 'Of an xid its number in NVIDIA''s catalogue; 0 for kinds without.';
COMMENT ON COLUMN gpu_events.severity IS 'good, neutral, warning or critical, as the program judged when it stored the event.';
COMMENT ON COLUMN gpu_events.detail IS 'In words, where the kind has any: of a loss, why.';
COMMENT ON COLUMN gpu_events.source IS 'nvml_event_set: NVML''s events; nvml_reading: two readings that differ; counters: a counter that grew.';
COMMENT ON COLUMN gpu_events.occurred_at IS 'When it was seen first, by the clock of the host that saw it. NVML''s events bear no time.';
COMMENT ON COLUMN gpu_events.last_at IS 'When it was seen last: an error that comes again within a minute is the same incident.';
COMMENT ON COLUMN gpu_events.count IS 'How often it was seen from occurred_at to last_at.';
COMMENT ON COLUMN gpu_events.boot_id IS 'The boot of the host''s kernel; empty where the system has none.';
COMMENT ON COLUMN gpu_events.watcher IS 'The run of the program that saw it: with sequence it names the event, so that it is stored once.';
COMMENT ON COLUMN gpu_events.sequence IS 'The event''s number in that run, from 1.';
COMMENT ON COLUMN gpu_events.stored_at IS 'When the row was written, by the database''s clock.';
CREATE INDEX gpu_events_of_card ON gpu_events (worker_address, gpu_uuid, last_at DESC);
CREATE INDEX gpu_events_by_age ON gpu_events (last_at);

CREATE TABLE gpu_watches (
    worker_address text NOT NULL,
    worker_id      text NOT NULL,
    gpu_uuid       text NOT NULL,
    watcher        text NOT NULL,
    watched_from   timestamptz NOT NULL,
    watched_to     timestamptz NOT NULL,
    PRIMARY KEY (worker_address, gpu_uuid, watcher, watched_from),
    CONSTRAINT gpu_watches_worker_address_is_address CHECK (is_address(worker_address)),
    CONSTRAINT gpu_watches_ends_after_it_begins CHECK (watched_to >= watched_from),
    CONSTRAINT gpu_watches_watched_from_is_plausible CHECK (is_plausible_time(watched_from))
) WITH (fillfactor = 80);
COMMENT ON TABLE gpu_watches IS 'In which times the errors that the driver reports for a GPU were waited for without a break. Outside of them no event does not mean no error.';
COMMENT ON COLUMN gpu_watches.worker_address IS 'The wallet that the GPU worked for.';
COMMENT ON COLUMN gpu_watches.worker_id IS 'The host that the GPU was in, by its own name.';
COMMENT ON COLUMN gpu_watches.gpu_uuid IS 'The GPU, by the UUID that NVML gives.';
COMMENT ON COLUMN gpu_watches.watcher IS 'The run of the program that waited, as in gpu_events.';
COMMENT ON COLUMN gpu_watches.watched_from IS 'When the driver took the wish for this GPU''s events, or waiting for them worked again.';
COMMENT ON COLUMN gpu_watches.watched_to IS 'Up to when the wait is known to have gone on: it grows while it does.';

-- +goose Down
DROP TABLE gpu_watches;
DROP TABLE gpu_events;
