package web

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

func (s *Server) showGPUs(f fleet, wallet validator.Address, panel views.Panel, now time.Time) views.GPUsPanel {
	m := views.GPUsPanel{Panel: panel}
	if f.hostApplies {
		m.Notice = staleNotice(now, f.host.State)
	}
	for _, g := range f.members {
		m.Cards = append(m.Cards, s.gpuCard(g, wallet, now, f.hostApplies && g.WorkerID == "" && f.host.State.Health != validator.HealthOK))
	}
	if len(m.Cards) == 0 {
		m.Empty, m.Notice = noGPUs(f), nil
		return m
	}
	m.Summary = fleetSummary(f)
	return m
}

// fleetMemory sums memory up over the GPUs of which both the total and what is used are
// known: a share of another card's memory would be neither's.
type fleetMemory struct{ total, used mean }

func (m *fleetMemory) add(g validator.GPU) {
	if g.MemoryTotalBytes.Known() && g.MemoryUsedBytes.Known() {
		addTo(&m.total, g.MemoryTotalBytes)
		addTo(&m.used, g.MemoryUsedBytes)
	}
}

func fleetSummary(f fleet) []views.Row {
	var util, power mean
	var memory fleetMemory
	here := 0
	for _, m := range f.members {
		if m.Stale || m.GPU.MissingSince.Known() {
			continue
		}
		here++
		memory.add(m.GPU)
		addTo(&util, m.GPU.UtilizationPercent)
		addTo(&power, m.GPU.PowerMilliwatts)
	}
	rows := []views.Row{{Label: "Answering", Value: views.Value{Text: integer(here) + " of " + integer(len(f.members))}}}
	if util.n > 0 {
		rows = append(rows, views.Row{Label: "Utilisation", Value: views.Value{Text: oneDecimal(util.sum / float64(util.n)), Unit: "%", Title: overCards(util.n, here)}})
	}
	if n := memory.used.n; n > 0 {
		rows = append(rows, views.Row{Label: "Memory", Value: views.Value{Text: oneDecimal(memory.used.sum/bytesPerGiB) + " of " + oneDecimal(memory.total.sum/bytesPerGiB), Unit: "GiB", Title: overCards(n, here)}})
	}
	if power.n > 0 {
		rows = append(rows, views.Row{Label: "Power", Value: views.Value{Text: integer(int64(power.sum/1000 + 0.5)), Unit: "W", Title: overCards(power.n, here)}})
	}
	if f.hostApplies {
		if v, known := f.host.Host.DriverVersion.Get(); known {
			rows = append(rows, views.Row{Label: "Driver", Value: views.Value{Text: v}})
		}
		if v, known := f.host.Host.CUDAVersion.Get(); known {
			rows = append(rows, views.Row{Label: "CUDA", Value: views.Value{Text: v}})
		}
	}
	return rows
}

// overCards says over how many of the cards a figure is, if not over all.
func overCards(n, of int) string {
	if n == of {
		return ""
	}
	return fmt.Sprintf("Over the %s of %s cards that report it.", integer(n), integer(of))
}

func noGPUs(f fleet) *views.Empty {
	st := f.host.State
	switch {
	case f.hostApplies && st.Health == validator.HealthOK:
		return &views.Empty{Icon: "cpu", Tone: views.ToneBad, Title: "The driver finds no GPU on this host", Text: "Check that the card is seated and powered, and what nvidia-smi says."}
	case f.hostApplies:
		return &views.Empty{Icon: "cpu", Tone: toneOf(st.Health), Title: "This host's GPUs cannot be read", Text: strings.TrimSpace(validator.Sentence(st.Reason) + " " + st.Remedy)}
	case !f.remote.Known():
		return &views.Empty{Icon: "cpu", Tone: views.ToneUnknown, Title: "GPUs unknown", Text: validator.Sentence(f.remote.Reason())}
	}
	return &views.Empty{Icon: "cpu", Tone: views.TonePlain, Title: "No GPU has been reported for this wallet", Text: "This host's GPUs work for another wallet. A worker reports its own with POST /api/worker/gpu-metrics."}
}

var gpuLooks = map[string]struct {
	words string
	tone  views.Tone
	icon  string
}{
	"active":    {"Active", views.ToneGood, "activity"},
	"idle":      {"Idle", views.TonePlain, "clock"},
	"throttled": {"Throttled", views.ToneBad, "heat"},
	"fault":     {"Fault", views.ToneBad, "bad"},
	"missing":   {"Missing", views.ToneBad, "bad"},
	"unknown":   {"Load unknown", views.ToneUnknown, "unknown"},
}

// lostMessage says why a card is gone, for a time to follow. That it no longer answers is all
// there is to say where the driver just stopped listing it.
func lostMessage(g validator.GPU) string {
	const gone = "It no longer answers."
	if why, known := g.Fault.Get(); known && why != validator.FaultLost {
		return gone + " " + validator.Sentence(why) + " It was lost"
	}
	return gone + " It was lost"
}

