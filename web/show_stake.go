package web

import (
	"context"
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
	asked := databaseRead{state: s.db.State()}
	m.Claim = s.claimButton(ctx, picture, s.claims(ctx, &asked, p.Address).Or(nil))
	m.Checks = checkRows(slices.DeleteFunc(p.Assess().Checks, func(c validator.Check) bool { return !slices.Contains(stakeChecks, c.ID) }))
	stake := func(label, origin string, of func(validator.Stake) validator.Wei) views.Row {
		return views.Row{Label: label, Origin: p.from(origin, "this amount"), Amount: amountOf(validator.Some(of(st)))}
	}
	m.Figures = append(m.Figures, stake("Staked", "staked", func(s validator.Stake) validator.Wei { return s.Amount }))
	if st.Registered() {
		m.Figures = append(m.Figures, views.Row{Label: "Tier", Value: views.Value{Text: st.Tier.String()}})
		m.Figures = append(m.Figures, p.headroom()...)
	}
	m.Figures = append(m.Figures, s.unstakeRows(picture, st)...)
	m.Figures = append(m.Figures,
		stake("Slashed so far", "stake.slashed", func(s validator.Stake) validator.Wei { return s.TotalSlashed }),
		views.Row{Label: "Claimable now", Origin: p.from("claimable", "the claimable amount"), Amount: amountOf(p.Claimable())},
		stake("Of it booked", "claim.pending", func(s validator.Stake) validator.Wei { return s.PendingRewards }),
		views.Row{Label: "In the wallet", Origin: p.from("wallet.balance", "the wallet's balance"), Amount: amountOf(p.Chain.WalletBalance.Maybe)},
	)
	if st.Registered() {
		m.Figures = append(m.Figures, views.Row{Label: "Staked since", Value: views.Value{At: momentOf(p.Now, st.StakedAt)}})
	}
	return m
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
