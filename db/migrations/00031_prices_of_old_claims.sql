-- A claim's observed price outlasts the prices that it was taken from: an update that changes
-- nothing of what the price depends on leaves it alone, and so does one that finds no other
-- for the same hour.

-- +goose Up
DROP TRIGGER price_claim ON reward_claims;

-- price_claim records with a claim that was confirmed the newest price that was observed
-- by then, unless that is more than an hour older. What an owner entered stays where there
-- is none. An observed price goes with its claim, and when that is no longer confirmed or
-- was confirmed at another time.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION price_claim() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF TG_OP <> 'DELETE' AND NEW.status = 'confirmed' AND NEW.tx_hash IS NOT NULL THEN
        INSERT INTO claim_prices (address, tx_hash, currency, price, source, observed_at, by_hand)
        SELECT NEW.address, NEW.tx_hash, s.currency, s.price, s.source, s.observed_at, false
        FROM sage_prices s
        WHERE s.observed_at <= NEW.claim_time AND s.observed_at > NEW.claim_time - interval '1 hour'
        ORDER BY s.observed_at DESC, s.currency
        LIMIT 1
        ON CONFLICT (address, tx_hash) DO UPDATE
        SET currency = excluded.currency, price = excluded.price, source = excluded.source, observed_at = excluded.observed_at, by_hand = false;
    END IF;
    IF TG_OP <> 'INSERT' THEN
        DELETE FROM claim_prices p
        WHERE p.address = OLD.address AND p.tx_hash = OLD.tx_hash AND NOT p.by_hand
          AND (TG_OP = 'DELETE' OR NEW.status <> 'confirmed' OR NEW.address <> OLD.address OR NEW.tx_hash IS DISTINCT FROM OLD.tx_hash
               OR p.observed_at > NEW.claim_time OR p.observed_at <= NEW.claim_time - interval '1 hour');
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION price_claim() SET search_path = %I, pg_temp', current_schema());
END $$;
-- +goose StatementEnd
CREATE TRIGGER price_claim AFTER INSERT OR DELETE ON reward_claims FOR EACH ROW EXECUTE FUNCTION price_claim();
CREATE TRIGGER price_changed_claim AFTER UPDATE ON reward_claims FOR EACH ROW
    WHEN (OLD.status IS DISTINCT FROM NEW.status OR OLD.claim_time IS DISTINCT FROM NEW.claim_time
        OR OLD.tx_hash IS DISTINCT FROM NEW.tx_hash OR OLD.address IS DISTINCT FROM NEW.address)
    EXECUTE FUNCTION price_claim();

-- +goose Down
DROP TRIGGER price_changed_claim ON reward_claims;
DROP TRIGGER price_claim ON reward_claims;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION price_claim() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
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
