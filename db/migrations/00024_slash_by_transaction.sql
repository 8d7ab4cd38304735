-- A slash has a page of its own, which its transaction names.

-- +goose Up
CREATE INDEX stake_events_of_transaction ON stake_events (worker_address, tx_hash) WHERE kind = 'slashed';

-- +goose Down
DROP INDEX stake_events_of_transaction;
