package web

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// refusalsKept lists what the audit log has of refusals.
func refusalsKept(t *testing.T, url string) string {
	t.Helper()
	return dbtest.Value(t, url, `SELECT coalesce(string_agg(concat_ws(' ', event, actor, ltrim(wallet_address, '0x'), client_address, detail), E'\n' ORDER BY event_id), '')
		FROM audit_log WHERE event LIKE '%-refused'`)
}

func TestWhatIsRefusedIsKept(t *testing.T) {
	d := newDoor(t)
	var log bytes.Buffer
	d.server = newServer(t, d.store, onPublicURL, func(c *Config) {
		c.PublicURL, c.Signatures, c.Network = doorOrigin, d.client, chain.Network{Name: "sepolia", ChainID: "SN_SEPOLIA"}
		c.Log = slog.New(slog.NewTextHandler(&log, nil))
	})
	w := d.wallet("signer")
	short := strings.TrimLeft(string(w.Address()), "0x")
	cookie := signIn(t, d.server, remote(http.MethodPost, "/signin"), w.Address())
	dbtest.Exec(t, d.url, "DELETE FROM audit_log")
	secret, token := madeToken(t, d.store)
	if _, err := d.store.RevokeToken(t.Context(), "", token.ID); err != nil {
		t.Fatal(err)
	}
	nobodys := remote(http.MethodGet, "/api/jobs/recent")
	signed := remote(http.MethodGet, "/api/jobs/recent", "X-Wallet-Address", string(bob))
	signed.AddCookie(cookie)
	for _, c := range []struct {
		do   func() int
		code int
		row  string // "" = none
	}{
		{func() int { return send(d.server, nobodys).Code }, 401, ""},
		{func() int {
			return postJSON(d.server, doorOrigin, "/signin", jsonOf(signInProof{Nonce: d.ask(d.server, w).Nonce, Signature: signatureOf("0x1", "0x2")})).Code
		}, 403, "sign-in-refused nobody " + short + " 203.0.113.7 The account does not accept this signature."},
		{func() int {
			return postJSON(d.server, doorOrigin, "/signin", jsonOf(signInProof{Nonce: "Zk3vQ9tB7mX1pL5wR8cN2h", Signature: signatureOf("0x1")})).Code
		}, 410, "sign-in-refused nobody 203.0.113.7 This message is no longer good"},
		{func() int { return postJSON(d.server, doorOrigin, "/signin", `{"nonce":"x","signature":[]}`).Code }, 400, "sign-in-refused nobody 203.0.113.7 The signature is empty"},
		{func() int { return send(d.server, byToken(secret)).Code }, 401, "token-refused nobody 203.0.113.7 GET /api/validator/status"},
		{func() int { return send(d.server, byToken("bsg_x")).Code }, 401, "token-refused nobody 203.0.113.7 GET /api/validator/status"},
		{func() int { return send(d.server, signed).Code }, 403, "access-refused session " + short + " 203.0.113.7 GET /api/jobs/recent"},
		{func() int { return send(d.server, remote(http.MethodGet, "/metrics")).Code }, 403, "access-refused nobody 203.0.113.7 GET /metrics"},
		{func() int {
			return send(d.server, remote(http.MethodPost, "/signout", "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site")).Code
		}, 403, "access-refused nobody 203.0.113.7 POST"},
	} {
		log.Reset()
		dbtest.Exec(t, d.url, "DELETE FROM audit_log")
		if code := c.do(); code != c.code {
			t.Errorf("%s: %d, want %d", c.row, code, c.code)
		}
		got := refusalsKept(t, d.url)
		if c.row == "" && got != "" || !strings.HasPrefix(got, c.row) || strings.Contains(got, "\n") {
			t.Errorf("kept is %q, want %q", got, c.row)
		}
		kind, _, _ := strings.Cut(c.row, " ")
		if lines := strings.Count(log.String(), "level=INFO msg=audit"); c.row != "" && (lines != 1 || !strings.Contains(log.String(), "event="+kind)) || c.row == "" && lines != 0 {
			t.Errorf("the log has of %q:\n%s", c.row, &log)
		}
		if strings.Contains(log.String()+got, secret) {
			t.Errorf("a token is kept: %s\n%s", got, &log)
		}
	}

	postJSON(d.server, doorOrigin, "/signin", jsonOf(signInProof{Nonce: d.ask(d.server, w).Nonce, Signature: signatureOf("0x1", "0x2")}))
	page := remote(http.MethodGet, "/settings")
	page.AddCookie(cookie)
	if body := send(d.server, page).Body.String(); !strings.Contains(body, "A sign-in was refused") {
		t.Error("the wallet's owner does not see a refused sign-in")
	}
}

