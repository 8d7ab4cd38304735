package web

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

func (s *Server) showGPUNow(g gpuAsked) views.GPUNow {
	m := views.GPUNow{Panel: g.panel("gpu", everyGPUNow), Notice: g.notice(), Card: s.gpuCard(g.member, g.wallet, g.now, g.stale())}
	m.Panel.Stale = m.Notice != nil
	for i := range m.Card.Gauges {
		m.Card.Gauges[i].Spark = nil // the charts below show more
	}
	if since, hot := g.member.GPU.HotSince.Get(); hot {
		m.Hot = momentOf(g.now, since)
	}
	if !g.local() && !g.member.GPU.Processes.Known() {
		m.Card.ProcNote = "Its host does not report them."
	}
	return m
}

func (s *Server) showGPUCharts(g gpuAsked, past gpuPast) views.GPUCharts {
	m := views.GPUCharts{Panel: g.panel("gpu-charts", everyGPUCharts), Windows: s.windowTabs(g)}
	steps, known := past.steps.Get()
	switch {
	case !known:
		m.Empty = &views.Empty{Icon: "database", Tone: views.ToneUnknown, Title: "History unknown", Text: validator.Sentence(past.steps.Reason())}
		return m
	case !past.memory:
		m.Notice = staleNotice(g.now, past.database)
	default:
		m.Notice = g.notice()
	}
	m.Panel.Stale = m.Notice != nil
	from, to := g.window.from(g.now), g.window.to(g.now)
	steps, gaps := withGaps(steps, g.window.step, from, to)
	if len(steps) == 0 {
		m.Empty = noHistory(g, past)
		return m
	}
	m.Note = historyNote(g, past, steps)
	m.Group = views.ChartGroup{
		ID: "gpu-history", Title: "The last " + g.window.label + " of this GPU", Charts: gpuCharts(g.member.GPU, steps),
		ChartSheet: views.ChartSheet{
			Heading: "From (UTC)", X: chartTimes(steps), From: unixText(from), To: unixText(to), Marks: s.gpuMarks(g, past, steps, gaps),
		},
	}
	return m
}

func (s *Server) windowTabs(g gpuAsked) []views.Tab {
	var tabs []views.Tab
	for _, w := range gpuWindows {
		u, join := s.gpuURL(g.member.GPU.UUID, g.wallet), "?"
		if strings.Contains(u, "?") {
			join = "&"
		}
		tabs = append(tabs, views.Tab{Label: w.label, URL: u + join + "window=" + w.id, Current: w == g.window})
	}
	return tabs
}

// noHistory says why a window is empty.
func noHistory(g gpuAsked, past gpuPast) *views.Empty {
	e := &views.Empty{Icon: "clock", Tone: views.TonePlain, Title: "No reading in the last " + g.window.label}
	switch {
	case past.memory:
		e.Text = "This server keeps the last hour of this host's GPUs in memory, and has not read this one in that time."
	case g.local():
		e.Text = "Of this host's GPUs this server remembers one hour. Longer windows show the samples in the database: this server stores some while VALIDATOR_ADDRESS names the wallet that they work for, and none is of that time."
	default:
		e.Text = "Its host has reported no sample of it in that time."
	}
	return e
}

// historyNote says what a point is, where the points come from and how far back they reach.
func historyNote(g gpuAsked, past gpuPast, steps []validator.GPUStep) string {
	note := "Each point is the mean of " + stepWords(g.window.step) + ", with the lowest and the highest reading around it. "
	first := steps[0].At
	short := first.Sub(g.window.from(g.now)) > 2*usualDistance(steps, g.window.step)
	switch {
	case past.memory && short:
		return note + "Kept in this server's memory, which begins " + utc(first) + "."
	case past.memory:
		return note + "Kept in this server's memory."
	case short:
		return note + "From the samples that " + storedBy(g) + ", the first of them after " + utc(first) + "."
	}
	return note + "From the samples that " + storedBy(g) + "."
}

