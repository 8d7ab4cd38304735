package web

import (
	"context"
	"fmt"
	"slices"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// stakeChecks are the checks of the verdict that concern the stake.
var stakeChecks = []string{"staked", "minimum", "eligible", "failures", "tier"}

func (s *Server) showStakeState(ctx context.Context, picture validator.Picture) views.StakeStatePanel {
	p := statusShow{picture, s}
	m := views.StakeStatePanel{Panel: panel("stake-state", everyStatus, p.Address), Notice: staleNotice(p.Now, p.Chain.State)}
	m.Panel.Stale = m.Notice != nil
	st, known := p.Chain.Stake.Get()
	if !known {
		m.Empty, m.Notice = noStake(picture), nil
		return m
	}
	asked := s.reads(ctx)
	m.Claim = s.claimButton(ctx, picture, asked.Claims(ctx, p.Address).Or(nil))
	m.Checks = checkRows(slices.DeleteFunc(p.Assess().Checks, func(c validator.Check) bool { return !slices.Contains(stakeChecks, c.ID) }))
	m.Figures = []views.Figure{p.stakedFigure(st), p.unstakeFigure(st), p.claimableFigure(st), p.slashedFigure(st), p.walletFigure()}
	return m
}

// stakedFigure is the dashboard's without what figures of their own tell here.
func (p statusShow) stakedFigure(st validator.Stake) views.Figure {
	f := p.staked()
	f.Notes = nil
	if st.Registered() {
		f.Parts = append(f.Parts, views.Row{Label: "Since", Value: views.Value{At: momentOf(p.Now, st.StakedAt)}})
	}
	return f
}

// unstakeFigure is what is on its way out: from when it can be taken, and that it can be
// slashed until then.
func (p statusShow) unstakeFigure(st validator.Stake) views.Figure {
	locked := showWei(st.LockedAmount)
	f := views.Figure{ID: "unstake", Label: "Being unstaked", Origin: p.from("stake.locked", "the locked amount"), Amount: &locked}
	if st.LockedAmount.Sign() == 0 {
		return f
	}
	request, known := p.PendingUnstake().Get()
	switch {
	case !known || request == nil:
		f.Parts = append(f.Parts, views.Row{Label: "Free to take out", Value: views.Value{Reason: validator.Sentence(p.PendingUnstake().Reason())}})
	case request.UnlockAt.After(p.Now):
		f.Parts = append(f.Parts,
			views.Row{Label: "Free to take out", Value: views.Value{At: momentOf(p.Now, request.UnlockAt)}},
			views.Row{Label: "That is", Value: views.Value{Exact: momentOf(p.Now, request.UnlockAt)}},
		)
	default:
		f.Parts = append(f.Parts,
			views.Row{Label: "Free to take out", Value: views.Value{Text: "now, with complete_unstake()"}},
			views.Row{Label: "Since", Value: views.Value{Exact: momentOf(p.Now, request.UnlockAt)}},
		)
	}
	f.Notes = []views.Note{{Text: "Still slashable until it is taken out", Tone: views.ToneWarn}}
	return f
}

func (p statusShow) claimableFigure(st validator.Stake) views.Figure {
	f := p.claimable()
	f.Parts = append(f.Parts, views.Row{Label: "Booked", Origin: p.from("claim.pending", "this amount"), Amount: amountOf(validator.Some(st.PendingRewards))})
	return f
}

func (p statusShow) slashedFigure(st validator.Stake) views.Figure {
	slashed := showWei(st.TotalSlashed)
	f := views.Figure{ID: "slashed", Label: "Slashed so far", Origin: p.from("stake.slashed", "this amount"), Amount: &slashed}
	failures := p.server.failuresRow(p.Picture, st)
	if cfg, known := p.Chain.Network.Config.Get(); known {
		failures.Value.Unit = fmt.Sprintf("of %d", cfg.MaxConsecutiveFailures) // the checks below say of what
	}
	f.Parts = append(f.Parts, failures)
	if last, known := p.LastSlash().Get(); known && last != nil {
		f.Parts = append(f.Parts, views.Row{Label: "Last slash", Value: views.Value{At: momentOf(p.Now, last.Block.Time)}})
	}
	return f
}

func (p statusShow) walletFigure() views.Figure {
	amount := showAmount(p.Chain.WalletBalance.Maybe)
	return views.Figure{ID: "wallet", Label: "In the wallet", Origin: p.from("wallet.balance", "the wallet's balance"), Amount: &amount}
}

// noStake says that nothing is known of a stake, and why.
func noStake(p validator.Picture) *views.Empty {
	return &views.Empty{Icon: "shield", Tone: views.ToneUnknown, Title: "Stake unknown", Text: validator.Sentence(p.Chain.Stake.Reason())}
}

// showStakeRisk is the dashboard's panel with the whole history, and without what the page
// shows above it.
func (s *Server) showStakeRisk(p validator.Picture) views.RiskPanel {
	m := s.riskOf(p, panel("stake-risk", everyStatus, p.Address), -1)
	m.Rows = nil
	return m
}

func (s *Server) showStakeTerms(p validator.Picture) views.StakeTermsPanel {
	m := views.StakeTermsPanel{Panel: panel("stake-terms", everyStakeTerms, p.Address), Notice: staleNotice(p.Now, p.Chain.State)}
	m.Panel.Stale = m.Notice != nil
	terms, known := p.Chain.Network.Config.Get()
	if !known {
		m.Empty, m.Notice = &views.Empty{Icon: "shield", Tone: views.ToneUnknown, Title: "Terms unknown", Text: validator.Sentence(p.Chain.Network.Config.Reason())}, nil
		return m
	}
	m.Rows = []views.Row{
		{Label: "Reward on the stake", Value: views.Value{Text: basisPoints(terms.RewardAPYBasisPoints), Unit: "% a year"}},
		{Label: "An unstake is locked for", Value: views.Value{Text: validator.Ago(terms.UnstakeLockup)}},
		{Label: "Failures in a row that deactivate", Value: views.Value{Text: integer(terms.MaxConsecutiveFailures)}},
		{Label: "Staked by all workers", Amount: amountOf(p.Chain.Network.TotalStaked.Maybe), Origin: s.origin("", "network.staked", "the network's stake")},
		{Label: "Slashed of all workers", Amount: amountOf(p.Chain.Network.TotalSlashed.Maybe), Origin: s.origin(p.Address, "network.slashed", "what was slashed of all")},
	}
	st, staked := p.Chain.Stake.Get()
	for tier := range validator.TierCount {
		row := views.TierRow{Name: tier.String(), Least: showWei(terms.MinStake[tier]), Own: staked && st.Registered() && st.Tier == tier}
		if staked && st.Registered() {
			room := st.Amount.Sub(terms.MinStake[tier])
			row.Distance = showWei(room).Text + " SAGE above"
			if room.Sign() < 0 {
				row.Distance = showWei(validator.Wei{}.Sub(room)).Text + " SAGE below"
			}
		}
		m.Tiers = append(m.Tiers, row)
	}
	return m
}
