package web

import (
	"html"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// askedSignedIn is a server that has everything, and how Alice asks it.
func askedSignedIn(t *testing.T) (*Server, func(path string, header ...string) *httptest.ResponseRecorder) {
	t.Helper()
	database := wholeDatabase(t, true)
	s := wholeServer(t, dbtest.Open(t, db.Config{URL: database}), &heldSources{gpus: liveRead, chain: liveRead, indexed: true})
	local := httptest.NewRequest(http.MethodPost, "/signin", nil)
	local.RemoteAddr, local.Host = "127.0.0.1:1", "127.0.0.1:3030"
	cookie := signIn(t, s, local, alice)
	return s, func(path string, header ...string) *httptest.ResponseRecorder {
		return visit(s, path, append(header, "Cookie", cookie.String())...)
	}
}

// unwalkedPaths are requests to routes that show no figures.
var unwalkedPaths = map[string][]string{
	"/partials/provenance": {"/partials/provenance?of=earned"}, networkProvenance: {networkProvenance + "?of=network.jobs"}, "/signin": {"/signin"}, aliveRoute: {aliveRoute}, "/settings": {"/settings"}, "/docs": {"/docs"},
	"/partials/preview": {"/partials/preview?kind=claim"}, "/partials/track": {"/partials/track?kind=claim&tx=0x1"},
	"/earnings/export": {"/earnings/export?format=csv"}, reconcilePath + "/export": {reconcilePath + "/export?format=csv"}, "/jobs/export": {"/jobs/export?format=csv"},
	actionPath[validator.ActionClaim]: {actionPath[validator.ActionClaim]}, actionPath[validator.ActionStake]: {actionPath[validator.ActionStake]},
	actionPath[validator.ActionUnstake]: {actionPath[validator.ActionUnstake]}, actionPath[validator.ActionCompleteUnstake]: {actionPath[validator.ActionCompleteUnstake]},
}

// TestAParameterThatIsNotKnownIsRefused by every page, part of a page, export and operation of
// the API, in words that name it and the known ones.
func TestAParameterThatIsNotKnownIsRefused(t *testing.T) {
	t.Parallel()
	s, ask := askedSignedIn(t)
	free := []string{staticRoute, "/favicon.ico", "/metrics", demoComponents, "/health", "/health/ready", "/health/live"}
	for key := range s.stated {
		method, pattern, _ := strings.Cut(key, " ")
		if method != http.MethodGet || slices.Contains(free, pattern) || strings.HasPrefix(pattern, "/openapi") {
			continue
		}
		paths := slices.Concat(walkedPaths[pattern], unwalkedPaths[pattern])
		if len(paths) == 0 {
			t.Errorf("say in unwalkedPaths how %s is asked", pattern)
		}
		for _, path := range paths {
			sep := map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]
			w := ask(path + sep + "colour=red")
			if body := html.UnescapeString(w.Body.String()); w.Code != http.StatusBadRequest || !strings.Contains(body, "query.colour is not known here: there") {
				t.Errorf("%s with a colour: %d %.300s", path, w.Code, body)
			}
		}
	}
	for path, words := range map[string]string{
		"/jobs?status=failed":                          "query.status is not known here: there are after, before, client, from, gpu, order, q, state, to, type, wallet",
		"/jobs?state=broken":                           "query.state must be one of pending, ",
		"/jobs?state=failed&state=completed":           "query.state stands twice: name it once",
		"/docs?theme=dark":                             "query.theme is not known here: there are no parameters",
		"/signin?to=/jobs":                             "query.to is not known here: there is next",
		"/network?wallet=me":                           "query.wallet is ",
		"/?choose=2":                                   "query.choose must be 1",
		networkProvenance + "?of=network.hours@1y":     "query.of must be 24h, 7d or 30d",
		"/api/jobs/recent?state=failed":                "query.state is not known here: there are limit, order, status",
		"/api/jobs/recent?status=broken":               "query.status expected value to be one of",
		"/api/jobs/recent?limit=1&limit=2":             "query.limit stands twice",
		"/api/network/workers?window=7d":               "query.window is not known here: there are no parameters",
		"/jobs?" + url.QueryEscape("<b>") + "=1":       "query.<b> is not known here",
		"/jobs?" + strings.Repeat("x", 3000) + "=1":    "query." + strings.Repeat("x", longestParamName) + "… is not known here",
		"/health/live?cache=no":                        `"status":"ok"`,
		"/stake/more?amount=5&tier=Enterprise&memo=hi": "query.memo is not known here: there are amount, tier, tx, wallet",
	} {
		if body := html.UnescapeString(ask(path).Body.String()); !strings.Contains(strings.ReplaceAll(body, `\u003c`, "<"), words) && !strings.Contains(strings.ReplaceAll(body, `\u003cb\u003e`, "<b>"), words) {
			t.Errorf("%.80s lacks %q: %.400s", path, words, body)
		}
	}
}

var (
	ownLink  = regexp.MustCompile(`(?:href|hx-get)="(/[^"#]*)`)
	ownForm  = regexp.MustCompile(`(?s)<form[^>]*method="get"[^>]*action="(/[^"]*)"[^>]*>(.*?)</form>`)
	formName = regexp.MustCompile(`<(?:input|select)[^>]*?\sname="([^"]*)"(?:[^>]*?\svalue="([^"]*)")?`)
)

// TestNoLinkOrFormOfOursNamesAnUnknownParameter follows those of every page.
func TestNoLinkOrFormOfOursNamesAnUnknownParameter(t *testing.T) {
	t.Parallel()
	_, ask := askedSignedIn(t)
	seen, asked := map[string]bool{}, 0
	follow := func(from, to string) {
		u, err := url.Parse(html.UnescapeString(to))
		if err != nil {
			t.Fatal(err)
		}
		names := []string{u.Path}
		for name := range u.Query() {
			names = append(names, name)
		}
		slices.Sort(names[1:])
		if key := strings.Join(names, " "); seen[key] {
			return
		} else {
			seen[key] = true
		}
		asked++
		if w := ask(u.String()); w.Code == http.StatusBadRequest {
			t.Errorf("%s leads to %s, which says %.300s", from, u, w.Body)
		}
	}
	for _, paths := range []map[string][]string{walkedPaths, unwalkedPaths} {
		for pattern := range paths {
			for _, path := range paths[pattern] {
				page := ask(path).Body.String()
				if strings.HasPrefix(page, "{") {
					continue
				}
				for _, m := range ownLink.FindAllStringSubmatch(page, -1) {
					follow(path, m[1])
				}
				for _, m := range ownForm.FindAllStringSubmatch(page, -1) {
					q := url.Values{}
					for _, f := range formName.FindAllStringSubmatch(m[2], -1) {
						q.Add(html.UnescapeString(f[1]), html.UnescapeString(f[2]))
					}
					follow(path+" by its form", m[1]+"?"+q.Encode())
				}
			}
		}
	}
	if asked < 100 {
		t.Errorf("%d links were followed", asked)
	}
}
