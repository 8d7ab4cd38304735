//go:build unix

// Package dbtest gives tests databases on a real PostgreSQL.
//
// The first test of a process that asks for one starts a private server, which all tests
// of the process share; each test gets a database of its own, copied from a migrated one.
// Nothing is left when the process ends, however it ends. Missing PostgreSQL binaries
// fail the test and say what to install.
//
//	store := dbtest.New(t)                       // a ready store on a fresh database
//	url := dbtest.NewURL(t)                      // or a fresh database for plain SQL …
//	dbtest.Exec(t, url, "INSERT INTO jobs …")    // … as outside programs write it
//	store := dbtest.Open(t, db.Config{URL: url}) // and a ready store on it
package dbtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/privatepg"
)

const (
	patience = 60 * time.Second // for a step that takes a second on an idle machine
	template = "migrated"
)

// New returns a ready Store on a fresh, migrated database. It is closed with the test.
func New(t testing.TB) *db.Store {
	t.Helper()
	return Open(t, db.Config{URL: NewURL(t)})
}

// PoolerEnv names the mode of a pooler that NewURL puts before every database; "" = none.
const PoolerEnv = "DBTEST_POOLER"

// NewURL returns the URL of a fresh, migrated database, which is dropped with the test.
func NewURL(t testing.TB) string {
	t.Helper()
	direct := newDatabase(t, template)
	if mode := os.Getenv(PoolerEnv); mode != "" {
		return StartPooler(t, direct, mode).URL
	}
	return direct
}

// EmptyURL returns the URL of a fresh database without tables.
func EmptyURL(t testing.TB) string {
	t.Helper()
	return newDatabase(t, "template0")
}

// Open runs a Store and waits until it is ready. It is closed with the test.
func Open(t testing.TB, cfg db.Config) *db.Store {
	t.Helper()
	s := Run(t, cfg)
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.WaitReady(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

// Run runs a Store without waiting for it. It is closed with the test.
func Run(t testing.TB, cfg db.Config) *db.Store {
	t.Helper()
	s, err := db.Open(context.Background(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	ran := make(chan error, 1)
	go func() { ran <- s.Run(context.Background()) }()
	t.Cleanup(func() {
		if err := errors.Join(s.Close(), <-ran); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Exec runs statements as a program of its own would, and fails the test on an error.
func Exec(t testing.TB, databaseURL, sql string, args ...any) {
	t.Helper()
	if err := TryExec(t, databaseURL, sql, args...); err != nil {
		t.Fatalf("%v\nin %s", err, sql)
	}
}

// TryExec runs statements as a program of its own would.
func TryExec(t testing.TB, databaseURL, sql string, args ...any) error {
	t.Helper()
	return withConn(databaseURL, func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, sql, args...)
		return err
	})
}

// Value runs a query for one value and returns it as PostgreSQL writes it; "" for NULL.
func Value(t testing.TB, databaseURL, sql string, args ...any) string {
	t.Helper()
	var v *string
	err := withConn(databaseURL, func(ctx context.Context, c *pgx.Conn) error {
		return c.QueryRow(ctx, "SELECT ("+sql+")::text", args...).Scan(&v)
	})
	if err != nil {
		t.Fatalf("%v\nin %s", err, sql)
	}
	if v == nil {
		return ""
	}
	return *v
}

// Dir returns a folder with a short path that a private server can use even if the test
// runs as root. It is removed with the test.
func Dir(t testing.TB) string {
	t.Helper()
	dir, err := makeDir()
	if err != nil {
		t.Fatal(err)
	}
	watch, err := removeAfterUs(dir) // even if the process is killed
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = os.RemoveAll(dir)
		_ = watch.Close()
	})
	return dir
}

func makeDir() (string, error) {
	dir, err := os.MkdirTemp("", "dbtest")
	if err == nil {
		err = os.Chmod(dir, 0o755)
	}
	return dir, err
}

func withConn(databaseURL string, do func(context.Context, *pgx.Conn) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	config, err := pgx.ParseConfig(databaseURL)
	if err != nil {
		return err
	}
	config.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe // a pooler may stand between
	c, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return err
	}
	return errors.Join(do(ctx, c), c.Close(ctx))
}

// server is the process's PostgreSQL.
type server struct {
	socketDir string
	cluster   *privatepg.Cluster // held, as is watch, so that they are not collected
	watch     io.Closer
	mu        sync.Mutex // databases are copied one at a time
	made      int
}

// shared starts the server for the first test that asks for it.
var shared = sync.OnceValues(startServer)

func startServer() (*server, error) {
	dir, err := makeDir()
	if err != nil {
		return nil, err
	}
	watch, err := removeAfterUs(dir)
	if err != nil {
		return nil, err
	}
	cluster, err := privatepg.Open(privatepg.Config{
		Dir: filepath.Join(dir, "postgres"), BinDir: os.Getenv("PG_BINDIR"),
		Settings: []string{"fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200", "shared_buffers=64MB"},
	})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := cluster.Start(ctx); err != nil {
		return nil, err
	}
	s := &server{socketDir: cluster.SocketDir(), cluster: cluster, watch: watch}
	if err := s.admin("CREATE DATABASE " + template); err != nil {
		return nil, err
	}
	store, err := db.Open(ctx, db.Config{URL: s.url(template)})
	if err != nil {
		return nil, err
	}
	return s, errors.Join(store.Migrate(ctx), store.Close())
}

// removeAfterUs removes a server's folder when this process is gone, which it learns from
// the pipe's end, and so is the server, which holds its lock to its end. Closing what it
// returns ends the pipe too.
func removeAfterUs(dir string) (io.Closer, error) {
	c := exec.Command("sh", "-c", `trap "" INT TERM HUP; cat >/dev/null
		lock="$1/postgres/lock"
		if [ -e "$lock" ] && command -v flock >/dev/null; then flock -w 60 "$lock" true || exit; else sleep 1; fi
		rm -rf "$1"`, "sh", dir)
	pipe, err := c.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := c.Start(); err != nil {
		return nil, err
	}
	go func() { _ = c.Wait() }() // no zombie of a folder that went before us
	return pipe, nil
}

func newDatabase(t testing.TB, from string) string {
	t.Helper()
	s, err := shared()
	if err != nil {
		t.Fatalf("start PostgreSQL for the tests: %v", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.made++
	name := fmt.Sprintf("test_%d", s.made)
	if err := s.admin(fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s", name, from)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if err := s.admin(fmt.Sprintf("DROP DATABASE %s WITH (FORCE)", name)); err != nil {
			t.Error(err)
		}
	})
	return s.url(name)
}

func (s *server) admin(sql string) error {
	return withConn(s.url("postgres"), func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, sql)
		return err
	})
}

func (s *server) url(database string) string {
	q := url.Values{"host": {s.socketDir}, "sslmode": {"disable"}}
	return (&url.URL{Scheme: "postgres", User: url.User(privatepg.Role), Path: "/" + database, RawQuery: q.Encode()}).String()
}
