-- The score of a worker at a time: what a chart of it asks for.

-- +goose Up
CREATE INDEX reputation_changes_by_time ON reputation_changes (worker_id, block_time DESC, block_number DESC, place DESC);

-- +goose Down
DROP INDEX reputation_changes_by_time;
