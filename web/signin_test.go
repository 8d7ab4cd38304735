package web

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// door is a server that wallets of a chain sign in to.
type door struct {
	*testing.T
	chain  *devchain.Chain
	node   *devchain.Node
	url    string // of the database
	store  *db.Store
	client *chain.Client
	server *Server
}

const doorOrigin = "https://validators.example"

func newDoor(t *testing.T) *door {
	t.Helper()
	d := &door{T: t, chain: devchain.New(devchain.Config{}), url: dbtest.NewURL(t)}
	d.node = devchain.NewNode(d.chain)
	if err := d.node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = d.node.Close() })
	client, err := chain.New(chain.Config{RPCURLs: []string{d.node.URL()}, Network: chain.Network{Name: "sepolia", ChainID: "SN_SEPOLIA"}, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	d.client, d.store = client, dbtest.Open(t, db.Config{URL: d.url})
	d.server = d.replica(doorOrigin, "SN_SEPOLIA")
	return d
}

// replica is another server on the same database and chain.
func (d *door) replica(origin, chainID string) *Server {
	return newServer(d.T, d.store, onPublicURL, func(c *Config) {
		c.PublicURL, c.Signatures, c.Network = origin, d.client, chain.Network{Name: "sepolia", ChainID: chainID}
	})
}

// wallet is one whose account is deployed.
func (d *door) wallet(seed string) *devchain.Wallet {
	d.Helper()
	w, err := devchain.NewWallet(d.chain, devchain.WalletConfig{Seed: seed})
	if err != nil {
		d.Fatal(err)
	}
	w.Deploy()
	d.chain.Mine()
	return w
}

// passkey is a wallet whose signatures have so many felts, and whose account is deployed.
func (d *door) passkey(seed string, felts int) *devchain.Wallet {
	d.Helper()
	w, err := devchain.NewWallet(d.chain, devchain.WalletConfig{Seed: seed, SignatureFelts: felts})
	if err != nil {
		d.Fatal(err)
	}
	w.Deploy()
	d.chain.Mine()
	return w
}

// postJSON sends JSON as a page of an origin does.
func postJSON(s *Server, origin, path, body string, header ...string) *httptest.ResponseRecorder {
	r := remote(http.MethodPost, path, append([]string{"Content-Type", "application/json", "Accept", "application/json", "Origin", origin, "Sec-Fetch-Site", "same-origin"}, header...)...)
	r.Body = io.NopCloser(strings.NewReader(body))
	return send(s, r)
}

func jsonOf(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// ask gets a message for a wallet's account.
func (d *door) ask(s *Server, w *devchain.Wallet) signInMessage {
	d.Helper()
	answer := postJSON(s, doorOrigin, "/signin/message", jsonOf(signInAsk{string(w.Address()), "0x534e5f5345504f4c4941"}))
	var m signInMessage
	if err := json.Unmarshal(answer.Body.Bytes(), &m); err != nil || answer.Code != http.StatusOK {
		d.Fatalf("%d %s %v", answer.Code, answer.Body, err)
	}
	return m
}

// proofOf is what a page presents of a message that a wallet signs.
func (d *door) proofOf(w *devchain.Wallet, m signInMessage) signInProof {
	d.Helper()
	signature, err := w.SignTypedData(m.TypedData)
	if err != nil {
		d.Fatal(err)
	}
	var texts []string
	for _, f := range signature {
		texts = append(texts, f.Short())
	}
	return signInProof{Nonce: m.Nonce, WalletName: "Test wallet", Signature: signatureOf(texts...)}
}

// signatureOf is a signature as pages present it.
func signatureOf(felts ...string) json.RawMessage { return json.RawMessage(jsonOf(felts)) }

// changed is a proof with other felts.
func (p signInProof) changed(t *testing.T, change func(felts []string) []string) signInProof {
	t.Helper()
	var felts []string
	if err := json.Unmarshal(p.Signature, &felts); err != nil {
		t.Fatal(err)
	}
	p.Signature = signatureOf(change(felts)...)
	return p
}

func (d *door) sessions() string {
	return dbtest.Value(d.T, d.url, "SELECT count(*) FROM sessions")
}

// refused checks that an answer is a problem of its kind, and that it signed nobody in.
func (d *door) refused(what string, answer *httptest.ResponseRecorder, status int, kind string) {
	d.Helper()
	var p problem
	if err := json.Unmarshal(answer.Body.Bytes(), &p); err != nil || answer.Code != status || p.Type != kind || p.Detail == "" {
		d.Errorf("%s: %d %s, want %d %s", what, answer.Code, answer.Body, status, kind)
	}
	if cookies := answer.Result().Cookies(); len(cookies) != 0 {
		d.Errorf("%s: a cookie %v", what, cookies)
	}
	if n := d.sessions(); n != "0" {
		d.Errorf("%s: %s sessions", what, n)
	}
}

func TestAWalletSignsIn(t *testing.T) {
	d := newDoor(t)
	for _, c := range []devchain.WalletConfig{{Seed: "one signer"}, {Seed: "several", LongSignatures: true}, {Seed: "passkey", SignatureFelts: 200}, {Seed: "passkeys", SignatureFelts: chain.MaxSignatureFelts}} {
		w, err := devchain.NewWallet(d.chain, c)
		if err != nil {
			t.Fatal(err)
		}
		w.Deploy()
		d.chain.Mine()
		answer := postJSON(d.server, doorOrigin, "/signin", jsonOf(d.proofOf(w, d.ask(d.server, w))))
		var who signedIn
		if err := json.Unmarshal(answer.Body.Bytes(), &who); err != nil || answer.Code != http.StatusOK || who.Address != w.Address() {
			t.Fatalf("%d %s", answer.Code, answer.Body)
		}
		cookies := answer.Result().Cookies()
		if len(cookies) != 1 || cookies[0].Name != sessionCookie {
			t.Fatalf("cookies %v", cookies)
		}
		status := remote(http.MethodGet, "/api/validator/status")
		status.AddCookie(cookies[0])
		if got := send(d.server, status); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), string(w.Address())) {
			t.Errorf("signed in, the status is %d %s", got.Code, got.Body)
		}
	}
	if names := dbtest.Value(t, d.url, "SELECT min(wallet_name) || max(wallet_name) FROM sessions"); names != "Test walletTest wallet" {
		t.Errorf("the sessions' wallets are %q", names)
	}
}

