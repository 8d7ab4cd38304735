-- name: insertToken :one
INSERT INTO api_tokens (token_hash, name, scope, wallet_address, created_at, expires_at)
VALUES (@token_hash, @name, @scope, sqlc.narg(wallet_address), @created_at, sqlc.narg(expires_at))
RETURNING *;

-- name: findToken :one
SELECT * FROM api_tokens
WHERE token_hash = @token_hash AND (expires_at IS NULL OR expires_at > @now::timestamptz);

-- name: markTokenUsed :exec
UPDATE api_tokens SET used_at = @now
WHERE token_hash = @token_hash AND (used_at IS NULL OR used_at < @used_before::timestamptz);

-- name: listTokens :many
SELECT * FROM api_tokens
WHERE wallet_address = @wallet_address
ORDER BY token_id DESC
LIMIT @max_rows;

-- name: listAllTokens :many
SELECT * FROM api_tokens
ORDER BY token_id DESC
LIMIT @max_rows;

-- name: lockTokens :exec
-- lockTokens lets one transaction at a time add tokens of a wallet.
SELECT pg_advisory_xact_lock(hashtextextended('tokens of ' || @wallet_address::text, 0));

-- name: countTokens :one
SELECT count(*) FROM api_tokens WHERE wallet_address = @wallet_address;

-- name: deleteTokenOfWallet :one
DELETE FROM api_tokens WHERE wallet_address = @wallet_address AND token_id = @token_id
RETURNING *;

-- name: deleteToken :one
DELETE FROM api_tokens WHERE token_id = @token_id
RETURNING *;

-- name: forgetTokensExpiredBefore :exec
DELETE FROM api_tokens WHERE expires_at < @at::timestamptz;
