package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/observe"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// walkedPaths are the requests by which every route is walked that shows figures; none for a
// route without figures.
var walkedPaths = map[string][]string{
	"/": {"/"}, "/partials/status": {"/partials/status"}, "/partials/gpus": {"/partials/gpus"}, "/partials/jobs": {"/partials/jobs"}, "/partials/rewards": {"/partials/rewards"},
	"/partials/risk": {"/partials/risk"}, "/partials/sources": {"/partials/sources"}, "/partials/network": {"/partials/network"},
	"/gpus": {"/gpus"}, "/gpus/:uuid": {"/gpus/GPU-1", "/gpus/GPU-1?window=7d", "/gpus/GPU-far"},
	"/partials/gpu": {"/partials/gpu?uuid=GPU-1"}, "/partials/gpu-charts": {"/partials/gpu-charts?uuid=GPU-1"}, "/partials/gpu-health": {"/partials/gpu-health?uuid=GPU-1"}, "/partials/gpu-failures": {"/partials/gpu-failures?uuid=GPU-1"},
	"/uptime": {"/uptime", "/uptime?host=rig-1"}, "/partials/uptime": {"/partials/uptime"}, "/partials/uptime-past": {"/partials/uptime-past"},
	"/stake": {"/stake"}, slashPath: {"/stake/slash/0x7ac0/0"},
	"/partials/stake-state": {"/partials/stake-state"}, "/partials/stake-risk": {"/partials/stake-risk"}, "/partials/stake-terms": {"/partials/stake-terms"}, "/partials/stake-mining": {"/partials/stake-mining"}, "/partials/stake-reputation": {"/partials/stake-reputation"},
	"/earnings": {"/earnings", "/earnings?last=7d", "/earnings?last=all"}, "/partials/earnings": {"/partials/earnings"}, "/partials/earnings-now": {"/partials/earnings-now"},
	reconcilePath: {reconcilePath, reconcilePath + "?class=matched"}, "/partials/reconciliation": {"/partials/reconciliation"}, "/partials/reconciled": {"/partials/reconciled"},
	"/jobs": {"/jobs", "/jobs?state=failed"}, "/jobs/:id": {"/jobs/1", "/jobs/9"}, "/partials/joblist": {"/partials/joblist"}, "/partials/job": {"/partials/job?id=1"}, "/partials/job-card": {"/partials/job-card?id=9"},
	"/network": {"/network", "/network?window=30d"}, "/partials/network-now": {"/partials/network-now"}, "/partials/network-hours": {"/partials/network-hours?window=7d"},
	"/partials/network-stake": {"/partials/network-stake"}, "/partials/network-workers": {"/partials/network-workers"}, "/partials/network-chain": {"/partials/network-chain"},

	"/api/validator/status": {"/api/validator/status"}, "/api/validator/gpus": {"/api/validator/gpus"}, "/api/validator/rewards": {"/api/validator/rewards"}, "/api/validator/reputation": {"/api/validator/reputation"},
	"/api/validator/history": {"/api/validator/history", "/api/validator/history?period=day"}, "/api/validator/earnings": {"/api/validator/earnings"}, "/api/validator/reconciliation": {"/api/validator/reconciliation", "/api/validator/reconciliation?class=matched"},
	"/api/jobs/recent": {"/api/jobs/recent"}, "/api/jobs/analytics": {"/api/jobs/analytics"}, "/api/network/stats": {"/api/network/stats", "/api/network/stats?window=30d"}, "/api/network/workers": {"/api/network/workers"},
	"/api/contracts": {"/api/contracts"}, "/api/worker/uptime": {"/api/worker/uptime"}, "/api/worker/status": {"/api/worker/status"}, "/health": {"/health"}, "/health/ready": {"/health/ready"},

	// The provenance of figures is walked from the pages that link to it. These have none.
	"/partials/provenance": nil, networkProvenance: nil, "/health/live": nil, aliveRoute: nil, "/signin": nil, "/settings": nil, "/docs": nil, staticRoute: nil, "/favicon.ico": nil, "/metrics": nil,
	"/partials/preview": nil, "/partials/track": nil, "/earnings/export": nil, reconcilePath + "/export": nil, "/jobs/export": nil,
	actionPath[validator.ActionClaim]: nil, actionPath[validator.ActionStake]: nil, actionPath[validator.ActionUnstake]: nil, actionPath[validator.ActionCompleteUnstake]: nil,
	"/openapi.json": nil, "/openapi.yaml": nil, "/openapi-3.0.json": nil, "/openapi-3.0.yaml": nil,
}

