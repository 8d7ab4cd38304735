package web

import (
	"context"
	"net/http"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/observe"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// access says who may call a route.
type access int

const (
	accessUnstated access = iota // a mistake: New refuses to build a server with such a route
	accessPublic                 // anyone: nothing of a wallet or of this host is in the answer
	accessWallet                 // who may see the wallet that is asked for
	accessOwner                  // who may act for that wallet: its session, no token
	accessSession                // who is signed in
	accessIngest                 // who may write for the worker that is written about
	accessOperator               // who runs this server, on its own machine
)

// viewer is who a request comes from. A request with a credential is judged by that alone,
// also under the local access rule.
type viewer struct {
	local   bool        // the local access rule holds
	session *db.Session // nil unless signed in
	token   *db.Token   // nil unless a bearer token came along
	refused *problem    // why the credential that came along does not count
	origin  origin
}

// anyWallet says whether the viewer may read any wallet, and write for any worker.
func (v viewer) anyWallet() bool { return v.local && v.session == nil && v.token == nil }

// wallet is the one that the viewer's credential stands for, "" if for none.
func (v viewer) wallet() validator.Address {
	switch {
	case v.token != nil:
		return v.token.Wallet
	case v.session != nil:
		return v.session.Wallet
	}
	return ""
}

// actor is what the viewer proved who they are with.
func (v viewer) actor() db.AuditActor {
	switch {
	case v.token != nil:
		return db.ActorToken
	case v.session != nil:
		return db.ActorSession
	}
	return db.ActorLocal
}

// provenBy is actor, but for who proved nothing.
func (v viewer) provenBy() db.AuditActor {
	if v.stranger() {
		return db.ActorNobody
	}
	return v.actor()
}

// stranger says whether nothing at all is known of the viewer.
func (v viewer) stranger() bool { return !v.local && v.session == nil && v.token == nil }

func (v viewer) scope(want db.TokenScope) bool { return v.token != nil && v.token.Scope == want }

// may says whether the viewer may call a route of that access at all; which wallet a
// route may show is decided by mayRead, and which worker it may write for by mayWrite.
func (v viewer) may(a access) bool {
	switch a {
	case accessPublic:
		return true
	case accessWallet:
		return v.anyWallet() || v.session != nil || v.scope(db.ScopeRead)
	case accessOwner:
		return v.anyWallet() || v.session != nil
	case accessSession:
		return v.session != nil
	case accessIngest:
		return v.anyWallet() || v.scope(db.ScopeIngest)
	case accessOperator:
		return v.local
	case accessUnstated:
	}
	return false
}

// mayRead says whether the viewer may see a wallet's data.
func (v viewer) mayRead(wallet validator.Address) bool {
	return v.anyWallet() || v.wallet() == wallet && (v.session != nil || v.scope(db.ScopeRead))
}

// mayWrite says whether the viewer may write heartbeats and samples for a worker.
func (v viewer) mayWrite(worker validator.Address) bool {
	return v.anyWallet() || v.scope(db.ScopeIngest) && (v.token.Coordinator() || v.token.Wallet == worker)
}

// notYourWallet refuses to show a wallet that mayRead denies.
func notYourWallet() *problem {
	return newProblem(http.StatusForbidden, "These credentials do not show that wallet.")
}

type viewerKey struct{}

func viewerOf(ctx context.Context) viewer {
	v, _ := ctx.Value(viewerKey{}).(viewer)
	return v
}

// viewing says for whom sources are read, as far as what may be shown depends on that.
func viewing(ctx context.Context) observe.Viewer {
	v := viewerOf(ctx)
	return observe.Viewer{Local: v.local, Stranger: v.stranger()}
}

// reads begins a group of database reads for whoever asks.
func (s *Server) reads(ctx context.Context) *observe.Reads { return s.observer.Reads(viewing(ctx)) }

// picture gathers everything about a wallet for whoever asks.
func (s *Server) picture(ctx context.Context, wallet validator.Address) validator.Picture {
	return s.observer.Picture(ctx, viewing(ctx), wallet)
}

// identify finds out who a request comes from, for everything behind it.
func (s *Server) identify(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if c.Path() == staticRoute || c.Path() == aliveRoute {
			return next(c)
		}
		r := c.Request()
		v := viewer{local: s.localAccess && s.isLocal(r), origin: originOf(c)}
		v.token, v.refused = s.loadToken(r.Context(), r)
		switch {
		case v.refused != nil: // who shows a token is judged by it
			v.local = false
			if v.refused.Status == http.StatusUnauthorized {
				s.auditRefusal(r.Context(), v.origin, db.AuditTokenRefused, "", db.ActorNobody, r.Method+" "+c.Path())
			}
		case v.token == nil:
			var err error
			if r, v.session, err = s.loadSession(r); err != nil {
				v.refused = unchecked("Your sign-in cannot be checked", " You are not signed out.", err)
			}
		}
		c.SetRequest(r.WithContext(db.OnBehalfOf(context.WithValue(r.Context(), viewerKey{}, v), v.wallet())))
		return next(c)
	}
}

// refuse returns the problem that keeps a viewer from a route, nil if nothing does.
func (s *Server) refuse(v viewer, a access) *problem {
	switch {
	case a == accessPublic:
		return nil
	case v.refused != nil && (!v.anyWallet() || !v.may(a)):
		return v.refused
	case v.may(a):
		return nil
	}
	switch signedIn := v.session != nil || v.token != nil; {
	case a == accessOperator:
		return newProblem(http.StatusForbidden, localOnlyMessage)
	case signedIn && a == accessIngest:
		return newProblem(http.StatusForbidden, "Reports need a token of scope ingest; these credentials only show a wallet's data.")
	case signedIn && v.scope(db.ScopeIngest):
		return newProblem(http.StatusForbidden, "This token is of scope ingest: it writes reports and shows nothing. Use a token of scope read.")
	case signedIn:
		return newProblem(http.StatusForbidden, "This needs a wallet that is signed in; a token will not do.")
	case a == accessIngest:
		return newProblem(http.StatusUnauthorized, "Reports need a token of scope ingest, sent as Authorization: Bearer "+db.TokenPrefix+"… It is made on the settings page, or with the command token create.")
	case a == accessSession:
		return newProblem(http.StatusUnauthorized, "Sign in with a wallet first.")
	}
	return newProblem(http.StatusUnauthorized, "This shows a wallet's own data: sign in with that wallet, or send a token of scope read as Authorization: Bearer "+db.TokenPrefix+"…")
}
