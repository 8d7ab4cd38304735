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
    block_number = NULL, block_hash = NULL, block_time = NULL;

-- name: moveIndexCursor :execrows
-- moveIndexCursor notes that a contract's events have been read up to a block, if they had
-- been up to the block that the reader began after.
UPDATE chain_index_contracts
SET block_number = @block_number, block_hash = @block_hash, block_time = @block_time
WHERE contract_address = @contract_address AND first_block = @first_block AND block_hash IS NOT DISTINCT FROM sqlc.narg(after_hash);

-- name: setBackIndexCursors :exec
-- setBackIndexCursors makes every contract that was read further read from a block anew.
UPDATE chain_index_contracts
SET block_number = CASE WHEN first_block <= @block_number::bigint THEN @block_number END,
    block_hash = CASE WHEN first_block <= @block_number THEN sqlc.narg(block_hash)::text END,
    block_time = CASE WHEN first_block <= @block_number THEN sqlc.narg(block_time)::timestamptz END
WHERE block_number > @block_number;

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
INSERT INTO chain_events (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place, name, problem, keys, data)
VALUES (@block_number, @block_hash, @block_time, @tx_hash, @contract_address, @event_index, @place, @name, @problem, @keys, @data)
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
