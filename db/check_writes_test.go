package db_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// someRows are jobs, heartbeats and claims to be changed.
const someRows = `
	INSERT INTO jobs (job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at, execution_time_ms)
	SELECT 'j' || n, CASE WHEN n % 5 > 0 THEN '0xA' || n % 3 END, 'type' || n % 2, (ARRAY['pending', 'running', 'completed', 'completed', 'failed'])[1 + n % 5],
	       CASE WHEN n % 4 > 0 THEN n END, now() - n * interval '7 hours', now() - n * interval '6 hours', CASE WHEN n % 3 > 0 THEN now() - n * interval '5 hours' END, CASE WHEN n % 7 > 2 THEN n * 10 END
	FROM generate_series(1, 60) n;
	INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time) SELECT '0xA' || n % 3, 'rig-' || n % 2, date_trunc('minute', now()) - n * interval '97 minutes' FROM generate_series(1, 200) n;
	INSERT INTO reward_claims (address, amount, claim_type, tx_hash, status) SELECT '0xA' || n % 3, n, 'bonus', '0x' || to_hex(n), 'confirmed' FROM generate_series(1, 9) n`

// TestNothingIsMiscountedHoweverItIsWritten: each way in which SQL writes, alone, before and
// after a fold. A statement between semicolons at the beginning of a line is one command.
func TestNothingIsMiscountedHoweverItIsWritten(t *testing.T) {
	b := newBench(t)
	conn := must[*pgx.Conn](t)(pgx.Connect(b.ctx(), b.url))
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	ways := map[string]string{
		"truncated":                        "TRUNCATE jobs",
		"truncated together":               "TRUNCATE jobs, heartbeats, reward_claims",
		"truncated, and taken back":        "BEGIN; TRUNCATE jobs, heartbeats; ROLLBACK",
		"truncated after a row":            "BEGIN; INSERT INTO jobs (job_id, worker_address, status, payment_amount) VALUES ('new', '0xA1', 'completed', 7); TRUNCATE jobs; INSERT INTO jobs (job_id, worker_address) VALUES ('newer', '0xA1'); COMMIT",
		"heartbeats truncated after one":   "BEGIN; INSERT INTO heartbeats (worker_address) VALUES ('0xA1'); TRUNCATE heartbeats; INSERT INTO heartbeats (worker_address) VALUES ('0xA2'); COMMIT",
		"to a savepoint":                   "BEGIN; UPDATE jobs SET payment_amount = 3 WHERE job_type = 'type1'; SAVEPOINT s; DELETE FROM jobs; DELETE FROM heartbeats; ROLLBACK TO s; UPDATE jobs SET status = 'completed' WHERE job_type = 'type0'; COMMIT",
		"a block that catches its error":   "DO $$ BEGIN INSERT INTO jobs (job_id, worker_address, status) VALUES ('caught', '0xA1', 'completed'); INSERT INTO jobs (job_id) VALUES ('j1'); EXCEPTION WHEN unique_violation THEN INSERT INTO jobs (job_id, worker_address) VALUES ('instead', '0xA1'); END $$",
		"a statement that fails halfway":   "INSERT INTO jobs (job_id, worker_address) VALUES ('good', '0xA1'), ('j1', '0xA1')",
		"other identifiers":                "UPDATE jobs SET job_id = 'renamed-' || job_id",
		"other workers":                    "UPDATE jobs SET worker_address = '0xB' || length(job_id)",
		"no worker":                        "UPDATE jobs SET worker_address = NULL",
		"hosts of others":                  "UPDATE heartbeats SET worker_address = '0xB1' WHERE worker_id = 'rig-1'",
		"hosts by other names":             "UPDATE heartbeats SET worker_id = worker_id || '-renamed'",
		"a week earlier":                   "UPDATE heartbeats SET heartbeat_time = heartbeat_time - interval '7 days 1 minute'",
		"to where no partition is":         "UPDATE heartbeats SET heartbeat_time = heartbeat_time - interval '400 days'; UPDATE heartbeats SET heartbeat_time = heartbeat_time + interval '399 days'",
		"a payment that becomes known":     "UPDATE jobs SET payment_amount = 5 WHERE payment_amount IS NULL",
		"a payment that is forgotten":      "UPDATE jobs SET payment_amount = NULL",
		"a time that becomes known":        "UPDATE jobs SET execution_time_ms = 7, completed_at = now()",
		"states going back":                "UPDATE jobs SET status = CASE status WHEN 'completed' THEN 'running' WHEN 'failed' THEN 'assigned' ELSE 'pending' END",
		"as it was":                        "UPDATE jobs SET status = status; UPDATE heartbeats SET version = 'v2'",
		"upserts":                          "INSERT INTO jobs (job_id, worker_address, status, payment_amount) SELECT 'j' || n, '0xA1', 'completed', n FROM generate_series(50, 70) n ON CONFLICT (job_id) DO UPDATE SET status = excluded.status, worker_address = excluded.worker_address WHERE jobs.status <> 'pending'",
		"heartbeats that are there":        "INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time) SELECT worker_address, worker_id, heartbeat_time FROM heartbeats ON CONFLICT (worker_address, heartbeat_time, worker_id) DO UPDATE SET version = 'v3'",
		"deleted and added by one":         "WITH gone AS (DELETE FROM jobs WHERE status = 'completed' RETURNING *) INSERT INTO jobs (job_id, worker_address, status, payment_amount) SELECT job_id || '-again', worker_address, 'failed', payment_amount FROM gone",
		"two changes of one":               "WITH a AS (UPDATE jobs SET payment_amount = 9 WHERE job_type = 'type0'), b AS (INSERT INTO heartbeats (worker_address) VALUES ('0xA1')) UPDATE jobs SET status = 'completed' WHERE job_type = 'type1'",
		"by a cursor":                      "BEGIN; DECLARE c CURSOR FOR SELECT * FROM jobs WHERE status = 'running' FOR UPDATE; MOVE 2 FROM c; UPDATE jobs SET status = 'completed' WHERE CURRENT OF c; COMMIT",
		"joined":                           "UPDATE jobs SET worker_address = h.worker_address FROM heartbeats h WHERE h.worker_id = 'rig-1'; DELETE FROM jobs USING reward_claims c WHERE c.address = jobs.worker_address AND jobs.status = 'completed'",
		"claims of other kinds":            "UPDATE reward_claims SET claim_type = 'job' WHERE amount > 3; UPDATE reward_claims SET status = 'failed' WHERE amount > 6; TRUNCATE reward_claims",
		"repeatable reads":                 "BEGIN ISOLATION LEVEL SERIALIZABLE; UPDATE jobs SET payment_amount = 4; DELETE FROM heartbeats WHERE worker_id = 'rig-0'; COMMIT",
		"heartbeats that never were":       "DELETE FROM heartbeats WHERE worker_id = 'none'; UPDATE jobs SET status = 'failed' WHERE job_id = 'none'; INSERT INTO jobs (job_id) SELECT 'x' WHERE false",
		"partitions that are emptied":      "DO $$ DECLARE p regclass; BEGIN FOR p IN SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'heartbeats'::regclass LOOP EXECUTE 'TRUNCATE ' || p; END LOOP; END $$",
		"one and then all of them":         "BEGIN; INSERT INTO heartbeats (worker_address, heartbeat_time) VALUES ('0xA1', now() - interval '300 days'); TRUNCATE heartbeats_other; INSERT INTO heartbeats (worker_address) VALUES ('0xA1'); TRUNCATE heartbeats; INSERT INTO heartbeats (worker_address) VALUES ('0xA2'); COMMIT",
		"all of them and then one":         "BEGIN; TRUNCATE heartbeats; INSERT INTO heartbeats (worker_address, heartbeat_time) VALUES ('0xA1', now() - interval '300 days'); TRUNCATE heartbeats_other; COMMIT",
		"a partition that is written":      "INSERT INTO heartbeats_other (worker_address, heartbeat_time) VALUES ('0x00000000000000000000000000000000000000000000000000000000000000a1', '2020-01-01 00:00:00Z')",
		"a partition that is deleted from": "UPDATE heartbeats SET heartbeat_time = heartbeat_time - interval '400 days'; DELETE FROM heartbeats_other WHERE worker_id = 'rig-1'; UPDATE heartbeats_other SET worker_id = 'rig-9'",
	}
	if dbtest.Value(t, b.url, "SELECT current_setting('server_version_num')::integer >= 150000") == "true" {
		ways["merged"] = `MERGE INTO jobs j USING (SELECT 'j' || n AS id, n FROM generate_series(1, 90) n) s ON j.job_id = s.id
			WHEN MATCHED AND n % 3 = 0 THEN DELETE
			WHEN MATCHED AND n % 3 = 1 THEN UPDATE SET status = 'completed', payment_amount = n, worker_address = '0xA2'
			WHEN NOT MATCHED AND n % 2 = 0 THEN INSERT (job_id, worker_address, status, payment_amount) VALUES (s.id, '0xA1', 'completed', n)`
	}
	for name, sql := range ways {
		b.exec("TRUNCATE jobs, heartbeats, reward_claims")
		b.exec(someRows)
		if len(name)%2 == 0 {
			check(t, b.store.FoldTotals(b.ctx()))
		}
		for _, statement := range strings.Split(sql, "; ") {
			if strings.HasPrefix(sql, "DO ") {
				statement = sql
			}
			_, err := conn.Exec(b.ctx(), statement)
			if pg, is := errors.AsType[*pgconn.PgError](err); err != nil && (!is || pg.Code != "23505") {
				t.Errorf("%s: %v", name, err)
			}
			if statement == sql {
				break
			}
		}
		b.differences(name)
		check(t, b.store.FoldTotals(b.ctx()))
		b.differences(name + ", folded")
	}
}

