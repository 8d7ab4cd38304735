package views

// Tone is a state's colour; components always pair it with an icon or a word.
type Tone string

// The tones, which are also class names in app.css.
const (
	ToneGood    Tone = "good"
	ToneWarn    Tone = "warn"
	ToneBad     Tone = "bad"
	ToneUnknown Tone = "unknown"
	TonePlain   Tone = "plain"
)

// Value is a text to show, or the reason why there is none.
type Value struct {
	Text   string // "" if unknown: shown as a dash
	Unit   string
	Title  string // more precise form, shown on hover
	Reason string // why unknown
}

// Known says whether there is a text.
func (v Value) Known() bool { return v.Text != "" }

// Amount is a token amount, exact to its last digit.
type Amount struct {
	Whole    string // "1,234"
	Fraction string // ".5": the point and the digits shown at full strength
	Tail     string // further digits, shown smaller
	Unit     string // "SAGE"
	Wei      string // the exact number of wei
	Reason   string // why unknown; the rest is empty then
}

// Known says whether there is an amount.
func (a Amount) Known() bool { return a.Wei != "" }

// Moment is a point in time.
type Moment struct {
	Words string // "3 min ago"; "" if unknown
	ISO   string // 2026-01-02T03:04:05Z
	UTC   string // "2026-01-02 03:04:05 UTC"
}

// Page is what every page needs around its content.
type Page struct {
	Title     string
	Assets    Assets
	Network   string // "Sepolia"
	Wallet    WalletChip
	Version   string
	Commit    string // of the source
	Nav       string // the entry of the navigation that is current
	Refreshes bool   // its panels poll
}

// Assets are the fingerprinted paths of the static files.
type Assets struct {
	CSS, JS, HTMX, Favicon string
	Sprite                 string // SVG symbols, put into the page
}

// WalletChip is the wallet that the page is about; Address is "" if none was chosen.
type WalletChip struct {
	Address     string
	Abbreviated string
	ExplorerURL string
	Local       bool // shown by the local access rule, without signing in
}

// Panel is a part of a page that refreshes itself.
type Panel struct {
	ID    string
	URL   string // the partial's, with its query; "" = does not poll
	Every string // htmx's notation, "5s"
}

// SourcePill is one source's state.
type SourcePill struct {
	ID     string // "gpu", "database", "chain"
	Name   string
	Icon   string
	Tone   Tone
	Words  string // "ok", "stale", "unavailable"
	Age    string // "2 s ago", "block 1,234 · 4 s ago"
	Reason string
	Remedy string
	Detail []Row // more, in the popover
}

// Row is a label and a value.
type Row struct {
	Label string
	Value Value
}

// StatusPanel is the top of the dashboard.
type StatusPanel struct {
	Panel   Panel
	Sources []SourcePill
	Verdict Verdict
	Figures []Figure
	Uptime  UptimeStrip
}

// Verdict is the answer to "am I earning?".
type Verdict struct {
	Words  string
	Tone   Tone
	Icon   string
	Reason string
	Checks []Check
}

// Check is a line of the checklist.
type Check struct {
	Label, Detail, Remedy string
	State                 string // "pass", "warn", "fail", "unknown", for screen readers
	Tone                  Tone
	Icon                  string
}

// Figure is a big number with what it needs beside it. Either Amount or Value is shown.
type Figure struct {
	ID     string
	Label  string
	Icon   string
	Amount *Amount
	Value  Value
	Notes  []Note
	Spark  *Sparkline
}

// Note is a small line below a figure.
type Note struct {
	Text  string
	Title string
	Tone  Tone
}

// Sparkline is a small chart, drawn on the server. A nil point is a gap.
type Sparkline struct {
	Label  string // what it shows, with its range, for screen readers
	Points []SparkPoint
	Paths  []string // SVG path data of the line's pieces, in a 100 × 24 box
	Area   []string // the same, closed to the ground
	Empty  string   // said instead where there is nothing to draw
}

// SparkPoint is one value of a sparkline's table for screen readers.
type SparkPoint struct{ When, What string }

