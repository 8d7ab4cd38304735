-- Times are the database's own, to which all replicas agree. The message's are whole
-- seconds, since that is how they are signed.

-- name: countOpenSignIns :one
SELECT count(*) AS open,
       COALESCE(EXTRACT(epoch FROM min(expires_at) - now()), 0)::float8 AS first_ends_in_seconds
FROM signin_messages
WHERE client_network = @client_network AND used_at IS NULL AND expires_at > now();

-- name: issueSignIn :one
INSERT INTO signin_messages (nonce_hash, wallet_address, chain_id, uri, client_network, issued_at, expires_at)
VALUES (@nonce_hash, @wallet_address, @chain_id, @uri, @client_network, date_trunc('second', now()),
        date_trunc('second', now()) + @lasts::interval)
RETURNING issued_at, expires_at;

-- name: trySignIn :one
UPDATE signin_messages SET tries = tries + 1
WHERE nonce_hash = @nonce_hash AND used_at IS NULL AND expires_at > now() AND tries < @max_tries
RETURNING wallet_address, chain_id, uri, issued_at, expires_at;

-- name: getSignIn :one
SELECT (used_at IS NOT NULL)::boolean AS used, (expires_at <= now())::boolean AS expired
FROM signin_messages
WHERE nonce_hash = @nonce_hash;

-- name: useSignIn :execrows
UPDATE signin_messages SET used_at = now()
WHERE nonce_hash = @nonce_hash AND used_at IS NULL AND expires_at > now();

-- name: forgetSignIns :exec
DELETE FROM signin_messages WHERE expires_at < now() - @kept::interval;
