package db_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/db/privatepg"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const patience = 60 * time.Second

func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain for %s", what)
		}
	}
}

// private is the configuration of a private server that starts fast.
func private(t *testing.T) db.Config {
	return db.Config{
		DataDir: dbtest.Dir(t), PGBinDir: os.Getenv("PG_BINDIR"), PingInterval: 50 * time.Millisecond,
		PrivateSettings: []string{"fsync=off"},
	}
}

// TestPrivateServer: nothing but a folder, from nothing to data that outlives the program.
func TestPrivateServer(t *testing.T) {
	t.Parallel()
	cfg := private(t)
	s, err := db.Open(t.Context(), cfg)
	check(t, err)
	if s.Ready() || s.State().Reason == "" {
		t.Errorf("before Run: %+v", s.State())
	}
	if _, err := s.JobCounts(t.Context(), alice, now); !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("before Run: %v", err)
	}
	ran := make(chan error, 1)
	go func() { ran <- s.Run(t.Context()) }()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	check(t, s.WaitReady(ctx))
	if st := s.State(); st.Health != validator.HealthOK || st.Source != validator.SourceDatabase || time.Since(st.ObservedAt) > patience || st.Reason != "" {
		t.Errorf("ready: %+v", st)
	}
	dbtest.Exec(t, s.PrivateURL(), "INSERT INTO jobs (job_id, worker_address) VALUES ('kept', '0xa11')")

	_, err = db.Open(t.Context(), cfg)
	if !errors.Is(err, privatepg.ErrInUse) || !strings.Contains(err.Error(), fmt.Sprint(os.Getpid())) {
		t.Errorf("a second server: %v", err)
	}
	check(t, s.Close())
	check(t, <-ran)
	if st := s.State(); st.Health == validator.HealthOK {
		t.Errorf("closed: %+v", st)
	}
	if _, err := s.CountJobs(t.Context(), alice, ""); !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("closed: %v", err)
	}
	again := dbtest.Open(t, cfg)
	must[validator.Job](t)(again.Job(t.Context(), alice, "kept"))
	if _, err := os.Stat(filepath.Join(cfg.DataDir, "postgres", "postgres.log")); err != nil {
		t.Error(err)
	}
}

// TestTheServerIsKilledWhileWeRun: the Store says so and comes back by itself, as often as
// it happens.
func TestTheServerIsKilledWhileWeRun(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t, private(t))
	dbtest.Exec(t, s.PrivateURL(), "INSERT INTO jobs (job_id, worker_address) VALUES ('kept', '0xa11')")
	for range 2 {
		killed := s.ServerPID()
		check(t, syscall.Kill(killed, syscall.SIGKILL))
		waitFor(t, "another server", func() bool {
			_, err := s.Job(t.Context(), alice, "kept")
			if err != nil && !errors.Is(err, db.ErrUnavailable) {
				t.Fatalf("while it was away: %v", err)
			}
			if st := s.State(); st.Health != validator.HealthOK && st.Reason == "" {
				t.Fatalf("while it was away: %+v", st)
			}
			pid := s.ServerPID()
			return err == nil && pid != 0 && pid != killed
		})
	}
}

// TestADeletedSocketIsMadeAgain with the rows that were there, when it is alone and when its
// folder is gone, too.
func TestADeletedSocketIsMadeAgain(t *testing.T) {
	t.Parallel()
	s := dbtest.Open(t, private(t))
	dbtest.Exec(t, s.PrivateURL(), "INSERT INTO jobs (job_id, worker_address) VALUES ('kept', '0xa11')")
	socketDir := func() string {
		u, err := url.Parse(s.PrivateURL())
		check(t, err)
		return u.Query().Get("host")
	}
	for what, remove := range map[string]func(string) error{
		"the socket": func(dir string) error { return os.Remove(filepath.Join(dir, ".s.PGSQL.5432")) },
		"its folder": os.RemoveAll,
	} {
		before := s.ServerPID()
		admin, err := pgx.Connect(t.Context(), s.PrivateURL())
		check(t, err)
		check(t, remove(socketDir()))
		_, err = admin.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
		check(t, errors.Join(err, admin.Close(t.Context())))
		waitFor(t, "another server after "+what+" was deleted", func() bool {
			_, err := s.Job(t.Context(), alice, "kept")
			return err == nil && s.ServerPID() != before && s.CanStore()
		})
	}
}

