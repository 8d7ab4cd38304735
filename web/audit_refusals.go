package web

import (
	"context"
	"fmt"
	"net/http"
	"sync"

	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// How many refusals of one kind are kept in the audit log: of one client network, about one
// wallet, and in all. Who is refused may ask as often as they like, so the rest is counted.
var (
	refusalsOfAddress = allowance{"refusals of an address", 10, 1.0 / 60}
	refusalsOfWallet  = allowance{"refusals of a wallet", 10, 1.0 / 60}
	refusalsOfAll     = allowance{"refusals", 60, 1.0 / 10}
)

// maxRefusalDetail is how long the detail of a refusal may be, in bytes.
const maxRefusalDetail = 200

// uncounted are the refusals, by kind, that were not kept since the last that was.
type uncounted struct {
	mu   sync.Mutex
	left map[db.AuditKind]int
}

func (u *uncounted) add(kind db.AuditKind) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.left == nil {
		u.left = make(map[db.AuditKind]int)
	}
	u.left[kind]++
}

func (u *uncounted) take(kind db.AuditKind) int {
	u.mu.Lock()
	defer u.mu.Unlock()
	n := u.left[kind]
	delete(u.left, kind)
	return n
}

// auditRefusal keeps a record of what somebody was refused, once for a request, or counts it.
// wallet is the one that it is about, "" if none.
func (s *Server) auditRefusal(ctx context.Context, from origin, kind db.AuditKind, wallet validator.Address, actor db.AuditActor, detail string) {
	record := recordOf(ctx)
	if record.refusalKept {
		return
	}
	record.refusalKept = true
	if !s.mayKeepRefusal(from, kind, wallet) {
		s.refusalsLeft.add(kind)
		return
	}
	detail = shortText(detail, maxRefusalDetail)
	if n := s.refusalsLeft.take(kind); n > 0 {
		detail += fmt.Sprintf(" (before it, %d more of any wallet were not kept)", n)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), provenPatience)
	defer cancel()
	s.audit(ctx, from, db.AuditEvent{Wallet: wallet, Kind: kind, Detail: detail, Actor: actor})
}

func (s *Server) mayKeepRefusal(from origin, kind db.AuditKind, wallet validator.Address) bool {
	now := s.now()
	within := func(a allowance, who string) bool { return s.limits.take(a, string(kind)+" "+who, now) <= 0 }
	return within(refusalsOfAddress, clientNetwork(from.address)) && (wallet == "" || within(refusalsOfWallet, string(wallet))) && s.limits.take(refusalsOfAll, "", now) <= 0
}

// auditForbidden keeps a record of a request that was answered 403.
func (s *Server) auditForbidden(c echo.Context) {
	if c.Response().Status != http.StatusForbidden {
		return
	}
	ctx := c.Request().Context()
	v := viewerOf(ctx)
	s.auditRefusal(ctx, originOf(c), db.AuditAccessRefused, v.wallet(), v.provenBy(), c.Request().Method+" "+c.Path())
}

// auditSignInRefused keeps a record of a sign-in that failed for a reason that lies with who
// tried it. wallet is the account that they named, "" where the message is not known.
func (s *Server) auditSignInRefused(c echo.Context, wallet validator.Address, err error) {
	p := problemOf(err)
	if p.Status < http.StatusBadRequest || p.Status >= http.StatusInternalServerError {
		return
	}
	s.auditRefusal(c.Request().Context(), originOf(c), db.AuditSignInRefused, wallet, db.ActorNobody, p.Detail)
}
