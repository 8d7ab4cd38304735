package web

import (
	"context"
	"errors"
	"net/url"
	"strings"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// track tells how far an action's transaction has come: a claim as the database has it, which
// the claim tracker asks the chain about, any other as a node tells now.
func (s *Server) track(ctx context.Context, kind validator.ActionKind, p validator.Picture, tx validator.Felt) views.TrackPanel {
	q := url.Values{"kind": {string(kind)}, "tx": {tx.Short()}, "wallet": {string(p.Address)}}
	m := views.TrackPanel{Panel: views.Panel{ID: "track", URL: "/partials/track?" + q.Encode(), Every: everyTrack}, Tx: s.txLink(tx)}
	m.Steps = []views.Check{trackStep("Sent", validator.CheckPass, "The wallet sent the transaction.")}
	if kind == validator.ActionClaim {
		s.trackClaim(ctx, &m, p, tx)
	} else {
		s.trackOther(ctx, &m, kind, p.Address, tx)
	}
	return m
}

const (
	inABlock     = "Accepted by Starknet"
	waitingBlock = "Waiting for a block that holds it."
)

func trackStep(label string, state validator.CheckState, detail string) views.Check {
	c := views.Check{Label: label, Detail: detail, State: string(state)}
	if c.Tone, c.Icon = checkLook(state); state == validator.CheckUnknown {
		c.State, c.Tone, c.Icon = "waiting", views.TonePlain, "clock"
	}
	return c
}

func (s *Server) trackClaim(ctx context.Context, m *views.TrackPanel, p validator.Picture, tx validator.Felt) {
	claim, err := s.db.Claim(ctx, p.Address, tx)
	if err != nil {
		m.Heading, m.Steps = "Your claim", nil
		m.Notice = &views.Notice{Tone: views.ToneWarn, Text: "The progress of this claim is unknown: the database cannot be reached."}
		if errors.Is(err, db.ErrNotFound) {
			m.Notice.Text = "This dashboard does not know this claim. If the wallet sent it, it appears among the claims once a block holds it."
		}
		return
	}
	block := "In a block."
	if claim.BlockNumber != nil {
		block = "Block " + integer(*claim.BlockNumber) + "."
	}
	switch claim.Status {
	case validator.ClaimSubmitted:
		m.Heading = "Your claim is on its way"
		m.Steps = append(m.Steps, trackStep(inABlock, validator.CheckUnknown, waitingBlock),
			trackStep("Rewards paid", validator.CheckUnknown, "The chain tells the exact amount in its RewardsClaimed event."))
		if waited := p.Now.Sub(claim.At); waited >= claimPatience {
			m.Notice = &views.Notice{Tone: views.ToneWarn, Text: "It was sent " + validator.Ago(waited) + " ago. See in the wallet whether the transaction was dropped; you can claim again."}
		}
	case validator.ClaimConfirmed:
		m.Heading, m.Settled = "Your claim has arrived", true
		paid := "Paid."
		if claim.Amount != nil {
			paid = claim.Amount.Format() + ", by the RewardsClaimed event."
		}
		m.Steps = append(m.Steps, trackStep(inABlock, validator.CheckPass, block), trackStep("Rewards paid", validator.CheckPass, paid))
	case validator.ClaimExpired:
		m.Heading, m.Settled = "Your claim has expired", true
		m.Steps = append(m.Steps, trackStep(inABlock, validator.CheckFail, claimFailure(claim)))
	case validator.ClaimFailed:
		m.Heading, m.Settled = "Your claim failed", true
		m.Steps = append(m.Steps, trackStep(inABlock, validator.CheckPass, block), trackStep("Rewards paid", validator.CheckFail, "Nothing was paid: "+claimFailure(claim)))
	}
}

// claimFailure says why a claim failed, and what to do.
func claimFailure(c validator.Claim) string {
	words, reverted := strings.CutPrefix(c.Failure, validator.ClaimReverted)
	if !reverted {
		return validator.Sentence(c.Failure)
	}
	words = strings.TrimPrefix(words, ": ")
	why := validator.Action{Kind: validator.ActionClaim}.Refused(words)
	return strings.TrimSpace(validator.Sentence(c.Failure) + " " + why.Why + " " + why.Next)
}

func (s *Server) trackOther(ctx context.Context, m *views.TrackPanel, kind validator.ActionKind, wallet validator.Address, tx validator.Felt) {
	title := strings.ToLower(actionWords[kind].title[:1]) + actionWords[kind].title[1:]
	m.Heading = "On its way: " + title
	waiting, cancel := context.WithTimeout(ctx, actionPatience)
	defer cancel()
	out, err := s.actions.TransactionOutcome(waiting, tx)
	switch {
	case err != nil:
		s.unanswered(ctx, "a transaction's outcome could not be read", wallet, err)
		m.Steps = append(m.Steps, trackStep(inABlock, validator.CheckUnknown, waitingBlock))
		m.Notice = &views.Notice{Tone: views.ToneWarn, Text: "No Starknet node answers right now; this goes on asking."}
	case out.Block == nil:
		m.Steps = append(m.Steps, trackStep(inABlock, validator.CheckUnknown, waitingBlock))
	case out.Reverted:
		why := validator.Action{Kind: kind}.Refused(out.Reason)
		m.Heading, m.Settled = "Failed: "+title, true
		m.Steps = append(m.Steps, trackStep(inABlock, validator.CheckPass, "Block "+integer(out.Block.Number)+"."),
			trackStep("Done by the contract", validator.CheckFail, strings.TrimSpace(why.Why+" "+why.Next)+" Nothing changed but the fee."))
	default:
		m.Heading, m.Settled = "Done: "+title, true
		m.Steps = append(m.Steps, trackStep(inABlock, validator.CheckPass, "Block "+integer(out.Block.Number)+"."),
			trackStep("Done by the contract", validator.CheckPass, "The stake's page shows it."))
	}
}
