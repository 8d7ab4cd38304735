-- Jobs that a worker reports of itself. A job's identifier is the network's: who reports one
-- first has no claim to it. So such reports stand in a table of their own, by worker and
-- identifier, where nobody meets another's. jobs stays what the coordinator writes.
--
-- A report is superseded while jobs has that worker's job under that number: then the
-- coordinator's row is what is shown and counted. Writers of jobs must not wait for workers, so
-- their trigger leaves out the reports that somebody is writing, and leaves a note in
-- report_checks, which the program follows a few seconds later. A report is paid once the chain's
-- events say the same payment (reconciled_jobs); then its job counts for the network, at the
-- time of the chain. The worker's own times never do.

-- +goose Up
CREATE TABLE reported_jobs (
    job_id            text NOT NULL,
    client_address    text,
    worker_address    text NOT NULL,
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
    updated_at        timestamptz,
    kept_apart        text,
    job_key           text NOT NULL GENERATED ALWAYS AS (COALESCE(job_number(job_id), job_id)) STORED,
    superseded        boolean NOT NULL DEFAULT false,
    paid_at           timestamptz,
    changed_at        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (worker_address, job_id),
    CONSTRAINT jobs_job_id_has_1_to_256_characters CHECK (length(job_id) BETWEEN 1 AND 256),
    CONSTRAINT jobs_client_address_is_address CHECK (is_address(client_address)),
    CONSTRAINT jobs_worker_address_is_address CHECK (is_address(worker_address)),
    CONSTRAINT jobs_status_is_known
        CHECK (status IN ('pending', 'assigned', 'running', 'completed', 'failed', 'cancelled', 'timeout')),
    CONSTRAINT jobs_payment_amount_is_u256 CHECK (is_u256(payment_amount)),
    CONSTRAINT jobs_created_at_is_plausible CHECK (is_plausible_time(created_at)),
    CONSTRAINT jobs_assigned_at_is_plausible CHECK (is_plausible_time(assigned_at)),
    CONSTRAINT jobs_completed_at_is_plausible CHECK (is_plausible_time(completed_at)),
    CONSTRAINT jobs_updated_at_is_plausible CHECK (is_plausible_time(updated_at)),
    CONSTRAINT jobs_execution_time_ms_is_0_or_more CHECK (execution_time_ms BETWEEN 0 AND 9223372036854),
    CONSTRAINT jobs_tx_hash_is_felt CHECK (is_felt(tx_hash)),
    CONSTRAINT jobs_block_number_is_0_or_more CHECK (block_number >= 0)
);
COMMENT ON TABLE reported_jobs IS 'Jobs as their workers report them. The columns of jobs mean what they mean there.';
COMMENT ON COLUMN reported_jobs.job_key IS 'job_number of the identifier; the identifier itself if it is no number.';
COMMENT ON COLUMN reported_jobs.superseded IS 'jobs has the job of that worker, and is what counts.';
COMMENT ON COLUMN reported_jobs.paid_at IS 'When the chain paid what is reported, by its events. NULL: they do not say so.';
COMMENT ON COLUMN reported_jobs.changed_at IS 'When the worker last reported something new of it.';

