package web

import (
	"fmt"
	"strconv"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

func verdictLook(v validator.Verdict) (views.Tone, string) {
	switch v {
	case validator.VerdictEarning:
		return views.ToneGood, "good"
	case validator.VerdictIdle:
		return views.TonePlain, "clock"
	case validator.VerdictAtRisk:
		return views.ToneWarn, "warn"
	case validator.VerdictNotEligible:
		return views.ToneBad, "bad"
	case validator.VerdictUnknown:
	}
	return views.ToneUnknown, "unknown"
}

func checkLook(s validator.CheckState) (views.Tone, string) {
	switch s {
	case validator.CheckPass:
		return views.ToneGood, "good"
	case validator.CheckWarn:
		return views.ToneWarn, "warn"
	case validator.CheckFail:
		return views.ToneBad, "bad"
	case validator.CheckUnknown:
	}
	return views.ToneUnknown, "unknown"
}

func (s *Server) showStatus(p validator.Picture, panel views.Panel) views.StatusPanel {
	a := p.Assess()
	m := views.StatusPanel{Panel: panel, Uptime: showUptime(p)}
	for _, st := range p.Sources() {
		m.Sources = append(m.Sources, showSource(st, p.Now))
	}
	m.Verdict.Words, m.Verdict.Reason = string(a.Verdict), a.Reason
	m.Verdict.Tone, m.Verdict.Icon = verdictLook(a.Verdict)
	for _, c := range a.Checks {
		row := views.Check{Label: c.Label, Detail: c.Detail, Remedy: c.Remedy, State: string(c.State)}
		row.Tone, row.Icon = checkLook(c.State)
		m.Verdict.Checks = append(m.Verdict.Checks, row)
	}
	m.Figures = []views.Figure{stakedFigure(p), reputationFigure(p), claimableFigure(p), earnedFigure(p), jobsFigure(p)}
	return m
}

func stakedFigure(p validator.Picture) views.Figure {
	staked := validator.Map(p.Chain.Stake.Maybe, func(s validator.Stake) validator.Wei { return s.Amount })
	amount := showAmount(staked)
	f := views.Figure{ID: "staked", Label: "Staked", Icon: "shield", Amount: &amount}
	s, known := p.Chain.Stake.Get()
	if !known {
		return f
	}
	if s.Registered() {
		f.Notes = append(f.Notes, views.Note{Text: s.Tier.String() + " tier"})
	}
	if cfg, has := p.Chain.Network.Config.Get(); has && s.Registered() {
		head := s.Amount.Sub(cfg.MinStake[s.Tier])
		n := views.Note{Text: fmt.Sprintf("%s above the minimum of %s", head.Format(), cfg.MinStake[s.Tier].Format())}
		if head.Sign() < 0 {
			n = views.Note{Text: fmt.Sprintf("%s below the minimum of %s", cfg.MinStake[s.Tier].Sub(s.Amount).Format(), cfg.MinStake[s.Tier].Format()), Tone: views.ToneBad}
		}
		f.Notes = append(f.Notes, n)
	}
	if s.LockedAmount.Sign() > 0 {
		f.Notes = append(f.Notes, views.Note{Text: s.LockedAmount.Format() + " being unstaked: still slashable", Tone: views.ToneWarn})
	}
	if s.TotalSlashed.Sign() > 0 {
		f.Notes = append(f.Notes, views.Note{Text: s.TotalSlashed.Format() + " slashed so far", Tone: views.ToneBad})
	}
	return f
}

func reputationFigure(p validator.Picture) views.Figure {
	f := views.Figure{ID: "reputation", Label: "Reputation", Icon: "award"}
	r, known := p.Chain.Reputation.Get()
	switch {
	case !known:
		f.Value = views.Value{Reason: validator.Sentence(p.Chain.Reputation.Reason())}
		return f
	case !r.Initialised():
		f.Value = views.Value{Reason: "ReputationManager does not know this worker yet; its first job makes it known."}
		return f
	}
	f.Value = views.Value{Text: integer(r.Score), Unit: "of 1000"}
	f.Notes = append(f.Notes, views.Note{Text: fmt.Sprintf("Level %d of 5", r.Level)})
	switch rank, has := p.Chain.ReputationRank.Get(); {
	case has && rank > 0:
		f.Notes = append(f.Notes, views.Note{Text: "Rank " + integer(rank)})
	case has:
		f.Notes = append(f.Notes, views.Note{Text: "Unranked"})
	default:
		f.Notes = append(f.Notes, views.Note{Text: "Rank unknown", Title: p.Chain.ReputationRank.Reason()})
	}
	if r.Disputes+r.Slashes > 0 {
		f.Notes = append(f.Notes, views.Note{Text: fmt.Sprintf("%d disputes, %d slashes", r.Disputes, r.Slashes), Tone: views.ToneWarn})
	}
	return f
}

func claimableFigure(p validator.Picture) views.Figure {
	amount := showAmount(p.Claimable())
	f := views.Figure{ID: "claimable", Label: "Claimable now", Icon: "coins", Amount: &amount}
	if cfg, has := p.Chain.Network.Config.Get(); has {
		f.Notes = append(f.Notes, views.Note{Text: fmt.Sprintf("The contract pays %s %% a year", basisPoints(cfg.RewardAPYBasisPoints))})
	}
	if day, has := p.AccrualPerDay().Get(); has && day.Sign() > 0 {
		f.Notes = append(f.Notes, views.Note{Text: "about " + roundedSAGE(day) + " SAGE a day", Title: day.Format()})
	}
	if p.Claimable().Known() {
		f.Notes = append(f.Notes, views.Note{Text: "at block " + integer(p.Chain.Block.Number)})
	}
	return f
}

func earnedFigure(p validator.Picture) views.Figure {
	amount := showAmount(p.TotalEarnings())
	f := views.Figure{ID: "earned", Label: "Earned", Icon: "up", Amount: &amount}
	e, known := p.Earnings.Get()
	if !known {
		return f
	}
	for _, w := range []struct {
		name string
		wei  validator.Wei
	}{{"24 h", e.Last24h}, {"7 d", e.Last7d}, {"30 d", e.Last30d}} {
		f.Notes = append(f.Notes, views.Note{Text: w.name + ": " + roundedSAGE(w.wei) + " SAGE", Title: w.wei.Format()})
	}
	apy := p.RealisedAPY()
	if v, has := apy.Get(); has {
		f.Notes = append(f.Notes, views.Note{Text: fmt.Sprintf("%s %% a year realised over %s", percent(v.Percent), validator.Ago(v.Window)), Title: fmt.Sprintf("%s earned / %s staked · 365 d / %s", v.Earned.Format(), v.Stake.Format(), validator.Ago(v.Window))})
	} else {
		f.Notes = append(f.Notes, views.Note{Text: "Yield unknown: " + apy.Reason()})
	}
	f.Spark = dailySparkline(e.Daily)
	return f
}

func jobsFigure(p validator.Picture) views.Figure {
	f := views.Figure{ID: "jobs", Label: "Jobs completed", Icon: "briefcase", Value: show(p.Jobs, "", func(c validator.JobCounts) string { return integer(c.Completed) })}
	c, known := p.Jobs.Get()
	if !known {
		return f
	}
	f.Notes = append(f.Notes, views.Note{Text: integer(c.InProgress) + " in progress"})
	failed := views.Note{Text: integer(c.Failed) + " failed"}
	if c.Failed > 0 {
		failed.Tone = views.ToneWarn
	}
	f.Notes = append(f.Notes, failed)
	if rate, has := c.SuccessPercent().Get(); has {
		f.Notes = append(f.Notes, views.Note{Text: percent(rate) + " % succeeded"})
	}
	return f
}

// roundedSAGE cuts an amount to a few decimals for a note; its hover has every digit.
func roundedSAGE(w validator.Wei) string {
	a := showWei(w)
	return a.Whole + a.Fraction
}

func basisPoints(bps uint32) string {
	return strconv.FormatFloat(float64(bps)/100, 'f', -1, 64)
}

const (
	stripWindow = 24 * time.Hour
	gapsShown   = 4
)

func showUptime(p validator.Picture) views.UptimeStrip {
	figure := func(window time.Duration) views.Value {
		u, known := p.Uptime(window).Get()
		if !known {
			return views.Value{Reason: validator.Sentence(p.Heartbeats.Reason())}
		}
		return show(u.Percent(), "%", percent)
	}
	strip := views.UptimeStrip{Day: figure(stripWindow), Week: figure(7 * 24 * time.Hour), Month: figure(uptimeReach)}
	u, known := p.Uptime(stripWindow).Get()
	switch {
	case !known:
		strip.Reason = validator.Sentence(p.Heartbeats.Reason())
		return strip
	case u.TotalMinutes == 0:
		strip.Reason = "No heartbeat has arrived yet."
		return strip
	}
	origin := u.To.Add(-stripWindow)
	bar := func(from, to time.Time, tone views.Tone, title string) {
		x := int(max(from.Sub(origin), 0) / time.Minute)
		end := int(to.Sub(origin) / time.Minute)
		strip.Bars = append(strip.Bars, views.StripBar{X: strconv.Itoa(x), Width: strconv.Itoa(end - x), Tone: tone, Title: title})
	}
	bar(u.From, u.To, views.ToneGood, "up")
	for _, g := range u.Gaps {
		bar(g.From, g.To, views.ToneBad, gapText(g))
	}
	for i := len(u.Gaps) - 1; i >= 0 && len(strip.Gaps) < gapsShown; i-- {
		strip.Gaps = append(strip.Gaps, gapText(u.Gaps[i]))
	}
	if more := len(u.Gaps) - len(strip.Gaps); more > 0 {
		strip.More = fmt.Sprintf("and %d earlier", more)
	}
	strip.Label = fmt.Sprintf("Uptime of the last 24 hours: %d of %d minutes, %d gaps", u.UpMinutes, u.TotalMinutes, len(u.Gaps))
	return strip
}

func gapText(g validator.Gap) string {
	return fmt.Sprintf("%s–%s UTC (%s)", g.From.Format("15:04"), g.To.Format("15:04"), validator.Ago(g.To.Sub(g.From)))
}