// UptimeStrip is the last 24 hours with their gaps.
type UptimeStrip struct {
	Label  string
	Bars   []StripBar // in a box 1440 units wide, one a minute
	Day    Value
	Week   Value
	Month  Value
	Gaps   []string // "03:10–03:25 UTC (15 min)", newest first
	More   string   // "and 4 earlier"
	Reason string   // why there is no strip
}

// StripBar is a stretch of the strip.
type StripBar struct {
	X, Width string
	Tone     Tone
	Title    string
}

// Empty is what a panel says when it has nothing to show.
type Empty struct {
	Icon  string
	Title string
	Text  string
	Tone  Tone
}

// Notice is a line over a panel whose values are not live.
type Notice struct {
	Tone Tone
	Text string
}

// GPUsPanel is the row of GPU cards.
type GPUsPanel struct {
	Panel   Panel
	Summary []Row
	Notice  *Notice
	Cards   []GPUCard
	Empty   *Empty
}

// GPUCard is one GPU.
type GPUCard struct {
	ID       string // for the DOM
	Index    string
	Name     string
	UUID     string
	Host     string // the other host that reported it; "" for this one
	Tier     Value
	Status   string
	Tone     Tone
	Icon     string
	Message  string // why it is missing or faulted, and since when
	Stale    bool
	Gauges   []Gauge
	Facts    []Row
	Throttle []Tag
	Job      string
	Procs    []GPUProc
	ProcNote string
}

// Gauge is a bar with its value.
type Gauge struct {
	Label   string
	Icon    string
	Value   Value
	Percent string // of the bar, "0" to "100"; "" = no bar
	Mark    string // a limit's place on the bar, "" = none
	Tone    Tone
	Limit   string // "of 700 W"
	Spark   *Sparkline
}

// Tag is a short coloured text.
type Tag struct {
	Text string
	Tone Tone
	Icon string
}

// GPUProc is a program on a GPU.
type GPUProc struct{ PID, Name, Memory string }

// JobsPanel is the list of the newest jobs.
type JobsPanel struct {
	Panel  Panel
	Notice *Notice
	Counts []Row
	Rows   []JobRow
	Empty  *Empty
}

// JobRow is one job.
type JobRow struct {
	ID        string
	ShortID   string
	Type      string
	Status    Tag
	Submitted Moment
	Duration  Value
	Reward    Amount
	Error     string
}

// RewardsPanel is what was earned and what can be claimed.
type RewardsPanel struct {
	Panel    Panel
	Notice   *Notice
	Claim    Amount
	ClaimRow []Row
	Totals   []AmountRow
	Rows     []RewardRow
	Empty    *Empty
}

// AmountRow is a label and an amount.
type AmountRow struct {
	Label  string
	Amount Amount
}

// RewardRow is one earning.
type RewardRow struct {
	When   Moment
	Kind   string
	Amount Amount
	TxURL  string
	Tx     string // abbreviated
	TxFull string
	Job    string
}

// NetworkPanel is the network as a whole.
type NetworkPanel struct {
	Panel  Panel
	Notice *Notice
	Rows   []Row
	Staked Amount
}

// DashboardPage is the page "/".
type DashboardPage struct {
	Page    Page
	Status  StatusPanel
	GPUs    GPUsPanel
	Jobs    JobsPanel
	Rewards RewardsPanel
	Network NetworkPanel
}

// ErrorPage says what went wrong and what to do.
type ErrorPage struct {
	Page   Page
	Status string
	Title  string
	Detail string
}

// ChoosePage asks which wallet to look at.
type ChoosePage struct {
	Page    Page
	Entered string
	Problem string
}

// DocsPage lists the JSON API.
type DocsPage struct {
	Page   Page
	Groups []DocsGroup
}

// DocsGroup is a part of the API.
type DocsGroup struct {
	Name       string
	Operations []DocsOperation
}

// DocsOperation is one endpoint.
type DocsOperation struct {
	Method, Path, Summary, Description string
	Params                             []DocsField
	Body                               []DocsField
	Answer                             []DocsField
	Curl                               string
}

// DocsField is a parameter or member.
type DocsField struct{ Name, Type, Text string }
