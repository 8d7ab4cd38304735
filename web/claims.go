package web

import (
	"context"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// openClaim is the wallet's claim that is on its way, nil if there is none.
func (s *Server) openClaim(ctx context.Context, wallet validator.Address) *validator.Claim {
	asked := s.reads(ctx)
	return openClaim(asked.ClaimsNow(ctx, wallet).Or(nil), s.now())
}

func openClaim(claims []validator.Claim, now time.Time) *validator.Claim {
	for _, c := range claims {
		if c.Status == validator.ClaimSubmitted && now.Sub(c.At) < claimPatience {
			return &c
		}
	}
	return nil
}

// claimButton leads those to claiming who may act for the wallet.
func (s *Server) claimButton(ctx context.Context, p validator.Picture, claims []validator.Claim) *views.ClaimButton {
	st, known := p.Chain.Stake.Get()
	if !viewerOf(ctx).may(accessOwner) || !known || !st.Registered() {
		return nil
	}
	b := &views.ClaimButton{URL: s.actionURL(validator.ActionClaim, p.Address)}
	if open := openClaim(claims, p.Now); open != nil {
		b.Track = views.Link{Text: "A claim is on its way", URL: s.trackURL(validator.ActionClaim, p.Address, open.TxHash.Short())}
	}
	return b
}
