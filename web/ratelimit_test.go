package web

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// frozen stops a server's clock, so that no allowance fills up again.
func frozen(s *Server) func(time.Duration) {
	at := time.Now().UTC()
	s.now = func() time.Time { return at }
	return func(d time.Duration) { at = at.Add(d) }
}

// forgive forgets what was asked so far, for tests that ask more than anybody may.
func forgive(t testing.TB, s *Server) {
	t.Helper()
	var err error
	if s.limits, err = newLimits(); err != nil {
		t.Fatal(err)
	}
}

// TestFiveOpenDashboardsAreNeverRefused opens five dashboards of one wallet behind one
// address and lets them poll for a quarter of an hour, faster than they do.
func TestFiveOpenDashboardsAreNeverRefused(t *testing.T) {
	s := newServer(t, dbtest.New(t), onPublicURL)
	cookie := signIn(t, s, remote(http.MethodPost, "/signin"), alice)
	pass := frozen(s)
	const dashboards, opening, pollsPerSecond = 5, 30, 2
	ask := func() {
		r := remote(http.MethodGet, "/docs")
		r.AddCookie(cookie)
		if w := send(s, r); w.Code != http.StatusOK {
			t.Fatalf("refused with %d", w.Code)
		}
	}
	for range dashboards * opening {
		ask()
	}
	for range 60 {
		pass(time.Second)
		for range dashboards * pollsPerSecond {
			ask()
		}
	}
}

func TestWhoAsksTooMuchIsAskedToWait(t *testing.T) {
	store := dbtest.New(t)
	secret := db.NewTokenSecret()
	if _, err := store.AddToken(t.Context(), db.HashSecret(secret), db.Token{Name: "x", Scope: db.ScopeRead, Wallet: alice, CreatedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		limit  allowance
		method string
		path   string
		put    func(s *Server, r *http.Request, n int) // what distinguishes the n-th request from others
	}{
		"an address": {ofAddress, http.MethodGet, "/health/live", func(*Server, *http.Request, int) {}},
		"a network of IPv6": {ofAddress, http.MethodGet, "/health/live", func(_ *Server, r *http.Request, n int) {
			r.RemoteAddr = fmt.Sprintf("[2001:db8::%x]:1", n+1)
		}},
		"a token": {ofToken, http.MethodGet, "/health/live", func(_ *Server, r *http.Request, n int) {
			r.RemoteAddr = fmt.Sprintf("203.0.113.%d:1", n%200)
			r.Header.Set("Authorization", "Bearer "+secret)
		}},
		"sign-in": {ofSignIn, http.MethodPost, "/signin/message", func(*Server, *http.Request, int) {}},
	} {
		s := newServer(t, store, onPublicURL)
		pass := frozen(s)
		ask := func(n int) int {
			r := remote(c.method, c.path)
			c.put(s, r, n)
			w := send(s, r)
			if w.Code == http.StatusTooManyRequests {
				wait, err := strconv.Atoi(w.Header().Get("Retry-After"))
				if err != nil || wait < 1 || wait > 60 {
					t.Errorf("%s: Retry-After is %q", name, w.Header().Get("Retry-After"))
				}
				pass(time.Duration(wait) * time.Second)
			}
			return w.Code
		}
		for n := range c.limit.burst {
			if got := ask(n); got == http.StatusTooManyRequests {
				t.Fatalf("%s: request %d is refused already", name, n+1)
			}
		}
		if got := ask(0); got != http.StatusTooManyRequests {
			t.Errorf("%s: one more than the burst is answered %d", name, got)
		}
		if got := ask(0); got == http.StatusTooManyRequests {
			t.Errorf("%s: refused also after the wait", name)
		}
	}
}

func TestTooManyRequestsIsAProblem(t *testing.T) {
	s := newServer(t, dbtest.New(t), onPublicURL)
	desk := browserOf(t, s, alice, firefox)
	frozen(s)
	for range ofChanges.burst {
		if w := desk.post("/settings/tokens/revoke", url.Values{"id": {"1"}}); w.Code != http.StatusSeeOther {
			t.Fatal(w.Code)
		}
	}
	w := desk.post("/settings/tokens/revoke", url.Values{"id": {"1"}}, "Accept", "application/json")
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := desk.get("/settings"); w.Code != http.StatusOK {
		t.Errorf("reading is refused too: %d", w.Code)
	}
}

func TestThisMachineIsNotBounded(t *testing.T) {
	s := newServer(t, dbtest.New(t))
	frozen(s)
	for range ofAddress.burst + 10 {
		if w := visit(s, "/health/live"); w.Code != http.StatusOK {
			t.Fatal(w.Code)
		}
	}
}

func TestTheClientsAddressIsWhatTrustedProxiesSay(t *testing.T) {
	trusted := []netip.Prefix{netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("::1/128")}
	for name, c := range map[string]struct {
		trusted         []netip.Prefix
		peer, forwarded string
		want            string
	}{
		"no proxy is trusted":           {nil, "10.1.0.9:1", "198.51.100.7", "10.1.0.9"},
		"a trusted proxy":               {trusted, "10.1.0.9:1", "198.51.100.7", "198.51.100.7"},
		"a trusted proxy, IPv6":         {trusted, "[::1]:1", "2001:db8::7", "2001:db8::7"},
		"a stranger who claims":         {trusted, "192.0.2.1:1", "198.51.100.7", "192.0.2.1"},
		"a private network, not named":  {trusted, "192.168.0.1:1", "198.51.100.7", "192.168.0.1"},
		"a client who claims another's": {trusted, "10.1.0.9:1", "127.0.0.1, 198.51.100.7", "198.51.100.7"},
		"two trusted proxies":           {trusted, "10.1.0.9:1", "198.51.100.7, 10.1.0.8", "198.51.100.7"},
		"no header":                     {trusted, "10.1.0.9:1", "", "10.1.0.9"},
	} {
		r := remote(http.MethodGet, "/")
		r.RemoteAddr = c.peer
		if c.forwarded != "" {
			r.Header.Set("X-Forwarded-For", c.forwarded)
		}
		if got := clientAddress(c.trusted)(r); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

func TestTransportSecurityIsAskedForBehindTLSOnly(t *testing.T) {
	store := dbtest.New(t)
	if w := send(newServer(t, store, onPublicURL), remote(http.MethodGet, "/docs")); w.Header().Get("Strict-Transport-Security") != "max-age=31536000" {
		t.Errorf("behind TLS: %v", w.Header())
	}
	if w := visit(newServer(t, store), "/docs"); w.Header().Get("Strict-Transport-Security") != "" {
		t.Errorf("without TLS: %v", w.Header())
	}
}
