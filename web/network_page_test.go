package web

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// networkOf is a server to many workers: Alice and others, each of whom was heard for some
// days, completed jobs, and has staked as the chain's events tell.
func networkOf(t *testing.T, workers int) *Server {
	t.Helper()
	url := dbtest.NewURL(t)
	store := dbtest.Open(t, db.Config{URL: url})
	today := time.Now().UTC().Truncate(24 * time.Hour)
	for n := range workers {
		worker := fmt.Sprintf("0x%064x", 0xa11+n*0x1000)
		dbtest.Exec(t, url, `INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time, gpu_count, version)
			SELECT $1, 'rig', m, 7, 'only ' || $3::integer::text FROM generate_series($2::timestamptz - interval '3 days', $2::timestamptz, make_interval(mins => $4::integer)) m`, worker, today, n, 1+n%7)
		dbtest.Exec(t, url, `INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time, gpu_count, version) VALUES ($1, 'rig', now(), $2::integer, 'only ' || $2::integer::text)`, worker, n)
		dbtest.Exec(t, url, `INSERT INTO jobs (job_id, worker_address, status, payment_amount, execution_time_ms, created_at, completed_at)
			SELECT 'job ' || $3::integer::text || ' ' || j, $1, CASE WHEN j % 10 = 0 THEN 'failed' ELSE 'completed' END, 777000111222333, 60000, $2::timestamptz - j * interval '10 minutes' - interval '2 minutes', $2::timestamptz - j * interval '10 minutes' FROM generate_series(1, $4::integer) j`, worker, today, n, 40*(n+1))
		dbtest.Exec(t, url, `INSERT INTO stake_events (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place, worker_address, kind, amount, gpu_tier, total)
			VALUES ($1::integer, '0x' || lpad('1', 64, '0'), now(), '0x' || lpad('1', 64, '0'), '', 0, $1, $2, 'staked', 5, 2, (1000 + $1::integer)::numeric)`, n, worker)
	}
	dbtest.Exec(t, url, "SELECT fold_heartbeats()")
	return newServer(t, store, onPublicURL)
}

