package web

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/views"
)

// tokenEntry is what somebody entered for a new token.
type tokenEntry struct{ name, scope, days, problem string }

// tokenScopes and tokenDays are what the form offers. Tokens that write for any worker
// are made on the command line only.
var (
	tokenScopes = []views.Option{{Value: string(db.ScopeRead), Label: "read: see figures"}, {Value: string(db.ScopeIngest), Label: "ingest: send reports"}}
	tokenDays   = []views.Option{{Value: "30", Label: "for 30 days"}, {Value: "90", Label: "for 90 days"}, {Value: "365", Label: "for a year"}, {Value: "0", Label: "until it is revoked"}}
)

func chosen(list []views.Option, value string) []views.Option {
	out := slices.Clone(list)
	for i := range out {
		out[i].Chosen = out[i].Value == value
	}
	return out
}

func (e tokenEntry) form() views.TokenForm {
	return views.TokenForm{Name: e.name, Scopes: chosen(tokenScopes, e.scope), Days: chosen(tokenDays, e.days), Problem: e.problem}
}

// token makes the token that was entered, or says what is wrong.
func (e tokenEntry) token(now time.Time) (t db.Token, problem string) {
	offers := func(list []views.Option, value string) bool {
		return slices.ContainsFunc(list, func(c views.Option) bool { return c.Value == value })
	}
	switch {
	case e.name == "":
		return t, "Give the token a name, such as the script's or the host's."
	case !offers(tokenScopes, e.scope):
		return t, "Choose what the token is for: read or ingest."
	case !offers(tokenDays, e.days):
		return t, "Choose how long the token is good."
	}
	t = db.Token{Name: e.name, Scope: db.TokenScope(e.scope), CreatedAt: now}
	if days, err := strconv.Atoi(e.days); err == nil && days > 0 {
		end := now.AddDate(0, 0, days)
		t.ExpiresAt = &end
	}
	return t, ""
}

func (s *Server) createToken(c echo.Context) error {
	ctx := c.Request().Context()
	v := viewerOf(ctx)
	entry := tokenEntry{name: shortText(c.FormValue("name"), maxTokenName), scope: c.FormValue("scope"), days: c.FormValue("days")}
	t, problem := entry.token(s.now())
	if problem != "" {
		entry.problem = problem
		return s.showSettings(c, http.StatusBadRequest, entry)
	}
	t.Wallet = v.session.Wallet
	secret := db.NewTokenSecret()
	t, err := s.db.AddToken(ctx, db.HashSecret(secret), t)
	switch {
	case errors.Is(err, db.ErrTooMany):
		entry.problem = fmt.Sprintf("A wallet has %d tokens at most. Revoke one that is not used any more.", db.MaxTokens)
		return s.showSettings(c, http.StatusConflict, entry)
	case err != nil:
		return s.sessionProblem("The token was not made", err)
	}
	s.audit(ctx, v.origin, db.AuditEvent{Wallet: t.Wallet, Kind: db.AuditTokenCreated, Detail: tokenDetail(t), Actor: db.ActorSession})
	m := views.NewTokenPage{
		Page: s.page(c.Request(), "New token", "settings", t.Wallet), Name: t.Name, Scope: string(t.Scope), Secret: secret, Expires: dayOf(t.ExpiresAt),
		Example: "For example, the wallet's status:", ExampleHeader: `curl -H "Authorization: Bearer $TOKEN" $DASHBOARD/api/validator/status`,
	}
	if t.Scope == db.ScopeIngest {
		m.Example = "For example, a heartbeat of this worker:"
		m.ExampleHeader = `curl -H "Authorization: Bearer $TOKEN" -H "Content-Type: application/json" -d '{"worker_id": "rig-1"}' $DASHBOARD/api/worker/heartbeat`
	}
	return s.render(c, http.StatusOK, views.NewToken(m))
}

// maxTokenName is how long a token's name may be, in bytes.
const maxTokenName = 100

// tokenDetail is what the audit log keeps of a token.
func tokenDetail(t db.Token) string { return fmt.Sprintf("%s (%s)", t.Name, t.Scope) }

func (s *Server) revokeToken(c echo.Context) error {
	id, err := formID(c)
	if err != nil {
		return err
	}
	ctx := c.Request().Context()
	v := viewerOf(ctx)
	t, err := s.db.RevokeToken(ctx, v.session.Wallet, id)
	switch {
	case errors.Is(err, db.ErrNotFound): // it is revoked already
		return backToSettings(c)
	case err != nil:
		return s.sessionProblem("The token is still good", err)
	}
	s.audit(ctx, v.origin, db.AuditEvent{Wallet: t.Wallet, Kind: db.AuditTokenRevoked, Detail: tokenDetail(t), Actor: db.ActorSession})
	return backToSettings(c)
}

// dayOf writes the day of an end, "" if there is none.
func dayOf(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format(time.DateOnly)
}
