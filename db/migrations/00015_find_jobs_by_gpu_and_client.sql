-- What the page of all jobs is filtered by besides: the GPU that a job ran on, and the
-- client that it was done for.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS jobs_of_worker_by_gpu;
CREATE INDEX CONCURRENTLY jobs_of_worker_by_gpu ON jobs (worker_address, gpu_uuid, created_at DESC, job_id DESC) WHERE gpu_uuid IS NOT NULL;

DROP INDEX CONCURRENTLY IF EXISTS jobs_of_worker_by_client;
CREATE INDEX CONCURRENTLY jobs_of_worker_by_client ON jobs (worker_address, client_address, created_at DESC, job_id DESC) WHERE client_address IS NOT NULL;

-- +goose Down
DROP INDEX CONCURRENTLY jobs_of_worker_by_client;
DROP INDEX CONCURRENTLY jobs_of_worker_by_gpu;
