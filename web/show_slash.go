package web

import (
	"fmt"
	"strconv"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

func (s *Server) showSlash(r slashRead) views.SlashPage {
	now, e := r.picture.Now, r.slash
	m := views.SlashPage{
		Back:   views.Link{Text: "Stake", URL: s.stakeURL(r.picture.Address)},
		Reason: views.Value{Text: e.Reason.Explain()}, Tx: s.txLink(e.TxHash),
		Advice: e.Reason.Advice(r.evidence()),
	}
	m.Rows = []views.Row{
		{Label: "Taken", Amount: amountOf(validator.Some(e.Amount)), Origin: s.origin(r.picture.Address, "stake.slashed", "what was slashed in all")},
		{Label: "When", Value: views.Value{At: momentOf(now, e.Block.Time)}},
		{Label: "That is", Value: views.Value{Exact: momentOf(now, e.Block.Time)}},
		{Label: "Block", Value: views.Value{Text: integer(e.Block.Number), Title: string(e.Block.Hash)}},
	}
	s.showSlashEffect(&m, r)
	s.showSlashJob(&m, r)
	s.showSlashCard(&m, r)
	m.Uptime = slashUptime(r)
	return m
}

// showSlashEffect says what the slash left, and what that meant.
func (s *Server) showSlashEffect(m *views.SlashPage, r slashRead) {
	effect := validator.EffectOfSlash(r.events, r.slash)
	v, known := effect.Get()
	if !known {
		m.Note = "What it left is not known: " + validator.Sentence(effect.Reason())
		return
	}
	m.Rows = append(m.Rows,
		views.Row{Label: "Share of the stake", Value: views.Value{Text: basisPoints(v.BasisPoints()), Unit: "%"}},
		views.Row{Label: "Staked before", Amount: amountOf(validator.Some(v.Before))},
		views.Row{Label: "Left", Amount: amountOf(validator.Some(v.After))},
	)
	cfg, has := r.picture.Chain.Network.Config.Get()
	if !has {
		return
	}
	least := cfg.MinStake[v.Tier]
	m.Rows = append(m.Rows, views.Row{Label: "Least for " + v.Tier.String() + " now", Amount: amountOf(validator.Some(least))})
	if short := v.Shortfall(least); short.Sign() > 0 {
		m.Effect = &views.Tag{Text: "deactivated: " + showWei(short).Text + " SAGE short of the tier's minimum", Tone: views.ToneBad, Icon: "bad"}
	} else {
		m.Effect = &views.Tag{Text: "the stake stayed above its tier's minimum", Tone: views.ToneGood, Icon: "good"}
	}
	m.Note = fmt.Sprintf("Each slash counts as a failure, too: %d in a row deactivate a worker whatever its stake, and only stake() activates it again.", cfg.MaxConsecutiveFailures)
}

func (s *Server) showSlashJob(m *views.SlashPage, r slashRead) {
	j, known := r.job.Get()
	switch {
	case !known:
		m.JobNote = "The job cannot be read now: " + validator.Sentence(r.job.Reason())
		return
	case j == nil:
		m.JobNote = "The contract names job " + r.jobID + ", and the database has no job of this wallet with that identifier."
		return
	}
	ran := func(label string, t *time.Time) views.Row {
		row := views.Row{Label: label, Value: views.Value{Reason: "Not recorded."}}
		if t != nil {
			row.Value = views.Value{Exact: momentOf(r.picture.Now, *t)}
		}
		return row
	}
	m.Job = &views.SlashJob{
		Link: *s.jobLink(j.ID, r.picture.Address), Status: jobTag(j.Status), Error: j.ErrorMessage,
		Rows: []views.Row{
			{Label: "Type", Value: views.Value{Text: j.Type, Reason: "Not recorded."}},
			ran("Assigned", j.AssignedAt), ran("Ended", j.CompletedAt),
			{Label: "Duration", Value: jobDuration(*j)},
		},
	}
}

// showSlashCard shows the card's samples around the slash, or says why there are none.
func (s *Server) showSlashCard(m *views.SlashPage, r slashRead) {
	j := r.job.Or(nil)
	if j == nil || j.GPUUUID == "" {
		m.GPUNote = "Nothing says on which card the job ran, so no samples are shown."
		return
	}
	m.GPU = s.cardLink(r, j.GPUUUID)
	steps, known := r.steps.Get()
	first, firstKnown := r.first.Get()
	switch {
	case !known:
		m.GPUNote = "Its samples cannot be read now: " + validator.Sentence(r.steps.Reason())
		return
	case len(steps) == 0 && firstKnown && first.IsZero():
		m.GPUNote = "No sample of this card is kept."
		return
	case len(steps) == 0 && firstKnown:
		m.GPUNote = "No sample of that time is kept: those of this card begin " + utc(first) + "."
		return
	case len(steps) == 0:
		m.GPUNote = "No sample of that time is kept."
		return
	}
	from, to := steps[0].At, validator.StepStart(r.slash.Block.Time.Add(r.reach), r.step)
	shown, gaps := withGaps(steps, r.step, from, to)
	card := validator.GPU{}
	if r.gpu != nil {
		card = *r.gpu
	}
	m.GPUNote = slashCardNote(r)
	m.Charts = &views.ChartGroup{
		ID: "slash-history", Title: "The card around the slash", Charts: gpuCharts(card, shown),
		ChartSheet: views.ChartSheet{Heading: "From (UTC)", X: chartTimes(shown), From: unixText(from), To: unixText(to), Marks: s.slashMarks(r, gaps)},
	}
}

// slashCardNote says what a point is, and in a sentence what the card went through.
func slashCardNote(r slashRead) string {
	note := "Each point is the mean of " + stepWords(r.step) + ", from the samples that are kept. "
	if r.step == evidenceStepSums {
		note = "Single samples of that time are past their age: each point is the mean of an hour. "
	}
	h := r.heldBack()
	note += heldBackText(h, r.step, r.spans)
	peak, hot := h.PeakC.Get()
	if hot {
		note += fmt.Sprintf(" Its highest temperature was %d °C.", peak)
	}
	return note
}

// slashMarks are what happened at that time, oldest first.
func (s *Server) slashMarks(r slashRead, gaps []gap) []views.ChartMark {
	now := r.picture.Now
	var out []views.ChartMark
	if j := r.job.Or(nil); j != nil && j.AssignedAt != nil {
		mark := views.ChartMark{At: moment(now, *j.AssignedAt), Label: "The job ran", Tone: views.TonePlain, Icon: "activity", Link: *s.jobLink(j.ID, r.picture.Address)}
		if j.CompletedAt != nil {
			mark.Until = momentOf(now, *j.CompletedAt)
		}
		out = append(out, mark)
	}
	out = append(out, views.ChartMark{At: moment(now, r.slash.Block.Time), Label: fmt.Sprintf("Slashed %s: %s", r.slash.Amount.Format(), r.slash.Reason), Tone: views.ToneBad, Icon: "shield"})
	for _, x := range r.evidence().XIDs {
		out = append(out, xidMark(now, x))
	}
	for _, x := range throttleGroups(r.spans.Or(nil), now, 0) {
		out = append(out, x.mark(now))
	}
	for _, x := range gaps {
		out = append(out, views.ChartMark{At: moment(now, x.from), Until: momentOf(now, x.to), Label: "No reading for " + validator.Ago(minTime(x.to, now).Sub(x.from)), Tone: views.ToneUnknown, Icon: "unknown"})
	}
	return out[:min(len(out), marksShown)]
}

// slashUptime is a strip of the minutes around a slash.
func slashUptime(r slashRead) views.UptimeStrip {
	u, known := r.uptime.Get()
	switch {
	case !known:
		return views.UptimeStrip{Reason: validator.Sentence(r.uptime.Reason())}
	case u.TotalMinutes == 0:
		return views.UptimeStrip{Reason: "No heartbeat had arrived by then, or none is kept of that time."}
	}
	strip := views.UptimeStrip{Label: fmt.Sprintf("Up in %s of %s minutes.", integer(u.UpMinutes), integer(u.TotalMinutes))}
	origin := r.slash.Block.Time.Add(-uptimeAround).UTC().Truncate(time.Minute)
	bar := func(from, to time.Time, tone views.Tone, title string) {
		x := int(from.Sub(origin) / time.Minute)
		strip.Bars = append(strip.Bars, views.StripBar{X: strconv.Itoa(x), Width: strconv.Itoa(int(to.Sub(from) / time.Minute)), Tone: tone, Title: title})
	}
	bar(u.From, u.To, views.ToneGood, "up")
	for _, g := range u.Gaps {
		bar(g.From, g.To, views.ToneBad, gapText(g))
		strip.Gaps = append(strip.Gaps, "Not heard "+gapText(g))
	}
	return strip
}