func (s *Server) gpuCard(m fleetGPU, wallet validator.Address, now time.Time, stale bool) views.GPUCard {
	g := m.GPU
	st := statusOf(m.FleetGPU)
	look := gpuLooks[st.word]
	c := views.GPUCard{
		ID: "gpu-" + domID(m.WorkerID+g.UUID, g.Index), Index: fmt.Sprintf("GPU %d", g.Index), Name: g.Name.Or("GPU of unknown model"),
		UUID: g.UUID, URL: s.gpuURL(g.UUID, wallet), Host: m.WorkerID, Tier: show(g.Tier, "", validator.Tier.String), Status: views.Tag{Text: look.words, Tone: look.tone, Icon: look.icon},
		Message: st.message, Stale: stale || g.MissingSince.Known(),
	}
	if m.jobID != "" {
		c.Job = s.jobLink(m.jobID, wallet)
	}
	if f := m.failure; f != nil {
		c.Failure = &views.GPUFailure{Job: *s.jobLink(f.ID, wallet), Error: f.ErrorMessage, When: moment(now, f.EndedAt())}
	}
	if m.Stale {
		c.Stale, c.Status = true, views.Tag{Text: "Stale", Tone: views.ToneWarn, Icon: "warn"}
		c.Message, c.Since = "It is not reported any more. Last reported", momentOf(now, m.ReportedAt)
	} else if since, gone := g.MissingSince.Get(); gone {
		c.Message, c.Since = lostMessage(g), momentOf(now, since)
	}
	if c.Stale && !g.SampledAt.IsZero() {
		c.LastKnown = momentOf(now, g.SampledAt)
	}
	c.Status.ID = c.ID + "-" + domID(c.Status.Text, 0)
	var points []validator.GPUPoint
	if m.WorkerID == "" {
		points = s.gpus.History(g.UUID, now.Add(-sparkWindow))
	}
	from := func(field, label string) views.Origin {
		if g.UUID == "" {
			return views.Origin{}
		}
		return s.origin(wallet, "gpu."+field+"@"+g.UUID, fmt.Sprintf("%s of GPU %d", label, g.Index))
	}
	c.Gauges = gpuGauges(g, now, points, from)
	if since, slowed := g.SlowedSince.Get(); slowed {
		c.SlowedSince = momentOf(now, since)
	}
	if r, known := g.ThrottleReasons.Get(); known {
		for _, t := range r.List() {
			if t.Bit != validator.ThrottleGPUIdle {
				tone, icon := severityLook(t.Severity)
				c.Throttle = append(c.Throttle, views.Tag{Text: t.Words, Tone: tone, Icon: icon})
			}
		}
	}
	c.Facts = gpuFacts(g, now, from)
	showProcesses(&c, g, m.WorkerID == "")
	return c
}

// showProcesses lists the largest programs on a card and counts the others.
func showProcesses(c *views.GPUCard, g validator.GPU, local bool) {
	all, known := g.Processes.Get()
	if !known && local {
		c.ProcNote = "Processes: " + g.Processes.Reason()
	}
	largest := validator.LargestProcesses(all)
	for _, p := range largest {
		c.Procs = append(c.Procs, views.GPUProc{PID: strconv.FormatUint(uint64(p.PID), 10), Name: p.Name.Or("name unknown"), Memory: orDash(showBytes(p.MemoryBytes))})
	}
	if more := g.ProcessCount.Or(len(all)) - len(largest); more > 0 {
		c.ProcMore = "and " + integer(more) + " more"
	}
}

func severityLook(sev validator.Severity) (views.Tone, string) {
	switch sev {
	case validator.SeverityCritical:
		return views.ToneBad, "heat"
	case validator.SeverityWarning:
		return views.ToneWarn, "power"
	case validator.SeverityGood, validator.SeverityNeutral:
	}
	return views.TonePlain, "info"
}

func orDash(v views.Value) string {
	if !v.Known() {
		return "—"
	}
	return v.Text + " " + v.Unit
}

// domID makes an identifier that is stable while the card is.
func domID(uuid string, index int) string {
	if uuid == "" {
		return "index-" + strconv.Itoa(index)
	}
	return strings.Map(func(r rune) rune {
		if r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '-' {
			return r
		}
		return '_'
	}, uuid)
}

