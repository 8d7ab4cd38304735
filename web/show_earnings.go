package web

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// kindWords are what pages call the kinds of earnings.
var kindWords = map[validator.RewardKind]string{
	validator.RewardJob: "Jobs", validator.RewardStaking: "Staking", validator.RewardMining: "Mining", validator.RewardBonus: "Bonus",
}

// earningsForm chooses a range. It is an ordinary form: its state stands in the page's URL.
func (s *Server) earningsForm(wallet validator.Address, q earningsQuery, days validator.Maybe[validator.DayRange]) views.EarningsForm {
	m := views.EarningsForm{FromField: paramFrom, ToField: paramTo, ByField: paramBy, From: q.from, To: q.to}
	if wallet != s.validatorAddress {
		m.Hidden = []views.HiddenField{{Name: "wallet", Value: string(wallet)}}
	}
	for _, p := range earningsPresets {
		m.Presets = append(m.Presets, views.Tab{Label: p.label, URL: s.earningsURL(wallet, earningsQuery{last: p.id}), Current: q.last == p.id})
	}
	if d, known := days.Get(); known {
		m.From, m.To = d.First.Format(time.DateOnly), d.Last.Format(time.DateOnly)
	}
	for _, by := range []validator.Grouping{validator.ByDay, validator.ByWeek, validator.ByMonth} {
		m.By = append(m.By, views.Choice{Value: string(by), Label: capital(string(by)), Current: q.grouping() == by})
	}
	return m
}

// showEarningsNow is what can be claimed, what was, and what the stake yields.
func (s *Server) showEarningsNow(ctx context.Context, picture validator.Picture) views.EarningsNowPanel {
	p := statusShow{picture, s}
	m := views.EarningsNowPanel{Panel: panel("earnings-now", everyStatus, p.Address), Notice: staleNotice(p.Now, p.Database, p.Chain.State)}
	m.Panel.Stale = m.Notice != nil
	asked := s.reads(ctx)
	m.Claim = s.claimButton(ctx, picture, asked.Claims(ctx, p.Address).Or(nil))
	claimable := p.claimable()
	booked := validator.Map(p.Chain.Stake.Maybe, func(s validator.Stake) validator.Wei { return s.PendingRewards })
	claimable.Parts = append([]views.Row{{Label: "Of it booked", Amount: amountOf(booked), Origin: p.from("claim.pending", "the booked rewards")}}, claimable.Parts...)
	m.Figures = []views.Figure{claimable, p.claimed(), p.yield()}
	if p.Chain.Mining.Configured {
		m.Figures = append(m.Figures, p.mined())
	}
	return m
}

// mined is what MiningRewards says that it has paid in all. It tells no days, so that sums
// over days know of it only what the database has as claims of kind mining.
func (p statusShow) mined() views.Figure {
	mining := p.Chain.Mining
	amount := showAmount(validator.Map(mining.Stats.Maybe, func(m validator.MiningStats) validator.Wei { return m.Earned }))
	return views.Figure{
		ID: "mined", Label: "Paid by MiningRewards", Origin: p.from("mining.earned", "the mining rewards"), Amount: &amount,
		Parts: []views.Row{
			{Label: "Today", Origin: p.from("mining.today", "the day's mining rewards"), Amount: amountOf(validator.Map(p.MiningDay(), func(d validator.MiningDay) validator.Wei { return d.Earned }))},
			{Label: "Left of today's cap", Origin: p.from("mining.left", "what is left of the cap"), Amount: amountOf(mining.RemainingCap.Maybe)},
		},
		Notes: []views.Note{{Text: "Paid without a claim. The contract does not tell when, so this is in no sum by day, and in no yield: those know only claims of kind mining in the database."}},
	}
}

// claimed is what claims have brought so far.
func (p statusShow) claimed() views.Figure {
	amount := showAmount(p.Earned(claimedEver))
	return views.Figure{
		ID: "claimed", Label: "Claimed so far", Origin: p.from("claimed", "the claimed amount"), Amount: &amount,
		Parts: []views.Row{
			{Label: "Last claim", Value: whenOf(p.LastClaim(), p.Now), Origin: p.from("claim.last", "the last claim")},
			{Label: "In the wallet", Amount: amountOf(p.Chain.WalletBalance.Maybe), Origin: p.from("wallet.balance", "the wallet's balance")},
		},
	}
}

