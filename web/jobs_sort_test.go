package web

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// sortServer is a server with 120 of Alice's jobs: every third has no reward, every fourth no
// duration, and several have the same ones.
func sortServer(t *testing.T) (*Server, string) {
	t.Helper()
	database := dbtest.NewURL(t)
	s := newServer(t, dbtest.Open(t, db.Config{URL: database}))
	dbtest.Exec(t, database, `INSERT INTO jobs (job_id, worker_address, status, gpu_uuid, payment_amount, execution_time_ms, created_at)
		SELECT 's' || lpad(n::text, 3, '0'), $1, CASE WHEN n % 3 > 0 THEN 'completed' ELSE 'failed' END, 'GPU-' || n % 2, CASE WHEN n % 3 > 0 THEN n / 6 END, CASE WHEN n % 4 > 0 THEN n % 17 * 100 END, now() - n * interval '1 minute'
		FROM generate_series(1, 120) n`, alice)
	return s, database
}

var (
	previous = pageLink("Previous")
	next     = pageLink("Next")
)

// inOrder is what a query of the database says is the order of Alice's jobs.
func inOrder(t *testing.T, database, where, order string) []string {
	t.Helper()
	return strings.Fields(dbtest.Value(t, database, "SELECT string_agg(job_id, ' ' ORDER BY "+order+") FROM jobs WHERE "+where))
}

// TestTheJobsPageSorts by every order that it offers, over all pages and back, with and
// without a filter, and a file has the same order.
func TestTheJobsPageSorts(t *testing.T) {
	s, database := sortServer(t)
	for order, by := range map[string]string{
		"highest": "payment_amount DESC NULLS LAST, job_id DESC", "lowest": "payment_amount NULLS LAST, job_id",
		"longest": "execution_time_ms DESC NULLS LAST, job_id DESC", "shortest": "execution_time_ms NULLS LAST, job_id", "oldest": "created_at, job_id",
	} {
		for filter, where := range map[string]string{"": "true", "&state=failed": "status = 'failed'", "&gpu=GPU-1": "gpu_uuid = 'GPU-1'", "&q=s1": "job_id LIKE 's1%'"} {
			query := "&order=" + order + filter
			want := inOrder(t, database, where, by)
			on, back := next, previous
			if order == "oldest" {
				on, back = newer, older
			}
			var got []string
			var last string
			for path := jobsPath(query); path != ""; path = follow(on, last) {
				last = open(t, s, path)
				got = append(got, rowsOf(last)...)
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s\n got %v\nwant %v", query, got, want)
			}
			if len(want) > 2*jobsOnPage {
				if got := rowsOf(open(t, s, follow(back, last))); !slices.Equal(got, want[jobsOnPage:2*jobsOnPage]) {
					t.Errorf("%s: back is\n%v", query, got)
				}
			}
			var file []string
			for line := range strings.Lines(visit(s, "/jobs/export?format=ndjson&wallet="+string(alice)+query).Body.String()) {
				var j exportedJob
				if err := json.Unmarshal([]byte(line), &j); err != nil {
					t.Fatal(err)
				}
				file = append(file, j.JobID)
			}
			if !slices.Equal(file, want) {
				t.Errorf("%s: the file has\n%v\nnot\n%v", query, file, want)
			}
		}
	}
}

var sortHeads = regexp.MustCompile(`<th scope="col" class="[^"]*"( aria-sort="\w+")?><a class="sort" href="([^"]*)">(\w+)`)

