package db_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/db/privatepg"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// quick looks at the database often.
func quick(url string) db.Config {
	return db.Config{URL: url, PingInterval: 20 * time.Millisecond}
}

// beat stores a heartbeat.
func beat(s *db.Store) error {
	return s.InsertHeartbeats(context.Background(), []validator.Heartbeat{{Worker: alice, WorkerID: "rig", At: time.Now().UTC()}})
}

// takesNone waits until the Store says that its database takes no writes, in such words, and
// looks that it answers reads and refuses writes in the same words.
func takesNone(t *testing.T, s *db.Store, words string) {
	t.Helper()
	waitFor(t, "the words "+words, func() bool { return strings.Contains(s.State().Reason, words) })
	if st := s.State(); st.Health != validator.HealthStale || !strings.HasPrefix(st.Reason, "The database takes no writes") || st.Remedy == "" || !s.Ready() || s.CanStore() {
		t.Errorf("%+v", st)
	}
	var e *db.UnavailableError
	if err := beat(s); !errors.As(err, &e) || !errors.Is(err, db.ErrUnavailable) || !strings.Contains(e.Reason, words) {
		t.Errorf("a heartbeat: %v", err)
	}
	if _, err := s.Job(t.Context(), bob, "none"); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("a read: %v", err)
	}
}

func takesWrites(t *testing.T, s *db.Store) {
	t.Helper()
	waitFor(t, "the database to take writes", s.CanStore)
	waitFor(t, "a heartbeat to be stored", func() bool {
		err := beat(s)
		if err != nil && !errors.Is(err, db.ErrUnavailable) {
			t.Fatal(err)
		}
		return err == nil
	})
	if st := s.State(); st.Health != validator.HealthOK || st.Reason != "" {
		t.Errorf("%+v", st)
	}
}

