package db_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// sorted is the order of a list by payment or duration, computed without the database.
func sorted(jobs []validator.Job, f db.JobFilter) []validator.Job {
	value := func(j validator.Job) (validator.Wei, bool) {
		if f.Sort == db.SortPayment {
			if j.Payment == nil {
				return validator.Wei{}, false
			}
			return *j.Payment, true
		}
		d, known := j.Duration().Get()
		return validator.WeiFromInt(int64(d)), known
	}
	out := slices.Clone(jobs)
	slices.SortFunc(out, func(a, b validator.Job) int {
		x, knownX := value(a)
		y, knownY := value(b)
		if knownX != knownY {
			if knownX {
				return -1
			}
			return 1
		}
		order := cmp.Or(x.Cmp(y), strings.Compare(a.ID, b.ID))
		if !f.Ascending {
			order = -order
		}
		return order
	})
	return out
}

// someJobs are jobs of two workers of every kind: some amounts and times are the same, some
// are not known, some durations are those of the span, and some spans cannot be true.
const someJobs = `INSERT INTO jobs (job_id, worker_address, client_address, job_type, status, payment_amount, error_message, gpu_uuid, created_at, assigned_at, completed_at, execution_time_ms)
	SELECT 'j' || lpad(n::text, 3, '0'), CASE WHEN n % 11 > 0 THEN '0xa11' ELSE '0xb0b' END, CASE WHEN n % 5 = 0 THEN '0xc1' END, (ARRAY['', 'proof', 'train'])[1 + n % 3],
	       (ARRAY['completed', 'failed', 'running', 'completed', 'timeout', 'completed', 'pending'])[1 + n % 7],
	       CASE n % 7 WHEN 0 THEN n % 4 WHEN 3 THEN n * 1e30 WHEN 4 THEN n END, CASE WHEN n % 7 IN (1, 4) THEN 'an accident' END, 'GPU-' || n % 3,
	       $1::timestamptz - (n / 3) * interval '1 hour', $1::timestamptz - (n / 3) * interval '1 hour', CASE WHEN n % 4 > 0 THEN $1::timestamptz - (n / 3) * interval '1 hour' + (n % 8 - 1) * interval '1.0005 s' END,
	       CASE n % 5 WHEN 0 THEN n % 3 * 1000 WHEN 2 THEN 0 END
	FROM generate_series(1, 160) n`

// TestAListByPaymentOrDurationShowsEachJobOnce, from end to end and back, in either
// direction, through the jobs whose value is not known, under any filters.
func TestAListByPaymentOrDurationShowsEachJobOnce(t *testing.T) {
	b := newBench(t)
	b.exec(someJobs, now)
	// The largest amount there is, and a job of which nothing is known.
	b.exec(`INSERT INTO jobs (job_id, worker_address, status, payment_amount, created_at) VALUES ('most', '0xa11', 'completed', 115792089237316195423570985008687907853269984665640564039457584007913129639935, $1), ('bare', '0xa11', 'cancelled', NULL, $1)`, now)
	seen := map[string]bool{}
	rapid.Check(t, func(rt *rapid.T) {
		f := db.JobFilter{
			Status: rapid.SampledFrom([]validator.JobStatus{"", "", validator.JobCompleted, validator.JobFailed, validator.JobPending}).Draw(rt, "status"),
			Type:   rapid.SampledFrom([]string{"", "", "proof"}).Draw(rt, "type"),
			GPU:    rapid.SampledFrom([]string{"", "", "GPU-1"}).Draw(rt, "gpu"),
			Client: rapid.SampledFrom([]validator.Address{"", "", "0x00000000000000000000000000000000000000000000000000000000000000c1"}).Draw(rt, "client"),
			Search: rapid.SampledFrom([]string{"", "", "", "j0", "accident"}).Draw(rt, "search"),
			From:   rapid.SampledFrom([]time.Time{{}, {}, now.Add(-40 * time.Hour)}).Draw(rt, "from"),
			To:     rapid.SampledFrom([]time.Time{{}, {}, now.Add(-7 * time.Hour)}).Draw(rt, "to"),
		}
		newest := must[[]validator.Job](t)(b.store.Jobs(b.ctx(), alice, f))
		f.Sort = rapid.SampledFrom([]db.JobSort{db.SortPayment, db.SortDuration}).Draw(rt, "sort")
		f.Ascending = rapid.Bool().Draw(rt, "ascending")
		want := sorted(newest, f)
		seen[fmt.Sprint(f.Sort, f.Ascending, len(want) > 20)] = true
		if got := ids(must[[]validator.Job](t)(b.store.Jobs(b.ctx(), alice, f))); got != ids(want) {
			rt.Fatalf("%+v\n got %s\nwant %s", f, got, ids(want))
		}
		var walked []validator.Job
		check(t, b.store.EachJob(b.ctx(), alice, f, func(j validator.Job) error { walked = append(walked, j); return nil }))
		if ids(walked) != ids(want) {
			rt.Fatalf("%+v: the walk is\n%s\nnot\n%s", f, ids(walked), ids(want))
		}
		f.Limit = rapid.IntRange(1, 40).Draw(rt, "limit")
		for at := 0; ; at += f.Limit {
			page := must[[]validator.Job](t)(b.store.Jobs(b.ctx(), alice, f))
			if got, want := ids(page), ids(want[min(at, len(want)):min(at+f.Limit, len(want))]); got != want {
				rt.Fatalf("%+v: the page from %d is\n%s\nnot\n%s", f, at, got, want)
			}
			if len(page) == 0 {
				break
			}
			f.Before = db.CursorAfter(page[len(page)-1])
		}
		f.Before = db.JobCursor{}
		for end := len(want) - 1; end > 0; end -= f.Limit {
			f.After = db.CursorAfter(want[end])
			page := must[[]validator.Job](t)(b.store.Jobs(b.ctx(), alice, f))
			if got, want := ids(page), ids(want[max(end-f.Limit, 0):end]); got != want {
				rt.Fatalf("%+v: the page that ends above %d is\n%s\nnot\n%s", f, end, got, want)
			}
		}
	})
	for _, sort := range []db.JobSort{db.SortPayment, db.SortDuration} {
		for _, ascending := range []bool{false, true} {
			if !seen[fmt.Sprint(sort, ascending, true)] {
				t.Errorf("no list by %s with more than 20 jobs was tried (ascending: %v)", sort, ascending)
			}
		}
	}
}

