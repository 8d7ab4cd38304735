package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// person is somebody's browser, elsewhere.
type person struct {
	*testing.T
	server *Server
	cookie *http.Cookie
}

func browserOf(t *testing.T, s *Server, wallet validator.Address, userAgent string) person {
	return person{t, s, signIn(t, s, remote(http.MethodPost, "/signin", "User-Agent", userAgent), wallet)}
}

func (p person) get(path string) *httptest.ResponseRecorder {
	r := remote(http.MethodGet, path)
	r.AddCookie(p.cookie)
	return send(p.server, r)
}

// post sends a form as a page of the server does, or with other headers.
func (p person) post(path string, form url.Values, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(form.Encode()))
	r.RemoteAddr, r.Host = "203.0.113.7:50000", "validators.example"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	r.AddCookie(p.cookie)
	return send(p.server, r)
}

const (
	firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
	safari  = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)

func TestAWalletSeesAndEndsItsOwnSessions(t *testing.T) {
	s := newServer(t, dbtest.New(t), onPublicURL)
	desk, phone, other := browserOf(t, s, alice, firefox), browserOf(t, s, alice, safari), browserOf(t, s, bob, "Bob's own")
	page := desk.get("/settings").Body.String()
	if !strings.Contains(page, "Firefox on Linux") || !strings.Contains(page, "Safari on iPhone") || strings.Contains(page, "Bob") || strings.Count(page, "(this one)") != 1 {
		t.Errorf("the page shows\n%s", page)
	}
	id := regexp.MustCompile(`name="id" value="(\d+)"`).FindStringSubmatch(page)[1]
	end := url.Values{"id": {id}}
	if w := other.post("/settings/sessions/end", end); w.Code != http.StatusSeeOther || phone.get("/settings").Code != http.StatusOK {
		t.Errorf("Bob ended Alice's session: %d", w.Code)
	}
	if w := desk.post("/settings/sessions/end", end, "Sec-Fetch-Site", "cross-site"); w.Code != http.StatusForbidden || phone.get("/settings").Code != http.StatusOK {
		t.Errorf("another site ended a session: %d", w.Code)
	}
	if w := desk.post("/settings/sessions/end", url.Values{"id": {"x"}}); w.Code != http.StatusBadRequest {
		t.Errorf("a session without a number: %d", w.Code)
	}
	if w := desk.post("/settings/sessions/end", end); w.Code != http.StatusSeeOther || phone.get("/settings").Code != http.StatusSeeOther || desk.get("/settings").Code != http.StatusOK {
		t.Errorf("the phone's session goes on: %d", w.Code)
	}
	tablet := browserOf(t, s, alice, safari)
	if w := desk.post("/settings/sessions/end-all", nil); w.Header().Get("Location") != "/signin" {
		t.Errorf("sign-out everywhere: %d", w.Code)
	}
	if desk.get("/settings").Code != http.StatusSeeOther || tablet.get("/settings").Code != http.StatusSeeOther || other.get("/settings").Code != http.StatusOK {
		t.Error("sign-out everywhere did not end exactly Alice's sessions")
	}
	page = browserOf(t, s, alice, firefox).get("/settings").Body.String()
	for _, event := range []string{"Signed in", "Ended a session", "Signed out everywhere", "203.0.113.7"} {
		if !strings.Contains(page, event) {
			t.Errorf("the audit log does not show %q", event)
		}
	}
}