func gpuGauges(g validator.GPU, now time.Time, points []validator.GPUPoint, from func(field, label string) views.Origin) []views.Gauge {
	util := views.Gauge{Label: "Utilisation", Origin: from("utilisation", "utilisation"), Value: show(g.UtilizationPercent, "%", integer[uint32]), Percent: orEmpty(g.UtilizationPercent, integer[uint32]), Tone: views.TonePlain}
	memory := views.Gauge{Label: "Memory", Origin: from("memory", "memory"), Value: show(g.MemoryUsedBytes, "GiB", gibText), Tone: views.TonePlain}
	temp := views.Gauge{Label: "Temperature", Origin: from("temperature", "temperature"), Value: show(g.TemperatureC, "°C", integer[int]), Tone: views.TonePlain}
	power := views.Gauge{Label: "Power", Origin: from("power", "power"), Value: show(g.PowerMilliwatts, "W", wattsText), Tone: views.TonePlain}
	if total, known := g.MemoryTotalBytes.Get(); known && total > 0 {
		memory.Limit = "of " + gibText(total) + " GiB"
		memory.Percent = share(validator.Map(g.MemoryUsedBytes, func(u uint64) float64 { return float64(u) / float64(total) }))
	}
	limit, hasLimit := g.HeatLimitC().Get()
	if t, known := g.TemperatureC.Get(); known && hasLimit {
		temp.Limit = fmt.Sprintf("slows at %d °C", limit)
		temp.Percent = share(validator.Some(float64(t) / float64(limit)))
		switch {
		case t >= limit:
			temp.Tone = views.ToneBad
		case g.NearHeatLimit():
			temp.Tone = views.ToneWarn
		}
	}
	if most, known := g.PowerLimitMilliwatts.Get(); known && most > 0 {
		power.Limit = "of " + wattsText(most) + " W"
		power.Percent = share(validator.Map(g.PowerMilliwatts, func(p uint32) float64 { return float64(p) / float64(most) }))
	}
	spark := sparkRangeOf(now, points)
	util.Spark = spark.line("Utilisation", func(p validator.GPUPoint) validator.Maybe[float64] {
		return validator.Map(p.UtilizationPercent, func(u uint32) float64 { return float64(u) / 100 })
	})
	temp.Spark = spark.line("Temperature", func(p validator.GPUPoint) validator.Maybe[float64] {
		return validator.Map(p.TemperatureC, func(t int) float64 { return float64(t) / 100 })
	})
	memory.Spark = scaledSparkline(spark, "Memory", g.MemoryTotalBytes, func(p validator.GPUPoint) validator.Maybe[uint64] { return p.MemoryUsedBytes })
	power.Spark = scaledSparkline(spark, "Power", g.PowerLimitMilliwatts, func(p validator.GPUPoint) validator.Maybe[uint32] { return p.PowerMilliwatts })
	return []views.Gauge{util, memory, temp, power}
}

// scaledSparkline draws a field against its limit; nil without one.
func scaledSparkline[T uint32 | uint64](r sparkRange, label string, limit validator.Maybe[T], of func(validator.GPUPoint) validator.Maybe[T]) *views.Sparkline {
	most, known := limit.Get()
	if !known || most == 0 {
		return nil
	}
	return r.line(label, func(p validator.GPUPoint) validator.Maybe[float64] {
		return validator.Map(of(p), func(v T) float64 { return float64(v) / float64(most) })
	})
}

func orEmpty[T any](m validator.Maybe[T], text func(T) string) string {
	v, known := m.Get()
	if !known {
		return ""
	}
	return text(v)
}

// share is a bar's length in percent, "" if unknown.
func share(m validator.Maybe[float64]) string {
	return orEmpty(m, func(f float64) string { return num(min(max(f, 0), 1) * 100) })
}

func gpuFacts(g validator.GPU, now time.Time, from func(field, label string) views.Origin) []views.Row {
	clock := func(now, most validator.Maybe[uint32]) views.Value {
		v := show(now, "MHz", integer[uint32])
		if m, known := most.Get(); known && v.Known() {
			v.Title = "of at most " + integer(m) + " MHz"
		}
		return v
	}
	ecc := views.Row{Label: "ECC errors", Origin: from("ecc", "uncorrected ECC errors"), Value: show(g.ECCUncorrectedVolatile, "", integer[uint64])}
	if g.ECCUncorrectedVolatile.Or(0) > 0 {
		ecc.Tone = views.ToneBad
	}
	rows := []views.Row{
		{Label: "SM clock", Origin: from("smclock", "SM clock"), Value: clock(g.SMClockMHz, g.SMClockMaxMHz)},
		{Label: "Memory clock", Origin: from("memoryclock", "memory clock"), Value: clock(g.MemoryClockMHz, g.MemoryClockMaxMHz)},
		{Label: "State", Origin: from("pstate", "performance state"), Value: show(g.PerformanceState, "", func(p int) string { return "P" + strconv.Itoa(p) })},
		{Label: "Fan", Origin: from("fan", "fan speed"), Value: show(g.FanPercent, "%", integer[uint32])},
		ecc,
		{Label: "Confidential", Origin: from("cc", "confidential computing"), Value: show(g.ConfidentialComputeActive, "", func(on bool) string {
			if on {
				return "on"
			}
			return "off"
		})},
	}
	if x, fresh := freshXID(g, now); fresh {
		tone, _ := xidLook(x.Severity())
		rows = append(rows, views.Row{Label: fmt.Sprintf("XID error %d", x.Code), Origin: from("xid", "XID errors"), Value: views.Value{At: momentOf(now, x.Last)}, Tone: tone})
	}
	return rows
}
