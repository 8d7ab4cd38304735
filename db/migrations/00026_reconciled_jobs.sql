-- What the database says of each job's payment beside what the chain says of it.
--
-- Both sides change on their own: outside programs write jobs, the index adds and takes back
-- chain_payments. Looking at the other side from a trigger would make the writers of jobs
-- wait for the index and the index for them, and could end in a deadlock. So each statement
-- only appends its own side's differences to payment_changes, as job_totals has them, and the
-- program adds them, a few seconds later, to the job's one row in reconciled_jobs, whose
-- state follows from the sums of both sides. A row is kept of matching jobs too: it is what a
-- payment that the chain takes back is subtracted from. reconciled_days adds the rows up, so
-- that totals cost the same however many jobs there are.
--
-- What a state means at a moment (is a payment missing, or awaited, or not known yet?) depends
-- on how far the index has read the chain, which changes with every block. That is not kept:
-- readers cut the jobs of a state by their time.

-- +goose Up

-- job_number is a job's identifier as the contracts have it: a number of at most 256 bits, in
-- decimal. Identifiers may be written in decimal or, after 0x, in hex; others are no number.
-- +goose StatementBegin
CREATE FUNCTION job_number(id text) RETURNS text LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    digits text;
    value  numeric := 0;
BEGIN
    IF id ~ '^[1-9][0-9]{0,76}$' THEN -- below 10^77, which is below 2^256
        RETURN id;
    ELSIF id ~ '^0[xX][0-9a-fA-F]+$' THEN
        digits := ltrim(substr(id, 3), '0');
        IF length(digits) > 64 THEN
            RETURN NULL;
        END IF;
        FOR n IN 1 .. length(digits) LOOP
            value := value * 16 + strpos('123456789abcdef', lower(substr(digits, n, 1)));
        END LOOP;
        RETURN value::text;
    ELSIF id ~ '^[0-9]+$' THEN
        value := id::numeric;
        IF value < 115792089237316195423570985008687907853269984665640564039457584007913129639936 THEN
            RETURN value::text;
        END IF;
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd

CREATE TABLE payment_changes (
    worker_address text NOT NULL,
    job_key        text NOT NULL,
    jobs           bigint NOT NULL DEFAULT 0,
    recorded_wei   numeric NOT NULL DEFAULT 0,
    ended_us       numeric NOT NULL DEFAULT 0,
    releases       bigint NOT NULL DEFAULT 0,
    released_wei   numeric NOT NULL DEFAULT 0,
    payments       bigint NOT NULL DEFAULT 0,
    paid_wei       numeric NOT NULL DEFAULT 0,
    hidden         bigint NOT NULL DEFAULT 0,
    told_us        numeric NOT NULL DEFAULT 0,
    changed_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE payment_changes IS 'What came to the columns of reconciled_jobs, less what went, and is not added there yet.';
ALTER TABLE payment_changes SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);

CREATE TABLE reconciled_jobs (
    worker_address text NOT NULL,
    job_key        text NOT NULL, -- job_number of the identifier; the identifier itself if it is no number
    -- The database: its completed jobs with a known payment, of that number and worker. There
    -- is one, unless a number is written in several ways.
    jobs           bigint NOT NULL,
    recorded_wei   numeric NOT NULL, -- sum of their payments
    ended_us       numeric NOT NULL, -- sum of their ends, in microseconds since 1970
    -- The chain: the events of chain_payments. A payment may come in several.
    releases       bigint NOT NULL,
    released_wei   numeric NOT NULL,
    payments       bigint NOT NULL,
    paid_wei       numeric NOT NULL,
    hidden         bigint NOT NULL,  -- private ones of the payments that tell no amount
    told_us        numeric NOT NULL, -- sum of the blocks' times
    -- What the worker got: what PaymentRouter paid, net of fees, if it told of any payment;
    -- else what JobManager released.
    chain_wei      numeric NOT NULL GENERATED ALWAYS AS (CASE WHEN payments > 0 THEN paid_wei ELSE released_wei END) STORED,
    at_us          bigint NOT NULL GENERATED ALWAYS AS (
        CASE WHEN jobs > 0 THEN ended_us / jobs WHEN releases + payments > 0 THEN told_us / (releases + payments) ELSE 0 END) STORED,
    state          text NOT NULL GENERATED ALWAYS AS (
        CASE WHEN jobs = 0 AND releases + payments = 0 THEN 'none'
             WHEN jobs = 0 THEN 'unrecorded'
             WHEN releases + payments = 0 AND recorded_wei = 0 THEN 'free'
             WHEN releases + payments = 0 AND job_number(job_key) IS NULL THEN 'unnumbered'
             WHEN releases + payments = 0 THEN 'unpaid'
             WHEN hidden > 0 THEN 'hidden'
             WHEN recorded_wei = CASE WHEN payments > 0 THEN paid_wei ELSE released_wei END THEN 'matched'
             ELSE 'different' END) STORED,
    PRIMARY KEY (worker_address, job_key)
) WITH (fillfactor = 90);
COMMENT ON TABLE reconciled_jobs IS 'Each job''s payment as the database and as the chain has it.';
COMMENT ON COLUMN reconciled_jobs.state IS 'none: nothing is left of it. unrecorded: the chain has a payment, the database none. free: nothing was to be paid. unnumbered: no contract''s number, so nothing on chain can be its. unpaid: the chain has none. hidden: an amount is not told. matched, different: both have one.';
CREATE INDEX reconciled_jobs_of_state ON reconciled_jobs (worker_address, state, at_us DESC, job_key DESC) INCLUDE (recorded_wei, chain_wei);
CREATE INDEX reconciled_jobs_gone ON reconciled_jobs (worker_address) WHERE state = 'none';
ALTER TABLE reconciled_jobs SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000);