// TestAFloodOfRefusalsFillsNothing and it is counted what was left out.
func TestAFloodOfRefusalsFillsNothing(t *testing.T) {
	url := dbtest.NewURL(t)
	s := newServer(t, dbtest.Open(t, db.Config{URL: url}), onPublicURL)
	at := time.Now()
	s.now = func() time.Time { return at }
	rows := func() int {
		t.Helper()
		n, err := strconv.Atoi(dbtest.Value(t, url, "SELECT count(*) FROM audit_log"))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	ask := func(address string) {
		t.Helper()
		r := byToken("bsg_guess")
		r.RemoteAddr = address + ":50000"
		if w := send(s, r); w.Code != http.StatusUnauthorized {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	for range 300 {
		ask("203.0.113.7")
	}
	if n := rows(); n != refusalsOfAddress.burst {
		t.Errorf("%d rows of one address", n)
	}
	at = at.Add(time.Minute)
	ask("203.0.113.7")
	if got := dbtest.Value(t, url, "SELECT detail FROM audit_log ORDER BY event_id DESC LIMIT 1"); !strings.Contains(got, fmt.Sprintf("%d more of any wallet were not kept", 300-refusalsOfAddress.burst)) {
		t.Errorf("what was left out is not counted: %s", got)
	}
	for i := range 300 {
		ask(fmt.Sprintf("198.51.%d.%d", i/200, i%200))
	}
	if n := rows(); n > refusalsOfAll.burst+10 {
		t.Errorf("%d rows of many addresses", n)
	}
}

// TestSigningOutEverywhereSaysWhatOfTokens stay good.
func TestSigningOutEverywhereSaysWhatOfTokens(t *testing.T) {
	url := dbtest.NewURL(t)
	s := newServer(t, dbtest.Open(t, db.Config{URL: url}), onPublicURL)
	cookie := signIn(t, s, remote(http.MethodPost, "/signin"), alice)
	settings := func() string {
		t.Helper()
		r := remote(http.MethodGet, "/settings")
		r.AddCookie(cookie)
		return send(s, r).Body.String()
	}
	if page := settings(); !strings.Contains(page, "There are no tokens for scripts that would stay good.") {
		t.Error("without tokens, the page does not say that there are none")
	}
	secret, _ := madeToken(t, s.db)
	if page := settings(); !strings.Contains(page, `One token for scripts stays good: <a href="#tokens-h">revoke it</a>`) {
		t.Error("with one token, the page does not say that it stays")
	}
	past := time.Now().Add(-time.Hour)
	for name, end := range map[string]*time.Time{"another": nil, "expired": &past} {
		if _, err := s.db.AddToken(t.Context(), db.HashSecret(name), db.Token{Name: name, Scope: db.ScopeRead, Wallet: alice, CreatedAt: past.Add(-time.Hour), ExpiresAt: end}); err != nil {
			t.Fatal(err)
		}
	}
	if page := settings(); !strings.Contains(page, `2 tokens for scripts stay good: <a href="#tokens-h">revoke them</a>`) || strings.Count(page, `id="tokens-h"`) != 1 {
		t.Error("with two tokens and an expired one, the page does not say that two stay")
	}
	r := remote(http.MethodPost, "/settings/sessions/end-all", "Sec-Fetch-Site", "same-origin")
	r.AddCookie(cookie)
	if w := send(s, r); w.Code != http.StatusSeeOther {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := send(s, byToken(secret)); w.Code != http.StatusOK {
		t.Errorf("the token that stays good is answered %d", w.Code)
	}
	if got := dbtest.Value(t, url, "SELECT detail FROM audit_log WHERE event = 'sign-out-everywhere'"); got != "sessions: 1; tokens stay: 2" {
		t.Errorf("the audit log says %q", got)
	}
}
