package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"pgregory.net/rapid"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func ids(jobs []validator.Job) string {
	var out []string
	for _, j := range jobs {
		out = append(out, j.ID)
	}
	return strings.Join(out, " ")
}

func TestJobsAreFoundByTheirIdentifierAndByTheirError(t *testing.T) {
	b := newBench(t)
	for i, j := range []struct{ id, worker, kind, status, words string }{
		{"1048", "0xa11", "proof", "completed", ""},
		{"1048231", "0xa11", "train", "failed", "CUDA error: out of memory"},
		{"1048232", "0xb0b", "proof", "failed", "CUDA error: out of memory"},
		{"2048", "0xa11", "proof", "timeout", "100% of the time_out passed"},
		{"3048", "0xa11", "proof", "completed", "out of memory once, then it went well"},
		{"out of luck", "0xa11", "proof", "running", ""},
		{`50%_\`, "0xa11", "proof", "pending", ""},
	} {
		b.exec("INSERT INTO jobs (job_id, worker_address, job_type, status, error_message, created_at) VALUES ($1, $2, $3, $4, NULLIF($5, ''), $6)",
			j.id, j.worker, j.kind, j.status, j.words, now.Add(-time.Duration(i)*time.Minute))
	}
	for _, c := range []struct {
		filter db.JobFilter
		want   string
	}{
		{db.JobFilter{Search: "1048231"}, "1048231"},
		{db.JobFilter{Search: "1048"}, "1048 1048231"},
		{db.JobFilter{Search: "048"}, ""},
		{db.JobFilter{Search: "OUT OF"}, "1048231"}, // identifiers are what they are, messages are words
		{db.JobFilter{Search: "out of"}, "1048231 out of luck"},
		{db.JobFilter{Search: "out of", Status: validator.JobRunning}, "out of luck"},
		{db.JobFilter{Search: "out of", Type: "train"}, "1048231"},
		{db.JobFilter{Search: "out of", Limit: 1}, "1048231"},
		{db.JobFilter{Search: "%"}, "2048"}, // no wildcard
		{db.JobFilter{Search: "e_o"}, "2048"},
		{db.JobFilter{Search: `50%_\`}, `50%_\`},
		{db.JobFilter{Type: "train"}, "1048231"},
		{db.JobFilter{Type: "none"}, ""},
		{db.JobFilter{Type: "proof", Status: validator.JobTimedOut}, "2048"},
	} {
		equal(t, fmt.Sprintf("%+v", c.filter), ids(must[[]validator.Job](t)(b.store.Jobs(b.ctx(), alice, c.filter))), c.want)
	}
}

// TestPagesShowEachJobOnce walks a list from end to end and back, by any filter, while jobs
// come and change.
func TestPagesShowEachJobOnce(t *testing.T) {
	b := newBench(t)
	b.exec(`INSERT INTO jobs (job_id, worker_address, job_type, status, error_message, created_at)
		SELECT (CASE n % 2 WHEN 0 THEN 'a' ELSE 'b' END) || lpad(n::text, 3, '0'), CASE WHEN n % 9 > 0 THEN '0xa11' ELSE '0xb0b' END, 'type' || n % 3,
		       (ARRAY['completed', 'failed', 'timeout', 'running'])[1 + n % 4], CASE WHEN n % 4 IN (1, 2) THEN 'an accident, number ' || n END,
		       $1::timestamptz - (n / 4) * interval '1 minute' FROM generate_series(0, 149) n`, now)
	conn := must[*pgx.Conn](t)(pgx.Connect(b.ctx(), b.url))
	t.Cleanup(func() { _ = conn.Close(b.Context()) })
	rapid.Check(t, func(rt *rapid.T) {
		must[pgconn.CommandTag](t)(conn.Exec(b.ctx(), "DELETE FROM jobs WHERE job_id LIKE 'b0-%'"))
		added := 0
		f := db.JobFilter{
			Status: rapid.SampledFrom([]validator.JobStatus{"", "", validator.JobFailed, validator.JobCompleted}).Draw(rt, "status"),
			Type:   rapid.SampledFrom([]string{"", "", "type1"}).Draw(rt, "type"),
			Search: rapid.SampledFrom([]string{"", "", "a", "b0", "a02", "accident"}).Draw(rt, "search"),
		}
		all := must[[]validator.Job](t)(b.store.Jobs(b.ctx(), alice, f))
		f.Limit = rapid.IntRange(1, 40).Draw(rt, "limit")
		var walked []validator.Job
		for {
			page := must[[]validator.Job](t)(b.store.Jobs(b.ctx(), alice, f))
			if len(page) == 0 {
				break
			}
			walked = append(walked, page...)
			f.Before = db.CursorAfter(page[len(page)-1])
			if rapid.Bool().Draw(rt, "a job comes") {
				added++
				must[pgconn.CommandTag](t)(conn.Exec(b.ctx(), "INSERT INTO jobs (job_id, worker_address, job_type, status, error_message, created_at) VALUES ($1, '0xa11', 'type1', 'failed', 'an accident', $2)",
					fmt.Sprintf("b0-%03d", added), now.Add(time.Duration(added)*time.Second)))
			}
		}
		if got, want := ids(walked), ids(all); got != want {
			rt.Fatalf("%+v: walked through\n%s\nof\n%s", f, got, want)
		}
		if len(walked) == 0 {
			return
		}
		f.Before, f.After = db.JobCursor{}, db.CursorAfter(walked[len(walked)-1])
		back := walked[len(walked)-1:]
		for {
			page := must[[]validator.Job](t)(b.store.Jobs(b.ctx(), alice, f))
			if len(page) == 0 {
				break
			}
			back = slices.Concat(page, back)
			f.After = db.CursorAfter(page[0])
		}
		f.After, f.Limit = db.JobCursor{}, 0
		if got, want := ids(back), ids(must[[]validator.Job](t)(b.store.Jobs(b.ctx(), alice, f))); got != want {
			rt.Fatalf("%+v: on the way back\n%s\nof\n%s", f, got, want)
		}
	})
}

// TestTheOldestComeFirstWhenAskedFor, forwards and back, and within the time asked for.
func TestTheOldestComeFirstWhenAskedFor(t *testing.T) {
	b := newBench(t)
	b.exec(`INSERT INTO jobs (job_id, worker_address, gpu_uuid, client_address, created_at)
		SELECT 'j' || lpad(n::text, 2, '0'), '0xa11', 'GPU-' || n % 2, CASE WHEN n % 3 = 0 THEN '0xb0b' END, $1::timestamptz + n / 2 * interval '1 minute' FROM generate_series(0, 19) n`, now)
	page := func(f db.JobFilter) []validator.Job { return must[[]validator.Job](t)(b.store.Jobs(b.ctx(), alice, f)) }
	first := page(db.JobFilter{Ascending: true, Limit: 3})
	equal(t, "first page", ids(first), "j00 j01 j02")
	second := page(db.JobFilter{Ascending: true, Limit: 3, Before: db.CursorAfter(first[2])})
	equal(t, "second page", ids(second), "j03 j04 j05")
	equal(t, "back", ids(page(db.JobFilter{Ascending: true, Limit: 3, After: db.CursorAfter(second[0])})), ids(first))
	equal(t, "of a time", ids(page(db.JobFilter{From: now.Add(time.Minute), To: now.Add(3 * time.Minute)})), "j05 j04 j03 j02")
	equal(t, "of a GPU and a client", ids(page(db.JobFilter{GPU: "GPU-1", Client: bob})), "j15 j09 j03")
	equal(t, "of a search", ids(page(db.JobFilter{Search: "j1", GPU: "GPU-0", To: now.Add(8 * time.Minute), Ascending: true})), "j10 j12 j14")
	var walked []validator.Job
	check(t, b.store.EachJob(b.ctx(), alice, db.JobFilter{GPU: "GPU-1", Ascending: true}, func(j validator.Job) error { walked = append(walked, j); return nil }))
	equal(t, "walked", ids(walked), "j01 j03 j05 j07 j09 j11 j13 j15 j17 j19")
}
