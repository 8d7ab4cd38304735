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
	Title  string  // more precise form, shown on hover
	Reason string  // why unknown
	At     *Moment // shown instead of Text where the value is a point in time
	Exact  *Moment // likewise, in full: in the reader's own zone and in UTC
}

// Known says whether there is something to show.
func (v Value) Known() bool { return v.Text != "" || v.At != nil || v.Exact != nil }

// Amount is a token amount: its first digits for reading, and all of them.
type Amount struct {
	Text   string // "1,234.5": cut after a few decimals, never rounded
	Exact  string // "1,234.567890123456789012", every digit
	Unit   string // "SAGE"
	Wei    string // the exact number of wei
	Reason string // why unknown; the rest is empty then
}

// Known says whether there is an amount.
func (a Amount) Known() bool { return a.Wei != "" }

// Moment is a point in time. The browser keeps its words up to date by itself.
type Moment struct {
	Words string // "3 min ago"; "" if unknown
	ISO   string // 2026-01-02T03:04:05Z
	UTC   string // "2026-01-02 03:04:05 UTC"
}

// Link is a text that leads somewhere; without a URL it is a plain text.
type Link struct{ Text, Title, URL string }

// Page is what every page needs around its content.
type Page struct {
	Title   string
	Theme   string // "light", "dark"; "" follows the system
	Tone    Tone   // of the verdict, if the page shows one
	Now     string // when it was rendered, in unix milliseconds: the server's clock
	Assets  Assets
	Network string // "Sepolia"
	Wallet  WalletChip
	Version string
	Commit  string     // of the source
	Nav     string     // the entry of the navigation that is current
	Sources *SourceBar // nil: this page is about no source
	Demo    *Demo      // nil but in the demo
	// SignedIn is whose session the reader's browser has, nil without one.
	SignedIn *SignedIn
	Reader   Reader

	charts bool // see WithCharts
}

// Reader is who reads the page.
type Reader struct {
	AnyWallet bool   // the reader may look at any wallet
	SignInURL string // leads back to this page
	Unchecked bool   // whether the reader is signed in is not known now
}

// Assets are the fingerprinted paths of the static files.
type Assets struct {
	CSS, JS, HTMX string
	Modules       []string        // what JS imports
	Favicons      map[Tone]string // by verdict; "" for pages that show none
	Fingerprint   string          // of all files together
	Sprite        string          // SVG symbols, put into the page
	Charts        ChartAssets
}

// ChartAssets are what pages with a chart load beside the rest.
type ChartAssets struct {
	CSS, UPlot, JS string
	Modules        []string // what JS imports
}

// WalletChip is the wallet that the page is about; Address is "" if none was chosen.
type WalletChip struct {
	Address     string
	Abbreviated string
	Avatar      Avatar
	ExplorerURL string
	Query       string // "?wallet=0x…" of pages about it, "" if it is the server's own
}

// Avatar is a wallet's picture in a box of 5 by 5: path data and two colours.
type Avatar struct{ Ground, Ink, Cells string }

// Panel is a part of a page that refreshes itself.
type Panel struct {
	ID    string
	URL   string // the partial's, with its query; "" = does not poll
	Every string // htmx's notation, "5s"
	Stale bool   // its values are not live: shown greyed, with a notice that says since when
	Bare  bool   // without a surface of its own
	More  Link   // leads to the page that shows all
}

// SourcePill is one source's state.
type SourcePill struct {
	ID     string // "gpu", "database", "chain"
	Name   string
	Icon   string
	Tone   Tone
	Words  string // "ok", "stale", "unavailable"
	Block  string // "block 1,234"; "" but for the chain
	Age    Moment // of the newest values
	Reason string
	Remedy string
	Detail []Row // more, in the popover
}

// Row is a label and a value.
type Row struct {
	Label  string
	Value  Value
	Amount *Amount // shown instead of Value
	Origin Origin
	Tone   Tone // of a row that needs attention, with an icon
}

// SourceBar is the state of the three sources, on top of every page.
type SourceBar struct {
	Panel   Panel
	Sources []SourcePill
}

// StatusPanel is the top of the dashboard.
type StatusPanel struct {
	Panel   Panel
	Notice  *Notice
	Verdict Verdict
	Figures []Figure
	Uptime  UptimeStrip
}

// Verdict is the answer to "am I earning?".
type Verdict struct {
	Words  string
	Title  string // of the browser's tab while this is the verdict
	Tone   Tone
	Icon   string
	Answer string // to the question whether the wallet is earning; "" for none
	Rate   string // at which it earns, a sentence
	Reason string
	Origin Origin
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
	ID      string
	Label   string
	Origin  Origin
	Amount  *Amount
	Exact   bool     // all digits of the amount stand below it
	Counter *Counter // the amount counts up in the browser
	Value   Value
	Parts   []Row // small figures below the big one
	Notes   []Note
	Spark   *Sparkline
}

// Counter is what ProverStaking's formula needs, in its own integers, so that the browser
// repeats it between two blocks: Pending + ⌊Amount · BasisPoints · (t − Since) / Divisor⌋.
type Counter struct {
	Text            string // the amount with all its decimals, so that its width stays
	Pending, Amount string // wei
	BasisPoints     string // of the yearly rate
	Since, Block    string // unix seconds: last claim, the block of these values
	Divisor         string
	Decimals        string // of the token
}

// Note is a small line below a figure.
type Note struct {
	Text  string
	Title string
	Tone  Tone
}