// askedBy asks as somebody from elsewhere, who may carry credentials.
func askedBy(s *Server, path string, put ...func(*http.Request)) string {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr, r.Host = "203.0.113.7:50000", "validators.example"
	for _, f := range put {
		f(r)
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return html.UnescapeString(w.Body.String())
}

var networkPaths = []string{
	"/network?window=7d", "/partials/network-now", "/partials/network-hours?window=30d", "/partials/network-stake", "/partials/network-workers", "/partials/network-chain",
	"/api/network/stats", "/api/network/workers", "/partials/network",
}

// TestTheNetworkTellsNothingOfOneWorker to strangers but what is on the chain, whichever
// wallet they name; and to a wallet its own place only.
func TestTheNetworkTellsNothingOfOneWorker(t *testing.T) {
	for _, workers := range []int{4, 12} {
		s := networkOf(t, workers)
		cookie := signIn(t, s, remote(http.MethodPost, "/signin"), alice)
		signedIn := func(r *http.Request) { r.AddCookie(cookie) }
		of := func(wallet validator.Address) string { return "wallet=" + string(wallet) }
		other := validator.Address(fmt.Sprintf("0x%064x", 0x1a11))
		for _, path := range networkPaths {
			sep := map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]
			for what, answer := range map[string]string{
				"a stranger":            askedBy(s, path),
				"a stranger, of Alice":  askedBy(s, path+sep+of(alice), func(r *http.Request) { r.Header.Set("X-Wallet-Address", string(alice)) }),
				"Alice, of another":     askedBy(s, path+sep+of(other), signedIn, func(r *http.Request) { r.Header.Set("X-Wallet-Address", string(other)) }),
				"another's token, none": askedBy(s, path, func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+db.NewTokenSecret()) }),
			} {
				for _, private := range []string{"Your place", `"own":{`, "777000111222333", "only 1", "'rig'", "job 1"} {
					if strings.Contains(answer, private) {
						t.Errorf("%d workers: %s sees %q at %s", workers, what, private, path)
					}
				}
				// An address stands only where its stake does.
				for n := range workers {
					if address := fmt.Sprintf("%064x", 0xa11+n*0x1000); strings.Contains(answer, address) && !strings.Contains(path, "stake") && !strings.HasPrefix(path, "/network") && path != "/api/network/workers" && !strings.Contains(what, "of ") {
						t.Errorf("%d workers: %s sees an address at %s", workers, what, path)
					}
				}
			}
		}
		reply := askedBy(s, "/api/network/workers")
		var list workersJSON
		if err := json.Unmarshal([]byte(reply), &list); err != nil {
			t.Fatal(err)
		}
		groups := slices.Concat(list.Groups.Uptime, list.Groups.Jobs)
		if grouped := len(groups) > 0; grouped != (workers >= validator.LeastGroup) {
			t.Errorf("%d workers are in groups: %+v", workers, groups)
		}
		for _, g := range groups {
			if g.Workers < validator.LeastGroup {
				t.Errorf("%d workers: a group of %d", workers, g.Workers)
			}
		}
		if page := askedBy(s, "/partials/network-workers"); strings.Contains(page, "group has at least 5 workers") == (workers >= validator.LeastGroup) && strings.Contains(page, "It is told of 5 workers at least") == (workers >= validator.LeastGroup) {
			t.Errorf("%d workers: %s", workers, page)
		}
		own, page := askedBy(s, "/api/network/workers", signedIn), askedBy(s, "/network", signedIn)
		if !strings.Contains(own, `"own":{"worker_address":"`+string(alice)) || !strings.Contains(page, "Your place") {
			t.Errorf("%d workers: Alice does not see her place: %s", workers, own)
		}
		if placed := strings.Contains(own, `"by_jobs_completed":{"rank":`+fmt.Sprint(workers)); placed != (workers >= validator.LeastGroup) {
			t.Errorf("%d workers: Alice's place is %s", workers, own)
		}
	}
}

// TestAWorkerThatWasNeverHeardHasItsJobsButNoUptime among the workers.
func TestAWorkerThatWasNeverHeardHasItsJobsButNoUptime(t *testing.T) {
	url := dbtest.NewURL(t)
	store := dbtest.Open(t, db.Config{URL: url})
	dbtest.Exec(t, url, `INSERT INTO jobs (job_id, worker_address, status, created_at, completed_at)
		SELECT 'job ' || n, CASE n WHEN 0 THEN $1 ELSE '0x' || lpad(n::text, 64, '0') END, 'completed', now() - interval '2 days', now() - interval '2 days' FROM generate_series(0, 5) n`, string(alice))
	s := newServer(t, store, onPublicURL)
	cookie := signIn(t, s, remote(http.MethodPost, "/signin"), alice)
	own := askedBy(s, "/api/network/workers", func(r *http.Request) { r.AddCookie(cookie) })
	if want := `"by_uptime":null,"by_jobs_completed":{"rank":1,"of":6},"uptime_percent":null,"jobs_completed":1}`; !strings.Contains(own, want) {
		t.Errorf("%s is missing in %s", want, own)
	}
}

