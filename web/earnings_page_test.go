package web

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// earningsNow is when the tests of earnings ask: a Wednesday.
var earningsNow = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// earningsServer is a server on which Alice earned 1 SAGE by a job on each of the last 400
// days, and claimed 100 SAGE of stake rewards once.
func earningsServer(t *testing.T, change ...func(*Config)) (*Server, string) {
	t.Helper()
	database := dbtest.NewURL(t)
	s := newServer(t, dbtest.Open(t, db.Config{URL: database}), change...)
	s.now = func() time.Time { return earningsNow }
	dbtest.Exec(t, database, `INSERT INTO jobs (job_id, worker_address, job_type, status, payment_amount, created_at, completed_at, execution_time_ms)
		SELECT 'job-' || n, $1, 'training', 'completed', 1000000000000000000, $2::timestamptz - n * interval '1 day' - interval '30 minutes', $2::timestamptz - n * interval '1 day', 1800000
		FROM generate_series(0, 399) n`, alice, earningsNow.Add(-time.Hour))
	dbtest.Exec(t, database, `INSERT INTO reward_claims (address, amount, claim_type, claim_time, tx_hash, block_number, status)
		VALUES ($1, 100000000000000000001, 'staking', $2, '0xc1', 77, 'confirmed')`, alice, earningsNow.AddDate(0, 0, -3))
	return s, database
}

func earningsPath(query string) string { return "/earnings?wallet=" + string(alice) + query }

var (
	periodRow = regexp.MustCompile(`<th scope="row"><time datetime="([^"]*)">([^<]*)</time>`)
	wholeData = regexp.MustCompile(`<data class="amount" value="(\d+)"`)
)

func TestTheEarningsPageSumsUpPeriods(t *testing.T) {
	s, _ := earningsServer(t)
	for query, want := range map[string]struct {
		rows                int
		newest, oldest, sum string
	}{
		"":                                       {30, "2026-11-25", "2026-10-27", "130000000000000000001"},
		"&last=7d":                               {7, "2026-11-25", "2026-11-19", "107000000000000000001"},
		"&last=1y":                               {53, "2026-W48", "2025-W48", "465000000000000000001"},
		"&last=all":                              {14, "Nov 2026", "Oct 2025", "500000000000000000001"},
		"&from=2026-01-01&to=2026-01-31":         {31, "2026-01-31", "2026-01-01", "31000000000000000000"},
		"&from=2025-12-30&to=2026-01-05&by=week": {2, "2026-W02", "2026-W01", "7000000000000000000"},
		"&from=2026-11-25&to=2027-06-01":         {1, "2026-11-25", "2026-11-25", "1000000000000000000"}, // days to come are not there
		"&to=2025-10-31":                         {10, "2025-10-31", "2025-10-22", "10000000000000000000"},
	} {
		page := open(t, s, earningsPath(query))
		rows := periodRow.FindAllStringSubmatch(page, -1)
		if len(rows) == 0 {
			t.Fatalf("%q: no rows", query)
		}
		_, report, _ := strings.Cut(page, `id="earnings-h"`)
		sum := wholeData.FindStringSubmatch(report)
		if len(rows) != want.rows || rows[0][2] != want.newest || rows[len(rows)-1][2] != want.oldest || sum == nil || sum[1] != want.sum {
			t.Errorf("%q: %d rows from %s to %s, %v in all; want %+v", query, len(rows), rows[0][2], rows[len(rows)-1][2], sum, want)
		}
		if whole := !strings.Contains(report, "periods tall"); whole != (want.rows <= 31) {
			t.Errorf("%q: a table of %d rows stands whole: %t", query, want.rows, whole)
		}
		if bars := strings.Count(report, `class="room"`); bars != want.rows {
			t.Errorf("%q: %d bars", query, bars)
		}
	}
}

func TestTheEarningsPageSaysWhatIsWrongWithDays(t *testing.T) {
	s, _ := earningsServer(t)
	for query, words := range map[string]string{
		"&from=2026-13-01":               `id="earnings-from" type="date" name="from" value="" aria-invalid="true"|The first day must be a UTC day such as 2026-11-20. What was asked for: “2026-13-01”.`,
		"&to=yesterday":                  "The last day must be a UTC day",
		"&from=2026-02-02&to=2026-02-01": "The last day is before from",
		"&from=2027-01-01":               "The first day is in the future",
		"&last=2d":                       "The length of time must be 7d, 30d, 90d, 1y or all",
		"&last=7d&from=2026-01-01":       "cannot stand beside from and to",
		"&by=year":                       "The length of the periods must be day, week or month",
		"&from=2001-01-01":               "at most 1,100 fit on a page",
		"&before=x":                      "The place in the list is no place in a list of earnings",
		"&before=" + earningPlaceText(db.EarningCursor{At: earningsNow}) + "&after=" + earningPlaceText(db.EarningCursor{At: earningsNow}): "cannot stand beside before",
	} {
		w := visit(s, earningsPath(query))
		for word := range strings.SplitSeq(words, "|") {
			if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), html.EscapeString(word)) && !strings.Contains(w.Body.String(), word) || !strings.Contains(w.Body.String(), `role="alert"`) {
				t.Errorf("%s: %d lacks %q", query, w.Code, word)
			}
		}
		partial := visit(s, strings.Replace(earningsPath(query), "/earnings", "/partials/earnings", 1))
		if partial.Code != http.StatusBadRequest {
			t.Errorf("the panel answers %d to %s", partial.Code, query)
		}
	}
	if page := open(t, s, earningsPath("&from=2001-01-01&by=month")); strings.Count(page, `class="room"`) != 311 {
		t.Error("months of 26 years do not fit")
	}
}