// storedBy says who stored a GPU's samples.
func storedBy(g gpuAsked) string {
	if g.local() {
		return "this server stored"
	}
	return "its host reported"
}

func stepWords(d time.Duration) string {
	if d > time.Hour {
		return fmt.Sprintf("%d min", int(d/time.Minute))
	}
	return validator.Ago(d)
}

func gpuCharts(g validator.GPU, steps []validator.GPUStep) []views.Chart {
	util := views.Chart{ID: "chart-utilisation", Title: "Utilisation", Unit: "%", Kind: views.ChartLine, Low: "0", High: "100", Series: utilization.band(steps)}
	mem := views.Chart{ID: "chart-memory", Title: "Memory used", Unit: "GiB", Kind: views.ChartLine, Low: "0", Series: []views.ChartSeries{memoryUsed.mean(steps)}}
	if total, known := g.MemoryTotalBytes.Get(); known {
		mem.High = gibText(total)
	}
	temp := views.Chart{ID: "chart-temperature", Title: "Temperature", Unit: "°C", Kind: views.ChartLine, Series: temperature.band(steps)}
	limit := func(m validator.Maybe[int], text string, tone views.Tone) {
		if at, known := m.Get(); known && at > 0 {
			temp.Limits = append(temp.Limits, views.ChartLimit{At: integer(at), Text: fmt.Sprintf("%s %d °C", text, at), Tone: tone})
		}
	}
	limit(g.SlowdownTemperatureC, "slows down at", views.ToneBad)
	if !g.SlowdownTemperatureC.Known() {
		limit(g.MaxTemperatureC, "meant for at most", views.ToneWarn)
	}
	draw := views.Chart{ID: "chart-power", Title: "Power", Unit: "W", Kind: views.ChartLine, Low: "0", Series: power.band(steps)}
	if most, known := g.PowerLimitMilliwatts.Get(); known && most > 0 {
		draw.Limits = []views.ChartLimit{{At: wattsText(most), Text: "limit " + wattsText(most) + " W", Tone: views.ToneWarn}}
	}
	charts := []views.Chart{util, mem, temp, draw}
	for i, q := range []struct {
		of  quantity
		why string
	}{{utilization, g.UtilizationPercent.Reason()}, {memoryUsed, g.MemoryUsedBytes.Reason()}, {temperature, g.TemperatureC.Reason()}, {power, g.PowerMilliwatts.Reason()}} {
		if !q.of.read(steps) {
			charts[i].Empty = &views.Empty{Icon: "unknown", Tone: views.ToneUnknown, Title: "No reading", Text: validator.Sentence(cmp.Or(q.why, "no sample of this time holds it"))}
			charts[i].Series, charts[i].Limits = nil, nil
		}
	}
	return charts
}

// marksShown bounds the events over a chart: more would hide it.
const marksShown = 8

