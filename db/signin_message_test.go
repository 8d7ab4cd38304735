package db_test

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

func signInOf(b bench, nonce string) db.SignInMessage {
	b.Helper()
	return must[db.SignInMessage](b.T)(b.store.IssueSignIn(b.ctx(), nonce, "192.0.2.1", 100, db.SignInMessage{Wallet: alice, ChainID: "SN_SEPOLIA", URI: "https://validators.example"}))
}

// wants compares the error that a message is refused with.
func (b bench) wants(what string, err, want error) {
	b.Helper()
	if !errors.Is(err, want) || (want == nil) != (err == nil) {
		b.Errorf("%s: %v, want %v", what, err, want)
	}
}

func TestASignInMessageIsUsedOnce(t *testing.T) {
	b := newBench(t)
	issued := signInOf(b, "nonce")
	if issued.Wallet != alice || issued.ChainID != "SN_SEPOLIA" || issued.URI != "https://validators.example" ||
		issued.ExpiresAt.Sub(issued.IssuedAt) != db.SignInLifetime || issued.IssuedAt.Nanosecond() != 0 || time.Since(issued.IssuedAt).Abs() > 10*time.Second {
		t.Errorf("issued %+v", issued)
	}
	tried, err := b.store.TrySignIn(b.ctx(), "nonce")
	b.wants("a try", err, nil)
	equal(t, "the message", tried, issued)
	_, err = b.store.TrySignIn(b.ctx(), "another nonce")
	b.wants("an unknown nonce", err, db.ErrNotFound)
	b.wants("using an unknown nonce", b.store.UseSignIn(b.ctx(), "another nonce"), db.ErrNotFound)
	b.wants("the first use", b.store.UseSignIn(b.ctx(), "nonce"), nil)
	b.wants("a second use", b.store.UseSignIn(b.ctx(), "nonce"), db.ErrSignInUsed)
	_, err = b.store.TrySignIn(b.ctx(), "nonce")
	b.wants("a try after the use", err, db.ErrSignInUsed)
	if kept := dbtest.Value(t, b.url, "SELECT bool_or(signin_messages::text LIKE '%nonce%') FROM signin_messages"); kept != "false" {
		t.Errorf("the nonce is kept as it is: %s", kept)
	}
}

func TestOfRacingUsesOneWins(t *testing.T) {
	b := newBench(t)
	signInOf(b, "nonce")
	const racers = 40
	errs := make([]error, racers)
	var all sync.WaitGroup
	start := make(chan struct{})
	for i := range racers {
		all.Go(func() {
			<-start
			errs[i] = b.store.UseSignIn(b.ctx(), "nonce")
		})
	}
	close(start)
	all.Wait()
	won := 0
	for _, err := range errs {
		if err == nil {
			won++
			continue
		}
		b.wants("a loser", err, db.ErrSignInUsed)
	}
	equal(t, "winners", won, 1)
}

func TestASignInMessageExpires(t *testing.T) {
	b := newBench(t)
	signInOf(b, "nonce")
	_, err := b.store.TrySignIn(b.ctx(), "nonce")
	b.wants("a try", err, nil)
	b.exec("UPDATE signin_messages SET issued_at = issued_at - interval '5 minutes', expires_at = expires_at - interval '5 minutes'")
	_, err = b.store.TrySignIn(b.ctx(), "nonce")
	b.wants("a try too late", err, db.ErrSignInExpired)
	b.wants("a use too late", b.store.UseSignIn(b.ctx(), "nonce"), db.ErrSignInExpired)

	signInOf(b, "open")
	check(t, b.store.ForgetSignIns(b.ctx()))
	equal(t, "messages kept for a while", dbtest.Value(t, b.url, "SELECT count(*) FROM signin_messages"), "2")
	b.exec("UPDATE signin_messages SET issued_at = issued_at - interval '11 minutes', expires_at = expires_at - interval '11 minutes' WHERE expires_at <= now()")
	check(t, b.store.ForgetSignIns(b.ctx()))
	equal(t, "messages after the sweep", dbtest.Value(t, b.url, "SELECT count(*) FROM signin_messages"), "1")
	b.wants("the one that is open", b.store.UseSignIn(b.ctx(), "open"), nil)
	_, err = b.store.TrySignIn(b.ctx(), "nonce")
	b.wants("the one that was swept", err, db.ErrNotFound)
}

func TestASignInMessageIsTriedAFewTimes(t *testing.T) {
	b := newBench(t)
	signInOf(b, "nonce")
	for i := range 5 {
		_, err := b.store.TrySignIn(b.ctx(), "nonce")
		b.wants(fmt.Sprintf("try %d", i+1), err, nil)
	}
	_, err := b.store.TrySignIn(b.ctx(), "nonce")
	b.wants("a try too many", err, db.ErrSignInTries)
}

func TestAClientHasAFewOpenSignInMessages(t *testing.T) {
	b := newBench(t)
	issue := func(client, nonce string) error {
		_, err := b.store.IssueSignIn(b.ctx(), nonce, client, 3, db.SignInMessage{Wallet: bob, ChainID: "SN_MAIN", URI: "https://a.example"})
		return err
	}
	for i := range 3 {
		check(t, issue("192.0.2.1", fmt.Sprint("a", i)))
	}
	var many *db.TooManySignIns
	if err := issue("192.0.2.1", "a3"); !errors.As(err, &many) || many.RetryAfter <= 4*time.Minute || many.RetryAfter > db.SignInLifetime {
		t.Errorf("one too many: %v", err)
	}
	b.wants("another client", issue("192.0.2.2", "b0"), nil)
	check(t, b.store.UseSignIn(b.ctx(), "a0"))
	b.wants("after one was used", issue("192.0.2.1", "a4"), nil)
	b.exec("UPDATE signin_messages SET issued_at = issued_at - interval '6 minutes', expires_at = expires_at - interval '6 minutes'")
	b.wants("after all have expired", issue("192.0.2.1", "a5"), nil)
}
