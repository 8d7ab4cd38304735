package web

import (
	"fmt"
	"strconv"
	"strings"

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

// pageTitle is what the browser's tab says of a wallet.
func pageTitle(v validator.Verdict, wallet validator.Address) string {
	return string(v) + " · " + wallet.Abbreviated()
}

// statusShow makes the status panel of one picture.
type statusShow struct {
	validator.Picture

	server *Server
}

// from is where a figure of the picture comes from.
func (p statusShow) from(id, label string) views.Origin {
	return p.server.origin(p.Address, id, label)
}

func (s *Server) showStatus(picture validator.Picture, panel views.Panel) views.StatusPanel {
	p := statusShow{picture, s}
	m := views.StatusPanel{
		Panel: panel, Uptime: p.uptime(), Verdict: p.verdict(),
		Figures: []views.Figure{p.staked(), p.reputation(), p.claimable(), p.earned(), p.jobs()},
	}
	m.Panel.Stale = staleNotice(p.Now, p.Chain.State, p.Database) != nil
	m.Notice = staleNotice(p.Now, p.Chain.State, p.Database)
	return m
}

func (p statusShow) verdict() views.Verdict {
	a := p.Assess()
	v := views.Verdict{Words: string(a.Verdict), Reason: a.Reason, Title: pageTitle(a.Verdict, p.Address) + titleTail, Origin: p.from("verdict", "the verdict")}
	v.Tone, v.Icon = verdictLook(a.Verdict)
	v.Checks = checkRows(a.Checks)
	v.Answer, v.Rate = earningAnswer(a), p.rate()
	return v
}

// earningAnswer answers the question that stands over the verdict.
func earningAnswer(a validator.Assessment) string {
	switch earning, known := a.Earning.Get(); {
	case !known:
		return "Not known."
	case earning:
		return "Yes."
	}
	return "No, no work brings anything in now."
}

// rate says at what rate the wallet earns, as far as that is known.
func (p statusShow) rate() string {
	var parts []string
	if w, known := p.Earned(earned24h).Get(); known {
		parts = append(parts, showWei(w).Text+" SAGE earned in the last 24 h")
	}
	if w, known := p.AccrualPerDay().Get(); known && w.Sign() > 0 {
		parts = append(parts, showWei(w).Text+" SAGE a day accrue on the stake")
	}
	if len(parts) == 0 {
		return "The rate is not known."
	}
	return strings.Join(parts, ", and ") + "."
}

// checkRows shows checks; a reason that several share is said once.
func checkRows(checks []validator.Check) []views.Check {
	var rows []views.Check
	said := map[string]bool{}
	for _, c := range checks {
		row := views.Check{Label: c.Label, Detail: c.Detail, Remedy: c.Remedy, State: string(c.State)}
		row.Tone, row.Icon = checkLook(c.State)
		if c.State == validator.CheckUnknown {
			if said[c.Detail] {
				row.Detail = "Unknown for the same reason."
			}
			said[c.Detail] = true
		}
		rows = append(rows, row)
	}
	return rows
}

func (p statusShow) staked() views.Figure {
	amount := showAmount(validator.Map(p.Chain.Stake.Maybe, func(s validator.Stake) validator.Wei { return s.Amount }))
	f := views.Figure{ID: "staked", Label: "Staked", Origin: p.from("staked", "the stake"), Amount: &amount}
	s, known := p.Chain.Stake.Get()
	if !known {
		return f
	}
	if s.Registered() {
		f.Parts = append(f.Parts, views.Row{Label: "Tier", Value: views.Value{Text: s.Tier.String()}})
		f.Parts = append(f.Parts, p.headroom()...)
	}
	if s.LockedAmount.Sign() > 0 {
		f.Notes = append(f.Notes, views.Note{Text: s.LockedAmount.Format() + " unstaking, still slashable", Tone: views.ToneWarn})
	}
	if s.TotalSlashed.Sign() > 0 {
		f.Notes = append(f.Notes, views.Note{Text: s.TotalSlashed.Format() + " slashed so far"})
	}
	return f
}

// headroom is the distance of the stake from its tier's minimum.
func (p statusShow) headroom() []views.Row {
	minimum := validator.Map2(p.Chain.Stake.Maybe, p.Chain.Network.Config.Maybe, func(s validator.Stake, c validator.StakingConfig) validator.Wei { return c.MinStake[s.Tier] })
	room := views.Row{Label: "Headroom", Amount: amountOf(p.Headroom()), Origin: p.from("stake.minimum", "the headroom")}
	if h, known := p.Headroom().Get(); known && h.Sign() < 0 {
		room.Tone = views.ToneBad
	}
	return []views.Row{{Label: "Minimum", Amount: amountOf(minimum), Origin: p.from("stake.minimum", "the minimum")}, room}
}

func (p statusShow) reputation() views.Figure {
	f := views.Figure{ID: "reputation", Label: "Reputation", Origin: p.from("reputation", "the reputation")}
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
	f.Parts = []views.Row{
		{Label: "Level", Value: views.Value{Text: integer(r.Level), Unit: "of 5"}},
		{Label: "Rank", Origin: p.from("reputation.rank", "the rank"), Value: show(p.Chain.ReputationRank.Maybe, "", func(rank uint32) string {
			if rank == 0 {
				return "unranked"
			}
			return integer(rank)
		})},
	}
	if r.Disputes+r.Slashes > 0 {
		f.Notes = append(f.Notes, views.Note{Text: fmt.Sprintf("%s, %s on record", counted(r.Disputes, "dispute", "disputes"), counted(r.Slashes, "slash", "slashes")), Tone: views.ToneWarn})
	}
	return f
}

func counted(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return integer(n) + " " + many
}

func (p statusShow) claimable() views.Figure {
	amount := showAmount(p.Claimable())
	f := views.Figure{ID: "claimable", Label: "Claimable now", Origin: p.from("claimable", "the claimable amount"), Amount: &amount}
	f.Counter = p.counter()
	if day, has := p.AccrualPerDay().Get(); has {
		f.Parts = append(f.Parts, views.Row{Label: "Per day", Value: perDay(day), Origin: p.from("accrual", "the daily accrual")})
	}
	if cfg, has := p.Chain.Network.Config.Get(); has {
		f.Parts = append(f.Parts, views.Row{Label: "Contract's rate", Value: views.Value{Text: basisPoints(cfg.RewardAPYBasisPoints), Unit: "% a year"}})
	}
	return f
}

// counter is nil unless the amount may count up: while the chain's values are live.
func (p statusShow) counter() *views.Counter {
	f, known := p.ClaimableFormula().Get()
	if !known || p.Chain.State.Health != validator.HealthOK {
		return nil
	}
	unix := func(seconds int64) string { return strconv.FormatInt(seconds, 10) }
	return &views.Counter{
		Text:    everyDecimal(f.At(f.BlockUnix)),
		Pending: f.PendingWei.String(), Amount: f.AmountWei.String(), BasisPoints: strconv.FormatUint(uint64(f.RewardAPYBasisPoints), 10),
		Since: unix(f.LastClaimUnix), Block: unix(f.BlockUnix), Divisor: strconv.FormatInt(f.Divisor, 10), Decimals: strconv.Itoa(validator.SAGEDecimals),
	}
}

// perDay is a daily amount for reading: its hover has every digit.
func perDay(day validator.Wei) views.Value {
	a := showWei(day)
	return views.Value{Text: a.Text, Unit: a.Unit, Title: a.Exact + " " + a.Unit}
}

func (p statusShow) earned() views.Figure {
	amount := showAmount(p.TotalEarnings())
	f := views.Figure{ID: "earned", Label: "Earned", Origin: p.from("earned", "the earnings"), Amount: &amount}
	e, known := p.Earnings.Get()
	if !known {
		return f
	}
	for _, w := range []struct {
		label, id string
		sum       func(validator.Earnings) validator.Wei
	}{{"24 h", "earned.24h", earned24h}, {"7 d", "earned.7d", earned7d}, {"30 d", "earned.30d", earned30d}} {
		f.Parts = append(f.Parts, views.Row{Label: w.label, Origin: p.from(w.id, "earnings of "+w.label), Amount: amountOf(p.Earned(w.sum))})
	}
	f.Parts = append(f.Parts, views.Row{Label: "Realised yield", Origin: p.from("apy", "the realised yield"), Value: show(p.RealisedAPY(), "% a year", func(v validator.APY) string { return percent(v.Percent) })})
	if p.ClaimEvents.Known() {
		f.Spark = dailySparkline(e.Daily)
	}
	return f
}

// The sums of earnings that claims are a part of.
func earnedEver(e validator.Earnings) validator.Wei  { return e.Total }
func earned24h(e validator.Earnings) validator.Wei   { return e.Last24h }
func earned7d(e validator.Earnings) validator.Wei    { return e.Last7d }
func earned30d(e validator.Earnings) validator.Wei   { return e.Last30d }
func claimedEver(e validator.Earnings) validator.Wei { return e.Claimed }

func (p statusShow) jobs() views.Figure {
	f := views.Figure{ID: "jobs", Label: "Jobs completed", Origin: p.from("jobs.completed", "the completed jobs"), Value: show(p.Jobs, "", func(c validator.JobCounts) string { return integer(c.Completed) })}
	c, known := p.Jobs.Get()
	if !known {
		return f
	}
	f.Parts = []views.Row{
		{Label: "In progress", Origin: p.from("jobs.inprogress", "the jobs in progress"), Value: views.Value{Text: integer(c.InProgress)}},
		{Label: "Failed or late", Origin: p.from("jobs.failed", "the failed jobs"), Value: views.Value{Text: integer(c.Failed)}},
		{Label: "Succeeded", Origin: p.from("jobs.success", "the success rate"), Value: show(c.SuccessPercent(), "%", percent)},
		{Label: "Last 24 h", Value: views.Value{Text: integer(c.Last24h)}},
	}
	return f
}

func basisPoints(bps uint32) string {
	return strconv.FormatFloat(float64(bps)/100, 'f', -1, 64)
}

const (
	stripWindow = validator.UptimeDayWindow // how much of the time a strip draws
	gapsShown   = 4
)

func (p statusShow) uptime() views.UptimeStrip {
	share := func(label, id string, window validator.Window) views.Row {
		r := views.Row{Label: label, Origin: p.from(id, "the uptime of "+label)}
		u, known := p.Uptime(window).Get()
		if !known {
			r.Value = views.Value{Reason: validator.Sentence(p.Heartbeats.Reason())}
		} else {
			r.Value = show(u.Percent(), "%", percent)
		}
		return r
	}
	strip := views.UptimeStrip{}
	switch u, known := p.Uptime(validator.Window24h).Get(); {
	case !known:
		strip.Reason = validator.Sentence(p.Heartbeats.Reason())
	default:
		strip = stripOf(u)
		for i := len(u.Gaps) - 1; i >= 0 && len(strip.Gaps) < gapsShown; i-- {
			strip.Gaps = append(strip.Gaps, gapText(u.Gaps[i]))
		}
		if more := len(u.Gaps) - len(strip.Gaps); more > 0 {
			strip.More = "and " + integer(more) + " earlier"
		}
	}
	strip.Shares = []views.Row{share("24 h", "uptime.24h", validator.Window24h), share("7 d", "uptime.7d", validator.Window7d), share("30 d", "uptime.30d", validator.Window30d)}
	strip.Link = views.Link{Text: "History", URL: p.server.uptimeURL(p.Address, nil)}
	return strip
}

func gapText(g validator.Gap) string {
	return fmt.Sprintf("%s–%s UTC (%s)", g.From.Format("15:04"), g.To.Format("15:04"), validator.Ago(g.To.Sub(g.From)))
}
