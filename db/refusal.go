package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

// refusal says for people why a database that answers takes no writes.
type refusal struct{ reason, remedy string }

// The SQLSTATEs that mean that a database takes no writes, and what they mean.
const (
	stateReadOnly      = "25006"
	stateNotAllowed    = "42501"
	stateDiskFull      = "53100"
	stateOutOfMemory   = "53200"
	stateNoConnections = "53300"
	stateLocked        = "55P03"
)

var refusals = map[string]refusal{
	stateReadOnly:      {"The database takes no writes: it is set to read-only.", "Set default_transaction_read_only to off for this database and its user."},
	stateNotAllowed:    {"The database takes no writes: its user may not write into its tables.", "Grant that user INSERT, UPDATE, DELETE and TRUNCATE on them."},
	stateDiskFull:      {"The database takes no writes: its disk is full.", "Free space on the disk that holds the database's files."},
	stateOutOfMemory:   {"The database takes no writes: it is out of memory.", "Give its machine more memory, or lower its settings."},
	stateNoConnections: {"The database takes no writes: it has no connection left.", "Raise its max_connections, or close other programs' connections."},
	stateLocked:        {"The database takes no writes: another session keeps a table locked.", "End that session, or wait until it ends."},
}

var (
	standbyRefusal = refusal{"The database takes no writes: it is a standby that copies another server.", "Set DATABASE_URL to the primary server."}
	slowRefusal    = refusal{"The database takes no writes: it does not finish them in time.", "Check its load, its disks and its synchronous standbys."}
	otherRefusal   = refusal{"The database takes no writes.", "The log says why."}
)

// stateCanceled is the SQLSTATE of a statement that was canceled, mostly for taking too long.
const stateCanceled = "57014"

// refusalOf gives words to a failed write of a probe; false means that the database is lost
// rather than unwilling. conn may still be asked for more.
func refusalOf(ctx context.Context, conn *pgx.Conn, err error) (refusal, bool) {
	pg, answered := errors.AsType[*pgconn.PgError](err)
	switch {
	case !answered:
		return slowRefusal, errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil
	case class(pg) == "08", strings.HasPrefix(pg.Code, "57P"):
		return refusal{}, false
	case pg.Code == stateCanceled:
		return slowRefusal, true
	}
	r, known := refusals[pg.Code]
	switch {
	case !known:
		return otherRefusal, true
	case pg.Code == stateReadOnly:
		if standby, err := New(conn).isStandby(ctx); err == nil && standby {
			return standbyRefusal, true
		}
	case pg.Code == stateLocked:
		if locked, err := whoLocks(ctx, conn); err == nil && locked != nil {
			return *locked, true
		}
	}
	return r, true
}

// lockers lists the sessions that keep everybody from writing into the tables that reports go
// into.
const lockers = `
SELECT c.relname, l.pid
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation
WHERE l.granted AND l.pid <> pg_backend_pid() AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND l.mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
  AND l.relation IN ('jobs'::regclass, 'heartbeats'::regclass, 'gpu_samples'::regclass, 'worker_gpus'::regclass, 'reward_claims'::regclass,
                     'write_probes'::regclass, 'space_probe'::regclass)
ORDER BY l.pid, c.relname`

// whoLocks names the tables and the session; nil if there is none any more.
func whoLocks(ctx context.Context, conn *pgx.Conn) (*refusal, error) {
	rows, err := conn.Query(ctx, lockers)
	if err != nil {
		return nil, err
	}
	var tables []string
	var process int32
	var table string
	var pid int32
	_, err = pgx.ForEachRow(rows, []any{&table, &pid}, func() error {
		if process == 0 {
			process = pid
		}
		if pid == process && !slices.Contains(tables, table) {
			tables = append(tables, table)
		}
		return nil
	})
	if err != nil || len(tables) == 0 {
		return nil, err
	}
	noun := "table"
	if len(tables) > 1 {
		noun = "tables"
	}
	return &refusal{
		fmt.Sprintf("The database takes no writes: another session (process %d) keeps its %s %s locked.", process, noun, strings.Join(tables, ", ")),
		fmt.Sprintf("Wait until that session ends, or end it: SELECT pg_terminate_backend(%d).", process),
	}, nil
}