CREATE TABLE reconciled_days (
    worker_address text NOT NULL,
    state          text NOT NULL,
    day            date NOT NULL, -- UTC day of at_us
    jobs           bigint NOT NULL,
    recorded_wei   numeric NOT NULL,
    chain_wei      numeric NOT NULL,
    short_wei      numeric NOT NULL, -- what the chain has less than the database, of the jobs of which it has less
    PRIMARY KEY (worker_address, state, day)
) WITH (fillfactor = 80);
COMMENT ON TABLE reconciled_days IS 'The rows of reconciled_jobs, added up by day.';
ALTER TABLE reconciled_days SET (autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 1000);

-- day_of is the UTC day of a time in microseconds since 1970.
-- +goose StatementBegin
CREATE FUNCTION day_of(us bigint) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT date '1970-01-01' + floor(us / 86400000000.0)::integer $$;
-- +goose StatementEnd

-- microseconds is a time in microseconds since 1970, exactly.
-- +goose StatementBegin
CREATE FUNCTION microseconds(t timestamptz) RETURNS numeric LANGUAGE sql IMMUTABLE PARALLEL SAFE AS
$$ SELECT trunc(extract(epoch FROM t)::numeric * 1000000) $$;
-- +goose StatementEnd

-- job_payments and chain_payment_parts are queries of the differences that some rows of jobs
-- and of chain_payments make, each with a sign: 1 for a row that came, -1 for one that went.
-- +goose StatementBegin
CREATE FUNCTION job_payments(changed text) RETURNS text LANGUAGE sql IMMUTABLE AS $body$
SELECT format($$
    SELECT worker_address, COALESCE(job_number(job_id), job_id) AS job_key, sign::bigint AS jobs, sign * payment_amount AS recorded_wei,
           sign * microseconds(COALESCE(completed_at, created_at)) AS ended_us,
           0::bigint AS releases, 0::numeric AS released_wei, 0::bigint AS payments, 0::numeric AS paid_wei, 0::bigint AS hidden, 0::numeric AS told_us
    FROM (%s) changed
    WHERE worker_address IS NOT NULL AND status = 'completed' AND payment_amount IS NOT NULL
$$, changed)
$body$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION chain_payment_parts(changed text) RETURNS text LANGUAGE sql IMMUTABLE AS $body$
SELECT format($$
    SELECT worker_address, job_id AS job_key, 0::bigint AS jobs, 0::numeric AS recorded_wei, 0::numeric AS ended_us,
           CASE kind WHEN 'released' THEN sign ELSE 0 END::bigint AS releases, CASE kind WHEN 'released' THEN sign * amount ELSE 0 END AS released_wei,
           CASE kind WHEN 'paid' THEN sign ELSE 0 END::bigint AS payments, CASE kind WHEN 'paid' THEN sign * amount ELSE 0 END AS paid_wei,
           CASE WHEN kind = 'paid' AND private AND amount = 0 THEN sign ELSE 0 END::bigint AS hidden, sign * microseconds(block_time) AS told_us
    FROM (%s) changed
$$, changed)
$body$;
-- +goose StatementEnd