// TestTheListOfEarningsIsWalkedDownAndUp follows the page's own links.
func TestTheListOfEarningsIsWalkedDownAndUp(t *testing.T) {
	s, _ := earningsServer(t)
	first := open(t, s, earningsPath("&last=1y&by=month"))
	page, seen, pages := first, map[string]bool{}, 0
	for ; ; pages++ {
		_, list, _ := strings.Cut(page, `id="earning-list"`)
		for _, m := range jobHref.FindAllStringSubmatch(list, -1) {
			if seen[m[1]] {
				t.Fatalf("%s comes twice", m[1])
			}
			seen[m[1]] = true
		}
		next := follow(older, page)
		if next == "" {
			break
		}
		page = open(t, s, next)
	}
	if len(seen) != 365 || pages != 7 {
		t.Errorf("%d jobs on %d pages", len(seen), pages+1)
	}
	for up := follow(newer, page); up != ""; up = follow(newer, page) {
		w := visit(s, up)
		if w.Code == http.StatusSeeOther { // the top of the list
			w = visit(s, w.Header().Get("Location"))
		}
		page, pages = w.Body.String(), pages-1
	}
	if _, top, _ := strings.Cut(page, `id="earning-list"`); pages != 0 || !strings.Contains(top, "/jobs/job-0?") {
		t.Errorf("the way up ends %d pages below the top", pages)
	}
}

func TestTheAPIOfEarningsSaysWhatThePageSays(t *testing.T) {
	s, _ := earningsServer(t)
	w := visit(s, "/api/validator/earnings?from=2026-11-02&to=2026-11-25&by=week", "X-Wallet-Address", string(alice), "Accept", "application/json")
	var got earningsJSON
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %v: %s", w.Code, err, w.Body)
	}
	if len(got.Periods) != 4 || got.Periods[3].Whole || !got.Periods[0].Whole || got.Periods[2].From != "2026-11-16" || *got.Periods[2].Total != "107000000000000000001" || *got.Periods[2].ByKind[1].Entries != 1 {
		t.Errorf("periods: %+v", got.Periods)
	}
	if *got.Total != "124000000000000000001" || *got.TotalFormatted != "124.000000000000000001 SAGE" || *got.GPUHours != 12 || *got.AvgRewardPerJob != "1000000000000000000" || *got.AvgRewardPerGPUHour != "2000000000000000000" {
		t.Errorf("%s", w.Body)
	}
	if got.ClaimableRewards != nil || got.ContractAPYBasisPoints != nil || got.Sources.Chain == nil || got.Sources.Chain.Status != "unavailable" || got.Sources.Database.Status != "ok" {
		t.Errorf("what the silent chain says: %s", w.Body)
	}
	for query, field := range map[string]string{"?from=x": "query.from", "?by=year": "query.by", "?from=2026-02-02&to=2026-02-01": "query.to"} {
		if w := visit(s, "/api/validator/earnings"+query, "X-Wallet-Address", string(alice), "Accept", "application/json"); w.Code/100 != 4 || !strings.Contains(w.Body.String(), field) {
			t.Errorf("%s: %d %s", query, w.Code, w.Body)
		}
	}
}

func TestFiguresOfARangeTellWhereTheyComeFrom(t *testing.T) {
	s, _ := earningsServer(t)
	page := open(t, s, earningsPath("&from=2026-11-01&to=2026-11-25"))
	asked := 0
	for _, m := range anyHref.FindAllStringSubmatch(page, -1) {
		u := html.UnescapeString(m[1])
		if !strings.HasPrefix(u, "/partials/provenance") || !strings.Contains(u, "period.") {
			continue
		}
		asked++
		reply := open(t, s, u)
		table := "earning_days"
		if strings.Contains(u, "energy") {
			table = "gpu_energy_days"
		}
		for _, word := range []string{"table " + table, "FROM " + table, "2026-11-01", "psql"} {
			if !strings.Contains(reply, word) {
				t.Errorf("%s lacks %q", u, word)
			}
		}
	}
	if asked != 10 {
		t.Errorf("%d figures tell where they come from", asked)
	}
	for _, of := range []string{"period.total", "period.total@2026-01-01", "period.total@2026-01-02..2026-01-01", "period.nothing@2026-01-01..2026-01-02"} {
		if w := visit(s, fmt.Sprintf("/partials/provenance?wallet=%s&of=%s", alice, of)); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", of, w.Code)
		}
	}
}

func TestWithoutADatabaseEarningsAreUnknown(t *testing.T) {
	s := newServer(t, dbtest.Run(t, db.Config{URL: "postgres://nobody@127.0.0.1:9/none"}))
	for _, query := range []string{"", "&last=all"} {
		page := open(t, s, earningsPath(query))
		if !strings.Contains(page, "Earnings unknown") || strings.Contains(page, `class="room"`) {
			t.Errorf("%s: %s", query, page)
		}
	}
	if a := niceAbove(0); a != 1 {
		t.Errorf("an empty chart reaches %v", a)
	}
}
