package web

import (
	"fmt"
	"html"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// jobsServer is a server with some of Alice's jobs and one of Bob's.
func jobsServer(t *testing.T) (*Server, string) {
	t.Helper()
	database := dbtest.NewURL(t)
	s := newServer(t, dbtest.Open(t, db.Config{URL: database}))
	dbtest.Exec(t, database, `INSERT INTO jobs (job_id, worker_address, job_type, status, error_message, created_at)
		SELECT 'alice-' || lpad(n::text, 3, '0'), $1, CASE n % 5 WHEN 0 THEN 'zk-proof' ELSE 'training' END,
		       CASE n % 10 WHEN 3 THEN 'failed' WHEN 7 THEN 'timeout' ELSE 'completed' END,
		       CASE n % 10 WHEN 3 THEN 'CUDA error: out of memory' END, now() - (n / 3) * interval '1 minute'
		FROM generate_series(1, 130) n`, alice)
	dbtest.Exec(t, database, "INSERT INTO jobs (job_id, worker_address, status, error_message) VALUES ('bob-1', $1, 'failed', 'CUDA error of Bob')", bob)
	dbtest.Exec(t, database, `UPDATE jobs SET gpu_uuid = 'GPU-' || right(job_id, 3)::int % 5, client_address = CASE WHEN right(job_id, 3)::int % 3 = 0 THEN '0xC1' END WHERE worker_address = $1`, alice)
	return s, database
}

func jobsPath(query string) string {
	return "/jobs?wallet=" + string(alice) + query
}

var (
	rowID    = regexp.MustCompile(`<tr id="job-([^"]*)"`)
	jobHref  = regexp.MustCompile(`href="(/jobs/[^"]*)"`)
	anyHref  = regexp.MustCompile(`(?:href|hx-get)="(/[^"]*)"`)
	pageLink = func(name string) *regexp.Regexp { return regexp.MustCompile(`href="([^"]*)">` + name + `</a>`) }
	newer    = pageLink("Newer")
	older    = pageLink("Older")
)

func rowsOf(page string) (list []string) {
	for _, m := range rowID.FindAllStringSubmatch(page, -1) {
		list = append(list, html.UnescapeString(m[1]))
	}
	return list
}

func follow(r *regexp.Regexp, page string) string {
	if m := r.FindStringSubmatch(page); m != nil {
		return html.UnescapeString(m[1])
	}
	return ""
}

// open asks for a page that must be there.
func open(t *testing.T, s *Server, path string) string {
	t.Helper()
	w := visit(s, path)
	if w.Code != http.StatusOK {
		t.Fatalf("%s answers %d: %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

func TestTheJobsPageFilters(t *testing.T) {
	s, _ := jobsServer(t)
	for query, want := range map[string]int{
		"":                                     50,
		"&state=failed":                        13,
		"&state=timeout":                       13,
		"&state=running":                       0,
		"&type=zk-proof":                       26,
		"&type=zk-proof&state=failed":          0,
		"&q=alice-12":                          10,
		"&q=alice-127":                         1,
		"&q=OUT+of+mem":                        13,
		"&q=bob":                               0,
		"&q=CUDA+error+of":                     0,
		"&q=alice&type=training&state=timeout": 13,
		"&gpu=GPU-2":                           26,
		"&gpu=GPU-2&state=failed":              0,
		"&gpu=none":                            0,
		"&client=0xC1":                         43,
		"&client=0xC1&q=alice-12":              4,
		"&from=2000-01-01&to=2100-01-01":       50,
		"&to=2000-01-01":                       0,
		"&order=oldest":                        50,
	} {
		page := open(t, s, jobsPath(query))
		if got := len(rowsOf(page)); got != want {
			t.Errorf("%q lists %d jobs, want %d", query, got, want)
		}
		if live := strings.Contains(page, `id="joblist" class="panel" aria-labelledby="joblist-h" hx-get=`); live != (query == "") {
			t.Errorf("%q: live is %v", query, live)
		}
		if want == 0 && !strings.Contains(page, `class="empty`) {
			t.Errorf("%q does not say that nothing was found", query)
		}
	}
	page := open(t, s, jobsPath("&type=zk-proof&state=completed"))
	for _, want := range []string{`Completed <span class="tab-count"> 26`, `Failed <span class="tab-count"> 0`, `All <span class="tab-count"> 26`, `<option value="zk-proof" selected>zk-proof (26)`, `<input type="hidden" name="state" value="completed">`} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is not in the page", want)
		}
	}
}

func TestAWrongFilterIsAPageThatNamesTheField(t *testing.T) {
	s, _ := jobsServer(t)
	for query, field := range map[string]string{"&state=done": "query.state must be one of pending, assigned,", "&before=nowhere": "query.before is no place", "&q=%ff": "query.q must be UTF-8 text"} {
		w := visit(s, jobsPath(query))
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), field) || !strings.Contains(w.Body.String(), "<html") {
			t.Errorf("%s answers %d: %s", query, w.Code, w.Body)
		}
	}
}

