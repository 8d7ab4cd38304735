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
	"github.com/bitsage-network/validator-dashboard/validator"
)

// twoHosts is a worker with a host that is heard every minute but for an hour of yesterday,
// and one that joined three days ago and is heard every five minutes.
func twoHosts(t *testing.T, change ...func(*Config)) (*Server, time.Time) {
	t.Helper()
	url := dbtest.NewURL(t)
	store := dbtest.Open(t, db.Config{URL: url})
	now := time.Now().UTC().Truncate(time.Minute).Add(20 * time.Second)
	gap := now.Truncate(24 * time.Hour).Add(-9 * time.Hour)
	dbtest.Exec(t, url, `INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time)
		SELECT $1, 'rig-1', m FROM generate_series($2::timestamptz - interval '40 days', $2::timestamptz, interval '1 minute') m WHERE m < $3 OR m >= $3::timestamptz + interval '1 hour'`, string(alice), now, gap)
	dbtest.Exec(t, url, `INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time)
		SELECT $1, 'rig & 2', m FROM generate_series($2::timestamptz - interval '3 days', $2::timestamptz, interval '5 minutes') m WHERE m < $3 OR m >= $3::timestamptz + interval '1 hour'`, string(alice), now, gap)
	dbtest.Exec(t, url, "SELECT fold_heartbeats()")
	s := newServer(t, store, change...)
	s.now = func() time.Time { return now }
	return s, gap
}

// answer asks the API about Alice.
func answer[T any](t *testing.T, s *Server, path string) T {
	t.Helper()
	w := visit(s, path, "X-Wallet-Address", string(alice), "Accept", "application/json")
	var v T
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%s: %d %v %s", path, w.Code, err, w.Body)
	}
	return v
}

var (
	heatTable = regexp.MustCompile(`(?s)<table class="heat" id="([a-z-]+)">.*?</table>`)
	heatCells = regexp.MustCompile(`<td class="(\w+)"[^>]*>(?:<span class="visually-hidden">)?([^<]*)<`)
)

// TestTheUptimesPageShowsWhatTheAPITells, for any host and for one, in every window, gap, hour and day.
func TestTheUptimesPageShowsWhatTheAPITells(t *testing.T) {
	s, gap := twoHosts(t, func(c *Config) { c.HeartbeatInterval = 5 })
	for _, host := range []string{"", "?host=rig-1", "?host=rig+%26+2"} {
		pageShowsUptime(t, s, host, gap)
	}
	all := answer[uptimeJSON](t, s, "/api/worker/uptime")
	if len(all.Hosts) != 2 || all.Hosts[0].WorkerID != "rig & 2" || *all.Hosts[0].FirstHeartbeat != s.now().Truncate(time.Minute).Add(-72*time.Hour).Unix() {
		t.Errorf("hosts: %+v", all.Hosts)
	}
	if of := answer[uptimeJSON](t, s, "/api/worker/uptime?host=rig-1"); *of.Year.UptimePercent != *all.Hosts[1].Year.UptimePercent || *of.UptimePercent != *all.Hosts[1].Windows[0].UptimePercent {
		t.Errorf("rig-1 is %+v, among the hosts %+v", of.Year, all.Hosts[1])
	}
	// The same share as on the dashboard and in the status.
	if status := answer[statusJSON](t, s, "/api/validator/status"); *status.UptimePercent != *all.UptimePercent {
		t.Errorf("the status says %v, the uptime %v", *status.UptimePercent, *all.UptimePercent)
	}
	if dashboard := visit(s, "/?wallet="+string(alice)).Body.String(); !strings.Contains(dashboard, percent(*all.Windows[1].UptimePercent)) || !strings.Contains(dashboard, `href="/uptime?wallet=`) {
		t.Error("the dashboard has another uptime, or no way to its page")
	}
	for _, w := range []string{"/api/worker/uptime?host=rig-3", "/uptime?host=rig-3&wallet=" + string(alice)} {
		if got := visit(s, w, "X-Wallet-Address", string(alice)); got.Code != http.StatusNotFound || !strings.Contains(got.Body.String(), "No host of this worker") {
			t.Errorf("%s: %d", w, got.Code)
		}
	}
}

