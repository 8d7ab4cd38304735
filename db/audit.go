package db

import (
	"context"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// AuditEvent is something that was done with a wallet's access or its claims, or refused.
type AuditEvent struct {
	At            time.Time
	Wallet        validator.Address // "" if it was about no single wallet
	Kind          AuditKind
	Detail        string // what exactly, without any secret
	Actor         AuditActor
	ClientAddress string // IP address; "" from the command line
	UserAgent     string
}

// AuditKind is what was done.
type AuditKind string

// The kinds of events that are kept.
const (
	AuditSignIn            AuditKind = "sign-in"
	AuditSignOut           AuditKind = "sign-out"
	AuditSignOutEverywhere AuditKind = "sign-out-everywhere"
	AuditSessionEnded      AuditKind = "session-ended" // by its owner, from another session
	AuditTokenCreated      AuditKind = "token-created"
	AuditTokenRevoked      AuditKind = "token-revoked"
	AuditClaimSent         AuditKind = "claim-sent"
	AuditClaimPriced       AuditKind = "claim-priced" // the price of SAGE at a claim was entered
	AuditSignInRefused     AuditKind = "sign-in-refused"
	AuditTokenRefused      AuditKind = "token-refused"  // it is not known, or has expired or been revoked
	AuditAccessRefused     AuditKind = "access-refused" // what somebody may not see or do
)

// AuditActor is what somebody proved who they were with.
type AuditActor string

// What an event can have been done with.
const (
	ActorSession     AuditActor = "session"
	ActorToken       AuditActor = "token"
	ActorLocal       AuditActor = "local"
	ActorCommandLine AuditActor = "command-line"
	ActorNobody      AuditActor = "nobody" // nothing was proved
)

// How long events are kept, and those of them that were refused: anybody can cause these.
const (
	auditKept    = 400 * 24 * time.Hour
	refusalsKept = 30 * 24 * time.Hour
)

// Audit keeps an event.
func (s *Store) Audit(ctx context.Context, e AuditEvent) error {
	p := insertAuditEventParams{
		HappenedAt: e.At, Event: string(e.Kind), Detail: e.Detail, Actor: string(e.Actor), ClientAddress: e.ClientAddress, UserAgent: e.UserAgent,
	}
	if e.Wallet != "" {
		p.WalletAddress = &e.Wallet
	}
	return s.fail("keep an audit event", s.q.insertAuditEvent(ctx, p))
}

// AuditEvents returns what was done with a wallet, newest first.
func (s *Store) AuditEvents(ctx context.Context, wallet validator.Address, limit int) ([]AuditEvent, error) {
	rows, err := s.q.listAuditEvents(ctx, listAuditEventsParams{WalletAddress: &wallet, MaxRows: pageSize(limit)})
	out := make([]AuditEvent, len(rows))
	for i, r := range rows {
		out[i] = AuditEvent{
			At: r.HappenedAt, Wallet: orZero(r.WalletAddress), Kind: AuditKind(r.Event), Detail: r.Detail, Actor: AuditActor(r.Actor),
			ClientAddress: r.ClientAddress, UserAgent: r.UserAgent,
		}
	}
	return out, s.fail("list audit events", err)
}