-- The columns of differences, and their sums per job, which leave out what changes nothing.
-- +goose StatementBegin
CREATE FUNCTION payment_sums(changes text) RETURNS text LANGUAGE sql IMMUTABLE AS $body$
SELECT format($$
    (worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us)
    SELECT worker_address, job_key, sum(jobs), sum(recorded_wei), sum(ended_us), sum(releases), sum(released_wei), sum(payments), sum(paid_wei), sum(hidden), sum(told_us)
    FROM (%s) changes
    GROUP BY worker_address, job_key
    HAVING sum(jobs) <> 0 OR sum(recorded_wei) <> 0 OR sum(ended_us) <> 0 OR sum(releases) <> 0 OR sum(released_wei) <> 0
        OR sum(payments) <> 0 OR sum(paid_wei) <> 0 OR sum(hidden) <> 0 OR sum(told_us) <> 0
$$, changes)
$body$;
-- +goose StatementEnd

-- A row that only came or went needs no summing up.
-- +goose StatementBegin
CREATE FUNCTION payment_parts(changes text) RETURNS text LANGUAGE sql IMMUTABLE AS $body$
SELECT format($$
    (worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us)
    SELECT worker_address, job_key, jobs, recorded_wei, ended_us, releases, released_wei, payments, paid_wei, hidden, told_us
    FROM (%s) changes
$$, changes)
$body$;
-- +goose StatementEnd

-- The triggers' functions, as those of 00012: planned once per connection, run as their owner.
-- +goose StatementBegin
DO $$
DECLARE
    side    record;
    act     record;
    changes text;
BEGIN
    FOR side IN SELECT * FROM (VALUES ('jobs'), ('chain_payments')) s (tab) LOOP
        FOR act IN SELECT * FROM (VALUES
            ('INSERT', 'REFERENCING NEW TABLE AS new_rows', 'SELECT 1 AS sign, n.* FROM new_rows n'),
            ('UPDATE', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows',
             'SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n'),
            ('DELETE', 'REFERENCING OLD TABLE AS old_rows', 'SELECT -1 AS sign, o.* FROM old_rows o')) a (event, tables, changed)
        LOOP
            changes := CASE side.tab WHEN 'jobs' THEN job_payments(act.changed) ELSE chain_payment_parts(act.changed) END;
            EXECUTE format('CREATE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = %I, pg_temp AS %L',
                'note_payments_' || lower(act.event) || '_of_' || side.tab, current_schema(),
                'BEGIN INSERT INTO payment_changes '
                || CASE act.event WHEN 'UPDATE' THEN payment_sums(changes) ELSE payment_parts(changes) END || '; RETURN NULL; END');
            EXECUTE format('CREATE TRIGGER %1$I AFTER %2$s ON %3$I %4$s FOR EACH STATEMENT EXECUTE FUNCTION %1$I()',
                'note_payments_' || lower(act.event) || '_of_' || side.tab, act.event, side.tab, act.tables);
        END LOOP;
    END LOOP;
    -- Only fold_payments writes reconciled_jobs, one program at a time.
    FOR act IN SELECT * FROM (VALUES
        ('INSERT', 'REFERENCING NEW TABLE AS new_rows', 'SELECT 1 AS sign, n.* FROM new_rows n'),
        ('UPDATE', 'REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows',
         'SELECT -1 AS sign, o.* FROM old_rows o UNION ALL SELECT 1, n.* FROM new_rows n'),
        ('DELETE', 'REFERENCING OLD TABLE AS old_rows', 'SELECT -1 AS sign, o.* FROM old_rows o')) a (event, tables, changed)
    LOOP
        EXECUTE format('CREATE FUNCTION %I() RETURNS trigger LANGUAGE plpgsql SET search_path = %I, pg_temp AS %L',
            'roll_up_' || lower(act.event) || '_of_reconciled_jobs', current_schema(), format($body$BEGIN
                INSERT INTO reconciled_days AS d (worker_address, state, day, jobs, recorded_wei, chain_wei, short_wei)
                SELECT worker_address, state, day_of(at_us), sum(sign), sum(sign * recorded_wei), sum(sign * chain_wei), sum(sign * GREATEST(recorded_wei - chain_wei, 0))
                FROM (%s) changed
                WHERE state <> 'none'
                GROUP BY 1, 2, 3
                HAVING sum(sign) <> 0 OR sum(sign * recorded_wei) <> 0 OR sum(sign * chain_wei) <> 0 OR sum(sign * GREATEST(recorded_wei - chain_wei, 0)) <> 0
                ON CONFLICT (worker_address, state, day) DO UPDATE
                SET jobs = d.jobs + excluded.jobs, recorded_wei = d.recorded_wei + excluded.recorded_wei,
                    chain_wei = d.chain_wei + excluded.chain_wei, short_wei = d.short_wei + excluded.short_wei;
                RETURN NULL;
            END$body$, act.changed));
        EXECUTE format('CREATE TRIGGER %1$I AFTER %2$s ON reconciled_jobs %3$s FOR EACH STATEMENT EXECUTE FUNCTION %1$I()',
            'roll_up_' || lower(act.event) || '_of_reconciled_jobs', act.event, act.tables);
    END LOOP;
