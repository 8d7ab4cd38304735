-- name: insertAuditEvent :exec
INSERT INTO audit_log (happened_at, wallet_address, event, detail, actor, client_address, user_agent)
VALUES (@happened_at, sqlc.narg(wallet_address), @event, @detail, @actor, @client_address, @user_agent);

-- name: listAuditEvents :many
SELECT * FROM audit_log
WHERE wallet_address = @wallet_address
ORDER BY event_id DESC
LIMIT @max_rows;

-- name: forgetAuditEventsBefore :exec
DELETE FROM audit_log WHERE happened_at < @at;

-- name: forgetRefusalsBefore :exec
DELETE FROM audit_log
WHERE event IN ('sign-in-refused', 'token-refused', 'access-refused') AND happened_at < @at;