// TestMissingBinariesAreNoReasonToStop: a person can mend that while the program runs.
func TestMissingBinariesAreNoReasonToStop(t *testing.T) {
	t.Parallel()
	s := dbtest.Run(t, db.Config{DataDir: dbtest.Dir(t), PGBinDir: t.TempDir()})
	waitFor(t, "the reason", func() bool { return strings.Contains(s.State().Reason, "PG_BINDIR") })
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if err := s.WaitReady(ctx); !errors.Is(err, db.ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "PG_BINDIR") {
		t.Errorf("got %v", err)
	}
	if u := s.PrivateURL(); u != "" {
		t.Errorf("its URL is %s", u)
	}
}

// TestAnUnreachableDatabaseBecomesReachable, and unreachable again, and back.
func TestAnUnreachableDatabaseBecomesReachable(t *testing.T) {
	t.Parallel()
	target := dbtest.NewURL(t)
	socket := strings.SplitN(strings.SplitN(target, "host=", 2)[1], "&", 2)[0]
	socket = strings.ReplaceAll(socket, "%2F", "/") + "/.s.PGSQL.5432"
	wire := newWire(t, socket)
	database := dbtest.Value(t, target, "current_database()")
	url := fmt.Sprintf("postgres://validator:secret-password@%s/%s?sslmode=disable", wire.address, database)
	s := dbtest.Run(t, db.Config{URL: url, PingInterval: 20 * time.Millisecond})
	waitFor(t, "the reason", func() bool { return strings.Contains(s.State().Reason, wire.address) })
	if st := s.State(); st.Health != validator.HealthUnavailable || !st.ObservedAt.IsZero() || strings.Contains(fmt.Sprint(st), "secret") || st.Remedy == "" {
		t.Errorf("unreachable: %+v", st)
	}
	for range 2 {
		wire.connect()
		waitFor(t, "the database", s.Ready)
		must[validator.JobCounts](t)(s.JobCounts(t.Context(), alice, now))
		wire.cut()
		waitFor(t, "the outage to be seen", func() bool { return !s.Ready() })
		began := time.Now()
		if _, err := s.JobCounts(t.Context(), alice, now); !errors.Is(err, db.ErrUnavailable) {
			t.Errorf("got %v", err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("failing took %v", took)
		}
		if s.State().ObservedAt.IsZero() {
			t.Error("it forgot when it last saw the database")
		}
	}
}

// wire leads from a TCP address to a server's socket, when it is not cut.
type wire struct {
	address string
	socket  string
	mu      sync.Mutex
	whole   bool
	conns   []net.Conn
}

func newWire(t *testing.T, socket string) *wire {
	w := &wire{socket: socket}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	check(t, err)
	w.address = l.Addr().String()
	t.Cleanup(func() { w.cut(); _ = l.Close() })
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			w.lead(in)
		}
	}()
	return w
}

// lead joins a connection with the server, or ends it while the wire is cut.
func (w *wire) lead(in net.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	out, err := net.Dial("unix", w.socket)
	if err != nil || !w.whole {
		_ = in.Close()
		if err == nil {
			_ = out.Close()
		}
		return
	}
	w.conns = append(w.conns, in, out)
	go func() { _, _ = io.Copy(in, out); _ = in.Close() }()
	go func() { _, _ = io.Copy(out, in); _ = out.Close() }()
}

func (w *wire) connect() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.whole = true
}

func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.whole = false
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

// TestABadURLStopsTheStart, and nothing of it gets into the message.
func TestABadURLStopsTheStart(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"postgres://user:se/cret@host/db", "postgres://user:se:cret@host:port/db", "host=x password='secret", "http://secret@host",
		"postgres://user:secret@host/db?sslmode=secret", "postgres://user:%secret@host/db",
	} {
		_, err := db.Open(t.Context(), db.Config{URL: url})
		if !errors.Is(err, db.ErrBadURL) || strings.Contains(err.Error(), "cret") {
			t.Errorf("%s: %v", url, err)
		}
	}
	if _, err := db.Open(t.Context(), db.Config{}); err == nil {
		t.Error("neither a URL nor a folder, and no error")
	}
}

