package db_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"pgregory.net/rapid"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func TestJobCounts(t *testing.T) {
	b := newBench(t)
	empty := must[validator.JobCounts](t)(b.store.JobCounts(b.ctx(), alice, now))
	if empty.Total != 0 || empty.AverageCompletion != nil || len(empty.ByType) != 0 {
		t.Errorf("a worker without jobs has %+v", empty)
	}
	add := func(id, worker, kind string, status validator.JobStatus, age time.Duration, rest string) {
		b.exec("INSERT INTO jobs (job_id, worker_address, job_type, status, created_at, assigned_at, completed_at, execution_time_ms) VALUES ($1, $2, $3, $4, $5::timestamptz, "+
			strings.ReplaceAll(rest, "T", "$5::timestamptz")+")", id, worker, kind, status, now.Add(-age))
	}
	add("1", "0xa11", "proof", validator.JobCompleted, time.Hour, "T, T + interval '9 s', 3000")      // its execution time counts
	add("2", "0xa11", "proof", validator.JobCompleted, 25*time.Hour, "T, T + interval '5 s', NULL")   // the span counts
	add("3", "0xa11", "train", validator.JobCompleted, 8*24*time.Hour, "NULL, T, NULL")               // no time known
	add("4", "0xa11", "train", validator.JobCompleted, 8*24*time.Hour, "T, T - interval '1 s', NULL") // no time that can be true
	add("5", "0xa11", "proof", validator.JobFailed, time.Minute, "NULL, NULL, 99000")                 // only completed jobs count
	add("6", "0xa11", "proof", validator.JobTimedOut, time.Minute, "NULL, NULL, NULL")
	add("7", "0xa11", "proof", validator.JobAssigned, time.Minute, "T, NULL, NULL")
	add("8", "0xa11", "infer", validator.JobRunning, 24*time.Hour, "T, NULL, NULL") // exactly a day ago is in
	add("9", "0xa11", "infer", validator.JobPending, time.Minute, "NULL, NULL, NULL")
	add("A", "0xa11", "", validator.JobCancelled, 7*24*time.Hour+time.Second, "NULL, NULL, NULL")
	add("B", "0xb0b", "proof", validator.JobCompleted, time.Minute, "T, T, 1")
	for _, folded := range []bool{false, true} {
		c := must[validator.JobCounts](t)(b.store.JobCounts(b.ctx(), alice, now))
		equal(t, "average", *c.AverageCompletion, 4*time.Second)
		equal(t, "failed proofs, running jobs and all trainings", []int64{c.Of(validator.JobFailed, "proof"), c.Of(validator.JobRunning, ""), c.Of("", "train")}, []int64{1, 1, 2})
		c.AverageCompletion, c.Each = nil, nil
		equal(t, fmt.Sprintf("counts (folded: %v)", folded), c, validator.JobCounts{
			Total: 10, Completed: 4, Failed: 2, InProgress: 2, Pending: 1, Cancelled: 1, Last24h: 6, Last7d: 7,
			ByType: []validator.JobTypeCount{{Type: "proof", Count: 5}, {Type: "infer", Count: 2}, {Type: "train", Count: 2}, {Type: "", Count: 1}},
		})
		check(t, b.store.FoldTotals(b.ctx()))
	}
	equal(t, "count", must[int64](t)(b.store.CountJobs(b.ctx(), alice, "")), 10)
	equal(t, "count of completed", must[int64](t)(b.store.CountJobs(b.ctx(), alice, validator.JobCompleted)), 4)
}

func TestJobsArePagedNewestFirst(t *testing.T) {
	b := newBench(t)
	b.exec(`INSERT INTO jobs (job_id, worker_address, status, created_at)
		SELECT 'j' || lpad(n::text, 3, '0'), '0xa11', CASE n % 3 WHEN 0 THEN 'failed' ELSE 'completed' END,
		       $1::timestamptz - (n / 4) * interval '1 minute' FROM generate_series(0, 99) n`, now) // four at the same moment
	b.exec("INSERT INTO jobs (job_id, worker_address) VALUES ('other', '0xb0b')")
	for status, want := range map[validator.JobStatus]int{"": 100, validator.JobFailed: 34} {
		seen := map[string]bool{}
		var cursor db.JobCursor
		var before validator.Job
		for {
			page := must[[]validator.Job](t)(b.store.Jobs(b.ctx(), alice, db.JobFilter{Status: status, Limit: 7, Before: cursor}))
			if len(page) == 0 {
				break
			}
			for _, j := range page {
				if seen[j.ID] || (before.ID != "" && j.CreatedAt.After(before.CreatedAt)) || (status != "" && j.Status != status) {
					t.Fatalf("%+v after %+v", j, before)
				}
				seen[j.ID], before = true, j
			}
			cursor = db.CursorAfter(before)
		}
		equal(t, "jobs seen", len(seen), want)
	}
	equal(t, "without a limit", len(must[[]validator.Job](t)(b.store.Jobs(b.ctx(), alice, db.JobFilter{}))), 100)
}

