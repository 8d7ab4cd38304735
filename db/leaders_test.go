package db_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	staking    = validator.Address("0x00000000000000000000000000000000000000000000000000000000000057a6")
	reputation = validator.Address("0x0000000000000000000000000000000000000000000000000000000000004e9a")
	another    = validator.Address("0x000000000000000000000000000000000000000000000000000000000000dead")
)

// TestStakesAreRankedByTheirEvents, replayed one by one, in blocks that come in any order.
func TestStakesAreRankedByTheirEvents(t *testing.T) {
	b := newBench(t)
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 7))
	type state struct{ amount, slashed, tier int }
	stakes := map[string]*state{}
	type row struct {
		block, place int
		worker, kind string
		contract     validator.Address
		amount       int
		tier, total  any
	}
	var rows []row
	for n := range 300 {
		worker := fmt.Sprintf("0x%064x", 1+rng.IntN(12))
		s := stakes[worker]
		r := row{block: n / 3, place: n % 3, worker: worker, contract: staking, kind: []string{"staked", "unstake_requested", "unstake_completed", "slashed", "rewards_claimed"}[rng.IntN(5)], amount: 1 + rng.IntN(50)}
		switch {
		case rng.IntN(6) == 0: // of a contract that is not asked about
			r.contract, r.kind, r.tier, r.total = another, "staked", 4, 1_000_000
		case s == nil || r.kind == "staked":
			if s == nil {
				s = &state{}
				stakes[worker] = s
			}
			s.amount, s.tier = s.amount+r.amount, rng.IntN(5)
			r.kind, r.tier, r.total = "staked", s.tier, s.amount
		case r.kind == "unstake_completed", r.kind == "slashed":
			r.amount = min(r.amount, s.amount)
			s.amount -= r.amount
			if r.kind == "slashed" {
				s.slashed += r.amount
			}
		}
		rows = append(rows, r)
	}
	rng.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
	for i, r := range rows {
		b.exec(`INSERT INTO stake_events (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place, worker_address, kind, amount, gpu_tier, total)
			VALUES ($1::integer, '0x' || lpad(to_hex($1::integer + 1), 64, '0'), now(), '0x' || lpad(to_hex($2::integer), 64, '0'), $3, 0, $4, $5, $6, $7, $8, $9)`,
			r.block, i+1, string(r.contract), r.place, r.worker, r.kind, r.amount, r.tier, r.total)
	}
	var want validator.StakeBoard
	for worker, s := range stakes {
		if s.amount > 0 {
			want = append(want, validator.Staker{Worker: validator.Address(worker), Tier: validator.Tier(s.tier), Amount: wei(int64(s.amount)), Slashed: wei(int64(s.slashed))})
		}
	}
	slices.SortFunc(want, func(a, b validator.Staker) int {
		return cmp.Or(b.Amount.Cmp(a.Amount), cmp.Compare(a.Worker, b.Worker))
	})
	equal(t, "the board", must[validator.StakeBoard](t)(b.store.StakeBoard(b.ctx(), staking)), want)
}

// TestReputationsAreRankedByTheNewestScore of each worker.
func TestReputationsAreRankedByTheNewestScore(t *testing.T) {
	b := newBench(t)
	change := func(block int, contract validator.Address, worker string, score int) {
		b.exec(`INSERT INTO reputation_changes (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place, worker_id, old_score, new_score, delta, reason)
			VALUES ($1::integer, '0x' || lpad('1', 64, '0'), $5::timestamptz + $1::integer * interval '1 s', '0x' || lpad('1', 64, '0'), $2, 0, 0, '0x' || lpad($3::text, 64, '0'), 0, $4, 0, '')`, block, string(contract), worker, score, now)
	}
	change(1, reputation, "a", 900)
	change(9, reputation, "a", 700)
	change(2, reputation, "b", 800)
	change(3, another, "b", 999)
	change(4, another, "c", 999)
	got := must[validator.ReputationBoard](t)(b.store.ReputationBoard(b.ctx(), reputation))
	equal(t, "the board", fmt.Sprint(len(got), got[0].Score, got[1].Score, got[1].At.Equal(now.Add(9*time.Second)), got[0].WorkerID[65:]), "2 800 700 trueb")
}

