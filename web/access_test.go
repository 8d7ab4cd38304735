package web

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func TestARouteThatDoesNotStateWhoMayCallItIsRefused(t *testing.T) {
	s := newServer(t, dbtest.New(t))
	for _, r := range s.echo.Routes() {
		if a := s.stated[r.Method+" "+r.Path]; a == accessUnstated || accessNames[a] == "" {
			t.Errorf("%s %s does not state who may call it", r.Method, r.Path)
		}
	}
	if len(s.stated) != len(s.echo.Routes()) {
		t.Errorf("%d routes are stated, %d are there", len(s.stated), len(s.echo.Routes()))
	}
	s.echo.GET("/forgotten", func(echo.Context) error { return nil })
	if err := s.checkStated(s.echo.Routes()); err == nil || !strings.Contains(err.Error(), "GET /forgotten") {
		t.Errorf("a route without a statement: %v", err)
	}
}

func TestLocalAccessEndsWhereACredentialBegins(t *testing.T) {
	store := dbtest.New(t)
	s := newServer(t, store, func(c *Config) { c.ValidatorAddress = bob })
	local := remote(http.MethodPost, "/signin")
	local.RemoteAddr, local.Host = "127.0.0.1:1", "127.0.0.1:3030"
	cookie := signIn(t, s, local, alice)
	secret := db.NewTokenSecret()
	if _, err := store.AddToken(t.Context(), db.HashSecret(secret), db.Token{Name: "x", Scope: db.ScopeRead, Wallet: alice, CreatedAt: time.Now()}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		header [2]string
		path   string
		want   int
		wallet validator.Address
	}{
		"anybody":                     {path: "/api/validator/status", want: http.StatusOK, wallet: bob},
		"anybody, any wallet":         {path: "/api/validator/status?", header: [2]string{"X-Wallet-Address", "0xa11"}, want: http.StatusOK, wallet: alice},
		"a session":                   {path: "/api/validator/status", header: [2]string{"Cookie", cookie.String()}, want: http.StatusOK, wallet: alice},
		"a session, another's page":   {path: "/jobs?wallet=" + string(bob), header: [2]string{"Cookie", cookie.String()}, want: http.StatusForbidden},
		"an ended session":            {path: "/api/validator/status", header: [2]string{"Cookie", "session=ended"}, want: http.StatusOK, wallet: bob},
		"a token":                     {path: "/api/validator/status", header: [2]string{"Authorization", "Bearer " + secret}, want: http.StatusOK, wallet: alice},
		"a token in lower case":       {path: "/api/validator/status", header: [2]string{"Authorization", "bearer  " + secret}, want: http.StatusOK, wallet: alice},
		"a wrong token":               {path: "/api/validator/status", header: [2]string{"Authorization", "Bearer bsg_wrong"}, want: http.StatusUnauthorized},
		"a proxy's own authorization": {path: "/api/validator/status", header: [2]string{"Authorization", "Basic dTpw"}, want: http.StatusOK, wallet: bob},
		"metrics":                     {path: "/metrics", header: [2]string{"Cookie", cookie.String()}, want: http.StatusOK},
		"metrics by a proxy":          {path: "/metrics", header: [2]string{"X-Forwarded-For", "127.0.0.1"}, want: http.StatusForbidden},
	} {
		w := visit(s, c.path, c.header[0], c.header[1])
		if w.Code != c.want || c.wallet != "" && !strings.Contains(w.Body.String(), string(c.wallet)) {
			t.Errorf("%s: %d %.300s", name, w.Code, w.Body)
		}
	}
}

func TestWithoutCredentialsAPageLeadsToTheSignInAndAPartStays(t *testing.T) {
	s := newServer(t, dbtest.New(t), onPublicURL)
	w := send(s, remote(http.MethodGet, "/jobs?state=failed&q=a%26b&wallet="+string(alice)))
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/signin?next=%2Fjobs%3Fq%3Da%2526b%26state%3Dfailed" {
		t.Errorf("a page: %d %s", w.Code, w.Header().Get("Location"))
	}
	w = send(s, remote(http.MethodGet, "/partials/jobs", "HX-Request", "true", "HX-Current-URL", "https://validators.example/gpus?x=1"))
	if w.Code != http.StatusUnauthorized || !strings.Contains(w.Body.String(), `<a href="/signin?next=%2Fgpus%3Fx%3D1">Sign in again</a>`) {
		t.Errorf("a part: %d %s", w.Code, w.Body)
	}
	for _, from := range []string{"https://evil.example/gpus", "//evil.example/", "javascript:alert(1)", "%zz"} {
		if w = send(s, remote(http.MethodGet, "/partials/jobs", "HX-Request", "true", "HX-Current-URL", from)); !strings.Contains(w.Body.String(), `href="/signin"`) {
			t.Errorf("from %s: %s", from, w.Body)
		}
	}
	w = send(s, remote(http.MethodGet, "/api/validator/status"))
	if w.Code != http.StatusUnauthorized || w.Header().Get("Content-Type") != "application/problem+json" || !strings.HasPrefix(w.Header().Get("WWW-Authenticate"), "Bearer") {
		t.Errorf("the API: %d %v", w.Code, w.Header())
	}
}

