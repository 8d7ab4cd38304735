-- Messages that wallets are asked to sign when they sign in. Only this program writes
-- these; they are swept a while after they have expired.

-- +goose Up
CREATE TABLE signin_messages (
    nonce_hash     bytea PRIMARY KEY, -- SHA-256
    wallet_address text NOT NULL,
    chain_id       text NOT NULL,
    uri            text NOT NULL, -- the origin that the message is bound to
    client_network text NOT NULL, -- who asked for it
    issued_at      timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL,
    tries          integer NOT NULL DEFAULT 0, -- signatures that were presented
    used_at        timestamptz,                -- when it signed a wallet in
    CONSTRAINT signin_messages_nonce_hash_is_sha256 CHECK (octet_length(nonce_hash) = 32),
    CONSTRAINT signin_messages_wallet_address_is_address CHECK (is_address(wallet_address)),
    CONSTRAINT signin_messages_expires_after_issue CHECK (expires_at > issued_at)
);
COMMENT ON TABLE signin_messages IS 'Messages that wallets are asked to sign when they sign in.';
CREATE INDEX signin_messages_open_of_client ON signin_messages (client_network, expires_at) WHERE used_at IS NULL;
CREATE INDEX signin_messages_by_expiry ON signin_messages (expires_at);

-- +goose Down
DROP TABLE signin_messages;