func TestWhatASignatureDoesNotSignIn(t *testing.T) {
	d := newDoor(t)
	w, other := d.wallet("signer"), d.wallet("another")
	changed := func(oldNew ...string) func(signInMessage) signInProof {
		return func(m signInMessage) signInProof {
			typed := strings.NewReplacer(oldNew...).Replace(string(m.TypedData))
			if typed == string(m.TypedData) {
				t.Fatalf("the message has no %q: %s", oldNew, typed)
			}
			return d.proofOf(w, signInMessage{m.Nonce, json.RawMessage(typed)})
		}
	}
	for name, sign := range map[string]func(signInMessage) signInProof{
		"another origin":    changed(doorOrigin, "https://evil.example"),
		"another chain":     changed("SN_SEPOLIA", "SN_MAIN"),
		"another account":   changed(string(w.Address()), string(other.Address())),
		"another statement": changed("Sign in to", "Sign out of"),
		"another domain":    changed(`"name":"BitSage Validators"`, `"name":"BitSage"`),
		"a longer life":     changed(`"expirationTime":"20`, `"expirationTime":"21`),
		"another type":      changed(`{"name":"uri","type":"string"}`, `{"name":"uri","type":"felt"}`, `"uri":"https://validators.example"`, `"uri":"0x1"`),
		"an extra field":    changed(`{"name":"uri",`, `{"name":"note","type":"string"},{"name":"uri",`, `"uri":"https`, `"note":"x","uri":"https`),
		"a field less":      changed(`,{"name":"expirationTime","type":"string"}`, ""),
		"another key":       func(m signInMessage) signInProof { return d.proofOf(other, m) },
		"another nonce":     func(m signInMessage) signInProof { p := d.proofOf(w, d.ask(d.server, w)); p.Nonce = m.Nonce; return p },
		"another's message": func(m signInMessage) signInProof {
			p := d.proofOf(w, d.ask(d.server, other))
			p.Nonce = m.Nonce
			return p
		},
		"r and s exchanged": func(m signInMessage) signInProof {
			return d.proofOf(w, m).changed(t, func(felts []string) []string { return []string{felts[1], felts[0]} })
		},
		"a part of it": func(m signInMessage) signInProof {
			return d.proofOf(w, m).changed(t, func(felts []string) []string { return felts[:1] })
		},
		"zeros": func(m signInMessage) signInProof {
			return signInProof{Nonce: m.Nonce, Signature: signatureOf("0x0", "0x0")}
		},
		"as many as allowed": func(m signInMessage) signInProof {
			return signInProof{Nonce: m.Nonce, Signature: signatureOf(slices.Repeat([]string{"0x1"}, chain.MaxSignatureFelts)...)}
		},
	} {
		forgive(t, d.server)
		d.refused(name, postJSON(d.server, doorOrigin, "/signin", jsonOf(sign(d.ask(d.server, w)))), http.StatusForbidden, "/signin#invalid")
		dbtest.Exec(t, d.url, "DELETE FROM signin_messages")
	}
}