func TestAWalletMakesAndRevokesTokens(t *testing.T) {
	databaseURL := dbtest.NewURL(t)
	s := newServer(t, dbtest.Open(t, db.Config{URL: databaseURL}), onPublicURL)
	desk, other := browserOf(t, s, alice, firefox), browserOf(t, s, bob, firefox)
	w := desk.post("/settings/tokens", url.Values{"name": {" <b>grafana</b> "}, "scope": {"read"}, "days": {"30"}})
	secret := regexp.MustCompile(`bsg_[\w-]{43}`).FindString(w.Body.String())
	if w.Code != http.StatusOK || secret == "" || w.Header().Get("Cache-Control") != "no-store" || strings.Contains(w.Body.String(), "<b>grafana") {
		t.Fatalf("%d %v\n%s", w.Code, w.Header(), w.Body)
	}
	page := desk.get("/settings").Body.String()
	if strings.Contains(page, secret) || !strings.Contains(page, "grafana") || !strings.Contains(page, "never") {
		t.Error("the token's row is wrong, or shows the secret again")
	}
	if dump := dbtest.Value(t, databaseURL, "SELECT string_agg(t::text, '') || (SELECT string_agg(a::text, '') FROM audit_log a) FROM api_tokens t"); strings.Contains(dump, secret) || strings.Contains(dump, secret[4:]) {
		t.Error("the secret is stored")
	}
	status := func(secret string) int {
		return send(s, remote(http.MethodGet, "/api/validator/status", "Authorization", "Bearer "+secret)).Code
	}
	if got := status(secret); got != http.StatusOK {
		t.Errorf("the token is answered %d", got)
	}
	if page = desk.get("/settings").Body.String(); strings.Contains(page, `<span class="muted">never</span>`) {
		t.Error("the page does not show that the token was used")
	}
	if page = other.get("/settings").Body.String(); strings.Contains(page, "grafana") {
		t.Error("Bob sees Alice's token")
	}
	id := dbtest.Value(t, databaseURL, "SELECT token_id FROM api_tokens")
	if other.post("/settings/tokens/revoke", url.Values{"id": {id}}); status(secret) != http.StatusOK {
		t.Error("Bob revoked Alice's token")
	}
	if w := desk.post("/settings/tokens/revoke", url.Values{"id": {id}}); w.Code != http.StatusSeeOther || status(secret) != http.StatusUnauthorized {
		t.Errorf("the token is not revoked: %d", w.Code)
	}
	if got := dbtest.Value(t, databaseURL, "SELECT string_agg(event, ' ' ORDER BY event_id) FROM audit_log WHERE event LIKE 'token%'"); got != "token-created token-revoked token-refused" {
		t.Errorf("the audit log has %q", got)
	}
}

func TestATokenThatCannotBeIsRefusedInWords(t *testing.T) {
	s := newServer(t, dbtest.New(t), onPublicURL)
	desk := browserOf(t, s, alice, firefox)
	for name, c := range map[string]struct {
		form  url.Values
		words string
	}{
		"no name":                 {url.Values{"name": {" \t "}, "scope": {"read"}, "days": {"30"}}, "Give the token a name"},
		"coordinator":             {url.Values{"name": {"kept"}, "scope": {"coordinator"}, "days": {"30"}}, "Choose what the token is for"},
		"no scope":                {url.Values{"name": {"kept"}, "days": {"30"}}, "Choose what the token is for"},
		"an end of one's own":     {url.Values{"name": {"kept"}, "scope": {"read"}, "days": {"-7"}}, "Choose how long"},
		"an end that is no count": {url.Values{"name": {"kept"}, "scope": {"read"}, "days": {"soon"}}, "Choose how long"},
	} {
		w := desk.post("/settings/tokens", c.form)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), c.words) || c.form.Get("name") == "kept" && !strings.Contains(w.Body.String(), `value="kept"`) {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	for i := range db.MaxTokens {
		forgive(t, s)
		if w := desk.post("/settings/tokens", url.Values{"name": {strconv.Itoa(i)}, "scope": {"ingest"}, "days": {"0"}, "wallet": {string(bob)}}); w.Code != http.StatusOK {
			t.Fatal(w.Code)
		}
	}
	if w := desk.post("/settings/tokens", url.Values{"name": {"more"}, "scope": {"read"}, "days": {"0"}}); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "50 tokens at most") {
		t.Errorf("one more than there may be: %d", w.Code)
	}
	if tokens, err := s.db.Tokens(t.Context(), bob); err != nil || len(tokens) > 0 {
		t.Errorf("tokens were made for another wallet: %v %v", tokens, err)
	}
}

func TestDevice(t *testing.T) {
	for userAgent, want := range map[string]string{
		firefox: "Firefox on Linux", safari: "Safari on iPhone", "": "A browser that does not say which", "curl/8.5.0": "curl/8.5.0",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0": "Edge on Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36":         "Chrome on macOS",
		"Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36":                  "Chrome on Android",
	} {
		if got := device(userAgent); got != want {
			t.Errorf("%q is named %q, want %q", userAgent, got, want)
		}
	}
}
