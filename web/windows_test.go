package web

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// windowsServer is a server whose wallet has a job on each side of each window's beginning,
// each with a payment of its own, and heartbeats since the last minute before 30 d began.
func windowsServer(t *testing.T) *Server {
	t.Helper()
	url := dbtest.NewURL(t)
	store := dbtest.Open(t, db.Config{URL: url})
	s := newServer(t, store)
	now := time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -1).Add(13*time.Hour + 20*time.Minute + 20*time.Second)
	s.now = func() time.Time { return now }
	for i, w := range []validator.Window{validator.Window24h, validator.Window7d, validator.Window30d, validator.Window90d, validator.Window365d} {
		dbtest.Exec(t, url, `INSERT INTO jobs (job_id, worker_address, status, payment_amount, created_at, assigned_at, completed_at, execution_time_ms)
			SELECT 'job-' || $2::integer || '-' || n, $1, 'completed', power(10, 2 * $2::integer + n)::bigint, at, at, at, 0
			FROM (VALUES (0, $3::timestamptz), (1, $3::timestamptz - interval '1 millisecond')) AS e (n, at)`, string(alice), i, w.Start(now))
	}
	dbtest.Exec(t, url, `INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time)
		SELECT $1, 'rig-1', m FROM generate_series($2::timestamptz - interval '1 minute', $3::timestamptz, interval '1 minute') m
		WHERE m NOT BETWEEN $2::timestamptz + interval '5 hours' AND $2::timestamptz + interval '7 hours'`, string(alice), validator.Window30d.Start(now), now.Truncate(time.Minute))
	for n := range validator.LeastGroup {
		dbtest.Exec(t, url, "INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time) VALUES ($1, 'rig', $2)", fmt.Sprintf("0x%064x", n+1), now)
	}
	dbtest.Exec(t, url, "SELECT fold_heartbeats()")
	return s
}

// TestAWindowMeansOneTimeEverywhere compares what pages, charts, exports, provenance and API say
// of the same window of the same rows.
func TestAWindowMeansOneTimeEverywhere(t *testing.T) {
	s := windowsServer(t)
	earned := map[string]string{"7d": "111", "30d": "11111", "90d": "1111111", "1y": "111111111"}
	jobs := map[string]int64{"24h": 1, "7d": 3, "30d": 5}
	wallet := "?wallet=" + string(alice)
	same := func(what string, got, want any) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	for id, want := range earned {
		page := open(t, s, "/earnings"+wallet+"&last="+id)
		_, report, _ := strings.Cut(page, `id="earnings-h"`)
		same("the earnings of "+id, wholeData.FindStringSubmatch(report)[1], want)
		same("the export of "+id, exportedSum(t, open(t, s, "/earnings/export"+wallet+"&format=csv&last="+id)), want)
	}
	dashboard := open(t, s, "/"+wallet)
	for of, want := range map[string]string{"earned.24h": "1", "earned.7d": earned["7d"], "earned.30d": earned["30d"]} {
		reply := open(t, s, "/partials/provenance"+wallet+"&of="+of)
		same("the provenance of "+of, wholeData.FindStringSubmatch(reply)[1], want)
		if !strings.Contains(reply, validator.WindowsMeaning) {
			t.Errorf("the provenance of %s does not say what the window covers", of)
		}
		if !strings.Contains(dashboard, `<data class="amount" value="`+want+`"`) {
			t.Errorf("the dashboard lacks %s of %s", want, of)
		}
	}
	for period, want := range map[string]string{"day": "1", "week": earned["7d"], "month": earned["30d"]} {
		same("the history of a "+period, *answer[historyJSON](t, s, "/api/validator/history?period="+period).PeriodSummary.TotalRewards, want)
	}
	report := answer[earningsJSON](t, s, "/api/validator/earnings")
	same("the API's earnings", *report.Total, earned["30d"])
	same("its days", len(report.Periods), 30)
	same("the jobs of 24 h and 7 d", fmt.Sprint(*answer[analyticsJSON](t, s, "/api/jobs/analytics").JobsLast24h, *answer[analyticsJSON](t, s, "/api/jobs/analytics").JobsLast7d), fmt.Sprint(jobs["24h"], jobs["7d"]))
	for _, id := range []string{"7d", "30d"} {
		var stats statsJSON
		if err := json.Unmarshal([]byte(askedBy(s, "/api/network/stats?window="+id)), &stats); err != nil {
			t.Fatal(err)
		}
		same("the network's jobs of "+id, stats.Activity.Completed, jobs[id])
	}
	uptimeMeansOneTime(t, s, dashboard)
}

func exportedSum(t *testing.T, text string) *big.Int {
	t.Helper()
	sum, rows := new(big.Int), csv.NewReader(strings.NewReader(text))
	if _, err := rows.Read(); err != nil {
		t.Fatal(err)
	}
	for {
		row, err := rows.Read()
		if err == io.EOF {
			return sum
		}
		amount, is := new(big.Int).SetString(row[2], 10)
		if err != nil || !is {
			t.Fatal(err, row)
		}
		sum.Add(sum, amount)
	}
}

// uptimeMeansOneTime compares the uptime of 30 d, of which 2 hours are missing but for the
// minute that the last heartbeat before them reaches into.
func uptimeMeansOneTime(t *testing.T, s *Server, dashboard string) {
	t.Helper()
	up := answer[uptimeJSON](t, s, "/api/worker/uptime")
	month := up.Windows[2]
	if from := validator.Window30d.Start(s.now()).Unix(); month.From != from || month.MinutesTotal != int(s.now().Truncate(time.Minute).Add(time.Minute).Unix()-from)/60 || month.MinutesTotal-month.MinutesUp != 120 {
		t.Errorf("30 d are %+v, want from %d with 120 minutes missing", month, from)
	}
	var grid spanJSON
	for _, h := range up.Hours {
		grid.MinutesUp, grid.MinutesTotal = grid.MinutesUp+h.MinutesUp, grid.MinutesTotal+h.MinutesTotal
	}
	if grid.MinutesUp != month.MinutesUp || grid.MinutesTotal != month.MinutesTotal {
		t.Errorf("the hours have %d of %d minutes, 30 d %d of %d", grid.MinutesUp, grid.MinutesTotal, month.MinutesUp, month.MinutesTotal)
	}
	page := open(t, s, "/uptime?wallet="+string(alice))
	shown := percent(*month.UptimePercent)
	if own := answer[workersJSON](t, s, "/api/network/workers").Own; own == nil || own.UptimePercent == nil || *own.UptimePercent != *month.UptimePercent {
		t.Errorf("the network says %+v, the uptime %v", own, *month.UptimePercent)
	}
	for name, text := range map[string]string{"the dashboard": dashboard, "the uptime's page": page, "the network": open(t, s, "/network?wallet="+string(alice)), "the provenance": open(t, s, "/partials/provenance?wallet="+string(alice)+"&of=uptime.30d")} {
		if !strings.Contains(text, shown) {
			t.Errorf("%s lacks %s %%", name, shown)
		}
	}
}
