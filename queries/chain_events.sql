-- name: openChainIndex :one
-- openChainIndex makes the index's one row if it is missing, and locks it: changes of the
-- index take turns.
INSERT INTO chain_index (chain_id) VALUES (@chain_id)
ON CONFLICT (only_row) DO UPDATE SET chain_id = chain_index.chain_id
RETURNING *;

-- name: getChainIndex :one
SELECT * FROM chain_index;

-- name: listIndexCursors :many
SELECT * FROM chain_index_contracts ORDER BY name, contract_address;

-- name: noteChainIndex :exec
UPDATE chain_index
SET head_number = COALESCE(sqlc.narg(head_number), head_number),
    head_hash = COALESCE(sqlc.narg(head_hash), head_hash),
    head_time = COALESCE(sqlc.narg(head_time), head_time),
    swept_at = COALESCE(sqlc.narg(swept_at), swept_at),
    failure = sqlc.narg(failure),
    reorgs = reorgs + @reorgs;

-- name: startIndexing :exec
-- startIndexing takes a contract into the index, to be read from a block on.
INSERT INTO chain_index_contracts (contract_address, name, first_block, start)
VALUES (@contract_address, @name, @first_block, @start)
ON CONFLICT (contract_address) DO UPDATE
SET name = excluded.name, first_block = excluded.first_block, start = excluded.start,
    block_number = NULL, block_hash = NULL, block_time = NULL, first_time = NULL, settled_block = NULL;

-- name: moveIndexCursor :execrows
-- moveIndexCursor notes that a contract's events have been read up to a block, if they had
-- been up to the block that the reader began after. Blocks that are old when they are read
-- are settled.
UPDATE chain_index_contracts
SET block_number = @block_number, block_hash = @block_hash, block_time = @block_time,
    settled_block = GREATEST(settled_block, sqlc.narg(settled)::bigint)
WHERE contract_address = @contract_address AND first_block = @first_block AND block_hash IS NOT DISTINCT FROM sqlc.narg(after_hash);

-- name: setBackIndexCursors :exec
-- setBackIndexCursors makes every contract that was read further read from a block anew.
UPDATE chain_index_contracts
SET block_number = CASE WHEN first_block <= @block_number::bigint THEN @block_number END,
    block_hash = CASE WHEN first_block <= @block_number THEN sqlc.narg(block_hash)::text END,
    block_time = CASE WHEN first_block <= @block_number THEN sqlc.narg(block_time)::timestamptz END,
    first_time = CASE WHEN first_block <= @block_number THEN first_time END,
    settled_block = CASE WHEN first_block <= @block_number THEN LEAST(settled_block, @block_number) END
WHERE block_number > @block_number;

-- name: unsettleIndexCursor :exec
-- unsettleIndexCursor has the events of some contracts read once more after a block.
UPDATE chain_index_contracts
SET settled_block = CASE WHEN first_block <= @block_number::bigint THEN @block_number END
WHERE contract_address = ANY(@contracts::text[]) AND settled_block > @block_number;

-- name: noteChainBlock :batchexec
INSERT INTO chain_blocks (block_number, block_hash, block_time)
VALUES (@block_number, @block_hash, @block_time)
ON CONFLICT (block_number) DO UPDATE SET block_hash = excluded.block_hash, block_time = excluded.block_time;

-- name: listChainBlocks :many
SELECT * FROM chain_blocks ORDER BY block_number DESC;

-- name: thinChainBlocks :exec
-- thinChainBlocks forgets most of a stretch of old blocks.
DELETE FROM chain_blocks
WHERE block_number BETWEEN @first_block::bigint AND @last_block::bigint AND block_number % @keep_every::bigint <> 0;

-- name: insertChainEvent :batchexec
INSERT INTO chain_events (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place, by_receipt, name, problem, keys, data)
VALUES (@block_number, @block_hash, @block_time, @tx_hash, @contract_address, @event_index, @place, true, @name, @problem, @keys, @data)
ON CONFLICT DO NOTHING;

-- name: insertStakeEvent :batchexec
INSERT INTO stake_events (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place,
    worker_address, kind, amount, gpu_tier, total, unlock_at, slash_reason, job_id)
VALUES (@block_number, @block_hash, @block_time, @tx_hash, @contract_address, @event_index, @place,
    @worker_address, @kind, @amount, @gpu_tier, @total, @unlock_at, @slash_reason, @job_id)
ON CONFLICT DO NOTHING;

-- name: insertChainPayment :batchexec
INSERT INTO chain_payments (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place,
    worker_address, kind, job_id, amount, private, paid_at)
VALUES (@block_number, @block_hash, @block_time, @tx_hash, @contract_address, @event_index, @place,
    @worker_address, @kind, @job_id, @amount, @private, @paid_at)
ON CONFLICT DO NOTHING;

-- name: insertReputationChange :batchexec
INSERT INTO reputation_changes (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place,
    worker_id, old_score, new_score, delta, reason, job_id, changed_at)
VALUES (@block_number, @block_hash, @block_time, @tx_hash, @contract_address, @event_index, @place,
    @worker_id, @old_score, @new_score, @delta, @reason, @job_id, @changed_at)
ON CONFLICT DO NOTHING;

-- name: listStoredEvents :many
-- listStoredEvents also says of each event whether what it tells stands in the table of its
-- kind.
SELECT e.contract_address, e.block_number, e.block_hash, e.tx_hash, e.event_index, e.by_receipt, e.keys, e.data,
    (EXISTS (SELECT FROM stake_events s WHERE s.block_number = e.block_number AND s.block_hash = e.block_hash AND s.tx_hash = e.tx_hash
            AND s.contract_address = e.contract_address AND s.event_index = e.event_index)
        OR EXISTS (SELECT FROM chain_payments p WHERE p.block_number = e.block_number AND p.block_hash = e.block_hash AND p.tx_hash = e.tx_hash
            AND p.contract_address = e.contract_address AND p.event_index = e.event_index)
        OR EXISTS (SELECT FROM reputation_changes r WHERE r.block_number = e.block_number AND r.block_hash = e.block_hash AND r.tx_hash = e.tx_hash
            AND r.contract_address = e.contract_address AND r.event_index = e.event_index))::boolean AS has_detail