// trueZeros are the zeros that say something else than that there is nothing.
var trueZeros = []trueZero{
	{`^/api\S+ \.groups\.uptime_percent\[\]\.from$`, ``, "the lower border of a group of workers"},
	{`\.unwatched_seconds$`, `"breaks":\[\]`, "the program watched without a break"},
	{` th$`, `^0 (to below|% and more)`, "the lower border of a group of workers"},
	{`\.bars-axis span$`, ``, "the lower end of an axis"},
	{`^/api\S+ \.classes\[\]\.(short|over)$`, ``, "one side has nothing less, or more, than the other"},
	{`^/api\S+ \.classes\[\]\.on_chain`, `"class":"(missing_on_chain|awaited)"`, "the class is that of what the chain does not have"},
	{`^/api\S+ \.classes\[\]\.recorded`, `"class":"missing_in_database"`, "the class is that of what the database does not have"},
	{`reconcile-classes`, `^(missing on chain|awaited) :`, "the class is that of what the chain does not have"},
	{`of=reconciled\.(missing_on_chain|awaited) `, `^On chain`, "the class is that of what the chain does not have"},
	{`of=reconciled\.missing_in_database `, `^In the database`, "the class is that of what the database does not have"},
	{`of=reputation\.rank `, `^0 is unranked`, "it explains a figure"},
	{`\.jobs_self_reported$`, `"total_jobs":[1-9]`, "the coordinator has all of the jobs that are counted"},
	{`\.self_reported_earned$`, `"total_earned":"[1-9]`, "the coordinator has all of the jobs whose payments are summed"},
	{`reconcile-classes`, `^missing in the database :`, "the class is that of what the database does not have"},
}

type trueZero struct {
	where, words string // expressions that find it, by the request and the path in its answer, and by the words around it
	because      string
}

func isTrueZero(z zero) bool {
	return slices.ContainsFunc(trueZeros, func(x trueZero) bool {
		return regexp.MustCompile(x.where).MatchString(z.where) && regexp.MustCompile(x.words).MatchString(z.near)
	})
}

// spansWithoutMinutes says whether a zero is a count of minutes where none counts, of which
// the share of uptime is null.
func spansWithoutMinutes(z zero) bool {
	var of struct {
		Percent *float64 `json:"uptime_percent"`
		Up      *int     `json:"minutes_up"`
	}
	return strings.Contains(z.where, ".minutes_") && json.Unmarshal([]byte(z.near), &of) == nil && of.Percent == nil && of.Up != nil
}

// walker asks a server for all that it shows.
type walker struct {
	*testing.T

	s       *Server
	whole   bool            // every page must be there
	seen    map[string]bool // requests, and kinds of figures whose provenance was asked for
	pages   int
	figures int // that are known
}

func (w *walker) walk(what string) {
	w.Helper()
	w.seen = map[string]bool{}
	for key := range w.s.stated {
		method, pattern, _ := strings.Cut(key, " ")
		if method != http.MethodGet {
			continue
		}
		paths, known := walkedPaths[pattern]
		if !known {
			w.Fatalf("say in walkedPaths how %s is walked", pattern)
		}
		for _, path := range paths {
			w.look(what, path)
		}
	}
}

