package web

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/bitsage-network/validator-dashboard/db"
)

// bearerOf reads the token of a request's Authorization headers: "" if there is none.
// Other schemes are a proxy's business. ok is false for what can be no token of ours.
func bearerOf(headers []string) (secret string, ok bool) {
	for _, h := range headers {
		scheme, rest, _ := strings.Cut(strings.TrimSpace(h), " ")
		if !strings.EqualFold(scheme, "Bearer") {
			continue
		}
		if secret != "" { // two tokens: whose?
			return "", false
		}
		if secret = strings.TrimLeft(rest, " "); !db.IsTokenSecret(secret) {
			return "", false
		}
	}
	return secret, true
}

// loadToken recognises a request's bearer token: nil if it has none. The problem says why
// the one that it has does not count.
func (s *Server) loadToken(ctx context.Context, r *http.Request) (*db.Token, *problem) {
	secret, sound := bearerOf(r.Header.Values("Authorization"))
	switch {
	case !sound:
		return nil, wrongToken()
	case secret == "":
		return nil, nil
	}
	token, err := s.tokens.of(ctx, db.HashSecret(secret), s.now())
	switch {
	case errors.Is(err, db.ErrNotFound):
		return nil, wrongToken()
	case err != nil:
		return nil, unchecked("This token cannot be checked", "", err)
	case token.ExpiresAt != nil && !token.ExpiresAt.After(s.now()): // remembered from before
		return nil, wrongToken()
	}
	return &token, nil
}

// bearerChallenge tells programs how to prove who they are (RFC 6750).
const bearerChallenge = `Bearer realm="validator dashboard"`

func wrongToken() *problem {
	return newProblem(http.StatusUnauthorized, "This token is not known, or has expired or been revoked. A token begins with "+db.TokenPrefix+" and is sent whole, as Authorization: Bearer "+db.TokenPrefix+"…")
}
