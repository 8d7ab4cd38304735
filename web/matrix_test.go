package web

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// owners are the two wallets of the matrix, by the word that marks all that is theirs. What
// is asked for goes by a number, since an answer may repeat its question.
var (
	owners  = map[string]validator.Address{"alice": alice, "bob": bob}
	numbers = map[string]string{"alice": "1", "bob": "2"}
)

// walletData gives a wallet a row in every table, marked with its owner's name.
func walletData(t *testing.T, store *db.Store, databaseURL, owner string) {
	t.Helper()
	wallet, number, now := string(owners[owner]), numbers[owner], time.Now().UTC()
	for sql, args := range map[string][]any{
		`INSERT INTO jobs (job_id, worker_address, job_type, status, payment_amount, gpu_uuid, created_at, completed_at)
			VALUES ('job-' || $4, $2, $1 || '-type', 'completed', 5000000000000000000, 'GPU-' || $4, $3, $3)`: {owner, wallet, now, number},
		`INSERT INTO jobs (job_id, worker_address, status, error_message, gpu_uuid, created_at)
			VALUES ('failed-' || $4, $2, 'failed', $1 || ' ran out of memory', 'GPU-' || $4, $3)`: {owner, wallet, now, number},
		`INSERT INTO stake_events (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place, worker_address, kind, amount, slash_reason, job_id)
			VALUES (7, '0x' || lpad('7', 64, '0'), $3, '0x' || lpad('51a5' || $4, 64, '0'), '0x' || lpad('9', 64, '0'), $4::integer, $4::integer, $2, 'slashed', 5, COALESCE(length($1), 0) * 0, 'failed-' || $4)`: {owner, wallet, now, number},
		`INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time, gpu_count) VALUES ($2, $1 || '-rig', $3, 1)`: {owner, wallet, now},
		`INSERT INTO reward_claims (address, amount, claim_type, claim_time, tx_hash, status, failure)
			VALUES ($2, NULL, 'staking', $3, '0xc1a1', 'failed', $1 || ' could not pay')`: {owner, wallet, now},
	} {
		dbtest.Exec(t, databaseURL, sql, args...)
	}
	gpu := validator.GPU{UUID: "GPU-" + number, SampledAt: now, Name: validator.Some(owner + " H100"), UtilizationPercent: validator.Some(uint32(50))}
	if err := store.UpsertWorkerGPUs(t.Context(), owners[owner], owner+"-rig", now, []validator.GPU{gpu}); err != nil {
		t.Fatal(err)
	}
	if err := store.Audit(t.Context(), db.AuditEvent{At: now, Wallet: owners[owner], Kind: db.AuditSignIn, Detail: owner + "'s wallet", Actor: db.ActorSession}); err != nil {
		t.Fatal(err)
	}
}

// credential is something that a request can carry.
type credential struct {
	name  string
	owner string // whose data it shows, "" if nobody's
	kind  string // none, session, read, ingest, coordinator, wrong
	put   func(*http.Request)
}

// credentials makes fresh ones of every kind, which no earlier request can have ended.
func credentials(t *testing.T, s *Server, databaseURL string) []credential {
	t.Helper()
	dbtest.Exec(t, databaseURL, "DELETE FROM api_tokens")
	bearer := func(secret string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+secret) }
	}
	token := func(name string, n db.Token) func(*http.Request) {
		secret := db.NewTokenSecret()
		n.Name, n.CreatedAt = name+"-script", time.Now()
		if _, err := s.db.AddToken(t.Context(), db.HashSecret(secret), n); err != nil {
			t.Fatal(err)
		}
		return bearer(secret)
	}
	past := time.Now().Add(-time.Hour)
	list := []credential{
		{name: "none", kind: "none", put: func(*http.Request) {}},
		{name: "unknown token", kind: "wrong", put: bearer(db.NewTokenSecret())},
		{name: "expired token", kind: "wrong", put: token("alice", db.Token{Scope: db.ScopeRead, Wallet: alice, ExpiresAt: &past})},
		{name: "unknown cookie", kind: "none", put: func(r *http.Request) { r.AddCookie(&http.Cookie{Name: sessionCookie, Value: "guess"}) }},
		{name: "coordinator", kind: "coordinator", put: token("coordinator", db.Token{Scope: db.ScopeIngest})},
	}
	for _, owner := range []string{"alice", "bob"} {
		cookie := signIn(t, s, remote(http.MethodPost, "/signin", "User-Agent", owner+"'s browser"), owners[owner])
		list = append(list,
			credential{owner + " session", owner, "session", func(r *http.Request) { r.AddCookie(cookie) }},
			credential{owner + " read", owner, "read", token(owner, db.Token{Scope: db.ScopeRead, Wallet: owners[owner]})},
			credential{owner + " ingest", owner, "ingest", token(owner, db.Token{Scope: db.ScopeIngest, Wallet: owners[owner]})},
		)
	}
	return list
}

