-- What each worker's own tokens have sent per UTC day of the database's clock, which all replicas
-- count in.

-- +goose Up
CREATE TABLE ingest_days (
    worker_address text NOT NULL,
    day            date NOT NULL,
    rows           bigint NOT NULL,
    bytes          bigint NOT NULL,
    PRIMARY KEY (worker_address, day)
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
COMMENT ON TABLE ingest_days IS 'What workers sent through the API with tokens of their own, which have a quota.';
COMMENT ON COLUMN ingest_days.rows IS 'Jobs, heartbeats and samples of cards, whether they were new or not.';
COMMENT ON COLUMN ingest_days.bytes IS 'Of the bodies of their requests.';

-- +goose Down
DROP TABLE ingest_days;