func TestThisHostsGPUsAreTheValidatorsOwn(t *testing.T) {
	store := dbtest.New(t)
	gpus := oneGPU{}
	for name, c := range map[string]struct {
		validator, signedIn validator.Address
		local, want         bool
	}{
		"the validator's session":              {validator: alice, signedIn: alice, want: true},
		"another's session":                    {validator: alice, signedIn: bob},
		"no validator is set":                  {signedIn: alice},
		"no validator is set, on this machine": {local: true, want: true},
		"another's, on this machine":           {validator: bob, local: true},
	} {
		s := newServer(t, store, func(conf *Config) {
			conf.GPUs, conf.ValidatorAddress, conf.LocalAccess, conf.PublicURL = gpus, c.validator, c.local, "https://validators.example"
		})
		r := remote(http.MethodGet, "/api/validator/gpus", "X-Wallet-Address", string(alice))
		if c.signedIn != "" {
			r.Header.Set("X-Wallet-Address", string(c.signedIn))
			r.AddCookie(signIn(t, s, remote(http.MethodPost, "/signin"), c.signedIn))
		}
		if c.local {
			r.RemoteAddr, r.Host = "[::1]:1", "[::1]:3030"
		}
		w := send(s, r)
		for _, mark := range []string{"GPU-here", "570.00"} {
			if w.Code != http.StatusOK || strings.Contains(w.Body.String(), mark) != c.want {
				t.Errorf("%s: %d %s", name, w.Code, w.Body)
			}
		}
	}
}

// oneGPU is a host with a GPU and a driver.
type oneGPU struct{}

func (oneGPU) Snapshot() validator.GPUSnapshot {
	now := time.Now()
	s := validator.GPUSnapshot{State: validator.SourceState{Source: validator.SourceGPU, Health: validator.HealthOK, ObservedAt: now}}
	s.Host.DriverVersion = validator.Some("570.00")
	s.GPUs = []validator.GPU{{UUID: "GPU-here", SampledAt: now, Name: validator.Some("NVIDIA H100")}}
	return s
}

func (oneGPU) History(string, time.Time) []validator.GPUPoint { return nil }

func TestStrangersAreNotToldWhatTheSourcesAreCalled(t *testing.T) {
	store := dbtest.Run(t, db.Config{URL: "postgres://u:p@127.0.0.1:9/none"})
	s := newServer(t, store, onPublicURL)
	for _, path := range []string{"/health", "/health/ready", "/api/network/stats", "/api/network/workers", "/api/contracts", "/partials/network", networkProvenance + "?of=network.workers", networkProvenance + "?of=network.staked"} {
		body := send(s, remote(http.MethodGet, path)).Body.String()
		for _, secret := range []string{"127.0.0.1", "No driver", "does not answer"} {
			if strings.Contains(body, secret) {
				t.Errorf("%s tells strangers %q:\n%s", path, secret, body)
			}
		}
	}
	local := newServer(t, store)
	if body := visit(local, "/health").Body.String(); !strings.Contains(body, "No driver") {
		t.Errorf("on this machine /health does not say why: %s", body)
	}
}

func FuzzBearer(f *testing.F) {
	sound := db.NewTokenSecret()
	for _, seed := range []string{"", "Bearer", "Bearer ", "Bearer " + sound, "bearer  " + sound, "Bearer " + sound + " ", "Bearer " + sound + "," + sound, "Basic dTpw", "Bearer bsg_", "Bearer bsg_" + strings.Repeat("A", 43), "Bearer bsg_" + strings.Repeat("é", 43), "Bearer\x00" + sound, strings.Repeat("Bearer ", 1000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		secret, ok := bearerOf([]string{header})
		switch {
		case !ok && secret != "":
			t.Errorf("%q is refused and read as %q", header, secret)
		case secret != "" && (!db.IsTokenSecret(secret) || !strings.HasSuffix(strings.TrimSpace(header), secret)):
			t.Errorf("%q is read as %q", header, secret)
		}
		if _, ok := bearerOf([]string{header, "Bearer " + sound, "Bearer " + sound}); ok {
			t.Errorf("%q with two tokens is taken", header)
		}
	})
}

func FuzzWalletHeader(f *testing.F) {
	s := newServer(f, dbtest.New(f))
	for _, seed := range []string{"", "0x1", "0XA11", " 0xa11 ", string(alice), "0x0", "0x", "0xg", "alice", "0xa11, 0xb0b", "0x" + strings.Repeat("f", 64), "\xff", strings.Repeat("0", 5000)} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, header string) {
		w := visit(s, "/api/worker/status", "X-Wallet-Address", header)
		wallet, err := validator.ParseAddress(header)
		switch {
		case err != nil && w.Code != http.StatusBadRequest:
			t.Errorf("%q is answered %d", header, w.Code)
		case err == nil && (w.Code != http.StatusOK || !strings.Contains(w.Body.String(), string(wallet))):
			t.Errorf("%q is answered %d %s", header, w.Code, w.Body)
		}
	})
}