// gpuMarks are the events of a window, newest first: what happened to the GPU beside its
// readings, and what that cost.
func (s *Server) gpuMarks(g gpuAsked, past gpuPast, steps []validator.GPUStep, gaps []gap) []views.ChartMark {
	from := g.window.from(g.now)
	type event struct {
		at   time.Time
		mark views.ChartMark
	}
	var events []event
	add := func(at time.Time, m views.ChartMark) {
		if !at.Before(from) {
			m.At = moment(g.now, at)
			events = append(events, event{at, m})
		}
	}
	for _, j := range past.failures.Or(nil) {
		label := "Job failed"
		if j.Status == validator.JobTimedOut {
			label = "Job timed out"
		}
		if j.ErrorMessage != "" {
			label += ": " + j.ErrorMessage
		}
		add(endOf(j), views.ChartMark{Label: label, Tone: views.ToneBad, Icon: "bad", Link: *s.jobLink(j.ID, g.wallet)})
	}
	for _, e := range past.slashes {
		add(e.Block.Time, views.ChartMark{Label: fmt.Sprintf("Slashed %s: %s", e.Amount.Format(), e.Reason), Tone: views.ToneBad, Icon: "shield", Link: s.slashLink(e, past.events, g.wallet)})
	}
	for _, x := range firstOfStep(validator.XIDs(g.member.GPU.Events), g.window.step) {
		add(x.At, xidMark(g.now, x))
	}
	if since, gone := g.member.GPU.MissingSince.Get(); gone {
		add(since, views.ChartMark{Label: "It no longer answers", Tone: views.ToneBad, Icon: "bad"})
	}
	for _, t := range slowedStretches(steps, g.window.step) {
		add(t.from, views.ChartMark{Until: momentOf(g.now, t.to), Now: !t.to.Before(g.now), Label: "Slowed: " + t.why, Tone: views.ToneWarn, Icon: "heat"})
	}
	for _, x := range gaps {
		add(x.from, views.ChartMark{Until: momentOf(g.now, x.to), Now: x.to.After(g.now), Label: "No reading for " + validator.Ago(minTime(x.to, g.now).Sub(x.from)), Tone: views.ToneUnknown, Icon: "unknown"})
	}
	slices.SortStableFunc(events, func(a, b event) int { return b.at.Compare(a.at) })
	var out []views.ChartMark
	for _, e := range events[:min(len(events), marksShown)] {
		out = append(out, e.mark)
	}
	return out
}

// firstOfStep leaves out errors that repeat one within a step: they would be drawn over
// each other.
func firstOfStep(xids []validator.GPUEvent, step time.Duration) []validator.GPUEvent {
	type place struct {
		code uint64
		at   time.Time
	}
	seen := map[place]bool{}
	return slices.DeleteFunc(slices.Clone(xids), func(x validator.GPUEvent) bool {
		p := place{x.Code, validator.StepStart(x.At, step)}
		again := seen[p]
		seen[p] = true
		return again
	})
}

// slowed is a stretch of time in which heat, a power brake or a fault held the GPU back.
type slowed struct {
	from, to time.Time
	why      string
}

// slowedStretches finds them in steps that withGaps prepared.
func slowedStretches(steps []validator.GPUStep, step time.Duration) []slowed {
	var out []slowed
	var reasons validator.ThrottleReasons // of the stretch that the walk is in
	for _, s := range steps {
		if !s.ThrottleReasons.Slowed() {
			reasons = 0
			continue
		}
		if reasons == 0 {
			out = append(out, slowed{from: s.At})
		}
		reasons |= s.ThrottleReasons
		last := &out[len(out)-1]
		last.to, last.why = s.At.Add(step), slowedWords(reasons)
	}
	return out
}

// slowedWords lists the reasons that hold a GPU back.
func slowedWords(r validator.ThrottleReasons) string {
	var words []string
	for _, t := range r.List() {
		if t.Bit.Slowed() {
			words = append(words, t.Words)
		}
	}
	return strings.Join(words, ", ")
}

func (s *Server) showGPUFailures(g gpuAsked, past gpuPast) views.GPUFailures {
	m := views.GPUFailures{Panel: g.panel("gpu-failures", everyGPUFailures), Notice: staleNotice(g.now, past.database)}
	m.Panel.Stale = m.Notice != nil
	jobs, known := past.failures.Get()
	if !known {
		m.Notice = nil
		m.Empty = &views.Empty{Icon: "database", Tone: views.ToneUnknown, Title: "Failed jobs unknown", Text: validator.Sentence(past.failures.Reason())}
		return m
	}
	m.Rows = s.jobRows(jobs, g.wallet, g.now)
	if past.cut {
		m.Note = "Of the newest 500 failed jobs of this wallet; older ones are not searched here."
	}
	if len(m.Rows) == 0 {
		m.Empty = &views.Empty{Icon: "good", Tone: views.ToneGood, Title: "No job failed here in the last " + g.window.label, Text: strings.TrimSpace("Jobs that name this GPU in gpu_uuid are counted. " + m.Note)}
	}
	return m
}
