-- What was refused is kept beside what was done: failed sign-ins, tokens that do not count, and
-- what somebody may not see or do.

-- +goose Up
ALTER TABLE audit_log
    DROP CONSTRAINT audit_log_event_is_known,
    ADD CONSTRAINT audit_log_event_is_known CHECK (event IN ('sign-in', 'sign-out', 'sign-out-everywhere', 'session-ended',
        'token-created', 'token-revoked', 'claim-sent', 'claim-priced', 'sign-in-refused', 'token-refused', 'access-refused')),
    DROP CONSTRAINT audit_log_actor_is_known,
    ADD CONSTRAINT audit_log_actor_is_known CHECK (actor IN ('session', 'token', 'local', 'command-line', 'nobody'));
COMMENT ON COLUMN audit_log.actor IS 'What somebody proved who they were with; nobody: with nothing.';
CREATE INDEX audit_log_of_refusals ON audit_log (happened_at) WHERE event IN ('sign-in-refused', 'token-refused', 'access-refused');

-- +goose Down
DROP INDEX audit_log_of_refusals;
DELETE FROM audit_log WHERE event IN ('sign-in-refused', 'token-refused', 'access-refused') OR actor = 'nobody';
COMMENT ON COLUMN audit_log.actor IS NULL;
ALTER TABLE audit_log
    DROP CONSTRAINT audit_log_event_is_known,
    ADD CONSTRAINT audit_log_event_is_known CHECK (event IN ('sign-in', 'sign-out', 'sign-out-everywhere', 'session-ended',
        'token-created', 'token-revoked', 'claim-sent', 'claim-priced')),
    DROP CONSTRAINT audit_log_actor_is_known,
    ADD CONSTRAINT audit_log_actor_is_known CHECK (actor IN ('session', 'token', 'local', 'command-line'));
