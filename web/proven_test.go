package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// stall locks tables, so that nobody who asks for them is answered, until it is called back.
func stall(t *testing.T, url string, tables ...string) (release func()) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	release = func() { _ = conn.Close(context.Background()) }
	t.Cleanup(release)
	if _, err := conn.Exec(t.Context(), "BEGIN; LOCK TABLE "+strings.Join(tables, ", ")+" IN ACCESS EXCLUSIVE MODE"); err != nil {
		t.Fatal(err)
	}
	return release
}

// madeToken stores a token of scope read.
func madeToken(t *testing.T, store *db.Store) (string, db.Token) {
	t.Helper()
	secret := db.NewTokenSecret()
	token, err := store.AddToken(t.Context(), db.HashSecret(secret), db.Token{Name: "script", Scope: db.ScopeRead, Wallet: alice, CreatedAt: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	return secret, token
}

// byToken is a request with a token, byCookie one with a session, as a panel's poll.
func byToken(secret string) *http.Request {
	return remote(http.MethodGet, "/api/validator/status", "Authorization", "Bearer "+secret)
}

func byCookie(cookie *http.Cookie) *http.Request {
	r := remote(http.MethodGet, "/partials/jobs", "HX-Request", "true")
	r.AddCookie(cookie)
	return r
}

// TestWhatIsRevokedEndsOnEveryReplicaAtOnce although the other replica remembers it, and its
// clock stands still: nothing but the database's word can end it there.
func TestWhatIsRevokedEndsOnEveryReplicaAtOnce(t *testing.T) {
	url := dbtest.NewURL(t)
	one, two := newServer(t, dbtest.Open(t, db.Config{URL: url}), onPublicURL), newServer(t, dbtest.Open(t, db.Config{URL: url}), onPublicURL)
	at := time.Now()
	two.now = func() time.Time { return at }
	post := func(path, form string, cookie *http.Cookie) {
		t.Helper()
		r := remote(http.MethodPost, path, "Content-Type", "application/x-www-form-urlencoded", "Sec-Fetch-Site", "same-origin")
		r.Body = httptest.NewRequest(http.MethodPost, path, strings.NewReader(form)).Body
		r.AddCookie(cookie)
		if w := send(one, r); w.Code != http.StatusSeeOther {
			t.Fatalf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	revoking := signIn(t, one, remote(http.MethodPost, "/signin"), alice)
	for name, revoke := range map[string]func(id int64){
		"one session": func(id int64) { post("/settings/sessions/end", "id="+strconv.FormatInt(id, 10), revoking) },
		"every session": func(int64) {
			post("/settings/sessions/end-all", "", revoking)
			revoking = signIn(t, one, remote(http.MethodPost, "/signin"), alice)
		},
	} {
		cookie := signIn(t, one, remote(http.MethodPost, "/signin"), alice)
		id, err := strconv.ParseInt(dbtest.Value(t, url, "SELECT max(session_id) FROM sessions"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		if w := send(two, byCookie(cookie)); w.Code != http.StatusOK {
			t.Fatalf("before %s was ended: %d", name, w.Code)
		}
		revoke(id)
		if w := send(two, byCookie(cookie)); w.Code != http.StatusUnauthorized {
			t.Errorf("after %s was ended: %d", name, w.Code)
		}
	}

	secret, token := madeToken(t, one.db)
	if w := send(two, byToken(secret)); w.Code != http.StatusOK {
		t.Fatalf("before the token was revoked: %d %s", w.Code, w.Body)
	}
	post("/settings/tokens/revoke", "id="+strconv.FormatInt(token.ID, 10), revoking)
	if w := send(two, byToken(secret)); w.Code != http.StatusUnauthorized {
		t.Errorf("after the token was revoked: %d", w.Code)
	}
}

// TestWhileTheDatabaseStallsProofsLastHalfAMinute, and then nobody is signed out: it is said
// that the sign-in cannot be checked.
func TestWhileTheDatabaseStallsProofsLastHalfAMinute(t *testing.T) {
	url := dbtest.NewURL(t)
	s := newServer(t, dbtest.Open(t, db.Config{URL: url}), onPublicURL)
	cookie := signIn(t, s, remote(http.MethodPost, "/signin"), alice)
	secret, _ := madeToken(t, s.db)
	page := remote(http.MethodGet, "/jobs")
	page.AddCookie(cookie)
	out := remote(http.MethodPost, "/signout", "Sec-Fetch-Site", "same-origin")
	out.AddCookie(cookie)
	requests := map[string]struct {
		r     *http.Request
		words string
	}{
		"a panel": {byCookie(cookie), "Your sign-in cannot be checked, since the database does not answer. You are not signed out."},
		"a page":  {page, "Your sign-in cannot be checked, since the database does not answer. You are not signed out."},
		"a token": {byToken(secret), "This token cannot be checked, since the database does not answer."},
	}
	begun := time.Now()
	at := begun
	s.now = func() time.Time { return at }
	all := func(want int) {
		t.Helper()
		for name, q := range requests {
			if w := send(s, q.r); w.Code != want {
				t.Errorf("%v after the stall, %s is answered %d %s", at.Sub(begun), name, w.Code, w.Body)
			}
		}
	}
	all(http.StatusOK)
	release := stall(t, url, "sessions", "api_tokens")
	all(http.StatusOK)
	at = begun.Add(provenFor - time.Millisecond)
	all(http.StatusOK)
	if provenFor+provenPatience > 30*time.Second {
		t.Errorf("a proof lasts %v and a request %v more", provenFor, provenPatience)
	}

	at = begun.Add(provenFor)
	requests["the sign-out"] = struct {
		r     *http.Request
		words string
	}{out, "You are not signed out."}
	for name, q := range requests {
		w := send(s, q.r)
		if w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" || w.Header().Get(uncheckedHeader) == "" || !strings.Contains(w.Body.String(), q.words) {
			t.Errorf("%s: %d %v %s", name, w.Code, w.Header(), w.Body)
		}
		if w.Header().Get("Set-Cookie") != "" || strings.Contains(w.Body.String(), ">Sign in<") {
			t.Errorf("%s signs out: %v %s", name, w.Header(), w.Body)
		}
	}
	stranger := byCookie(&http.Cookie{Name: sessionCookie, Value: "guess"})
	if w := send(s, stranger); w.Code != http.StatusServiceUnavailable {
		t.Errorf("an unknown cookie is answered %d", w.Code)
	}
	if w := send(s, remote(http.MethodGet, "/network")); w.Code != http.StatusOK {
		t.Errorf("what anybody may see is answered %d", w.Code)
	}
	delete(requests, "the sign-out")
	release()
	all(http.StatusOK)
}
