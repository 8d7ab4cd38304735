-- What a job or a claim says that cannot be is kept, and kept apart: it enters no sum until it
-- can be. A job whose times lie ahead of the database's clock is in no sum at all; one whose
-- execution time does not fit between its begin and its end counts, without that time.
--
-- The reason is a column of the row, which a trigger sets whenever the row is written. So what
-- is kept of rows is a function of the rows alone, and a row that goes is subtracted as it was
-- added. A row without a reason counts as rows did before, which is why nothing else needs to
-- be counted anew: 00046 gives the rows that are there their reasons, and the triggers do the rest.

-- +goose Up
ALTER TABLE jobs ADD COLUMN kept_apart text;
COMMENT ON COLUMN jobs.kept_apart IS 'The database sets it. ahead: a time is over 5 minutes ahead of the database''s clock, so the job is in no sum. execution: execution_time_ms is longer than from the begin to the end, so it is not summed. NULL: all of the job counts.';
ALTER TABLE reward_claims ADD COLUMN kept_apart text;
COMMENT ON COLUMN reward_claims.kept_apart IS 'The database sets it. ahead: claim_time is over 5 minutes ahead of the database''s clock, so the claim is in no sum. NULL: it counts.';

-- latest_time is the latest time that a row may tell: clocks differ by some minutes.
-- +goose StatementBegin
CREATE FUNCTION latest_time() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT statement_timestamp() + interval '5 minutes' $$;
-- +goose StatementEnd

-- job_fault is why a job is kept apart, NULL if it is not. An end that is not told lies before
-- the latest time. A second is left for times that are told in whole seconds.
-- +goose StatementBegin
CREATE FUNCTION job_fault(status text, created_at timestamptz, assigned_at timestamptz, completed_at timestamptz, execution_time_ms bigint, latest timestamptz) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT CASE
    WHEN GREATEST(created_at, assigned_at, completed_at) > latest THEN 'ahead'
    WHEN execution_time_ms > 0 AND status NOT IN ('pending', 'assigned', 'running')
         AND execution_time_ms > 1000 + extract(epoch FROM COALESCE(completed_at, latest) - COALESCE(assigned_at, created_at)) * 1000 THEN 'execution' END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION judge_job() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.kept_apart := job_fault(NEW.status, NEW.created_at, NEW.assigned_at, NEW.completed_at, NEW.execution_time_ms, latest_time());
    RETURN NEW;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION judge_claim() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.kept_apart := CASE WHEN NEW.claim_time > latest_time() THEN 'ahead' END;
    RETURN NEW;
END $$;
-- +goose StatementEnd

CREATE TRIGGER jobs_judge BEFORE INSERT OR UPDATE ON jobs FOR EACH ROW
    WHEN (NEW.kept_apart IS DISTINCT FROM job_fault(NEW.status, NEW.created_at, NEW.assigned_at, NEW.completed_at, NEW.execution_time_ms, latest_time()))
    EXECUTE FUNCTION judge_job();
CREATE TRIGGER reward_claims_judge BEFORE INSERT OR UPDATE ON reward_claims FOR EACH ROW
    WHEN (NEW.kept_apart IS DISTINCT FROM CASE WHEN NEW.claim_time > latest_time() THEN 'ahead' END)
    EXECUTE FUNCTION judge_claim();

-- counted_jobs are the jobs as sums take them.
CREATE VIEW counted_jobs AS
SELECT job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
       CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms
FROM jobs WHERE kept_apart IS DISTINCT FROM 'ahead';
COMMENT ON VIEW counted_jobs IS 'Jobs without what is kept apart of them.';

-- jobs_that_count is a query of the rows of another, of the columns of jobs and sign, as sums
-- take them; claims_that_count is the same for claims.
-- +goose StatementBegin
CREATE FUNCTION jobs_that_count(changed text) RETURNS text LANGUAGE sql IMMUTABLE AS $body$
SELECT format($$SELECT sign, job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at,
    CASE WHEN kept_apart IS NULL THEN execution_time_ms END AS execution_time_ms FROM (%s) judged WHERE kept_apart IS DISTINCT FROM 'ahead'$$, changed)
