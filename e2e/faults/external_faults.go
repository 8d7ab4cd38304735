//go:build linux

package main

import (
	"context"
	"fmt"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// statements runs statements in the stage's database as the superuser.
func statements(list ...string) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		for _, one := range list {
			if err := s.sql(ctx, one); err != nil {
				return err
			}
		}
		return nil
	}
}

// endSessions ends the program's sessions.
const endSessions = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '" + appRole + "'"

// admin runs statements outside the stage's database, which they call {database}.
func admin(list ...string) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		for _, one := range list {
			if err := s.pg.exec(ctx, strings.ReplaceAll(one, "{database}", s.databaseN)); err != nil {
				return err
			}
		}
		return nil
	}
}

// setting changes a setting of the whole server.
func setting(name, value string) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		sql := fmt.Sprintf("ALTER SYSTEM SET %s = '%s'", name, value)
		if value == "" {
			sql = "ALTER SYSTEM RESET " + name
		}
		if err := s.pg.exec(ctx, sql); err != nil {
			return err
		}
		return s.pg.exec(ctx, "SELECT pg_reload_conf()")
	}
}

// crashed ends the server by a signal.
func crashed(sig syscall.Signal) func(context.Context, *stage) error {
	return func(_ context.Context, s *stage) error { return s.pg.crash(sig) }
}

// started starts the server again.
func started(ctx context.Context, s *stage) error { return s.pg.start(ctx) }

// standing stops or continues all processes of the server.
func standing(sig syscall.Signal) func(context.Context, *stage) error {
	return func(_ context.Context, s *stage) error {
		pid := s.pg.cluster.PID()
		return signalAll(append(children(pid), pid), sig)
	}
}

// line changes what the relay before the database does.
func line(m relayMode) func(context.Context, *stage) error {
	return func(_ context.Context, s *stage) error { return s.relay.set(m) }
}

// holding opens a session that runs statements and stays, until the heal that it returns
// second. The statements run in one transaction.
func holding(list ...string) (inject, heal func(context.Context, *stage) error) {
	var conn *pgx.Conn
	inject = func(ctx context.Context, s *stage) error {
		at, err := s.adminURL()
		if err != nil {
			return err
		}
		if conn, err = pgx.Connect(ctx, at); err != nil {
			return fmt.Errorf("connect as another program: %w", err)
		}
		for _, one := range append([]string{"BEGIN"}, list...) {
			if _, err := conn.Exec(ctx, one); err != nil {
				return fmt.Errorf("run %q: %w", one, err)
			}
		}
		return nil
	}
	heal = func(ctx context.Context, _ *stage) error { return conn.Close(ctx) }
	return inject, heal
}

// locked is a fault in which another program holds a table for itself.
func locked(table string, noticed condition) fault {
	inject, heal := holding("LOCK TABLE " + table + " IN ACCESS EXCLUSIVE MODE")
	return fault{
		name: "another program holds the table " + table + " for itself", source: sourceDatabase, inject: inject, heal: heal,
		noticed: noticed, within: 25 * time.Second, may: allowance{slow: true}, flaps: true,
	}
}

// reportsRefused holds when reports are answered 503.
func reportsRefused() condition {
	return condition{what: "reports are answered 503", holds: func(s *sight) bool { return s.ingest.status == 503 }}
}

func externalLanes() []lane {
	return []lane{
		{name: "server", setup: setup{database: databaseOwn}, faults: externalServerFaults()},
		{name: "rights", setup: setup{database: databaseOwn}, faults: externalRightsFaults()},
		{name: "tables", setup: setup{database: databaseOwn}, faults: externalTableFaults()},
		{name: "line", faults: externalLineFaults()},
		{name: "names", setup: setup{names: true}, faults: nameFaults()},
		{name: "clock", setup: setup{database: databaseOwn, moveClock: true}, faults: clockFaults()},
		{name: "disk", setup: setup{database: databaseOwn, smallDisk: true}, faults: diskFaults()},
		{name: "failover", setup: setup{database: databaseOwn, standby: true}, faults: failoverFaults()},
	}
}