// yield is the realised yearly yield beside the contract's rate.
func (p statusShow) yield() views.Figure {
	apy := p.RealisedAPY()
	f := views.Figure{
		ID: "yield", Label: "Realised yield", Origin: p.from("apy", "the realised yield"),
		Value: show(apy, "% a year", func(v validator.APY) string { return percent(v.Percent) }),
	}
	f.Parts = []views.Row{{Label: "Contract's rate", Value: show(p.Chain.Network.Config.Maybe, "% a year", func(c validator.StakingConfig) string { return basisPoints(c.RewardAPYBasisPoints) })}}
	if v, known := apy.Get(); known {
		f.Parts = append(f.Parts, views.Row{Label: "Window", Value: views.Value{Text: validator.Ago(v.Window)}})
		f.Notes = []views.Note{{Text: "All that was earned in the window, by today's stake, times 365 days by the window; nothing is compounded."}}
	}
	return f
}

// showEarningReport is what was earned in a range.
func (s *Server) showEarningReport(p validator.Picture, r earningsRead) views.EarningReportPanel {
	m := views.EarningReportPanel{Panel: s.earningsPanel("earnings", everyEarnings, p.Address, r.query), Notice: staleNotice(p.Now, r.state)}
	m.Panel.Stale = m.Notice != nil
	report, known := r.report.Get()
	if !known {
		m.Empty, m.Notice = &views.Empty{Icon: "database", Tone: toneOf(r.state.Health), Title: "Earnings unknown", Text: validator.Sentence(r.report.Reason())}, nil
		return m
	}
	from := func(field, label string) views.Origin {
		return s.origin(p.Address, periodFigure(field, report.Range), label)
	}
	m.Heading = rangeWords(report.Range)
	total := report.Sums.Total()
	m.Figures = []views.Row{{Label: "Earned", Amount: amountOf(validator.EarnedWei(report.Total(report.Sums))), Origin: from("total", "the earnings of this time")}}
	for _, kind := range validator.RewardKinds {
		m.Figures = append(m.Figures, views.Row{Label: kindWords[kind], Amount: amountOf(validator.EarnedWei(report.Kind(report.Sums, kind))), Origin: from(string(kind), "earnings of kind "+string(kind))})
	}
	m.Averages = []views.Row{
		{Label: "Jobs paid", Value: views.Value{Text: integer(report.Sums[validator.RewardJob].Entries)}, Origin: from("jobs", "the paid jobs")},
		{Label: "Claims arrived", Value: show(report.Claims(), "", integer[int64]), Origin: from("claims", "the claims that arrived")},
		{Label: "Average a job", Amount: amountOf(report.PerJob()), Origin: from("perjob", "the average of a job")},
		{Label: "Average a GPU-hour", Amount: amountOf(report.PerGPUHour()), Origin: from("pergpuhour", "the average of a GPU-hour")},
	}
	if hours, known := report.JobHours().Get(); known {
		m.Note = "What jobs paid, by the execution time of the " + oneDecimalGrouped(hours) + " GPU-hours of all jobs that ended in this time, failed ones among them, as far as jobs tell theirs."
	}
	m.Power, m.Priced = s.rangePower(p, r, report), r.entry != priceEntry{}
	switch {
	case total.Entries > 0:
	case !report.ClaimEvents.Known():
		m.Empty = &views.Empty{Icon: "coins", Tone: views.ToneUnknown, Title: "No payment for a job is recorded in this time", Text: "Claims are not known: " + validator.Sentence(report.ClaimEvents.Reason())}
		return m
	default:
		m.Empty = &views.Empty{Icon: "coins", Tone: views.TonePlain, Title: "Nothing earned in this time", Text: "Payments for jobs and claimed staking rewards appear here. Choose other days above."}
		return m
	}
	m.Chart = earningBars(report)
	m.Kinds, m.Rows = earningRows(report)
	return m
}

