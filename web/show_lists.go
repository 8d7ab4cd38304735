package web

import (
	"slices"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/observe"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

func jobTag(s validator.JobStatus) views.Tag {
	switch {
	case s == validator.JobCompleted:
		return views.Tag{Text: "completed", Tone: views.ToneGood, Icon: "good"}
	case s.InProgress():
		return views.Tag{Text: statusWords(s), Tone: views.TonePlain, Icon: "activity"}
	case s.Failed():
		return views.Tag{Text: statusWords(s), Tone: views.ToneBad, Icon: "bad"}
	}
	return views.Tag{Text: statusWords(s), Tone: views.TonePlain, Icon: "clock"}
}

func (s *Server) showJobs(page validator.Maybe[observe.JobPage], counts validator.Maybe[validator.JobCounts], wallet validator.Address, st validator.SourceState, panel views.Panel, now time.Time) views.JobsPanel {
	m := views.JobsPanel{Panel: panel, Notice: staleNotice(now, st)}
	m.Panel.Stale = m.Notice != nil
	p, known := page.Get()
	if !known {
		m.Empty, m.Notice = &views.Empty{Icon: "database", Tone: toneOf(st.Health), Title: "Jobs unknown", Text: validator.Sentence(page.Reason())}, nil
		return m
	}
	if c, has := counts.Get(); has && c.Total > 0 {
		m.Counts = []views.Row{
			{Label: "All", Value: views.Value{Text: integer(c.Total)}},
			{Label: "In progress", Value: views.Value{Text: integer(c.InProgress)}},
			{Label: "Completed", Value: views.Value{Text: integer(c.Completed)}},
			{Label: "Failed or late", Value: views.Value{Text: integer(c.Failed)}},
			{Label: "Last 24 h", Value: views.Value{Text: integer(c.Last24h)}},
		}
		if c.SelfReported > 0 {
			m.Counts = append(m.Counts, views.Row{Label: "Self-reported", Value: views.Value{Text: integer(c.SelfReported), Title: selfReportedNote}})
		}
		if n := c.KeptApart[validator.FaultAhead] + c.KeptApart[validator.FaultExecution]; n > 0 {
			m.Counts = append(m.Counts, views.Row{Label: "Kept apart", Value: views.Value{Text: apartText(n), Title: strings.Join(countNotes(c), " ")}})
		}
	}
	m.Rows = s.jobRows(p.Jobs, wallet, now)
	if len(m.Rows) == 0 {
		m.Empty = &views.Empty{Icon: "briefcase", Tone: views.TonePlain, Title: "No job yet", Text: "Jobs that the network assigns to this wallet appear here by themselves."}
	}
	return m
}

func (s *Server) showRewards(p validator.Picture, page validator.Maybe[observe.EarningHistory], claims validator.Maybe[[]validator.Claim], panel views.Panel) views.RewardsPanel {
	m := views.RewardsPanel{Panel: panel, Notice: staleNotice(p.Now, p.Database)}
	m.Panel.Stale = m.Notice != nil
	m.ByDay = earningsChart(p)
	m.Totals = []views.Row{
		{Label: "From jobs", Amount: amountOf(validator.Map(p.Earnings, func(e validator.Earnings) validator.Wei { return e.FromJobs })), Origin: s.origin(p.Address, "earned.jobs", "the earnings of jobs")},
		{Label: "From claims", Amount: amountOf(p.Earned(claimedEver)), Origin: s.origin(p.Address, "claimed", "the claimed amount")},
		{Label: "Last claim", Origin: s.origin(p.Address, "claim.last", "the last claim"), Value: whenOf(p.LastClaim(), p.Now)},
	}
	if e, known := p.Earnings.Get(); known && e.SelfReportedJobs > 0 {
		m.Totals = slices.Insert(m.Totals, 1, views.Row{Label: "Self-reported earnings", Value: views.Value{Text: e.SelfReported.Format(), Title: selfReportedNote}})
	}
	for _, c := range claims.Or(nil) {
		m.Claims = append(m.Claims, s.claimRow(c, p.Now))
	}
	entries, known := page.Get()
	if !known {
		m.Empty = &views.Empty{Icon: "database", Tone: views.ToneUnknown, Title: "Earnings unknown", Text: validator.Sentence(page.Reason())}
		return m
	}
	for _, e := range entries.Entries {
		row := views.RewardRow{When: moment(p.Now, e.At), Kind: string(e.Kind), Amount: showWei(e.Amount), Tx: s.txLink(e.TxHash)}
		if e.JobID != "" {
			row.Job, row.Marks = *s.jobLink(e.JobID, p.Address), reportMarks(e.SelfReported, false)
		}
		m.Rows = append(m.Rows, row)
	}
	switch {
	case len(m.Rows) > 0:
	case !p.ClaimEvents.Known():
		m.Empty = &views.Empty{Icon: "coins", Tone: views.ToneUnknown, Title: "No payment for a job is recorded", Text: "Claims are not known: " + validator.Sentence(p.ClaimEvents.Reason())}
	default:
		m.Empty = &views.Empty{Icon: "coins", Tone: views.TonePlain, Title: "Nothing earned yet", Text: "Payments for jobs and claimed staking rewards appear here."}
	}
	return m
}

// whenOf shows a time, or why it is unknown.
func whenOf(m validator.Maybe[time.Time], now time.Time) views.Value {
	t, known := m.Get()
	if !known {
		return views.Value{Reason: validator.Sentence(m.Reason())}
	}
	return views.Value{At: momentOf(now, t)}
}

func (s *Server) claimRow(c validator.Claim, now time.Time) views.ClaimRow {
	row := views.ClaimRow{When: moment(now, c.At), Tx: s.txLink(c.TxHash), Failure: claimFailure(c), Amount: views.Amount{Reason: "The amount is not known yet."}}
	if c.Amount != nil {
		row.Amount = showWei(*c.Amount)
	}
	switch c.Status {
	case validator.ClaimConfirmed:
		row.Status = views.Tag{Text: "arrived", Tone: views.ToneGood, Icon: "good"}
	case validator.ClaimFailed:
		row.Status = views.Tag{Text: "failed", Tone: views.ToneBad, Icon: "bad"}
		row.Amount = views.Amount{Reason: "A failed claim pays nothing."}
	case validator.ClaimExpired:
		row.Status = views.Tag{Text: "expired", Tone: views.ToneWarn, Icon: "warn"}
		row.Amount = views.Amount{Reason: "No node knows its transaction."}
	case validator.ClaimSubmitted:
		row.Status = views.Tag{Text: "on its way", Tone: views.TonePlain, Icon: "clock"}
	}
	return row
}

// txLink leads to a transaction in the network's block explorer.
func (s *Server) txLink(tx validator.Felt) views.Link {
	return views.Link{Text: abbreviated(string(tx)), Title: string(tx), URL: s.explorer("tx", string(tx))}
}

func (s *Server) explorer(kind, id string) string {
	if id == "" || s.network.ExplorerURL == "" {
		return ""
	}
	return s.network.ExplorerURL + "/" + kind + "/" + id
}

func (s *Server) showNetwork(counts validator.Maybe[validator.NetworkCounts], net validator.ChainNetwork, st validator.SourceState, panel views.Panel, now time.Time) views.NetworkPanel {
	m := views.NetworkPanel{Panel: panel, Notice: staleNotice(now, st, net.State)}
	m.Panel.Stale = m.Notice != nil
	from := func(id, label string) views.Origin { return s.origin("", "network."+id, label) }
	number := func(id, label string, f func(validator.NetworkCounts) int64) views.Row {
		return views.Row{Label: label, Origin: from(id, label+" of the network"), Value: show(counts, "", func(c validator.NetworkCounts) string { return integer(f(c)) })}
	}
	m.Rows = []views.Row{
		{Label: "Total staked", Origin: from("staked", "the network's stake"), Amount: amountOf(net.TotalStaked.Maybe)},
		number("workers", "Workers", func(c validator.NetworkCounts) int64 { return c.TotalWorkers }),
		number("active", "Active workers", func(c validator.NetworkCounts) int64 { return c.ActiveWorkers }),
		number("gpus", "Active GPUs", func(c validator.NetworkCounts) int64 { return c.ActiveGPUs }),
		number("jobs", "Jobs completed", func(c validator.NetworkCounts) int64 { return c.JobsProcessed }),
		number("jobs24h", "Jobs, last 24 h", func(c validator.NetworkCounts) int64 { return c.JobsLast24h }),
	}
	return m
}