func externalServerFaults() []fault {
	exhaust, relax := holdConnections()
	return []fault{
		{name: "the database server is stopped", source: sourceDatabase, inject: crashed(syscall.SIGINT), heal: started, noticed: cannotStore()},
		{
			name: "the database server is restarted", source: sourceDatabase,
			inject: func(ctx context.Context, s *stage) error {
				if err := s.pg.crash(syscall.SIGINT); err != nil {
					return err
				}
				return s.pg.start(ctx)
			},
		},
		{name: "the database server is shut down at once (immediate)", source: sourceDatabase, inject: crashed(syscall.SIGQUIT), heal: started, noticed: cannotStore()},
		{name: "kill -9 of the postmaster", source: sourceDatabase, inject: crashed(syscall.SIGKILL), heal: started, noticed: cannotStore()},
		{name: "all processes of the server stand still", source: sourceDatabase, inject: standing(syscall.SIGSTOP), heal: standing(syscall.SIGCONT), noticed: cannotStore(), within: 25 * time.Second, may: allowance{slow: true}},
		{name: "the program's sessions are ended", source: sourceDatabase, inject: statements(endSessions)},
		{name: "the program's sessions are ended five times a second", source: sourceDatabase, inject: repeated(endSessions, 200*time.Millisecond), heal: endRepeated, hold: 5 * time.Second},
		{
			name: "the program's statements are cancelled ten times a second", source: sourceDatabase,
			inject: repeated("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE usename = '"+appRole+"' AND state = 'active'", 100*time.Millisecond), heal: endRepeated, hold: 5 * time.Second,
		},
		{name: "no connection is left", source: sourceDatabase, inject: exhaust, heal: relax, noticed: cannotStore(), within: 25 * time.Second},
		{
			name: "max_connections is lowered to 9", source: sourceDatabase,
			inject: restartWith("9"), heal: restartWith(""), hold: 5 * time.Second, may: allowance{slow: true},
		},
		{
			name: "commits wait for a standby that is gone", source: sourceDatabase, inject: setting("synchronous_standby_names", "gone"), heal: setting("synchronous_standby_names", ""),
			hold: 12 * time.Second, may: allowance{slow: true},
		},
	}
}

// restartWith restarts the server with so many connections; "" is as many as before.
func restartWith(connections string) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		if err := setting("max_connections", connections)(ctx, s); err != nil {
			return err
		}
		if err := s.pg.crash(syscall.SIGINT); err != nil {
			return err
		}
		return s.pg.start(ctx)
	}
}

func externalRightsFaults() []fault {
	return []fault{
		{
			name: "the server takes no writes (read-only)", source: sourceDatabase, inject: setting("default_transaction_read_only", "on"), heal: setting("default_transaction_read_only", ""),
			noticed: cannotStore(),
		},
		{
			name: "the role may not connect any more", source: sourceDatabase, inject: admin("ALTER ROLE "+appRole+" NOLOGIN", endSessions),
			heal: admin("ALTER ROLE " + appRole + " LOGIN"), noticed: cannotStore(),
		},
		{
			name: "the role's password is changed", source: sourceDatabase, inject: admin("ALTER ROLE "+appRole+" PASSWORD 'another'", endSessions),
			heal: admin("ALTER ROLE " + appRole + " PASSWORD '" + appPassword + "'"), noticed: cannotStore(),
		},
		{
			name: "the database takes no connections", source: sourceDatabase, inject: admin("ALTER DATABASE {database} ALLOW_CONNECTIONS false", endSessions),
			heal: admin("ALTER DATABASE {database} ALLOW_CONNECTIONS true"), noticed: cannotStore(),
		},
		{
			name: "the database is renamed away", source: sourceDatabase, inject: renamedAway, heal: admin("ALTER DATABASE gone_{database} RENAME TO {database}"), noticed: cannotStore(),
		},
		{
			name: "the role may not write jobs", source: sourceDatabase, inject: statements("REVOKE INSERT, UPDATE ON jobs FROM " + appRole), heal: statements("GRANT INSERT, UPDATE ON jobs TO " + appRole),
			noticed: reportsRefused(), flaps: true,
		},
		{
			name: "the role may not write at all", source: sourceDatabase, inject: statements("REVOKE INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public FROM " + appRole),
			heal: statements("GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO " + appRole), noticed: cannotStore(),
		},
		{
			name: "the role may not read jobs", source: sourceDatabase, inject: statements("REVOKE SELECT ON jobs FROM " + appRole), heal: statements("GRANT SELECT ON jobs TO " + appRole),
			noticed: reportsRefused(), flaps: true, looks: []string{"/jobs"},
		},
	}
}

