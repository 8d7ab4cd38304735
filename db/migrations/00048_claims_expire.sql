-- A claim whose transaction no node has ever seen expires, so that what never was sent is not asked
-- about for ever. It is settled after all if the chain's events tell of it.

-- +goose Up
ALTER TABLE reward_claims
    DROP CONSTRAINT reward_claims_status_is_known,
    ADD CONSTRAINT reward_claims_status_is_known CHECK (status IN ('submitted', 'confirmed', 'failed', 'expired')),
    ADD CONSTRAINT reward_claims_expired_has_no_amount CHECK (status <> 'expired' OR amount IS NULL);
COMMENT ON COLUMN reward_claims.status IS 'submitted: the chain has not told the outcome. confirmed: its event was seen. failed: it was reverted or claimed nothing. expired: no node knew its transaction a day after it was sent.';

-- +goose Down
UPDATE reward_claims SET status = 'failed' WHERE status = 'expired';
ALTER TABLE reward_claims
    DROP CONSTRAINT reward_claims_expired_has_no_amount,
    DROP CONSTRAINT reward_claims_status_is_known,
    ADD CONSTRAINT reward_claims_status_is_known CHECK (status IN ('submitted', 'confirmed', 'failed'));
COMMENT ON COLUMN reward_claims.status IS NULL;