$body$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE FUNCTION claims_that_count(changed text) RETURNS text LANGUAGE sql IMMUTABLE AS $body$
SELECT format($$SELECT * FROM (%s) judged WHERE kept_apart IS DISTINCT FROM 'ahead'$$, changed)
$body$;
-- +goose StatementEnd

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

-- write_job_triggers writes the functions of the triggers on jobs and reward_claims anew, as
-- 00012 and 00026 do; counted says whether what is kept apart is left out.
-- +goose StatementBegin
CREATE FUNCTION write_job_triggers(counted boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    act     record;
    jobs    text;
    claims  text;
    head    text := 'CREATE OR REPLACE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = %I, pg_temp AS %L';
BEGIN
    FOR act IN SELECT * FROM (VALUES
        ('insert', 'SELECT 1 AS sign, n.* FROM new_rows n'),
        ('update', 'SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n'),
        ('delete', 'SELECT -1 AS sign, o.* FROM old_rows o')) a (event, changed)
    LOOP
        jobs := CASE WHEN counted THEN jobs_that_count(act.changed) ELSE act.changed END;
        claims := CASE WHEN counted THEN claims_that_count(act.changed) ELSE act.changed END;
        EXECUTE format(head, 'roll_up_' || act.event || '_of_jobs', current_schema(), 'BEGIN ' || job_rollup_statements(jobs) || ' RETURN NULL; END');
        EXECUTE format(head, 'roll_up_' || act.event || '_of_reward_claims', current_schema(), 'BEGIN ' || claim_rollup_statements(claims) || ' RETURN NULL; END');
        EXECUTE format(head, 'note_payments_' || act.event || '_of_jobs', current_schema(), 'BEGIN INSERT INTO payment_changes '
            || CASE act.event WHEN 'update' THEN payment_sums(job_payments(jobs)) ELSE payment_parts(job_payments(jobs)) END || '; RETURN NULL; END');
    END LOOP;
    EXECUTE format('ALTER FUNCTION count_changed_jobs() SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION forget_payments() SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION judge_job() SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION judge_claim() SET search_path = %I, pg_temp', current_schema());
END $$;
-- +goose StatementEnd
SELECT write_job_triggers(true);

-- As before, and a report never changes why a job is kept apart: the trigger does.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION merged_job(was jobs, told jobs) RETURNS jobs LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    newer jobs := was;
    older jobs := told;
BEGIN
    IF job_is_newer(told, was) THEN
        newer := told;
        older := was;
    END IF;
    newer.client_address := COALESCE(newer.client_address, older.client_address);
    newer.job_type := COALESCE(NULLIF(newer.job_type, ''), older.job_type);
    newer.payment_amount := COALESCE(newer.payment_amount, older.payment_amount);
    newer.created_at := LEAST(newer.created_at, older.created_at);
    newer.kept_apart := was.kept_apart;
    IF newer.status = older.status THEN
        newer.updated_at := COALESCE(newer.updated_at, older.updated_at);
    END IF;
    IF newer.status <> 'pending' AND (newer.worker_address IS NULL OR older.worker_address IS NULL OR newer.worker_address = older.worker_address) THEN
        newer.worker_address := COALESCE(newer.worker_address, older.worker_address);
        newer.assigned_at := COALESCE(newer.assigned_at, older.assigned_at);
        newer.gpu_uuid := COALESCE(newer.gpu_uuid, older.gpu_uuid);
    END IF;
    IF newer.status = older.status AND job_has_ended(newer.status)
        AND (newer.completed_at IS NULL OR older.completed_at IS NULL OR newer.completed_at = older.completed_at)
    THEN
        newer.completed_at := COALESCE(newer.completed_at, older.completed_at);
        newer.execution_time_ms := COALESCE(newer.execution_time_ms, older.execution_time_ms);
        newer.result_hash := COALESCE(newer.result_hash, older.result_hash);
        newer.error_message := COALESCE(newer.error_message, older.error_message);
        newer.tx_hash := COALESCE(newer.tx_hash, older.tx_hash);
        newer.block_number := COALESCE(newer.block_number, older.block_number);
    END IF;
    RETURN newer;
END $$;
-- +goose StatementEnd

-- As before, and a job of which only the end and the execution time are told began no later
-- than the one less the other.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION told_jobs(list jsonb) RETURNS SETOF jobs LANGUAGE sql STABLE AS $$
SELECT j.*
FROM jsonb_populate_recordset(NULL::jobs, list) t
CROSS JOIN LATERAL jsonb_populate_record(t, jsonb_build_object(
    'created_at', COALESCE(t.created_at, t.assigned_at, t.completed_at - COALESCE(t.execution_time_ms, 0) * interval '1 millisecond', t.updated_at, now()),
    'job_type', COALESCE(t.job_type, ''))) j
ORDER BY j.job_id
$$;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER reward_claims_judge ON reward_claims;
DROP TRIGGER jobs_judge ON jobs;
UPDATE jobs SET kept_apart = NULL WHERE kept_apart IS NOT NULL;
UPDATE reward_claims SET kept_apart = NULL WHERE kept_apart IS NOT NULL;
SELECT write_job_triggers(false);
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
CREATE OR REPLACE FUNCTION forget_payments() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('fold payments')); -- a fold would bring rows back
    TRUNCATE payment_changes, reconciled_jobs, reconciled_days;
    EXECUTE 'INSERT INTO payment_changes '
        || payment_sums(job_payments('SELECT 1 AS sign, j.* FROM jobs j') || ' UNION ALL ' || chain_payment_parts('SELECT 1 AS sign, p.* FROM chain_payments p'));
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION merged_job(was jobs, told jobs) RETURNS jobs LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    newer jobs := was;
    older jobs := told;
