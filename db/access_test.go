package db_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

func TestSessions(t *testing.T) {
	b := newBench(t)
	now := time.Now().UTC().Truncate(time.Second) // the maintenance forgets those that ended
	hash := db.HashSecret("first")
	add := func(secret string, n db.Session) {
		n.CreatedAt, n.ExpiresAt = now, now.Add(db.SessionLifetime)
		check(t, b.store.AddSession(b.ctx(), db.HashSecret(secret), n))
	}
	add("first", db.Session{Wallet: alice, WalletName: "Braavos", UserAgent: "Firefox"})
	add("second", db.Session{Wallet: alice})
	add("bob's", db.Session{Wallet: bob})

	got := must[db.Session](t)(b.store.UseSession(b.ctx(), hash, now.Add(time.Hour)))
	equal(t, "session", []any{got.Wallet, got.WalletName, got.UserAgent, got.SeenAt.Equal(now)}, []any{alice, "Braavos", "Firefox", true})
	list := must[[]db.Session](t)(b.store.Sessions(b.ctx(), alice, now, 10))
	equal(t, "sessions", len(list), 2)
	equal(t, "last used", list[0].SeenAt, now.Add(time.Hour))
	for name, at := range map[string]time.Time{"idle": now.Add(time.Hour + db.SessionIdle), "expired": now.Add(db.SessionLifetime)} {
		if _, err := b.store.UseSession(b.ctx(), hash, at); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("an %s session: %v", name, err)
		}
	}
	if _, err := b.store.RevokeSession(b.ctx(), bob, list[0].ID); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("bob ended alice's session: %v", err)
	}
	must[db.Session](t)(b.store.RevokeSession(b.ctx(), alice, list[0].ID))
	if _, err := b.store.UseSession(b.ctx(), hash, now); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("a revoked session: %v", err)
	}
	equal(t, "ended", must[int64](t)(b.store.RevokeSessions(b.ctx(), alice)), 1)
	equal(t, "bob's", len(must[[]db.Session](t)(b.store.Sessions(b.ctx(), bob, now, 10))), 1)
	check(t, b.store.EndSession(b.ctx(), db.HashSecret("bob's")))
	equal(t, "bob's", len(must[[]db.Session](t)(b.store.Sessions(b.ctx(), bob, now, 10))), 0)
}

func TestTokens(t *testing.T) {
	b := newBench(t)
	end := now.Add(24 * time.Hour)
	read := must[db.Token](t)(b.store.AddToken(b.ctx(), db.HashSecret("read"), db.Token{Name: "script", Scope: db.ScopeRead, Wallet: alice, CreatedAt: now, ExpiresAt: &end}))
	every := must[db.Token](t)(b.store.AddToken(b.ctx(), db.HashSecret("any"), db.Token{Name: "coordinator", Scope: db.ScopeIngest, CreatedAt: now}))
	equal(t, "coordinators", []bool{read.Coordinator(), every.Coordinator()}, []bool{false, true})

	got := must[db.Token](t)(b.store.UseToken(b.ctx(), db.HashSecret("read"), now))
	equal(t, "token", []any{got.ID, got.Name, got.Scope, got.Wallet, got.UsedAt == nil}, []any{read.ID, "script", db.ScopeRead, alice, true})
	for _, at := range []time.Duration{30 * time.Second, 59 * time.Second, 90 * time.Second} {
		must[db.Token](t)(b.store.UseToken(b.ctx(), db.HashSecret("read"), now.Add(at)))
	}
	equal(t, "last use", must[[]db.Token](t)(b.store.Tokens(b.ctx(), alice))[0].UsedAt, ptr(now.Add(90*time.Second)))
	for _, secret := range []string{"other", ""} {
		if _, err := b.store.UseToken(b.ctx(), db.HashSecret(secret), now); !errors.Is(err, db.ErrNotFound) {
			t.Errorf("secret %q: %v", secret, err)
		}
	}
	if _, err := b.store.UseToken(b.ctx(), db.HashSecret("read"), end); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("an expired token: %v", err)
	}
	equal(t, "all", len(must[[]db.Token](t)(b.store.AllTokens(b.ctx()))), 2)
	equal(t, "bob's", len(must[[]db.Token](t)(b.store.Tokens(b.ctx(), bob))), 0)
	if _, err := b.store.RevokeToken(b.ctx(), bob, read.ID); !errors.Is(err, db.ErrNotFound) {
		t.Errorf("bob revoked alice's token: %v", err)
	}
	must[db.Token](t)(b.store.RevokeToken(b.ctx(), alice, read.ID))
	must[db.Token](t)(b.store.RevokeToken(b.ctx(), "", every.ID))
	equal(t, "all", len(must[[]db.Token](t)(b.store.AllTokens(b.ctx()))), 0)
}