func TestAnotherWalletsJobIsNotFound(t *testing.T) {
	b := newBench(t)
	b.exec("INSERT INTO jobs (job_id, worker_address) VALUES ('b', '0xb0b'), ('nobody', NULL)")
	must[validator.Job](t)(b.store.Job(b.ctx(), bob, "b"))
	for _, id := range []string{"b", "nobody", "none"} {
		if _, err := b.store.Job(b.ctx(), alice, id); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("%s: %v", id, err)
		}
	}
}

// TestTotalsAgreeWithTheJobs changes jobs in every way that SQL has, and compares the
// totals with a count of the rows.
func TestTotalsAgreeWithTheJobs(t *testing.T) {
	b := newBench(t)
	conn := must[*pgx.Conn](t)(pgx.Connect(b.ctx(), b.url))
	t.Cleanup(func() { _ = conn.Close(b.Context()) })
	const disagreements = `SELECT count(*) FROM (
		(SELECT COALESCE(worker_address, ''), job_type, status, count(*),
		        COALESCE(sum(execution_time_ms) FILTER (WHERE status = 'completed'), 0),
		        count(*) FILTER (WHERE status = 'completed' AND (execution_time_ms IS NOT NULL OR completed_at >= assigned_at))
		 FROM jobs GROUP BY 1, 2, 3
		 EXCEPT SELECT worker_address, job_type, status, sum(jobs), sum(execution_ms), sum(completion_jobs) FROM job_totals GROUP BY 1, 2, 3 HAVING sum(jobs) <> 0)
		UNION ALL
		(SELECT worker_address, job_type, status, sum(jobs), sum(execution_ms), sum(completion_jobs) FROM job_totals GROUP BY 1, 2, 3 HAVING sum(jobs) <> 0
		 EXCEPT SELECT COALESCE(worker_address, ''), job_type, status, count(*),
		        COALESCE(sum(execution_time_ms) FILTER (WHERE status = 'completed'), 0),
		        count(*) FILTER (WHERE status = 'completed' AND (execution_time_ms IS NOT NULL OR completed_at >= assigned_at))
		 FROM jobs GROUP BY 1, 2, 3)
		UNION ALL
		SELECT worker_address, day::text, '', sum(jobs), sum(amount_wei), 0 FROM (
			SELECT worker_address, day, jobs, amount_wei FROM earning_days
			UNION ALL
			SELECT worker_address, (COALESCE(completed_at, created_at) AT TIME ZONE 'UTC')::date, -1, -payment_amount
			FROM jobs WHERE status = 'completed' AND payment_amount IS NOT NULL AND worker_address IS NOT NULL) d
		GROUP BY 1, 2 HAVING sum(jobs) <> 0 OR sum(amount_wei) <> 0) wrong`
	const row = `SELECT 'j' || n, CASE WHEN n % 5 > 0 THEN '0xa' || n % 3 END, 'type' || n % 2,
		(ARRAY['pending','running','completed','completed','failed'])[1 + (n * %[1]d) %% 5],
		CASE WHEN n %% 4 > 0 THEN n * %[1]d END, now() - n * interval '7 hours', now() - n * interval '6 hours',
		CASE WHEN n %% 3 > 0 THEN now() - n * interval '5 hours' END, CASE WHEN n %% 7 > 2 THEN n * 10 END
		FROM generate_series(%[2]d, %[3]d) n`
	rows := strings.NewReplacer("n % 5 >", "n %% 5 >", "n % 3 END", "n %% 3 END", "n % 2,", "n %% 2,").Replace(row)
	columns := "(job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at, execution_time_ms)"
	rapid.Check(t, func(t *rapid.T) {
		for range rapid.IntRange(1, 6).Draw(t, "steps") {
			a, n := rapid.IntRange(0, 20).Draw(t, "from"), rapid.IntRange(0, 15).Draw(t, "many")
			k := rapid.IntRange(1, 9).Draw(t, "k")
			step := rapid.SampledFrom([]string{
				"INSERT INTO jobs " + columns + " " + fmt.Sprintf(rows, k, a, a+n) + " ON CONFLICT (job_id) DO UPDATE SET status = excluded.status, payment_amount = excluded.payment_amount",
				"INSERT INTO jobs " + columns + " " + fmt.Sprintf(rows, k, a, a+n) + " ON CONFLICT DO NOTHING",
				fmt.Sprintf("UPDATE jobs SET status = 'completed', completed_at = now(), payment_amount = %d WHERE hashtext(job_id) %% 3 = 0", k),
				fmt.Sprintf("UPDATE jobs SET worker_address = '0xB%d' WHERE hashtext(job_id) %% 4 = 1", k),
				"UPDATE jobs SET error_message = 'changes no total'",
				fmt.Sprintf("DELETE FROM jobs WHERE hashtext(job_id) %% %d = 0", k),
				"BEGIN; DELETE FROM jobs; ROLLBACK",
				"TRUNCATE jobs",
				"fold",
			}).Draw(t, "step")
			var err error
			if step == "fold" {
				err = b.store.FoldTotals(b.ctx())
			} else {
				_, err = conn.PgConn().Exec(b.ctx(), step).ReadAll()
			}
			if err != nil {
				t.Fatalf("%s: %v", step, err)
			}
			var wrong int
			if err := conn.QueryRow(b.ctx(), disagreements).Scan(&wrong); err != nil {
				t.Fatal(err)
			}
			if wrong != 0 {
				t.Fatalf("after %s: %d totals are wrong", step, wrong)
			}
		}
	})
	check(t, b.store.FoldTotals(b.ctx()))
	equal(t, "rows of a folded key", dbtest.Value(t, b.url, "SELECT COALESCE(max(n), 1) FROM (SELECT count(*) AS n FROM job_totals GROUP BY worker_address, job_type, status) k"), 1)
}