// TestTheDatabaseMeasuresDurationsAsTheProgramDoes, to the millisecond.
func TestTheDatabaseMeasuresDurationsAsTheProgramDoes(t *testing.T) {
	b := newBench(t)
	b.exec(`INSERT INTO jobs (job_id, worker_address, created_at, assigned_at, completed_at, execution_time_ms)
		SELECT lpad(n::text, 3, '0'), '0xa11', $1, $1, $1::timestamptz + n * n * interval '0.000499 s' - interval '2 s', CASE n % 50 WHEN 0 THEN n END FROM generate_series(1, 300) n`, now)
	rows := must[[]validator.Job](t)(b.store.Jobs(b.ctx(), alice, db.JobFilter{}))
	equal(t, "jobs", len(rows), 300)
	var took []string
	unknown := 0
	for _, j := range rows {
		d, known := j.Duration().Get()
		if !known {
			unknown++
			took = append(took, j.ID+"=?")
			continue
		}
		took = append(took, fmt.Sprint(j.ID, "=", d.Milliseconds(), "ms", d%time.Millisecond))
	}
	slices.Sort(took)
	equal(t, "durations", strings.Join(took, " "), dbtest.Value(t, b.url,
		`SELECT string_agg(job_id || '=' || COALESCE(job_duration_ms(execution_time_ms, assigned_at, completed_at) || 'ms0s', '?'), ' ' ORDER BY job_id COLLATE "C") FROM jobs`))
	if unknown == 0 || unknown == 300 {
		t.Errorf("%d durations are not known", unknown)
	}
}

// TestOfManyJobsTheNewestAreSorted and the page says that there are others.
func TestOfManyJobsTheNewestAreSorted(t *testing.T) {
	b := newBench(t)
	// The oldest are the best paid.
	b.exec(`INSERT INTO jobs (job_id, worker_address, gpu_uuid, status, payment_amount, created_at)
		SELECT 'j' || n, '0xa11', 'GPU-1', 'completed', n, $1::timestamptz - n * interval '1 second' FROM generate_series(1, $2::integer) n`, now, db.MaxSorted+2)
	for _, search := range []string{"", "j"} {
		f := db.JobFilter{GPU: "GPU-1", Search: search, Sort: db.SortPayment, Limit: 2}
		equal(t, "best paid", ids(must[[]validator.Job](t)(b.store.Jobs(b.ctx(), alice, f))), fmt.Sprintf("j%d j%d", db.MaxSorted, db.MaxSorted-1))
		at := must[*time.Time](t)(b.store.FirstUnsorted(b.ctx(), alice, f))
		if at == nil || !at.Equal(now.Add(-(db.MaxSorted+1)*time.Second)) {
			t.Errorf("search %q: the first that is left out is of %v", search, at)
		}
		// A file holds all of them, from the newest down.
		n, first := 0, ""
		check(t, b.store.EachJob(b.ctx(), alice, f, func(j validator.Job) error {
			if n++; n == 1 {
				first = j.ID
			}
			return nil
		}))
		equal(t, "walked", fmt.Sprint(n, " from ", first), fmt.Sprint(db.MaxSorted+2, " from j1"))
		f.From = now.Add(-db.MaxSorted * time.Second)
		if at := must[*time.Time](t)(b.store.FirstUnsorted(b.ctx(), alice, f)); at != nil {
			t.Errorf("search %q: of %d jobs those before %v are left out", search, db.MaxSorted, at)
		}
	}
	f := db.JobFilter{Status: validator.JobCompleted, Sort: db.SortPayment, Limit: 1}
	equal(t, "best paid of all", ids(must[[]validator.Job](t)(b.store.Jobs(b.ctx(), alice, f))), fmt.Sprint("j", db.MaxSorted+2))
	if at := must[*time.Time](t)(b.store.FirstUnsorted(b.ctx(), alice, f)); at != nil {
		t.Errorf("of all jobs those before %v are left out", at)
	}
}
