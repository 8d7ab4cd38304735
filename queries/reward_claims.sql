-- name: submitClaim :exec
INSERT INTO reward_claims (address, claim_type, claim_time, tx_hash, status)
VALUES (@address, @claim_type, @claim_time, @tx_hash, 'submitted')
ON CONFLICT (address, tx_hash) DO UPDATE
SET from_event = false,
    status = CASE reward_claims.status WHEN 'expired' THEN 'submitted' ELSE reward_claims.status END,
    claim_time = CASE reward_claims.status WHEN 'expired' THEN excluded.claim_time ELSE reward_claims.claim_time END,
    failure = CASE reward_claims.status WHEN 'expired' THEN NULL ELSE reward_claims.failure END
WHERE reward_claims.from_event OR reward_claims.status = 'expired';

-- name: lockClaims :exec
-- lockClaims lets one transaction at a time add claims of a wallet.
SELECT pg_advisory_xact_lock(hashtextextended('claims of ' || @address::text, 0));

-- name: countOtherOpenClaims :one
SELECT count(*) FROM reward_claims WHERE address = @address AND status = 'submitted' AND tx_hash <> @tx_hash;

-- name: getClaim :one
SELECT * FROM reward_claims WHERE address = @address AND tx_hash = @tx_hash;

-- name: listClaims :many
SELECT * FROM reward_claims
WHERE address = @address
ORDER BY claim_time DESC, tx_hash DESC
LIMIT @max_rows;

-- name: listOpenClaims :many
-- listOpenClaims takes the wallets in turn: the newest claim of each, then the second newest.
SELECT * FROM reward_claims
WHERE status = 'submitted'
ORDER BY row_number() OVER (PARTITION BY address ORDER BY claim_time DESC), claim_time DESC, address
LIMIT @max_rows;

-- name: settleClaim :execrows
UPDATE reward_claims
SET status = @status, amount = sqlc.narg(amount), block_number = sqlc.narg(block_number),
    claim_time = COALESCE(sqlc.narg(block_time), claim_time), failure = sqlc.narg(failure)
WHERE address = @address AND tx_hash = @tx_hash AND status = 'submitted';

-- name: claimedSince :many
-- claimedSince sums the confirmed claims since each of several times, without the claims
-- that pay out what jobs had earned.
SELECT count(c.address) AS claims, COALESCE(sum(c.amount), 0)::numeric AS amount
FROM unnest(@since::timestamptz[]) WITH ORDINALITY AS period(since, number)
LEFT JOIN reward_claims c ON c.address = @address AND c.status = 'confirmed' AND c.claim_type <> 'job' AND c.kept_apart IS NULL
    AND c.claim_time >= period.since
GROUP BY period.number
ORDER BY period.number;

-- name: newestConfirmedClaim :one
SELECT claim_time FROM reward_claims
WHERE address = @address AND status = 'confirmed' AND kept_apart IS NULL
ORDER BY claim_time DESC
LIMIT 1;

-- name: confirmClaim :batchexec
-- confirmClaim notes a claim that the chain's events tell of, whether it was submitted here
-- or not. A transaction is one claim, of all that it claimed for the wallet.
INSERT INTO reward_claims (address, amount, claim_type, claim_time, tx_hash, block_number, status, from_event)
SELECT @address, @amount, 'staking', @block_time, @tx_hash, @block_number, 'confirmed', true
WHERE is_plausible_time(@block_time)
ON CONFLICT (address, tx_hash) DO UPDATE
SET amount = excluded.amount, claim_time = excluded.claim_time, block_number = excluded.block_number, status = 'confirmed', failure = NULL
WHERE reward_claims.claim_type = 'staking';

-- name: undoClaimsFromEvents :exec
DELETE FROM reward_claims WHERE block_number > @block_number AND from_event;

-- name: reopenClaims :exec
-- reopenClaims makes the tracker ask again for the outcome of claims that were settled by
-- blocks which the chain has dropped.
UPDATE reward_claims
SET status = 'submitted', amount = NULL, block_number = NULL, failure = NULL
WHERE block_number > @block_number AND NOT from_event AND claim_type = 'staking' AND tx_hash IS NOT NULL;
