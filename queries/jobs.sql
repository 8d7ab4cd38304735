-- name: getJob :one
SELECT * FROM jobs WHERE job_id = @job_id AND worker_address = @worker_address::text;

-- name: listJobs :many
SELECT * FROM jobs
WHERE worker_address = @worker_address::text
  AND (created_at, job_id) < (@before::timestamptz, @before_id::text)
ORDER BY created_at DESC, job_id DESC
LIMIT @max_rows;

-- name: listJobsByStatus :many
SELECT * FROM jobs
WHERE worker_address = @worker_address::text AND status = @status
  AND (created_at, job_id) < (@before::timestamptz, @before_id::text)
ORDER BY created_at DESC, job_id DESC
LIMIT @max_rows;

-- name: countJobsSubmittedSince :one
SELECT count(*) FILTER (WHERE created_at >= @day_ago::timestamptz) AS last_24h, count(*) AS last_7d
FROM jobs
WHERE worker_address = @worker_address::text AND created_at >= @week_ago::timestamptz;

-- name: countJobsCompletedSince :one
-- countJobsCompletedSince counts over all workers.
SELECT count(*) FROM jobs
WHERE status = 'completed' AND COALESCE(completed_at, created_at) >= @since::timestamptz;
