package web

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func never() bool { return false }

// TestAWalletThatTookMuchTimeRunsOneByOne: requests that come one at a time never wait for time,
// and what ran while it was not their doing is not counted.
func TestAWalletThatTookMuchTimeRunsOneByOne(t *testing.T) {
	p := newPace()
	spend := func(d time.Duration) {
		t.Helper()
		used, err := p.turn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		used(d)
	}
	var side []func(time.Duration)
	for range 8 {
		used, err := p.turn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		side = append(side, used)
	}
	for _, used := range side {
		used(350 * time.Millisecond)
	}
	if left := p.left.Tokens(); left > -500 || p.rested() {
		t.Errorf("%v ms are left after 2.8 s", left)
	}
	began := time.Now()
	first, err := p.turn(t.Context())
	if waited := time.Since(began); err != nil || waited < 500*time.Millisecond {
		t.Errorf("the next request waited for %v: %v", waited, err)
	}
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.turn(short); err == nil && p.left.Tokens() < 0 {
		t.Error("two requests run at once while no time is left")
	}
	first(0)
	spend(time.Hour)
	if left := p.left.Tokens(); left < -2*paceBurst {
		t.Errorf("one long request keeps a wallet out for %v ms", -left)
	}
	away := newRunning(never)
	for range 20 {
		if d := away.ran(time.Minute); d != 0 {
			t.Errorf("%v is counted that the database took", d)
		}
	}
}

// TestAWalletsRequestsWaitForEachOtherOnly.
func TestAWalletsRequestsWaitForEachOtherOnly(t *testing.T) {
	r := newRunning(never)
	leave, refused := r.enter(t.Context(), alice, runningWalletBytes)
	if refused != nil {
		t.Fatal(refused)
	}
	entered := make(chan func())
	go func() {
		second, refused := r.enter(t.Context(), alice, pageBytes)
		if refused != nil {
			t.Error(refused)
		}
		entered <- second
	}()
	eventually(t, "the second request to wait", func() bool {
		r.mu.Lock()
		defer r.mu.Unlock()
		return r.wallets[alice].requests == 2
	})
	others, refused := r.enter(t.Context(), bob, runningWalletBytes)
	if refused != nil {
		t.Fatal("another wallet waits for this one:", refused)
	}
	select {
	case <-entered:
		t.Fatal("more bytes are used than one wallet may")
	default:
	}
	leave()
	(<-entered)()
	others()
	full, refused := r.enter(t.Context(), alice, runningWalletBytes)
	if refused != nil {
		t.Fatal(refused)
	}
	hungUp, hangUp := context.WithCancel(t.Context())
	hangUp()
	if _, refused = r.enter(hungUp, alice, 1); refused == nil || refused.Status != http.StatusTooManyRequests || refused.retryAfter == 0 {
		t.Error("a request that got no turn:", refused)
	}
	full()
	if len(r.wallets) != 0 {
		t.Errorf("%d wallets are remembered that have no request", len(r.wallets))
	}
}

func TestARequestIsWeighedByWhatItAsksFor(t *testing.T) {
	s := newServer(t, dbtest.Open(t, db.Config{URL: dbtest.NewURL(t)}))
	for name, c := range map[string]struct {
		method, path, body string
		want               int64
	}{
		"a page":              {http.MethodGet, "/jobs", "", pageBytes},
		"a long list":         {http.MethodGet, "/api/jobs/recent?limit=500", "", 500 * rowBytes},
		"a heartbeat":         {http.MethodPost, "/api/worker/heartbeat", "{}", pageBytes / 2},
		"a long list of jobs": {http.MethodPost, "/api/jobs", strings.Repeat(" ", 2<<20), 16 << 20},
		"nonsense":            {http.MethodGet, "/jobs?limit=2000000000", "", runningWalletBytes},
	} {
		if got := neededBytes(s.echo.NewContext(httptest.NewRequest(c.method, c.path, strings.NewReader(c.body)), httptest.NewRecorder())); got != c.want {
			t.Errorf("%s: %d", name, got)
		}
	}
}

// TestExportsAreBoundedAndEndWithTheirReaders: a third one is refused, another wallet is
// not, and a reader who stops reading is cut off.
func TestExportsAreBoundedAndEndWithTheirReaders(t *testing.T) {
	database := dbtest.NewURL(t)
	s := newServer(t, dbtest.Open(t, db.Config{URL: database}))
	dbtest.Exec(t, database, `INSERT INTO jobs (job_id, worker_address, status, error_message)
		SELECT n::text, $1, 'failed', (SELECT string_agg(md5(n::text || m), '') FROM generate_series(1, 200) m) FROM generate_series(1, 4000) n`, alice)
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.RemoteAddr = "127.0.0.1:50000"
		s.Handler().ServeHTTP(w, r)
	}))
	t.Cleanup(site.Close)
	ask := func(wallet string) *http.Response {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, site.URL+"/jobs/export?format=csv&wallet="+url.QueryEscape(wallet), nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		return answer
	}
	running := func() int {
		s.exports.mu.Lock()
		defer s.exports.mu.Unlock()
		return s.exports.all
	}
	first, second := ask(string(alice)), ask(string(alice)) // 25 MB each, which nobody reads
	third := ask(string(alice))
	if third.StatusCode != http.StatusTooManyRequests || third.Header.Get("Retry-After") != "30" {
		t.Errorf("a third export: %s %v", third.Status, third.Header)
	}
	others := ask(string(bob))
	if others.StatusCode != http.StatusOK {
		t.Errorf("another wallet's: %s", others.Status)
	}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(third.Body.Close())
	check(others.Body.Close())
	check(first.Body.Close())
	eventually(t, "the export to end with its reader", func() bool { return running() == 1 })
	check(second.Body.Close())
	eventually(t, "the other, too", func() bool { return running() == 0 })

	s.exports.stall = 100 * time.Millisecond
	stopped := ask(string(alice))
	eventually(t, "the reader who stops reading to be cut off", func() bool { return running() == 0 })
	check(stopped.Body.Close())

	var refusals []string
	for n := range mostExports + 1 {
		if _, refused := s.exports.begin(validator.Address(fmt.Sprintf("0x%064x", n/mostWalletExports+1))); refused != nil {
			refusals = append(refusals, refused.Detail)
		}
	}
	if len(refusals) != 1 || !strings.Contains(refusals[0], "8 exports are running") {
		t.Errorf("one more than the server makes: %v", refusals)
	}
}
