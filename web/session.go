package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/scs/v2"
	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// Names of the cookie. Browsers accept the first only with Secure, for the whole host and
// from the host itself; on this machine, without TLS, they need not accept Secure.
const (
	sessionCookie         = "__Host-session"
	loopbackSessionCookie = "session"
)

// sessionManagers make and recognise the cookies of browsers that a wallet signed in.
type sessionManagers struct{ strict, loopback *scs.SessionManager }

func (s *Server) newSessions() (sessionManagers, error) {
	remembered, err := newProven(s.db.UseSession)
	if err != nil {
		return sessionManagers{}, err
	}
	manager := func(cookie string, secure bool) *scs.SessionManager {
		m := scs.New()
		m.Store = sessionStore{s.db, remembered, func() time.Time { return s.now() }}
		m.Codec = sessionCodec{}
		m.Lifetime = db.SessionLifetime // the store ends idle ones
		m.Cookie.Name, m.Cookie.Secure = cookie, secure
		m.Cookie.HttpOnly, m.Cookie.SameSite = true, http.SameSiteLaxMode
		return m
	}
	return sessionManagers{manager(sessionCookie, true), manager(loopbackSessionCookie, false)}, nil
}

// sessionManager chooses the cookie that a request's browser accepts.
func (s *Server) sessionManager(r *http.Request) *scs.SessionManager {
	if s.publicURL == "" && r.TLS == nil && s.isLocal(r) || isLoopbackHTTP(s.publicURL) {
		return s.sessions.loopback
	}
	return s.sessions.strict
}

// isLoopbackHTTP says whether an origin is plain http on the reader's own machine.
func isLoopbackHTTP(origin string) bool {
	u, err := url.Parse(origin)
	return err == nil && u.Scheme == "http" && isLoopbackHost(u.Host)
}

// loadSession recognises the session of a request's cookie: nil if there is none. The
// request that it returns carries what startSession and endSession need.
func (s *Server) loadSession(r *http.Request) (*http.Request, *db.Session, error) {
	m := s.sessionManager(r)
	cookie, err := r.Cookie(m.Cookie.Name)
	if err != nil || cookie.Value == "" {
		return r, nil, nil //nolint:nilerr // a request without a cookie is nobody's
	}
	ctx, err := m.Load(r.Context(), cookie.Value)
	if err != nil {
		return r, nil, err
	}
	session, found := m.Get(ctx, sessionKey).(db.Session)
	if !found {
		return r, nil, nil
	}
	return r.WithContext(ctx), &session, nil
}

// startSession signs a wallet in: it gives the browser a new session, and ends the one
// that it had. walletName is what the wallet program calls itself, "" if it did not tell.
func (s *Server) startSession(c echo.Context, wallet validator.Address, walletName string) error {
	r := c.Request()
	m := s.sessionManager(r)
	ctx, err := m.Load(r.Context(), "")
	if err != nil {
		return s.sessionProblem("You are not signed in", err)
	}
	if err := m.RenewToken(ctx); err != nil {
		return s.sessionProblem("You are not signed in", err)
	}
	m.Put(ctx, sessionKey, db.Session{
		Wallet: wallet, WalletName: shortText(walletName, maxWalletName), UserAgent: shortText(r.UserAgent(), maxUserAgent), CreatedAt: s.now(),
	})
	token, expiry, err := m.Commit(ctx)
	if err != nil {
		return s.sessionProblem("You are not signed in", err)
	}
	m.WriteSessionCookie(ctx, c.Response(), token, expiry)
	s.audit(ctx, originOf(c), db.AuditEvent{Wallet: wallet, Kind: db.AuditSignIn, Detail: shortText(walletName, maxWalletName), Actor: db.ActorSession})
	return nil
}

// endSession signs the browser out.
func (s *Server) endSession(c echo.Context) error {
	r := c.Request()
	m := s.sessionManager(r)
	ctx, err := m.Load(r.Context(), "")
	if err != nil {
		return s.sessionProblem("You are still signed in", err)
	}
	if err := m.Destroy(ctx); err != nil {
		return s.sessionProblem("You are still signed in", err)
	}
	s.forgetCookie(c)
	return nil
}

// forgetCookie makes the browser drop its session's cookie.
func (s *Server) forgetCookie(c echo.Context) {
	r := c.Request()
	s.sessionManager(r).WriteSessionCookie(r.Context(), c.Response(), "", time.Time{})
}

func (s *Server) sessionProblem(consequence string, err error) *problem {
	if !errors.Is(err, db.ErrUnavailable) {
		return unexpected(err)
	}
	return unavailable(consequence+", "+s.sinceDatabase()+". Please try again.", err)
}

// Lengths in bytes of what a browser says of itself.
const (
	maxWalletName = 60
	maxUserAgent  = 300
)

// shortText makes a text of a stranger fit for keeping: valid, printable and short.
func shortText(text string, maxBytes int) string {
	text = strings.Map(func(c rune) rune {
		if c < ' ' || c == 0x7f || c == utf8.RuneError {
			return -1
		}
		return c
	}, strings.TrimSpace(text))
	for len(text) > maxBytes {
		_, size := utf8.DecodeLastRuneInString(text)
		text = text[:len(text)-size]
	}
	return text
}

// signOut answers the sign-out button.
func (s *Server) signOut(c echo.Context) error {
	v := viewerOf(c.Request().Context())
	if v.refused != nil && v.refused.unchecked { // its session cannot be ended
		return v.refused
	}
	if v.session == nil { // signed out already
		s.forgetCookie(c)
		return c.Redirect(http.StatusSeeOther, "/")
	}
	if err := s.endSession(c); err != nil {
		return err
	}
	s.audit(c.Request().Context(), v.origin, db.AuditEvent{Wallet: v.session.Wallet, Kind: db.AuditSignOut, Actor: db.ActorSession})
	return c.Redirect(http.StatusSeeOther, "/")
}