// TestWhoSeesAnOldMomentMayNotEmptyATable of jobs or claims: what others have added since
// would be gone, and its earnings would stay.
func TestWhoSeesAnOldMomentMayNotEmptyATable(t *testing.T) {
	b := newBench(t)
	conn := must[*pgx.Conn](t)(pgx.Connect(b.ctx(), b.url))
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	for _, table := range []string{"jobs", "reward_claims"} {
		tx := must[pgx.Tx](t)(conn.BeginTx(b.ctx(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead}))
		must[pgconn.CommandTag](t)(tx.Exec(b.ctx(), "SELECT count(*) FROM jobs"))
		b.exec(someRows)
		_, err := tx.Exec(b.ctx(), "TRUNCATE "+table)
		if pg, is := errors.AsType[*pgconn.PgError](err); !is || pg.Code != "0A000" || !strings.Contains(pg.Hint, "READ COMMITTED") {
			t.Errorf("TRUNCATE %s: %v", table, err)
		}
		check(t, tx.Rollback(b.ctx()))
		b.exec("DELETE FROM jobs; DELETE FROM reward_claims; TRUNCATE heartbeats")
		b.differences(table)
	}
}

// TestUpkeepChangesNoMinute when it moves heartbeats into a partition of their own, and when
// it drops them.
func TestUpkeepChangesNoMinute(t *testing.T) {
	b := newBench(t)
	b.exec(someRows)
	b.exec("UPDATE heartbeats SET heartbeat_time = heartbeat_time - interval '200 days'")
	check(t, b.store.FoldTotals(b.ctx()))
	kept := func() string {
		return dbtest.Value(t, b.url, "SELECT sum(marked_minutes(minutes)) || ' of ' || sum(cardinality(array_positions(beats, 1))) FROM heartbeat_hours")
	}
	before := kept()
	b.exec("SELECT keep_partitions('heartbeats', 7, '2001-01-01', current_date - 230, current_date - 190)")
	if n := dbtest.Value(t, b.url, "SELECT count(*) FROM ONLY heartbeats_other"); n != "0" {
		t.Errorf("%s heartbeats were not moved", n)
	}
	check(t, b.store.FoldTotals(b.ctx()))
	b.differences("moved")
	equal(t, "minutes", kept(), before)
	b.exec("INSERT INTO heartbeats (worker_address, heartbeat_time) VALUES ('0xA1', now() - interval '300 days')")
	check(t, b.store.FoldTotals(b.ctx()))
	before = kept()
	b.exec("SELECT keep_partitions('heartbeats', 7, current_date - 100, current_date, current_date)")
	equal(t, "heartbeats that are left", dbtest.Value(t, b.url, "SELECT count(*) FROM heartbeats"), "0")
	check(t, b.store.FoldTotals(b.ctx()))
	b.differences("dropped")
	equal(t, "minutes", kept(), before)
}
