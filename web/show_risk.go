package web

import (
	"fmt"
	"strings"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

func (s *Server) showRisk(p validator.Picture, panel views.Panel) views.RiskPanel {
	m := views.RiskPanel{Panel: panel, Notice: staleNotice(p.Now, p.Chain.State)}
	m.Panel.Stale = m.Notice != nil
	st, known := p.Chain.Stake.Get()
	switch {
	case !known:
		m.Empty = &views.Empty{Icon: "shield", Tone: views.ToneUnknown, Title: "Stake unknown", Text: validator.Sentence(p.Chain.Stake.Reason())}
		m.Notice = nil
		return m
	case !st.Registered():
		m.Empty = &views.Empty{Icon: "shield", Tone: views.TonePlain, Title: "Nothing is staked", Text: "Without a stake there is nothing to slash, and the network assigns no job."}
		return m
	}
	m.Rows = append(m.Rows, s.failuresRow(p, st))
	if cfg, has := p.Chain.Network.Config.Get(); has {
		for reason := range validator.SlashReasonCount {
			m.Exposure = append(m.Exposure, exposureRow(validator.ExposureTo(reason, st, cfg)))
		}
	}
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

func exposureRow(e validator.Exposure) views.ExposureRow {
	r := views.ExposureRow{Reason: capital(e.Reason.String()), Share: basisPoints(e.BasisPoints) + " %", Cost: showWei(e.Cost), Left: showWei(e.Left)}
	if e.Headroom.Sign() < 0 {
		r.Effect = views.Tag{Text: showWei(validator.Wei{}.Sub(e.Headroom)).Text + " SAGE below the minimum", Tone: views.ToneBad, Icon: "bad"}
	} else {
		r.Effect = views.Tag{Text: "stays above the minimum", Tone: views.ToneGood, Icon: "good"}
	}
	return r
}

func capital(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
