-- name: getJob :one
-- getJob reads the first of a worker's jobs under some identifiers.
SELECT * FROM jobs WHERE job_id = ANY(@job_ids::text[]) AND worker_address = @worker_address::text
ORDER BY array_position(@job_ids::text[], job_id) LIMIT 1;

-- name: findJobs :many
-- findJobs lists jobs below a place, newest first. What is NULL is not asked for:
-- connections plan each query for its own values (see Config), so it costs nothing.
SELECT * FROM jobs
WHERE worker_address = @worker_address::text
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
SELECT * FROM jobs
WHERE worker_address = @worker_address::text
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
SELECT * FROM jobs
WHERE job_id IN (
    (SELECT job_id FROM jobs
    WHERE worker_address = @worker_address::text AND job_id LIKE @id_pattern::text
      AND (sqlc.narg(status)::text IS NULL OR status = sqlc.narg(status))
      AND (sqlc.narg(job_type)::text IS NULL OR job_type = sqlc.narg(job_type))
      AND (sqlc.narg(gpu_uuid)::text IS NULL OR gpu_uuid = sqlc.narg(gpu_uuid))
      AND (sqlc.narg(client_address)::text IS NULL OR client_address = sqlc.narg(client_address)::text)
      AND created_at >= @created_from::timestamptz AND created_at < @created_before::timestamptz
      AND (created_at, job_id) < (@place_time::timestamptz, @place_id::text)
    ORDER BY created_at DESC, job_id DESC
    LIMIT @max_rows)
    UNION
    (SELECT job_id FROM jobs
    WHERE worker_address = @worker_address::text AND error_message ILIKE @error_pattern::text
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
SELECT * FROM jobs
WHERE job_id IN (
    (SELECT job_id FROM jobs
    WHERE worker_address = @worker_address::text AND job_id LIKE @id_pattern::text
      AND (sqlc.narg(status)::text IS NULL OR status = sqlc.narg(status))
      AND (sqlc.narg(job_type)::text IS NULL OR job_type = sqlc.narg(job_type))
      AND (sqlc.narg(gpu_uuid)::text IS NULL OR gpu_uuid = sqlc.narg(gpu_uuid))
      AND (sqlc.narg(client_address)::text IS NULL OR client_address = sqlc.narg(client_address)::text)
      AND created_at >= @created_from::timestamptz AND created_at < @created_before::timestamptz
      AND (created_at, job_id) > (@place_time::timestamptz, @place_id::text)
    ORDER BY created_at ASC, job_id ASC
    LIMIT @max_rows)
    UNION
    (SELECT job_id FROM jobs
    WHERE worker_address = @worker_address::text AND error_message ILIKE @error_pattern::text
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
SELECT job_id, worker_address FROM jobs WHERE job_id = ANY(@ids::text[]) ORDER BY job_id FOR UPDATE;

-- name: mergeToldJobs :one
-- mergeToldJobs changes the jobs of a list that are there, and returns how many changed.
SELECT merge_told_jobs(@list::jsonb)::bigint AS changed;

-- name: countJobsApart :many
-- countJobsApart counts the jobs of a worker that are kept apart, by the reason, up to a most.
SELECT kept_apart::text AS reason, count(*) AS jobs
FROM (SELECT kept_apart FROM jobs WHERE worker_address = @worker_address::text AND kept_apart IS NOT NULL LIMIT @most) apart
GROUP BY kept_apart;