// Sparkline is a small chart, drawn on the server in a box 24 high.
type Sparkline struct {
	Label string // what it shows, with its range, for screen readers
	Width string // of the box
	Lines []SparkLine
}

// SparkLine is a stretch of a sparkline without a gap, as SVG path data.
type SparkLine struct{ Line, Area string }

// UptimeStrip is the last 24 hours with their gaps.
type UptimeStrip struct {
	Label  string
	Bars   []StripBar // in a box 1440 units wide, one a minute
	Shares []Row      // "24 h", "7 d", "30 d"
	Gaps   []string   // "03:10–03:25 UTC (15 min)", newest first
	More   string     // "and 4 earlier"
	Link   Link       // leads to the whole history
	Reason string     // why there is no strip
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
	Tone  Tone
	Text  string
	Since *Moment // when the values were read
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
	ID          string // for the DOM
	Index       string
	Name        string
	UUID        string
	URL         string // of the GPU's own page; "" = none
	Host        string // the other host that reported it; "" for this one
	Tier        Value
	Status      Tag
	Message     string  // what is wrong
	Since       *Moment // since when
	Stale       bool
	LastKnown   *Moment // when the values of a stale card were read; nil: that is not known
	Gauges      []Gauge
	Facts       []Row
	Throttle    []Tag
	SlowedSince *Moment
	Job         *Link
	Failure     *GPUFailure
	Procs       []GPUProc
	ProcMore    string // how many are not in the list; "" = none
	ProcNote    string
}

// wholeTable is how many rows a table has at most that stands whole, as a month by day does.
// One with more scrolls in itself.
const wholeTable = 31

// GPUFailure is the newest job that failed on a GPU.
type GPUFailure struct {
	Job   Link
	Error string
	When  Moment
}

// Gauge is a bar with its value.
type Gauge struct {
	Label   string
	Origin  Origin
	Value   Value
	Percent string // of the bar, "0" to "100"; "" = no bar
	Mark    string // a limit's place on the bar, "" = none
	Tone    Tone
	Limit   string // "of 700 W"
	Spark   *Sparkline
}

// Tag is a short coloured text.
type Tag struct {
	ID    string // of a tag that another takes the place of; "" = none
	Text  string
	Tone  Tone
	Icon  string
	Title string // "" = none
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
	Link      Link
	Type      string
	Status    Tag
	Marks     []Tag // what is to be known of the row itself
	Submitted Moment
	Duration  Value
	Reward    Amount
	Error     string
}

// RewardsPanel is what was earned and what can be claimed.
type RewardsPanel struct {
	Panel  Panel
	Notice *Notice
	Totals []Row
	ByDay  *Chart // nil while the earnings are unknown
	Power  []Row  // what the GPUs draw, and what that leaves of a day
	Priced bool   // the reader has entered prices
	Differ Link   // leads to payments that the chain has otherwise; no text if there are none
	Claim  *ClaimButton
	Claims []ClaimRow
	Rows   []RewardRow
	Empty  *Empty
}

// ClaimRow is a claim on its way, or where it ended.
type ClaimRow struct {
	When    Moment
	Status  Tag
	Amount  Amount
	Tx      Link
	Failure string // why it failed
}

// RewardRow is one earning.
type RewardRow struct {
	When   Moment
	Kind   string
	Amount Amount
	Tx     Link
	Job    Link
	Marks  []Tag
}

// RiskPanel is how close the stake is to a slash or to deactivation, what it would cost,
// and when stake can be taken out.
type RiskPanel struct {
	Panel     Panel
	Notice    *Notice
	Rows      []Row // stake, minimum, headroom, failures, what is being unstaked
	Exposure  []ExposureRow
	Events    []StakeEventRow
	EventNote string // why there is no history, or how far it reaches
	Empty     *Empty
}

// ExposureRow is what one reason for a slash would cost.
type ExposureRow struct {
	Reason string
	Share  string // "5 %"
	Cost   Amount
	Left   Amount
	Effect Tag // "stays above the minimum", or by how much it falls short
}

// StakeEventRow is one change of the stake.
type StakeEventRow struct {
	When   Moment
	What   Tag
	Why    string // the reason of a slash, when an unstake unlocks
	Unlock *Moment
	Amount Amount
	Job    Link
	Tx     Link

	Evidence Link // of a slash: to its own page
}

// NetworkPanel is the network as a whole.
type NetworkPanel struct {
	Panel  Panel
	Notice *Notice
	Rows   []Row
}

// DashboardPage is the page "/".
type DashboardPage struct {
	Page    Page
	Status  StatusPanel
	GPUs    GPUsPanel
	Jobs    JobsPanel
	Rewards RewardsPanel
	Risk    RiskPanel
	Network NetworkPanel
	Prices  PriceForm
}

// PriceForm is what the reader entered of prices, "" each if nothing yet.
type PriceForm struct {
	Wallet, PerKWh, PerSAGE, Currency, Watts string
	Observed                                 string // what counts if no price of SAGE is entered; "" if nothing does
	Back                                     string // the page that the form returns to
}

// ErrorPage says what went wrong and what to do.
type ErrorPage struct {
	Page   Page
	Status string
	Title  string
	Detail string
	// RequestID names a failed request's line in the server's log; "" where nothing failed.
	RequestID string
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
	Private                            bool // needs a token or a session
	Params                             []DocsField
	Body                               []DocsField
	Answer                             []DocsField
	Curl                               string
}

// DocsField is a parameter or member.
type DocsField struct{ Name, Type, Text string }

// Tab is one of several views of the same thing.
type Tab struct {
	Label, URL string
	Current    bool
}
