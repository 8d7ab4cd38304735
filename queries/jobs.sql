-- name: getJob :one
-- getJob reads the first of a worker's jobs under some identifiers: the coordinator's row, if there is one.
SELECT * FROM wallet_jobs WHERE job_id = ANY(@job_ids::text[]) AND worker_address = @worker_address::text AND NOT superseded
ORDER BY self_reported, array_position(@job_ids::text[], job_id) LIMIT 1;

-- name: findJobs :many
-- findJobs lists jobs below a place, newest first. What is NULL is not asked for:
-- connections plan each query for its own values (see Config), so it costs nothing.
SELECT * FROM wallet_jobs
WHERE worker_address = @worker_address::text AND NOT superseded
  AND (sqlc.narg(status)::text IS NULL OR status = sqlc.narg(status))
  AND (sqlc.narg(job_type)::text IS NULL OR job_type = sqlc.narg(job_type))
  AND (sqlc.narg(gpu_uuid)::text IS NULL OR gpu_uuid = sqlc.narg(gpu_uuid))
  AND (sqlc.narg(client_address)::text IS NULL OR client_address = sqlc.narg(client_address)::text)
  AND created_at >= @created_from::timestamptz AND created_at < @created_before::timestamptz
  AND (created_at, job_id) < (@place_time::timestamptz, @place_id::text)
ORDER BY created_at DESC, job_id DESC
LIMIT @max_rows;

-- name: findNewerJobs :many
-- findNewerJobs lists the jobs above that place, oldest first.
SELECT * FROM wallet_jobs
WHERE worker_address = @worker_address::text AND NOT superseded
  AND (sqlc.narg(status)::text IS NULL OR status = sqlc.narg(status))
  AND (sqlc.narg(job_type)::text IS NULL OR job_type = sqlc.narg(job_type))
  AND (sqlc.narg(gpu_uuid)::text IS NULL OR gpu_uuid = sqlc.narg(gpu_uuid))
  AND (sqlc.narg(client_address)::text IS NULL OR client_address = sqlc.narg(client_address)::text)
  AND created_at >= @created_from::timestamptz AND created_at < @created_before::timestamptz
  AND (created_at, job_id) > (@place_time::timestamptz, @place_id::text)
ORDER BY created_at ASC, job_id ASC
LIMIT @max_rows;

-- name: searchJobs :many
-- searchJobs is findJobs for jobs whose identifier begins with a text, and failed ones that
-- hold a text in their error message. Each finds no more rows than the page takes.
SELECT * FROM wallet_jobs
WHERE worker_address = @worker_address::text AND NOT superseded AND job_id IN (
    (SELECT job_id FROM wallet_jobs
    WHERE worker_address = @worker_address::text AND NOT superseded AND job_id LIKE @id_pattern::text
      AND (sqlc.narg(status)::text IS NULL OR status = sqlc.narg(status))
      AND (sqlc.narg(job_type)::text IS NULL OR job_type = sqlc.narg(job_type))
      AND (sqlc.narg(gpu_uuid)::text IS NULL OR gpu_uuid = sqlc.narg(gpu_uuid))
      AND (sqlc.narg(client_address)::text IS NULL OR client_address = sqlc.narg(client_address)::text)
      AND created_at >= @created_from::timestamptz AND created_at < @created_before::timestamptz
      AND (created_at, job_id) < (@place_time::timestamptz, @place_id::text)
    ORDER BY created_at DESC, job_id DESC
    LIMIT @max_rows)
    UNION
    (SELECT job_id FROM wallet_jobs
    WHERE worker_address = @worker_address::text AND NOT superseded AND error_message ILIKE @error_pattern::text
      AND status IN ('failed', 'timeout') AND error_message IS NOT NULL
      AND (sqlc.narg(status)::text IS NULL OR status = sqlc.narg(status))
      AND (sqlc.narg(job_type)::text IS NULL OR job_type = sqlc.narg(job_type))
      AND (sqlc.narg(gpu_uuid)::text IS NULL OR gpu_uuid = sqlc.narg(gpu_uuid))
      AND (sqlc.narg(client_address)::text IS NULL OR client_address = sqlc.narg(client_address)::text)
      AND created_at >= @created_from::timestamptz AND created_at < @created_before::timestamptz
      AND (created_at, job_id) < (@place_time::timestamptz, @place_id::text)
    ORDER BY created_at DESC, job_id DESC
    LIMIT @max_rows)
)
ORDER BY created_at DESC, job_id DESC
LIMIT @max_rows;

