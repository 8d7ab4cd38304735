-- name: jobsByPayment :many
-- jobsByPayment lists jobs of any state and type, or of all, from a place upwards by their
-- payment: the nearest of each kind of jobs, and of those the nearest of all. Jobs without a
-- payment are a list of their own that comes after the others in either order. known_rows and
-- unknown_rows say how many may come of each, and unknown_first that the page is looked for
-- against the order.
SELECT j.* FROM (
    SELECT found.job_id, found.self_reported, found.value
    FROM (SELECT t.status, t.job_type FROM job_totals t
          WHERE t.worker_address = @worker_address::text
            AND (sqlc.narg(status)::text IS NULL OR t.status = sqlc.narg(status))
            AND (sqlc.narg(job_type)::text IS NULL OR t.job_type = sqlc.narg(job_type))
          GROUP BY t.status, t.job_type HAVING sum(t.jobs) > 0) kinds
    CROSS JOIN LATERAL (
        (SELECT j.job_id, j.self_reported, j.payment_amount AS value FROM wallet_jobs j
        WHERE j.worker_address = @worker_address::text AND NOT j.superseded AND j.status = kinds.status AND j.job_type = kinds.job_type
          AND (j.payment_amount, j.job_id) > (COALESCE(sqlc.narg(place_value)::numeric, -1), @place_id::text)
        ORDER BY j.payment_amount ASC, j.job_id ASC
        LIMIT @known_rows)
        UNION ALL
        (SELECT j.job_id, j.self_reported, NULL FROM wallet_jobs j
        WHERE j.worker_address = @worker_address::text AND NOT j.superseded AND j.status = kinds.status AND j.job_type = kinds.job_type
          AND j.payment_amount IS NULL AND (sqlc.narg(unknown_id)::text IS NULL OR j.job_id > sqlc.narg(unknown_id))
        ORDER BY j.payment_amount ASC, j.job_id ASC
        LIMIT @unknown_rows)
    ) found
    ORDER BY (found.value IS NULL) = @unknown_first::boolean DESC, found.value ASC, found.job_id ASC
    LIMIT @max_rows
) page
JOIN wallet_jobs j ON j.job_id = page.job_id AND j.self_reported = page.self_reported AND j.worker_address = @worker_address::text
ORDER BY (page.value IS NULL) = @unknown_first::boolean DESC, page.value ASC, page.job_id ASC;

-- name: jobsByPaymentDown :many
-- jobsByPaymentDown is jobsByPayment downwards.
SELECT j.* FROM (
    SELECT found.job_id, found.self_reported, found.value
    FROM (SELECT t.status, t.job_type FROM job_totals t
          WHERE t.worker_address = @worker_address::text
            AND (sqlc.narg(status)::text IS NULL OR t.status = sqlc.narg(status))
            AND (sqlc.narg(job_type)::text IS NULL OR t.job_type = sqlc.narg(job_type))
          GROUP BY t.status, t.job_type HAVING sum(t.jobs) > 0) kinds
    CROSS JOIN LATERAL (
        (SELECT j.job_id, j.self_reported, j.payment_amount AS value FROM wallet_jobs j
        WHERE j.worker_address = @worker_address::text AND NOT j.superseded AND j.status = kinds.status AND j.job_type = kinds.job_type
          AND (j.payment_amount, j.job_id) < (COALESCE(sqlc.narg(place_value)::numeric, 1e78), @place_id::text)
        ORDER BY j.payment_amount DESC, j.job_id DESC
        LIMIT @known_rows)
        UNION ALL
        (SELECT j.job_id, j.self_reported, NULL FROM wallet_jobs j
        WHERE j.worker_address = @worker_address::text AND NOT j.superseded AND j.status = kinds.status AND j.job_type = kinds.job_type
          AND j.payment_amount IS NULL AND (sqlc.narg(unknown_id)::text IS NULL OR j.job_id < sqlc.narg(unknown_id))
        ORDER BY j.payment_amount DESC, j.job_id DESC
        LIMIT @unknown_rows)
    ) found
    ORDER BY (found.value IS NULL) = @unknown_first::boolean DESC, found.value DESC, found.job_id DESC
    LIMIT @max_rows
) page
JOIN wallet_jobs j ON j.job_id = page.job_id AND j.self_reported = page.self_reported AND j.worker_address = @worker_address::text
ORDER BY (page.value IS NULL) = @unknown_first::boolean DESC, page.value DESC, page.job_id DESC;

