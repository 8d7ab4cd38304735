-- The jobs and claims that are there get the reasons of 00045, some at a time and a transaction
-- each, so that nobody who writes them waits for long. Finding them takes one pass over the
-- table, which locks nothing. An attempt that was interrupted is begun again: what has its
-- reason already is found no more.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS jobs_kept_apart;
CREATE INDEX CONCURRENTLY jobs_kept_apart ON jobs (worker_address, kept_apart) WHERE kept_apart IS NOT NULL;

DROP INDEX CONCURRENTLY IF EXISTS jobs_ahead;
CREATE INDEX CONCURRENTLY jobs_ahead ON jobs ((GREATEST(created_at, assigned_at, completed_at))) WHERE kept_apart = 'ahead';

-- +goose StatementBegin
DO $$
DECLARE
    at_a_time constant integer := 5000;
    found text[] := ARRAY(SELECT job_id FROM jobs WHERE kept_apart IS NULL
        AND job_fault(status, created_at, assigned_at, completed_at, execution_time_ms, latest_time()) IS NOT NULL);
BEGIN
    FOR n IN 0 .. (cardinality(found) - 1) / at_a_time LOOP
        UPDATE jobs SET kept_apart = NULL WHERE job_id = ANY(found[n * at_a_time + 1 : (n + 1) * at_a_time]) AND kept_apart IS NULL;
        COMMIT;
    END LOOP;
    UPDATE reward_claims SET kept_apart = NULL WHERE kept_apart IS NULL AND claim_time > latest_time();
END $$;
-- +goose StatementEnd

-- +goose Down
DROP INDEX CONCURRENTLY jobs_ahead;
DROP INDEX CONCURRENTLY jobs_kept_apart;