// terminate ends all other sessions of a database.
func terminate(t *testing.T, url string) {
	t.Helper()
	dbtest.Exec(t, url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
}

// adminURL is another database of the same server.
func adminURL(t *testing.T, url string) string {
	t.Helper()
	return strings.Replace(url, "/"+dbtest.Value(t, url, "current_database()"), "/postgres", 1)
}

// readOnly changes whether new sessions of a database may write.
func readOnly(t *testing.T, url, on string) {
	t.Helper()
	dbtest.Exec(t, adminURL(t, url), "ALTER DATABASE "+dbtest.Value(t, url, "current_database()")+" SET default_transaction_read_only = "+on)
}

func TestAReadOnlyDatabaseTakesNoWrites(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	s := dbtest.Open(t, quick(url))
	takesWrites(t, s)
	for range 2 {
		readOnly(t, url, "on")
		// Connections that are open go on writing: a new one shows it, some looks later.
		takesNone(t, s, "read-only")
		readOnly(t, url, "off")
		takesWrites(t, s)
	}
	readOnly(t, url, "on")
	takesNone(t, dbtest.Open(t, quick(url)), "read-only") // from its start on
}

func TestAStandbyTakesNoWrites(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(dbtest.Dir(t), "postgres")
	cluster, err := privatepg.Open(privatepg.Config{Dir: dir, BinDir: os.Getenv("PG_BINDIR"), Settings: []string{"fsync=off"}})
	check(t, err)
	t.Cleanup(func() { _ = cluster.Close() })
	check(t, cluster.Start(t.Context()))
	url := "postgres://" + privatepg.Role + "@/postgres?sslmode=disable&host=" + cluster.SocketDir()
	first, err := db.Open(t.Context(), db.Config{URL: url})
	check(t, err)
	check(t, errors.Join(first.Migrate(t.Context()), first.Close(), cluster.Stop()))

	signal := filepath.Join(dir, "data", "standby.signal")
	check(t, os.WriteFile(signal, nil, 0o600))
	info, err := os.Stat(filepath.Join(dir, "data"))
	check(t, err)
	owner := info.Sys().(*syscall.Stat_t)
	check(t, os.Chown(signal, int(owner.Uid), int(owner.Gid)))
	check(t, cluster.Start(t.Context()))
	s := dbtest.Open(t, quick(url))
	takesNone(t, s, "standby")
	dbtest.Exec(t, url, "SELECT pg_promote()")
	takesWrites(t, s)
}

// TestAFullDiskTakesNoWrites on a real small one where the test may mount it, else by what the
// database says of it.
func TestAFullDiskTakesNoWrites(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	fill, free := smallDisk(t, url)
	s := dbtest.Open(t, quick(url))
	takesWrites(t, s)
	for range 2 {
		fill()
		takesNone(t, s, "disk is full")
		free()
		takesWrites(t, s)
	}
}

// smallDisk moves a database's tables to a disk that can be filled.
func smallDisk(t *testing.T, url string) (fill, free func()) {
	dir := dbtest.Dir(t)
	mount := exec.Command("mount", "-t", "tmpfs", "-o", "size=64m,mode=0777", "tmpfs", dir)
	if mount.Run() != nil {
		dbtest.Exec(t, url, `CREATE TABLE full_disk (since timestamptz);
			CREATE FUNCTION fill() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
				IF EXISTS (SELECT FROM full_disk) THEN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END IF;
				RETURN NULL; END $$;
			CREATE TRIGGER fill BEFORE INSERT ON space_probe FOR EACH STATEMENT EXECUTE FUNCTION fill();`)
		return func() { dbtest.Exec(t, url, "INSERT INTO full_disk VALUES (now())") }, func() { dbtest.Exec(t, url, "DELETE FROM full_disk") }
	}
	t.Cleanup(func() { _ = exec.Command("umount", "-l", dir).Run() })
	name := dbtest.Value(t, url, "current_database()")
	admin := adminURL(t, url)
	data := filepath.Join(dir, "tables")
	check(t, os.Mkdir(data, 0o700))
	server := serverOwner(t, url)
	check(t, os.Chown(data, int(server.Uid), int(server.Gid)))
	dbtest.Exec(t, admin, "CREATE TABLESPACE small_"+name+" LOCATION '"+data+"'")
	t.Cleanup(func() {
		dbtest.Exec(t, admin, "ALTER DATABASE "+name+" SET TABLESPACE pg_default")
		dbtest.Exec(t, admin, "DROP TABLESPACE small_"+name)
	})
	dbtest.Exec(t, admin, "ALTER DATABASE "+name+" SET TABLESPACE small_"+name)
	t.Cleanup(func() { terminate(t, url) })
	ballast := filepath.Join(dir, "ballast")
	return func() {
		f, err := os.Create(ballast)
		check(t, err)
		block := make([]byte, 4096)
		for err == nil {
			_, err = f.Write(block)
		}
		_ = f.Close()
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("filling the disk: %v", err)
		}
	}, func() { check(t, os.Remove(ballast)) }
}

// serverOwner is whose files a server's are.
func serverOwner(t *testing.T, url string) *syscall.Stat_t {
	t.Helper()
	info, err := os.Stat(dbtest.Value(t, url, "current_setting('data_directory')"))
	check(t, err)
	return info.Sys().(*syscall.Stat_t)
}

