package web

import (
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

func jobTag(s validator.JobStatus) views.Tag {
	switch {
	case s == validator.JobCompleted:
		return views.Tag{Text: "completed", Tone: views.ToneGood, Icon: "good"}
	case s.InProgress():
		return views.Tag{Text: string(s), Tone: views.TonePlain, Icon: "activity"}
	case s.Failed():
		return views.Tag{Text: string(s), Tone: views.ToneBad, Icon: "bad"}
	}
	return views.Tag{Text: string(s), Tone: views.TonePlain, Icon: "clock"}
}

func showJobs(page validator.Maybe[jobPage], counts validator.Maybe[validator.JobCounts], st validator.SourceState, panel views.Panel, now time.Time) views.JobsPanel {
	m := views.JobsPanel{Panel: panel, Notice: staleNotice(st, now)}
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
			{Label: "Failed", Value: views.Value{Text: integer(c.Failed)}},
			{Label: "Last 24 h", Value: views.Value{Text: integer(c.Last24h)}},
		}
	}
	for _, j := range p.jobs {
		row := views.JobRow{ID: j.ID, ShortID: abbreviated(j.ID), Type: j.Type, Status: jobTag(j.Status), Submitted: moment(now, j.CreatedAt),
			Duration: show(jobDuration(j), "", durationText), Reward: views.Amount{Reason: "No payment is recorded."}, Error: j.ErrorMessage}
		if j.Payment != nil {
			row.Reward = showWei(*j.Payment)
		}
		m.Rows = append(m.Rows, row)
	}
	if len(m.Rows) == 0 {
		m.Empty = &views.Empty{Icon: "briefcase", Tone: views.TonePlain, Title: "No job yet", Text: "Jobs that the network assigns to this wallet appear here by themselves."}
	}
	return m
}

func (s *Server) showRewards(p validator.Picture, page validator.Maybe[earningsPage], panel views.Panel) views.RewardsPanel {
	m := views.RewardsPanel{Panel: panel, Claim: showAmount(p.Claimable())}
	m.Notice = staleNotice(p.Database, p.Now)
	if n := staleNotice(p.Chain.State, p.Now); n != nil && m.Notice == nil {
		m.Notice = n
	}
	if st, known := p.Chain.Stake.Get(); known {
		m.ClaimRow = append(m.ClaimRow, views.Row{Label: "Recorded by the contract", Value: views.Value{Text: st.PendingRewards.SAGE(), Unit: "SAGE"}})
	}
	if last, known := p.LastClaim().Get(); known {
		m.ClaimRow = append(m.ClaimRow, views.Row{Label: "Last claim", Value: views.Value{Text: ago(p.Now, last), Title: last.UTC().Format(time.RFC3339)}})
	} else {
		m.ClaimRow = append(m.ClaimRow, views.Row{Label: "Last claim", Value: views.Value{Reason: validator.Sentence(p.LastClaim().Reason())}})
	}
	of := func(f func(validator.Earnings) validator.Wei) views.Amount {
		return showAmount(validator.Map(p.Earnings, f))
	}
	m.Totals = []views.AmountRow{
		{Label: "Last 24 h", Amount: of(func(e validator.Earnings) validator.Wei { return e.Last24h })},
		{Label: "Last 7 d", Amount: of(func(e validator.Earnings) validator.Wei { return e.Last7d })},
		{Label: "Last 30 d", Amount: of(func(e validator.Earnings) validator.Wei { return e.Last30d })},
		{Label: "All from jobs", Amount: of(func(e validator.Earnings) validator.Wei { return e.FromJobs })},
		{Label: "All claimed", Amount: of(func(e validator.Earnings) validator.Wei { return e.Claimed })},
	}
	entries, known := page.Get()
	if !known {
		m.Empty = &views.Empty{Icon: "database", Tone: views.ToneUnknown, Title: "Earnings unknown", Text: validator.Sentence(page.Reason())}
		return m
	}
	for _, e := range entries.entries {
		m.Rows = append(m.Rows, views.RewardRow{When: moment(p.Now, e.At), Kind: string(e.Kind), Amount: showWei(e.Amount), Job: e.JobID,
			Tx: abbreviated(string(e.TxHash)), TxFull: string(e.TxHash), TxURL: s.explorer("tx", string(e.TxHash))})
	}
	if len(m.Rows) == 0 {
		m.Empty = &views.Empty{Icon: "coins", Tone: views.TonePlain, Title: "Nothing earned yet", Text: "Payments for jobs and claimed staking rewards appear here."}
	}
	return m
}

func (s *Server) explorer(kind, id string) string {
	if id == "" || s.network.ExplorerURL == "" {
		return ""
	}
	return s.network.ExplorerURL + "/" + kind + "/" + id
}

func showNetwork(counts validator.Maybe[validator.NetworkCounts], net validator.ChainNetwork, st validator.SourceState, panel views.Panel, now time.Time) views.NetworkPanel {
	m := views.NetworkPanel{Panel: panel, Staked: showAmount(net.TotalStaked.Maybe)}
	m.Notice = staleNotice(st, now)
	if n := staleNotice(net.State, now); n != nil && m.Notice == nil {
		m.Notice = n
	}
	number := func(label string, f func(validator.NetworkCounts) int64) views.Row {
		return views.Row{Label: label, Value: show(counts, "", func(c validator.NetworkCounts) string { return integer(f(c)) })}
	}
	m.Rows = []views.Row{
		number("Workers", func(c validator.NetworkCounts) int64 { return c.TotalWorkers }),
		number("Active workers", func(c validator.NetworkCounts) int64 { return c.ActiveWorkers }),
		number("Active GPUs", func(c validator.NetworkCounts) int64 { return c.ActiveGPUs }),
		number("Jobs completed", func(c validator.NetworkCounts) int64 { return c.JobsProcessed }),
		number("Jobs, last 24 h", func(c validator.NetworkCounts) int64 { return c.JobsLast24h }),
	}
	return m
}
