-- name: lockPayments :one
-- lockPayments says whether nobody else folds payments now.
SELECT pg_try_advisory_xact_lock(hashtext('fold payments'));

-- name: foldPayments :one
-- foldPayments adds some of the changes that wait, and says how many there were.
SELECT fold_payments(@most::bigint)::bigint;

-- name: reconciledSince :many
-- reconciledSince counts a worker's jobs of a state since each of several times, all in
-- microseconds since 1970: the rest of the first UTC day from the jobs, and the days after it
-- from reconciled_days.
SELECT COALESCE(sum(parts.jobs), 0)::bigint AS jobs, COALESCE(sum(parts.recorded), 0)::numeric AS recorded,
       COALESCE(sum(parts.chain), 0)::numeric AS chain, COALESCE(sum(parts.short), 0)::numeric AS short
FROM unnest(@since::bigint[]) WITH ORDINALITY AS part(since, number)
LEFT JOIN LATERAL (
    SELECT count(*) AS jobs, sum(j.recorded_wei) AS recorded, sum(j.chain_wei) AS chain, sum(GREATEST(j.recorded_wei - j.chain_wei, 0)) AS short
    FROM reconciled_jobs j
    WHERE j.worker_address = @worker_address::text AND j.state = (@states::text[])[part.number] AND j.at_us >= part.since
      AND j.at_us < (day_of(part.since) - date '1970-01-01' + 1) * 86400000000
    UNION ALL
    SELECT sum(d.jobs), sum(d.recorded_wei), sum(d.chain_wei), sum(d.short_wei)
    FROM reconciled_days d
    WHERE d.worker_address = @worker_address::text AND d.state = (@states::text[])[part.number] AND d.day > day_of(part.since)
) parts ON true
GROUP BY part.number
ORDER BY part.number;

-- name: paymentsWaitingSince :one
-- paymentsWaitingSince is about when the oldest change that waits to be folded was made.
SELECT changed_at FROM payment_changes LIMIT 1;

-- name: eventsWaitingSince :one
-- eventsWaitingSince is the time, in microseconds since 1970, of the block of the oldest of a
-- worker's events of the chain that wait to be folded.
SELECT floor(told_us / (releases + payments))::bigint AS oldest FROM payment_changes
WHERE worker_address = @worker_address AND releases + payments <> 0
ORDER BY told_us / (releases + payments)
LIMIT 1;

-- name: listReconciled :many
-- listReconciled lists a worker's jobs of a state whose time lies in a range, below a place,
-- newest first.
SELECT * FROM reconciled_jobs
WHERE worker_address = @worker_address AND state = @state
  AND at_us >= @from_us::bigint AND at_us < @to_us::bigint AND (at_us, job_key) < (@place_us::bigint, @place_key::text)
ORDER BY at_us DESC, job_key DESC
LIMIT @max_rows;

-- name: jobsOfReconciled :many
-- jobsOfReconciled finds the rows of jobs that stand behind some of a worker's reconciled
-- ones: completed and paid ones by the time of their end, others by the ways in which
-- numbers are written.
SELECT job_id, status, payment_amount, (self_reported AND paid_at IS NULL)::boolean AS self_reported FROM wallet_jobs
WHERE worker_address = @worker_address::text AND NOT superseded AND status = 'completed' AND payment_amount IS NOT NULL
  AND COALESCE(completed_at, created_at) = ANY(@ended::timestamptz[])
UNION
SELECT job_id, status, payment_amount, (self_reported AND paid_at IS NULL)::boolean AS self_reported FROM wallet_jobs
WHERE worker_address = @worker_address::text AND NOT superseded AND job_id = ANY(@spellings::text[]);

-- name: paymentsOfJobs :many
-- paymentsOfJobs lists a worker's payments on chain for some jobs, oldest first.
SELECT * FROM chain_payments
WHERE job_id = ANY(@jobs::text[]) AND worker_address = @worker_address
ORDER BY block_number, kind DESC, place, event_index; -- what was released before what was paid of it

-- name: walletClaims :many
-- walletClaims lists all claims of a wallet, newest first.
SELECT * FROM reward_claims WHERE address = @address ORDER BY claim_time DESC, tx_hash DESC;

-- name: walletClaimEvents :many
-- walletClaimEvents sums what ProverStaking told that each transaction claimed for a wallet.
SELECT tx_hash, sum(amount)::numeric AS amount, max(block_number)::bigint AS block_number, max(block_hash)::text AS block_hash, max(block_time)::timestamptz AS block_time
FROM stake_events
WHERE worker_address = @worker_address AND kind = 'rewards_claimed'
GROUP BY tx_hash;

-- name: noteFirstBlock :exec
-- noteFirstBlock notes when the first block that is read of a contract was made.
UPDATE chain_index_contracts SET first_time = @first_time WHERE contract_address = @contract_address AND first_block = @first_block;