// renamedAway gives the database another name as soon as nobody is connected.
func renamedAway(ctx context.Context, s *stage) error {
	sql := fmt.Sprintf("ALTER DATABASE %[1]s RENAME TO gone_%[1]s", s.databaseN)
	for {
		if err := s.pg.exec(ctx, endSessions); err != nil {
			return err
		}
		err := s.pg.exec(ctx, sql)
		if err == nil || ctx.Err() != nil {
			return err
		}
		sleep(ctx, 20*time.Millisecond)
	}
}

func externalTableFaults() []fault {
	rowInject, rowHeal := holding("SELECT 1 FROM job_totals FOR UPDATE", "SELECT 1 FROM jobs FOR UPDATE")
	return []fault{
		locked("heartbeats", reportsRefused()),
		locked("jobs", reportsRefused()),
		locked("gpu_samples", reportsRefused()),
		{name: "another program holds rows of jobs and totals", source: sourceDatabase, inject: rowInject, heal: rowHeal, hold: 8 * time.Second, may: allowance{slow: true}},
		{
			name: "the table jobs is gone, and comes back", source: sourceDatabase, inject: statements("ALTER TABLE jobs RENAME TO jobs_away"), heal: statements("ALTER TABLE jobs_away RENAME TO jobs"),
			noticed: reportsRefused(), flaps: true, looks: []string{"/jobs"},
		},
		{
			name: "the table heartbeats is gone, and comes back", source: sourceDatabase, inject: statements("ALTER TABLE heartbeats RENAME TO heartbeats_away"),
			heal: statements("ALTER TABLE heartbeats_away RENAME TO heartbeats"), noticed: reportsRefused(), flaps: true, looks: []string{"/uptime"},
		},
		{
			name: "a trigger of another program makes every heartbeat take 10 s", source: sourceDatabase,
			inject: statements("CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(10); RETURN NEW; END'", "CREATE TRIGGER slow BEFORE INSERT ON heartbeats FOR EACH ROW EXECUTE FUNCTION slow()"),
			heal:   statements("DROP TRIGGER slow ON heartbeats", "DROP FUNCTION slow"), noticed: reportsRefused(), within: 25 * time.Second, flaps: true, may: allowance{slow: true},
		},
		{
			name: "a trigger of another program fails for every job", source: sourceDatabase,
			inject: statements("CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no''; END'", "CREATE TRIGGER fails BEFORE INSERT ON jobs FOR EACH ROW EXECUTE FUNCTION fails()"),
			heal:   statements("DROP TRIGGER fails ON jobs", "DROP FUNCTION fails"), noticed: reportsRefused(), flaps: true,
		},
		{name: "deadlocks with another program", source: sourceDatabase, inject: deadlocks, heal: endRepeated, hold: 6 * time.Second, may: allowance{slow: true}},
		{
			name: "the schema is newer than the program", source: sourceDatabase,
			inject: func(ctx context.Context, s *stage) error {
				if err := s.sql(ctx, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, true)"); err != nil {
					return err
				}
				return s.sql(ctx, endSessions)
			},
			heal: statements("DELETE FROM goose_db_version WHERE version_id = 99999"), noticed: sourceSays(sourceDatabase, "newer"), recover: 60 * time.Second,
		},
	}
}

func externalLineFaults() []fault {
	return []fault{
		{name: "the line to the database refuses connections", source: sourceDatabase, inject: line(relayRefuses), heal: line(relayPasses), noticed: cannotStore()},
		{name: "the line to the database resets connections", source: sourceDatabase, inject: line(relayResets), heal: line(relayPasses), noticed: cannotStore()},
		{
			name: "the line to the database swallows everything", source: sourceDatabase, inject: line(relaySwallows), heal: line(relayPasses), noticed: cannotStore(),
			within: 25 * time.Second, may: allowance{slow: true},
		},
		{name: "the line to the database is slow: 300 ms for each piece", source: sourceDatabase, inject: line(relaySlow), heal: line(relayPasses), hold: 8 * time.Second, may: allowance{slow: true}},
		{name: "the line to the database breaks after 200 bytes of each connection", source: sourceDatabase, inject: line(relayHalves), heal: line(relayPasses), noticed: cannotStore()},
	}
}