// asked is how a request names its wallet.
var asked = []string{"", "alice", "bob"}

// matrixRequest asks a route for what belongs to a wallet, as those who call it do.
func matrixRequest(t *testing.T, method, path, named string) *http.Request {
	t.Helper()
	object := numbers["alice"] // what is asked for is always somebody's
	if named != "" {
		object = numbers[named]
	}
	known := pageQueries()[path]
	path = strings.NewReplacer(":uuid", "GPU-"+object, ":file", "app.js").Replace(path)
	if path == slashPath {
		path = "/stake/slash/0x51a5" + object + "/0"
	}
	if path == "/jobs/:id" {
		path = "/jobs/job-" + object
	}
	if strings.Contains(path, ":") {
		t.Fatalf("the matrix does not know what to ask %s for", path)
	}
	q := url.Values{"uuid": {"GPU-" + object}, "id": {"job-" + object}, "of": {"heartbeat"}, "format": {"csv"}}
	if path == networkProvenance {
		q.Set("of", "network.workers")
	}
	if named != "" && !strings.HasPrefix(path, "/api/") {
		q.Set("wallet", string(owners[named]))
	}
	maps.DeleteFunc(q, func(name string, _ []string) bool { return !slices.Contains(known, name) })
	body := map[string]string{
		"/api/jobs":                fmt.Sprintf(`{"jobs": [{"job_id": "written %d", "status": "running"}]}`, time.Now().UnixNano()),
		"/api/worker/heartbeats":   `{"heartbeats": [{"worker_id": "written"}]}`,
		"/api/worker/heartbeat":    `{"worker_id": "written"}`,
		"/api/worker/gpu-metrics":  `{"worker_id": "written", "gpus": [{"index": 0, "uuid": "GPU-written"}]}`,
		"/api/worker/claim-reward": `{"tx_hash": "0x5a1f"}`,
	}[path]
	r := httptest.NewRequest(method, path+"?"+q.Encode(), strings.NewReader(body))
	r.RemoteAddr, r.Host = "203.0.113.7:50000", "validators.example"
	switch {
	case strings.HasPrefix(path, "/api/"):
		r.Header.Set("Content-Type", "application/json")
		if named != "" {
			r.Header.Set("X-Wallet-Address", string(owners[named]))
		}
	case strings.HasPrefix(path, "/partials/"):
		r.Header.Set("HX-Request", "true")
	case method == http.MethodPost:
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Accept", "text/html")
	return r
}

// answered stands for every status but a refusal: what exactly is for the route's own tests.
const answered = 0

// expected is the status that the rules ask for.
func expected(a access, c credential, path, named string) int {
	unsigned := http.StatusSeeOther // to the sign-in page
	if strings.HasPrefix(path, "/api/") || strings.HasPrefix(path, "/partials/") || path == "/metrics" {
		unsigned = http.StatusUnauthorized
	}
	strange := c.kind == "none" || c.kind == "wrong"
	foreign := named != "" && named != c.owner
	switch a {
	case accessOperator:
		if c.kind == "wrong" {
			return unsigned
		}
		return http.StatusForbidden
	case accessWallet, accessOwner:
		reads := c.kind == "session" || a == accessWallet && c.kind == "read"
		switch {
		case strange:
			return unsigned
		case !reads, foreign:
			return http.StatusForbidden
		case named == "" && c.owner == "bob" && isAboutOne(path):
			return http.StatusNotFound // without a name the matrix asks for Alice's
		}
	case accessSession:
		switch {
		case strange:
			return unsigned
		case c.kind != "session":
			return http.StatusForbidden
		}
	case accessIngest:
		switch {
		case strange:
			return unsigned
		case c.kind == "coordinator" && named == "" && path != "/api/jobs": // a job may be nobody's yet
			return http.StatusBadRequest
		case c.kind != "coordinator" && (c.kind != "ingest" || foreign):
			return http.StatusForbidden
		}
	case accessUnstated, accessPublic:
	}
	return answered
}

// isAboutOne says whether a route shows one job or one GPU.
func isAboutOne(path string) bool {
	return slices.Contains([]string{slashPath, "/jobs/:id", "/gpus/:uuid", "/partials/job", "/partials/job-card", "/partials/gpu", "/partials/gpu-charts", "/partials/gpu-failures", "/partials/gpu-health"}, path)
}

// fits compares a status with the expected one.
func fits(w *httptest.ResponseRecorder, want int) bool {
	if want != answered {
		return w.Code == want
	}
	refused := w.Code == http.StatusUnauthorized || w.Code == http.StatusForbidden || strings.HasPrefix(w.Header().Get("Location"), "/signin")
	return (!refused || w.Header().Get("Set-Cookie") != "") && w.Code < http.StatusInternalServerError
}

// TestEveryRouteWithEveryCredential asks every route with every credential, for one's own
// wallet, for another's and for none, and looks for what is another's in every answer.
func TestEveryRouteWithEveryCredential(t *testing.T) {
	databaseURL := dbtest.NewURL(t)
	store := dbtest.Open(t, db.Config{URL: databaseURL})
	s := newServer(t, store, onPublicURL)
	for owner := range owners {
		walletData(t, store, databaseURL, owner)
	}
	var routes []string
	for route := range s.stated {
		routes = append(routes, route)
	}
	slices.Sort(routes)
	shown := map[string]int{}
	var table strings.Builder
	for _, route := range routes {
		method, path, _ := strings.Cut(route, " ")
		a := s.stated[route]
		list := credentials(t, s, databaseURL)
		if table.Len() == 0 {
			fmt.Fprintf(&table, "%-34s %-8s", "", "")
			for _, c := range list {
				fmt.Fprintf(&table, " %-14s", c.name)
			}
			table.WriteByte('\n')
		}
		fmt.Fprintf(&table, "%-34s %-8s", route, accessNames[a])
		for _, c := range list {
			forgive(t, s)
			var codes []string
			for _, named := range asked {
				r := matrixRequest(t, method, path, named)
				c.put(r)
				w := send(s, r)
				codes = append(codes, fmt.Sprint(w.Code))
				if want := expected(a, c, path, named); !fits(w, want) {
					t.Errorf("%s with %s, naming %q: %d, want %d", route, c.name, named, w.Code, want)
				}
				for owner := range owners {
					has := strings.Contains(w.Body.String(), owner)
					if has && (owner != c.owner || c.kind == "ingest" || c.kind == "coordinator") {
						t.Errorf("%s with %s, naming %q, shows %s's data", route, c.name, named, owner)
					}
					if has {
						shown[route]++
					}
				}
				if ends := path == "/signout" || path == "/settings/sessions/end-all"; ends && c.kind == "session" {
					break // what the next would be asked with
				}
			}
			fmt.Fprintf(&table, " %-14s", strings.Join(codes, " "))
		}
		table.WriteByte('\n')
	}
	t.Logf("status codes naming no wallet, alice and bob:\n%s", table.String())
	for _, route := range []string{"GET /jobs", "GET /gpus", "GET /jobs/:id", "GET /gpus/:uuid", "GET " + slashPath, "GET /partials/jobs", "GET /jobs/export", "GET /settings", "GET /api/jobs/recent", "GET /api/validator/gpus", "GET /api/worker/status"} {
		if shown[route] == 0 {
			t.Errorf("%s shows nobody's data, so it proves nothing", route)
		}
	}
	for owner, wallet := range owners {
		for _, sql := range []string{"SELECT count(*) FROM heartbeats WHERE worker_id = 'written' AND worker_address = $1", "SELECT count(*) FROM worker_gpus WHERE worker_id = 'written' AND worker_address = $1", "SELECT count(*) FROM reward_claims WHERE status = 'submitted' AND address = $1"} {
			if dbtest.Value(t, databaseURL, sql, string(wallet)) == "0" {
				t.Errorf("%s wrote nothing: %s", owner, sql)
			}
		}
	}
}

var accessNames = map[access]string{accessUnstated: "UNSTATED", accessPublic: "public", accessWallet: "wallet", accessOwner: "owner", accessSession: "session", accessIngest: "ingest", accessOperator: "operator"}
