-- Three ways of writing that were not counted or compared as others are: into a partition of
-- heartbeats by its own name, emptying a table in a transaction that does not see what others
-- have added, and changing a job's state without saying when.

-- +goose Up

-- Rows that are written to a partition by its name, which the triggers of heartbeats do not
-- see. Moving rows between partitions, and deleting them for their age, change no minute:
-- keep_partitions says so by validator.keeping.
-- +goose StatementBegin
CREATE FUNCTION count_heartbeats_of_partition(part regclass) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    act record;
BEGIN
    FOR act IN SELECT * FROM (VALUES ('INSERT', 'NEW TABLE AS new_rows'), ('UPDATE', 'OLD TABLE AS old_rows NEW TABLE AS new_rows'), ('DELETE', 'OLD TABLE AS old_rows')) a (event, tables) LOOP
        EXECUTE format($q$CREATE TRIGGER %1$I AFTER %2$s ON %3$s REFERENCING %4$s FOR EACH STATEMENT
            WHEN (current_setting('validator.keeping', true) IS DISTINCT FROM 'on') EXECUTE FUNCTION %1$I()$q$,
            'roll_up_' || lower(act.event) || '_of_heartbeats', act.event, part, act.tables);
    END LOOP;
    EXECUTE format('CREATE TRIGGER forget_heartbeats_of_partition BEFORE TRUNCATE ON %s FOR EACH STATEMENT EXECUTE FUNCTION forget_heartbeats_of_partition()', part);
END $$;
-- +goose StatementEnd

-- A partition that is emptied takes its heartbeats away. Where all are, forget_heartbeats does
-- the rest.
-- +goose StatementBegin
CREATE FUNCTION forget_heartbeats_of_partition() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    IF current_setting('validator.emptying', true) IS DISTINCT FROM 'on' THEN
        EXECUTE heartbeat_rollup_statement(format('SELECT -1 AS sign, h.* FROM %I.%I h', TG_TABLE_SCHEMA, TG_TABLE_NAME));
    END IF;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE FUNCTION begin_to_forget_heartbeats() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('validator.emptying', 'on', true);
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER begin_to_forget_heartbeats BEFORE TRUNCATE ON heartbeats FOR EACH STATEMENT EXECUTE FUNCTION begin_to_forget_heartbeats();

-- +goose StatementBegin
CREATE OR REPLACE FUNCTION forget_heartbeats() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM set_config('validator.emptying', 'off', true);
    PERFORM pg_advisory_xact_lock(hashtext('fold totals')); -- a fold would bring rows back
    TRUNCATE heartbeat_changes, heartbeat_hours, heartbeat_days, worker_days;
    RETURN NULL;
END $$;
-- +goose StatementEnd

-- As before, and new partitions of heartbeats count what is written to them by their names.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION keep_partitions(parent text, part_days integer, oldest date, first_day date, last_day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    home   text := (SELECT quote_ident(relnamespace::regnamespace::text) FROM pg_class WHERE oid = parent::regclass);
    key    text := (SELECT quote_ident(attname) FROM pg_attribute JOIN pg_partitioned_table ON attrelid = partrelid AND attnum = partattrs[0]
                    WHERE partrelid = parent::regclass);
    other  text := format('%s.%I', home, parent || '_other');
    monday date := '2001-01-01';
    edge   date := monday + (oldest - monday) / part_days * part_days;
    day    date;
    part   text;
    old    regclass;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('keep partitions of ' || parent));
    PERFORM set_config('validator.keeping', 'on', true);
    EXECUTE format('DELETE FROM %s WHERE %s < %L', other, key, edge::timestamp AT TIME ZONE 'UTC');
    FOR day IN SELECT d::date FROM generate_series(
            (monday + (first_day - monday) / part_days * part_days)::timestamp, last_day::timestamp, make_interval(days => part_days)) d
    LOOP
        part := format('%s.%I', home, parent || '_' || to_char(day, 'YYYYMMDD'));
        CONTINUE WHEN to_regclass(part) IS NOT NULL;
        EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, parent);
        -- Nobody may add to what is moved while it is moved.
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', other);
        EXECUTE format('WITH gone AS (DELETE FROM %1$s WHERE %2$s >= %3$L AND %2$s < %4$L RETURNING *) INSERT INTO %5$s SELECT * FROM gone',
            other, key, day::timestamp AT TIME ZONE 'UTC', (day + part_days)::timestamp AT TIME ZONE 'UTC', part);
        EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)',
            parent, part, day::timestamp AT TIME ZONE 'UTC', (day + part_days)::timestamp AT TIME ZONE 'UTC');
        IF parent = 'heartbeats' THEN
            PERFORM count_heartbeats_of_partition(part::regclass);
        END IF;
    END LOOP;
    FOR old IN
        SELECT inhrelid::regclass FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = parent::regclass AND relname ~ '_[0-9]{8}$' AND right(relname, 8) < to_char(edge, 'YYYYMMDD')
    LOOP
        EXECUTE format('DROP TABLE %s', old);
    END LOOP;
    INSERT INTO partitions_dropped VALUES (parent, edge::timestamp AT TIME ZONE 'UTC')
    ON CONFLICT (table_name) DO UPDATE SET dropped_before = GREATEST(partitions_dropped.dropped_before, excluded.dropped_before)
    WHERE partitions_dropped.dropped_before < excluded.dropped_before;
    PERFORM set_config('validator.keeping', 'off', true);
