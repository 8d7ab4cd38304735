-- Who may come in: signed-in browsers, scripts with a token, and a record of both. Only
-- this program writes these tables. Secrets are kept as their SHA-256 only: they are 32
-- random bytes, which nobody finds by trying.

-- +goose Up
CREATE TABLE sessions (
    token_hash     bytea PRIMARY KEY,
    session_id     bigint GENERATED ALWAYS AS IDENTITY NOT NULL UNIQUE, -- names it to its owner
    wallet_address text NOT NULL,
    wallet_name    text NOT NULL, -- of the wallet program, as the browser told it
    user_agent     text NOT NULL,
    created_at     timestamptz NOT NULL,
    seen_at        timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    CONSTRAINT sessions_token_hash_is_sha256 CHECK (octet_length(token_hash) = 32),
    CONSTRAINT sessions_wallet_address_is_address CHECK (is_address(wallet_address))
);
COMMENT ON TABLE sessions IS 'Browsers that a wallet signed in.';
COMMENT ON COLUMN sessions.seen_at IS 'Written at most once a minute.';
CREATE INDEX sessions_of_wallet ON sessions (wallet_address, session_id);
CREATE INDEX sessions_by_expiry ON sessions (expires_at);
CREATE INDEX sessions_by_last_use ON sessions (seen_at);

CREATE TABLE api_tokens (
    token_hash     bytea PRIMARY KEY,
    token_id       bigint GENERATED ALWAYS AS IDENTITY NOT NULL UNIQUE, -- names it to its owner
    name           text NOT NULL,
    scope          text NOT NULL,
    wallet_address text, -- NULL: a coordinator's token, which writes for any worker
    created_at     timestamptz NOT NULL,
    used_at        timestamptz,
    expires_at     timestamptz,
    CONSTRAINT api_tokens_token_hash_is_sha256 CHECK (octet_length(token_hash) = 32),
    CONSTRAINT api_tokens_name_has_1_to_100_characters CHECK (char_length(name) BETWEEN 1 AND 100),
    CONSTRAINT api_tokens_scope_is_known CHECK (scope IN ('read', 'ingest')),
    CONSTRAINT api_tokens_wallet_address_is_address CHECK (is_address(wallet_address)),
    CONSTRAINT api_tokens_read_is_for_one_wallet CHECK (scope = 'ingest' OR wallet_address IS NOT NULL)
);
COMMENT ON TABLE api_tokens IS 'Bearer tokens of scripts, hosts and coordinators.';
COMMENT ON COLUMN api_tokens.used_at IS 'Written at most once a minute. NULL: never used.';
CREATE INDEX api_tokens_of_wallet ON api_tokens (wallet_address, token_id);
CREATE INDEX api_tokens_by_expiry ON api_tokens (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE audit_log (
    event_id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    happened_at    timestamptz NOT NULL,
    wallet_address text, -- NULL: it was about no single wallet
    event          text NOT NULL,
    detail         text NOT NULL,
    actor          text NOT NULL,
    client_address text NOT NULL, -- '' from the command line
    user_agent     text NOT NULL,
    CONSTRAINT audit_log_wallet_address_is_address CHECK (is_address(wallet_address)),
    CONSTRAINT audit_log_event_is_known CHECK (event IN ('sign-in', 'sign-out', 'sign-out-everywhere', 'session-ended',
        'token-created', 'token-revoked', 'claim-sent')),
    CONSTRAINT audit_log_actor_is_known CHECK (actor IN ('session', 'token', 'local', 'command-line'))
);
COMMENT ON TABLE audit_log IS 'What was done with a wallet''s access and its claims, by whom and from where.';
CREATE INDEX audit_log_of_wallet ON audit_log (wallet_address, event_id DESC);
CREATE INDEX audit_log_by_time ON audit_log (happened_at);

-- +goose Down
DROP TABLE audit_log;
DROP TABLE api_tokens;
DROP TABLE sessions;