// A message that was not used up by what was refused is still good.
func TestARefusedSignatureUsesNothingUp(t *testing.T) {
	d := newDoor(t)
	w := d.wallet("signer")
	m := d.ask(d.server, w)
	wrong := signInProof{Nonce: m.Nonce, Signature: signatureOf("0x1", "0x2")}
	for range 4 {
		d.refused("wrong", postJSON(d.server, doorOrigin, "/signin", jsonOf(wrong)), http.StatusForbidden, "/signin#invalid")
	}
	if got := postJSON(d.server, doorOrigin, "/signin", jsonOf(d.proofOf(w, m))); got.Code != http.StatusOK {
		t.Errorf("the right one: %d %s", got.Code, got.Body)
	}
}

func TestASignedMessageSignsInOnce(t *testing.T) {
	d := newDoor(t)
	w := d.wallet("signer")
	proof := jsonOf(d.proofOf(w, d.ask(d.server, w)))
	const racers = 24
	servers := []*Server{d.server, d.replica(doorOrigin, "SN_SEPOLIA")}
	answers := make([]*httptest.ResponseRecorder, racers)
	start := make(chan struct{})
	var all sync.WaitGroup
	for i := range racers {
		all.Go(func() {
			<-start
			answers[i] = postJSON(servers[i%len(servers)], doorOrigin, "/signin", proof)
		})
	}
	close(start)
	all.Wait()
	won := 0
	for _, a := range answers {
		if a.Code == http.StatusOK {
			won++
		} else if a.Code != http.StatusGone || len(a.Result().Cookies()) != 0 {
			t.Errorf("a loser: %d %s", a.Code, a.Body)
		}
	}
	if n := d.sessions(); won != 1 || n != "1" {
		t.Errorf("%d were signed in, in %s sessions", won, n)
	}
	if again := postJSON(d.server, doorOrigin, "/signin", proof); again.Code != http.StatusGone || d.sessions() != "1" {
		t.Errorf("replayed: %d %s", again.Code, again.Body)
	}
}

func TestAMessageThatIsNoLongerGood(t *testing.T) {
	d := newDoor(t)
	w := d.wallet("signer")
	gone := func(what string, s *Server, origin string, p signInProof) {
		t.Helper()
		d.refused(what, postJSON(s, origin, "/signin", jsonOf(p)), http.StatusGone, "/signin#expired")
	}
	gone("a nonce that nobody issued", d.server, doorOrigin, signInProof{Nonce: "Zk3vQ9tB7mX1pL5wR8cN2h", Signature: signatureOf("0x1", "0x2")})
	gone("no nonce", d.server, doorOrigin, signInProof{Signature: signatureOf("0x1", "0x2")})

	p := d.proofOf(w, d.ask(d.server, w))
	gone("at another origin's server", d.replica("https://other.example", "SN_SEPOLIA"), "https://other.example", p)
	gone("at another network's server", d.replica(doorOrigin, "SN_MAIN"), doorOrigin, p)
	dbtest.Exec(t, d.url, "UPDATE signin_messages SET issued_at = issued_at - interval '5 minutes', expires_at = expires_at - interval '5 minutes'")
	gone("expired", d.server, doorOrigin, p)

	m := d.ask(d.server, w)
	for range 5 {
		postJSON(d.server, doorOrigin, "/signin", jsonOf(signInProof{Nonce: m.Nonce, Signature: signatureOf("0x1", "0x2")}))
	}
	gone("after five wrong signatures", d.server, doorOrigin, d.proofOf(w, m))
}