END $$;
-- +goose StatementEnd

-- refuse_to_forget says no to emptying jobs or claims in a transaction whose snapshot is older
-- than what others have added: their earnings would stay.
-- +goose StatementBegin
CREATE FUNCTION refuse_to_forget() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE feature_not_supported USING
        MESSAGE = format('%s cannot be emptied in a transaction of isolation level %s', TG_TABLE_NAME, current_setting('transaction_isolation')),
        HINT = 'Use READ COMMITTED, or DELETE the rows.';
END $$;
-- +goose StatementEnd
CREATE TRIGGER refuse_to_forget BEFORE TRUNCATE ON jobs FOR EACH STATEMENT
    WHEN (current_setting('transaction_isolation') IN ('repeatable read', 'serializable')) EXECUTE FUNCTION refuse_to_forget();
CREATE TRIGGER refuse_to_forget BEFORE TRUNCATE ON reward_claims FOR EACH STATEMENT
    WHEN (current_setting('transaction_isolation') IN ('repeatable read', 'serializable')) EXECUTE FUNCTION refuse_to_forget();

-- When a job became what it is, is not known where a program changes its state without saying
-- when: the time of the state before would let a late report of it overwrite this one.
-- +goose StatementBegin
CREATE FUNCTION forget_updated_at() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.updated_at := NULL;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER jobs_forget_updated_at BEFORE UPDATE ON jobs FOR EACH ROW
    WHEN (NEW.status <> OLD.status AND NEW.updated_at = OLD.updated_at AND current_setting('validator.reporting', true) IS DISTINCT FROM 'on')
    EXECUTE FUNCTION forget_updated_at();

-- As before, save that a state never takes the time at which another became so.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION merged_job(was jobs, told jobs) RETURNS jobs LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    newer jobs := was;
    older jobs := told;
BEGIN
    IF job_is_newer(told, was) THEN
        newer := told;
        older := was;
    END IF;
    newer.client_address := COALESCE(newer.client_address, older.client_address);
    newer.job_type := COALESCE(NULLIF(newer.job_type, ''), older.job_type);
    newer.payment_amount := COALESCE(newer.payment_amount, older.payment_amount);
    newer.created_at := LEAST(newer.created_at, older.created_at);
    IF newer.status = older.status THEN
        newer.updated_at := COALESCE(newer.updated_at, older.updated_at);
    END IF;
    IF newer.status <> 'pending' AND (newer.worker_address IS NULL OR older.worker_address IS NULL OR newer.worker_address = older.worker_address) THEN
        newer.worker_address := COALESCE(newer.worker_address, older.worker_address);
        newer.assigned_at := COALESCE(newer.assigned_at, older.assigned_at);
        newer.gpu_uuid := COALESCE(newer.gpu_uuid, older.gpu_uuid);
    END IF;
    IF newer.status = older.status AND job_has_ended(newer.status)
        AND (newer.completed_at IS NULL OR older.completed_at IS NULL OR newer.completed_at = older.completed_at)
    THEN
        newer.completed_at := COALESCE(newer.completed_at, older.completed_at);
        newer.execution_time_ms := COALESCE(newer.execution_time_ms, older.execution_time_ms);
        newer.result_hash := COALESCE(newer.result_hash, older.result_hash);
        newer.error_message := COALESCE(newer.error_message, older.error_message);
        newer.tx_hash := COALESCE(newer.tx_hash, older.tx_hash);
        newer.block_number := COALESCE(newer.block_number, older.block_number);
    END IF;
    RETURN newer;