// pageShowsUptime compares the page about a host, about any for "", with the API's answer.
func pageShowsUptime(t *testing.T, s *Server, host string, gap time.Time) {
	t.Helper()
	reply := answer[uptimeJSON](t, s, "/api/worker/uptime"+host)
	page := visit(s, "/uptime?wallet="+string(alice)+strings.Replace(host, "?", "&", 1))
	text := html.UnescapeString(page.Body.String())
	if page.Code != http.StatusOK {
		t.Fatalf("%s: %d %s", host, page.Code, text)
	}
	if !strings.Contains(text, reply.Definition) || !strings.Contains(reply.Definition, "the 5 minutes before it") || reply.HeartbeatIntervalSecs != 300 {
		t.Errorf("%s: the definition is %q", host, reply.Definition)
	}
	for _, w := range reply.Windows {
		if !strings.Contains(text, percent(*w.UptimePercent)) {
			t.Errorf("%s: the page lacks %s of %s", host, percent(*w.UptimePercent), w.Window)
		}
	}
	overdue := gap.Add(5 * time.Minute)
	if strings.HasSuffix(host, "2") { // its last heartbeat came up to five minutes before
		overdue = gap.Add(time.Minute + s.now().Truncate(time.Minute).Sub(gap)%(5*time.Minute))
	}
	if len(reply.Windows[2].Gaps) != 1 || reply.Windows[2].Gaps[0].From != overdue.Unix() {
		t.Errorf("%s: gaps %+v, the heartbeats stop at %d", host, reply.Windows[2].Gaps, gap.Unix())
	}
	for _, g := range reply.Windows[2].Gaps {
		for _, at := range []int64{g.From, g.To} {
			if words := time.Unix(at, 0).UTC().Format(gapTime); !strings.Contains(text, words) {
				t.Errorf("%s: the page lacks the gap's %s", host, words)
			}
		}
	}
	shown := map[string][][]string{}
	for _, m := range heatTable.FindAllStringSubmatch(text, -1) {
		for _, c := range heatCells.FindAllStringSubmatch(m[0], -1) {
			if c[1] != "void" {
				shown[m[1]] = append(shown[m[1]], c[1:])
			}
		}
	}
	compareHeat(t, host+" hours", shown["uptime-hours"], reply.Hours, 24)
	compareHeat(t, host+" days", shown["uptime-days"], reply.Days, 0)
	var up, total int
	for _, d := range reply.Days {
		up, total = up+d.MinutesUp, total+d.MinutesTotal
	}
	if reply.Year.MinutesUp != up || reply.Year.MinutesTotal != total {
		t.Errorf("%s: the year is %+v, its days have %d of %d", host, reply.Year, up, total)
	}
}

// compareHeat compares cells, whose rows are the newest first, with spans, the oldest first.
func compareHeat(t *testing.T, what string, cells [][]string, spans []spanJSON, columns int) {
	t.Helper()
	want := map[string]int{}
	for _, s := range spans {
		switch {
		case s.UptimePercent == nil:
			want["none not counted"]++
		case s.MinutesUp == s.MinutesTotal:
			want["full 100"]++
		default:
			decimals := 1
			if columns > 0 {
				decimals = 0
			}
			c := heatCell(validator.UptimeSpan{UpMinutes: s.MinutesUp, TotalMinutes: s.MinutesTotal}, decimals, "")
			want[string(c.Kind)+" "+c.Text]++
		}
	}
	got := map[string]int{}
	for _, c := range cells {
		got[c[0]+" "+c[1]]++
	}
	if fmt.Sprint(got) != fmt.Sprint(want) || len(spans) == 0 {
		t.Errorf("%s: the page shows %v, the API tells %v", what, got, want)
	}
}

// TestAnUptimeHasItsProvenance, and so has that of a host.
func TestAnUptimeHasItsProvenance(t *testing.T) {
	s, _ := twoHosts(t)
	page := visit(s, "/uptime?host=rig+%26+2&wallet="+string(alice)).Body.String() + visit(s, "/uptime?wallet="+string(alice)).Body.String()
	reply := answer[uptimeJSON](t, s, "/api/worker/uptime?host=rig+%26+2")
	asked := 0
	for _, m := range regexp.MustCompile(`hx-get="(/partials/provenance\?[^"]*)"`).FindAllStringSubmatch(page, -1) {
		asked++
		w := visit(s, html.UnescapeString(m[1]))
		text := html.UnescapeString(w.Body.String())
		if w.Code != http.StatusOK || !strings.Contains(text, "minutes that are up / minutes · 100") || !strings.Contains(text, "WHERE worker_address = '"+string(alice)) {
			t.Errorf("%s: %d %s", m[1], w.Code, text)
		}
		if strings.Contains(m[1], "uptime.365d%40rig") && !strings.Contains(text, fmt.Sprintf("= %s / %s", integer(reply.Year.MinutesUp), integer(reply.Year.MinutesTotal))) {
			t.Errorf("%s lacks %+v", text, reply.Year)
		}
	}
	if asked != 8 {
		t.Errorf("%d figures tell where they come from", asked)
	}
}

func TestUptimeWithoutAHeartbeatOrADatabase(t *testing.T) {
	url := dbtest.NewURL(t)
	s := newServer(t, dbtest.Open(t, db.Config{URL: url}))
	if page := visit(s, "/uptime?wallet="+string(alice)).Body.String(); !strings.Contains(page, "No heartbeat has arrived yet") || strings.Contains(page, "0.00") {
		t.Errorf("without a heartbeat: %s", page)
	}
	if reply := answer[uptimeJSON](t, s, "/api/worker/uptime"); reply.UptimePercent != nil || reply.Year.UptimePercent != nil || reply.FirstHeartbeat != nil {
		t.Errorf("without a heartbeat: %+v", reply)
	}
	away, err := db.Open(t.Context(), db.Config{URL: "postgres://nobody@127.0.0.1:9/none"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = away.Close() })
	s = newServer(t, away)
	if page := visit(s, "/uptime?wallet="+string(alice)).Body.String(); !strings.Contains(page, "Uptime unknown") || !strings.Contains(page, "Uptime is the share") {
		t.Errorf("without a database: %s", page)
	}
	if reply := answer[uptimeJSON](t, s, "/api/worker/uptime"); reply.UptimePercent != nil || reply.Year != nil || reply.Definition == "" {
		t.Errorf("without a database: %+v", reply)
	}
}
