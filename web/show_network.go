package web

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// networkFrom is where a figure of the network comes from.
func (s *Server) networkFrom(id, label string) views.Origin {
	return s.origin("", "network."+id, label+" of the network")
}

func (s *Server) networkNow(ctx context.Context, a networkAsked) views.NetworkNowPanel {
	r := s.readNetwork(ctx)
	m := views.NetworkNowPanel{Panel: a.panel("network-now", everyNetwork), Notice: staleNotice(s.now(), r.state)}
	m.Panel.Stale = m.Notice != nil
	number := func(id, label string, f func(validator.NetworkCounts) int64) views.Row {
		return views.Row{Label: label, Origin: s.networkFrom(id, label), Value: show(r.counts, "", func(c validator.NetworkCounts) string { return integer(f(c)) })}
	}
	m.Figures = []views.Row{
		number("workers", "Workers", func(c validator.NetworkCounts) int64 { return c.TotalWorkers }),
		number("active", "Active workers", func(c validator.NetworkCounts) int64 { return c.ActiveWorkers }),
		number("hosts", "Active hosts", func(c validator.NetworkCounts) int64 { return c.ActiveHosts }),
		number("busy", "Busy hosts", func(c validator.NetworkCounts) int64 { return c.BusyHosts }),
		number("gpus", "Active GPUs", func(c validator.NetworkCounts) int64 { return c.ActiveGPUs }),
		{Label: "GPU utilisation", Origin: s.networkFrom("utilisation", "GPU utilisation"), Value: networkUtilisation(r.counts)},
		number("jobs", "Jobs completed", func(c validator.NetworkCounts) int64 { return c.JobsProcessed }),
		number("jobs24h", "Jobs, last 24 h", func(c validator.NetworkCounts) int64 { return c.JobsLast24h }),
		{Label: "Average completion", Origin: s.networkFrom("completion", "Average completion"), Value: networkCompletion(r.counts)},
		{Label: "Compute", Origin: s.networkFrom("compute", "Compute"), Value: networkCompute(r.counts)},
	}
	m.Versions = views.CountTable{Title: "Software of active hosts", Name: "Version", Count: "Hosts"}
	m.GPUs = views.CountTable{Title: "GPUs of active hosts", Name: "GPUs", Count: "Hosts"}
	c, known := r.counts.Get()
	if !known {
		m.Versions.Reason, m.GPUs.Reason = validator.Sentence(r.counts.Reason()), validator.Sentence(r.counts.Reason())
		return m
	}
	for _, v := range c.TellableVersions() {
		name := v.Version
		if name == "" {
			name = "not reported"
		}
		m.Versions.Rows = append(m.Versions.Rows, countRow(name, v.Hosts, c.ActiveHosts))
	}
	for _, g := range c.TellableGPUCounts() {
		m.GPUs.Rows = append(m.GPUs.Rows, countRow(integer(g.GPUs), g.Hosts, c.ActiveHosts))
	}
	if len(m.Versions.Rows) == 0 {
		m.Versions.Reason = "No host is active."
	}
	if len(m.GPUs.Rows) == 0 {
		m.GPUs.Reason = "Fewer than 5 active hosts per GPU count."
	}
	return m
}

func countRow(name string, n, of int64) views.CountRow {
	r := views.CountRow{Name: name, Count: integer(n)}
	if of > 0 {
		share := float64(n) / float64(of) * 100
		r.Percent, r.Share = num(share), oneDecimal(share)+" %"
	}
	return r
}

func networkUtilisation(m validator.Maybe[validator.NetworkCounts]) views.Value {
	c, known := m.Get()
	switch {
	case !known:
		return views.Value{Reason: validator.Sentence(m.Reason())}
	case c.AverageGPUUtilization == nil:
		return views.Value{Reason: "No active host reports it."}
	}
	return views.Value{Text: oneDecimal(*c.AverageGPUUtilization), Unit: "%"}
}

func networkCompletion(m validator.Maybe[validator.NetworkCounts]) views.Value {
	c, known := m.Get()
	switch {
	case !known:
		return views.Value{Reason: validator.Sentence(m.Reason())}
	case c.AverageCompletion == nil:
		return views.Value{Reason: "No job of known length has been completed yet."}
	}
	return views.Value{Text: durationText(*c.AverageCompletion)}
}

func networkCompute(m validator.Maybe[validator.NetworkCounts]) views.Value {
	c, known := m.Get()
	if !known {
		return views.Value{Reason: validator.Sentence(m.Reason())}
	}
	return show(c.ComputeHours(), "hours", hoursText)
}

// hoursText has a decimal only where hours are few.
func hoursText(h float64) string {
	const many = 100
	if h < many {
		return oneDecimal(h)
	}
	return integer(int64(h))
}

func (s *Server) networkHours(ctx context.Context, a networkAsked) views.NetworkActivityPanel {
	asked := s.reads(ctx)
	read := asked.Activity(ctx, a.window.window)
	state := asked.State()
	m := views.NetworkActivityPanel{Panel: a.panel("network-hours", everyNetworkHours), Notice: staleNotice(s.now(), state)}
	m.Panel.Stale = m.Notice != nil
	for _, w := range networkWindows {
		to := networkAsked{a.wallet, w}
		m.Windows = append(m.Windows, views.Tab{Label: w.label, URL: "/network" + to.query(), Current: w == a.window})
	}
	act, known := read.Get()
	if !known {
		m.Empty, m.Notice = &views.Empty{Icon: "database", Tone: toneOf(state.Health), Title: "Jobs unknown", Text: validator.Sentence(read.Reason())}, nil
		return m
	}
	row := func(id, label string, v views.Value) views.Row {
		return views.Row{Label: label, Origin: s.networkFrom(id+"@"+a.window.id, label), Value: v}
	}
	m.Figures = []views.Row{
		row("submitted", "Submitted", views.Value{Text: integer(act.Submitted)}),
		row("completed", "Completed", views.Value{Text: integer(act.Completed)}),
		row("failed", "Failed or late", views.Value{Text: integer(act.Failed)}),
		row("success", "Succeeded", show(act.SuccessPercent(), "%", percent)),
		row("hours", "Compute", show(act.ComputeHours(), "hours", hoursText)),
	}
	m.Charts = activityCharts(act)
	return m
}

