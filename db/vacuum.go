package db

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/jackc/pgx/v5"
)

// overdueTables lists the tables that are full of dead rows, or whose statistics are of another
// time: autovacuum is off, or behind after a load of many rows. It lists only tables that the
// database's user may vacuum.
const overdueTables = `
SELECT s.relname
FROM pg_stat_user_tables s JOIN pg_class c ON c.oid = s.relid
WHERE s.schemaname = current_schema() AND pg_has_role(c.relowner, 'USAGE')
  AND (s.n_dead_tup > 5000 + s.n_live_tup / 4 OR s.n_mod_since_analyze > 5000 + s.n_live_tup / 2)
ORDER BY s.n_dead_tup DESC`

// vacuumOverdue vacuums what autovacuum should have, on a connection of its own, since it may
// take long. A table that somebody else vacuums is left to them.
func (s *Store) vacuumOverdue(ctx context.Context) (err error) {
	ctx = withStatementLimit(ctx, 0)
	config, err := s.directConfig(map[string]string{"statement_timeout": "0"})
	if err != nil {
		return err
	}
	conn, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return s.fail("vacuum", err)
	}
	defer func() { err = errors.Join(err, conn.Close(context.WithoutCancel(ctx))) }()
	rows, err := conn.Query(ctx, overdueTables)
	if err != nil {
		return s.fail("look for tables to vacuum", err)
	}
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return s.fail("look for tables to vacuum", err)
	}
	for _, table := range tables {
		if _, err := conn.Exec(ctx, "VACUUM (ANALYZE, SKIP_LOCKED) "+pgx.Identifier{table}.Sanitize()); err != nil {
			return s.fail(fmt.Sprintf("vacuum %s", table), err)
		}
		s.cfg.Log.Debug("table vacuumed", slog.String("table", table))
	}
	return nil
}
