-- Earnings are rows of two tables: payments of completed jobs, and confirmed claims that
-- are not of kind job.

-- name: listEarnings :many
-- listEarnings lets each table hand over its newest rows in order, so that it reads no
-- more than the rows up to the end of the page.
SELECT e.earned_at, e.amount, e.kind, e.job_id, e.self_reported, e.tx_hash
FROM (
    (SELECT COALESCE(j.completed_at, j.created_at)::timestamptz AS earned_at, j.payment_amount::numeric AS amount,
            'job' AS kind, j.job_id, 0::bigint AS claim_id, false AS self_reported, j.tx_hash
     FROM jobs j
     WHERE j.worker_address = @address::text AND j.status = 'completed' AND j.payment_amount IS NOT NULL AND j.kept_apart IS DISTINCT FROM 'ahead'
       AND COALESCE(j.completed_at, j.created_at) >= @since::timestamptz
     ORDER BY COALESCE(j.completed_at, j.created_at) DESC, j.job_id DESC
     LIMIT @page_end::bigint)
    UNION ALL
    (SELECT COALESCE(j.completed_at, j.created_at)::timestamptz AS earned_at, j.payment_amount::numeric AS amount,
            'job' AS kind, j.job_id, 0::bigint AS claim_id, j.paid_at IS NULL, j.tx_hash
     FROM reported_jobs j
     WHERE j.worker_address = @address::text AND NOT j.superseded AND j.status = 'completed' AND j.payment_amount IS NOT NULL AND j.kept_apart IS DISTINCT FROM 'ahead'
       AND COALESCE(j.completed_at, j.created_at) >= @since::timestamptz
     ORDER BY COALESCE(j.completed_at, j.created_at) DESC, j.job_id DESC
     LIMIT @page_end::bigint)
    UNION ALL
    (SELECT c.claim_time, c.amount::numeric, c.claim_type, '' AS job_id, c.id, false, c.tx_hash
     FROM reward_claims c
     WHERE c.address = @address::text AND c.status = 'confirmed' AND c.claim_type <> 'job' AND c.kept_apart IS NULL
       AND c.claim_time >= @since::timestamptz
     ORDER BY c.claim_time DESC, c.id DESC
     LIMIT @page_end::bigint)
) e
ORDER BY e.earned_at DESC, e.job_id DESC, e.claim_id DESC
LIMIT @max_rows OFFSET @skip_rows;

-- name: firstEarning :one
SELECT e.earned_at FROM (
    (SELECT COALESCE(j.completed_at, j.created_at)::timestamptz AS earned_at FROM jobs j
     WHERE j.worker_address = @address::text AND j.status = 'completed' AND j.payment_amount IS NOT NULL AND j.kept_apart IS DISTINCT FROM 'ahead'
     ORDER BY COALESCE(j.completed_at, j.created_at), j.job_id LIMIT 1)
    UNION ALL
    (SELECT COALESCE(j.completed_at, j.created_at)::timestamptz AS earned_at FROM reported_jobs j
     WHERE j.worker_address = @address::text AND NOT j.superseded AND j.status = 'completed' AND j.payment_amount IS NOT NULL AND j.kept_apart IS DISTINCT FROM 'ahead'
     ORDER BY COALESCE(j.completed_at, j.created_at), j.job_id LIMIT 1)
    UNION ALL
    (SELECT c.claim_time FROM reward_claims c
     WHERE c.address = @address::text AND c.status = 'confirmed' AND c.claim_type <> 'job' AND c.kept_apart IS NULL
     ORDER BY c.claim_time LIMIT 1)
) e
ORDER BY e.earned_at
LIMIT 1;

-- name: findEarnings :many
-- findEarnings lists earnings below a place, newest first; at one moment jobs stand above claims.
SELECT e.earned_at, e.amount, e.kind, e.job_id, e.claim_id, e.self_reported, e.tx_hash, e.block_number,
       COALESCE(p.price::text, '')::text AS price, COALESCE(p.currency, '')::text AS price_currency, COALESCE(p.source, '')::text AS price_source,
       p.observed_at AS price_at, COALESCE(p.by_hand, false)::boolean AS price_by_hand
