package web

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// remote makes a request as a browser elsewhere does, behind a proxy that speaks TLS.
func remote(method, path string, header ...string) *http.Request {
	r := httptest.NewRequest(method, path, nil)
	r.RemoteAddr, r.Host = "203.0.113.7:50000", "validators.example"
	r.Header.Set("Accept", "text/html")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return r
}

func send(s *Server, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}

// onPublicURL is a server that others reach.
func onPublicURL(c *Config) { c.LocalAccess, c.PublicURL = false, "https://validators.example" }

// signIn starts a session as a sign-in does, and returns its cookie.
func signIn(t *testing.T, s *Server, r *http.Request, wallet validator.Address) *http.Cookie {
	t.Helper()
	w := httptest.NewRecorder()
	c := s.echo.NewContext(r, w)
	var failed error
	if err := s.identify(func(c echo.Context) error {
		failed = s.startSession(c, wallet, "Braavos")
		return nil
	})(c); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	cookies := w.Result().Cookies()
	if len(cookies) != 1 {
		t.Fatalf("%d cookies", len(cookies))
	}
	return cookies[0]
}

func TestASessionsCookie(t *testing.T) {
	store := dbtest.New(t)
	for name, c := range map[string]struct {
		change       func(*Config)
		peer, host   string
		cookie       string
		secure, read bool
	}{
		"elsewhere":                     {change: onPublicURL, peer: "203.0.113.7:1", host: "validators.example", cookie: "__Host-session", secure: true},
		"on this machine":               {change: func(*Config) {}, peer: "127.0.0.1:1", host: "127.0.0.1:3030", cookie: "session"},
		"this machine, https elsewhere": {change: onPublicURL, peer: "127.0.0.1:1", host: "127.0.0.1:3030", cookie: "__Host-session", secure: true},
		"another host without TLS":      {change: func(*Config) {}, peer: "192.168.0.9:1", host: "192.168.0.2:3030", cookie: "__Host-session", secure: true},
		"rebound name":                  {change: func(*Config) {}, peer: "127.0.0.1:1", host: "evil.example", cookie: "__Host-session", secure: true},
		"loopback through a port map":   {change: func(c *Config) { c.PublicURL = "http://localhost:3030" }, peer: "172.17.0.1:1", host: "localhost:3030", cookie: "session"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, store, c.change)
			r := httptest.NewRequest(http.MethodPost, "/signin", nil)
			r.RemoteAddr, r.Host = c.peer, c.host
			cookie := signIn(t, s, r, alice)
			if cookie.Name != c.cookie || cookie.Secure != c.secure || !cookie.HttpOnly || cookie.SameSite != http.SameSiteLaxMode || cookie.Path != "/" || cookie.Domain != "" {
				t.Errorf("%v", cookie)
			}
			if left := time.Until(cookie.Expires); left < db.SessionLifetime-time.Minute || left > db.SessionLifetime+time.Minute {
				t.Errorf("lasts %v", left)
			}
		})
	}
}

func TestASessionWorksOnEveryReplicaAndEndsOnAll(t *testing.T) {
	url := dbtest.NewURL(t)
	one := newServer(t, dbtest.Open(t, db.Config{URL: url}), onPublicURL)
	two := newServer(t, dbtest.Open(t, db.Config{URL: url}), onPublicURL) // as after a restart, too
	cookie := signIn(t, one, remote(http.MethodPost, "/signin"), alice)
	ask := func(s *Server) int {
		r := remote(http.MethodGet, "/jobs")
		r.AddCookie(cookie)
		return send(s, r).Code
	}
	if a, b := ask(one), ask(two); a != http.StatusOK || b != http.StatusOK {
		t.Fatalf("the replicas answer %d and %d", a, b)
	}
	if stored := dbtest.Value(t, url, "SELECT count(*) FROM sessions WHERE encode(token_hash, 'escape') LIKE '%' || $1 || '%' OR encode(token_hash, 'base64') LIKE '%' || $1 || '%'", cookie.Value); stored != "0" {
		t.Error("the token itself is stored")
	}
	out := remote(http.MethodPost, "/signout", "Origin", "https://validators.example", "Sec-Fetch-Site", "same-origin")
	out.AddCookie(cookie)
	w := send(two, out)
	if w.Code != http.StatusSeeOther || !strings.Contains(w.Header().Get("Set-Cookie"), "__Host-session=;") {
		t.Errorf("sign-out answers %d with %q", w.Code, w.Header().Get("Set-Cookie"))
	}
	if a, b := ask(one), ask(two); a == http.StatusOK || b == http.StatusOK {
		t.Errorf("after the sign-out the replicas answer %d and %d", a, b)
	}
	if got := dbtest.Value(t, url, "SELECT string_agg(event || ' ' || client_address, ', ' ORDER BY event_id) FROM audit_log"); got != "sign-in 203.0.113.7, sign-out 203.0.113.7" {
		t.Errorf("the audit log has %q", got)
	}
}

func TestSigningInAgainEndsTheOldSession(t *testing.T) {
	s := newServer(t, dbtest.New(t), onPublicURL)
	first := signIn(t, s, remote(http.MethodPost, "/signin"), alice)
	again := remote(http.MethodPost, "/signin")
	again.AddCookie(first)
	second := signIn(t, s, again, bob)
	if first.Value == second.Value {
		t.Error("the secret was not renewed")
	}
	for cookie, want := range map[*http.Cookie]bool{first: false, second: true} {
		r := remote(http.MethodGet, "/jobs")
		r.AddCookie(cookie)
		if got := send(s, r).Code == http.StatusOK; got != want {
			t.Errorf("answered %v, want %v", got, want)
		}
	}
}

func TestSessionsEnd(t *testing.T) {
	url := dbtest.NewURL(t)
	s := newServer(t, dbtest.Open(t, db.Config{URL: url}), onPublicURL)
	begun := time.Now().UTC()
	at := begun
	s.now = func() time.Time { return at }
	ask := func(cookie *http.Cookie) bool {
		r := remote(http.MethodGet, "/jobs")
		r.AddCookie(cookie)
		return send(s, r).Code == http.StatusOK
	}
	idle := signIn(t, s, remote(http.MethodPost, "/signin"), alice)
	used := signIn(t, s, remote(http.MethodPost, "/signin"), alice)
	seen := func() string {
		return dbtest.Value(t, url, "SELECT count(DISTINCT xmin::text) || ' ' || max(seen_at) FROM sessions WHERE session_id = 2")
	}
	before := seen()
	at = begun.Add(db.SecretUseStep - time.Second)
	if !ask(used) || seen() != before {
		t.Error("a poll within the minute wrote the time of use")
	}
	for at = begun.Add(10 * time.Minute); at.Before(begun.Add(db.SessionLifetime)); at = at.Add(db.SessionIdle - time.Minute) {
		if !ask(used) {
			t.Fatalf("a session in use ended after %v", at.Sub(begun))
		}
	}
	if seen() == before {
		t.Error("the time of use was never written")
	}
	if ask(idle) {
		t.Error("an idle session goes on")
	}
	at = begun.Add(db.SessionLifetime + time.Minute)
	if ask(used) {
		t.Error("a session outlives its lifetime")
	}
}

func TestShortText(t *testing.T) {
	for in, want := range map[string]string{
		"\tBraavos\n": "Braavos", "a\x00b\nc\x7f": "abc", "\xff\xfeé": "é", "ééééé": "éééé", "abcdefghij": "abcdefgh", "": "",
	} {
		if got := shortText(in, 8); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}
