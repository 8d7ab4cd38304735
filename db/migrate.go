package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strconv"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/bitsage-network/validator-dashboard/db/privatepg"
)

//go:embed migrations/*.sql
var migrations embed.FS

// errMigration says that the tables could not be brought up to date.
var errMigration = errors.New("migration failed")

// migrate applies the migrations that the database lacks. A lock of the database's own
// makes servers that start together take turns: each asks once a second, for 5 minutes.
// River's own migrations follow ours under the same lock.
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
	// Migrations are written beside each other: one with a lower number may come later.
	provider, err := goose.NewProvider(goose.DialectPostgres, pool, sources, goose.WithDisableGlobalRegistry(true), goose.WithAllowOutofOrder(true))
	if err != nil {
		return fmt.Errorf("%w: %w", errMigration, err)
	}
	err = inTurn(ctx, pool, func() error {
		if _, err := provider.GetDBVersion(ctx); err != nil { // makes goose's table if there is none
			return err
		}
		if err := s.knowsSchema(ctx); err != nil {
			return err
		}
		applied, err := provider.Up(ctx)
		for _, m := range applied {
			s.cfg.Log.Info("database migrated", slog.String("migration", m.Source.Path), slog.Duration("took", m.Duration))
		}
		if err != nil {
			return err
		}
		return s.migrateRiver(ctx)
	})
	if err != nil {
		return fmt.Errorf("%w: %w", errMigration, err)
	}
	return nil
}

// knowsSchema fails where a newer version of this program made the database's tables.
func (s *Store) knowsSchema(ctx context.Context) error {
	conn, err := s.connect(ctx, "")
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(ctx) }()
	unknown, _, err := unknownSchema(ctx, conn)
	if err != nil {
		return err
	}
	return newerSchema(unknown)
}

// inTurn holds the migrations' lock on a connection of its own while f runs.
func inTurn(ctx context.Context, pool *sql.DB, f func() error) (err error) {
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300), lock.WithUnlockTimeout(1, 5))
	if err != nil {
		return err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if err := locker.SessionLock(ctx, conn); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, locker.SessionUnlock(context.WithoutCancel(ctx), conn)) }()
	return f()
}

// migrateRiver brings the job queue's tables up to date. They stand beside our own.
func (s *Store) migrateRiver(ctx context.Context) error {
	config := s.pool.Config()
	config.MaxConns, config.MinConns, config.MinIdleConns = 1, 0, 0
	config.ConnConfig.Tracer = nil
	config.ConnConfig.RuntimeParams["statement_timeout"] = "0"
	config.ConnConfig.RuntimeParams["client_min_messages"] = "warning"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return err
	}
	defer pool.Close()
	migrator, err := rivermigrate.New(riverpgxv5.New(pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return err
	}
	done, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	if err != nil {
		return err
	}
	for _, v := range done.Versions {
		s.cfg.Log.Info("job queue migrated", slog.Int("version", v.Version), slog.Duration("took", v.Duration))
	}
	return nil
}