-- name: jobsByDuration :many
-- jobsByDuration is jobsByPayment by the duration.
SELECT j.* FROM (
    SELECT found.job_id, found.self_reported, found.value
    FROM (SELECT t.status, t.job_type FROM job_totals t
          WHERE t.worker_address = @worker_address::text
            AND (sqlc.narg(status)::text IS NULL OR t.status = sqlc.narg(status))
            AND (sqlc.narg(job_type)::text IS NULL OR t.job_type = sqlc.narg(job_type))
          GROUP BY t.status, t.job_type HAVING sum(t.jobs) > 0) kinds
    CROSS JOIN LATERAL (
        (SELECT j.job_id, j.self_reported, job_duration_ms(j.execution_time_ms, j.assigned_at, j.completed_at) AS value FROM wallet_jobs j
        WHERE j.worker_address = @worker_address::text AND NOT j.superseded AND j.status = kinds.status AND j.job_type = kinds.job_type
          AND (job_duration_ms(j.execution_time_ms, j.assigned_at, j.completed_at), j.job_id) > (COALESCE(sqlc.narg(place_value)::bigint, -1), @place_id::text)
        ORDER BY job_duration_ms(j.execution_time_ms, j.assigned_at, j.completed_at) ASC, j.job_id ASC
        LIMIT @known_rows)
        UNION ALL
        (SELECT j.job_id, j.self_reported, NULL FROM wallet_jobs j
        WHERE j.worker_address = @worker_address::text AND NOT j.superseded AND j.status = kinds.status AND j.job_type = kinds.job_type
          AND job_duration_ms(j.execution_time_ms, j.assigned_at, j.completed_at) IS NULL AND (sqlc.narg(unknown_id)::text IS NULL OR j.job_id > sqlc.narg(unknown_id))
        ORDER BY job_duration_ms(j.execution_time_ms, j.assigned_at, j.completed_at) ASC, j.job_id ASC
        LIMIT @unknown_rows)
    ) found
    ORDER BY (found.value IS NULL) = @unknown_first::boolean DESC, found.value ASC, found.job_id ASC
    LIMIT @max_rows
) page
JOIN wallet_jobs j ON j.job_id = page.job_id AND j.self_reported = page.self_reported AND j.worker_address = @worker_address::text
ORDER BY (page.value IS NULL) = @unknown_first::boolean DESC, page.value ASC, page.job_id ASC;

-- name: jobsByDurationDown :many
-- jobsByDurationDown is jobsByDuration downwards.
SELECT j.* FROM (
    SELECT found.job_id, found.self_reported, found.value
    FROM (SELECT t.status, t.job_type FROM job_totals t
          WHERE t.worker_address = @worker_address::text
            AND (sqlc.narg(status)::text IS NULL OR t.status = sqlc.narg(status))
            AND (sqlc.narg(job_type)::text IS NULL OR t.job_type = sqlc.narg(job_type))
          GROUP BY t.status, t.job_type HAVING sum(t.jobs) > 0) kinds
    CROSS JOIN LATERAL (
        (SELECT j.job_id, j.self_reported, job_duration_ms(j.execution_time_ms, j.assigned_at, j.completed_at) AS value FROM wallet_jobs j
        WHERE j.worker_address = @worker_address::text AND NOT j.superseded AND j.status = kinds.status AND j.job_type = kinds.job_type
          AND (job_duration_ms(j.execution_time_ms, j.assigned_at, j.completed_at), j.job_id) < (COALESCE(sqlc.narg(place_value)::bigint, 9223372036854775807), @place_id::text)
        ORDER BY job_duration_ms(j.execution_time_ms, j.assigned_at, j.completed_at) DESC, j.job_id DESC
        LIMIT @known_rows)
        UNION ALL
        (SELECT j.job_id, j.self_reported, NULL FROM wallet_jobs j
        WHERE j.worker_address = @worker_address::text AND NOT j.superseded AND j.status = kinds.status AND j.job_type = kinds.job_type
          AND job_duration_ms(j.execution_time_ms, j.assigned_at, j.completed_at) IS NULL AND (sqlc.narg(unknown_id)::text IS NULL OR j.job_id < sqlc.narg(unknown_id))
        ORDER BY job_duration_ms(j.execution_time_ms, j.assigned_at, j.completed_at) DESC, j.job_id DESC
        LIMIT @unknown_rows)
    ) found
    ORDER BY (found.value IS NULL) = @unknown_first::boolean DESC, found.value DESC, found.job_id DESC
    LIMIT @max_rows
) page
JOIN wallet_jobs j ON j.job_id = page.job_id AND j.self_reported = page.self_reported AND j.worker_address = @worker_address::text
ORDER BY (page.value IS NULL) = @unknown_first::boolean DESC, page.value DESC, page.job_id DESC;

