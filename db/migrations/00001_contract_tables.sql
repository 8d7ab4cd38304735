-- The tables that programs outside this one write and read. Their columns are a
-- contract: columns may be added, none may be renamed or dropped.

-- +goose Up

-- Felts and addresses have one normal form: 0x and 64 lower-case hex digits. The bounds
-- are Starknet's field prime 2^251 + 17·2^192 + 1 and, for addresses, 2^251 - 256. In
-- the normal form the order of the texts (by bytes) is the order of the numbers.

-- +goose StatementBegin
CREATE FUNCTION is_felt(v text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT v ~ '^0x[0-9a-f]{64}$'
      AND v COLLATE "C" < '0x0800000000000011000000000000000000000000000000000000000000000001' $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION is_address(v text) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT v ~ '^0x[0-9a-f]{64}$'
      AND v COLLATE "C" > '0x0000000000000000000000000000000000000000000000000000000000000000'
      AND v COLLATE "C" < '0x07ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff00' $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION is_u256(v numeric) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT v >= 0 AND v < 115792089237316195423570985008687907853269984665640564039457584007913129639936 $$;
-- +goose StatementEnd

-- A time that can be true of this network. Zero times, which many programs write for
-- "not known", and infinity are refused: what is not known is NULL.
-- +goose StatementBegin
CREATE FUNCTION is_plausible_time(v timestamptz) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT v >= timestamptz '2000-01-01 00:00:00+00' AND v < timestamptz '2200-01-01 00:00:00+00' $$;
-- +goose StatementEnd

-- normalise_felts rewrites the columns that its arguments name to the normal form, and
-- refuses a text that is no felt with a message for the program that wrote it. Columns
-- whose names end in "address" must hold addresses. It runs only for rows that are not
-- in the normal form already.
-- +goose StatementBegin
CREATE FUNCTION normalise_felts() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    given   jsonb := to_jsonb(NEW);
    changed jsonb := '{}';
    col     text;
    normal  text;
    kind    text;
    valid   boolean;
BEGIN
    FOREACH col IN ARRAY TG_ARGV LOOP
        CONTINUE WHEN given ->> col IS NULL;
        normal := lower(btrim(given ->> col, E' \t\r\n'));
        IF normal ~ '^0x[0-9a-f]{1,64}$' THEN
            normal := '0x' || lpad(substr(normal, 3), 64, '0');
        END IF;
        kind := CASE WHEN col LIKE '%address' THEN 'Starknet address' ELSE 'felt' END;
        valid := CASE kind WHEN 'felt' THEN is_felt(normal) ELSE is_address(normal) END;
        IF NOT valid THEN
            RAISE check_violation USING
                MESSAGE = format('%s.%s: %L is no %s', TG_TABLE_NAME, col, left(given ->> col, 80), kind),
                HINT = 'Write 0x and 1 to 64 hex digits, below the bound that Starknet sets'
                    || CASE kind WHEN 'felt' THEN '.' ELSE ', and not zero. Write NULL for an address that is not known.' END,
                SCHEMA = TG_TABLE_SCHEMA, TABLE = TG_TABLE_NAME, COLUMN = col,
                CONSTRAINT = TG_TABLE_NAME || '_' || col || CASE kind WHEN 'felt' THEN '_is_felt' ELSE '_is_address' END;
        END IF;
        changed := changed || jsonb_build_object(col, normal);
    END LOOP;
    RETURN jsonb_populate_record(NEW, changed);
END $$;
-- +goose StatementEnd

-- It must find the functions above whatever search path the writing program has.
-- +goose StatementBegin
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION normalise_felts() SET search_path = %I, pg_temp', current_schema());
END $$;
-- +goose StatementEnd

CREATE TABLE jobs (
    job_id            text PRIMARY KEY,
    client_address    text,
    worker_address    text,
    job_type          text NOT NULL DEFAULT '',
    status            text NOT NULL DEFAULT 'pending',
    payment_amount    numeric(78,0),
    created_at        timestamptz NOT NULL DEFAULT now(),
    assigned_at       timestamptz,
    completed_at      timestamptz,
    execution_time_ms bigint,
    result_hash       text,
    error_message     text,
    gpu_uuid          text,
    tx_hash           text,
    block_number      bigint,
    CONSTRAINT jobs_job_id_has_1_to_256_characters CHECK (length(job_id) BETWEEN 1 AND 256),
    CONSTRAINT jobs_client_address_is_address CHECK (is_address(client_address)),
    CONSTRAINT jobs_worker_address_is_address CHECK (is_address(worker_address)),
    CONSTRAINT jobs_status_is_known
        CHECK (status IN ('pending', 'assigned', 'running', 'completed', 'failed', 'cancelled', 'timeout')),
    CONSTRAINT jobs_payment_amount_is_u256 CHECK (is_u256(payment_amount)),
    CONSTRAINT jobs_created_at_is_plausible CHECK (is_plausible_time(created_at)),
    CONSTRAINT jobs_assigned_at_is_plausible CHECK (is_plausible_time(assigned_at)),
    CONSTRAINT jobs_completed_at_is_plausible CHECK (is_plausible_time(completed_at)),
    -- 292 years: what a Go time.Duration can hold.
    CONSTRAINT jobs_execution_time_ms_is_0_or_more CHECK (execution_time_ms BETWEEN 0 AND 9223372036854),
    CONSTRAINT jobs_tx_hash_is_felt CHECK (is_felt(tx_hash)),
    CONSTRAINT jobs_block_number_is_0_or_more CHECK (block_number >= 0)
);
COMMENT ON TABLE jobs IS 'Jobs of the network, written by the coordinator. A column is NULL while it is not known.';
COMMENT ON COLUMN jobs.payment_amount IS 'In wei (10^-18 SAGE), exact. NULL while not known: never 0 for that.';
COMMENT ON COLUMN jobs.worker_address IS 'Any form of an address is accepted and stored as 0x and 64 lower-case hex digits.';

CREATE TRIGGER jobs_normalise_felts BEFORE INSERT OR UPDATE ON jobs FOR EACH ROW
    WHEN (NOT is_address(NEW.client_address) OR NOT is_address(NEW.worker_address) OR NOT is_felt(NEW.tx_hash))
    EXECUTE FUNCTION normalise_felts('client_address', 'worker_address', 'tx_hash');

CREATE INDEX jobs_of_worker ON jobs (worker_address, created_at DESC, job_id DESC);
CREATE INDEX jobs_of_worker_by_status ON jobs (worker_address, status, created_at DESC, job_id DESC);
-- An earning belongs to the time at which its job was completed. The columns after
-- INCLUDE let sums be read from the index alone.
CREATE INDEX jobs_earned ON jobs (worker_address, COALESCE(completed_at, created_at) DESC, job_id DESC)
    INCLUDE (payment_amount, completed_at, created_at)
    WHERE status = 'completed' AND payment_amount IS NOT NULL;
CREATE INDEX jobs_completed ON jobs (COALESCE(completed_at, created_at)) INCLUDE (completed_at, created_at)
    WHERE status = 'completed';

CREATE TABLE heartbeats (
    worker_address         text NOT NULL,
    worker_id              text NOT NULL DEFAULT '',
    heartbeat_time         timestamptz NOT NULL DEFAULT now(),
    gpu_count              integer,
    gpu_utilization_avg    double precision,
    memory_utilization_avg double precision,
    jobs_in_progress       integer,
    latency_ms             integer,
    version                text,
    -- In this order the key also serves reading one worker's newest and reading by time.
    PRIMARY KEY (worker_address, heartbeat_time, worker_id),
    CONSTRAINT heartbeats_worker_address_is_address CHECK (is_address(worker_address)),
    CONSTRAINT heartbeats_worker_id_has_at_most_256_characters CHECK (length(worker_id) <= 256),
    CONSTRAINT heartbeats_heartbeat_time_is_plausible CHECK (is_plausible_time(heartbeat_time)),
    CONSTRAINT heartbeats_gpu_count_is_0_or_more CHECK (gpu_count >= 0),
    CONSTRAINT heartbeats_gpu_utilization_avg_is_0_to_100 CHECK (gpu_utilization_avg BETWEEN 0 AND 100),
    CONSTRAINT heartbeats_memory_utilization_avg_is_0_to_100 CHECK (memory_utilization_avg BETWEEN 0 AND 100),
    CONSTRAINT heartbeats_jobs_in_progress_is_0_or_more CHECK (jobs_in_progress >= 0),
    CONSTRAINT heartbeats_latency_ms_is_0_or_more CHECK (latency_ms >= 0)
);
COMMENT ON TABLE heartbeats IS 'Signs of life of workers'' hosts. One row per host and moment; a repeated one is the same heartbeat.';
COMMENT ON COLUMN heartbeats.gpu_utilization_avg IS 'Percent, 0 to 100, average over the host''s GPUs.';

CREATE TRIGGER heartbeats_normalise_felts BEFORE INSERT OR UPDATE ON heartbeats FOR EACH ROW
    WHEN (NOT is_address(NEW.worker_address))
    EXECUTE FUNCTION normalise_felts('worker_address');

CREATE INDEX heartbeats_by_time ON heartbeats (heartbeat_time);

CREATE TABLE reward_claims (
    address      text NOT NULL,
    amount       numeric(78,0),
    claim_type   text NOT NULL,
    claim_time   timestamptz NOT NULL DEFAULT now(),
    tx_hash      text,
    block_number bigint,
    status       text NOT NULL DEFAULT 'submitted',
    failure      text,
    UNIQUE (address, tx_hash),
    CONSTRAINT reward_claims_address_is_address CHECK (is_address(address)),
    CONSTRAINT reward_claims_amount_is_u256 CHECK (is_u256(amount)),
    CONSTRAINT reward_claims_claim_type_is_known CHECK (claim_type IN ('job', 'staking', 'mining', 'bonus')),
    CONSTRAINT reward_claims_claim_time_is_plausible CHECK (is_plausible_time(claim_time)),
    CONSTRAINT reward_claims_tx_hash_is_felt CHECK (is_felt(tx_hash)),
    CONSTRAINT reward_claims_block_number_is_0_or_more CHECK (block_number >= 0),
    CONSTRAINT reward_claims_status_is_known CHECK (status IN ('submitted', 'confirmed', 'failed')),
    CONSTRAINT reward_claims_submitted_has_a_tx_hash_and_no_amount_yet
        CHECK (status <> 'submitted' OR (amount IS NULL AND tx_hash IS NOT NULL)),
    CONSTRAINT reward_claims_confirmed_has_an_amount CHECK (status <> 'confirmed' OR amount IS NOT NULL)
);
COMMENT ON TABLE reward_claims IS 'Claims of rewards by wallets.';
COMMENT ON COLUMN reward_claims.amount IS 'In wei (10^-18 SAGE), as the chain told it. NULL until then.';

CREATE TRIGGER reward_claims_normalise_felts BEFORE INSERT OR UPDATE ON reward_claims FOR EACH ROW
    WHEN (NOT is_address(NEW.address) OR NOT is_felt(NEW.tx_hash))
    EXECUTE FUNCTION normalise_felts('address', 'tx_hash');

CREATE INDEX reward_claims_of_address ON reward_claims (address, claim_time DESC, tx_hash DESC);
CREATE INDEX reward_claims_earned ON reward_claims (address, claim_time DESC, tx_hash DESC)
    WHERE status = 'confirmed' AND claim_type <> 'job';
CREATE INDEX reward_claims_open ON reward_claims (claim_time) WHERE status = 'submitted';

-- +goose Down
DROP TABLE reward_claims;
DROP TABLE heartbeats;
DROP TABLE jobs;
DROP FUNCTION normalise_felts();
DROP FUNCTION is_plausible_time(timestamptz);
DROP FUNCTION is_u256(numeric);
DROP FUNCTION is_address(text);
DROP FUNCTION is_felt(text);
