package web

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
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
	m.Note = historyNote(g, past, steps) + slowedNote(g, past)
	m.Group = views.ChartGroup{
		ID: "gpu-history", Title: "The last " + g.window.label + " of this GPU", Charts: gpuCharts(g.member.GPU, steps),
		ChartSheet: views.ChartSheet{
			Heading: "From (UTC)", X: chartTimes(steps), From: unixText(from), To: unixText(to), Marks: s.gpuMarks(g, past, gaps),
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
		e.Text = "Its host reported no sample in that time."
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

// slowedNote says how often the card was slowed in the window, where not all of it is marked,
// or that nobody can say.
func slowedNote(g gpuAsked, past gpuPast) string {
	groups := g.slowed(past)
	switch {
	case !past.spans.Known() && len(g.member.GPU.Throttled) == 0 && g.kept:
		return " When it was slowed cannot be read now: " + validator.Sentence(past.spans.Reason())
	case len(groups) <= marksShown:
		return ""
	}
	return fmt.Sprintf(" It was slowed %s times in this time; the newest are marked.", integer(len(groups)))
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
		draw.Limits = []views.ChartLimit{{At: strconv.FormatFloat(watts(most), 'f', 0, 64), Text: "limit " + wattsText(most) + " W", Tone: views.ToneWarn}}
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
func (s *Server) gpuMarks(g gpuAsked, past gpuPast, gaps []gap) []views.ChartMark {
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
		add(j.EndedAt(), views.ChartMark{Label: label, Tone: views.ToneBad, Icon: "bad", Link: *s.jobLink(j.ID, g.wallet)})
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
	for _, x := range gaps {
		add(x.from, views.ChartMark{Until: momentOf(g.now, x.to), Now: x.to.After(g.now), Label: "No reading for " + validator.Ago(minTime(x.to, g.now).Sub(x.from)), Tone: views.ToneUnknown, Icon: "unknown"})
	}
	newestFirst := func(a, b event) int { return b.at.Compare(a.at) }
	slices.SortStableFunc(events, newestFirst)
	events = events[:min(len(events), marksShown)]
	// A card that is slowed again and again leaves room for what else happened.
	groups := g.slowed(past)
	for _, x := range slices.Backward(groups[max(len(groups)-(marksShown-len(events)), 0):]) {
		events = append(events, event{x.From, x.mark(g.now)})
	}
	slices.SortStableFunc(events, newestFirst)
	var out []views.ChartMark
	for _, e := range events {
		out = append(out, e.mark)
	}
	return out
}

// slowed are the stretches that reach into the window, oldest first: those that are stored, and
// those that this process remembers.
func (g gpuAsked) slowed(past gpuPast) []throttleGroup {
	alive := stillSlowed
	if !g.local() {
		alive = validator.SampleReach
	}
	spans := validator.MergeThrottleSpans(slices.Concat(past.spans.Or(nil), g.member.GPU.Throttled))
	from := g.window.from(g.now)
	return throttleGroups(slices.DeleteFunc(spans, func(x validator.ThrottleSpan) bool { return x.To.Before(from) }), g.now, alive)
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
