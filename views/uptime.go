package views

// UptimePage is the page "/uptime".
type UptimePage struct {
	Page  Page
	Hosts []Tab // any host of the worker, then each; none if there is only one
	Now   UptimePanel
	Past  UptimePastPanel
}

// UptimePanel is the uptime until now, with its gaps and the part of each host.
type UptimePanel struct {
	Panel      Panel
	Notice     *Notice
	Clocks     *Notice // of hosts whose clocks are ahead
	Definition string  // in words
	Strip      UptimeStrip
	Hosts      []UptimeHostRow
	HostNote   string // "and 3 more hosts"
	Gaps       []GapRow
	GapNote    string // what is not listed
	Empty      *Empty
}

// UptimeHostRow is the uptime of one of the worker's hosts.
type UptimeHostRow struct {
	Name  Link
	Strip UptimeStrip
	Last  Value // when it was last heard
}

// GapRow is a stretch of time without a heartbeat.
type GapRow struct {
	From, To string // "24 Nov 03:10", UTC
	FromAt   Moment
	Now      bool // it goes on
	Length   string
}

// UptimePastPanel is the uptime of many hours and days.
type UptimePastPanel struct {
	Panel  Panel
	Notice *Notice
	Hours  HeatTable
	Days   HeatTable
	Empty  *Empty
}

// HeatTable is a table whose cells are coloured by their values. Every cell says its value.
type HeatTable struct {
	ID, Title string
	Corner    string // over the rows' names
	Columns   []string
	Rows      []HeatRow
}

// HeatRow is a row of a HeatTable.
type HeatRow struct {
	Name  string
	Cells []HeatCell
}

// HeatKind is what a cell shows.
type HeatKind string

// The kinds, which are also class names in app.css.
const (
	HeatFull HeatKind = "full" // all of it: filled
	HeatNear HeatKind = "near" // 99 % and more
	HeatSome HeatKind = "some"
	HeatLow  HeatKind = "low"  // less than 90 %
	HeatNone HeatKind = "none" // does not count
	HeatVoid HeatKind = "void" // there is no such time, or it is to come
)

// HeatCell is a cell of a HeatTable.
type HeatCell struct {
	Kind  HeatKind
	Text  string // the value
	Title string // in full
}

// Hidden says whether the cell's look says its value to those who see it.
func (c HeatCell) Hidden() bool { return c.Kind == HeatFull || c.Kind == HeatNone }
