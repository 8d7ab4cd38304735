-- What the page of all jobs is sorted by besides the time of submission: the reward and the
-- duration. One index each serves any of a worker's states and types and all of them: a list
-- is put together from the lists of its kinds, which job_totals names (queries/job_sorts.sql).

-- +goose NO TRANSACTION
-- +goose Up

-- job_duration_ms is how long a job took: its execution time, else the time from its
-- assignment to its end, to the millisecond. NULL while neither is known.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION job_duration_ms(execution_time_ms bigint, assigned_at timestamptz, completed_at timestamptz) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT COALESCE(execution_time_ms, CASE WHEN completed_at >= assigned_at THEN round(extract(epoch FROM completed_at - assigned_at) * 1000)::bigint END) $$;
-- +goose StatementEnd

DROP INDEX CONCURRENTLY IF EXISTS jobs_of_kind_by_payment;
CREATE INDEX CONCURRENTLY jobs_of_kind_by_payment ON jobs (worker_address, status, job_type, payment_amount, job_id);

DROP INDEX CONCURRENTLY IF EXISTS jobs_of_kind_by_duration;
CREATE INDEX CONCURRENTLY jobs_of_kind_by_duration ON jobs (worker_address, status, job_type, job_duration_ms(execution_time_ms, assigned_at, completed_at), job_id);

-- +goose Down
DROP INDEX CONCURRENTLY jobs_of_kind_by_duration;
DROP INDEX CONCURRENTLY jobs_of_kind_by_payment;
DROP FUNCTION job_duration_ms(bigint, timestamptz, timestamptz);
