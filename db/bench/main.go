// Bench measures the database under many rows: it generates them once, then prints every
// figure beside its reference, measured in the same run.
//
//	go run ./db/bench -scale 1 -dir .cache/bench-db -program bin/validator-dashboard
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/privatepg"
)

func main() {
	factor := flag.Float64("scale", 1, "1 is 12 million jobs and 1,000 workers")
	dir := flag.String("dir", ".cache/bench-db", "folder of the generated database; an existing one is used as it is")
	program := flag.String("program", "bin/validator-dashboard", "the built server, for what goes through it")
	onlyGenerate := flag.Bool("generate", false, "generate the database, and end")
	flag.Parse()
	log.SetFlags(log.Ltime)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	if err := run(ctx, *dir, fullScale(*factor), *program, *onlyGenerate); err != nil {
		stop()
		log.Fatal(err)
	}
	stop()
}

// settings are those of a server of the size that such a database asks for.
var settings = []string{
	"shared_buffers=2GB", "max_wal_size=16GB", "checkpoint_timeout=30min", "wal_level=minimal", "max_wal_senders=0", "effective_cache_size=12GB", "random_page_cost=1.1",
}

func run(ctx context.Context, dir string, s scale, program string, onlyGenerate bool) (err error) {
	if dir, err = filepath.Abs(fmt.Sprintf("%s-%d", dir, s.jobs)); err != nil {
		return err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	cluster, err := privatepg.Open(privatepg.Config{Dir: filepath.Join(dir, "postgres"), BinDir: os.Getenv("PG_BINDIR"), Settings: settings})
	if err != nil {
		return err
	}
	defer func() {
		if cerr := cluster.Close(); err == nil {
			err = cerr
		}
	}()
	if err := cluster.Start(ctx); err != nil {
		return err
	}
	at := place{socket: cluster.SocketDir()}
	made, err := at.make(ctx)
	if err != nil {
		return err
	}
	store, err := db.Open(ctx, db.Config{URL: at.url("bench")})
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx); err != nil {
		return err
	}
	if err := store.Close(); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, at.url("bench"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing of it is left to be done
	if made {
		if err := generate(ctx, conn, s); err != nil {
			return err
		}
		if err := at.finished(ctx); err != nil {
			return err
		}
	}
	if onlyGenerate {
		return nil
	}
	return measure(ctx, conn, at.url("bench"), s, program)
}

// place is where the generated database is.
type place struct{ socket string }

func (p place) url(database string) string {
	return fmt.Sprintf("postgres://%s@/%s?host=%s&sslmode=disable", privatepg.Role, database, p.socket)
}

// make makes an empty database unless a generated one is there. One whose generation was
// cut off is dropped.
func (p place) make(ctx context.Context) (made bool, err error) {
	conn, err := pgx.Connect(ctx, p.url("postgres"))
	if err != nil {
		return false, err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing of it is left to be done
	var whole bool
	if err := conn.QueryRow(ctx, "SELECT to_regclass('bench_is_whole') IS NOT NULL").Scan(&whole); err != nil || whole {
		return false, err
	}
	for _, sql := range []string{"DROP DATABASE IF EXISTS bench", "CREATE DATABASE bench"} {
		if _, err := conn.Exec(ctx, sql); err != nil {
			return false, err
		}
	}
	return true, nil
}

// finished notes that the generated database is whole.
func (p place) finished(ctx context.Context) error {
	conn, err := pgx.Connect(ctx, p.url("postgres"))
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing of it is left to be done
	_, err = conn.Exec(ctx, "CREATE TABLE bench_is_whole ()")
	return err
}
