-- Jobs by day and by hour, and earnings by kind, kept as job_totals is: each statement that
-- changes rows appends differences, a reader sums them, and upkeep folds them.
--
-- A job's end is COALESCE(completed_at, created_at): what is known of when it was over, and
-- for one that is not over the time of its submission.

-- +goose Up
CREATE TABLE job_days (
    worker_address text NOT NULL, -- '' for jobs without a worker
    day            date NOT NULL, -- UTC day of the end
    job_type       text NOT NULL,
    status         text NOT NULL,
    jobs           bigint NOT NULL,
    execution_ms   numeric NOT NULL, -- sum of execution_time_ms, in any state
    folded         boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE job_days IS 'Differences whose sums count jobs per worker, UTC day of their end, type and state.';
CREATE INDEX job_days_of_worker ON job_days (worker_address, day, job_type, status);
CREATE INDEX job_days_unfolded ON job_days (worker_address, day, job_type, status) WHERE NOT folded;

CREATE TABLE job_hours (
    worker_address text NOT NULL,
    hour           timestamptz NOT NULL, -- its start
    submitted      bigint NOT NULL,      -- jobs by created_at
    paid           bigint NOT NULL,      -- completed jobs with a known payment, by their end
    amount_wei     numeric NOT NULL,     -- their payments
    folded         boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE job_hours IS 'Differences whose sums are what a worker was given and paid per hour.';
CREATE INDEX job_hours_of_worker ON job_hours (worker_address, hour) INCLUDE (submitted, paid, amount_wei);
CREATE INDEX job_hours_unfolded ON job_hours (worker_address, hour) WHERE NOT folded;

CREATE TABLE network_hours (
    hour         timestamptz NOT NULL,
    submitted    bigint NOT NULL,  -- jobs by created_at
    completed    bigint NOT NULL,  -- jobs by their end
    failed       bigint NOT NULL,  -- failed or timed out, by their end
    execution_ms numeric NOT NULL, -- of completed jobs
    folded       boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE network_hours IS 'Differences whose sums count the jobs of all workers per hour.';
CREATE INDEX network_hours_by_hour ON network_hours (hour) INCLUDE (submitted, completed, failed, execution_ms);
CREATE INDEX network_hours_unfolded ON network_hours (hour) WHERE NOT folded;

ALTER TABLE earning_days ADD COLUMN kind text NOT NULL DEFAULT 'job'
    CONSTRAINT earning_days_kind_is_known CHECK (kind IN ('job', 'staking', 'mining', 'bonus', 'payout'));
COMMENT ON COLUMN earning_days.kind IS 'job: payments of completed jobs. Else confirmed claims; payout is a claim that pays out what jobs had earned, so it is no earning.';
DROP INDEX earning_days_of_worker;
DROP INDEX earning_days_unfolded;
CREATE INDEX earning_days_of_worker ON earning_days (worker_address, kind, day) INCLUDE (jobs, amount_wei);
CREATE INDEX earning_days_unfolded ON earning_days (worker_address, kind, day) WHERE NOT folded;

-- Folding leaves many dead rows in small tables that are read all the time.
ALTER TABLE job_totals SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
ALTER TABLE job_days SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
ALTER TABLE job_hours SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
ALTER TABLE network_hours SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);
ALTER TABLE earning_days SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);

-- job_rollup_statements returns the statements that add what a set of jobs changes. The
-- set is a query that yields the columns of jobs and sign, 1 for a row that came or -1 for
-- a row that went.
-- +goose StatementBegin
CREATE FUNCTION job_rollup_statements(changed text) RETURNS text LANGUAGE sql IMMUTABLE AS $body$
SELECT format($$
    INSERT INTO job_days (worker_address, day, job_type, status, jobs, execution_ms)
    SELECT COALESCE(worker_address, ''), (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, job_type, status,
           sum(sign), COALESCE(sum(sign * execution_time_ms), 0)
    FROM (%1$s) changed
    GROUP BY 1, 2, 3, 4
    HAVING sum(sign) <> 0 OR sum(sign * execution_time_ms) <> 0;

    INSERT INTO job_hours (worker_address, hour, submitted, paid, amount_wei)
    SELECT worker_address, hour, sum(submitted), sum(paid), COALESCE(sum(amount), 0)
    FROM (SELECT worker_address, date_trunc('hour', created_at, 'UTC') AS hour, sign AS submitted, 0 AS paid, 0::numeric AS amount
          FROM (%1$s) came
          WHERE worker_address IS NOT NULL
          UNION ALL
          SELECT worker_address, date_trunc('hour', COALESCE(completed_at, created_at), 'UTC'), 0, sign, sign * payment_amount
          FROM (%1$s) ended
          WHERE worker_address IS NOT NULL AND status = 'completed' AND payment_amount IS NOT NULL) changed
    GROUP BY 1, 2
    HAVING sum(submitted) <> 0 OR sum(paid) <> 0 OR sum(amount) <> 0;

    INSERT INTO network_hours (hour, submitted, completed, failed, execution_ms)
    SELECT hour, sum(submitted), sum(completed), sum(failed), COALESCE(sum(execution), 0)
    FROM (SELECT date_trunc('hour', created_at, 'UTC') AS hour, sign AS submitted, 0 AS completed, 0 AS failed, 0::bigint AS execution
          FROM (%1$s) came
          UNION ALL
          SELECT date_trunc('hour', COALESCE(completed_at, created_at), 'UTC'), 0,
                 CASE WHEN status = 'completed' THEN sign ELSE 0 END, CASE WHEN status <> 'completed' THEN sign ELSE 0 END,
                 CASE WHEN status = 'completed' THEN sign * execution_time_ms END
          FROM (%1$s) ended
          WHERE status IN ('completed', 'failed', 'timeout')) changed
    GROUP BY 1
    HAVING sum(submitted) <> 0 OR sum(completed) <> 0 OR sum(failed) <> 0 OR sum(execution) <> 0;
$$, changed)
$body$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION claim_rollup_statements(changed text) RETURNS text LANGUAGE sql IMMUTABLE AS $body$
SELECT format($$
    INSERT INTO earning_days (worker_address, day, kind, jobs, amount_wei)
    SELECT address, (claim_time AT TIME ZONE 'UTC')::date, CASE claim_type WHEN 'job' THEN 'payout' ELSE claim_type END,
           sum(sign), sum(sign * amount)
    FROM (%s) changed
    WHERE status = 'confirmed'
    GROUP BY 1, 2, 3
    HAVING sum(sign) <> 0 OR sum(sign * amount) <> 0;
$$, changed)
$body$;
-- +goose StatementEnd

-- The triggers' functions hold the statements as they are, so that each connection plans
-- them once. They run as their owner, with a search path of their own: a program that may
-- write jobs needs no right on what is kept of them.
-- +goose StatementBegin
DO $$
DECLARE
    kept record;
    act  record;
BEGIN
    FOR kept IN SELECT * FROM (VALUES ('jobs', 'job_rollup_statements'), ('reward_claims', 'claim_rollup_statements')) k (tab, make) LOOP
        FOR act IN SELECT * FROM (VALUES
            ('INSERT', 'REFERENCING NEW TABLE AS new_rows', 'SELECT 1 AS sign, n.* FROM new_rows n'),
            ('UPDATE', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows',
             'SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n'),
            ('DELETE', 'REFERENCING OLD TABLE AS old_rows', 'SELECT -1 AS sign, o.* FROM old_rows o')) a (event, tables, changed)
        LOOP
            EXECUTE format('CREATE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = %I, pg_temp AS %L',
                'roll_up_' || lower(act.event) || '_of_' || kept.tab, current_schema(),
                'BEGIN ' || CASE kept.make WHEN 'job_rollup_statements' THEN job_rollup_statements(act.changed) ELSE claim_rollup_statements(act.changed) END
                || ' RETURN NULL; END');
            EXECUTE format('CREATE TRIGGER %1$I AFTER %2$s ON %3$I %4$s FOR EACH STATEMENT EXECUTE FUNCTION %1$I()',
                'roll_up_' || lower(act.event) || '_of_' || kept.tab, act.event, kept.tab, act.tables);
        END LOOP;
    END LOOP;
END $$;
-- +goose StatementEnd

-- An emptied table leaves nothing of itself. Earnings of the other kinds stay.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION count_changed_jobs() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    changed text := CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT 1 AS sign, * FROM new_rows'
        WHEN 'DELETE' THEN 'SELECT -1 AS sign, * FROM old_rows'
        ELSE 'SELECT -1 AS sign, * FROM old_rows UNION ALL SELECT 1, * FROM new_rows' END;
    statement text;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        PERFORM pg_advisory_xact_lock(hashtext('fold totals')); -- a fold would bring rows back
        TRUNCATE job_totals, job_days, job_hours, network_hours;
        DELETE FROM earning_days WHERE kind = 'job';
        RETURN NULL;
    END IF;
    FOREACH statement IN ARRAY add_job_totals(TG_TABLE_SCHEMA, changed) LOOP
        EXECUTE statement;
    END LOOP;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION forget_claims() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('fold totals'));
    DELETE FROM earning_days WHERE kind <> 'job';
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER forget_claims AFTER TRUNCATE ON reward_claims FOR EACH STATEMENT EXECUTE FUNCTION forget_claims();

-- What is there already.
-- +goose StatementBegin
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION count_changed_jobs() SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION forget_claims() SET search_path = %I, pg_temp', current_schema());
    LOCK TABLE jobs, reward_claims IN SHARE ROW EXCLUSIVE MODE;
    EXECUTE job_rollup_statements('SELECT 1 AS sign, j.* FROM jobs j');
    EXECUTE claim_rollup_statements('SELECT 1 AS sign, c.* FROM reward_claims c');
END $$;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER forget_claims ON reward_claims;
DROP TRIGGER roll_up_insert_of_reward_claims ON reward_claims;
DROP TRIGGER roll_up_update_of_reward_claims ON reward_claims;
DROP TRIGGER roll_up_delete_of_reward_claims ON reward_claims;
DROP TRIGGER roll_up_insert_of_jobs ON jobs;
DROP TRIGGER roll_up_update_of_jobs ON jobs;
DROP TRIGGER roll_up_delete_of_jobs ON jobs;
DROP FUNCTION forget_claims();
DROP FUNCTION roll_up_insert_of_reward_claims();
DROP FUNCTION roll_up_update_of_reward_claims();
DROP FUNCTION roll_up_delete_of_reward_claims();
DROP FUNCTION roll_up_insert_of_jobs();
DROP FUNCTION roll_up_update_of_jobs();
DROP FUNCTION roll_up_delete_of_jobs();
DROP FUNCTION claim_rollup_statements(text);
DROP FUNCTION job_rollup_statements(text);
-- +goose StatementBegin
DO $$ BEGIN
    -- The function of before empties the two tables of before only.
    EXECUTE replace(replace(pg_get_functiondef('count_changed_jobs()'::regprocedure),
        'PERFORM pg_advisory_xact_lock(hashtext(''fold totals'')); -- a fold would bring rows back
        TRUNCATE job_totals, job_days, job_hours, network_hours;', 'TRUNCATE job_totals, earning_days;'),
        'DELETE FROM earning_days WHERE kind = ''job'';', '');
END $$;
-- +goose StatementEnd
DELETE FROM earning_days WHERE kind <> 'job';
DROP INDEX earning_days_of_worker;
DROP INDEX earning_days_unfolded;
ALTER TABLE earning_days DROP COLUMN kind;
CREATE INDEX earning_days_of_worker ON earning_days (worker_address, day) INCLUDE (jobs, amount_wei);
CREATE INDEX earning_days_unfolded ON earning_days (worker_address, day) WHERE NOT folded;
DROP TABLE network_hours;
DROP TABLE job_hours;
DROP TABLE job_days;