-- name: sortFoundJobs :many
-- sortFoundJobs sorts the newest of the jobs that any filters let through: no index can
-- hold all of them in each order, so it considers some at most.
WITH picked AS MATERIALIZED (
    SELECT job_id, self_reported, created_at, CASE WHEN @by_payment::boolean THEN payment_amount ELSE job_duration_ms(execution_time_ms, assigned_at, completed_at) END AS value
    FROM wallet_jobs
    WHERE worker_address = @worker_address::text AND NOT superseded
      AND (sqlc.narg(status)::text IS NULL OR status = sqlc.narg(status))
      AND (sqlc.narg(job_type)::text IS NULL OR job_type = sqlc.narg(job_type))
      AND (sqlc.narg(gpu_uuid)::text IS NULL OR gpu_uuid = sqlc.narg(gpu_uuid))
      AND (sqlc.narg(client_address)::text IS NULL OR client_address = sqlc.narg(client_address)::text)
      AND created_at >= @created_from::timestamptz AND created_at < @created_before::timestamptz
    ORDER BY created_at DESC, job_id DESC
    LIMIT @considered
), page AS (
    SELECT job_id, self_reported, value FROM picked
    WHERE (@known_rows::integer > 0 AND CASE WHEN @upwards::boolean
               THEN (value, job_id) > (COALESCE(sqlc.narg(place_value)::numeric, -1), @place_id::text)
               ELSE (value, job_id) < (COALESCE(sqlc.narg(place_value)::numeric, 1e78), @place_id::text) END)
       OR (@unknown_rows::integer > 0 AND value IS NULL AND (sqlc.narg(unknown_id)::text IS NULL
               OR CASE WHEN @upwards::boolean THEN job_id > sqlc.narg(unknown_id)::text ELSE job_id < sqlc.narg(unknown_id)::text END))
    ORDER BY (value IS NULL) = @unknown_first::boolean DESC, CASE WHEN @upwards::boolean THEN value ELSE -value END,
             CASE WHEN @upwards::boolean THEN job_id END, CASE WHEN NOT @upwards::boolean THEN job_id END DESC
    LIMIT @max_rows
)
SELECT j.* FROM page JOIN wallet_jobs j ON j.job_id = page.job_id AND j.self_reported = page.self_reported AND j.worker_address = @worker_address::text
ORDER BY (page.value IS NULL) = @unknown_first::boolean DESC, CASE WHEN @upwards::boolean THEN page.value ELSE -page.value END,
         CASE WHEN @upwards::boolean THEN page.job_id END, CASE WHEN NOT @upwards::boolean THEN page.job_id END DESC;

-- name: sortSearchedJobs :many
-- sortSearchedJobs is to searchJobs as sortFoundJobs to findJobs.
WITH picked AS MATERIALIZED (
    (SELECT job_id, self_reported, created_at, CASE WHEN @by_payment::boolean THEN payment_amount ELSE job_duration_ms(execution_time_ms, assigned_at, completed_at) END AS value
    FROM wallet_jobs
    WHERE worker_address = @worker_address::text AND NOT superseded AND job_id LIKE @id_pattern::text
      AND (sqlc.narg(status)::text IS NULL OR status = sqlc.narg(status))
      AND (sqlc.narg(job_type)::text IS NULL OR job_type = sqlc.narg(job_type))
      AND (sqlc.narg(gpu_uuid)::text IS NULL OR gpu_uuid = sqlc.narg(gpu_uuid))
      AND (sqlc.narg(client_address)::text IS NULL OR client_address = sqlc.narg(client_address)::text)
      AND created_at >= @created_from::timestamptz AND created_at < @created_before::timestamptz
    ORDER BY created_at DESC, job_id DESC
    LIMIT @considered)
    UNION
    (SELECT job_id, self_reported, created_at, CASE WHEN @by_payment::boolean THEN payment_amount ELSE job_duration_ms(execution_time_ms, assigned_at, completed_at) END AS value
    FROM wallet_jobs
    WHERE worker_address = @worker_address::text AND NOT superseded AND error_message ILIKE @error_pattern::text
      AND status IN ('failed', 'timeout') AND error_message IS NOT NULL
      AND (sqlc.narg(status)::text IS NULL OR status = sqlc.narg(status))
      AND (sqlc.narg(job_type)::text IS NULL OR job_type = sqlc.narg(job_type))
      AND (sqlc.narg(gpu_uuid)::text IS NULL OR gpu_uuid = sqlc.narg(gpu_uuid))
      AND (sqlc.narg(client_address)::text IS NULL OR client_address = sqlc.narg(client_address)::text)
      AND created_at >= @created_from::timestamptz AND created_at < @created_before::timestamptz
    ORDER BY created_at DESC, job_id DESC
    LIMIT @considered)
    ORDER BY created_at DESC, job_id DESC
    LIMIT @considered
), page AS (
    SELECT job_id, self_reported, value FROM picked
    WHERE (@known_rows::integer > 0 AND CASE WHEN @upwards::boolean
               THEN (value, job_id) > (COALESCE(sqlc.narg(place_value)::numeric, -1), @place_id::text)
               ELSE (value, job_id) < (COALESCE(sqlc.narg(place_value)::numeric, 1e78), @place_id::text) END)
       OR (@unknown_rows::integer > 0 AND value IS NULL AND (sqlc.narg(unknown_id)::text IS NULL
               OR CASE WHEN @upwards::boolean THEN job_id > sqlc.narg(unknown_id)::text ELSE job_id < sqlc.narg(unknown_id)::text END))
    ORDER BY (value IS NULL) = @unknown_first::boolean DESC, CASE WHEN @upwards::boolean THEN value ELSE -value END,
             CASE WHEN @upwards::boolean THEN job_id END, CASE WHEN NOT @upwards::boolean THEN job_id END DESC
    LIMIT @max_rows
)
SELECT j.* FROM page JOIN wallet_jobs j ON j.job_id = page.job_id AND j.self_reported = page.self_reported AND j.worker_address = @worker_address::text
ORDER BY (page.value IS NULL) = @unknown_first::boolean DESC, CASE WHEN @upwards::boolean THEN page.value ELSE -page.value END,
         CASE WHEN @upwards::boolean THEN page.job_id END, CASE WHEN NOT @upwards::boolean THEN page.job_id END DESC;