func (w *walker) look(what, path string) {
	w.Helper()
	if w.seen[path] {
		return
	}
	w.seen[path] = true
	w.pages++
	answer := visit(w.s, path)
	if answer.Code == http.StatusInternalServerError || w.whole && answer.Code != http.StatusOK {
		w.Errorf("%s: %s: %d %.200s", what, path, answer.Code, answer.Body)
		return
	}
	if strings.HasPrefix(answer.Header().Get("Content-Type"), "application/") {
		zeros, err := answerFigures(answer.Body.Bytes())
		if err != nil {
			w.Fatalf("%s: %s: %v", what, path, err)
		}
		w.report(what, path, slices.DeleteFunc(zeros, spansWithoutMinutes))
		return
	}
	page := answer.Body.String()
	zeros, unexplained, err := pageFigures(page)
	if err != nil {
		w.Fatal(err)
	}
	w.report(what, path, zeros)
	w.figures += len(knownFigure.FindAllString(page, -1))
	for _, u := range unexplained {
		w.Errorf("%s: %s: a figure is missing without a reason: %s", what, path, u)
	}
	for _, m := range anyProvenance.FindAllStringSubmatch(page, -1) {
		u := strings.ReplaceAll(m[1], "&amp;", "&")
		at, err := url.Parse(u)
		if err != nil {
			w.Fatal(err)
		}
		if kind, _, _ := strings.Cut(at.Query().Get("of"), "@"); !w.seen[kind] {
			w.seen[kind] = true
			w.look(what, u)
		}
	}
}

var knownFigure = regexp.MustCompile(`class="(value|amount)"`)

var anyProvenance = regexp.MustCompile(`hx-get="(/partials/provenance[^"]*)"`)

func (w *walker) report(what, path string, zeros []zero) {
	w.Helper()
	for _, z := range zeros {
		if z.where = path + " " + z.where; !isTrueZero(z) {
			w.Errorf("%s: no source said %v", what, z)
		}
	}
}

// TestNoZeroThatNoSourceSaid walks every figure of every page and every field of the API while
// each source was never read, is stale, or is live. No source ever says zero there, so each
// zero is one that the program made.
func TestNoZeroThatNoSourceSaid(t *testing.T) {
	t.Parallel()
	awaitFullHour(5 * time.Minute)
	begun := time.Now()
	readings := []sourceReading{neverRead, staleRead, liveRead}
	pages := 0
	walk := func(s *Server, h *heldSources, database sourceReading, chains ...sourceReading) {
		for _, h.gpus = range readings {
			for _, h.chain = range chains {
				what := fmt.Sprintf("GPUs %s, database %s, chain %s, events read: %t", h.gpus, database, h.chain, h.indexed)
				t.Run(what, func(t *testing.T) {
					w := walker{T: t, s: s, whole: h.indexed && h.gpus == liveRead && database == liveRead && h.chain == liveRead}
					w.walk(what)
					if pages += w.pages; w.whole && w.figures < 2000 {
						t.Errorf("%d figures were walked", w.figures)
					}
				})
			}
		}
	}
	for _, indexed := range []bool{true, false} {
		h := &heldSources{indexed: indexed}
		database := wholeDatabase(t, indexed)
		store := dbtest.Open(t, db.Config{URL: database, PingInterval: 50 * time.Millisecond})
		if err := store.UpsertWorkerGPUs(t.Context(), alice, "rig-2", time.Now(), []validator.GPU{farGPU()}); err != nil {
			t.Fatal(err)
		}
		s := wholeServer(t, store, h)
		chains := readings
		if !indexed {
			chains = readings[:1]
		}
		walk(s, h, liveRead, chains...)
		closeDatabase(t, database)
		s.observer.SetMaxWait(observe.DefaultMaxWait)
		eventually(t, "the database is away", func() bool { return store.State().Health != validator.HealthOK })
		walk(s, h, staleRead, chains...)
	}
	away := dbtest.Run(t, db.Config{URL: "postgres://nobody@127.0.0.1:9/none"})
	h := &heldSources{}
	walk(wholeServer(t, away, h), h, neverRead, readings...)
	t.Logf("%d pages and answers in %s", pages, time.Since(begun).Round(time.Millisecond))
}

// awaitFullHour waits for the next hour where the current one ends within a time, and for its
// first minute to be over: in an hour that has just begun nothing happened, which is a true zero.
func awaitFullHour(within time.Duration) {
	hour := time.Now().Truncate(time.Hour)
	if time.Until(hour.Add(time.Hour)) < within {
		hour = hour.Add(time.Hour)
	}
	time.Sleep(time.Until(hour.Add(time.Minute)))
}

// farGPU is a card of another host.
func farGPU() validator.GPU {
	g := heldGPU(3)
	g.UUID = "GPU-far"
	return g
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain until " + what)
		}
	}
}
