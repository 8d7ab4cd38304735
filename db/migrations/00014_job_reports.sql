-- Reports of jobs and heartbeats in batches, in any order and any number of times.

-- +goose Up
ALTER TABLE jobs ADD COLUMN updated_at timestamptz
    CONSTRAINT jobs_updated_at_is_plausible CHECK (is_plausible_time(updated_at));
COMMENT ON COLUMN jobs.updated_at IS 'When what the row says became so, by the clock of whoever wrote it; see job_is_newer. NULL while not known.';

-- job_order is the order in which a job passes its states. Two ends do not follow each
-- other: where nothing else tells them apart, the one that is worth more to its worker counts.
-- +goose StatementBegin
CREATE FUNCTION job_order(status text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT array_position(ARRAY['pending', 'assigned', 'running', 'cancelled', 'timeout', 'failed', 'completed'], status) $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION job_has_ended(status text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT status NOT IN ('pending', 'assigned', 'running') $$;
-- +goose StatementEnd

-- job_is_newer says which of two rows of one job tells of a later moment. Where both know
-- when they became so and that differs, it decides. Else a later state is newer (pending,
-- assigned, running, any end), and of the same the one with the later time of its end, or
-- else of its assignment. What is as new as the row that is there counts as newer, so that
-- it can be mended.
-- +goose StatementBegin
CREATE FUNCTION job_is_newer(told jobs, was jobs) RETURNS boolean LANGUAGE sql IMMUTABLE AS $$
SELECT CASE WHEN told.updated_at <> was.updated_at THEN told.updated_at > was.updated_at
       ELSE (LEAST(job_order(told.status), 4), COALESCE(GREATEST(told.assigned_at, told.completed_at), '-infinity'), job_order(told.status))
         >= (LEAST(job_order(was.status), 4), COALESCE(GREATEST(was.assigned_at, was.completed_at), '-infinity'), job_order(was.status)) END
$$;
-- +goose StatementEnd

-- merged_job is what is known of a job from the row that is there and one that is told: the
-- newer one, and of the older what the newer leaves out and what cannot have changed since.
-- +goose StatementBegin
CREATE FUNCTION merged_job(was jobs, told jobs) RETURNS jobs LANGUAGE plpgsql IMMUTABLE AS $$
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
    newer.updated_at := COALESCE(newer.updated_at, older.updated_at);
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

-- told_jobs reads rows of jobs from a list of objects with the columns' names, in the order
-- in which everybody locks them.
-- +goose StatementBegin
CREATE FUNCTION told_jobs(list jsonb) RETURNS SETOF jobs LANGUAGE sql STABLE AS $$
SELECT j.*
FROM jsonb_populate_recordset(NULL::jobs, list) t
CROSS JOIN LATERAL jsonb_populate_record(t, jsonb_build_object(
    'created_at', COALESCE(t.created_at, t.assigned_at, t.completed_at, t.updated_at, now()),
    'job_type', COALESCE(t.job_type, ''))) j
ORDER BY j.job_id
$$;
-- +goose StatementEnd

-- add_told_jobs adds the jobs that are not there, and returns their identifiers.
-- +goose StatementBegin
CREATE FUNCTION add_told_jobs(list jsonb) RETURNS SETOF text LANGUAGE sql AS $$
INSERT INTO jobs SELECT * FROM told_jobs(list) ON CONFLICT (job_id) DO NOTHING RETURNING job_id
$$;
-- +goose StatementEnd

-- merge_told_jobs changes the jobs that are there, each of which the caller has locked, and
-- returns how many of them it changed.
-- +goose StatementBegin
CREATE FUNCTION merge_told_jobs(list jsonb) RETURNS bigint LANGUAGE sql AS $$
WITH merged AS MATERIALIZED (
    SELECT m.* FROM told_jobs(list) t JOIN jobs j USING (job_id) CROSS JOIN LATERAL merged_job(j, t) m
    WHERE m IS DISTINCT FROM j
), changed AS (
    UPDATE jobs j SET client_address = m.client_address, worker_address = m.worker_address, job_type = m.job_type, status = m.status,
        payment_amount = m.payment_amount, created_at = m.created_at, assigned_at = m.assigned_at, completed_at = m.completed_at,
        execution_time_ms = m.execution_time_ms, result_hash = m.result_hash, error_message = m.error_message, gpu_uuid = m.gpu_uuid,
        tx_hash = m.tx_hash, block_number = m.block_number, updated_at = m.updated_at
    FROM merged m WHERE j.job_id = m.job_id
    RETURNING 1
)
SELECT count(*) FROM changed
$$;
-- +goose StatementEnd

-- add_told_heartbeats adds the heartbeats that are not there, and returns how many.
-- +goose StatementBegin
CREATE FUNCTION add_told_heartbeats(list jsonb) RETURNS bigint LANGUAGE sql AS $$
WITH added AS (
    INSERT INTO heartbeats SELECT * FROM jsonb_populate_recordset(NULL::heartbeats, list)
    ON CONFLICT (worker_address, heartbeat_time, worker_id) DO NOTHING
    RETURNING 1
)
SELECT count(*) FROM added
$$;
-- +goose StatementEnd

-- +goose Down
DROP FUNCTION add_told_heartbeats(jsonb);
DROP FUNCTION merge_told_jobs(jsonb);
DROP FUNCTION add_told_jobs(jsonb);
DROP FUNCTION told_jobs(jsonb);
DROP FUNCTION merged_job(jobs, jobs);
DROP FUNCTION job_is_newer(jobs, jobs);
DROP FUNCTION job_has_ended(text);
DROP FUNCTION job_order(text);
ALTER TABLE jobs DROP COLUMN updated_at;
