-- Totals that are kept as jobs change, so that reading them costs the same however
-- long the history is.
--
-- Each statement that writes jobs appends rows of differences here; a reader sums them.
-- Nothing is updated in place, so writers of jobs never wait for each other, and a total
-- always agrees with the jobs that the same snapshot shows. From time to time the
-- program folds a key's rows into one (queries/totals.sql).

-- +goose Up
CREATE TABLE job_totals (
    worker_address  text NOT NULL, -- '' for jobs without a worker
    job_type        text NOT NULL,
    status          text NOT NULL,
    jobs            bigint NOT NULL,
    execution_ms    numeric NOT NULL, -- sum of execution_time_ms, completed jobs only
    completion_ms   numeric NOT NULL, -- as execution_ms, else completed_at - assigned_at
    completion_jobs bigint NOT NULL,  -- the jobs that completion_ms adds up
    folded          boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE job_totals IS 'Differences whose sums count jobs; see fold_job_totals.';
CREATE INDEX job_totals_of_worker ON job_totals (worker_address, job_type, status);
CREATE INDEX job_totals_completed ON job_totals (status) INCLUDE (jobs, execution_ms, completion_ms, completion_jobs)
    WHERE status = 'completed';
CREATE INDEX job_totals_unfolded ON job_totals (worker_address, job_type, status) WHERE NOT folded;

CREATE TABLE earning_days (
    worker_address text NOT NULL,
    day            date NOT NULL, -- UTC day of COALESCE(completed_at, created_at)
    jobs           bigint NOT NULL,
    amount_wei     numeric NOT NULL,
    folded         boolean NOT NULL DEFAULT false
);
COMMENT ON TABLE earning_days IS 'Differences whose sums are payments of completed jobs per worker and UTC day.';
CREATE INDEX earning_days_of_worker ON earning_days (worker_address, day) INCLUDE (jobs, amount_wei);
CREATE INDEX earning_days_unfolded ON earning_days (worker_address, day) WHERE NOT folded;

-- add_job_totals returns the statements that add what a set of jobs changes. The set is
-- a query that yields the columns of jobs and sign, 1 for a row that came or -1 for a
-- row that went; home is the schema of the tables.
-- +goose StatementBegin
CREATE FUNCTION add_job_totals(home text, changed text) RETURNS text[] LANGUAGE sql IMMUTABLE AS $body$
SELECT ARRAY[
    format($$
        INSERT INTO %I.job_totals (worker_address, job_type, status, jobs, execution_ms, completion_ms, completion_jobs)
        SELECT COALESCE(worker_address, ''), job_type, status, sum(sign),
               COALESCE(sum(sign * execution_time_ms) FILTER (WHERE status = 'completed'), 0),
               COALESCE(sum(sign * took_ms) FILTER (WHERE status = 'completed'), 0),
               COALESCE(sum(sign) FILTER (WHERE status = 'completed' AND took_ms IS NOT NULL), 0)
        FROM (SELECT *, COALESCE(execution_time_ms, CASE WHEN completed_at >= assigned_at
                  THEN round(extract(epoch FROM completed_at - assigned_at) * 1000) END) AS took_ms
              FROM (%s) changed) measured
        GROUP BY 1, 2, 3
        HAVING sum(sign) <> 0 OR sum(sign * execution_time_ms) <> 0 OR sum(sign * took_ms) <> 0
            OR sum(sign) FILTER (WHERE took_ms IS NOT NULL) <> 0
    $$, home, changed),
    format($$
        INSERT INTO %I.earning_days (worker_address, day, jobs, amount_wei)
        SELECT worker_address, (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, sum(sign), sum(sign * payment_amount)
        FROM (%s) changed
        WHERE worker_address IS NOT NULL AND status = 'completed' AND payment_amount IS NOT NULL
        GROUP BY 1, 2
        HAVING sum(sign) <> 0 OR sum(sign * payment_amount) <> 0
    $$, home, changed)]
$body$;
-- +goose StatementEnd

-- count_changed_jobs runs as its owner: a program that may write jobs needs no right
-- on the totals. For that its search path is fixed below.
-- +goose StatementBegin
CREATE FUNCTION count_changed_jobs() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE
    changed text := CASE TG_OP
        WHEN 'INSERT' THEN 'SELECT 1 AS sign, * FROM new_rows'
        WHEN 'DELETE' THEN 'SELECT -1 AS sign, * FROM old_rows'
        ELSE 'SELECT -1 AS sign, * FROM old_rows UNION ALL SELECT 1, * FROM new_rows' END;
    statement text;
BEGIN
    IF TG_OP = 'TRUNCATE' THEN
        EXECUTE format('TRUNCATE %1$I.job_totals, %1$I.earning_days', TG_TABLE_SCHEMA);
        RETURN NULL;
    END IF;
    FOREACH statement IN ARRAY add_job_totals(TG_TABLE_SCHEMA, changed) LOOP
        EXECUTE statement;
    END LOOP;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
DECLARE
    statement text;
BEGIN
    EXECUTE format('ALTER FUNCTION count_changed_jobs() SET search_path = %I, pg_temp', current_schema());
    LOCK TABLE jobs IN SHARE ROW EXCLUSIVE MODE;
    FOREACH statement IN ARRAY add_job_totals(current_schema(), 'SELECT 1 AS sign, * FROM jobs') LOOP
        EXECUTE statement;
    END LOOP;
END $$;
-- +goose StatementEnd

CREATE TRIGGER jobs_count_inserted AFTER INSERT ON jobs REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_changed_jobs();
CREATE TRIGGER jobs_count_updated AFTER UPDATE ON jobs REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_changed_jobs();
CREATE TRIGGER jobs_count_deleted AFTER DELETE ON jobs REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION count_changed_jobs();
CREATE TRIGGER jobs_count_truncated AFTER TRUNCATE ON jobs
    FOR EACH STATEMENT EXECUTE FUNCTION count_changed_jobs();

-- +goose Down
DROP TRIGGER jobs_count_truncated ON jobs;
DROP TRIGGER jobs_count_deleted ON jobs;
DROP TRIGGER jobs_count_updated ON jobs;
DROP TRIGGER jobs_count_inserted ON jobs;
DROP FUNCTION count_changed_jobs();
DROP FUNCTION add_job_totals(text, text);
DROP TABLE earning_days;
DROP TABLE job_totals;