func TestLockedTablesTakeNoWrites(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	s := dbtest.Open(t, quick(url))
	takesWrites(t, s)
	conn, err := pgx.Connect(t.Context(), url)
	check(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	tx, err := conn.Begin(t.Context())
	check(t, err)
	_, err = tx.Exec(t.Context(), "LOCK TABLE heartbeats, jobs IN EXCLUSIVE MODE")
	check(t, err)
	takesNone(t, s, "process "+strconv.Itoa(int(conn.PgConn().PID()))+") keeps its tables heartbeats, jobs locked")
	began := time.Now()
	for range 20 {
		if err := beat(s); !errors.Is(err, db.ErrUnavailable) {
			t.Errorf("a heartbeat: %v", err)
		}
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("refusing 20 heartbeats took %v", took)
	}
	check(t, tx.Rollback(t.Context()))
	takesWrites(t, s)
}

// TestWithoutAConnectionLeftNothingIsStored: others have taken all that the server allows.
func TestWithoutAConnectionLeftNothingIsStored(t *testing.T) {
	t.Parallel()
	cfg := private(t)
	cfg.PrivateSettings = append(cfg.PrivateSettings, "max_connections=12", "autovacuum=off")
	server := dbtest.Open(t, cfg)
	// Connections that nobody uses are given back at once.
	s := dbtest.Open(t, quick(server.PrivateURL()+"&pool_max_conn_idle_time=10ms&pool_health_check_period=10ms"))
	var hogs []*pgx.Conn
	waitFor(t, "the last connection", func() bool {
		c, err := pgx.Connect(t.Context(), server.PrivateURL())
		if err == nil {
			hogs = append(hogs, c)
		}
		return err != nil && strings.Contains(err.Error(), "53300")
	})
	var e *db.UnavailableError
	if err := beat(s); !errors.As(err, &e) || !strings.Contains(e.Reason, "no connection left") {
		t.Errorf("a heartbeat: %v", err)
	}
	waitFor(t, "the state", func() bool { return strings.Contains(s.State().Reason, "no connection left") })
	if s.CanStore() {
		t.Error("it can store")
	}
	for _, c := range hogs {
		check(t, c.Close(t.Context()))
	}
	takesWrites(t, s)
}

// TestServersThatStandStill: a stopped process answers nobody, and its connections stay open.
func TestServersThatStandStill(t *testing.T) {
	t.Parallel()
	cfg := private(t)
	server := dbtest.Open(t, cfg)
	watched := quick(server.PrivateURL())
	watched.ConnectTimeout = 300 * time.Millisecond
	s := dbtest.Open(t, watched)
	takesWrites(t, s)
	postmaster := server.ServerPID()
	stopped := append(children(t, postmaster), postmaster)
	signal := func(sig syscall.Signal) {
		for _, pid := range stopped {
			_ = syscall.Kill(pid, sig)
		}
	}
	t.Cleanup(func() { signal(syscall.SIGCONT) })
	signal(syscall.SIGSTOP)
	waitFor(t, "the reason", func() bool { return strings.Contains(s.State().Reason, "does not answer in time") })
	if err := beat(s); !errors.Is(err, db.ErrUnavailable) || s.Ready() {
		t.Errorf("a heartbeat: %v", err)
	}
	signal(syscall.SIGCONT)
	takesWrites(t, s)
}

// children lists the processes that a process started.
func children(t *testing.T, parent int) []int {
	t.Helper()
	out, err := exec.Command("ps", "-o", "pid=", "--ppid", strconv.Itoa(parent)).Output()
	check(t, err)
	var pids []int
	for _, field := range strings.Fields(string(out)) {
		pid, err := strconv.Atoi(field)
		check(t, err)
		pids = append(pids, pid)
	}
	return pids
}

// TestANewerSchemaIsSaid at the start and while the program runs, and left alone.
func TestANewerSchemaIsSaid(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	s := dbtest.Open(t, quick(url))
	newer := func(s *db.Store) {
		t.Helper()
		waitFor(t, "the words", func() bool { return strings.Contains(s.State().Reason, "A newer version of this program") })
		if st := s.State(); st.Health != validator.HealthUnavailable || !strings.Contains(st.Reason, "schema 88888") || !strings.Contains(st.Remedy, "Start the newer version") {
			t.Errorf("%+v", st)
		}
		if err := beat(s); !errors.Is(err, db.ErrUnavailable) {
			t.Errorf("a heartbeat: %v", err)
		}
	}
	dbtest.Exec(t, url, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (88888, true)")
	newer(s)
	newer(dbtest.Run(t, quick(url)))
	other, err := db.Open(t.Context(), quick(url))
	check(t, err)
	if err := other.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), "Start the newer version") {
		t.Errorf("migrate: %v", err)
	}
	check(t, other.Close())
	dbtest.Exec(t, url, "DELETE FROM goose_db_version WHERE version_id = 88888")
	takesWrites(t, s)
}