// TestOlderLeadsThroughAllJobs and Newer back, each job once, while jobs come.
func TestOlderLeadsThroughAllJobs(t *testing.T) {
	s, database := jobsServer(t)
	for _, query := range []string{"", "&type=training", "&q=alice", "&from=2001-01-01"} {
		seen := map[string]int{}
		var pages []string
		for path, n := jobsPath(query), 0; path != ""; n++ {
			page := open(t, s, path)
			pages = append(pages, page)
			for _, id := range rowsOf(page) {
				seen[id]++
			}
			dbtest.Exec(t, database, "INSERT INTO jobs (job_id, worker_address, job_type) VALUES ($1, $2, 'training')", fmt.Sprint("alice-new-", len(query), n), alice)
			path = follow(older, page)
		}
		want := 130
		if query == "&type=training" {
			want = 104
		}
		for id, n := range seen {
			if n != 1 {
				t.Errorf("%q: %s was seen %d times", query, id, n)
			}
			if strings.HasPrefix(id, "alice-new") {
				delete(seen, id)
			}
		}
		if len(seen) != want {
			t.Errorf("%q: %d jobs were seen, want %d", query, len(seen), want)
		}
		back := pages[len(pages)-1]
		for n := len(pages) - 2; n > 0; n-- {
			back = open(t, s, follow(newer, back))
			if !slices.Equal(rowsOf(back), rowsOf(pages[n])) {
				t.Errorf("%q: page %d is another on the way back", query, n)
			}
		}
		// What came meanwhile stands above.
		path := follow(newer, back)
		for {
			w := visit(s, path)
			if w.Code == http.StatusSeeOther {
				if to := w.Header().Get("Location"); strings.Contains(to, "after=") || strings.Contains(to, "before=") {
					t.Errorf("%q: the top of the list is at %s", query, to)
				}
				break
			}
			if path = follow(newer, w.Body.String()); path == "" {
				t.Fatalf("%q: no way to the top", query)
			}
		}
		dbtest.Exec(t, database, "DELETE FROM jobs WHERE job_id LIKE 'alice-new%'")
	}
}

func TestNoJobOfAnotherWalletIsShown(t *testing.T) {
	s, _ := jobsServer(t)
	clean := regexp.MustCompile(`data-now="\d+"`)
	var bodies []string
	for _, id := range []string{"bob-1", "none", "%E2%82%AC"} {
		w := visit(s, "/jobs/"+id+"?wallet="+string(alice))
		if w.Code != http.StatusNotFound {
			t.Errorf("%s answers %d", id, w.Code)
		}
		bodies = append(bodies, clean.ReplaceAllString(w.Body.String(), ""))
		if w := visit(s, "/partials/job?id="+id+"&wallet="+string(alice), "HX-Request", "true"); w.Code != http.StatusNotFound {
			t.Errorf("the poll of %s answers %d", id, w.Code)
		}
	}
	for _, b := range bodies[1:] {
		if b != bodies[0] {
			t.Errorf("an unknown job looks unlike another wallet's:\n%s\n%s", b, bodies[0])
		}
	}
	if page := open(t, s, "/jobs/bob-1?wallet="+string(bob)); !strings.Contains(page, "CUDA error of Bob") {
		t.Error("Bob does not see his job")
	}
	place := follow(regexp.MustCompile(`(before=[^"&]*)`), open(t, s, jobsPath("")))
	if got := rowsOf(open(t, s, "/jobs?wallet="+string(bob)+"&"+place)); len(got) > 0 {
		t.Errorf("a place in Alice's list shows Bob %v", got)
	}
	for _, path := range []string{jobsPath(""), "/partials/joblist?wallet=" + string(alice)} {
		if strings.Contains(open(t, s, path), "bob") {
			t.Errorf("%s shows Bob's job", path)
		}
	}
	s.localAccess = false
	for _, path := range []string{jobsPath(""), "/jobs/bob-1?wallet=" + string(bob), "/partials/job?id=bob-1&wallet=" + string(bob), "/partials/joblist?wallet=" + string(bob)} {
		if w := visit(s, path); w.Code != http.StatusSeeOther || !strings.HasPrefix(w.Header().Get("Location"), "/signin?next=") {
			t.Errorf("without credentials %s answers %d %s", path, w.Code, w.Header().Get("Location"))
		}
	}
}

