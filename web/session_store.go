package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/alexedwards/scs/v2"

	"github.com/bitsage-network/validator-dashboard/db"
)

// sessionKey is the one value that a session holds: a db.Session.
const sessionKey = "session"

// sessionStore keeps sessions in the database, under the hash of their token.
type sessionStore struct {
	db     *db.Store
	proven *proven[db.Session]
	now    func() time.Time
}

var _ scs.CtxStore = sessionStore{}

// FindCtx finds a session that has not ended.
func (s sessionStore) FindCtx(ctx context.Context, token string) (b []byte, found bool, err error) {
	session, err := s.proven.of(ctx, db.HashSecret(token), s.now())
	switch {
	case errors.Is(err, db.ErrNotFound):
		return nil, false, nil
	case err != nil:
		return nil, false, fmt.Errorf("recognise a session: %w", err)
	}
	b, err = json.Marshal(session)
	return b, err == nil, err
}

// CommitCtx stores a new session. Nothing of a stored one changes but its last use, which
// the database notes when it finds it.
func (s sessionStore) CommitCtx(ctx context.Context, token string, b []byte, expiry time.Time) error {
	var session db.Session
	if err := json.Unmarshal(b, &session); err != nil {
		return fmt.Errorf("read a session: %w", err)
	}
	session.ExpiresAt = expiry
	return s.db.AddSession(ctx, db.HashSecret(token), session)
}

// DeleteCtx ends a session.
func (s sessionStore) DeleteCtx(ctx context.Context, token string) error {
	hash := db.HashSecret(token)
	s.proven.forget(hash)
	return s.db.EndSession(ctx, hash)
}

// Find is FindCtx without a context.
func (s sessionStore) Find(token string) (b []byte, found bool, err error) {
	return s.FindCtx(context.Background(), token)
}

// Commit is CommitCtx without a context.
func (s sessionStore) Commit(token string, b []byte, expiry time.Time) error {
	return s.CommitCtx(context.Background(), token, b, expiry)
}

// Delete is DeleteCtx without a context.
func (s sessionStore) Delete(token string) error { return s.DeleteCtx(context.Background(), token) }

// sessionCodec writes the one value that a session holds.
type sessionCodec struct{}

var _ scs.Codec = sessionCodec{}

// Encode writes the session; its deadline is a column of its own.
func (sessionCodec) Encode(_ time.Time, values map[string]any) ([]byte, error) {
	session, is := values[sessionKey].(db.Session)
	if !is {
		return nil, errors.New("a session without a wallet")
	}
	return json.Marshal(session)
}

// Decode reads the session.
func (sessionCodec) Decode(b []byte) (time.Time, map[string]any, error) {
	var session db.Session
	if err := json.Unmarshal(b, &session); err != nil {
		return time.Time{}, nil, fmt.Errorf("read a session: %w", err)
	}
	return session.ExpiresAt, map[string]any{sessionKey: session}, nil
}
