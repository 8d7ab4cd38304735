package db

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// How long a session lasts: SessionLifetime after its sign-in at most, and SessionIdle
// after its last request. SecretUseStep is how exactly the last use of a session or a
// token is known: it is written no oftener.
const (
	SessionLifetime = 7 * 24 * time.Hour
	SessionIdle     = 12 * time.Hour
	SecretUseStep   = time.Minute
)

// SecretHash is what the database keeps of a session's or token's secret: its SHA-256.
type SecretHash [sha256.Size]byte

// HashSecret returns what is kept of a secret.
func HashSecret(secret string) SecretHash { return sha256.Sum256([]byte(secret)) }

// Session is a browser that a wallet signed in.
type Session struct {
	ID         int64 // names it to its owner; 0 before it is stored
	Wallet     validator.Address
	WalletName string // of the wallet program; "" if the browser did not tell
	UserAgent  string
	CreatedAt  time.Time
	SeenAt     time.Time // to within SecretUseStep
	ExpiresAt  time.Time
}

// AddSession stores a new session under the hash of its secret.
func (s *Store) AddSession(ctx context.Context, hash SecretHash, n Session) error {
	return s.fail("store a session", s.q.insertSession(ctx, insertSessionParams{
		TokenHash: hash[:], WalletAddress: n.Wallet, WalletName: n.WalletName, UserAgent: n.UserAgent, CreatedAt: n.CreatedAt, ExpiresAt: n.ExpiresAt,
	}))
}

// UseSession returns a session that is in use now. ErrNotFound: there is none of that
// secret, or it has ended.
func (s *Store) UseSession(ctx context.Context, hash SecretHash, now time.Time) (Session, error) {
	row, err := s.q.findSession(ctx, findSessionParams{TokenHash: hash[:], Now: now, IdleSince: now.Add(-SessionIdle)})
	if err != nil {
		return Session{}, s.fail("find a session", err)
	}
	if before := now.Add(-SecretUseStep); row.SeenAt.Before(before) && s.CanStore() {
		if err := s.q.markSessionSeen(ctx, markSessionSeenParams{TokenHash: hash[:], Now: now, SeenBefore: before}); err != nil {
			s.cfg.Log.Warn("the last use of a session could not be written", slog.Any("error", err))
		}
	}
	return row.session(), nil
}

// Sessions returns a wallet's sessions that have not ended, the last used first.
func (s *Store) Sessions(ctx context.Context, wallet validator.Address, now time.Time, limit int) ([]Session, error) {
	rows, err := s.q.listSessions(ctx, listSessionsParams{WalletAddress: wallet, Now: now, IdleSince: now.Add(-SessionIdle), MaxRows: pageSize(limit)})
	out := make([]Session, len(rows))
	for i, r := range rows {
		out[i] = r.session()
	}
	return out, s.fail("list sessions", err)
}

// EndSession ends the session of a secret, if there is one.
func (s *Store) EndSession(ctx context.Context, hash SecretHash) error {
	_, err := s.q.deleteSession(ctx, hash[:])
	return s.fail("end a session", err)
}

// RevokeSession ends one of a wallet's sessions and returns it. ErrNotFound: the wallet
// has none of that ID.
func (s *Store) RevokeSession(ctx context.Context, wallet validator.Address, id int64) (Session, error) {
	row, err := s.q.deleteSessionOfWallet(ctx, deleteSessionOfWalletParams{WalletAddress: wallet, SessionID: id})
	return row.session(), s.fail("revoke a session", err)
}

// RevokeSessions ends all of a wallet's sessions and returns how many there were.
func (s *Store) RevokeSessions(ctx context.Context, wallet validator.Address) (int64, error) {
	n, err := s.q.deleteSessionsOfWallet(ctx, wallet)
	return n, s.fail("revoke sessions", err)
}

func (r SessionRow) session() Session {
	return Session{
		ID: r.SessionID, Wallet: r.WalletAddress, WalletName: r.WalletName, UserAgent: r.UserAgent,
		CreatedAt: r.CreatedAt, SeenAt: r.SeenAt, ExpiresAt: r.ExpiresAt,
	}
}
