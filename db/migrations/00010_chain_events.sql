-- What the chain's contracts said: every event of them as it was emitted, and those that
-- this program can read in tables of their own. Only this program writes these tables. All
-- of it can be read from the chain again.
--
-- A row belongs to a block by the block's hash: when the chain drops the block, the row goes.
-- How far each contract has been read changes in the same transaction as the rows.

-- +goose Up
CREATE TABLE chain_index (
    only_row    boolean PRIMARY KEY DEFAULT true,
    chain_id    text NOT NULL,
    head_number bigint,
    head_hash   text,
    head_time   timestamptz,
    swept_at    timestamptz,
    failure     text,
    reorgs      bigint NOT NULL DEFAULT 0,
    CONSTRAINT chain_index_has_one_row CHECK (only_row),
    CONSTRAINT chain_index_head_is_whole CHECK (num_nulls(head_number, head_hash, head_time) IN (0, 3))
);
COMMENT ON TABLE chain_index IS 'Of which chain the events are, and how reading them goes.';

CREATE TABLE chain_index_contracts (
    contract_address text PRIMARY KEY,
    name             text NOT NULL,
    first_block      bigint NOT NULL,
    start            text NOT NULL,
    block_number     bigint,
    block_hash       text,
    block_time       timestamptz,
    CONSTRAINT chain_index_contracts_contract_address_is_address CHECK (is_address(contract_address)),
    CONSTRAINT chain_index_contracts_start_is_known CHECK (start IN ('configured', 'deployment', 'first_block')),
    CONSTRAINT chain_index_contracts_block_is_whole CHECK (num_nulls(block_number, block_hash, block_time) IN (0, 3))
);
COMMENT ON TABLE chain_index_contracts IS 'The last block of which each contract''s events have been read; NULL before the first.';

CREATE TABLE chain_blocks (
    block_number bigint PRIMARY KEY,
    block_hash   text NOT NULL,
    block_time   timestamptz NOT NULL,
    CONSTRAINT chain_blocks_block_hash_is_felt CHECK (is_felt(block_hash))
);
COMMENT ON TABLE chain_blocks IS 'Blocks up to which events have been read, dense at the end and sparse before, by which a reorganisation is found.';

CREATE TABLE chain_events (
    block_number     bigint NOT NULL,
    block_hash       text NOT NULL,
    block_time       timestamptz NOT NULL,
    tx_hash          text NOT NULL,
    contract_address text NOT NULL,
    event_index      integer NOT NULL, -- among the contract's events of the transaction
    place            integer NOT NULL, -- among the contract's events of the block
    name             text,             -- NULL for an event that this program does not know
    problem          text,             -- why a known event could not be read
    keys             text[] NOT NULL,
    data             text[] NOT NULL,
    PRIMARY KEY (block_number, block_hash, tx_hash, contract_address, event_index),
    CONSTRAINT chain_events_block_hash_is_felt CHECK (is_felt(block_hash)),
    CONSTRAINT chain_events_tx_hash_is_felt CHECK (is_felt(tx_hash)),
    CONSTRAINT chain_events_contract_address_is_address CHECK (is_address(contract_address))
);
COMMENT ON TABLE chain_events IS 'Every event of the indexed contracts, raw.';

CREATE TABLE stake_events (
    block_number     bigint NOT NULL,
    block_hash       text NOT NULL,
    block_time       timestamptz NOT NULL,
    tx_hash          text NOT NULL,
    contract_address text NOT NULL,
    event_index      integer NOT NULL,
    place            integer NOT NULL,
    worker_address   text NOT NULL,
    kind             text NOT NULL,
    amount           numeric(78,0) NOT NULL,
    gpu_tier         integer,       -- staked
    total            numeric(78,0), -- staked
    unlock_at        timestamptz,   -- unstake_requested
    slash_reason     integer,       -- slashed
    job_id           text,          -- slashed: the contract's number in decimal
    PRIMARY KEY (block_number, block_hash, tx_hash, contract_address, event_index),
    CONSTRAINT stake_events_worker_address_is_address CHECK (is_address(worker_address)),
    CONSTRAINT stake_events_kind_is_known
        CHECK (kind IN ('staked', 'unstake_requested', 'unstake_completed', 'slashed', 'rewards_claimed')),
    CONSTRAINT stake_events_amount_is_u256 CHECK (is_u256(amount)),
    CONSTRAINT stake_events_total_is_u256 CHECK (is_u256(total))
);
COMMENT ON TABLE stake_events IS 'ProverStaking: what happened to workers'' stakes.';
CREATE INDEX stake_events_of_worker ON stake_events (worker_address, block_number DESC, place DESC);

CREATE TABLE chain_payments (
    block_number     bigint NOT NULL,
    block_hash       text NOT NULL,
    block_time       timestamptz NOT NULL,
    tx_hash          text NOT NULL,
    contract_address text NOT NULL,
    event_index      integer NOT NULL,
    place            integer NOT NULL,
    worker_address   text NOT NULL,
    kind             text NOT NULL,
    job_id           text NOT NULL, -- the contract's number in decimal
    amount           numeric(78,0) NOT NULL,
    private          boolean NOT NULL,
    paid_at          timestamptz,
    PRIMARY KEY (block_number, block_hash, tx_hash, contract_address, event_index),
    CONSTRAINT chain_payments_worker_address_is_address CHECK (is_address(worker_address)),
    CONSTRAINT chain_payments_kind_is_known CHECK (kind IN ('released', 'paid')),
    CONSTRAINT chain_payments_amount_is_u256 CHECK (is_u256(amount))
);
COMMENT ON TABLE chain_payments IS 'Payments for jobs: released by JobManager, paid net of fees by PaymentRouter.';
CREATE INDEX chain_payments_of_worker ON chain_payments (worker_address, block_number DESC, place DESC);
CREATE INDEX chain_payments_of_job ON chain_payments (job_id);

CREATE TABLE reputation_changes (
    block_number     bigint NOT NULL,
    block_hash       text NOT NULL,
    block_time       timestamptz NOT NULL,
    tx_hash          text NOT NULL,
    contract_address text NOT NULL,
    event_index      integer NOT NULL,
    place            integer NOT NULL,
    worker_id        text NOT NULL,
    old_score        bigint NOT NULL,
    new_score        bigint NOT NULL,
    delta            bigint NOT NULL,
    reason           text NOT NULL,
    job_id           text, -- the contract's number in decimal
    changed_at       timestamptz,
    PRIMARY KEY (block_number, block_hash, tx_hash, contract_address, event_index),
    CONSTRAINT reputation_changes_worker_id_is_felt CHECK (is_felt(worker_id))
);
COMMENT ON TABLE reputation_changes IS 'ReputationManager: changes of workers'' scores, with their reasons.';
CREATE INDEX reputation_changes_of_worker ON reputation_changes (worker_id, block_number DESC, place DESC);

-- A claim that nobody submitted here comes from its event alone, and goes with it.
ALTER TABLE reward_claims ADD COLUMN from_event boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN reward_claims.from_event IS 'Known from the chain''s event only: it goes if the chain drops the block.';
CREATE INDEX reward_claims_by_block ON reward_claims (block_number) WHERE block_number IS NOT NULL;

-- +goose Down
DROP INDEX reward_claims_by_block;
ALTER TABLE reward_claims DROP COLUMN from_event;
DROP TABLE reputation_changes;
DROP TABLE chain_payments;
DROP TABLE stake_events;
DROP TABLE chain_events;
DROP TABLE chain_blocks;
DROP TABLE chain_index_contracts;
DROP TABLE chain_index;