// activityCharts draw the hours of a window.
func activityCharts(act validator.NetworkActivity) views.ChartGroup {
	g := views.ChartGroup{ID: "network-charts", Title: "The network by hour", ChartSheet: views.ChartSheet{Heading: "Hour (UTC)"}}
	jobs := views.Chart{ID: "network-jobs", Title: "Jobs by hour", Kind: views.ChartLine, Low: "0", Note: "Jobs by when they were submitted, and by when they ended. A point is an hour from its start; the last is not over."}
	compute := views.Chart{ID: "network-compute", Title: "Compute by hour", Unit: "hours", Kind: views.ChartLine, Low: "0", Note: "Execution time of the jobs that were completed in the hour."}
	jobs.Series = []views.ChartSeries{{Label: "submitted", Role: views.ChartRoleLine}, {Label: "completed", Role: views.ChartRoleLine}, {Label: "failed", Role: views.ChartRoleLine}}
	compute.Series = []views.ChartSeries{{Label: "compute", Role: views.ChartRoleLine}}
	for _, h := range act.Hours {
		g.X = append(g.X, views.ChartTime{Text: h.Hour.Format("2006-01-02 15:04:05Z")})
		for i, n := range []int64{h.Submitted, h.Completed, h.Failed} {
			jobs.Series[i].Values = append(jobs.Series[i].Values, strconv.FormatInt(n, 10))
		}
		compute.Series[0].Values = append(compute.Series[0].Values, orEmpty(h.ComputeHours(), func(hours float64) string { return strconv.FormatFloat(hours, 'f', 2, 64) }))
	}
	g.Charts = []views.Chart{jobs, compute}
	return g
}

func (s *Server) networkWorkers(ctx context.Context, a networkAsked) views.NetworkWorkersPanel {
	asked := s.reads(ctx)
	months := asked.WorkerMonths(ctx)
	m := views.NetworkWorkersPanel{
		Panel: a.panel("network-workers", everyNetworkHours), Notice: staleNotice(s.now(), asked.State()),
		Note: fmt.Sprintf("Workers that were heard, or completed a job, in 30 days in UTC, today included. A group has %d workers at least, so that none can be recognised.", validator.LeastGroup),
	}
	m.Panel.Stale = m.Notice != nil
	m.Uptime = groupTable("Uptime, 30 d", "Uptime", months, validator.WorkerMonths.UptimeGroups, func(g validator.WorkerGroup) string { return groupRange(g, "%") })
	m.Jobs = groupTable("Jobs completed, 30 d", "Jobs", months, validator.WorkerMonths.JobGroups, jobRange)
	if a.wallet == "" {
		return m
	}
	all, known := months.Get()
	if !known {
		return m
	}
	place := all.PlaceOf(a.wallet)
	rank := func(p validator.Maybe[validator.Place], figure string) views.Value {
		return show(p, figure, rankText)
	}
	m.Own = []views.Row{
		{Label: "By uptime", Value: rank(place.ByUptime, "with "+percent(place.UptimePercent())+" %"), Origin: s.origin(a.wallet, "place.uptime", "your place by uptime")},
		{Label: "By jobs completed", Value: rank(place.ByJobs, "with "+integer(place.JobsCompleted)), Origin: s.origin(a.wallet, "place.jobs", "your place by jobs")},
	}
	return m
}

func rankText(p validator.Place) string { return integer(p.Rank) + " of " + integer(p.Of) }

func groupTable(title, name string, months validator.Maybe[validator.WorkerMonths], groups func(validator.WorkerMonths) validator.Maybe[[]validator.WorkerGroup], label func(validator.WorkerGroup) string) views.CountTable {
	t := views.CountTable{Title: title, Name: name, Count: "Workers"}
	all, known := months.Get()
	if !known {
		t.Reason = validator.Sentence(months.Reason())
		return t
	}
	list, known := groups(all).Get()
	if !known {
		t.Reason = validator.Sentence(groups(all).Reason())
		return t
	}
	for _, g := range slices.Backward(list) { // the best first
		t.Rows = append(t.Rows, countRow(label(g), int64(g.Workers), workersIn(list)))
	}
	return t
}

func workersIn(list []validator.WorkerGroup) (n int64) {
	for _, g := range list {
		n += int64(g.Workers)
	}
	return n
}

func edgeText(v float64) string { return strconv.FormatFloat(v, 'f', -1, 64) }

// groupRange says what values a group has.
func groupRange(g validator.WorkerGroup, unit string) string {
	switch {
	case g.To != nil:
		return edgeText(g.From) + " to below " + edgeText(*g.To) + " " + unit
	case g.From == 100:
		return "100 " + unit
	}
	return edgeText(g.From) + " " + unit + " and more"
}

func jobRange(g validator.WorkerGroup) string {
	switch {
	case g.To == nil:
		return integer(int64(g.From)) + " and more"
	case *g.To == g.From+1:
		return integer(int64(g.From))
	}
	return integer(int64(g.From)) + " to " + integer(int64(*g.To)-1)
}