func TestTheWalletStaysInEveryLink(t *testing.T) {
	s, _ := jobsServer(t)
	for _, path := range []string{jobsPath(""), jobsPath("&q=alice&state=failed"), "/jobs/alice-003?wallet=" + string(alice)} {
		page := open(t, s, path)
		links := map[string]bool{}
		for _, m := range anyHref.FindAllStringSubmatch(page, -1) {
			links[html.UnescapeString(m[1])] = true
		}
		for link := range links {
			u, err := url.Parse(link)
			if err != nil {
				t.Fatal(err)
			}
			if about := strings.HasPrefix(u.Path, "/jobs") || strings.HasPrefix(u.Path, "/partials") || strings.HasPrefix(u.Path, "/gpus"); about && u.Query().Get("wallet") != string(alice) {
				t.Errorf("%s: %s is about no wallet (of %v)", path, link, slices.Sorted(maps.Keys(links)))
			}
		}
	}
	if !strings.Contains(open(t, s, jobsPath("")), `<input type="hidden" name="wallet" value="`+string(alice)+`">`) {
		t.Error("a search forgets the wallet")
	}
	own := newServer(t, s.db, func(c *Config) { c.ValidatorAddress = alice })
	if page := open(t, own, "/jobs"); strings.Contains(page, `href="/jobs?wallet=`) || !strings.Contains(page, `href="/jobs/alice-001"`) {
		t.Error("links to the server's own wallet name it")
	}
}

func TestAJobsPageTellsAllThatIsKnown(t *testing.T) {
	s, database := jobsServer(t)
	at := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	const client, tx = "0x00000000000000000000000000000000000000000000000000000000000c11e7", "0x0000000000000000000000000000000000000000000000000000000000000abc"
	dbtest.Exec(t, database, `INSERT INTO jobs VALUES ($1, $2, $3, 'zk-proof', 'completed', 12345678901234567890, $4, $5, $6, 61004, '0xfeed', NULL, 'GPU-1', $7, 1234567)`,
		"full", client, string(alice), at, at.Add(12*time.Second), at.Add(75*time.Second), tx)
	page := open(t, s, "/jobs/full?wallet="+string(alice))
	for _, want := range []string{
		"12.34567890123456789<", ">12345678901234567890 wei<", "after 12.0 s", "after 1 min 3 s", ">1 min 1 s<", "61,004 ms", `data-copy-text="0xfeed"`, `data-copy-text="` + client + `"`,
		`href="https://explorer.example/tx/` + tx, `href="https://explorer.example/block/1234567"`, ">1,234,567<", `href="/gpus/GPU-1?wallet=` + string(alice), "2026-03-04 05:06:07 UTC", "completed",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is not in the page", want)
		}
	}
	dbtest.Exec(t, database, "INSERT INTO jobs (job_id, worker_address, status, error_message) VALUES ('bare', $1, 'failed', $2)", string(alice), "<script>alert(1)</script>\n"+strings.Repeat("x", 5000)+"END")
	page = open(t, s, "/jobs/bare?wallet="+string(alice))
	for _, want := range []string{"Not recorded.", "No payment is recorded.", "When is not recorded.", "&lt;script&gt;alert(1)", "xEND"} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is not in the page", want)
		}
	}
	if list := open(t, s, jobsPath("")); strings.Contains(list, "xEND") || !strings.Contains(list, "xx…") {
		t.Error("the list has the whole of a long message, or nothing")
	}
}

func TestAnyIdentifierHasItsPage(t *testing.T) {
	s, database := jobsServer(t)
	for i, id := range []string{"a/b", "a b?c#d&e=f", "100%", "é✓", `"><b>`, "a+b", strings.Repeat("é", 256)} {
		dbtest.Exec(t, database, "INSERT INTO jobs (job_id, worker_address, created_at) VALUES ($1, $2, now() + interval '1 minute')", id, string(alice))
		page := open(t, s, jobsPath(fmt.Sprintf("&state=pending&from=2026-01-%02d", i+1)))
		if link := follow(jobHref, page); !strings.Contains(open(t, s, link), `data-copy-text="`+html.EscapeString(id)+`"`) {
			t.Errorf("%s leads elsewhere than to %s", link, id)
		}
		dbtest.Exec(t, database, "DELETE FROM jobs WHERE job_id = $1", id)
		s.observer.ForgetAll()
	}
}

func TestJobsAreUnknownWhileTheDatabaseIsAway(t *testing.T) {
	s := newServer(t, dbtest.Run(t, db.Config{URL: "postgres://nobody@127.0.0.1:1/none"}))
	page := open(t, s, jobsPath(""))
	if !strings.Contains(page, "Jobs unknown") || strings.Contains(page, "No job yet") || strings.Contains(page, "tab-count") {
		t.Errorf("without a database the page says %s", page)
	}
	if w := visit(s, "/jobs/1?wallet="+string(alice)); w.Code != http.StatusServiceUnavailable {
		t.Errorf("a job's page answers %d", w.Code)
	}
}
