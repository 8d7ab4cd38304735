package views

import (
	"slices"
	"strconv"
	"strings"
)

// Chart shows values over time. Its numbers exist once, in the table behind it, which
// static/chart.js draws and which is what a reader without scripts sees.
type Chart struct {
	ID     string // for the DOM
	Title  string
	Unit   string
	Kind   ChartKind
	Note   string // what a point is, and how far back the values reach
	Low    string // the axis shows at least the range from Low to High; "" = what the values span
	High   string
	Series []ChartSeries
	Limits []ChartLimit
	Empty  *Empty // shown instead of it

	ChartSheet // empty for a chart of a ChartGroup
}

// ChartKind says how values are drawn.
type ChartKind string

// The kinds, as static/chart.js knows them. Bars stand for days: their labels are what
// the table says, while the axis of lines is in the reader's own time zone.
const (
	ChartLine ChartKind = "line"
	ChartBars ChartKind = "bars"
)

// ChartSheet is what charts over the same time share.
type ChartSheet struct {
	X        []ChartTime // oldest first
	Heading  string      // of the times, "Time (UTC)"
	From, To string      // unix seconds that the axis spans; "" = what the times span
	Marks    []ChartMark
}

// ChartTime is where a row of the table stands on the axis.
type ChartTime struct {
	ISO  string // "" = Text is a date and time that machines read, "2026-01-02 15:04:05Z"
	Text string
}

// ChartSeries is a column of the table.
type ChartSeries struct {
	Label  string
	Role   ChartRole
	Values []string // one for each time; "" = a gap
}

// ChartRole says what a series is drawn as.
type ChartRole string

// The roles. A low and the high after it are the edges of a band.
const (
	ChartRoleLine ChartRole = "line"
	ChartRoleLow  ChartRole = "low"
	ChartRoleHigh ChartRole = "high"
)

// ChartLimit is a level that the values should stay below.
type ChartLimit struct {
	At   string // in the chart's unit
	Text string // "slows down at 90 °C"
	Tone Tone
}

// ChartMark is an event drawn over charts.
type ChartMark struct {
	At    Moment
	Until *Moment // the end of a stretch; nil for a moment
	Now   bool    // the stretch goes on: its end is where the values end
	Label string
	Tone  Tone
	Icon  string
	Link  Link // where to read more; without a text there is none
}

// ChartGroup is charts over the same time: one table holds their values, and they share
// the cursor.
type ChartGroup struct {
	ID     string
	Title  string // what the table holds
	Charts []Chart

	ChartSheet
}

// groupOf is a single chart with its table.
func groupOf(c Chart) ChartGroup {
	return ChartGroup{ID: c.ID + "-set", Title: c.Title, Charts: []Chart{c}, ChartSheet: c.ChartSheet}
}

// dataID is the id of the group's table; the marks' is marksID.
func (g ChartGroup) dataID() string  { return g.ID + "-data" }
func (g ChartGroup) marksID() string { return g.ID + "-marks" }

// columns lists where in the table a chart's series stand.
func (g ChartGroup) columns(chart int) string {
	next := 1
	for _, c := range g.Charts[:chart] {
		next += len(c.Series)
	}
	var list []string
	for i := range g.Charts[chart].Series {
		list = append(list, strconv.Itoa(next+i))
	}
	return strings.Join(list, " ")
}

// drawn lists the charts that have columns in the table.
func (g ChartGroup) drawn() []Chart {
	return slices.DeleteFunc(slices.Clone(g.Charts), func(c Chart) bool { return len(c.Series) == 0 })
}

// ink is the class of a series' colour and dash: those of the line that it belongs to.
func (c Chart) ink(series int) string {
	lines := 0
	for _, s := range c.Series[:series+1] {
		if s.Role == ChartRoleLine {
			lines++
		}
	}
	return "ink-" + strconv.Itoa(max(lines, 1))
}

// dash writes a gap into the table.
func dash(value string) string {
	if value == "" {
		return "—"
	}
	return value
}

// span is a colgroup's width.
func span(c Chart) string { return strconv.Itoa(len(c.Series)) }

// unitText follows a chart's title.
func unitText(unit string) string {
	if unit == "" {
		return ""
	}
	return ", " + unit
}

// WithCharts makes a page load what draws charts.
func (p Page) WithCharts() Page {
	p.charts = true
	return p
}