-- name: searchNewerJobs :many
-- searchNewerJobs is to searchJobs as findNewerJobs to findJobs.
SELECT * FROM wallet_jobs
WHERE worker_address = @worker_address::text AND NOT superseded AND job_id IN (
    (SELECT job_id FROM wallet_jobs
    WHERE worker_address = @worker_address::text AND NOT superseded AND job_id LIKE @id_pattern::text
      AND (sqlc.narg(status)::text IS NULL OR status = sqlc.narg(status))
      AND (sqlc.narg(job_type)::text IS NULL OR job_type = sqlc.narg(job_type))
      AND (sqlc.narg(gpu_uuid)::text IS NULL OR gpu_uuid = sqlc.narg(gpu_uuid))
      AND (sqlc.narg(client_address)::text IS NULL OR client_address = sqlc.narg(client_address)::text)
      AND created_at >= @created_from::timestamptz AND created_at < @created_before::timestamptz
      AND (created_at, job_id) > (@place_time::timestamptz, @place_id::text)
    ORDER BY created_at ASC, job_id ASC
    LIMIT @max_rows)
    UNION
    (SELECT job_id FROM wallet_jobs
    WHERE worker_address = @worker_address::text AND NOT superseded AND error_message ILIKE @error_pattern::text
      AND status IN ('failed', 'timeout') AND error_message IS NOT NULL
      AND (sqlc.narg(status)::text IS NULL OR status = sqlc.narg(status))
      AND (sqlc.narg(job_type)::text IS NULL OR job_type = sqlc.narg(job_type))
      AND (sqlc.narg(gpu_uuid)::text IS NULL OR gpu_uuid = sqlc.narg(gpu_uuid))
      AND (sqlc.narg(client_address)::text IS NULL OR client_address = sqlc.narg(client_address)::text)
      AND created_at >= @created_from::timestamptz AND created_at < @created_before::timestamptz
      AND (created_at, job_id) > (@place_time::timestamptz, @place_id::text)
    ORDER BY created_at ASC, job_id ASC
    LIMIT @max_rows)
)
ORDER BY created_at ASC, job_id ASC
LIMIT @max_rows;

-- name: addToldJobs :many
-- addToldJobs adds the jobs of a list that are not there, and returns their identifiers.
SELECT add_told_jobs(@list::jsonb)::text AS job_id;

-- name: lockJobs :many
-- lockJobs keeps others from changing jobs until the transaction ends.
SELECT job_id FROM jobs WHERE job_id = ANY(@ids::text[]) ORDER BY job_id FOR UPDATE;

-- name: mergeToldJobs :one
-- mergeToldJobs changes the jobs of a list that are there, and returns how many changed.
SELECT merge_told_jobs(@list::jsonb)::bigint AS changed;

-- name: countJobsApart :many
-- countJobsApart counts the jobs of a worker that are kept apart, by the reason, up to a most.
SELECT kept_apart::text AS reason, count(*) AS jobs
FROM (SELECT kept_apart FROM wallet_jobs WHERE worker_address = @worker_address::text AND NOT superseded AND kept_apart IS NOT NULL LIMIT @most) apart
GROUP BY kept_apart;

-- name: addReportedJobs :many
-- addReportedJobs adds a worker's own reports that are not there, and returns their identifiers.
SELECT add_reported_jobs(@list::jsonb)::text AS job_id;

-- name: lockReportedJobs :many
SELECT job_id FROM reported_jobs WHERE worker_address = @worker_address::text AND job_id = ANY(@ids::text[]) ORDER BY job_id FOR UPDATE;

-- name: mergeReportedJobs :one
SELECT merge_reported_jobs(@list::jsonb)::bigint AS changed;

-- name: jobsOfCoordinator :many
-- jobsOfCoordinator finds which of a worker's jobs the coordinator has, under any of some identifiers.
SELECT job_id FROM jobs WHERE job_id = ANY(@job_ids::text[]) AND worker_address = @worker_address::text;

-- name: supersedeReports :exec
-- supersedeReports notes which of a worker's reports, which the caller has locked, the coordinator has.
UPDATE reported_jobs SET superseded = job_key = ANY(@there::text[])
WHERE worker_address = @worker_address::text AND job_id = ANY(@ids::text[]) AND superseded <> (job_key = ANY(@there::text[]));

-- name: reportedGPU :one
-- reportedGPU is the GPU that a worker itself reported of a job.
SELECT gpu_uuid::text AS gpu_uuid FROM reported_jobs
WHERE worker_address = @worker_address::text AND job_key = @job_key::text AND gpu_uuid IS NOT NULL ORDER BY changed_at DESC LIMIT 1;

-- name: followReportChecks :exec
SELECT follow_report_checks();

-- name: limitStatements :exec
-- limitStatements bounds how many milliseconds each further statement of the transaction may run.
SELECT set_config('statement_timeout', @milliseconds::text, true);
