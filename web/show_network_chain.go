package web

import (
	"context"
	"fmt"

	"github.com/bitsage-network/validator-dashboard/observe"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// leadersShown is how many of the largest stakes and reputations are listed.
const leadersShown = 10

func (s *Server) networkStake(ctx context.Context, a networkAsked) views.NetworkStakePanel {
	asked := s.reads(ctx)
	stakes, reputations := asked.StakeBoard(ctx), asked.ReputationBoard(ctx)
	net := viewing(ctx).RedactNetwork(s.chain.Network())
	m := views.NetworkStakePanel{Panel: a.panel("network-stake", everyNetworkStakes), Notice: staleNotice(s.now(), asked.State(), net.State)}
	m.Panel.Stale = m.Notice != nil
	m.Figures = []views.Row{
		{Label: "Total staked", Origin: s.networkFrom("staked", "Total stake"), Amount: amountOf(net.TotalStaked.Maybe)},
		{Label: "Total slashed", Origin: s.networkFrom("slashed", "Total slashed"), Amount: amountOf(net.TotalSlashed.Maybe)},
		{Label: "Stakers", Origin: s.networkFrom("stakers", "Stakers"), Value: show(stakes, "", func(b validator.StakeBoard) string { return integer(len(b)) })},
	}
	m.Terms = s.stakingTerms(net)
	for tier := range validator.TierCount {
		of := validator.Map(stakes, func(b validator.StakeBoard) validator.TierStake { return b.ByTier()[tier] })
		m.Tiers = append(m.Tiers, views.NetworkTierRow{
			Name:    tier.String(),
			Least:   showAmount(validator.Map(net.Config.Maybe, func(c validator.StakingConfig) validator.Wei { return c.MinStake[tier] })),
			Stakers: show(of, "", func(t validator.TierStake) string { return integer(t.Stakers) }),
			Staked:  showAmount(validator.Map(of, func(t validator.TierStake) validator.Wei { return t.Amount })),
		})
	}
	m.Stakes = views.Leaders{Rows: s.stakeLeaders(stakes.Or(nil), a.wallet), Reason: whyNoLeaders(stakes, "Nobody has a stake.")}
	m.Reputations = views.Leaders{Rows: s.reputationLeaders(reputations.Or(nil), stakes.Or(nil), a.wallet), Reason: whyNoLeaders(reputations, "Nobody has a score.")}
	if lag, known := s.indexLag().Get(); known {
		m.Note = fmt.Sprintf("Stakers, places and scores are from the contracts' events up to block %s.", integer(int64(lag.Block.Number)))
	} else if s.index != nil {
		m.Note = "How far the contracts' events have been read is not known."
	}
	return m
}

func whyNoLeaders[T any](list validator.Maybe[T], none string) string {
	if !list.Known() {
		return validator.Sentence(list.Reason())
	}
	return none
}

// stakingTerms is what ProverStaking asks of every worker.
func (s *Server) stakingTerms(net validator.ChainNetwork) []views.Row {
	term := func(label, unit string, text func(validator.StakingConfig) string) views.Row {
		return views.Row{Label: label, Origin: s.networkFrom("terms", label), Value: show(net.Config.Maybe, unit, text)}
	}
	rows := []views.Row{
		term("Reward on the stake", "% a year", func(c validator.StakingConfig) string { return basisPoints(c.RewardAPYBasisPoints) }),
		term("An unstake is locked for", "", func(c validator.StakingConfig) string { return validator.Ago(c.UnstakeLockup) }),
		term("Failures in a row that deactivate", "", func(c validator.StakingConfig) string { return integer(c.MaxConsecutiveFailures) }),
	}
	for reason := range validator.SlashReasonCount {
		rows = append(rows, term("Slashed for "+reason.String(), "% of the stake", func(c validator.StakingConfig) string { return basisPoints(c.SlashBasisPoints[reason]) }))
	}
	return rows
}

// stakeLeaders lists the largest stakes, and that of a wallet wherever it stands.
func (s *Server) stakeLeaders(b validator.StakeBoard, own validator.Address) []views.LeaderRow {
	var out []views.LeaderRow
	for i, k := range b {
		if i >= leadersShown && k.Worker != own {
			continue
		}
		row := views.LeaderRow{
			Rank: integer(b.Rank(i)), Own: k.Worker == own, Detail: k.Tier.String(), Amount: amountOf(validator.Some(k.Amount)),
			Worker: views.Link{Text: k.Worker.Abbreviated(), Title: string(k.Worker), URL: s.explorer("contract", string(k.Worker))},
		}
		if k.Slashed.Sign() > 0 {
			row.Slashed = amountOf(validator.Some(k.Slashed))
		}
		out = append(out, row)
	}
	return out
}

// reputationLeaders lists the highest scores. An id that no staker's address is may be
// JobManager's, which no explorer knows.
func (s *Server) reputationLeaders(b validator.ReputationBoard, stakes validator.StakeBoard, own validator.Address) []views.LeaderRow {
	stakers := map[validator.Felt]bool{}
	for _, k := range stakes {
		stakers[k.Worker.Felt()] = true
	}
	var out []views.LeaderRow
	for i, k := range b {
		mine := own != "" && k.WorkerID == own.Felt()
		if i >= leadersShown && !mine {
			continue
		}
		row := views.LeaderRow{
			Rank: integer(b.Rank(i)), Own: mine, Detail: ago(s.now(), k.At), Score: views.Value{Text: integer(k.Score)},
			Worker: views.Link{Text: abbreviated(string(k.WorkerID)), Title: string(k.WorkerID)},
		}
		if stakers[k.WorkerID] {
			row.Worker.URL = s.explorer("contract", string(k.WorkerID))
		}
		out = append(out, row)
	}
	return out
}

func (s *Server) networkChain(ctx context.Context, a networkAsked) views.NetworkChainPanel {
	net := viewing(ctx).RedactNetwork(s.chain.Network())
	m := views.NetworkChainPanel{Panel: a.panel("network-chain", everyNetwork), Notice: staleNotice(s.now(), net.State)}
	m.Panel.Stale = m.Notice != nil
	head := views.Value{Reason: validator.Sentence(net.State.Reason)}
	if net.Block.Number > 0 {
		head = views.Value{Text: integer(int64(net.Block.Number))}
	}
	lag := s.indexLag()
	m.Figures = []views.Row{
		{Label: "Network", Value: views.Value{Text: networkLabel(s.network.Name), Unit: s.network.ChainID}},
		{Label: "Head block", Origin: s.networkFrom("head", "Head block"), Value: head},
		{Label: "Events read up to block", Origin: s.networkFrom("lag", "Events"), Value: show(lag, "", func(l validator.IndexLag) string { return integer(int64(l.Block.Number)) })},
		{Label: "Behind the head", Origin: s.networkFrom("lag", "Lag"), Value: show(lag, "", func(l validator.IndexLag) string {
			return counted(l.Blocks, "block", "blocks") + ", " + validator.Ago(l.Time)
		})},
	}
	for _, c := range s.chain.Contracts() {
		row := views.ContractRow{Name: c.Name, Status: contractTag(c.Status), Reason: c.Reason}
		if viewerOf(ctx).stranger() && c.Reason != "" {
			row.Reason = observe.HiddenReason
		}
		if c.Address != "" {
			row.Address = views.Link{Text: c.Address.Abbreviated(), Title: string(c.Address), URL: s.explorer("contract", string(c.Address))}
		}
		m.Contracts = append(m.Contracts, row)
	}
	return m
}

func contractTag(st validator.ContractStatus) views.Tag {
	switch st {
	case validator.ContractOK:
		return views.Tag{Text: "fits", Tone: views.ToneGood, Icon: "good"}
	case validator.ContractNotConfigured:
		return views.Tag{Text: "not configured", Tone: views.TonePlain, Icon: "info"}
	case validator.ContractNotDeployed:
		return views.Tag{Text: "not deployed", Tone: views.ToneBad, Icon: "bad"}
	case validator.ContractIncompatible:
		return views.Tag{Text: "does not fit", Tone: views.ToneBad, Icon: "bad"}
	case validator.ContractUnchecked:
	}
	return views.Tag{Text: "not checked yet", Tone: views.ToneUnknown, Icon: "unknown"}
}
