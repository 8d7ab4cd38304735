-- What one SAGE was worth, as it was observed, and at each claim.

-- +goose Up
CREATE TABLE sage_prices (
    observed_at timestamptz NOT NULL,
    currency    text NOT NULL,
    price       numeric NOT NULL,
    source      text NOT NULL, -- the host that told it
    PRIMARY KEY (observed_at, currency),
    CONSTRAINT sage_prices_observed_at_is_plausible CHECK (is_plausible_time(observed_at)),
    CONSTRAINT sage_prices_price_is_above_0 CHECK (price > 0 AND price <> 'NaN' AND price <> 'Infinity')
);
COMMENT ON TABLE sage_prices IS 'Observed prices of one SAGE.';

CREATE TABLE claim_prices (
    address     text NOT NULL,
    tx_hash     text NOT NULL,
    currency    text NOT NULL,
    price       numeric NOT NULL,
    source      text NOT NULL,        -- as in sage_prices; '' if the wallet's owner entered it
    observed_at timestamptz NOT NULL, -- or when it was entered
    by_hand     boolean NOT NULL,
    PRIMARY KEY (address, tx_hash),
    CONSTRAINT claim_prices_address_is_address CHECK (is_address(address)),
    CONSTRAINT claim_prices_tx_hash_is_felt CHECK (is_felt(tx_hash)),
    CONSTRAINT claim_prices_price_is_above_0 CHECK (price > 0 AND price <> 'NaN' AND price <> 'Infinity')
);
COMMENT ON TABLE claim_prices IS 'What one SAGE was worth when a claim arrived. A claim without a known price has no row.';

-- price_claim records with a claim that was confirmed the newest price that was observed
-- by then, unless that is more than an hour older. What an owner entered stays where there
-- is none.
-- +goose StatementBegin
CREATE FUNCTION price_claim() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    DELETE FROM claim_prices p WHERE p.address = OLD.address AND p.tx_hash = OLD.tx_hash AND NOT p.by_hand;
    IF TG_OP = 'DELETE' THEN
        RETURN NULL;
    END IF;
    IF NEW.status = 'confirmed' AND NEW.tx_hash IS NOT NULL THEN
        INSERT INTO claim_prices (address, tx_hash, currency, price, source, observed_at, by_hand)
        SELECT NEW.address, NEW.tx_hash, s.currency, s.price, s.source, s.observed_at, false
        FROM sage_prices s
        WHERE s.observed_at <= NEW.claim_time AND s.observed_at > NEW.claim_time - interval '1 hour'
        ORDER BY s.observed_at DESC, s.currency
        LIMIT 1
        ON CONFLICT (address, tx_hash) DO UPDATE
        SET currency = excluded.currency, price = excluded.price, source = excluded.source, observed_at = excluded.observed_at, by_hand = false;
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION price_claim() SET search_path = %I, pg_temp', current_schema());
END $$;
-- +goose StatementEnd
CREATE TRIGGER price_claim AFTER INSERT OR UPDATE OR DELETE ON reward_claims FOR EACH ROW EXECUTE FUNCTION price_claim();

-- The audit log knows of prices that are entered. Whatever else it knows stays.
-- +goose StatementBegin
DO $$
DECLARE
    known text := (SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'audit_log_event_is_known' AND conrelid = 'audit_log'::regclass);
BEGIN
    ALTER TABLE audit_log DROP CONSTRAINT audit_log_event_is_known;
    EXECUTE 'ALTER TABLE audit_log ADD CONSTRAINT audit_log_event_is_known ' || replace(known, 'ARRAY[', 'ARRAY[''claim-priced''::text, ');
END $$;
-- +goose StatementEnd

-- +goose Down
DELETE FROM audit_log WHERE event = 'claim-priced';
-- +goose StatementBegin
DO $$
DECLARE
    known text := (SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'audit_log_event_is_known' AND conrelid = 'audit_log'::regclass);
BEGIN
    ALTER TABLE audit_log DROP CONSTRAINT audit_log_event_is_known;
    EXECUTE 'ALTER TABLE audit_log ADD CONSTRAINT audit_log_event_is_known ' || replace(known, '''claim-priced''::text, ', '');
END $$;
-- +goose StatementEnd
DROP TRIGGER price_claim ON reward_claims;
DROP FUNCTION price_claim();
DROP TABLE claim_prices;
DROP TABLE sage_prices;
