-- name: insertSession :exec
INSERT INTO sessions (token_hash, wallet_address, wallet_name, user_agent, created_at, seen_at, expires_at)
VALUES (@token_hash, @wallet_address, @wallet_name, @user_agent, @created_at, @created_at, @expires_at);

-- name: findSession :one
SELECT * FROM sessions
WHERE token_hash = @token_hash AND expires_at > @now AND seen_at > @idle_since;

-- name: markSessionSeen :exec
UPDATE sessions SET seen_at = @now
WHERE token_hash = @token_hash AND seen_at < @seen_before;

-- name: listSessions :many
SELECT * FROM sessions
WHERE wallet_address = @wallet_address AND expires_at > @now AND seen_at > @idle_since
ORDER BY seen_at DESC, session_id DESC
LIMIT @max_rows;

-- name: deleteSession :execrows
DELETE FROM sessions WHERE token_hash = @token_hash;

-- name: deleteSessionOfWallet :one
DELETE FROM sessions WHERE wallet_address = @wallet_address AND session_id = @session_id
RETURNING *;

-- name: deleteSessionsOfWallet :execrows
DELETE FROM sessions WHERE wallet_address = @wallet_address;

-- name: forgetSessions :exec
DELETE FROM sessions WHERE expires_at < @now OR seen_at < @idle_since;