// TestTheReasonSaysWhatToMend without names of errors or passwords.
func TestTheReasonSaysWhatToMend(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptyURL(t)
	name := dbtest.Value(t, url, "current_database()")
	reader := "reader_" + name
	dbtest.Exec(t, url, "CREATE ROLE "+reader+" LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC")
	t.Cleanup(func() { dbtest.Exec(t, url, "DROP OWNED BY "+reader+"; DROP ROLE "+reader) })
	for words, url := range map[string]string{
		"no database of the name":      strings.Replace(url, "/"+name, "/missing", 1),
		"refuses the user or password": strings.Replace(url, "validator@", "stranger:secret@", 1),
		"may not make tables":          strings.Replace(url, "validator@", reader+"@", 1),
		"host name is not known":       "postgres://u:secret@no-such-host.invalid/db",
		"Nothing listens":              "postgres://u:secret@127.0.0.1:1/db?sslmode=disable",
	} {
		t.Run(words, func(t *testing.T) {
			s := dbtest.Run(t, db.Config{URL: url})
			waitFor(t, words, func() bool {
				st := s.State()
				return strings.Contains(st.Reason+st.Remedy, words)
			})
			if st := s.State(); strings.Contains(st.Reason+st.Remedy, "secret") || st.Remedy == "" {
				t.Errorf("%+v", st)
			}
		})
	}
}

func TestSixMigrateTogether(t *testing.T) {
	t.Parallel()
	url := dbtest.EmptyURL(t)
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			s, err := db.Open(t.Context(), db.Config{URL: url})
			if err == nil {
				err = errors.Join(s.Migrate(t.Context()), s.Close())
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	equal(t, "applied once", dbtest.Value(t, url, "SELECT count(*) = count(DISTINCT version_id) AND count(*) > 3 FROM goose_db_version"), true)
	dbtest.Open(t, db.Config{URL: url})
}

// TestMigrateAloneStartsThePrivateServer, as the program's subcommand does.
func TestMigrateAloneStartsThePrivateServer(t *testing.T) {
	t.Parallel()
	cfg := private(t)
	s, err := db.Open(t.Context(), cfg)
	check(t, err)
	check(t, s.Migrate(t.Context()))
	equal(t, "tables", dbtest.Value(t, s.PrivateURL(), "SELECT count(*) FROM pg_tables WHERE tablename IN ('jobs', 'heartbeats', 'reward_claims')"), 3)
	check(t, s.Close())
	if err := s.Migrate(t.Context()); err == nil {
		t.Error("migrated after Close")
	}
	equal(t, "jobs", must[int64](t)(dbtest.Open(t, cfg).CountJobs(t.Context(), alice, "")), 0)
}

// TestASlowStatementIsGivenUp rather than keep a page waiting.
func TestASlowStatementIsGivenUp(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	s := dbtest.Open(t, db.Config{URL: url, StatementTimeout: 200 * time.Millisecond})
	locked := make(chan struct{})
	release := make(chan struct{})
	done := make(chan error, 1)
	go func() { done <- holdLock(url, locked, release) }()
	<-locked
	if _, err := s.Job(t.Context(), alice, "x"); !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("got %v", err)
	}
	close(release)
	check(t, <-done)
	waitFor(t, "the answer", func() bool { _, err := s.Job(t.Context(), alice, "x"); return errors.Is(err, db.ErrNotFound) })
}

func TestCollector(t *testing.T) {
	t.Parallel()
	s := dbtest.New(t)
	must[validator.JobCounts](t)(s.JobCounts(t.Context(), alice, now))
	registry := prometheus.NewPedanticRegistry()
	check(t, registry.Register(s.Collector()))
	families, err := registry.Gather()
	check(t, err)
	values := map[string]float64{}
	for _, f := range families {
		m := f.GetMetric()[0]
		values[strings.TrimPrefix(f.GetName(), "validator_dashboard_database_")] = m.GetGauge().GetValue() + m.GetCounter().GetValue()
	}
	if values["ready"] != 1 || values["connections"] < 1 || values["acquires_total"] < 1 || values["observed_timestamp_seconds"] < 1e9 {
		t.Errorf("%v", values)
	}
}