// oneDecimalGrouped writes a number with its thousands apart.
func oneDecimalGrouped(f float64) string {
	text := oneDecimal(f)
	whole := text[:len(text)-2]
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return whole + text[len(text)-2:]
}

// rangeWords says a range of days.
func rangeWords(r validator.DayRange) string {
	const day = "2 January 2006"
	if r.Days() == 1 {
		return "Earned on " + r.First.Format(day)
	}
	return fmt.Sprintf("Earned from %s to %s", r.First.Format(day), r.Last.Format(day))
}

// earningRows are the numbers behind the chart, newest first.
func earningRows(r validator.EarningReport) (kinds []string, rows []views.EarningPeriodRow) {
	for _, k := range validator.RewardKinds {
		kinds = append(kinds, kindWords[k])
	}
	for _, p := range slices.Backward(r.Periods) {
		row := views.EarningPeriodRow{ISO: p.First.Format(time.DateOnly), Name: periodName(r.By, p), Total: showAmount(validator.EarnedWei(r.Total(p.Sums))), Entries: show(r.Total(p.Sums), "", func(s validator.EarningSum) string { return integer(s.Entries) })}
		if !p.Whole {
			row.Part = "in part"
		}
		for _, k := range validator.RewardKinds {
			row.Kinds = append(row.Kinds, showAmount(validator.EarnedWei(r.Kind(p.Sums, k))))
		}
		rows = append(rows, row)
	}
	return kinds, rows
}

// periodName is what a day, week or month is called.
func periodName(by validator.Grouping, p validator.EarningPeriod) string {
	switch by {
	case validator.ByWeek:
		year, week := p.First.ISOWeek()
		return fmt.Sprintf("%d-W%02d", year, week)
	case validator.ByMonth:
		return p.First.Format("Jan 2006")
	case validator.ByDay:
	}
	return p.First.Format(time.DateOnly)
}

// showEarningList is a page of the single earnings. It stands still while it is read.
func (s *Server) showEarningList(r earningListRead, wallet validator.Address, q earningsQuery) views.EarningList {
	entries, known := r.entries.Get()
	if !known {
		return views.EarningList{Empty: &views.Empty{Icon: "database", Tone: views.ToneUnknown, Title: "Earnings unknown", Text: validator.Sentence(r.entries.Reason())}}
	}
	m := views.EarningList{Notice: staleNotice(s.now(), r.state)}
	for _, e := range entries {
		row := views.EarningRow{When: *momentOf(s.now(), e.At), Kind: kindWords[e.Kind], Amount: showWei(e.Amount), Tx: s.txLink(e.TxHash)}
		if e.JobID != "" {
			row.Kind, row.Job, row.Marks = "Job", *s.jobLink(e.JobID, wallet), reportMarks(e.SelfReported, false)
		}
		row.Worth = worth(e.Amount, e.Price)
		m.Rows = append(m.Rows, row)
	}
	for _, format := range []string{formatCSV, formatNDJSON} {
		v := q.whole().values()
		v.Del(paramBy)
		v.Set(paramFormat, format)
		m.Export = append(m.Export, views.Link{Text: strings.ToUpper(format), URL: s.withQuery("/earnings/export", wallet, v)})
	}
	first := q.before.IsZero() && q.after.IsZero()
	if len(entries) == 0 {
		m.Empty = &views.Empty{Icon: "coins", Tone: views.TonePlain, Title: "No earning in this time", Text: "Choose other days above."}
		if !first {
			m.Empty.Text, m.Newest = "The list ends here.", s.earningsURL(wallet, q.whole())
		}
		return m
	}
	if !first {
		up := q.whole()
		up.after = db.EarningPlace(entries[0])
		m.Newest, m.Newer = s.earningsURL(wallet, q.whole()), s.earningsURL(wallet, up)
	}
	if r.more || !q.after.IsZero() {
		down := q.whole()
		down.before = db.EarningPlace(entries[len(entries)-1])
		m.Older = s.earningsURL(wallet, down)
	}
	return m
}