func TestWhatASignInMustSend(t *testing.T) {
	d := newDoor(t)
	w := d.wallet("signer")
	const here = "/signin"
	about := "about:blank"
	m := d.ask(d.server, w)
	proof := d.proofOf(w, m)
	with := func(member string) string {
		return strings.TrimSuffix(jsonOf(proof), "}") + "," + member + "}"
	}
	for name, c := range map[string]struct {
		path, body string
		status     int
		kind       string
	}{
		"no JSON":                 {here, "nonce=1", 400, about},
		"nothing":                 {here, "", 400, about},
		"null":                    {here, "null", 400, "/signin#no-signature"},
		"a list":                  {here, "[]", 400, about},
		"two objects":             {here, jsonOf(proof) + "{}", 400, about},
		"a message of its own":    {here, with(`"typed_data":` + string(m.TypedData)), 400, about},
		"types of its own":        {here, with(`"types":{"Message":[]}`), 400, about},
		"a hash of its own":       {here, with(`"hash":"0x1"`), 400, about},
		"an account of its own":   {here, with(`"address":"` + string(w.Address()) + `"`), 400, about},
		"a URI of its own":        {here, with(`"uri":"` + doorOrigin + `"`), 400, about},
		"a chain of its own":      {here, with(`"chain_id":"SN_SEPOLIA"`), 400, about},
		"an expiry of its own":    {here, with(`"expires_at":"2099-01-01T00:00:00Z"`), 400, about},
		"a body without end":      {here, `{"nonce":"` + strings.Repeat("a", maxSignInBody) + `"}`, 413, about},
		"no address":              {"/signin/message", `{"chain_id":"SN_SEPOLIA"}`, 400, about},
		"an address of nobody":    {"/signin/message", `{"chain_id":"SN_SEPOLIA","address":"0x0"}`, 400, about},
		"another network":         {"/signin/message", jsonOf(signInAsk{string(w.Address()), "0x534e5f4d41494e"}), 400, "/signin#network"},
		"no network":              {"/signin/message", jsonOf(signInAsk{Address: string(w.Address())}), 400, "/signin#network"},
		"a nonce of its own":      {"/signin/message", `{"chain_id":"SN_SEPOLIA","address":"0x1","nonce":"aaaaaaaaaaaaaaaaaaaaaaaa"}`, 400, about},
		"a URI for its message":   {"/signin/message", `{"chain_id":"SN_SEPOLIA","address":"0x1","uri":"https://evil.example"}`, 400, about},
		"a domain of its own":     {"/signin/message", `{"chain_id":"SN_SEPOLIA","address":"0x1","domain":{"name":"x"}}`, 400, about},
		"a chain id of two forms": {"/signin/message", `{"chain_id":["SN_SEPOLIA"],"address":"0x1"}`, 400, about},
	} {
		forgive(t, d.server)
		d.refused(name, postJSON(d.server, doorOrigin, c.path, c.body), c.status, c.kind)
	}
	forgive(t, d.server)
	d.refused("a form", postJSON(d.server, doorOrigin, here, jsonOf(proof), "Content-Type", "application/x-www-form-urlencoded"), http.StatusUnsupportedMediaType, about)
	d.refused("another site's page", postJSON(d.server, "https://evil.example", here, jsonOf(proof), "Sec-Fetch-Site", "cross-site"), http.StatusForbidden, about)
	d.refused("another origin's page", postJSON(d.server, "https://evil.example", here, jsonOf(proof)), http.StatusForbidden, "/signin#origin")
	d.refused("a message for another origin's page", postJSON(d.server, "https://evil.example", "/signin/message", jsonOf(signInAsk{string(w.Address()), "SN_SEPOLIA"})), http.StatusForbidden, "/signin#origin")
	if got := postJSON(d.server, doorOrigin, here, jsonOf(proof)); got.Code != http.StatusOK {
		t.Errorf("what they were made of: %d %s", got.Code, got.Body)
	}
}