func TestRefusedTokens(t *testing.T) {
	b := newBench(t)
	for name, bad := range map[string]db.Token{
		"nameless": {Scope: db.ScopeRead, Wallet: alice}, "unknown scope": {Name: "x", Scope: "admin", Wallet: alice}, "reads any wallet": {Name: "x", Scope: db.ScopeRead},
	} {
		bad.CreatedAt = now
		if _, err := b.store.AddToken(b.ctx(), db.HashSecret(name), bad); !errors.Is(err, db.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for i := range db.MaxTokens {
		must[db.Token](t)(b.store.AddToken(b.ctx(), db.HashSecret(fmt.Sprint(i)), db.Token{Name: "x", Scope: db.ScopeRead, Wallet: alice, CreatedAt: now}))
	}
	if _, err := b.store.AddToken(b.ctx(), db.HashSecret("more"), db.Token{Name: "x", Scope: db.ScopeRead, Wallet: alice, CreatedAt: now}); !errors.Is(err, db.ErrTooMany) {
		t.Errorf("one more: %v", err)
	}
}

func TestAuditEvents(t *testing.T) {
	b := newBench(t)
	events := []db.AuditEvent{
		{At: now, Wallet: alice, Kind: db.AuditSignIn, Detail: "Braavos", Actor: db.ActorSession, ClientAddress: "203.0.113.7", UserAgent: "Firefox"},
		{At: now, Wallet: bob, Kind: db.AuditSignOut, Actor: db.ActorSession},
		{At: now, Kind: db.AuditTokenCreated, Detail: "coordinator", Actor: db.ActorCommandLine},
		{At: now.Add(time.Second), Wallet: alice, Kind: db.AuditClaimSent, Detail: "0x1", Actor: db.ActorToken},
	}
	for _, e := range events {
		check(t, b.store.Audit(b.ctx(), e))
	}
	for _, kind := range []db.AuditKind{db.AuditSignOutEverywhere, db.AuditSessionEnded, db.AuditTokenRevoked, db.AuditSignInRefused, db.AuditTokenRefused, db.AuditAccessRefused} {
		check(t, b.store.Audit(b.ctx(), db.AuditEvent{At: now, Kind: kind, Actor: db.ActorLocal}))
	}
	equal(t, "alice's", must[[]db.AuditEvent](t)(b.store.AuditEvents(b.ctx(), alice, 10)), []db.AuditEvent{events[3], events[0]})
	equal(t, "newest", len(must[[]db.AuditEvent](t)(b.store.AuditEvents(b.ctx(), alice, 1))), 1)
	if err := b.store.Audit(b.ctx(), db.AuditEvent{At: now, Kind: "theft", Actor: db.ActorLocal}); !errors.Is(err, db.ErrInvalid) {
		t.Errorf("an unknown kind: %v", err)
	}
}

func TestWhoHadAccessIsForgotten(t *testing.T) {
	b := newBench(t)
	rows := func() string {
		return dbtest.Value(t, b.url, "SELECT (SELECT string_agg(wallet_name, ' ' ORDER BY session_id) FROM sessions) || '; ' || (SELECT string_agg(name, ' ' ORDER BY token_id) FROM api_tokens) || '; ' || (SELECT string_agg(detail, ' ' ORDER BY event_id) FROM audit_log)")
	}
	at := time.Now().UTC().AddDate(1, 0, 0) // the store's own maintenance finds nothing to forget now
	for name, c := range map[string]struct{ begun, end time.Time }{
		"used":    {at.Add(-time.Hour), at.Add(time.Hour)},
		"idle":    {at.Add(-db.SessionIdle - time.Minute), at.Add(time.Hour)},
		"expired": {at.Add(-time.Hour), at.Add(-time.Minute)},
	} {
		check(t, b.store.AddSession(b.ctx(), db.HashSecret(name), db.Session{Wallet: alice, WalletName: name, CreatedAt: c.begun, ExpiresAt: c.end}))
	}
	for name, end := range map[string]*time.Time{"endless": nil, "listed": ptr(at.AddDate(0, 0, -29)), "gone": ptr(at.AddDate(0, 0, -31))} {
		must[db.Token](t)(b.store.AddToken(b.ctx(), db.HashSecret(name), db.Token{Name: name, Scope: db.ScopeRead, Wallet: alice, CreatedAt: now, ExpiresAt: end}))
	}
	for detail, age := range map[string]int{"young": 399, "old": 401} {
		check(t, b.store.Audit(b.ctx(), db.AuditEvent{At: at.AddDate(0, 0, -age), Kind: db.AuditSignIn, Detail: detail, Actor: db.ActorSession}))
	}
	for detail, age := range map[string]int{"refused": 29, "refused-long-ago": 31} {
		check(t, b.store.Audit(b.ctx(), db.AuditEvent{At: at.AddDate(0, 0, -age), Kind: db.AuditTokenRefused, Detail: detail, Actor: db.ActorNobody}))
	}
	check(t, b.store.ForgetAccess(b.ctx(), at))
	if got := rows(); got != "used; endless listed; young refused" && got != "used; listed endless; young refused" {
		t.Errorf("there is still %q", got)
	}
}
