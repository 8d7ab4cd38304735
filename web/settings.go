package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/views"
)

// Rows on the settings page.
const (
	sessionsShown = 50
	eventsShown   = 30
)

func (s *Server) settingsPage(c echo.Context) error {
	return s.showSettings(c, http.StatusOK, tokenEntry{})
}

// showSettings renders the page with what was entered for a new token.
func (s *Server) showSettings(c echo.Context, status int, entry tokenEntry) error {
	ctx, now := c.Request().Context(), s.now()
	mine := viewerOf(ctx).session
	sessions, err := s.db.Sessions(ctx, mine.Wallet, now, sessionsShown)
	if err != nil {
		return s.sessionProblem("The settings cannot be shown", err)
	}
	tokens, err := s.db.Tokens(ctx, mine.Wallet)
	if err != nil {
		return s.sessionProblem("The settings cannot be shown", err)
	}
	events, err := s.db.AuditEvents(ctx, mine.Wallet, eventsShown)
	if err != nil {
		return s.sessionProblem("The settings cannot be shown", err)
	}
	m := views.SettingsPage{
		Page:    s.page(c.Request(), "Settings · "+mine.Wallet.Abbreviated(), "settings", mine.Wallet),
		Lasting: fmt.Sprintf("A session ends %d days after its sign-in, or after %d hours without use.", int(db.SessionLifetime.Hours()/24), int(db.SessionIdle.Hours())),
		Token:   entry.form(),
	}
	for _, n := range sessions {
		m.Sessions = append(m.Sessions, views.SessionRow{
			ID: strconv.FormatInt(n.ID, 10), Device: device(n.UserAgent), UserAgent: n.UserAgent, WalletName: n.WalletName, Current: n.ID == mine.ID,
			SignedIn: moment(now, n.CreatedAt), Seen: moment(now, n.SeenAt),
		})
	}
	for _, t := range tokens {
		row := views.TokenRow{ID: strconv.FormatInt(t.ID, 10), Name: t.Name, Scope: string(t.Scope), Created: moment(now, t.CreatedAt), Expires: dayOf(t.ExpiresAt)}
		if t.UsedAt != nil {
			row.Used = moment(now, *t.UsedAt)
		}
		if row.Expired = t.ExpiresAt != nil && !t.ExpiresAt.After(now); !row.Expired {
			m.GoodTokens++
		}
		m.Tokens = append(m.Tokens, row)
	}
	for _, e := range events {
		m.Events = append(m.Events, views.EventRow{
			When: moment(now, e.At), What: auditWords[e.Kind], Detail: e.Detail, By: actorWords[e.Actor], From: e.ClientAddress, Agent: e.UserAgent,
		})
	}
	return s.render(c, status, views.Settings(m))
}

// auditWords and actorWords say for people what the audit log has.
var (
	auditWords = map[db.AuditKind]string{
		db.AuditSignIn:            "Signed in",
		db.AuditSignOut:           "Signed out",
		db.AuditSignOutEverywhere: "Signed out everywhere",
		db.AuditSessionEnded:      "Ended a session",
		db.AuditTokenCreated:      "Made a token",
		db.AuditTokenRevoked:      "Revoked a token",
		db.AuditClaimSent:         "Sent a claim",
		db.AuditClaimPriced:       "Entered a claim's price",
		db.AuditSignInRefused:     "A sign-in was refused",
		db.AuditTokenRefused:      "A token was refused",
		db.AuditAccessRefused:     "A request was refused",
	}
	actorWords = map[db.AuditActor]string{
		db.ActorSession:     "the wallet",
		db.ActorToken:       "a token",
		db.ActorLocal:       "somebody on the server's machine",
		db.ActorCommandLine: "the command line",
		db.ActorNobody:      "somebody unknown",
	}
)

// formID reads which of the wallet's own a form is about.
func formID(c echo.Context) (int64, error) {
	id, err := strconv.ParseInt(c.FormValue("id"), 10, 64)
	if err != nil || id < 1 {
		return 0, badField("body.id", "must be the number of an entry on the settings page", nil)
	}
	return id, nil
}

// backToSettings ends a change that another tab or an older page asked for, too.
func backToSettings(c echo.Context) error { return c.Redirect(http.StatusSeeOther, "/settings") }

func (s *Server) revokeSession(c echo.Context) error {
	id, err := formID(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	v := viewerOf(ctx)
	ended, err := s.db.RevokeSession(ctx, v.session.Wallet, id)
	switch {
	case errors.Is(err, db.ErrNotFound): // it has ended already
		return backToSettings(c)
	case err != nil:
		return s.sessionProblem("That session goes on", err)
	}
	s.audit(ctx, v.origin, db.AuditEvent{Wallet: ended.Wallet, Kind: db.AuditSessionEnded, Detail: device(ended.UserAgent), Actor: db.ActorSession})
	return backToSettings(c)
}

func (s *Server) revokeSessions(c echo.Context) error {
	ctx := c.Request().Context()
	v := viewerOf(ctx)
	tokens, err := s.db.Tokens(ctx, v.session.Wallet)
	if err != nil {
		return s.sessionProblem("You are still signed in", err)
	}
	now := s.now()
	good := slices.DeleteFunc(tokens, func(t db.Token) bool { return t.ExpiresAt != nil && !t.ExpiresAt.After(now) })
	n, err := s.db.RevokeSessions(ctx, v.session.Wallet)
	if err != nil {
		return s.sessionProblem("You are still signed in", err)
	}
	s.forgetCookie(c)
	s.audit(ctx, v.origin, db.AuditEvent{Wallet: v.session.Wallet, Kind: db.AuditSignOutEverywhere, Detail: fmt.Sprintf("sessions: %d; tokens stay: %d", n, len(good)), Actor: db.ActorSession})
	return c.Redirect(http.StatusSeeOther, "/signin")
}
