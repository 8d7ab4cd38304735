package db_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// fold folds until nothing is left to fold: the store's own maintenance may be at it.
func (b bench) fold() {
	b.Helper()
	for dbtest.Value(b, b.url, "SELECT EXISTS (SELECT FROM job_hours WHERE NOT folded) OR EXISTS (SELECT FROM heartbeat_changes)") == "true" {
		check(b, b.store.FoldTotals(b.ctx()))
	}
}

// TestUptimeOutlivesTheHeartbeats: their partitions go, and what they said of uptime stays.
func TestUptimeOutlivesTheHeartbeats(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	today := time.Now().UTC().Truncate(24 * time.Hour)
	first := today.AddDate(0, 0, -200).Add(7*time.Hour + 31*time.Minute)
	dbtest.Exec(t, url, "SELECT keep_partitions('heartbeats', 7, '2001-01-01', $1::date, $2::date)", today.AddDate(0, 0, -70), today)
	dbtest.Exec(t, url, `INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time)
		SELECT $1, 'rig-1', $2::timestamptz + n * interval '10 minutes' FROM generate_series(0, 199 * 144) n`, string(alice), first)
	dbtest.Exec(t, url, `INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time)
		SELECT $1, 'rig-2', $2::timestamptz + n * interval '15 minutes' FROM generate_series(0, 199 * 96) n`, string(alice), first)
	b := bench{t, url, dbtest.Open(t, db.Config{URL: url})}
	b.fold()
	before := must[validator.UptimeHistory](t)(b.store.UptimeHistory(b.ctx(), alice, 1, today.Add(12*time.Hour)))
	b.differences("with all heartbeats")

	b.store = dbtest.Open(t, db.Config{URL: url, HeartbeatRetention: 35 * 24 * time.Hour})
	runPeriodicJobs(t, b.store, b.store.PeriodicJobs()...)
	deadline := time.Now().Add(30 * time.Second)
	for dbtest.Value(t, url, "SELECT min(heartbeat_time) < now() - interval '43 days' FROM heartbeats") == "true" ||
		dbtest.Value(t, url, "SELECT EXISTS (SELECT FROM heartbeat_hours WHERE beats IS NOT NULL AND hour < now() - interval '43 days')") == "true" {
		if time.Now().After(deadline) {
			t.Fatal("old heartbeats are still there")
		}
		time.Sleep(20 * time.Millisecond)
	}
	equal(t, "oldest week", dbtest.Value(t, url, "SELECT min(relname) >= to_char(now() - interval '43 days', '\"heartbeats_\"YYYYMMDD') FROM pg_class WHERE relname ~ '^heartbeats_[0-9]{8}$'"), true)
	after := must[validator.UptimeHistory](t)(b.store.UptimeHistory(b.ctx(), alice, 1, today.Add(12*time.Hour)))
	equal(t, "what is shown", after, before)
	equal(t, "first", *after.First, first)
	equal(t, "days", len(after.Days), 171)
	equal(t, "a day of both hosts", after.Days[150], validator.UptimeDay{Day: today.AddDate(0, 0, -50), Minutes: 24 * 8 * 2}) // 0 10 15 20 30 40 45 50, and the minute after each
	equal(t, "a day of one", after.Hosts[1].Days[150].Minutes, 24*4*2)
	equal(t, "hours", len(after.Hours), 24*28+8+1)
	b.differences("without the old ones")

	b.exec("INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time) VALUES ($1, 'rig-1', $2)", string(alice), first.Add(time.Minute))
	b.fold()
	late := must[validator.UptimeHistory](t)(b.store.UptimeHistory(b.ctx(), alice, 1, today.Add(12*time.Hour)))
	equal(t, "the first day with a late one", late.Days[0].Minutes, after.Days[0].Minutes+1) // the minute after the first was up already
	b.differences("with a late one")
}

