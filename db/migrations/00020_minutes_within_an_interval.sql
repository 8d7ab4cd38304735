-- How many minutes of a day are up depends on how often hosts are expected to be heard, which
-- is a setting. So a day keeps the answer for every interval that can be set, 1 to 60 minutes:
-- within[n] is in how many of its minutes a heartbeat arrived, or in the n minutes before. It
-- is counted from the minutes themselves when a day changes; no other day's count needs to
-- change when the setting does.

-- +goose Up
SELECT pg_advisory_xact_lock(hashtext('fold totals')); -- nobody folds meanwhile
ALTER TABLE heartbeat_days ADD COLUMN within smallint[] NOT NULL DEFAULT '{}';
ALTER TABLE worker_days ADD COLUMN within smallint[] NOT NULL DEFAULT '{}';
COMMENT ON COLUMN heartbeat_days.within IS 'From 1 to 60: within[n] minutes of the day had a heartbeat in them or in the n minutes before.';
COMMENT ON COLUMN worker_days.within IS 'As heartbeat_days.within, of any host.';
COMMENT ON TABLE heartbeat_days IS 'How many minutes of each day a host was heard in. A day that only heartbeats of the one before reach into has 0.';
CREATE INDEX heartbeat_days_of_host ON heartbeat_days (worker_address, worker_id, day);