CREATE INDEX reported_jobs_by_key ON reported_jobs (worker_address, job_key);
CREATE INDEX reported_jobs_by_change ON reported_jobs (changed_at) WHERE NOT superseded;
CREATE INDEX reported_jobs_paid ON reported_jobs (paid_at) WHERE paid_at IS NOT NULL AND NOT superseded;
CREATE INDEX reported_jobs_ahead ON reported_jobs ((GREATEST(created_at, assigned_at, completed_at))) WHERE kept_apart = 'ahead';
-- Those of jobs, which the same questions are asked of.
CREATE INDEX reported_jobs_of_worker ON reported_jobs (worker_address, created_at DESC, job_id DESC) WHERE NOT superseded;
CREATE INDEX reported_jobs_of_worker_by_status ON reported_jobs (worker_address, status, created_at DESC, job_id DESC) WHERE NOT superseded;
CREATE INDEX reported_jobs_of_worker_by_type ON reported_jobs (worker_address, job_type, created_at DESC, job_id DESC) WHERE NOT superseded;
CREATE INDEX reported_jobs_of_worker_by_gpu ON reported_jobs (worker_address, gpu_uuid, created_at DESC, job_id DESC) WHERE gpu_uuid IS NOT NULL AND NOT superseded;
CREATE INDEX reported_jobs_of_worker_by_client ON reported_jobs (worker_address, client_address, created_at DESC, job_id DESC) WHERE client_address IS NOT NULL AND NOT superseded;
CREATE INDEX reported_jobs_of_worker_by_id ON reported_jobs (worker_address, job_id text_pattern_ops) WHERE NOT superseded;
CREATE INDEX reported_jobs_with_error_of_worker ON reported_jobs (worker_address, created_at DESC, job_id DESC)
    WHERE status IN ('failed', 'timeout') AND error_message IS NOT NULL AND NOT superseded;
CREATE INDEX reported_jobs_earned ON reported_jobs (worker_address, COALESCE(completed_at, created_at) DESC, job_id DESC)
    WHERE status = 'completed' AND payment_amount IS NOT NULL AND NOT superseded;
CREATE INDEX reported_jobs_of_kind_by_payment ON reported_jobs (worker_address, status, job_type, payment_amount, job_id) WHERE NOT superseded;
CREATE INDEX reported_jobs_of_kind_by_duration ON reported_jobs (worker_address, status, job_type, job_duration_ms(execution_time_ms, assigned_at, completed_at), job_id) WHERE NOT superseded;
CREATE INDEX reported_jobs_kept_apart ON reported_jobs (worker_address, kept_apart) WHERE kept_apart IS NOT NULL AND NOT superseded;

CREATE TRIGGER reported_jobs_judge BEFORE INSERT OR UPDATE ON reported_jobs FOR EACH ROW
    WHEN (NEW.kept_apart IS DISTINCT FROM job_fault(NEW.status, NEW.created_at, NEW.assigned_at, NEW.completed_at, NEW.execution_time_ms, latest_time()))
    EXECUTE FUNCTION judge_job();

-- wallet_jobs is what a wallet sees: the coordinator's rows and its own reports. A reader leaves
-- out what is superseded; the view does not, so that each table is read by its own indexes.
CREATE VIEW wallet_jobs AS
SELECT job_id, client_address, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at, execution_time_ms,
       result_hash, error_message, gpu_uuid, tx_hash, block_number, updated_at, kept_apart, false AS self_reported, NULL::timestamptz AS paid_at, false AS superseded
FROM jobs
UNION ALL
SELECT job_id, client_address, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at, execution_time_ms,
       result_hash, error_message, gpu_uuid, tx_hash, block_number, updated_at, kept_apart, true, paid_at, superseded
FROM reported_jobs;
COMMENT ON VIEW wallet_jobs IS 'Jobs of the coordinator and of workers'' own reports, for readers of one worker''s.';

CREATE VIEW counted_reports AS
SELECT job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
       CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
FROM reported_jobs WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead';
COMMENT ON VIEW counted_reports IS 'Reports as the sums of their wallets take them.';

-- What is kept of jobs tells the two apart: what only a worker says enters no figure of the network.
ALTER TABLE job_totals ADD COLUMN self_reported boolean NOT NULL DEFAULT false;
ALTER TABLE job_days ADD COLUMN self_reported boolean NOT NULL DEFAULT false;
ALTER TABLE earning_days ADD COLUMN self_reported boolean NOT NULL DEFAULT false;
DROP INDEX job_totals_completed;
CREATE INDEX job_totals_completed ON job_totals (status) INCLUDE (jobs, execution_ms, completion_ms, completion_jobs)
    WHERE status = 'completed' AND NOT self_reported;
