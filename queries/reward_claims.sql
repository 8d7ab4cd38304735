-- name: submitClaim :exec
INSERT INTO reward_claims (address, claim_type, claim_time, tx_hash, status)
VALUES (@address, @claim_type, @claim_time, @tx_hash, 'submitted')
ON CONFLICT (address, tx_hash) DO NOTHING;

-- name: getClaim :one
SELECT * FROM reward_claims WHERE address = @address AND tx_hash = @tx_hash;

-- name: listClaims :many
SELECT * FROM reward_claims
WHERE address = @address
ORDER BY claim_time DESC, tx_hash DESC
LIMIT @max_rows;

-- name: listOpenClaims :many
SELECT * FROM reward_claims
WHERE status = 'submitted'
ORDER BY claim_time
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
LEFT JOIN reward_claims c ON c.address = @address AND c.status = 'confirmed' AND c.claim_type <> 'job'
    AND c.claim_time >= period.since
GROUP BY period.number
ORDER BY period.number;

-- name: newestConfirmedClaim :one
SELECT claim_time FROM reward_claims
WHERE address = @address AND status = 'confirmed'
ORDER BY claim_time DESC
LIMIT 1;