BEGIN
    IF job_is_newer(told, was) THEN
        newer := told;
        older := was;
    END IF;
    newer.client_address := COALESCE(newer.client_address, older.client_address);
    newer.job_type := COALESCE(NULLIF(newer.job_type, ''), older.job_type);
    newer.payment_amount := COALESCE(newer.payment_amount, older.payment_amount);
    newer.created_at := LEAST(newer.created_at, older.created_at);
    IF newer.status = older.status THEN
        newer.updated_at := COALESCE(newer.updated_at, older.updated_at);
    END IF;
    IF newer.status <> 'pending' AND (newer.worker_address IS NULL OR older.worker_address IS NULL OR newer.worker_address = older.worker_address) THEN
        newer.worker_address := COALESCE(newer.worker_address, older.worker_address);
        newer.assigned_at := COALESCE(newer.assigned_at, older.assigned_at);
        newer.gpu_uuid := COALESCE(newer.gpu_uuid, older.gpu_uuid);
    END IF;
    IF newer.status = older.status AND job_has_ended(newer.status)
        AND (newer.completed_at IS NULL OR older.completed_at IS NULL OR newer.completed_at = older.completed_at)
    THEN
        newer.completed_at := COALESCE(newer.completed_at, older.completed_at);
        newer.execution_time_ms := COALESCE(newer.execution_time_ms, older.execution_time_ms);
        newer.result_hash := COALESCE(newer.result_hash, older.result_hash);
        newer.error_message := COALESCE(newer.error_message, older.error_message);
        newer.tx_hash := COALESCE(newer.tx_hash, older.tx_hash);
        newer.block_number := COALESCE(newer.block_number, older.block_number);
    END IF;
    RETURN newer;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION told_jobs(list jsonb) RETURNS SETOF jobs LANGUAGE sql STABLE AS $$
SELECT j.*
FROM jsonb_populate_recordset(NULL::jobs, list) t
CROSS JOIN LATERAL jsonb_populate_record(t, jsonb_build_object(
    'created_at', COALESCE(t.created_at, t.assigned_at, t.completed_at, t.updated_at, now()),
    'job_type', COALESCE(t.job_type, ''))) j
ORDER BY j.job_id
$$;
-- +goose StatementEnd
-- +goose StatementBegin
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION count_changed_jobs() SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION forget_payments() SET search_path = %I, pg_temp', current_schema());
END $$;
-- +goose StatementEnd
DROP FUNCTION write_job_triggers(boolean);
DROP VIEW counted_jobs;
DROP FUNCTION claims_that_count(text);
DROP FUNCTION jobs_that_count(text);
DROP FUNCTION judge_claim();
DROP FUNCTION judge_job();
DROP FUNCTION job_fault(text, timestamptz, timestamptz, timestamptz, bigint, timestamptz);
DROP FUNCTION latest_time();
ALTER TABLE reward_claims DROP COLUMN kept_apart;
ALTER TABLE jobs DROP COLUMN kept_apart;
