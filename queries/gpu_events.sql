-- name: lockGPUEvents :exec
-- lockGPUEvents makes programs that watch the same host take turns.
SELECT pg_advisory_xact_lock(hashtext('gpu events of ' || @worker_address::text || '/' || @worker_id::text));

-- name: storeGPUEvent :batchexec
-- storeGPUEvent stores an event once, or how often it has come since. Another program that
-- watches the same host sees the same event at nearly the same time; and a card that is known
-- to be lost is not lost again, nor found before it was lost.
INSERT INTO gpu_events (worker_address, worker_id, gpu_uuid, kind, code, severity, detail, source, occurred_at, last_at, count, boot_id, watcher, sequence)
SELECT @worker_address, @worker_id, @gpu_uuid, @kind, @code, @severity, @detail, @source, @occurred_at, @last_at, @count, @boot_id, @watcher, @sequence
WHERE CASE WHEN @kind::text IN ('lost', 'found')
    THEN @kind::text <> COALESCE((
        SELECT e.kind FROM gpu_events e
        WHERE e.worker_address = @worker_address AND e.gpu_uuid = @gpu_uuid AND e.kind IN ('lost', 'found') AND e.occurred_at <= @occurred_at
            AND (e.watcher <> @watcher OR e.sequence <> @sequence)
        ORDER BY e.occurred_at DESC, e.sequence DESC LIMIT 1), 'found')
    ELSE NOT EXISTS (
        SELECT FROM gpu_events e
        WHERE e.worker_address = @worker_address AND e.gpu_uuid = @gpu_uuid AND e.kind = @kind AND e.code = @code
            AND e.watcher <> @watcher AND e.boot_id = @boot_id
            AND @occurred_at BETWEEN e.occurred_at - interval '2 seconds' AND e.last_at + interval '2 seconds')
    END
ON CONFLICT (worker_address, gpu_uuid, watcher, sequence) DO UPDATE
SET last_at = excluded.last_at, count = excluded.count
WHERE excluded.count > gpu_events.count;

-- name: storeGPUWatch :batchexec
INSERT INTO gpu_watches (worker_address, worker_id, gpu_uuid, watcher, watched_from, watched_to)
VALUES (@worker_address, @worker_id, @gpu_uuid, @watcher, @watched_from, @watched_to)
ON CONFLICT (worker_address, gpu_uuid, watcher, watched_from) DO UPDATE
SET watched_to = excluded.watched_to
WHERE excluded.watched_to > gpu_watches.watched_to;

-- name: listGPUEvents :many
-- listGPUEvents lists the newest events of each of a worker's cards.
SELECT e.gpu_uuid, e.kind, e.code, e.detail, e.source, e.occurred_at, e.last_at, e.count, e.watcher, e.sequence
FROM (SELECT DISTINCT w.gpu_uuid FROM worker_gpus w WHERE w.worker_address = @worker_address) card
CROSS JOIN LATERAL (
    SELECT * FROM gpu_events x
    WHERE x.worker_address = @worker_address AND x.gpu_uuid = card.gpu_uuid AND x.last_at >= @since
    ORDER BY x.last_at DESC LIMIT @per_card
) e
ORDER BY e.gpu_uuid, e.last_at DESC, e.sequence DESC;

-- name: listGPUEventsBetween :many
-- listGPUEventsBetween lists a card's events of a time, the newest first.
SELECT e.gpu_uuid, e.kind, e.code, e.detail, e.source, e.occurred_at, e.last_at, e.count, e.watcher, e.sequence
FROM gpu_events e
WHERE e.worker_address = @worker_address AND e.gpu_uuid = @gpu_uuid AND e.last_at >= @since AND e.occurred_at < @until
ORDER BY e.last_at DESC, e.sequence DESC LIMIT @most;

-- name: listGPUWatches :many
-- listGPUWatches lists in which times events of a worker's cards were waited for, joined
-- where they overlap.
SELECT w.gpu_uuid, lower(stretch)::timestamptz AS watched_from, upper(stretch)::timestamptz AS watched_to
FROM (SELECT g.gpu_uuid, unnest(range_agg(tstzrange(g.watched_from, g.watched_to, '[]'))) AS stretch
      FROM gpu_watches g
      WHERE g.worker_address = @worker_address AND g.watched_to >= @since
      GROUP BY g.gpu_uuid) w
ORDER BY w.gpu_uuid, watched_from;

-- name: forgetGPUEventsBefore :exec
DELETE FROM gpu_events WHERE last_at < @oldest;

-- name: forgetGPUWatchesBefore :exec
DELETE FROM gpu_watches WHERE watched_to < @oldest;