END $$;
-- +goose StatementEnd

-- fold_payments adds what is waiting to the jobs' rows. One program at a time may do so:
-- whoever calls it holds the lock on folding payments.
-- +goose StatementBegin
CREATE FUNCTION fold_payments() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'WITH gone AS (DELETE FROM payment_changes RETURNING *)
        INSERT INTO reconciled_jobs AS r ' || payment_sums('SELECT * FROM gone') || '
        ON CONFLICT (worker_address, job_key) DO UPDATE
        SET jobs = r.jobs + excluded.jobs, recorded_wei = r.recorded_wei + excluded.recorded_wei, ended_us = r.ended_us + excluded.ended_us,
            releases = r.releases + excluded.releases, released_wei = r.released_wei + excluded.released_wei,
            payments = r.payments + excluded.payments, paid_wei = r.paid_wei + excluded.paid_wei,
            hidden = r.hidden + excluded.hidden, told_us = r.told_us + excluded.told_us';
    DELETE FROM reconciled_jobs WHERE state = 'none';
END $$;
-- +goose StatementEnd

-- An emptied table leaves the other side only.
-- +goose StatementBegin
CREATE FUNCTION forget_payments() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('fold payments')); -- a fold would bring rows back
    TRUNCATE payment_changes, reconciled_jobs, reconciled_days;
    EXECUTE 'INSERT INTO payment_changes '
        || payment_sums(job_payments('SELECT 1 AS sign, j.* FROM jobs j') || ' UNION ALL ' || chain_payment_parts('SELECT 1 AS sign, p.* FROM chain_payments p'));
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER forget_payments AFTER TRUNCATE ON jobs FOR EACH STATEMENT EXECUTE FUNCTION forget_payments();
CREATE TRIGGER forget_payments AFTER TRUNCATE ON chain_payments FOR EACH STATEMENT EXECUTE FUNCTION forget_payments();

-- What is there already.
-- +goose StatementBegin
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION forget_payments() SET search_path = %I, pg_temp', current_schema());
    LOCK TABLE jobs, chain_payments IN SHARE ROW EXCLUSIVE MODE;
    EXECUTE 'INSERT INTO reconciled_jobs '
        || payment_sums(job_payments('SELECT 1 AS sign, j.* FROM jobs j') || ' UNION ALL ' || chain_payment_parts('SELECT 1 AS sign, p.* FROM chain_payments p'));
END $$;
-- +goose StatementEnd

-- When the first block that is read of a contract was made, by which jobs are known that may
-- have been paid before. NULL until the index has looked.
ALTER TABLE chain_index_contracts ADD COLUMN first_time timestamptz;

-- +goose Down
ALTER TABLE chain_index_contracts DROP COLUMN first_time;
DROP TRIGGER forget_payments ON chain_payments;
DROP TRIGGER forget_payments ON jobs;
DROP TRIGGER note_payments_insert_of_jobs ON jobs;
DROP TRIGGER note_payments_update_of_jobs ON jobs;
DROP TRIGGER note_payments_delete_of_jobs ON jobs;
DROP TRIGGER note_payments_insert_of_chain_payments ON chain_payments;
DROP TRIGGER note_payments_update_of_chain_payments ON chain_payments;
DROP TRIGGER note_payments_delete_of_chain_payments ON chain_payments;
DROP TABLE reconciled_jobs;
DROP FUNCTION forget_payments();
DROP FUNCTION fold_payments();
DROP FUNCTION note_payments_insert_of_jobs();
DROP FUNCTION note_payments_update_of_jobs();
DROP FUNCTION note_payments_delete_of_jobs();
DROP FUNCTION note_payments_insert_of_chain_payments();
DROP FUNCTION note_payments_update_of_chain_payments();
DROP FUNCTION note_payments_delete_of_chain_payments();
DROP FUNCTION roll_up_insert_of_reconciled_jobs();
DROP FUNCTION roll_up_update_of_reconciled_jobs();
DROP FUNCTION roll_up_delete_of_reconciled_jobs();
DROP FUNCTION payment_parts(text);
DROP FUNCTION payment_sums(text);
DROP FUNCTION chain_payment_parts(text);
DROP FUNCTION job_payments(text);
DROP FUNCTION microseconds(timestamptz);
DROP FUNCTION day_of(bigint);
DROP TABLE reconciled_days;
DROP TABLE payment_changes;
DROP FUNCTION job_number(text);
