package web

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// stakeEventsShown is how many changes of the stake the dashboard lists.
const stakeEventsShown = 5

func (s *Server) showRisk(p validator.Picture, panel views.Panel) views.RiskPanel {
	panel.More = views.Link{Text: "All about the stake", URL: s.stakeURL(p.Address)}
	return s.riskOf(p, panel, stakeEventsShown)
}

// riskOf shows the risk with the newest changes of the stake, at most so many; -1: all.
func (s *Server) riskOf(p validator.Picture, panel views.Panel, most int) views.RiskPanel {
	m := views.RiskPanel{Panel: panel, Notice: staleNotice(p.Now, p.Chain.State)}
	m.Panel.Stale = m.Notice != nil
	st, known := p.Chain.Stake.Get()
	switch {
	case !known:
		m.Empty = noStake(p)
		m.Notice = nil
		return m
	case !st.Registered():
		m.Empty = &views.Empty{Icon: "shield", Tone: views.TonePlain, Title: "Nothing is staked", Text: "Without a stake there is nothing to slash, and the network assigns no job."}
		return m
	}
	m.Rows = append(append(m.Rows, s.failuresRow(p, st)), s.unstakeRows(p, st)...)
	if st.TotalSlashed.Sign() > 0 {
		m.Rows = append(m.Rows, views.Row{Label: "Slashed so far", Origin: s.origin(p.Address, "stake.slashed", "the slashed amount"), Amount: amountOf(validator.Some(st.TotalSlashed))})
	}
	for _, e := range p.Exposures().Or(nil) {
		m.Exposure = append(m.Exposure, exposureRow(e))
	}
	s.showStakeEvents(&m, p, most)
	return m
}

func (s *Server) failuresRow(p validator.Picture, st validator.Stake) views.Row {
	row := views.Row{Label: "Failures in a row", Origin: s.origin(p.Address, "staked", "the failures")}
	cfg, has := p.Chain.Network.Config.Get()
	if !has {
		row.Value = views.Value{Text: integer(st.ConsecutiveFailures)}
		return row
	}
	row.Value = views.Value{Text: integer(st.ConsecutiveFailures), Unit: fmt.Sprintf("of %d before deactivation", cfg.MaxConsecutiveFailures)}
	switch n := st.ConsecutiveFailures; {
	case n >= cfg.MaxConsecutiveFailures:
		row.Tone = views.ToneBad
	case n+1 >= cfg.MaxConsecutiveFailures && n > 0:
		row.Tone = views.ToneWarn
	}
	return row
}

// unstakeRows say what is on its way out, and from when it can be taken.
func (s *Server) unstakeRows(p validator.Picture, st validator.Stake) []views.Row {
	if st.LockedAmount.Sign() == 0 {
		return []views.Row{{Label: "Being unstaked", Value: views.Value{Text: "nothing"}, Origin: s.origin(p.Address, "stake.locked", "the locked amount")}}
	}
	free := views.Row{Label: "Can be taken out"}
	request, known := p.PendingUnstake().Get()
	switch {
	case !known || request == nil:
		free.Value = views.Value{Reason: validator.Sentence(p.PendingUnstake().Reason())}
	case request.UnlockAt.After(p.Now):
		free.Value = views.Value{At: momentOf(p.Now, request.UnlockAt)}
	default:
		free.Value = views.Value{Text: "now, with complete_unstake()"}
	}
	return []views.Row{
		{Label: "Unstaking, still slashable", Tone: views.ToneWarn, Amount: amountOf(validator.Some(st.LockedAmount)), Origin: s.origin(p.Address, "stake.locked", "the locked amount")},
		free,
	}
}

func exposureRow(e validator.Exposure) views.ExposureRow {
	r := views.ExposureRow{Reason: capital(e.Reason.String()), Share: basisPoints(e.BasisPoints) + " %", Cost: showWei(e.Cost), Left: showWei(e.Left)}
	switch {
	case e.Shortfall().Sign() > 0:
		r.Effect = views.Tag{Text: "deactivates: " + showWei(e.Shortfall()).Text + " SAGE short", Tone: views.ToneBad, Icon: "bad"}
	case e.Deactivates:
		r.Effect = views.Tag{Text: "deactivates: one failure too many", Tone: views.ToneBad, Icon: "bad"}
	default:
		r.Effect = views.Tag{Text: "stays active", Tone: views.ToneGood, Icon: "good"}
	}
	return r
}

// showStakeEvents lists the newest changes of the stake, or says why there are none. Claims
// are among all of them only: the dashboard lists them under rewards.
func (s *Server) showStakeEvents(m *views.RiskPanel, p validator.Picture, most int) {
	events, known := p.Chain.StakeEvents.Get()
	if !known {
		m.EventNote = validator.Sentence(p.Chain.StakeEvents.Reason())
		return
	}
	for _, e := range events {
		if e.Kind == validator.StakeEventRewardsClaimed && most >= 0 {
			continue
		}
		if len(m.Events) == most {
			m.EventNote = "Older changes are on the stake's own page."
			break
		}
		m.Events = append(m.Events, s.stakeEventRow(e, p))
	}
	if n := p.Chain.StakeEventsQuery.Omitted; n > 0 && most < 0 {
		m.EventNote = fmt.Sprintf("%s older events are not kept.", integer(n))
	}
	if len(m.Events) == 0 && m.EventNote == "" {
		m.EventNote = "ProverStaking has emitted no change."
	}
}

var stakeEventLooks = map[validator.StakeEventKind]views.Tag{
	validator.StakeEventStaked:           {Text: "staked", Tone: views.ToneGood, Icon: "good"},
	validator.StakeEventUnstakeRequested: {Text: "unstake requested", Tone: views.TonePlain, Icon: "clock"},
	validator.StakeEventUnstakeCompleted: {Text: "taken out", Tone: views.TonePlain, Icon: "up"},
	validator.StakeEventRewardsClaimed:   {Text: "rewards claimed", Tone: views.TonePlain, Icon: "good"},
	validator.StakeEventSlashed:          {Text: "slashed", Tone: views.ToneBad, Icon: "bad"},
}

func (s *Server) stakeEventRow(e validator.StakeEvent, p validator.Picture) views.StakeEventRow {
	row := views.StakeEventRow{When: moment(p.Now, e.Block.Time), What: stakeEventLooks[e.Kind], Amount: showWei(e.Amount), Tx: s.txLink(e.TxHash)}
	switch e.Kind {
	case validator.StakeEventSlashed:
		row.Why, row.Job = capital(e.Reason.String()), *s.jobLink(contractJobID(e.JobID), p.Address)
		row.Evidence = s.slashLink(e, p.Chain.StakeEvents.Or(nil), p.Address)
	case validator.StakeEventUnstakeRequested:
		row.Why, row.Unlock = "Free to take out", momentOf(p.Now, e.UnlockAt)
	case validator.StakeEventStaked:
		row.Why = "As " + e.Tier.String() + ", " + showWei(e.Total).Text + " SAGE in all"
	case validator.StakeEventUnstakeCompleted, validator.StakeEventRewardsClaimed:
	}
	return row
}

// contractJobID writes a job's number on chain in decimal, as the jobs table mostly does.
func contractJobID(hex string) string {
	n, ok := new(big.Int).SetString(strings.TrimPrefix(hex, "0x"), 16)
	if !ok {
		return hex
	}
	return n.String()
}

// jobKey is what all spellings of a job's identifier have in common.
func jobKey(id string) string {
	if number, ok := validator.JobNumber(id); ok {
		return number
	}
	return id
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
