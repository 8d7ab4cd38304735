package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/pressly/goose/v3"

	"github.com/bitsage-network/validator-dashboard/db/privatepg"
)

// schemaVersions lists the migrations that this program has, and goose's own first entry.
func schemaVersions() ([]int64, error) {
	files, err := fs.ReadDir(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	versions := []int64{0}
	for _, f := range files {
		v, err := goose.NumericComponent(f.Name())
		if err != nil {
			return nil, fmt.Errorf("number of the migration %s: %w", f.Name(), err)
		}
		versions = append(versions, v)
	}
	return versions, nil
}

// unknownSchema returns the newest migration of the database that this program does not have,
// 0 if there is none, and the database's time.
func unknownSchema(ctx context.Context, conn *pgx.Conn) (newest int64, at time.Time, err error) {
	known, err := schemaVersions()
	if err != nil {
		return 0, at, err
	}
	err = conn.QueryRow(ctx, "SELECT COALESCE(max(version_id), 0), clock_timestamp() FROM goose_db_version WHERE is_applied AND version_id <> ALL ($1)", known).Scan(&newest, &at)
	return newest, at, err
}

// errNewerSchema says that another version of this program made the database's tables.
var errNewerSchema = errors.New("the database's tables are newer than this program")

// newerSchema is nil for an unknown migration of 0.
func newerSchema(unknown int64) error {
	if unknown == 0 {
		return nil
	}
	known, err := schemaVersions()
	if err != nil {
		return err
	}
	return &privatepg.Problem{
		Reason: fmt.Sprintf("A newer version of this program made the database's tables (schema %d). This one knows schema %d.", unknown, slices.Max(known)),
		Remedy: "Start the newer version of this program. This one reads and stores nothing here.",
		Kind:   errNewerSchema,
	}
}
