-- +goose Up
CREATE TABLE write_probes (
    replica    text PRIMARY KEY,
    written_at timestamptz NOT NULL
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 200, autovacuum_vacuum_scale_factor = 0);
COMMENT ON TABLE write_probes IS 'A row of every running program, written every few seconds: it shows whether the database takes writes.';
COMMENT ON COLUMN write_probes.replica IS 'Made anew by each start of a program.';

-- Its rows have a fixed width, so that it has no second table for long values.
CREATE TABLE space_probe (
    n bigint NOT NULL
) WITH (autovacuum_enabled = false);
COMMENT ON TABLE space_probe IS 'Filled into a new file now and then: it shows whether the database''s disk has room.';

-- +goose Down
DROP TABLE space_probe;
DROP TABLE write_probes;
