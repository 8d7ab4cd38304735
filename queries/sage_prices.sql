-- name: storeSAGEPrice :exec
INSERT INTO sage_prices (observed_at, currency, price, source)
VALUES (@observed_at, @currency, CAST(@price AS text)::numeric, @source)
ON CONFLICT DO NOTHING;

-- name: newestSAGEPrice :one
SELECT p.observed_at, p.currency, p.price::text AS price, p.source FROM sage_prices p
ORDER BY p.observed_at DESC, p.currency
LIMIT 1;

-- name: forgetSAGEPricesBefore :exec
DELETE FROM sage_prices WHERE observed_at < @observed_before;

-- name: listPricedClaims :many
-- listPricedClaims lists a wallet's claims, newest first, with what one SAGE was worth then.
SELECT sqlc.embed(c), COALESCE(p.price::text, '')::text AS price, COALESCE(p.currency, '')::text AS price_currency,
       COALESCE(p.source, '')::text AS price_source, p.observed_at AS price_at, COALESCE(p.by_hand, false)::boolean AS price_by_hand
FROM reward_claims c
LEFT JOIN claim_prices p ON p.address = c.address AND p.tx_hash = c.tx_hash
WHERE c.address = @address
ORDER BY c.claim_time DESC, c.tx_hash DESC
LIMIT @max_rows;

-- name: setClaimPrice :execrows
-- setClaimPrice records what the wallet's owner says one SAGE was worth when a claim arrived,
-- unless a price was observed then.
INSERT INTO claim_prices (address, tx_hash, currency, price, source, observed_at, by_hand)
SELECT c.address, c.tx_hash, @currency, CAST(@price AS text)::numeric, '', @entered_at, true
FROM reward_claims c
WHERE c.address = @address AND c.tx_hash = @tx_hash AND c.status = 'confirmed'
ON CONFLICT (address, tx_hash) DO UPDATE
SET currency = excluded.currency, price = excluded.price, observed_at = excluded.observed_at
WHERE claim_prices.by_hand;