// TestAHeartbeatThatGoesTakesItsMinuteWithIt, whether or not it was folded, unless another
// came in that minute.
func TestAHeartbeatThatGoesTakesItsMinuteWithIt(t *testing.T) {
	b := newBench(t)
	hour := time.Now().UTC().Truncate(time.Hour)
	for _, folded := range []bool{false, true} {
		b.exec(`INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time)
			VALUES ($1, 'a', $2), ($1, 'a', $2::timestamptz + interval '1 s'), ($1, 'b', $2), ($1, 'a', $2::timestamptz + interval '1 minute')`, string(alice), hour)
		for _, step := range []struct {
			delete string
			want   uint64
		}{
			{"worker_id = 'b'", 3}, {"heartbeat_time = $1", 3}, {"heartbeat_time = $1::timestamptz + interval '1 s'", 2}, {"heartbeat_time > $1", 0},
		} {
			if folded {
				check(t, b.store.FoldTotals(b.ctx()))
			}
			b.exec("DELETE FROM heartbeats WHERE heartbeat_time >= $1 AND "+step.delete, hour)
			sum := must[validator.HeartbeatSummary](t)(b.store.Heartbeats(b.ctx(), alice, hour))
			var got uint64
			for _, h := range sum.Hours {
				got |= h.Minutes
			}
			equal(t, step.delete, got, step.want)
		}
	}
	if sum := must[validator.HeartbeatSummary](t)(b.store.Heartbeats(b.ctx(), alice, hour)); sum.First != nil {
		t.Errorf("heard since %v", sum.First)
	}
}

// heardBy are the minutes in which a host was heard, each on its own.
type heardBy map[string]map[time.Time]bool

// up counts the minutes of a day that are up for a host, for any host for "", by looking at
// each minute of the interval before each.
func (h heardBy) up(host string, day time.Time, interval int) (up int) {
	for minute := day; minute.Before(day.Add(24 * time.Hour)); minute = minute.Add(time.Minute) {
		found := false
		for id, heard := range h {
			for n := 0; n <= interval && !found && (host == "" || id == host); n++ {
				found = heard[minute.Add(-time.Duration(n)*time.Minute)]
			}
		}
		if found {
			up++
		}
	}
	return up
}

// TestDaysAreCountedForEveryInterval, from random heartbeats that come in any order, some of
// which go again, over the borders of hours and days.
func TestDaysAreCountedForEveryInterval(t *testing.T) {
	b := newBench(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 1))
	today := time.Now().UTC().Truncate(24 * time.Hour)
	const days, oldest = 6, 50
	heard := heardBy{"rig-1": {}, "rig-2": {}}
	for range 20 { // hosts are heard in stretches, at a rhythm
		id := []string{"rig-1", "rig-2"}[rng.IntN(2)]
		every := time.Duration(1+rng.IntN(70)) * time.Minute
		at := today.AddDate(0, 0, -oldest).Add(time.Duration(rng.IntN(days*24*60)) * time.Minute)
		for range 1 + rng.IntN(30) {
			b.exec("INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", string(alice), id, at.Add(time.Duration(rng.IntN(60))*time.Second))
			heard[id][at] = true
			at = at.Add(every)
		}
		if rng.IntN(3) == 0 {
			gone := today.AddDate(0, 0, -oldest).Add(time.Duration(rng.IntN(days*24)) * time.Hour)
			b.exec("DELETE FROM heartbeats WHERE worker_id = $1 AND heartbeat_time >= $2 AND heartbeat_time < $3", id, gone, gone.Add(90*time.Minute))
			for m := gone; m.Before(gone.Add(90 * time.Minute)); m = m.Add(time.Minute) {
				delete(heard[id], m)
			}
		}
		if rng.IntN(4) == 0 {
			check(t, b.store.FoldTotals(b.ctx()))
			b.differences("in between")
		}
	}
	b.fold()
	b.differences("after all")
	for _, interval := range []int{1, 2, 5, 17, 59, 60} {
		u := must[validator.UptimeHistory](t)(b.store.UptimeHistory(b.ctx(), alice, validator.HeartbeatInterval(interval), today.Add(12*time.Hour)))
		counted := map[string]int{}
		for _, d := range u.Days {
			counted[d.Day.Format(time.DateOnly)] = d.Minutes
		}
		for _, h := range u.Hosts {
			var first time.Time
			for m := range heard[h.WorkerID] {
				if first.IsZero() || m.Before(first) {
					first = m
				}
			}
			equal(t, "the first heartbeat of "+h.WorkerID, *h.First, first)
			for _, d := range h.Days {
				counted[h.WorkerID+d.Day.Format(time.DateOnly)] = d.Minutes
			}
		}
		for n := range days + 4 {
			day := today.AddDate(0, 0, n-oldest-1)
			for _, host := range []string{"", "rig-1", "rig-2"} {
				equal(t, fmt.Sprintf("every %d minutes, %s of host %q", interval, day.Format(time.DateOnly), host), counted[host+day.Format(time.DateOnly)], heard.up(host, day, interval))
			}
		}
	}
}