END $$;
-- +goose StatementEnd

-- As before, and it says that the times are meant.
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION merge_told_jobs(list jsonb) RETURNS bigint LANGUAGE sql AS $$
SELECT set_config('validator.reporting', 'on', true);
WITH merged AS MATERIALIZED (
    SELECT m.* FROM told_jobs(list) t JOIN jobs j USING (job_id) CROSS JOIN LATERAL merged_job(j, t) m
    WHERE m IS DISTINCT FROM j
), changed AS (
    UPDATE jobs j SET client_address = m.client_address, worker_address = m.worker_address, job_type = m.job_type, status = m.status,
        payment_amount = m.payment_amount, created_at = m.created_at, assigned_at = m.assigned_at, completed_at = m.completed_at,
        execution_time_ms = m.execution_time_ms, result_hash = m.result_hash, error_message = m.error_message, gpu_uuid = m.gpu_uuid,
        tx_hash = m.tx_hash, block_number = m.block_number, updated_at = m.updated_at
    FROM merged m WHERE j.job_id = m.job_id
    RETURNING 1
)
SELECT count(*) FROM changed
$$;
-- +goose StatementEnd

-- +goose StatementBegin
DO $$
DECLARE
    part regclass;
BEGIN
    EXECUTE format('ALTER FUNCTION forget_heartbeats() SET search_path = %I, pg_temp', current_schema());
    EXECUTE format('ALTER FUNCTION forget_heartbeats_of_partition() SET search_path = %I, pg_temp', current_schema());
    FOR part IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'heartbeats'::regclass LOOP
        PERFORM count_heartbeats_of_partition(part);
    END LOOP;
END $$;
-- +goose StatementEnd

-- +goose Down
DROP TRIGGER jobs_forget_updated_at ON jobs;
DROP FUNCTION forget_updated_at();
DROP TRIGGER refuse_to_forget ON jobs;
DROP TRIGGER refuse_to_forget ON reward_claims;
DROP FUNCTION refuse_to_forget();
DROP TRIGGER begin_to_forget_heartbeats ON heartbeats;
DROP FUNCTION begin_to_forget_heartbeats();
-- +goose StatementBegin
DO $$
DECLARE
    part    regclass;
    trigger text;
BEGIN
    FOR part IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'heartbeats'::regclass LOOP
        FOREACH trigger IN ARRAY ARRAY['roll_up_insert_of_heartbeats', 'roll_up_update_of_heartbeats', 'roll_up_delete_of_heartbeats', 'forget_heartbeats_of_partition'] LOOP
            EXECUTE format('DROP TRIGGER %I ON %s', trigger, part);
        END LOOP;
    END LOOP;
END $$;
-- +goose StatementEnd
DROP FUNCTION forget_heartbeats_of_partition();
DROP FUNCTION count_heartbeats_of_partition(regclass);
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION forget_heartbeats() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('fold totals')); -- a fold would bring rows back
    TRUNCATE heartbeat_changes, heartbeat_hours, heartbeat_days, worker_days;
    RETURN NULL;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION keep_partitions(parent text, part_days integer, oldest date, first_day date, last_day date) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    home   text := (SELECT quote_ident(relnamespace::regnamespace::text) FROM pg_class WHERE oid = parent::regclass);
    key    text := (SELECT quote_ident(attname) FROM pg_attribute JOIN pg_partitioned_table ON attrelid = partrelid AND attnum = partattrs[0]
                    WHERE partrelid = parent::regclass);
    other  text := format('%s.%I', home, parent || '_other');
    monday date := '2001-01-01';
    edge   date := monday + (oldest - monday) / part_days * part_days;
    day    date;
    part   text;
    old    regclass;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('keep partitions of ' || parent));
    EXECUTE format('DELETE FROM %s WHERE %s < %L', other, key, edge::timestamp AT TIME ZONE 'UTC');
    FOR day IN SELECT d::date FROM generate_series(
            (monday + (first_day - monday) / part_days * part_days)::timestamp, last_day::timestamp, make_interval(days => part_days)) d
    LOOP
        part := format('%s.%I', home, parent || '_' || to_char(day, 'YYYYMMDD'));
        CONTINUE WHEN to_regclass(part) IS NOT NULL;
        EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING DEFAULTS INCLUDING CONSTRAINTS)', part, parent);
        -- Nobody may add to what is moved while it is moved.
        EXECUTE format('LOCK TABLE %s IN SHARE ROW EXCLUSIVE MODE', other);
        EXECUTE format('WITH gone AS (DELETE FROM %1$s WHERE %2$s >= %3$L AND %2$s < %4$L RETURNING *) INSERT INTO %5$s SELECT * FROM gone',
            other, key, day::timestamp AT TIME ZONE 'UTC', (day + part_days)::timestamp AT TIME ZONE 'UTC', part);
        EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)',
            parent, part, day::timestamp AT TIME ZONE 'UTC', (day + part_days)::timestamp AT TIME ZONE 'UTC');
    END LOOP;
    FOR old IN
        SELECT inhrelid::regclass FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid
        WHERE inhparent = parent::regclass AND relname ~ '_[0-9]{8}$' AND right(relname, 8) < to_char(edge, 'YYYYMMDD')
    LOOP
        EXECUTE format('DROP TABLE %s', old);
    END LOOP;
    INSERT INTO partitions_dropped VALUES (parent, edge::timestamp AT TIME ZONE 'UTC')
    ON CONFLICT (table_name) DO UPDATE SET dropped_before = GREATEST(partitions_dropped.dropped_before, excluded.dropped_before)
    WHERE partitions_dropped.dropped_before < excluded.dropped_before;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION merged_job(was jobs, told jobs) RETURNS jobs LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    newer jobs := was;
    older jobs := told;
