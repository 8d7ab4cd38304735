package db_test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// settingsOfSessions are what every session has where it is kept for one client.
var settingsOfSessions = map[string]string{
	"plan_cache_mode": "force_custom_plan", "jit": "off", "TimeZone": "UTC",
	"statement_timeout": "5s", "idle_in_transaction_session_timeout": "10s",
}

func wantSettings(t *testing.T, store *db.Store, want map[string]string) {
	t.Helper()
	for name, value := range want {
		got, err := store.SessionSetting(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, name, got, value)
	}
}

// TestSessionsHaveTheirSettings whatever stands between, and the URL's own come first.
func TestSessionsHaveTheirSettings(t *testing.T) {
	url := dbtest.EmptyURL(t)
	wantSettings(t, dbtest.Open(t, db.Config{URL: url}), settingsOfSessions)
	pooler := dbtest.StartPooler(t, url, "session")
	wantSettings(t, dbtest.Open(t, db.Config{URL: pooler.URL}), settingsOfSessions)
	asked := dbtest.Open(t, db.Config{URL: pooler.URL + "&jit=on&search_path=public,pg_temp&statement_timeout=7s"})
	wantSettings(t, asked, map[string]string{"jit": "on", "search_path": "public,pg_temp", "statement_timeout": "7s", "plan_cache_mode": "force_custom_plan"})
}

// TestAPoolerOfSessionsNeedsNothingMore: its own settings are PgBouncer's, and it migrates.
func TestAPoolerOfSessionsNeedsNothingMore(t *testing.T) {
	store := dbtest.Open(t, db.Config{URL: dbtest.StartPooler(t, dbtest.EmptyURL(t), "session").URL})
	writeAndReadAtOnce(t, store, alice)
}

// TestAPoolerOfTransactionsServesMany: what is stored and read at once, by more clients than the
// server has connections for, is as without a pooler.
func TestAPoolerOfTransactionsServesMany(t *testing.T) {
	pooler := dbtest.StartPooler(t, dbtest.NewURL(t), "transaction")
	var group sync.WaitGroup
	for _, worker := range []validator.Address{alice, bob} {
		store := dbtest.Open(t, db.Config{URL: pooler.URL, MaxConnections: dbtest.PoolerSize})
		group.Go(func() { writeAndReadAtOnce(t, store, worker) })
	}
	group.Wait()
}

// writeAndReadAtOnce stores heartbeats of a worker from many goroutines, all of them twice, and
// reads what is there after each.
func writeAndReadAtOnce(t *testing.T, store *db.Store, worker validator.Address) {
	t.Helper()
	const hosts, each = 20, 10
	var added atomic.Int64
	var group sync.WaitGroup
	for host := range hosts {
		group.Go(func() {
			for n := range 2 * each {
				beat := validator.Heartbeat{Worker: worker, WorkerID: fmt.Sprintf("host-%d", host), At: now.Add(time.Duration(n%each) * time.Minute)}
				got, err := store.AddHeartbeats(t.Context(), []validator.Heartbeat{beat})
				if err != nil {
					t.Error(err)
				}
				added.Add(got)
				summary, err := store.Heartbeats(t.Context(), worker, now.Add(-time.Hour))
				if err != nil {
					t.Error(err)
				} else if summary.Last == nil {
					t.Error("a heartbeat that was stored is not there")
				}
			}
		})
	}
	group.Wait()
	equal(t, "stored heartbeats", added.Load(), hosts*each)
}

// TestTheStoreThroughAPoolerOfTransactions runs tests of what needs transactions, locks, batches
// and the job queue with PgBouncer between.
func TestTheStoreThroughAPoolerOfTransactions(t *testing.T) {
	if os.Getenv(dbtest.PoolerEnv) != "" {
		t.Skip("this is the run with a pooler")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := exec.Command(self, "-test.run", throughPooler)
	c.Env = append(os.Environ(), dbtest.PoolerEnv+"=transaction")
	if out, err := c.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
}

const throughPooler = "^Test(ADuty|ManyReport|ReportsMayCome|OfRacingUsesOneWins|ASlowStatement|PaymentsAreFolded|OldDaysOfSamples|Tokens$|Earnings$|ConflictsAreRepeated|WhatChurns)"

// TestATransactionPoolersTablesAreMigratedDirectly, or the page says how they would be.
func TestATransactionPoolersTablesAreMigratedDirectly(t *testing.T) {
	url := dbtest.EmptyURL(t)
	pooler := dbtest.StartPooler(t, url, "transaction")
	waiting := dbtest.Run(t, db.Config{URL: pooler.URL})
	wantReason(t, waiting, "must be brought up to date", "DATABASE_DIRECT_URL")
	refused := dbtest.Run(t, db.Config{URL: pooler.URL, DirectURL: "postgres://127.0.0.1:9/none"})
	wantReason(t, refused, "127.0.0.1:9", "DATABASE_DIRECT_URL")
	wantSettings(t, dbtest.Open(t, db.Config{URL: pooler.URL, DirectURL: url}), map[string]string{"TimeZone": "UTC"})
	eventually(t, "the one that waited goes on by itself", waiting.Ready)
}

// TestWhatAPoolerCannotKeepIsRefused with words.
func TestWhatAPoolerCannotKeepIsRefused(t *testing.T) {
	url := dbtest.NewURL(t)
	wantReason(t, dbtest.Run(t, db.Config{URL: dbtest.StartPooler(t, url, "statement").URL}), "by statement", "pool_mode")
	wantReason(t, dbtest.Run(t, db.Config{URL: dbtest.StartPooler(t, url, "transaction").URL + "&search_path=public"}), "search_path", "ALTER ROLE")
}

// wantReason waits for a reason and a remedy why a store is not ready.
func wantReason(t *testing.T, store *db.Store, reason, remedy string) {
	t.Helper()
	eventually(t, reason+" is said", func() bool {
		st := store.State()
		return strings.Contains(st.Reason, reason) && strings.Contains(st.Remedy, remedy)
	})
}

// TestAPoolersNewModeIsNoticed when it comes into force, as connections end.
func TestAPoolersNewModeIsNoticed(t *testing.T) {
	url := dbtest.NewURL(t)
	pooler := dbtest.StartPooler(t, url, "session")
	store := dbtest.Open(t, db.Config{URL: pooler.URL, PingInterval: 20 * time.Millisecond})
	writeAndReadAtOnce(t, store, alice)
	for _, mode := range []string{"transaction", "session"} {
		pooler.SetMode(t, mode)
		eventually(t, "the mode "+mode+" is noticed", func() bool {
			dbtest.Exec(t, url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
			time.Sleep(200 * time.Millisecond)
			return store.PooledByTransaction() == (mode == "transaction") && store.CanStore()
		})
		writeAndReadAtOnce(t, store, bob)
		dbtest.Exec(t, url, "DELETE FROM heartbeats WHERE worker_address = $1", bob)
	}
}
