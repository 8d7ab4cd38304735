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

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
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

// migrationSettings are those of a session that migrates.
var migrationSettings = map[string]string{
	"statement_timeout":                   "0",
	"idle_in_transaction_session_timeout": "0",
	"client_min_messages":                 "warning",
}

// migrate applies the migrations that the database lacks. A lock of the database's own
// makes servers that start together take turns: each asks once a second, for 5 minutes.
// River's own migrations follow ours under the same lock.
func (s *Store) migrate(ctx context.Context) (err error) {
	ctx = withStatementLimit(ctx, 0)
	if s.pooledByTransaction() && s.direct == nil {
		return s.needsNoMigration(ctx)
	}
	config, err := s.directConfig(migrationSettings)
	if err != nil {
		return err
	}
	pool := stdlib.OpenDB(*config)
	defer func() { err = errors.Join(err, pool.Close()) }()

	var version string
	if err := pool.QueryRowContext(ctx, "SHOW server_version_num").Scan(&version); err != nil {
		return s.overDirectURL(fmt.Errorf("connect to the database: %w", err))
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
	if s.direct != nil {
		config = s.direct.pool.Copy()
	}
	config.MaxConns, config.MinConns, config.MinIdleConns = 1, 0, 0
	config.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
		direct, err := s.directConfig(migrationSettings)
		if err == nil {
			*c = *direct
		}
		return err
	}
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

// needsNoMigration fails where the tables are not up to date. Migrations take turns by a lock
// of their session, which a pooler that shares connections by transaction cannot keep.
func (s *Store) needsNoMigration(ctx context.Context) error {
	if err := s.knowsSchema(ctx); err != nil && !isUndefinedTable(err) {
		return err
	}
	current, err := s.hasAllMigrations(ctx)
	if err != nil || current {
		return err
	}
	return &privatepg.Problem{
		Reason: "The database's tables must be brought up to date, and DATABASE_URL leads through a pooler that shares connections by transaction.",
		Remedy: "Let DATABASE_DIRECT_URL name the server itself, or run `validator-dashboard migrate` once with a DATABASE_URL that does.",
	}
}

// hasAllMigrations reports whether our migrations and the job queue's are applied.
func (s *Store) hasAllMigrations(ctx context.Context) (bool, error) {
	known, err := schemaVersions()
	if err != nil {
		return false, err
	}
	conn, err := s.connect(ctx, "")
	if err != nil {
		return false, err
	}
	defer func() { _ = conn.Close(ctx) }()
	var missing int
	err = conn.QueryRow(ctx, "SELECT count(*) FROM unnest($1::bigint[]) known WHERE known NOT IN (SELECT version_id FROM goose_db_version WHERE is_applied)", known).Scan(&missing)
	if isUndefinedTable(err) || err == nil && missing > 0 {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("list the migrations that are applied: %w", err)
	}
	migrator, err := rivermigrate.New(riverpgxv5.New(s.pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return false, err
	}
	found, err := migrator.Validate(ctx, nil)
	if err != nil {
		return false, fmt.Errorf("look at the job queue's tables: %w", err)
	}
	return found.OK, nil
}

func isUndefinedTable(err error) bool {
	pg, is := errors.AsType[*pgconn.PgError](err)
	return is && pg.Code == "42P01"
}

// overDirectURL gives words to why the server cannot be reached past the pooler.
func (s *Store) overDirectURL(err error) error {
	if s.direct == nil {
		return err
	}
	return &directError{err}
}

// directError is of a connection by Config.DirectURL.
type directError struct{ error }

func (e *directError) Unwrap() error { return e.error }
