package db

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strconv"

	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/bitsage-network/validator-dashboard/db/privatepg"
)

//go:embed migrations/*.sql
var migrations embed.FS

// errMigration says that the tables could not be brought up to date.
var errMigration = errors.New("migration failed")

// migrate applies the migrations that the database lacks. A lock of the database's own
// makes servers that start together take turns: each asks once a second, for 5 minutes.
func (s *Store) migrate(ctx context.Context) (err error) {
	config, err := s.connConfig(ctx, "")
	if err != nil {
		return err
	}
	config.Tracer = nil
	config.RuntimeParams["statement_timeout"] = "0"
	config.RuntimeParams["idle_in_transaction_session_timeout"] = "0"
	config.RuntimeParams["client_min_messages"] = "warning"
	pool := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, pool.Close()) }()

	var version string
	if err := pool.QueryRowContext(ctx, "SHOW server_version_num").Scan(&version); err != nil {
		return fmt.Errorf("connect to the database: %w", err)
	}
	if n, err := strconv.Atoi(version); err == nil && n/10000 < privatepg.OldestVersion {
		return &privatepg.Problem{
			Reason: fmt.Sprintf("The database is PostgreSQL %d, which is too old.", n/10000),
			Remedy: fmt.Sprintf("Use PostgreSQL %d or newer.", privatepg.OldestVersion),
		}
	}
	sources, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return fmt.Errorf("%w: %w", errMigration, err)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300), lock.WithUnlockTimeout(1, 5))
	if err != nil {
		return fmt.Errorf("%w: %w", errMigration, err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, pool, sources, goose.WithSessionLocker(locker), goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return fmt.Errorf("%w: %w", errMigration, err)
	}
	applied, err := provider.Up(ctx)
	for _, m := range applied {
		s.cfg.Log.Info("database migrated", slog.String("migration", m.Source.Path), slog.Duration("took", m.Duration))
	}
	if err != nil {
		return fmt.Errorf("%w: %w", errMigration, err)
	}
	return nil
}
