package web

import (
	"bytes"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// fromLoopback makes a request as a program on this machine does.
func fromLoopback(method, path string) *http.Request {
	r := httptest.NewRequest(method, path, nil)
	r.RemoteAddr, r.Host = "127.0.0.1:50000", "127.0.0.1:3030"
	return r
}

func TestLocalAccessRule(t *testing.T) {
	s := newServer(t, dbtest.New(t))
	for name, c := range map[string]struct {
		peer, host string
		want       bool
	}{
		"loopback":                  {"127.0.0.1:5000", "localhost:3030", true},
		"loopback by number":        {"127.0.0.1:5000", "127.0.0.1:3030", true},
		"another loopback":          {"127.8.8.8:5000", "127.0.0.1", true},
		"ipv6":                      {"[::1]:5000", "[::1]:3030", true},
		"ipv6 without port":         {"[::1]:5000", "[::1]", true},
		"mapped ipv4":               {"[::ffff:127.0.0.1]:5000", "localhost", true},
		"mapped ipv4 host":          {"127.0.0.1:5000", "[::ffff:127.0.0.1]:3030", true},
		"rebound name":              {"127.0.0.1:5000", "evil.example:3030", false},
		"localhost as a prefix":     {"127.0.0.1:5000", "localhost.evil.example", false},
		"loopback as a prefix":      {"127.0.0.1:5000", "127.0.0.1.evil.example", false},
		"empty host":                {"127.0.0.1:5000", "", false},
		"another machine":           {"192.168.1.9:5000", "localhost:3030", false},
		"another machine, mapped":   {"[::ffff:192.168.1.9]:5000", "localhost:3030", false},
		"peer that is no address":   {"@", "localhost", false},
		"all interfaces is no host": {"127.0.0.1:5000", "0.0.0.0:3030", false},
	} {
		r := fromLoopback(http.MethodGet, "/")
		r.RemoteAddr, r.Host = c.peer, c.host
		if got := s.isLocal(r); got != c.want {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
	}
}

// TestAnyForwardingHeaderEndsLocality has every header that proxies, load balancers and
// tunnels document, with a value, without one, and on a second line.
func TestAnyForwardingHeaderEndsLocality(t *testing.T) {
	s := newServer(t, dbtest.New(t))
	for _, name := range strings.Fields(`Forwarded Forwarded-For X-Forwarded X-Forwarded-For X-Forwarded-Host X-Forwarded-Proto X-Forwarded-Port X-Forwarded-Server X-Forwarded-Prefix X-Forwarded-By
		X-Forwarded-User X-Forwarded-Ssl X-Forwarded-Scheme X-Forwarded-Path X-Forwarded-Uri X-Forwarded-Method X-Forwarded-Client-Cert X-Forwarded-Tls-Client-Cert X-Forwarded-Access-Token X-Forward-For X_Forwarded_For
		X-Real-IP X-Real-Ip X-Real-Port Via Client-IP X-Client-IP X-Cluster-Client-IP True-Client-IP X-Original-Host X-Original-URI X-Original-URL X-Original-Forwarded-For X-Original-Method X-Originating-IP
		X-Envoy-External-Address X-Envoy-Internal X-Envoy-Expected-Rq-Timeout-Ms X-Envoy-Original-Path CF-Connecting-IP CF-Connecting-IPv6 CF-RAY CF-Visitor CF-IPCountry CF-Worker Cf-Access-Jwt-Assertion CDN-Loop
		Fastly-Client-IP Fastly-FF Fastly-SSL Fly-Client-IP Fly-Forwarded-Port Fly-Region X-Azure-ClientIP X-Azure-SocketIP X-Azure-Ref X-Azure-FDID X-FD-HealthProbe X-ARR-SSL X-ARR-LOG-ID X-Site-Deployment-Id
		DISGUISED-HOST WAS-DEFAULT-HOSTNAME Max-Forwards X-WAWS-Unencoded-URL X-Amzn-Trace-Id X-Amz-Cf-Id CloudFront-Viewer-Address X-Cloud-Trace-Context X-Appengine-User-IP X-Appengine-Country X-Goog-Authenticated-User-Email
		X-Goog-IAP-JWT-Assertion Ngrok-Auth-User-Id Tailscale-User-Login Tailscale-User-Name Tailscale-App-Capabilities X-Tailscale-User X-ProxyUser-Ip X-Proxy-Id Proxy-Connection X-Scheme X-Url-Scheme Front-End-Https
		X-Request-Start X-Queue-Start X-Varnish Surrogate-Capability X-Traefik-Router X-Kong-Request-Id X-Consumer-Id X-Akamai-Edgescape Akamai-Origin-Hop Incap-Client-IP X-Sucuri-ClientIP X-Vercel-Forwarded-For X-Vercel-Id
		X-Nf-Client-Connection-Ip Do-Connecting-IP X-Heroku-Dynos-In-Use l5d-dst-override X-Remote-Addr X-Remote-User Remote-User Remote-Groups X-Auth-Request-User X-Authentik-Username X-Webauth-User
		X-SSL-Client-Verify ssl-client-cert X-Client-Cert X-Accel-Internal Early-Data X-Rewrite-Url X-Host X-Railway-Edge X-Inlets-Id X-Zscaler-Client`) {
		for what, values := range map[string][]string{"with a value": {"127.0.0.1"}, "empty": {""}, "empty, then one": {"", "203.0.113.7"}} {
			r := fromLoopback(http.MethodGet, "/api/validator/status")
			r.Header[http.CanonicalHeaderKey(name)] = values
			r.Header.Set("X-Wallet-Address", string(alice))
			if w := send(s, r); s.isLocal(r) || w.Code != http.StatusUnauthorized {
				t.Errorf("%s, %s, is answered %d", name, what, w.Code)
			}
		}
	}
	browser := fromLoopback(http.MethodGet, "/")
	for _, name := range strings.Fields(`Accept Accept-Encoding Accept-Language Authorization Cache-Control Connection Content-Type Cookie Dnt If-None-Match Origin Pragma Priority Referer Sec-Ch-Ua Sec-Ch-Ua-Mobile
		Sec-Ch-Ua-Platform Sec-Fetch-Dest Sec-Fetch-Mode Sec-Fetch-Site Sec-Fetch-User Sec-Gpc Te Traceparent Upgrade-Insecure-Requests User-Agent X-Requested-With X-Request-Id X-Wallet-Address Hx-Request Hx-Current-Url
		Hx-Target X-Prometheus-Scrape-Timeout-Seconds`) {
		browser.Header.Set(name, "x")
	}
	if !s.isLocal(browser) {
		t.Error("what browsers and scripts send themselves ends locality")
	}
}

func TestATrustedProxyIsNeverLocal(t *testing.T) {
	for peer, trusted := range map[string]string{"127.0.0.1:1": "127.0.0.0/8", "[::ffff:127.0.0.1]:1": "127.0.0.1/32", "[::1]:1": "::1/128"} {
		s := newServer(t, dbtest.New(t), func(c *Config) { c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix(trusted)} })
		r := fromLoopback(http.MethodGet, "/metrics")
		r.RemoteAddr = peer
		if w := send(s, r); w.Code != http.StatusForbidden {
			t.Errorf("%s, which is trusted as %s, is answered %d", peer, trusted, w.Code)
		}
	}
}

// strangePeers is a machine on which it is not known whose program asks.
type strangePeers struct{ err error }

func (p strangePeers) Owner(_, _ netip.AddrPort) (int, error) { return 0, p.err }

func TestOnlyTheServersUserAndRootAreLocal(t *testing.T) {
	store := dbtest.New(t)
	const other = 4242
	for name, c := range map[string]struct {
		peers     PeerOwners
		publicURL string
		want      bool
		logged    string
	}{
		"the server's user":              {peersOf(os.Geteuid()), "", true, ""},
		"root":                           {peersOf(0), "", true, ""},
		"another user":                   {peersOf(other), "", false, "user=4242"},
		"nobody":                         {peersOf(overflowUID), "", false, "next_step="},
		"no table":                       {strangePeers{errNoSocketTable}, "", false, "next_step="},
		"not in the table":               {strangePeers{errPeerNotListed}, "", false, "next_step="},
		"gone":                           {strangePeers{errPeerClosed}, "", false, ""},
		"another user, public elsewhere": {peersOf(other), "https://validators.example", false, "user=4242"},
		"another user, public here":      {peersOf(other), "http://localhost:3030", true, ""},
		"no table, public here":          {strangePeers{errNoSocketTable}, "http://127.0.0.1:3030", true, ""},
	} {
		var log bytes.Buffer
		s := newServer(t, store, func(conf *Config) {
			conf.Peers, conf.PublicURL, conf.Log = c.peers, c.publicURL, slog.New(slog.NewTextHandler(&log, nil))
		})
		for range 3 {
			for method, paths := range map[string][]string{http.MethodGet: {"/api/validator/status", "/metrics"}, http.MethodPost: {"/api/worker/heartbeat"}} {
				for _, path := range paths {
					r := fromLoopback(method, path)
					r.Header.Set("X-Wallet-Address", string(alice))
					w := send(s, r)
					if refused := w.Code == http.StatusUnauthorized || w.Code == http.StatusForbidden; refused == c.want {
						t.Errorf("%s: %s is answered %d", name, path, w.Code)
					}
				}
			}
		}
		if lines := strings.Count(log.String(), "are not local"); !strings.Contains(log.String(), c.logged) || lines > 1 || lines == 0 != (c.logged == "") {
			t.Errorf("%s: the log has %d lines:\n%s", name, lines, log.String())
		}
	}
}

func TestTheServersOwnMachineIsLimitedGenerously(t *testing.T) {
	s := newServer(t, dbtest.New(t))
	frozen(s)
	for n := range ofMachine.burst {
		if w := send(s, fromLoopback(http.MethodGet, "/health/live")); w.Code != http.StatusOK {
			t.Fatalf("request %d is answered %d", n, w.Code)
		}
	}
	if w := send(s, fromLoopback(http.MethodGet, "/health/live")); w.Code != http.StatusTooManyRequests {
		t.Errorf("one more than the burst is answered %d", w.Code)
	}
	if ofMachine.burst < 5*ofAddress.burst {
		t.Error("the machine's own allowance is not generous")
	}
}
