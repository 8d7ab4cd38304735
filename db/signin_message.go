package db

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// SignInLifetime is how long a message can be signed in with. maxSignInTries is how many
// signatures may be presented for one message: each has an account's contract asked.
const (
	SignInLifetime = 5 * time.Minute
	maxSignInTries = 5

	// signInsKept is how long after its expiry the server can still say that a message expired.
	signInsKept = 10 * time.Minute
)

// Why a sign-in message is no longer good, for errors.Is.
var (
	ErrSignInExpired = errors.New("the sign-in message has expired")
	ErrSignInUsed    = errors.New("the sign-in message was used already")
	ErrSignInTries   = errors.New("too many signatures were presented for the sign-in message")
)

// TooManySignIns says that a client has too many sign-in messages that it did not use.
type TooManySignIns struct {
	RetryAfter time.Duration // until the first of them expires
}

// Error is for the log.
func (e *TooManySignIns) Error() string {
	return fmt.Sprintf("too many open sign-in messages, the first expires in %s", e.RetryAfter)
}

// SignInMessage is what a wallet was asked to sign, all but its nonce.
type SignInMessage struct {
	Wallet    validator.Address
	ChainID   string
	URI       string    // the origin of the server that asked
	IssuedAt  time.Time // by the database's clock, in whole seconds, like ExpiresAt
	ExpiresAt time.Time
}

// IssueSignIn stores a message under its nonce and returns it with its times. Of its
// messages a client network (an address, or a prefix that one client may have as a whole)
// may leave maxOpen unused; a few more if it asks for several at once. Then the error is a
// *TooManySignIns.
func (s *Store) IssueSignIn(ctx context.Context, nonce, clientNetwork string, maxOpen int64, m SignInMessage) (SignInMessage, error) {
	open, err := s.q.countOpenSignIns(ctx, clientNetwork)
	if err != nil {
		return SignInMessage{}, s.fail("count open sign-in messages", err)
	}
	if open.Open >= maxOpen {
		wait := time.Duration(open.FirstEndsInSeconds * float64(time.Second))
		return SignInMessage{}, fmt.Errorf("issue a sign-in message: %w", &TooManySignIns{RetryAfter: wait})
	}
	row, err := s.q.issueSignIn(ctx, issueSignInParams{
		NonceHash: nonceHash(nonce), WalletAddress: m.Wallet, ChainID: m.ChainID, URI: m.URI, ClientNetwork: clientNetwork, Lasts: SignInLifetime,
	})
	m.IssuedAt, m.ExpiresAt = row.IssuedAt, row.ExpiresAt
	return m, s.fail("issue a sign-in message", err)
}

// TrySignIn notes that a signature is presented for the message of a nonce, and returns the
// message for it to be checked. The error is ErrNotFound, ErrSignInExpired, ErrSignInUsed
// or ErrSignInTries if the message is not good for another try.
func (s *Store) TrySignIn(ctx context.Context, nonce string) (SignInMessage, error) {
	row, err := s.q.trySignIn(ctx, trySignInParams{NonceHash: nonceHash(nonce), MaxTries: maxSignInTries})
	if errors.Is(err, pgx.ErrNoRows) {
		return SignInMessage{}, s.whyNoSignIn(ctx, nonce)
	}
	return SignInMessage{
		Wallet: row.WalletAddress, ChainID: row.ChainID, URI: row.URI, IssuedAt: row.IssuedAt, ExpiresAt: row.ExpiresAt,
	}, s.fail("try a sign-in message", err)
}

// UseSignIn uses up the message of a nonce. Of several that do so at once, one succeeds.
// The others get the errors of TrySignIn, and so does who comes too late.
func (s *Store) UseSignIn(ctx context.Context, nonce string) error {
	used, err := s.q.useSignIn(ctx, nonceHash(nonce))
	if err == nil && used == 0 {
		return s.whyNoSignIn(ctx, nonce)
	}
	return s.fail("use a sign-in message", err)
}

// whyNoSignIn says why a message is not good.
func (s *Store) whyNoSignIn(ctx context.Context, nonce string) error {
	row, err := s.q.getSignIn(ctx, nonceHash(nonce))
	switch {
	case err != nil:
		return s.fail("find a sign-in message", err)
	case row.Used:
		return ErrSignInUsed
	case row.Expired:
		return ErrSignInExpired
	}
	return ErrSignInTries
}

// nonceHash is what the database keeps of a nonce.
func nonceHash(nonce string) []byte {
	hash := HashSecret(nonce)
	return hash[:]
}