BEGIN
    IF job_is_newer(told, was) THEN
        newer := told;
        older := was;
    END IF;
    newer.client_address := COALESCE(newer.client_address, older.client_address);
    newer.job_type := COALESCE(NULLIF(newer.job_type, ''), older.job_type);
    newer.payment_amount := COALESCE(newer.payment_amount, older.payment_amount);
    newer.created_at := LEAST(newer.created_at, older.created_at);
    newer.updated_at := COALESCE(newer.updated_at, older.updated_at);
    IF newer.status <> 'pending' AND (newer.worker_address IS NULL OR older.worker_address IS NULL OR newer.worker_address = older.worker_address) THEN
        newer.worker_address := COALESCE(newer.worker_address, older.worker_address);
        newer.assigned_at := COALESCE(newer.assigned_at, older.assigned_at);
        newer.gpu_uuid := COALESCE(newer.gpu_uuid, older.gpu_uuid);
    END IF;
    IF newer.status = older.status AND job_has_ended(newer.status)
        AND (newer.completed_at IS NULL OR older.completed_at IS NULL OR newer.completed_at = older.completed_at)
    THEN
        newer.completed_at := COALESCE(newer.completed_at, older.completed_at);
        newer.execution_time_ms := COALESCE(newer.execution_time_ms, older.execution_time_ms);
        newer.result_hash := COALESCE(newer.result_hash, older.result_hash);
        newer.error_message := COALESCE(newer.error_message, older.error_message);
        newer.tx_hash := COALESCE(newer.tx_hash, older.tx_hash);
        newer.block_number := COALESCE(newer.block_number, older.block_number);
    END IF;
    RETURN newer;
END $$;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE OR REPLACE FUNCTION merge_told_jobs(list jsonb) RETURNS bigint LANGUAGE sql AS $$
WITH merged AS MATERIALIZED (
    SELECT m.* FROM told_jobs(list) t JOIN jobs j USING (job_id) CROSS JOIN LATERAL merged_job(j, t) m
    WHERE m IS DISTINCT FROM j
), changed AS (
    UPDATE jobs j SET client_address = m.client_address, worker_address = m.worker_address, job_type = m.job_type, status = m.status,
        payment_amount = m.payment_amount, created_at = m.created_at, assigned_at = m.assigned_at, completed_at = m.completed_at,
        execution_time_ms = m.execution_time_ms, result_hash = m.result_hash, error_message = m.error_message, gpu_uuid = m.gpu_uuid,
        tx_hash = m.tx_hash, block_number = m.block_number, updated_at = m.updated_at
    FROM merged m WHERE j.job_id = m.job_id
    RETURNING 1
)
SELECT count(*) FROM changed
$$;
-- +goose StatementEnd
-- +goose StatementBegin
DO $$ BEGIN
    EXECUTE format('ALTER FUNCTION forget_heartbeats() SET search_path = %I, pg_temp', current_schema());
END $$;
-- +goose StatementEnd
