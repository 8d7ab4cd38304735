package db_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// lockTable keeps everybody else from a table.
func lockTable(t *testing.T, url, table string) (unlock func()) {
	t.Helper()
	conn := must[*pgx.Conn](t)(pgx.Connect(t.Context(), url))
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	must[any](t)(conn.Exec(t.Context(), "BEGIN; LOCK TABLE "+table+" IN ACCESS EXCLUSIVE MODE"))
	return func() {
		t.Helper()
		must[any](t)(conn.Exec(t.Context(), "COMMIT"))
	}
}

func waitingForLocks(t *testing.T, url string) string {
	t.Helper()
	return dbtest.Value(t, url, "(SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock')")
}

// TestAWalletHoldsNoMoreThanItsShareOfConnections: reads and writes of one wallet that a lock keeps
// waiting leave connections to the others, and the rest of them take their turns after that.
func TestAWalletHoldsNoMoreThanItsShareOfConnections(t *testing.T) {
	b := newBench(t)
	unlock := lockTable(t, b.url, "jobs")
	stuck := func() string { return waitingForLocks(t, b.url) }
	var flood sync.WaitGroup
	for range 20 {
		flood.Go(func() {
			if _, err := b.store.CountJobs(db.OnBehalfOf(b.ctx(), alice), alice, ""); err != nil && !errors.Is(err, db.ErrUnavailable) {
				t.Error(err)
			}
			if _, err := b.store.Job(db.OnBehalfOf(b.ctx(), alice), alice, "1"); err != nil && !errors.Is(err, db.ErrUnavailable) && !errors.Is(err, db.ErrNotFound) {
				t.Error(err)
			}
			if _, err := b.store.StoreJobs(db.OnBehalfOf(b.ctx(), alice), []validator.Job{{ID: "1", Worker: alice, Status: validator.JobRunning}}); err != nil && !errors.Is(err, db.ErrUnavailable) {
				t.Error(err)
			}
		})
	}
	waitFor(t, "the flood to take its share", func() bool { return stuck() == "3" })
	for range 30 {
		check(t, onlyErr(b.store.WorkerGPUs(db.OnBehalfOf(b.ctx(), bob), bob)))
		if n := stuck(); n > "3" {
			t.Fatalf("%s statements of the wallet run, 3 of 10 may", n)
		}
	}
	unlock()
	flood.Wait()
	check(t, onlyErr(b.store.Job(db.OnBehalfOf(b.ctx(), alice), alice, "1")))
}

// TestAStatementThatGetsNoTurnSaysSo, and is no outage of the database.
func TestAStatementThatGetsNoTurnSaysSo(t *testing.T) {
	url := dbtest.NewURL(t)
	s := dbtest.Open(t, db.Config{URL: url, MaxConnections: 4, StatementTimeout: patience})
	unlock := lockTable(t, url, "reward_claims")
	ctx := db.OnBehalfOf(t.Context(), alice)
	first := make(chan error)
	go func() {
		_, err := s.Claims(ctx, alice, 1)
		first <- err
	}()
	waitFor(t, "the first statement to wait for the lock", func() bool { return waitingForLocks(t, url) == "1" })
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	var e *db.UnavailableError
	if _, err := s.Claims(short, alice, 1); !errors.As(err, &e) || !errors.Is(err, db.ErrBusy) || e.Remedy == "" {
		t.Errorf("the answer is %v", err)
	}
	gone, hangUp := context.WithCancel(ctx)
	hangUp()
	if _, err := s.Claims(gone, alice, 1); !errors.Is(err, context.Canceled) {
		t.Errorf("who hung up is answered %v", err)
	}
	unlock()
	check(t, <-first)
}

// TestASearchEndsInItsTime: what looks through many error messages is cut off, with words on what to
// do, and other reads are not.
func TestASearchEndsInItsTime(t *testing.T) {
	b := newBench(t)
	b.exec("INSERT INTO jobs (job_id, worker_address, status, error_message) VALUES ('1', $1, 'failed', 'out of memory')", alice)
	// A slower comparison stands for more rows than a test has time to make.
	b.exec(`CREATE SCHEMA slow;
		CREATE FUNCTION slow.matches(text, text) RETURNS boolean LANGUAGE sql AS $$ SELECT pg_sleep(60) IS NOT NULL $$;
		CREATE OPERATOR slow.~~* (LEFTARG = text, RIGHTARG = text, FUNCTION = slow.matches);
		DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, slow, pg_catalog', current_database()); END $$`)
	s := dbtest.Open(t, db.Config{URL: b.url, StatementTimeout: patience})
	for _, f := range []db.JobFilter{{Search: "memory"}, {Search: "memory", Sort: db.SortPayment}} {
		_, err := s.Jobs(b.ctx(), alice, f)
		if !errors.Is(err, db.ErrSearchTooLong) || !errors.Is(err, db.ErrUnavailable) {
			t.Errorf("%v: %v", f, err)
		}
	}
	if _, err := s.FirstUnsorted(b.ctx(), alice, db.JobFilter{Search: "memory", Sort: db.SortPayment}); !errors.Is(err, db.ErrSearchTooLong) {
		t.Error(err)
	}
	equal(t, "jobs", len(must[[]validator.Job](t)(s.Jobs(b.ctx(), alice, db.JobFilter{}))), 1)
}