COMMENT ON COLUMN job_totals.self_reported IS 'Only the worker says so. Times of reports are under true even when the chain has paid.';
COMMENT ON COLUMN job_days.self_reported IS 'Only the worker says so.';
COMMENT ON COLUMN earning_days.self_reported IS 'Only the worker says so.';

-- +goose StatementBegin
CREATE FUNCTION reports_that_count(changed text) RETURNS text LANGUAGE sql IMMUTABLE AS $body$
SELECT format($$SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms, paid_at
    FROM (%s) judged WHERE NOT superseded AND kept_apart IS DISTINCT FROM 'ahead'$$, changed)
$body$;
-- +goose StatementEnd

-- report_rollup_statements does for reports what add_job_totals and job_rollup_statements do for jobs.
-- +goose StatementBegin
CREATE FUNCTION report_rollup_statements(changed text) RETURNS text LANGUAGE sql IMMUTABLE AS $body$
SELECT format($$
    INSERT INTO job_totals (worker_address, job_type, status, jobs, execution_ms, completion_ms, completion_jobs, self_reported)
    SELECT worker_address, job_type, status, sum(jobs), COALESCE(sum(execution), 0), COALESCE(sum(took), 0), sum(timed), self_reported
    FROM (SELECT worker_address, job_type, status, sign AS jobs, NULL::numeric AS execution, NULL::numeric AS took, 0 AS timed, paid_at IS NULL AS self_reported
          FROM (%1$s) counted
          UNION ALL
          SELECT worker_address, job_type, status, 0, sign * execution_time_ms, sign * job_duration_ms(execution_time_ms, assigned_at, completed_at),
                 CASE WHEN job_duration_ms(execution_time_ms, assigned_at, completed_at) IS NULL THEN 0 ELSE sign END, true
          FROM (%1$s) timed WHERE status = 'completed') parts
    GROUP BY worker_address, job_type, status, self_reported
    HAVING sum(jobs) <> 0 OR sum(execution) <> 0 OR sum(took) <> 0 OR sum(timed) <> 0;

    INSERT INTO job_days (worker_address, day, job_type, status, jobs, execution_ms, self_reported)
    SELECT worker_address, (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, job_type, status,
           sum(sign), COALESCE(sum(sign * execution_time_ms), 0), paid_at IS NULL
    FROM (%1$s) changed
    GROUP BY 1, 2, 3, 4, 7
    HAVING sum(sign) <> 0 OR sum(sign * execution_time_ms) <> 0;

    INSERT INTO job_hours (worker_address, hour, submitted, paid, amount_wei)
    SELECT worker_address, hour, sum(submitted), sum(paid), COALESCE(sum(amount), 0)
    FROM (SELECT worker_address, date_trunc('hour', created_at, 'UTC') AS hour, sign AS submitted, 0 AS paid, 0::numeric AS amount
          FROM (%1$s) came
          UNION ALL
          SELECT worker_address, date_trunc('hour', COALESCE(completed_at, created_at), 'UTC'), 0, sign, sign * payment_amount
          FROM (%1$s) ended
          WHERE status = 'completed' AND payment_amount IS NOT NULL) changed
    GROUP BY 1, 2
    HAVING sum(submitted) <> 0 OR sum(paid) <> 0 OR sum(amount) <> 0;

    INSERT INTO network_hours (hour, submitted, completed, failed, execution_ms)
    SELECT date_trunc('hour', paid_at, 'UTC'), 0, sum(sign), 0, 0
    FROM (%1$s) changed
    WHERE status = 'completed' AND paid_at IS NOT NULL
    GROUP BY 1
    HAVING sum(sign) <> 0;

    INSERT INTO earning_days (worker_address, day, jobs, amount_wei, self_reported)
    SELECT worker_address, (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, sum(sign), sum(sign * payment_amount), paid_at IS NULL
    FROM (%1$s) changed
    WHERE status = 'completed' AND payment_amount IS NOT NULL
    GROUP BY 1, 2, 5
    HAVING sum(sign) <> 0 OR sum(sign * payment_amount) <> 0;
$$, changed)
$body$;
-- +goose StatementEnd

CREATE TABLE report_checks (
    worker_address text NOT NULL,
    job_key        text NOT NULL,
    job_id         text NOT NULL -- of the row of jobs
);
COMMENT ON TABLE report_checks IS 'Reports of which it is to be seen anew whether jobs has their job.';
ALTER TABLE report_checks SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);

-- supersede_reports_statements are what a statement on jobs does to the reports of the pairs of
-- worker and job that it makes or unmakes. In a transaction with a snapshot of its own, a row that a
-- worker has changed since would fail the writer of jobs, so there only the note is left.
-- +goose StatementBegin
CREATE FUNCTION supersede_reports_statements(pairs text) RETURNS text LANGUAGE sql IMMUTABLE AS $body$
SELECT format($$
    IF NOT EXISTS (SELECT FROM reported_jobs) THEN
        RETURN NULL;
    END IF;
    INSERT INTO report_checks (worker_address, job_key, job_id)
    SELECT p.worker_address, p.job_key, p.job_id
    FROM (SELECT worker_address, COALESCE(job_number(job_id), job_id) AS job_key, job_id FROM (%1$s) changed WHERE worker_address IS NOT NULL) p
    WHERE EXISTS (SELECT FROM reported_jobs r WHERE r.worker_address = p.worker_address AND r.job_key = p.job_key);
    IF FOUND AND current_setting('transaction_isolation') IN ('read committed', 'read uncommitted') THEN
        WITH told AS (
            SELECT worker_address, COALESCE(job_number(job_id), job_id) AS job_key, bool_or(EXISTS (SELECT FROM jobs j WHERE j.job_id = changed.job_id AND j.worker_address = changed.worker_address)) AS there
            FROM (%1$s) changed WHERE worker_address IS NOT NULL GROUP BY 1, 2
        ), free AS (
            SELECT r.worker_address, r.job_id, told.there FROM reported_jobs r JOIN told USING (worker_address, job_key)
            WHERE r.superseded <> told.there FOR UPDATE OF r SKIP LOCKED
        )
        UPDATE reported_jobs r SET superseded = free.there FROM free WHERE r.worker_address = free.worker_address AND r.job_id = free.job_id;
    END IF;
$$, pairs)
$body$;
-- +goose StatementEnd

-- follow_report_checks sees anew whether jobs has the jobs of reports that are noted, and of those
-- that came while somebody wrote jobs. One program at a time does so.
-- +goose StatementBegin
CREATE FUNCTION follow_report_checks() RETURNS void LANGUAGE sql AS $$
WITH gone AS (
    DELETE FROM report_checks RETURNING *
), told AS (
    SELECT worker_address, job_key, bool_or(EXISTS (SELECT FROM jobs j WHERE j.job_id = gone.job_id AND j.worker_address = gone.worker_address)) AS there
    FROM gone GROUP BY 1, 2
), recent AS (
    SELECT r.worker_address, r.job_key, true AS there FROM reported_jobs r JOIN jobs j ON j.job_id = r.job_id AND j.worker_address = r.worker_address
    WHERE NOT r.superseded AND r.changed_at > now() - interval '1 hour'
), wanted AS (
    SELECT r.worker_address, r.job_id, bool_or(t.there) AS there
    FROM reported_jobs r JOIN (SELECT * FROM told UNION ALL SELECT * FROM recent) t USING (worker_address, job_key)
    GROUP BY 1, 2
), found AS (
    SELECT r.worker_address, r.job_id, w.there FROM reported_jobs r JOIN wanted w USING (worker_address, job_id)
    WHERE r.superseded <> w.there ORDER BY r.worker_address, r.job_id FOR UPDATE OF r
)
UPDATE reported_jobs r SET superseded = f.there FROM found f WHERE r.worker_address = f.worker_address AND r.job_id = f.job_id
$$;
-- +goose StatementEnd

-- pay_reports notes of some jobs' reports whether the chain's events say the same payment.
-- +goose StatementBegin
CREATE FUNCTION pay_reports(workers text[], keys text[]) RETURNS void LANGUAGE sql AS $$
WITH told AS (
    SELECT t.worker_address, t.job_key, CASE WHEN j.state IN ('matched', 'hidden') THEN
        (SELECT min(p.block_time) FROM chain_payments p WHERE p.job_id = t.job_key AND p.worker_address = t.worker_address) END AS paid_at
    FROM (SELECT DISTINCT worker_address, job_key FROM unnest(workers, keys) AS u (worker_address, job_key)) t
    LEFT JOIN reconciled_jobs j USING (worker_address, job_key)
), found AS (
    SELECT r.worker_address, r.job_id, CASE r.status WHEN 'completed' THEN told.paid_at END AS paid_at FROM reported_jobs r JOIN told USING (worker_address, job_key)
    WHERE r.paid_at IS DISTINCT FROM CASE r.status WHEN 'completed' THEN told.paid_at END ORDER BY r.worker_address, r.job_id FOR UPDATE OF r
)
UPDATE reported_jobs r SET paid_at = f.paid_at FROM found f WHERE r.worker_address = f.worker_address AND r.job_id = f.job_id
$$;
-- +goose StatementEnd

-- As before, and reports learn whether they are paid.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fold_payments(most bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    folded  bigint;
    workers text[];
    keys    text[];
BEGIN
    EXECUTE 'WITH gone AS (DELETE FROM payment_changes WHERE ctid = ANY(ARRAY(SELECT ctid FROM payment_changes LIMIT $1)) RETURNING *), added AS (
        INSERT INTO reconciled_jobs AS r ' || payment_sums('SELECT * FROM gone') || '
        ON CONFLICT (worker_address, job_key) DO UPDATE
        SET jobs = r.jobs + excluded.jobs, recorded_wei = r.recorded_wei + excluded.recorded_wei, ended_us = r.ended_us + excluded.ended_us,
            releases = r.releases + excluded.releases, released_wei = r.released_wei + excluded.released_wei,
            payments = r.payments + excluded.payments, paid_wei = r.paid_wei + excluded.paid_wei,
            hidden = r.hidden + excluded.hidden, told_us = r.told_us + excluded.told_us)
        SELECT count(*), array_agg(worker_address), array_agg(job_key) FROM gone' INTO folded, workers, keys USING most;
    IF folded > 0 AND EXISTS (SELECT FROM reported_jobs) THEN
        PERFORM pay_reports(workers, keys);
    END IF;
    DELETE FROM reconciled_jobs
    WHERE state = 'none' AND recorded_wei = 0 AND ended_us = 0 AND releases = 0 AND released_wei = 0
      AND payments = 0 AND paid_wei = 0 AND hidden = 0 AND told_us = 0;
    RETURN folded;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION forget_payments() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('fold payments')); -- a fold would bring rows back
    TRUNCATE payment_changes, reconciled_jobs, reconciled_days;
    EXECUTE 'INSERT INTO payment_changes '
        || payment_sums(job_payments(jobs_that_count('SELECT 1 AS sign, j.* FROM jobs j'))
        || ' UNION ALL ' || job_payments(reports_that_count('SELECT 1 AS sign, r.* FROM reported_jobs r'))
        || ' UNION ALL ' || chain_payment_parts('SELECT 1 AS sign, p.* FROM chain_payments p'));
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- An emptied table of jobs leaves the reports, which nothing supersedes any more.
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
        PERFORM count_reports_anew();
        RETURN NULL;
    END IF;
    FOREACH statement IN ARRAY add_job_totals(TG_TABLE_SCHEMA, jobs_that_count(changed)) LOOP
        EXECUTE statement;
    END LOOP;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- count_reports_anew adds what all reports make to sums that hold nothing of them. Superseded ones
