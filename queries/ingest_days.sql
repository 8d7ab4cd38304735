-- name: spendIngest :one
-- spendIngest counts what a worker sends, unless that is more than it may send in a day: then there
-- is no row.
INSERT INTO ingest_days AS d (worker_address, day, rows, bytes)
VALUES (@worker_address, (now() AT TIME ZONE 'UTC')::date, @rows, @bytes)
ON CONFLICT (worker_address, day) DO UPDATE SET rows = d.rows + excluded.rows, bytes = d.bytes + excluded.bytes
WHERE d.rows + excluded.rows <= @most_rows::bigint AND d.bytes + excluded.bytes <= @most_bytes::bigint
RETURNING d.rows;

-- name: ingestToday :one
-- ingestToday is what a worker has sent on this day, and how many seconds are left of it.
SELECT COALESCE(sum(rows), 0)::bigint AS rows, COALESCE(sum(bytes), 0)::bigint AS bytes,
       ceil(extract(epoch FROM date_trunc('day', now(), 'UTC') + interval '1 day' - now()))::bigint AS seconds_left
FROM ingest_days WHERE worker_address = @worker_address AND day = (now() AT TIME ZONE 'UTC')::date;

-- name: forgetIngestDays :exec
DELETE FROM ingest_days WHERE day < (now() AT TIME ZONE 'UTC')::date - 7;
