-- Folding adds a bounded number of the waiting changes at a time, so that it gets on however
-- many wait.

-- +goose Up

-- fold_payments adds up to so many of the changes that wait, or all if that is null, to the
-- jobs' rows, and returns how many it added. The changes of a job may come in several parts
-- and in any order: a row is taken away only when all of its sums are back at zero. One program
-- at a time may do so: whoever calls it holds the lock on folding payments.
-- +goose StatementBegin
CREATE FUNCTION fold_payments(most bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    folded bigint;
BEGIN
    EXECUTE 'WITH gone AS (DELETE FROM payment_changes WHERE ctid = ANY(ARRAY(SELECT ctid FROM payment_changes LIMIT $1)) RETURNING *), added AS (
        INSERT INTO reconciled_jobs AS r ' || payment_sums('SELECT * FROM gone') || '
        ON CONFLICT (worker_address, job_key) DO UPDATE
        SET jobs = r.jobs + excluded.jobs, recorded_wei = r.recorded_wei + excluded.recorded_wei, ended_us = r.ended_us + excluded.ended_us,
            releases = r.releases + excluded.releases, released_wei = r.released_wei + excluded.released_wei,
            payments = r.payments + excluded.payments, paid_wei = r.paid_wei + excluded.paid_wei,
            hidden = r.hidden + excluded.hidden, told_us = r.told_us + excluded.told_us)
        SELECT count(*) FROM gone' INTO folded USING most;
    DELETE FROM reconciled_jobs
    WHERE state = 'none' AND recorded_wei = 0 AND ended_us = 0 AND releases = 0 AND released_wei = 0
      AND payments = 0 AND paid_wei = 0 AND hidden = 0 AND told_us = 0;
    RETURN folded;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fold_payments() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM fold_payments(NULL);
END $$;
-- +goose StatementEnd

-- The oldest of the chain's events of a wallet that wait.
CREATE INDEX payment_changes_of_chain ON payment_changes (worker_address, (told_us / (releases + payments))) WHERE releases + payments <> 0;

-- +goose Down
DROP INDEX payment_changes_of_chain;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fold_payments() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'WITH gone AS (DELETE FROM payment_changes RETURNING *)
        INSERT INTO reconciled_jobs AS r ' || payment_sums('SELECT * FROM gone') || '
        ON CONFLICT (worker_address, job_key) DO UPDATE
        SET jobs = r.jobs + excluded.jobs, recorded_wei = r.recorded_wei + excluded.recorded_wei, ended_us = r.ended_us + excluded.ended_us,
            releases = r.releases + excluded.releases, released_wei = r.released_wei + excluded.released_wei,
            payments = r.payments + excluded.payments, paid_wei = r.paid_wei + excluded.paid_wei,
            hidden = r.hidden + excluded.hidden, told_us = r.told_us + excluded.told_us';
    DELETE FROM reconciled_jobs WHERE state = 'none';
END $$;
-- +goose StatementEnd
DROP FUNCTION fold_payments(bigint);