// TestWorkersMonthsAreThoseOfTheirRows, counted one by one.
func TestWorkersMonthsAreThoseOfTheirRows(t *testing.T) {
	b := newBench(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 9))
	// A day that is over: what lies ahead of the database's clock is kept apart.
	today := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -1)
	const asOf = 15 * 60 // the minute of today
	from, now := validator.Window30d.Start(today), today.Add(asOf*time.Minute+30*time.Second)
	const interval = 7
	heard, done := map[string]map[time.Time]bool{}, map[string]int64{}
	for n := range 6 {
		worker := fmt.Sprintf("0x%064x", 0xa1+n)
		heard[worker] = map[time.Time]bool{}
		for range 40 {
			at := today.AddDate(0, 0, -33).Add(time.Duration(rng.IntN(33*24*60+asOf)) * time.Minute)
			heard[worker][at] = true
			b.exec("INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", worker, fmt.Sprint("host ", rng.IntN(2)), at)
		}
		for j := range 30 {
			ended := today.AddDate(0, 0, -33).Add(time.Duration(rng.IntN(33*24*60+asOf)) * time.Minute)
			status := []string{"completed", "completed", "failed"}[rng.IntN(3)]
			b.exec("INSERT INTO jobs (job_id, worker_address, status, job_type, created_at, completed_at) VALUES ($1, $2, $3, $4, $5, $5)", fmt.Sprint(worker, j), worker, status, fmt.Sprint("type ", rng.IntN(2)), ended)
			if status == "completed" && !ended.Before(from) {
				done[worker]++
			}
		}
	}
	justHeard, beat := fmt.Sprintf("0x%064x", 0xa1), now.Truncate(time.Minute).Add(-interval*time.Minute)
	heard[justHeard][beat] = true
	b.exec("INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time) VALUES ($1, 'host 0', $2) ON CONFLICT DO NOTHING", justHeard, beat)
	b.exec("INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time) VALUES ('0xfe', 'long ago', $1)", from.Add(-time.Hour))
	b.exec("INSERT INTO jobs (job_id, worker_address, status, completed_at) VALUES ('unheard', '0xff', 'completed', $1), ('silent', '0xfe', 'completed', $1), ('nobody''s', NULL, 'completed', $1)", today.Add(-time.Hour))
	heard["0x"+fmt.Sprintf("%064x", 0xfe)] = map[time.Time]bool{from.Add(-time.Hour): true}
	done["0x"+fmt.Sprintf("%064x", 0xfe)] = 1
	heard["0x"+fmt.Sprintf("%064x", 0xff)] = nil
	done["0x"+fmt.Sprintf("%064x", 0xff)] = 1
	b.fold()
	got := must[validator.WorkerMonths](t)(b.store.WorkerMonths(b.ctx(), interval, now))
	if len(got) != len(heard) {
		t.Fatalf("%d workers: %+v", len(got), got)
	}
	for _, m := range got {
		minutes := heard[string(m.Worker)]
		var first time.Time
		for at := range minutes {
			if first.IsZero() || at.Before(first) {
				first = at
			}
		}
		up, total := 0, 0
		for day := from; day.Before(today); day = day.AddDate(0, 0, 1) {
			up += heardBy{"": minutes}.up("", day, interval)
		}
		for at := from; !first.IsZero() && at.Before(now.Truncate(time.Minute)); at = at.Add(time.Minute) {
			if !at.Before(first) {
				total++
			}
		}
		isUp := func(at time.Time) bool {
			return slices.ContainsFunc(beatsWithin(at, interval), func(beat time.Time) bool { return minutes[beat] })
		}
		running := now.Truncate(time.Minute)
		for at := today; at.Before(running); at = at.Add(time.Minute) {
			if isUp(at) {
				up++
			}
		}
		if isUp(running) { // a minute that runs counts once it is up
			up++
			total++
		}
		equal(t, "the month of "+string(m.Worker), fmt.Sprint(m.UpMinutes, m.TotalMinutes, m.JobsCompleted), fmt.Sprint(up, total, done[string(m.Worker)]))
	}
	equal(t, "workers", dbtest.Value(t, b.url, "SELECT count(DISTINCT worker_address) FROM worker_days"), 7)
}

// beatsWithin lists the minutes whose heartbeats make a minute one that is up.
func beatsWithin(at time.Time, interval int) (all []time.Time) {
	for n := range interval + 1 {
		all = append(all, at.Add(-time.Duration(n)*time.Minute))
	}
	return all
}