-- name: firstUnsortedJob :one
-- firstUnsortedJob is the time of the newest job that sortFoundJobs does not consider.
SELECT created_at FROM wallet_jobs
WHERE worker_address = @worker_address::text AND NOT superseded
  AND (sqlc.narg(status)::text IS NULL OR status = sqlc.narg(status))
  AND (sqlc.narg(job_type)::text IS NULL OR job_type = sqlc.narg(job_type))
  AND (sqlc.narg(gpu_uuid)::text IS NULL OR gpu_uuid = sqlc.narg(gpu_uuid))
  AND (sqlc.narg(client_address)::text IS NULL OR client_address = sqlc.narg(client_address)::text)
  AND created_at >= @created_from::timestamptz AND created_at < @created_before::timestamptz
ORDER BY created_at DESC, job_id DESC
OFFSET @considered LIMIT 1;

-- name: firstUnsortedSearchedJob :one
-- firstUnsortedSearchedJob is the same of sortSearchedJobs.
SELECT created_at FROM (
    (SELECT job_id, created_at FROM wallet_jobs
    WHERE worker_address = @worker_address::text AND NOT superseded AND job_id LIKE @id_pattern::text
      AND (sqlc.narg(status)::text IS NULL OR status = sqlc.narg(status))
      AND (sqlc.narg(job_type)::text IS NULL OR job_type = sqlc.narg(job_type))
      AND (sqlc.narg(gpu_uuid)::text IS NULL OR gpu_uuid = sqlc.narg(gpu_uuid))
      AND (sqlc.narg(client_address)::text IS NULL OR client_address = sqlc.narg(client_address)::text)
      AND created_at >= @created_from::timestamptz AND created_at < @created_before::timestamptz
    ORDER BY created_at DESC, job_id DESC
    LIMIT @looked_at)
    UNION
    (SELECT job_id, created_at FROM wallet_jobs
    WHERE worker_address = @worker_address::text AND NOT superseded AND error_message ILIKE @error_pattern::text
      AND status IN ('failed', 'timeout') AND error_message IS NOT NULL
      AND (sqlc.narg(status)::text IS NULL OR status = sqlc.narg(status))
      AND (sqlc.narg(job_type)::text IS NULL OR job_type = sqlc.narg(job_type))
      AND (sqlc.narg(gpu_uuid)::text IS NULL OR gpu_uuid = sqlc.narg(gpu_uuid))
      AND (sqlc.narg(client_address)::text IS NULL OR client_address = sqlc.narg(client_address)::text)
      AND created_at >= @created_from::timestamptz AND created_at < @created_before::timestamptz
    ORDER BY created_at DESC, job_id DESC
    LIMIT @looked_at)
    ORDER BY created_at DESC, job_id DESC
    OFFSET @considered LIMIT 1
) found;