// TestTheColumnsHeadsSort: each is a link that keeps the filters and leaves the page, and the
// one that the list is sorted by says so and turns the list round.
func TestTheColumnsHeadsSort(t *testing.T) {
	s, _ := sortServer(t)
	deep := follow(next, open(t, s, jobsPath("&order=highest&state=completed")))
	for path, want := range map[string]string{
		jobsPath(""):                 `Submitted descending oldest, Duration longest, Reward highest`,
		jobsPath("&order=oldest"):    `Submitted ascending , Duration longest, Reward highest`,
		jobsPath("&order=shortest"):  `Submitted , Duration ascending longest, Reward highest`,
		deep:                         `Submitted , Duration longest, Reward descending lowest`,
		jobsPath("&gpu=GPU-1&q=s00"): `Submitted descending oldest, Duration longest, Reward highest`,
	} {
		var heads []string
		for _, m := range sortHeads.FindAllStringSubmatch(open(t, s, path), -1) {
			to := html.UnescapeString(m[2])
			if strings.Contains(to, "before=") || strings.Contains(to, "state=") != strings.Contains(path, "state=") || strings.Contains(to, "gpu=") != strings.Contains(path, "gpu=") {
				t.Errorf("%s: %s leads to %s", path, m[3], to)
			}
			direction := ""
			if m[1] != "" {
				direction = strings.Split(m[1], `"`)[1] + " "
			}
			order := ""
			if o := regexp.MustCompile(`order=(\w+)`).FindStringSubmatch(to); o != nil {
				order = o[1]
			}
			heads = append(heads, m[3]+" "+direction+order)
		}
		if got := strings.Join(heads, ", "); got != want {
			t.Errorf("%s: the heads are %s, want %s", path, got, want)
		}
	}
}

// TestAListSaysWhichJobsItDoesNotSort where there are more than it considers.
func TestAListSaysWhichJobsItDoesNotSort(t *testing.T) {
	s, database := sortServer(t)
	dbtest.Exec(t, database, `INSERT INTO jobs (job_id, worker_address, gpu_uuid, payment_amount, created_at) SELECT 'm' || n, $1, 'GPU-9', n, '2026-03-01 12:00:00Z'::timestamptz - n * interval '1 second' FROM generate_series(0, $2) n`, alice, db.MaxSorted)
	const reply = "These filters let through more than 10,000 jobs. Sorted are the newest 10,000, submitted after 2026-03-01 09:13:20 UTC;"
	page := open(t, s, jobsPath("&order=highest&gpu=GPU-9"))
	if !strings.Contains(page, reply) || rowsOf(page)[0] != fmt.Sprint("m", db.MaxSorted-1) {
		t.Errorf("the page does not tell, and begins with %v", rowsOf(page)[:1])
	}
	for _, query := range []string{"&gpu=GPU-9", "&order=highest", "&order=highest&gpu=GPU-1", "&order=highest&gpu=GPU-9&from=2026-03-02"} {
		if strings.Contains(open(t, s, jobsPath(query)), "These filters let through more") {
			t.Errorf("%s: a list of all its jobs says that it leaves some out", query)
		}
	}
}

// TestRecentJobsComeInTheOrderAskedFor of the API.
func TestRecentJobsComeInTheOrderAskedFor(t *testing.T) {
	s, database := sortServer(t)
	for query, want := range map[string][]string{
		"":                              inOrder(t, database, "true", "created_at DESC")[:3],
		"&order=lowest":                 inOrder(t, database, "true", "payment_amount NULLS LAST, job_id")[:3],
		"&order=longest&status=failed":  inOrder(t, database, "status = 'failed'", "execution_time_ms DESC NULLS LAST, job_id DESC")[:3],
		"&order=shortest&status=failed": inOrder(t, database, "status = 'failed'", "execution_time_ms NULLS LAST, job_id")[:3],
	} {
		var answer recentJSON
		w := visit(s, "/api/jobs/recent?limit=3"+query, "X-Wallet-Address", string(alice), "Accept", "application/json")
		if err := json.Unmarshal(w.Body.Bytes(), &answer); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, j := range answer.Jobs {
			got = append(got, j.JobID)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", query, got, want)
		}
	}
	if w := visit(s, "/api/jobs/recent?order=best", "X-Wallet-Address", string(alice), "Accept", "application/json"); w.Code != http.StatusUnprocessableEntity && w.Code != http.StatusBadRequest {
		t.Errorf("an unknown order is answered with %d", w.Code)
	}
	names := jobOrderNames()
	if !strings.Contains(visit(s, "/openapi.json").Body.String(), `"`+strings.Join(names, `","`)+`"`) {
		t.Errorf("the API does not describe the orders %v", names)
	}
}