// TestConflictsAreRepeated: a deadlock, of which the Store is the victim, and failures to
// serialize.
func TestConflictsAreRepeated(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	s := dbtest.Open(t, db.Config{URL: url, StatementTimeout: patience})
	conn, err := pgx.Connect(t.Context(), url)
	check(t, err)
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	exec := func(sql string) {
		t.Helper()
		_, err := conn.Exec(t.Context(), sql)
		check(t, err)
	}
	insert := "INSERT INTO jobs (job_id, worker_address, gpu_uuid) VALUES ('%s', '" + string(alice) + "', 'theirs')"
	// The other looks for deadlocks, and is the victim.
	exec("BEGIN; SET LOCAL deadlock_timeout = '1h'; " + fmt.Sprintf(insert, "b"))
	var pid int
	check(t, conn.QueryRow(t.Context(), "SELECT pg_backend_pid()", pgx.QueryExecModeExec).Scan(&pid))
	reported := make(chan error, 1)
	go func() {
		_, err := s.StoreJobs(t.Context(), []validator.Job{{ID: "a", Worker: alice, Status: validator.JobRunning}, {ID: "b", Worker: alice, Status: validator.JobRunning}})
		reported <- err
	}()
	waitFor(t, "the report to wait", func() bool {
		return dbtest.Value(t, url, fmt.Sprintf("EXISTS (SELECT FROM pg_stat_activity WHERE %d = ANY (pg_blocking_pids(pid)))", pid)) == "true"
	})
	exec(fmt.Sprintf(insert, "a") + "; COMMIT")
	check(t, <-reported)
	equal(t, "jobs that both changed", dbtest.Value(t, url, "(SELECT count(*) FROM jobs WHERE status = 'running' AND gpu_uuid = 'theirs')"), 2)
	waitFor(t, "the deadlock to be counted", func() bool {
		return dbtest.Value(t, url, "(SELECT deadlocks FROM pg_stat_database WHERE datname = current_database())") == "1"
	})

	dbtest.Exec(t, url, `CREATE SEQUENCE tries;
		CREATE FUNCTION fail_twice() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			IF nextval('tries') % 3 <> 0 THEN RAISE EXCEPTION 'could not serialize access' USING ERRCODE = 'serialization_failure'; END IF;
			RETURN NULL; END $$;
		CREATE TRIGGER fail_twice AFTER INSERT ON reward_claims FOR EACH STATEMENT EXECUTE FUNCTION fail_twice();
		CREATE TRIGGER fail_twice AFTER INSERT ON sessions FOR EACH STATEMENT EXECUTE FUNCTION fail_twice()`)
	_, err = s.SubmitClaim(t.Context(), alice, validator.Felt("0x"+strings.Repeat("0", 63)+"5"), validator.RewardStaking, time.Now())
	check(t, err)
	check(t, s.AddSession(t.Context(), db.HashSecret("x"), db.Session{Wallet: alice, CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour)}))
	equal(t, "tries", dbtest.Value(t, url, "(SELECT last_value FROM tries)"), 6)
}

// TestDutiesRestWhileNothingCanBeStored and go on after it.
func TestDutiesRestWhileNothingCanBeStored(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	s := dbtest.Open(t, quick(url))
	var runs atomic.Int64
	runPeriodicJobs(t, s, db.PeriodicJob{Name: "count", Every: 20 * time.Millisecond, Limit: time.Minute, Do: func(context.Context) error { runs.Add(1); return nil }})
	eventually(t, "the periodic job is done", func() bool { return runs.Load() > 2 })
	readOnly(t, url, "on")
	takesNone(t, s, "read-only")
	eventually(t, "the job queue's connections rest", func() bool {
		before := runs.Load()
		time.Sleep(500 * time.Millisecond)
		return runs.Load() == before
	})
	readOnly(t, url, "off")
	before := runs.Load()
	eventually(t, "the periodic job is done on", func() bool { return runs.Load() > before })
}

// TestADutyThatFailsRestsEverLonger.
func TestADutyThatFailsRestsEverLonger(t *testing.T) {
	t.Parallel()
	var rests []time.Duration
	fail := db.PeriodicJobRests(db.PeriodicJob{Name: "fail", Every: 5 * time.Second})
	for range 8 {
		rests = append(rests, fail(errors.New("it cannot")))
	}
	equal(t, "rests", fmt.Sprint(rests), "[5s 10s 20s 40s 1m20s 2m40s 5m0s 5m0s]")
	equal(t, "after a success", fail(nil), time.Duration(0))
	equal(t, "after a success and a failure", fail(errors.New("it cannot")), 5*time.Second)
	equal(t, "a rare periodic job", db.PeriodicJobRests(db.PeriodicJob{Name: "rare", Every: time.Hour})(errors.New("it cannot")), time.Hour)
}