-- add themselves as they cease to be so.
-- +goose StatementBegin
CREATE FUNCTION count_reports_anew() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    statement text;
BEGIN
    FOREACH statement IN ARRAY string_to_array(report_rollup_statements(reports_that_count('SELECT 1 AS sign, r.* FROM reported_jobs r')), ';') LOOP
        IF btrim(statement, E' \n') <> '' THEN
            EXECUTE statement;
        END IF;
    END LOOP;
    UPDATE reported_jobs SET superseded = false WHERE superseded;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
DECLARE
    act     record;
    reports text;
    home    text := current_schema();
    head    text := 'CREATE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = %I, pg_temp AS %L';
BEGIN
    FOR act IN SELECT * FROM (VALUES
        ('insert', 'NEW TABLE AS new_rows', 'SELECT 1 AS sign, n.* FROM new_rows n', 'SELECT job_id, worker_address FROM new_rows'),
        ('update', 'OLD TABLE AS old_rows NEW TABLE AS new_rows', 'SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n',
         '(SELECT job_id, worker_address FROM new_rows EXCEPT SELECT job_id, worker_address FROM old_rows) UNION (SELECT job_id, worker_address FROM old_rows EXCEPT SELECT job_id, worker_address FROM new_rows)'),
        ('delete', 'OLD TABLE AS old_rows', 'SELECT -1 AS sign, o.* FROM old_rows o', 'SELECT job_id, worker_address FROM old_rows')) a (event, tables, changed, pairs)
    LOOP
        reports := reports_that_count(act.changed);
        EXECUTE format(head, 'aggregate_' || act.event || '_of_reported_jobs', home, 'BEGIN ' || report_rollup_statements(reports)
            || ' INSERT INTO payment_changes ' || CASE act.event WHEN 'update' THEN payment_sums(job_payments(reports)) ELSE payment_parts(job_payments(reports)) END || '; RETURN NULL; END');
        EXECUTE format('CREATE TRIGGER %1$I AFTER %2$s ON reported_jobs REFERENCING %3$s FOR EACH STATEMENT EXECUTE FUNCTION %1$I()',
            'aggregate_' || act.event || '_of_reported_jobs', act.event, act.tables);
        EXECUTE format(head, 'supersede_reports_on_' || act.event, home, 'BEGIN ' || supersede_reports_statements(act.pairs) || ' RETURN NULL; END');
        EXECUTE format('CREATE TRIGGER %1$I AFTER %2$s ON jobs REFERENCING %3$s FOR EACH STATEMENT EXECUTE FUNCTION %1$I()',
            'supersede_reports_on_' || act.event, act.event, act.tables);
    END LOOP;
    EXECUTE format('ALTER FUNCTION count_changed_jobs() SET search_path = %I, pg_temp', home);
    EXECUTE format('ALTER FUNCTION forget_payments() SET search_path = %I, pg_temp', home);
