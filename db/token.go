package db

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// TokenScope is what a token is good for.
type TokenScope string

// The scopes.
const (
	ScopeRead   TokenScope = "read"   // the figures of one wallet
	ScopeIngest TokenScope = "ingest" // reports of one worker, or of any
)

// Token is a bearer token of a script, a host or a coordinator.
type Token struct {
	ID        int64 // names it to its owner; 0 before it is stored
	Name      string
	Scope     TokenScope
	Wallet    validator.Address // "" = of a coordinator: any worker
	CreatedAt time.Time
	UsedAt    *time.Time // to within SecretUseStep; nil = never
	ExpiresAt *time.Time // nil = never
}

// Coordinator says whether the token writes for any worker.
func (t Token) Coordinator() bool { return t.Scope == ScopeIngest && t.Wallet == "" }

// MaxTokens is how many tokens a wallet may have.
const MaxTokens = 50

// expiredTokensKept is how long a token is listed, as expired, after its end.
const expiredTokensKept = 30 * 24 * time.Hour

// ErrTooMany says that a wallet has as many of something as it may.
var ErrTooMany = errors.New("there are too many already")

// AddToken stores a new token under the hash of its secret and returns it as stored.
// ErrInvalid: a name, scope or wallet that cannot be. ErrTooMany: the wallet has
// MaxTokens, however many programs add tokens at once.
func (s *Store) AddToken(ctx context.Context, hash SecretHash, t Token) (Token, error) {
	p := insertTokenParams{TokenHash: hash[:], Name: t.Name, Scope: string(t.Scope), CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt}
	if t.Wallet == "" {
		row, err := s.q.insertToken(ctx, p)
		return row.token(), s.fail("store a token", err)
	}
	p.WalletAddress = &t.Wallet
	var row TokenRow
	err := s.inTransaction(ctx, func(q *Queries) error {
		if err := q.lockTokens(ctx, string(t.Wallet)); err != nil {
			return err
		}
		n, err := q.countTokens(ctx, &t.Wallet)
		if err != nil {
			return err
		}
		if n >= MaxTokens {
			return fmt.Errorf("%w: a wallet may have %d", ErrTooMany, MaxTokens)
		}
		row, err = q.insertToken(ctx, p)
		return err
	})
	return row.token(), s.fail("store a token", err)
}

// UseToken returns a token that is in use now. ErrNotFound: there is none of that secret,
// or it has expired.
func (s *Store) UseToken(ctx context.Context, hash SecretHash, now time.Time) (Token, error) {
	row, err := s.q.findToken(ctx, findTokenParams{TokenHash: hash[:], Now: now})
	if err != nil {
		return Token{}, s.fail("find a token", err)
	}
	if before := now.Add(-SecretUseStep); (row.UsedAt == nil || row.UsedAt.Before(before)) && s.CanStore() {
		if err := s.q.markTokenUsed(ctx, markTokenUsedParams{TokenHash: hash[:], Now: &now, UsedBefore: before}); err != nil {
			s.cfg.Log.Warn("the last use of a token could not be written", slog.Any("error", err))
		}
	}
	return row.token(), nil
}

// Tokens returns a wallet's tokens, newest first.
func (s *Store) Tokens(ctx context.Context, wallet validator.Address) ([]Token, error) {
	rows, err := s.q.listTokens(ctx, listTokensParams{WalletAddress: &wallet, MaxRows: MaxPage})
	return tokens(rows), s.fail("list tokens", err)
}

// AllTokens returns the newest tokens of all wallets and coordinators, MaxPage at most.
func (s *Store) AllTokens(ctx context.Context) ([]Token, error) {
	rows, err := s.q.listAllTokens(ctx, MaxPage)
	return tokens(rows), s.fail("list tokens", err)
}

// RevokeToken ends a token at once and returns it. With a wallet, only one of that
// wallet's; "" means any. ErrNotFound: there is none of that ID.
func (s *Store) RevokeToken(ctx context.Context, wallet validator.Address, id int64) (Token, error) {
	var row TokenRow
	var err error
	if wallet == "" {
		row, err = s.q.deleteToken(ctx, id)
	} else {
		row, err = s.q.deleteTokenOfWallet(ctx, deleteTokenOfWalletParams{WalletAddress: &wallet, TokenID: id})
	}
	if errors.Is(err, pgx.ErrNoRows) {
		return Token{}, fmt.Errorf("revoke token %d: %w", id, ErrNotFound)
	}
	return row.token(), s.fail("revoke a token", err)
}

func tokens(rows []TokenRow) []Token {
	out := make([]Token, len(rows))
	for i, r := range rows {
		out[i] = r.token()
	}
	return out
}

func (r TokenRow) token() Token {
	return Token{
		ID: r.TokenID, Name: r.Name, Scope: TokenScope(r.Scope), Wallet: orZero(r.WalletAddress),
		CreatedAt: r.CreatedAt, UsedAt: r.UsedAt, ExpiresAt: r.ExpiresAt,
	}
}

// TokenPrefix begins every token, so that people and secret scanners know it for one.
const TokenPrefix = "bsg_"

// tokenBytes is how many random bytes follow the prefix, in base64url.
const tokenBytes = 32

// NewTokenSecret makes a token. It cannot be found again: only its hash is stored.
func NewTokenSecret() string {
	var b [tokenBytes]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return TokenPrefix + base64.RawURLEncoding.EncodeToString(b[:])
}

// IsTokenSecret says whether a text has the form of a token.
func IsTokenSecret(text string) bool {
	digits, has := strings.CutPrefix(text, TokenPrefix)
	if !has || len(digits) != base64.RawURLEncoding.EncodedLen(tokenBytes) {
		return false
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(digits)
	return err == nil && len(b) == tokenBytes && !strings.ContainsAny(digits, "\r\n")
}
