-- Events are told apart by what the chain says of them: by the index in their transaction's
-- receipt, and not by the order in which a node told them. What was stored before keeps its
-- old numbers until the block is read again, which happens from the contract's first block on.

-- +goose Up
ALTER TABLE chain_events ADD COLUMN by_receipt boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN chain_events.by_receipt IS 'event_index is the event''s index in its transaction''s receipt, and place grows with its position in the block; else both number the contract''s events as they were first told.';
COMMENT ON COLUMN chain_events.event_index IS 'Of the event in its transaction''s receipt, from 0, where by_receipt.';
COMMENT ON COLUMN chain_events.place IS 'The transaction''s index in the block times 4096, plus event_index, where by_receipt.';

ALTER TABLE chain_index_contracts ADD COLUMN settled_block bigint;
COMMENT ON COLUMN chain_index_contracts.settled_block IS 'The last block whose events were read, or read again, when it was old; NULL before the first.';

-- +goose Down
ALTER TABLE chain_index_contracts DROP COLUMN settled_block;
ALTER TABLE chain_events DROP COLUMN by_receipt;
