package e2e

import (
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

const wallet = "0x0000000000000000000000000000000000000000000000000000000000000123"

// protected are requests that the server answers only who proves something, or who is local.
var protected = []struct {
	method, path, body string
	refused            int
}{
	{http.MethodGet, "/api/validator/status", "", http.StatusUnauthorized},
	{http.MethodPost, "/api/worker/heartbeat", `{"worker_id":"rig-1"}`, http.StatusUnauthorized},
	{http.MethodGet, "/metrics", "", http.StatusForbidden},
}

// tricks are what a stranger sends to seem to be on the server's machine.
var tricks = map[string]http.Header{
	"nothing":                              {},
	"an empty X-Forwarded-For":             {"X-Forwarded-For": {""}},
	"an empty X-Forwarded-For and another": {"X-Forwarded-For": {"", "203.0.113.7"}},
	"X-Forwarded-For of loopback":          {"X-Forwarded-For": {"127.0.0.1"}},
	"Connection naming X-Forwarded-For":    {"Connection": {"close, X-Forwarded-For, X-Real-Ip, Forwarded, Via"}},
	"an empty Forwarded and X-Real-Ip":     {"Forwarded": {""}, "X-Real-Ip": {""}},
	"a Host of loopback in another header": {"X-Forwarded-Host": {"localhost"}, "X-Host": {"localhost"}},
}

// expectRefused sends every protected request with every trick and every Host.
func expectRefused(t *testing.T, s server, url string) {
	t.Helper()
	for trick, header := range tricks {
		for _, host := range []string{"localhost", s.address, "validators.example"} {
			for _, p := range protected {
				h := header.Clone()
				h.Set("X-Wallet-Address", wallet)
				if code, body := answer(t, p.method, url+p.path, host, p.body, h); code != p.refused {
					t.Errorf("%s to Host %s with %s: %d %.200s", p.path, host, trick, code, body)
				}
			}
		}
	}
}

// expectLocal sends every protected request as a program on the server's machine does.
func expectLocal(t *testing.T, s server) {
	t.Helper()
	for _, p := range protected {
		if code, body := answer(t, p.method, s.url()+p.path, "", p.body, http.Header{"X-Wallet-Address": {wallet}}); code != http.StatusOK {
			t.Errorf("%s, directly: %d %.200s", p.path, code, body)
		}
	}
}

// serversUnder are the servers that proxies are put before, by who runs them.
func serversUnder(t *testing.T, environment ...string) map[string]func(*testing.T) server {
	t.Helper()
	url := dbtest.NewURL(t)
	return map[string]func(*testing.T) server{
		"a server of the test's own user": func(t *testing.T) server {
			t.Helper()
			return serve(t, "", append(environment, "DATABASE_URL="+url)...)
		},
		"a server of a user of its own": func(t *testing.T) server {
			t.Helper()
			return serve(t, "games", append(environment, "DATA_DIR="+folderOf(t, "games"))...)
		},
	}
}

// folderOf makes a folder that belongs to a user.
func folderOf(t *testing.T, name string) string {
	t.Helper()
	dir := dbtest.Dir(t)
	if os.Geteuid() != 0 {
		return dir
	}
	c := credential(t, name)
	if err := os.Chown(dir, int(c.Uid), int(c.Gid)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestNoProxyMakesStrangersLocal puts nginx, HAProxy and Caddy, in default and in careless
// configurations, before a server that trusts no proxy.
func TestNoProxyMakesStrangersLocal(t *testing.T) {
	for name, run := range serversUnder(t) {
		t.Run(name, func(t *testing.T) {
			s := run(t)
			if os.Geteuid() == 0 {
				expectLocal(t, s)
			}
			for _, setup := range proxySetups {
				t.Run(setup.name, func(t *testing.T) { expectRefused(t, s, setup.proxy(t, s)) })
			}
			if n := strings.Count(s.out.String(), "are not local"); n != 1 {
				t.Errorf("the log says %d times, not once, why the proxies' requests are not local:\n%s", n, s.out)
			}
		})
	}
}

// TestOnlyTheServersUserAndRootAreLocal asks directly, without any proxy.
func TestOnlyTheServersUserAndRootAreLocal(t *testing.T) {
	s := serve(t, "games", "DATA_DIR="+folderOf(t, "games"))
	for user, want := range map[string]string{"games": "status 200", "root": "status 200", "www-data": "status 401", "nobody": "status 401"} {
		if got := fetchAs(t, user, s.url()+"/api/validator/status"); got != want {
			t.Errorf("%s is answered %q, want %q", user, got, want)
		}
	}
	if log := s.out.String(); !strings.Contains(log, "user=www-data server_user=games next_step=") {
		t.Errorf("the log does not say whose program is not local:\n%s", log)
	}
}

// TestPublicURLAndTrustedProxiesEndLocality configures the server for its proxy, which may
// even run as root.
func TestPublicURLAndTrustedProxiesEndLocality(t *testing.T) {
	url := dbtest.NewURL(t)
	bareRoot := proxySetup{name: "nginx of root, Host localhost", kind: "nginx", lines: "proxy_pass http://SERVER; proxy_set_header Host localhost;", asRoot: true}
	forwarding := proxySetup{name: "HAProxy, option forwardfor", kind: "haproxy", lines: "option forwardfor"}
	for name, c := range map[string]struct {
		environment []string
		proxies     []proxySetup
		says        string
	}{
		"PUBLIC_URL":                     {[]string{"PUBLIC_URL=https://validators.example"}, []proxySetup{bareRoot, forwarding}, "LOCAL_ACCESS is off"},
		"TRUSTED_PROXIES":                {[]string{"TRUSTED_PROXIES=127.0.0.1"}, []proxySetup{bareRoot, forwarding}, "trusted_proxies=127.0.0.1/32"},
		"PUBLIC_URL and a careless line": {[]string{"PUBLIC_URL=https://validators.example", "LOCAL_ACCESS=true"}, []proxySetup{proxySetups[0], proxySetups[3], forwarding}, "not through a proxy"},
	} {
		t.Run(name, func(t *testing.T) {
			s := serve(t, "", append(c.environment, "DATABASE_URL="+url)...)
			for _, setup := range c.proxies {
				t.Run(setup.name, func(t *testing.T) { expectRefused(t, s, setup.proxy(t, s)) })
			}
			if n := strings.Count(s.out.String(), "msg=access "); n != 1 || !strings.Contains(s.out.String(), c.says) {
				t.Errorf("the log says %d times what is open to whom, and should say %q:\n%s", n, c.says, s.out)
			}
		})
	}
}

// TestBehindAProxyATokenIsEnough shows that what refuses strangers lets people in who prove
// something, through every proxy.
func TestBehindAProxyATokenIsEnough(t *testing.T) {
	url := dbtest.NewURL(t)
	store := dbtest.Open(t, db.Config{URL: url})
	header := map[db.TokenScope]http.Header{}
	for _, scope := range []db.TokenScope{db.ScopeRead, db.ScopeIngest} {
		secret := db.NewTokenSecret()
		if _, err := store.AddToken(t.Context(), db.HashSecret(secret), db.Token{Name: "x", Scope: scope, Wallet: wallet, CreatedAt: time.Now()}); err != nil {
			t.Fatal(err)
		}
		header[scope] = http.Header{"Authorization": {"Bearer " + secret}}
	}
	s := serve(t, "", "DATABASE_URL="+url)
	for _, setup := range []proxySetup{proxySetups[0], proxySetups[1], proxySetups[7], proxySetups[11], proxySetups[12]} {
		t.Run(setup.name, func(t *testing.T) {
			at := setup.proxy(t, s)
			if code, body := answer(t, http.MethodGet, at+"/api/validator/status", "", "", header[db.ScopeRead]); code != http.StatusOK {
				t.Errorf("a token of scope read is answered %d %s", code, body)
			}
			if code, body := answer(t, http.MethodPost, at+"/api/worker/heartbeat", "", `{"worker_id":"rig-1"}`, header[db.ScopeIngest]); code != http.StatusOK {
				t.Errorf("a token of scope ingest is answered %d %s", code, body)
			}
		})
	}
}