FROM (
    (SELECT COALESCE(j.completed_at, j.created_at)::timestamptz AS earned_at, j.payment_amount::numeric AS amount,
            'job' AS kind, j.job_id, 0::bigint AS claim_id, false AS self_reported, j.tx_hash, j.block_number
     FROM jobs j
     WHERE j.worker_address = @address::text AND j.status = 'completed' AND j.payment_amount IS NOT NULL AND j.kept_apart IS DISTINCT FROM 'ahead'
       AND COALESCE(j.completed_at, j.created_at) >= @earned_from::timestamptz AND COALESCE(j.completed_at, j.created_at) < @earned_before::timestamptz
       AND (COALESCE(j.completed_at, j.created_at), j.job_id) < (@place_time::timestamptz, @place_job::text)
     ORDER BY COALESCE(j.completed_at, j.created_at) DESC, j.job_id DESC
     LIMIT @max_rows)
    UNION ALL
    (SELECT COALESCE(j.completed_at, j.created_at)::timestamptz AS earned_at, j.payment_amount::numeric AS amount,
            'job' AS kind, j.job_id, 0::bigint AS claim_id, j.paid_at IS NULL, j.tx_hash, j.block_number
     FROM reported_jobs j
     WHERE j.worker_address = @address::text AND NOT j.superseded AND j.status = 'completed' AND j.payment_amount IS NOT NULL AND j.kept_apart IS DISTINCT FROM 'ahead'
       AND COALESCE(j.completed_at, j.created_at) >= @earned_from::timestamptz AND COALESCE(j.completed_at, j.created_at) < @earned_before::timestamptz
       AND (COALESCE(j.completed_at, j.created_at), j.job_id) < (@place_time::timestamptz, @place_job::text)
     ORDER BY COALESCE(j.completed_at, j.created_at) DESC, j.job_id DESC
     LIMIT @max_rows)
    UNION ALL
    (SELECT c.claim_time, c.amount::numeric, c.claim_type, '' AS job_id, c.id, false, c.tx_hash, c.block_number
     FROM reward_claims c
     WHERE c.address = @address::text AND c.status = 'confirmed' AND c.claim_type <> 'job' AND c.kept_apart IS NULL
       AND c.claim_time >= @earned_from::timestamptz AND c.claim_time < @earned_before::timestamptz
       AND (c.claim_time, c.id) < (@place_time::timestamptz, @place_claim::bigint)
     ORDER BY c.claim_time DESC, c.id DESC
     LIMIT @max_rows)
) e
LEFT JOIN claim_prices p ON p.address = @address::text AND p.tx_hash = e.tx_hash AND e.job_id = ''
ORDER BY e.earned_at DESC, e.job_id DESC, e.claim_id DESC
LIMIT @max_rows;

-- name: findNewerEarnings :many
-- findNewerEarnings lists the earnings above that place, oldest first.
SELECT e.earned_at, e.amount, e.kind, e.job_id, e.claim_id, e.self_reported, e.tx_hash, e.block_number,
       COALESCE(p.price::text, '')::text AS price, COALESCE(p.currency, '')::text AS price_currency, COALESCE(p.source, '')::text AS price_source,
       p.observed_at AS price_at, COALESCE(p.by_hand, false)::boolean AS price_by_hand
FROM (
    (SELECT COALESCE(j.completed_at, j.created_at)::timestamptz AS earned_at, j.payment_amount::numeric AS amount,
            'job' AS kind, j.job_id, 0::bigint AS claim_id, false AS self_reported, j.tx_hash, j.block_number
     FROM jobs j
     WHERE j.worker_address = @address::text AND j.status = 'completed' AND j.payment_amount IS NOT NULL AND j.kept_apart IS DISTINCT FROM 'ahead'
       AND COALESCE(j.completed_at, j.created_at) >= @earned_from::timestamptz AND COALESCE(j.completed_at, j.created_at) < @earned_before::timestamptz
       AND (COALESCE(j.completed_at, j.created_at), j.job_id) > (@place_time::timestamptz, @place_job::text)
     ORDER BY COALESCE(j.completed_at, j.created_at) ASC, j.job_id ASC
     LIMIT @max_rows)
    UNION ALL
    (SELECT COALESCE(j.completed_at, j.created_at)::timestamptz AS earned_at, j.payment_amount::numeric AS amount,
            'job' AS kind, j.job_id, 0::bigint AS claim_id, j.paid_at IS NULL, j.tx_hash, j.block_number
     FROM reported_jobs j
     WHERE j.worker_address = @address::text AND NOT j.superseded AND j.status = 'completed' AND j.payment_amount IS NOT NULL AND j.kept_apart IS DISTINCT FROM 'ahead'
       AND COALESCE(j.completed_at, j.created_at) >= @earned_from::timestamptz AND COALESCE(j.completed_at, j.created_at) < @earned_before::timestamptz
       AND (COALESCE(j.completed_at, j.created_at), j.job_id) > (@place_time::timestamptz, @place_job::text)
     ORDER BY COALESCE(j.completed_at, j.created_at) ASC, j.job_id ASC
     LIMIT @max_rows)
    UNION ALL
    (SELECT c.claim_time, c.amount::numeric, c.claim_type, '' AS job_id, c.id, false, c.tx_hash, c.block_number
     FROM reward_claims c
     WHERE c.address = @address::text AND c.status = 'confirmed' AND c.claim_type <> 'job' AND c.kept_apart IS NULL
       AND c.claim_time >= @earned_from::timestamptz AND c.claim_time < @earned_before::timestamptz
       AND (c.claim_time, c.id) > (@place_time::timestamptz, @place_claim::bigint)
     ORDER BY c.claim_time ASC, c.id ASC
     LIMIT @max_rows)
) e
LEFT JOIN claim_prices p ON p.address = @address::text AND p.tx_hash = e.tx_hash AND e.job_id = ''
ORDER BY e.earned_at ASC, e.job_id ASC, e.claim_id ASC
LIMIT @max_rows;