// TestTheNetworksPageShowsWhatTheAPITells in every panel and window.
func TestTheNetworksPageShowsWhatTheAPITells(t *testing.T) {
	s := networkOf(t, 12)
	noon := time.Now().UTC().Truncate(24 * time.Hour).Add(12 * time.Hour) // all jobs are older than today
	s.now = func() time.Time { return noon }
	for _, w := range networkWindows {
		var stats statsJSON
		if err := json.Unmarshal([]byte(askedBy(s, "/api/network/stats?window="+w.id)), &stats); err != nil {
			t.Fatal(err)
		}
		page := askedBy(s, "/network?window="+w.id)
		a := stats.Activity
		if a == nil || a.Window != w.id || len(a.Hours) != int(s.now().UTC().Truncate(time.Hour).Sub(w.firstHour(s.now()))/time.Hour)+1 || a.Completed == 0 || a.SuccessRate == nil {
			t.Fatalf("%s: %+v", w.id, a)
		}
		var completed int64
		for _, h := range a.Hours {
			completed += h.Completed
			row := fmt.Sprintf("%s</time></th> <td>%d</td><td>%d</td><td>%d</td><td>%.2f</td>", time.Unix(h.Hour, 0).UTC().Format("2006-01-02 15:04:05Z"), h.Submitted, h.Completed, h.Failed, *h.ComputeHours)
			if !strings.Contains(strings.ReplaceAll(page, "</th><td>", "</th> <td>"), row) {
				t.Fatalf("%s: the page lacks %s", w.id, row)
			}
		}
		for _, figure := range []string{integer(a.Submitted), integer(a.Completed), integer(a.Failed), percent(*a.SuccessRate), integer(*stats.TotalJobsProcessed), integer(*stats.TotalWorkers)} {
			if !strings.Contains(page, ">"+figure+"<") {
				t.Errorf("%s: the page lacks %s", w.id, figure)
			}
		}
		if completed != a.Completed {
			t.Errorf("%s: the hours have %d, the window %d", w.id, completed, a.Completed)
		}
	}
	for _, path := range []string{"/network?window=1y", "/partials/network-hours?window=1y"} {
		if w := visit(s, path); w.Code != badRow || !strings.Contains(w.Body.String(), "must be 24h, 7d or 30d") {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	if w := visit(s, "/api/network/stats?window=1y"); w.Code != http.StatusBadRequest && w.Code != http.StatusUnprocessableEntity {
		t.Errorf("another window: %d", w.Code)
	}
	var list workersJSON
	if err := json.Unmarshal([]byte(askedBy(s, "/api/network/workers")), &list); err != nil {
		t.Fatal(err)
	}
	page := askedBy(s, "/network")
	for _, g := range list.Groups.Jobs {
		if label := jobRange(validator.WorkerGroup{From: g.From, To: g.Below}); !strings.Contains(page, label) {
			t.Errorf("the page lacks the group %s", label)
		}
	}
	if len(list.Stakes) != leadersShown || list.Stakes[0].Staked != "1011" || !strings.Contains(page, "1011") {
		t.Errorf("stakes: %+v", list.Stakes)
	}
	for _, k := range list.Stakes {
		if !strings.Contains(page, k.WorkerAddress) || !strings.Contains(page, `value="`+k.Staked+`"`) {
			t.Errorf("the page lacks %+v", k)
		}
	}
}

// TestComputeIsUnknownWhileNoJobTellsItsTime and not nothing.
func TestComputeIsUnknownWhileNoJobTellsItsTime(t *testing.T) {
	url := dbtest.NewURL(t)
	s := newServer(t, dbtest.Open(t, db.Config{URL: url}))
	dbtest.Exec(t, url, `INSERT INTO jobs (job_id, worker_address, status, payment_amount, created_at, completed_at) VALUES ('1', $1, 'completed', 5, now() - interval '2 minutes', now())`, string(alice))
	var stats statsJSON
	answer := askedBy(s, "/api/network/stats")
	if err := json.Unmarshal([]byte(answer), &stats); err != nil {
		t.Fatal(err)
	}
	if stats.TotalComputeHours != nil || stats.Unknown["total_compute_hours"] != "No completed job tells how long it ran." || stats.Activity.ComputeHours != nil || *stats.TotalJobsProcessed != 1 {
		t.Errorf("hours of compute: %s", answer)
	}
	if page := askedBy(s, "/network"); strings.Count(page, "unknown: No completed job tells how long it ran.") != 1 || !strings.Contains(page, "unknown: No job that was completed in this time tells how long it ran.") {
		t.Error("the page does not say why")
	}
	dbtest.Exec(t, url, "UPDATE jobs SET execution_time_ms = 60000")
	s.observer.ForgetAll()
	if page := askedBy(s, "/network"); strings.Count(page, `<span class="value"><0.1<`) != 2 {
		t.Error("a minute of compute is not shown as less than 0.1 hours")
	}
}
