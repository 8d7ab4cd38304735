package web

import (
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// What the page lists at most; the API has all.
const (
	uptimeHostsShown = 100
	uptimeGapsShown  = 100
	uptimeTabsShown  = 8
)

// hostTabs lead to the uptime of each host; of many hosts the table's names do.
func (s *Server) hostTabs(a uptimeAsked) []views.Tab {
	r, known := a.reports.Get()
	if !known || len(r.Hosts) < 2 {
		return nil
	}
	tabs := []views.Tab{{Label: "Any host", URL: s.uptimeURL(a.wallet, nil), Current: a.host == nil}}
	for _, h := range r.Hosts {
		current := a.host != nil && *a.host == h.WorkerID
		if len(r.Hosts) <= uptimeTabsShown || current {
			tabs = append(tabs, views.Tab{Label: hostName(h.WorkerID), URL: s.uptimeURL(a.wallet, &h.WorkerID), Current: current})
		}
	}
	return tabs
}

// hostName is a host's name for people.
func hostName(id string) string {
	if id == "" {
		return "(without a name)"
	}
	return id
}

func (s *Server) showUptime(a uptimeAsked) views.UptimePanel {
	m := views.UptimePanel{Panel: a.panel("uptime", everyUptime), Notice: staleNotice(a.now, a.state), Definition: s.heartbeatInterval.Definition()}
	m.Panel.Stale = m.Notice != nil
	if detail, mend := validator.ClocksAhead(a.clocks); detail != "" {
		m.Clocks = &views.Notice{Tone: views.ToneWarn, Text: detail + " " + mend}
	}
	r, known := a.reports.Get()
	switch {
	case !known:
		m.Empty, m.Notice = &views.Empty{Icon: "database", Tone: toneOf(a.state.Health), Title: "Uptime unknown", Text: validator.Sentence(a.reports.Reason())}, nil
		return m
	case r.First == nil:
		m.Empty = &views.Empty{Icon: "clock", Tone: views.TonePlain, Title: "No heartbeat has arrived yet", Text: "Start the worker's software, and see that it posts to /api/worker/heartbeat or writes to the heartbeats table."}
		return m
	}
	m.Strip = s.uptimeStrip(a.wallet, a.host, a.of)
	if a.host == nil && len(r.Hosts) > 1 {
		for _, h := range r.Hosts[:min(len(r.Hosts), uptimeHostsShown)] {
			m.Hosts = append(m.Hosts, views.UptimeHostRow{
				Name:  views.Link{Text: hostName(h.WorkerID), URL: s.uptimeURL(a.wallet, &h.WorkerID)},
				Strip: s.uptimeStrip(a.wallet, &h.WorkerID, h), Last: lastHeard(a.now, h),
			})
		}
		if more := len(r.Hosts) - uptimeHostsShown; more > 0 {
			m.HostNote = fmt.Sprintf("And %s more hosts: GET /api/worker/uptime lists all.", integer(more))
		}
	}
	gaps := a.of.Month.Gaps
	for i := len(gaps) - 1; i >= 0 && len(m.Gaps) < uptimeGapsShown; i-- {
		m.Gaps = append(m.Gaps, gapRow(gaps[i], a.of.Month.To, a.now))
	}
	switch more := len(gaps) - len(m.Gaps); {
	case len(gaps) == 0:
		m.GapNote = "No gap in 30 d."
	case more > 0:
		m.GapNote = fmt.Sprintf("And %s earlier: GET /api/worker/uptime lists all.", counted(uint64(more), "gap", "gaps"))
	}
	return m
}

func lastHeard(now time.Time, r validator.UptimeReport) views.Value {
	if r.LastMinute == nil {
		return views.Value{Text: "over 30 days ago"}
	}
	return views.Value{At: momentOf(now, *r.LastMinute)}
}

const gapTime = "2 Jan 15:04"

func gapRow(g validator.Gap, counted, now time.Time) views.GapRow {
	return views.GapRow{
		From: g.From.Format(gapTime), To: g.To.Format(gapTime), FromAt: moment(now, g.From),
		Now: g.To.Equal(counted), Length: validator.Ago(g.To.Sub(g.From)),
	}
}

// uptimeStrip is the last 24 hours of a worker or a host, and its figures.
func (s *Server) uptimeStrip(wallet validator.Address, host *string, r validator.UptimeReport) views.UptimeStrip {
	share := func(label, id string, percentage validator.Maybe[float64]) views.Row {
		if host != nil {
			id += "@" + *host
		}
		return views.Row{Label: label, Origin: s.origin(wallet, id, "the uptime of "+label), Value: show(percentage, "%", percent)}
	}
	strip := stripOf(r.Day)
	strip.Shares = []views.Row{
		share("24 h", "uptime.24h", r.Day.Percent()), share("7 d", "uptime.7d", r.Week.Percent()),
		share("30 d", "uptime.30d", r.Month.Percent()), share("365 d", "uptime.365d", r.Year.Percent()),
	}
	return strip
}

// stripOf draws a window of 24 hours. Its Gaps and Shares are left to whoever shows them.
func stripOf(u validator.Uptime) views.UptimeStrip {
	if u.TotalMinutes == 0 {
		return views.UptimeStrip{Reason: "No heartbeat has arrived yet."}
	}
	var strip views.UptimeStrip
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
	strip.Label = fmt.Sprintf("Uptime of the last 24 hours: %s of %s minutes, %s", integer(u.UpMinutes), integer(u.TotalMinutes), counted(uint64(len(u.Gaps)), "gap", "gaps"))
	return strip
}

func showUptimePast(a uptimeAsked) views.UptimePastPanel {
	m := views.UptimePastPanel{Panel: a.panel("uptime-past", everyUptimePast), Notice: staleNotice(a.now, a.state)}
	m.Panel.Stale = m.Notice != nil
	switch {
	case !a.reports.Known():
		m.Empty, m.Notice = &views.Empty{Icon: "database", Tone: toneOf(a.state.Health), Title: "History unknown", Text: validator.Sentence(a.reports.Reason())}, nil
	case a.of.First == nil:
		m.Empty = &views.Empty{Icon: "clock", Tone: views.TonePlain, Title: "No history yet", Text: "It begins with the first heartbeat."}
	default:
		m.Hours, m.Days = hoursHeat(a.of.Hours), daysHeat(a.of.Days)
	}
	return m
}

// hoursHeat has a row for each day, the newest first, and a column for each of its hours.
func hoursHeat(hours []validator.UptimeSpan) views.HeatTable {
	t := views.HeatTable{ID: "uptime-hours", Title: "30 days by hour (UTC), percent of each hour's minutes", Corner: "Day"}
	for hour := range 24 {
		t.Columns = append(t.Columns, fmt.Sprintf("%02d", hour))
	}
	for end := len(hours); end > 0; {
		from := end - 1 - hours[end-1].From.Hour()
		row := views.HeatRow{Name: hours[from].From.Format("2 Jan")}
		for _, h := range hours[from:end] {
			row.Cells = append(row.Cells, heatCell(h, 0, h.From.Format("2 Jan 15:04")+"–"+h.To.Format("15:04")))
		}
		t.Rows, end = append(t.Rows, padded(row, 24)), from
	}
	return t
}

// daysHeat has a row for each month, the newest first, and a column for each day of it.
func daysHeat(days []validator.UptimeSpan) views.HeatTable {
	const longestMonth = 31
	t := views.HeatTable{ID: "uptime-days", Title: "365 days (UTC), percent of each day's minutes", Corner: "Month"}
	for day := range longestMonth {
		t.Columns = append(t.Columns, strconv.Itoa(day+1))
	}
	for end := len(days); end > 0; {
		from := max(end-days[end-1].From.Day(), 0)
		row := padded(views.HeatRow{Name: days[from].From.Format("Jan 2006")}, days[from].From.Day()-1)
		for _, d := range days[from:end] {
			row.Cells = append(row.Cells, heatCell(d, 1, d.From.Format("2 Jan 2006")))
		}
		t.Rows, end = append(t.Rows, padded(row, longestMonth)), from
	}
	return t
}

// padded fills a row up with cells of no time.
func padded(r views.HeatRow, columns int) views.HeatRow {
	for len(r.Cells) < columns {
		r.Cells = append(r.Cells, views.HeatCell{Kind: views.HeatVoid})
	}
	return r
}

// heatCell shows a span with so many decimals, rounded down, so that 99.9 % never reads as all.
func heatCell(s validator.UptimeSpan, decimals int, when string) views.HeatCell {
	const near, low = 99, 90
	p, known := s.Percent().Get()
	c := views.HeatCell{Title: fmt.Sprintf("%s UTC: %s of %s minutes", when, integer(s.UpMinutes), integer(s.TotalMinutes))}
	switch {
	case !known:
		return views.HeatCell{Kind: views.HeatNone, Text: "not counted"}
	case s.UpMinutes == s.TotalMinutes:
		return views.HeatCell{Kind: views.HeatFull, Text: "100"}
	case p >= near:
		c.Kind = views.HeatNear
	case p >= low:
		c.Kind = views.HeatSome
	default:
		c.Kind = views.HeatLow
	}
	scale := math.Pow10(decimals)
	c.Text = strconv.FormatFloat(math.Floor(p*scale)/scale, 'f', decimals, 64)
	if s.UpMinutes == 0 {
		c.Text = "0"
	}
	return c
}