FROM chain_events e
WHERE e.block_number BETWEEN @first_block::bigint AND @last_block::bigint AND e.contract_address = ANY(@contracts::text[])
ORDER BY e.block_number, e.place;

-- name: dropChainEvent :batchexec
DELETE FROM chain_events WHERE block_number = @block_number AND block_hash = @block_hash AND tx_hash = @tx_hash
    AND contract_address = @contract_address AND event_index = @event_index;

-- name: dropStakeEvent :batchexec
DELETE FROM stake_events WHERE block_number = @block_number AND block_hash = @block_hash AND tx_hash = @tx_hash
    AND contract_address = @contract_address AND event_index = @event_index;

-- name: dropChainPayment :batchexec
DELETE FROM chain_payments WHERE block_number = @block_number AND block_hash = @block_hash AND tx_hash = @tx_hash
    AND contract_address = @contract_address AND event_index = @event_index;

-- name: dropReputationChange :batchexec
DELETE FROM reputation_changes WHERE block_number = @block_number AND block_hash = @block_hash AND tx_hash = @tx_hash
    AND contract_address = @contract_address AND event_index = @event_index;

-- name: undoClaimsWithoutEvent :exec
-- undoClaimsWithoutEvent removes claims that are known from events alone which the chain does
-- not have.
DELETE FROM reward_claims c
WHERE c.tx_hash = ANY(@tx_hashes::text[]) AND c.from_event AND c.status = 'confirmed' AND NOT EXISTS (
    SELECT FROM stake_events e
    WHERE e.worker_address = c.address AND e.block_number = c.block_number AND e.tx_hash = c.tx_hash AND e.kind = 'rewards_claimed');

-- name: reopenClaimsWithoutEvent :exec
-- reopenClaimsWithoutEvent makes the tracker ask again for the outcome of such claims that
-- were submitted here.
UPDATE reward_claims c
SET status = 'submitted', amount = NULL, block_number = NULL, failure = NULL
WHERE c.tx_hash = ANY(@tx_hashes::text[]) AND NOT c.from_event AND c.claim_type = 'staking' AND c.status = 'confirmed' AND NOT EXISTS (
    SELECT FROM stake_events e
    WHERE e.worker_address = c.address AND e.block_number = c.block_number AND e.tx_hash = c.tx_hash AND e.kind = 'rewards_claimed');

-- name: undoChainEvents :exec
DELETE FROM chain_events WHERE block_number > @block_number;

-- name: undoStakeEvents :exec
DELETE FROM stake_events WHERE block_number > @block_number;

-- name: undoChainPayments :exec
DELETE FROM chain_payments WHERE block_number > @block_number;

-- name: undoReputationChanges :exec
DELETE FROM reputation_changes WHERE block_number > @block_number;

-- name: undoChainBlocks :exec
DELETE FROM chain_blocks WHERE block_number > @block_number;

-- name: reputationChanges :many
-- reputationChanges lists the changes of a worker's score, newest first, that stand below a
-- place in that list. Each of the worker's ids is looked up by itself, so that a page costs
-- the same however long the history.
SELECT page.worker_id, page.block_number, page.block_hash, page.block_time, page.tx_hash, page.place,
    page.old_score, page.new_score, page.delta, page.reason, page.job_id, page.changed_at
FROM (SELECT unnest(sqlc.arg(worker_ids)::text[]) AS id) known
CROSS JOIN LATERAL (
    SELECT c.worker_id, c.block_number, c.block_hash, c.block_time, c.tx_hash, c.place, c.old_score, c.new_score, c.delta, c.reason, c.job_id, c.changed_at
    FROM reputation_changes c
    WHERE c.worker_id = known.id AND c.contract_address = @contract_address
      AND (c.block_number, c.place) < (@before_block::bigint, @before_place::integer)
    ORDER BY c.block_number DESC, c.place DESC
    LIMIT @page_size
) page
ORDER BY page.block_number DESC, page.place DESC
LIMIT @page_size;

-- name: reputationScores :many
-- reputationScores tells a worker's score after the last change of each step of time, and
-- nothing of steps without one. It hops from step to step in the index.
SELECT newest.block_time, newest.new_score
FROM unnest(@ends::timestamptz[]) AS step(ends)
CROSS JOIN LATERAL (
    SELECT best.block_time, best.new_score
    FROM (SELECT unnest(sqlc.arg(worker_ids)::text[]) AS id) known
    CROSS JOIN LATERAL (
        SELECT c.block_time, c.block_number, c.place, c.new_score
        FROM reputation_changes c
        WHERE c.worker_id = known.id AND c.contract_address = @contract_address
          AND c.block_time >= step.ends - @step::interval AND c.block_time < step.ends
        ORDER BY c.block_time DESC, c.block_number DESC, c.place DESC
        LIMIT 1
    ) best
    ORDER BY best.block_number DESC, best.place DESC
    LIMIT 1
) newest
ORDER BY newest.block_time;

-- name: slashesInTransaction :many
-- slashesInTransaction lists what one transaction slashed of a worker, in its own order.
SELECT * FROM stake_events
WHERE worker_address = @worker_address AND tx_hash = @tx_hash AND kind = 'slashed'
ORDER BY block_number, place;