func TestAServerThatCannotTellItsAddressSignsNobodyIn(t *testing.T) {
	d := newDoor(t)
	w := d.wallet("signer")
	s := newServer(t, d.store, func(c *Config) { c.Signatures, c.Network.ChainID = d.client, "SN_SEPOLIA" })
	asks := jsonOf(signInAsk{string(w.Address()), "SN_SEPOLIA"})
	d.refused("from elsewhere", postJSON(s, "https://validators.example", "/signin/message", asks), http.StatusForbidden, "/signin#origin")
	r := httptest.NewRequest(http.MethodPost, "/signin/message", strings.NewReader(asks))
	r.RemoteAddr, r.Host = "127.0.0.1:50000", "localhost:3030"
	r.Header.Set("Content-Type", "application/json")
	if got := send(s, r); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), `"uri":"http://localhost:3030"`) {
		t.Errorf("on its own machine: %d %s", got.Code, got.Body)
	}
	page := send(s, remote(http.MethodGet, "/signin")).Body.String()
	if !strings.Contains(page, "PUBLIC_URL") || strings.Contains(page, "signin.js") {
		t.Error("its page offers to sign in")
	}
}

func TestSigningInWhileSomethingIsAway(t *testing.T) {
	d := newDoor(t)
	w := d.wallet("signer")
	undeployed, err := devchain.NewWallet(d.chain, devchain.WalletConfig{Seed: "undeployed"})
	if err != nil {
		t.Fatal(err)
	}
	d.refused("not deployed", postJSON(d.server, doorOrigin, "/signin", jsonOf(d.proofOf(undeployed, d.ask(d.server, undeployed)))), http.StatusForbidden, "/signin#not-deployed")

	proof := jsonOf(d.proofOf(w, d.ask(d.server, w)))
	d.node.SetFaults(devchain.Faults{Mode: devchain.RateLimits})
	d.refused("no node", postJSON(d.server, doorOrigin, "/signin", proof), http.StatusServiceUnavailable, "/signin#unreachable")
	d.node.Heal()
	if got := postJSON(d.server, doorOrigin, "/signin", proof); got.Code != http.StatusOK {
		t.Errorf("the same signature, with a node: %d %s", got.Code, got.Body)
	}
}

func TestNobodySignsInWithoutADatabase(t *testing.T) {
	s := newServer(t, dbtest.Run(t, db.Config{URL: "postgres://nobody@127.0.0.1:9/none"}), onPublicURL, func(c *Config) { c.Network.ChainID = "SN_SEPOLIA" })
	for path, body := range map[string]string{
		"/signin/message": jsonOf(signInAsk{string(alice), "SN_SEPOLIA"}), "/signin": jsonOf(signInProof{Nonce: "Zk3vQ9tB7mX1pL5wR8cN2h", Signature: signatureOf("0x1")}),
	} {
		var p problem
		if got := postJSON(s, doorOrigin, path, body); json.Unmarshal(got.Body.Bytes(), &p) != nil || got.Code != http.StatusServiceUnavailable || p.Type != "/signin#database" {
			t.Errorf("%s: %d %s", path, got.Code, got.Body)
		}
	}
}

func TestAClientBeginsAFewSignIns(t *testing.T) {
	d := newDoor(t)
	w := d.wallet("signer")
	asks := jsonOf(signInAsk{string(w.Address()), "SN_SEPOLIA"})
	var last *httptest.ResponseRecorder
	for range maxOpenSignIns + 1 {
		last = postJSON(d.server, doorOrigin, "/signin/message", asks)
	}
	d.refused("one too many", last, http.StatusTooManyRequests, "/signin#too-many")
	if wait, err := strconv.Atoi(last.Header().Get("Retry-After")); err != nil || wait < 240 || wait > 300 {
		t.Errorf("retry after %q", last.Header().Get("Retry-After"))
	}
}

func TestWhichClientsCountAsOne(t *testing.T) {
	for address, want := range map[string]string{
		"203.0.113.7": "203.0.113.7", "::ffff:203.0.113.7": "203.0.113.7", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64", "@": "unknown", "": "unknown",
	} {
		if got := clientNetwork(address); got != want {
			t.Errorf("%q counts as %s, want %s", address, got, want)
		}
	}
}