END $$;
-- +goose StatementEnd

-- job_of_report is a report as a row of jobs, which merged_job understands.
-- +goose StatementBegin
CREATE FUNCTION job_of_report(r reported_jobs) RETURNS jobs LANGUAGE sql STABLE AS
$$ SELECT jsonb_populate_record(NULL::jobs, to_jsonb(r)) $$;
-- +goose StatementEnd

-- add_reported_jobs adds the reports that are not there, and returns their identifiers.
-- +goose StatementBegin
CREATE FUNCTION add_reported_jobs(list jsonb) RETURNS SETOF text LANGUAGE sql AS $$
INSERT INTO reported_jobs (job_id, client_address, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    execution_time_ms, result_hash, error_message, gpu_uuid, tx_hash, block_number, updated_at)
SELECT job_id, client_address, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    execution_time_ms, result_hash, error_message, gpu_uuid, tx_hash, block_number, updated_at
FROM told_jobs(list) ON CONFLICT (worker_address, job_id) DO NOTHING RETURNING job_id
$$;
-- +goose StatementEnd

-- merge_reported_jobs changes the reports that are there, each of which the caller has locked, and
-- returns how many of them it changed.
-- +goose StatementBegin
CREATE FUNCTION merge_reported_jobs(list jsonb) RETURNS bigint LANGUAGE sql AS $$
WITH merged AS MATERIALIZED (
    SELECT m.* FROM told_jobs(list) t JOIN reported_jobs r USING (worker_address, job_id)
    CROSS JOIN LATERAL job_of_report(r) was CROSS JOIN LATERAL merged_job(was, t) m
    WHERE m IS DISTINCT FROM was
), changed AS (
    UPDATE reported_jobs r SET client_address = m.client_address, job_type = m.job_type, status = m.status,
        payment_amount = m.payment_amount, created_at = m.created_at, assigned_at = m.assigned_at, completed_at = m.completed_at,
        execution_time_ms = m.execution_time_ms, result_hash = m.result_hash, error_message = m.error_message, gpu_uuid = m.gpu_uuid,
        tx_hash = m.tx_hash, block_number = m.block_number, updated_at = m.updated_at, changed_at = now()
    FROM merged m WHERE r.worker_address = m.worker_address AND r.job_id = m.job_id
    RETURNING 1
)
SELECT count(*) FROM changed
$$;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER supersede_reports_on_insert ON jobs;
DROP TRIGGER supersede_reports_on_update ON jobs;
DROP TRIGGER supersede_reports_on_delete ON jobs;
DROP FUNCTION supersede_reports_on_insert();
DROP FUNCTION supersede_reports_on_update();
DROP FUNCTION supersede_reports_on_delete();
DELETE FROM reported_jobs;
DROP FUNCTION merge_reported_jobs(jsonb);
DROP FUNCTION add_reported_jobs(jsonb);
DROP FUNCTION job_of_report(reported_jobs);
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
    FOREACH statement IN ARRAY add_job_totals(TG_TABLE_SCHEMA, jobs_that_count(changed)) LOOP
        EXECUTE statement;
    END LOOP;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION forget_payments() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('fold payments')); -- a fold would bring rows back
    TRUNCATE payment_changes, reconciled_jobs, reconciled_days;
    EXECUTE 'INSERT INTO payment_changes '
        || payment_sums(job_payments(jobs_that_count('SELECT 1 AS sign, j.* FROM jobs j')) || ' UNION ALL ' || chain_payment_parts('SELECT 1 AS sign, p.* FROM chain_payments p'));
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fold_payments(most bigint) RETURNS bigint LANGUAGE plpgsql AS $$
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
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION count_changed_jobs() SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION forget_payments() SET search_path = %I, pg_temp', current_schema());
END $$;
-- +goose StatementEnd
DROP FUNCTION pay_reports(text[], text[]);
DROP FUNCTION follow_report_checks();
DROP FUNCTION supersede_reports_statements(text);
DROP FUNCTION count_reports_anew();
DROP TABLE report_checks;
DROP VIEW counted_reports;
DROP VIEW wallet_jobs;
DROP TABLE reported_jobs;
DROP FUNCTION aggregate_insert_of_reported_jobs();
DROP FUNCTION aggregate_update_of_reported_jobs();
DROP FUNCTION aggregate_delete_of_reported_jobs();
DROP FUNCTION report_rollup_statements(text);
DROP FUNCTION reports_that_count(text);
DROP INDEX job_totals_completed;
CREATE INDEX job_totals_completed ON job_totals (status) INCLUDE (jobs, execution_ms, completion_ms, completion_jobs)
    WHERE status = 'completed';
ALTER TABLE earning_days DROP COLUMN self_reported;
ALTER TABLE job_days DROP COLUMN self_reported;
ALTER TABLE job_totals DROP COLUMN self_reported;