-- minutes_within counts a day's minutes, from [0], those with a heartbeat in them, to [60]:
-- those with one in them or in the 60 minutes before. heard[n] are the minutes of the hour
-- places[n]; hour 0 is the one before the day, 1 to 24 are its own.
--
-- Of a stretch of silent minutes that follows a heartbeat, an interval of n minutes covers the
-- first n. So each stretch makes the count grow by one a minute of the interval, up to its
-- length; grows[n] is by how much more the count grows at n than at n - 1.
-- +goose StatementBegin
CREATE FUNCTION minutes_within(places integer[], heard bigint[]) RETURNS smallint[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    hours   bigint[] := array_fill(0::bigint, ARRAY[25], ARRAY[0]);
    line    text; -- a character a minute
    own     text;
    silent  integer; -- minutes at the end of the hour before the day
    ends    integer; -- where the stretch that they begin ends
    stretch record;
    grows   integer[] := array_fill(0, ARRAY[61]);
    growth  integer := 0;
    counts  smallint[] := array_fill(0::smallint, ARRAY[61], ARRAY[0]);
BEGIN
    FOR n IN 1 .. cardinality(places) LOOP
        hours[places[n]] := hours[places[n]] | heard[n];
    END LOOP;
    line := (SELECT string_agg(reverse(hours[h]::bit(60)::text), '' ORDER BY h) FROM generate_series(0, 24) h);
    own := substr(line, 61);
    counts[0] := length(replace(own, '0', ''));
    silent := 60 - length(rtrim(left(line, 60), '0'));
    IF silent < 60 AND left(own, 1) = '0' THEN
        ends := LEAST(silent + length(own) - length(ltrim(own, '0')), 60);
        grows[silent + 1] := grows[silent + 1] + 1;
        grows[ends + 1] := grows[ends + 1] - 1;
    END IF;
    FOR stretch IN
        SELECT LEAST(length(zeros), 60) AS minutes, count(*)::integer AS times
        FROM string_to_table(replace(replace(replace(ltrim(own, '0'), '1111', '1'), '11', '1'), '11', '1'), '1') zeros
        WHERE zeros <> '' GROUP BY 1
    LOOP
        grows[1] := grows[1] + stretch.times;
        grows[stretch.minutes + 1] := grows[stretch.minutes + 1] - stretch.times;
    END LOOP;
    FOR n IN 1 .. 60 LOOP
        growth := growth + grows[n];
        counts[n] := counts[n - 1] + growth;
    END LOOP;
    RETURN counts;
END $$;
-- +goose StatementEnd

-- count_heartbeat_days counts days of workers anew from their hours, and the day after each,
-- which the last hour's heartbeats reach into.
-- +goose StatementBegin
CREATE FUNCTION count_heartbeat_days(workers text[], days date[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    SELECT array_agg(worker_address), array_agg(day) INTO workers, days
    FROM (SELECT worker_address, day FROM unnest(workers, days) AS c (worker_address, day)
          UNION
          SELECT worker_address, day + 1 FROM unnest(workers, days) AS c (worker_address, day)
          WHERE EXISTS (SELECT FROM heartbeat_days d WHERE d.worker_address = c.worker_address AND d.day = c.day + 1)
             OR EXISTS (SELECT FROM heartbeat_hours h WHERE h.worker_address = c.worker_address AND h.hour = (c.day + 1)::timestamp AT TIME ZONE 'UTC' - interval '1 hour')) touched;
    DELETE FROM heartbeat_days d USING unnest(workers, days) AS c (worker_address, day)
    WHERE d.worker_address = c.worker_address AND d.day = c.day;
    DELETE FROM worker_days d USING unnest(workers, days) AS c (worker_address, day)
    WHERE d.worker_address = c.worker_address AND d.day = c.day;
    WITH hours AS MATERIALIZED (
        SELECT h.worker_address, h.worker_id, c.day, h.minutes,
               (extract(epoch FROM h.hour - c.day::timestamp AT TIME ZONE 'UTC') / 3600)::integer + 1 AS place
        FROM unnest(workers, days) AS c (worker_address, day)
        JOIN heartbeat_hours h ON h.worker_address = c.worker_address
         AND h.hour >= c.day::timestamp AT TIME ZONE 'UTC' - interval '1 hour' AND h.hour < (c.day + 1)::timestamp AT TIME ZONE 'UTC'
        WHERE h.minutes <> 0
    ), counted AS MATERIALIZED (
        SELECT worker_address, worker_id, day, minutes_within(array_agg(place), array_agg(minutes)) AS within FROM hours GROUP BY 1, 2, 3
    ), of_hosts AS (
        INSERT INTO heartbeat_days (worker_address, worker_id, day, minutes, within)
        SELECT worker_address, worker_id, day, within[0], within[1:60] FROM counted WHERE within[60] > 0
    ), alone AS (
        SELECT worker_address, day FROM counted GROUP BY 1, 2 HAVING count(*) = 1
    )
    INSERT INTO worker_days (worker_address, day, minutes, within)
    SELECT worker_address, day, within[0], within[1:60]
    FROM (SELECT worker_address, day, within FROM counted JOIN alone USING (worker_address, day)
          UNION ALL
          SELECT worker_address, day, minutes_within(array_agg(place), array_agg(minutes))
          FROM hours WHERE (worker_address, day) NOT IN (SELECT worker_address, day FROM alone)
          GROUP BY 1, 2) any_host
    WHERE within[60] > 0;
END $$;
-- +goose StatementEnd

-- fold_heartbeats adds what is waiting to the hours, and counts the days of those hours
-- anew. One program at a time may do so: whoever calls it holds the lock on folding.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fold_heartbeats() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    workers text[];
    days    date[];
BEGIN
    WITH gone AS (
        DELETE FROM heartbeat_changes RETURNING *
    ), sums AS (
        SELECT worker_address, worker_id, hour, sum_counts(beats) AS beats FROM gone GROUP BY 1, 2, 3
    ), added AS (
        INSERT INTO heartbeat_hours AS h (worker_address, worker_id, hour, minutes, beats)
        SELECT worker_address, worker_id, hour, counted_minutes(beats), beats FROM sums
        ON CONFLICT (worker_address, hour, worker_id) DO UPDATE
        SET beats = add_counts(h.beats, excluded.beats),
            minutes = CASE WHEN h.beats IS NULL THEN h.minutes | excluded.minutes ELSE counted_minutes(add_counts(h.beats, excluded.beats)) END
    )
    SELECT array_agg(worker_address), array_agg(day) INTO workers, days
    FROM (SELECT DISTINCT worker_address, (hour AT TIME ZONE 'UTC')::date AS day FROM sums) changed;
    IF workers IS NULL THEN
        RETURN;
    END IF;
    -- An hour that nothing is left of is no hour in which a host was heard.
    DELETE FROM heartbeat_hours h USING unnest(workers, days) AS c (worker_address, day)
    WHERE h.worker_address = c.worker_address AND h.minutes = 0 AND h.beats IS NOT NULL
      AND h.hour >= c.day::timestamp AT TIME ZONE 'UTC' AND h.hour < (c.day + 1)::timestamp AT TIME ZONE 'UTC'
      AND NOT EXISTS (SELECT FROM unnest(h.beats) n WHERE n <> 0);
    PERFORM count_heartbeat_days(workers, days);
END $$;
-- +goose StatementEnd

-- What is there already.
-- +goose StatementBegin
DO $$ BEGIN
    PERFORM count_heartbeat_days(array_agg(worker_address), array_agg(day))
    FROM (SELECT DISTINCT worker_address, (hour AT TIME ZONE 'UTC')::date AS day FROM heartbeat_hours) every_day;
END $$;
-- +goose StatementEnd

-- +goose Down
SELECT pg_advisory_xact_lock(hashtext('fold totals'));
DELETE FROM heartbeat_days WHERE minutes = 0;
DELETE FROM worker_days WHERE minutes = 0;
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION fold_heartbeats() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    workers text[];
    days    date[];
BEGIN
    WITH gone AS (
        DELETE FROM heartbeat_changes RETURNING *
    ), sums AS (
        SELECT worker_address, worker_id, hour, sum_counts(beats) AS beats FROM gone GROUP BY 1, 2, 3
    ), added AS (
        INSERT INTO heartbeat_hours AS h (worker_address, worker_id, hour, minutes, beats)
        SELECT worker_address, worker_id, hour, counted_minutes(beats), beats FROM sums
        ON CONFLICT (worker_address, hour, worker_id) DO UPDATE
        SET beats = add_counts(h.beats, excluded.beats),
            minutes = CASE WHEN h.beats IS NULL THEN h.minutes | excluded.minutes ELSE counted_minutes(add_counts(h.beats, excluded.beats)) END
    )
    SELECT array_agg(worker_address), array_agg(day) INTO workers, days
    FROM (SELECT DISTINCT worker_address, (hour AT TIME ZONE 'UTC')::date AS day FROM sums) changed;
    IF workers IS NULL THEN
        RETURN;
    END IF;
    DELETE FROM heartbeat_hours h USING unnest(workers, days) AS c (worker_address, day)
    WHERE h.worker_address = c.worker_address AND h.minutes = 0 AND h.beats IS NOT NULL
      AND h.hour >= c.day::timestamp AT TIME ZONE 'UTC' AND h.hour < (c.day + 1)::timestamp AT TIME ZONE 'UTC'
      AND NOT EXISTS (SELECT FROM unnest(h.beats) n WHERE n <> 0);
    DELETE FROM heartbeat_days d USING unnest(workers, days) AS c (worker_address, day)
    WHERE d.worker_address = c.worker_address AND d.day = c.day;
    DELETE FROM worker_days d USING unnest(workers, days) AS c (worker_address, day)
    WHERE d.worker_address = c.worker_address AND d.day = c.day;
    WITH hours AS MATERIALIZED (
        SELECT h.worker_address, h.worker_id, c.day, h.hour, h.minutes
        FROM unnest(workers, days) AS c (worker_address, day)
        JOIN heartbeat_hours h ON h.worker_address = c.worker_address
         AND h.hour >= c.day::timestamp AT TIME ZONE 'UTC' AND h.hour < (c.day + 1)::timestamp AT TIME ZONE 'UTC'
        WHERE h.minutes <> 0
    ), of_hosts AS (
        INSERT INTO heartbeat_days (worker_address, worker_id, day, minutes)
        SELECT worker_address, worker_id, day, sum(marked_minutes(minutes)) FROM hours GROUP BY 1, 2, 3
    )
    INSERT INTO worker_days (worker_address, day, minutes)
    SELECT worker_address, day, sum(marked_minutes(minutes))
    FROM (SELECT worker_address, day, hour, bit_or(minutes) AS minutes FROM hours GROUP BY 1, 2, 3) any_host
    GROUP BY 1, 2;
END $$;
-- +goose StatementEnd
DROP FUNCTION count_heartbeat_days(text[], date[]);
DROP FUNCTION minutes_within(integer[], bigint[]);
DROP INDEX heartbeat_days_of_host;
ALTER TABLE worker_days DROP COLUMN within;
ALTER TABLE heartbeat_days DROP COLUMN within;
