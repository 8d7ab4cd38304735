-- What the page of all jobs is filtered and searched by. The indexes are built beside the
-- programs that write jobs, which an ordinary CREATE INDEX would keep waiting. What an
-- interrupted attempt left is dropped first.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS jobs_of_worker_by_type;
CREATE INDEX CONCURRENTLY jobs_of_worker_by_type ON jobs (worker_address, job_type, created_at DESC, job_id DESC);

-- For beginnings of identifiers, in any collation.
DROP INDEX CONCURRENTLY IF EXISTS jobs_of_worker_by_id;
CREATE INDEX CONCURRENTLY jobs_of_worker_by_id ON jobs (worker_address, job_id text_pattern_ops);

-- For texts in error messages: a search reads the messages of one worker's failed jobs.
DROP INDEX CONCURRENTLY IF EXISTS jobs_with_error_of_worker;
CREATE INDEX CONCURRENTLY jobs_with_error_of_worker ON jobs (worker_address, created_at DESC, job_id DESC)
    WHERE status IN ('failed', 'timeout') AND error_message IS NOT NULL;

-- +goose Down
DROP INDEX CONCURRENTLY jobs_with_error_of_worker;
DROP INDEX CONCURRENTLY jobs_of_worker_by_id;
DROP INDEX CONCURRENTLY jobs_of_worker_by_type;
