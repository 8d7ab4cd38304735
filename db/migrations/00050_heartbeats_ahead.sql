-- Heartbeats of times to come are kept apart: they are no sign of life now, and when their time
-- has come they would be none either. They tell that a host's clock is ahead.

-- +goose Up
CREATE TABLE heartbeats_ahead (
    worker_address text NOT NULL,
    worker_id      text NOT NULL,
    heartbeat_time timestamptz NOT NULL,
    received_at    timestamptz NOT NULL,
    PRIMARY KEY (worker_address, worker_id)
);
COMMENT ON TABLE heartbeats_ahead IS 'The newest heartbeat of each host whose time was more than 5 minutes ahead of the database''s clock when it was written. None of them is in heartbeats.';
COMMENT ON COLUMN heartbeats_ahead.received_at IS 'By the database''s clock.';

-- +goose StatementBegin
CREATE FUNCTION keep_heartbeat_apart() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO heartbeats_ahead (worker_address, worker_id, heartbeat_time, received_at)
    VALUES (NEW.worker_address, NEW.worker_id, NEW.heartbeat_time, statement_timestamp())
    ON CONFLICT (worker_address, worker_id) DO UPDATE SET heartbeat_time = excluded.heartbeat_time, received_at = excluded.received_at;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION keep_heartbeat_apart() SET search_path = %I, pg_temp', current_schema());
END $$;
-- +goose StatementEnd

-- Triggers of a kind run by their names: this one after heartbeats_normalise_felts, so that it
-- sees addresses in their normal form.
CREATE TRIGGER heartbeats_of_times_to_come BEFORE INSERT OR UPDATE ON heartbeats FOR EACH ROW
    WHEN (NEW.heartbeat_time > latest_time())
    EXECUTE FUNCTION keep_heartbeat_apart();

INSERT INTO heartbeats_ahead (worker_address, worker_id, heartbeat_time, received_at)
SELECT worker_address, worker_id, max(heartbeat_time), statement_timestamp() FROM heartbeats WHERE heartbeat_time > latest_time() GROUP BY 1, 2;
DELETE FROM heartbeats WHERE heartbeat_time > latest_time();

-- +goose Down
DROP TRIGGER heartbeats_of_times_to_come ON heartbeats;
DROP FUNCTION keep_heartbeat_apart();
DROP TABLE heartbeats_ahead;