// TestWritersAndFoldsAtTheSameTime loses nothing.
func TestWritersAndFoldsAtTheSameTime(t *testing.T) {
	b := newBench(t)
	done := make(chan error, 4)
	for w := range 4 {
		go func() {
			for i := range 25 {
				if err := dbtest.TryExec(t, b.url, "INSERT INTO jobs (job_id, worker_address, status, payment_amount) VALUES ($1, '0xa11', 'completed', 1)", fmt.Sprint(w, "-", i)); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for running := 4; running > 0; {
		select {
		case err := <-done:
			check(t, err)
			running--
		default:
			check(t, b.store.FoldTotals(b.ctx()))
		}
	}
	equal(t, "completed", must[int64](t)(b.store.CountJobs(b.ctx(), alice, validator.JobCompleted)), 100)
	equal(t, "earned", must[validator.Earnings](t)(b.store.Earnings(b.ctx(), alice, time.Now())).Total, wei(100))
}

// TestAWindowMayBeginAnywhereInAnHour: whole hours are kept, and the rest is counted.
func TestAWindowMayBeginAnywhereInAnHour(t *testing.T) {
	b := newBench(t)
	b.exec(`INSERT INTO jobs (job_id, worker_address, status, payment_amount, created_at, completed_at)
		SELECT n::text, '0xa11', CASE WHEN n % 3 > 0 THEN 'completed' ELSE 'running' END, n, $1::timestamptz - n * interval '11 minutes 7 seconds', CASE WHEN n % 3 > 0 THEN $1::timestamptz - n * interval '11 minutes' END
		FROM generate_series(0, 1200) n`, now)
	for minutes := range 13 {
		at := now.Add(time.Duration(minutes*5)*time.Minute + time.Duration(minutes)*time.Second)
		c := must[validator.JobCounts](t)(b.store.JobCounts(b.ctx(), alice, at))
		e := must[validator.Earnings](t)(b.store.Earnings(b.ctx(), alice, at))
		network := must[validator.NetworkCounts](t)(b.store.NetworkCounts(b.ctx(), activeFor, at))
		counted := dbtest.Value(t, b.url, `SELECT count(*) FILTER (WHERE created_at >= $1::timestamptz - interval '24 hours') || ' ' || count(*) FILTER (WHERE created_at >= (($1::timestamptz AT TIME ZONE 'UTC')::date - 6)::timestamp AT TIME ZONE 'UTC')
			|| ' ' || sum(payment_amount) FILTER (WHERE status = 'completed' AND completed_at >= $1::timestamptz - interval '24 hours') || ' ' || count(*) FILTER (WHERE status = 'completed' AND completed_at >= $1::timestamptz - interval '24 hours') FROM jobs`, at)
		equal(t, fmt.Sprint("at ", at), fmt.Sprint(c.Last24h, c.Last7d, e.Last24h, network.JobsLast24h), counted)
	}
}
