package db_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// skewed is a Store on a machine whose clock is wrong.
func skewed(t *testing.T, url string, by time.Duration) *db.Store {
	t.Helper()
	cfg := quick(url)
	cfg.Now = func() time.Time { return time.Now().Add(by) }
	return dbtest.Open(t, cfg)
}

// TestAFallOfTheClockStopsNoDuty: when the database's clock goes back, runs that were to come
// soon do not wait until it has caught up.
func TestAFallOfTheClockStopsNoDuty(t *testing.T) {
	t.Parallel()
	var ahead atomic.Int64
	cfg := db.Config{URL: dbtest.NewURL(t)} // asks for the time every few seconds
	cfg.Now = func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }
	s := dbtest.Open(t, cfg)
	var runs, runsAhead atomic.Int64
	// What the Store takes for the database's time leaps ahead, and falls back at its next answer.
	leap := func() bool {
		if time.Until(s.Now()) < time.Hour {
			ahead.Add(int64(2 * time.Hour))
		}
		return runsAhead.Load() > 0
	}
	leap()
	runPeriodicJobs(t, s, db.PeriodicJob{Name: "count", Every: time.Second, Limit: time.Minute, Do: func(context.Context) error {
		runs.Add(1)
		if time.Until(s.Now()) > time.Hour {
			runsAhead.Add(1)
		}
		return nil
	}})
	eventually(t, "the periodic job is done at the later time", leap)
	eventually(t, "the clock fell", func() bool { return time.Until(s.Now()) < time.Minute })
	before := runs.Load()
	eventually(t, "the periodic job is done time and again after the fall", func() bool { return runs.Load() > before+4 })
}

// TestAWrongClockStopsNothing: periodic jobs, partitions, sessions and samples follow the database's.
func TestAWrongClockStopsNothing(t *testing.T) {
	t.Parallel()
	for name, by := range map[string]time.Duration{"two minutes ahead": 2 * time.Minute, "two minutes behind": -2 * time.Minute, "40 days ahead": 40 * 24 * time.Hour} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := dbtest.NewURL(t)
			s := skewed(t, url, by)
			near := func(what string, at time.Time) {
				t.Helper()
				if off := time.Since(at).Abs(); off > 30*time.Second {
					t.Errorf("%s is off by %v", what, off)
				}
			}
			near("now", s.Now())
			near("the state's time", s.State().ObservedAt)
			if off := (s.ClockOffset() + by).Abs(); off > 30*time.Second {
				t.Errorf("the offset is %v", s.ClockOffset())
			}

			var runs atomic.Int64
			runPeriodicJobs(t, s, append(s.PeriodicJobs(), db.PeriodicJob{Name: "count", Every: 50 * time.Millisecond, Limit: time.Minute, Do: func(context.Context) error { runs.Add(1); return nil }})...)
			began := time.Now()
			eventually(t, "the periodic job is done time and again", func() bool { return runs.Load() > 4 })
			if took := time.Since(began); took > time.Minute {
				t.Errorf("five runs took %v", took)
			}
			check(t, s.InsertHeartbeats(t.Context(), []validator.Heartbeat{{Worker: alice, WorkerID: "rig", At: s.Now()}}))
			eventually(t, "today's partitions, and no later ones than there should be", func() bool {
				return dbtest.Value(t, url, `(SELECT count(*) FROM pg_inherits WHERE inhparent = 'gpu_samples'::regclass
					AND inhrelid::regclass::text LIKE '%' || to_char(now() AT TIME ZONE 'UTC', 'YYYYMMDD'))`) != "0"
			})
			check(t, s.UpsertWorkerGPUs(t.Context(), alice, "rig", s.Now(), []validator.GPU{{UUID: "GPU-1"}}))

			session, token := db.HashSecret("session"), db.HashSecret("token")
			check(t, s.AddSession(t.Context(), session, db.Session{Wallet: alice, CreatedAt: s.Now(), ExpiresAt: s.Now().Add(db.SessionLifetime)}))
			end := s.Now().Add(time.Hour)
			must[db.Token](t)(s.AddToken(t.Context(), token, db.Token{Name: "x", Scope: db.ScopeRead, Wallet: alice, CreatedAt: s.Now(), ExpiresAt: &end}))
			right := dbtest.Open(t, quick(url)) // another replica, whose clock is right
			must[db.Session](t)(right.UseSession(t.Context(), session, right.Now()))
			must[db.Token](t)(right.UseToken(t.Context(), token, right.Now()))
			if _, err := s.UseToken(t.Context(), token, right.Now().Add(2*time.Hour)); !errors.Is(err, db.ErrNotFound) {
				t.Errorf("an expired token: %v", err)
			}
		})
	}
}

// TestTheClockFollowsTheDatabase, and keeps still while answers only differ by their way.
func TestTheClockFollowsTheDatabase(t *testing.T) {
	at := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	local := at
	tell, now := db.NewClock(func() time.Time { return local })
	equal(t, "before the database answered", now(), at)
	tell(at, at.Add(20*time.Millisecond), at.Add(2*time.Minute))
	first := at.Add(2*time.Minute - 10*time.Millisecond)
	equal(t, "after it answered", now(), first)
	tell(at, at.Add(time.Second), at.Add(2*time.Minute+700*time.Millisecond)) // on its way for long
	equal(t, "after a slow answer", now(), first)
	local = at.Add(time.Minute)
	equal(t, "a minute later", now(), first.Add(time.Minute))
	tell(local, local, local.Add(-time.Hour)) // somebody set the database's clock
	equal(t, "after the database's clock was set", now(), local.Add(-time.Hour))
}
