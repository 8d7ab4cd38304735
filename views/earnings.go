package views

// EarningsPage is the page "/earnings".
type EarningsPage struct {
	Page    Page
	Against Link // leads to the comparison of payments with the chain
	Form    EarningsForm
	Now     EarningsNowPanel
	Report  EarningReportPanel
	Claims  EarningClaims
	List    EarningList
	Prices  PriceForm
}

// EarningsForm chooses the days that the page is about. While something is wrong with them
// the page shows nothing of them.
type EarningsForm struct {
	Presets                     []Tab
	Hidden                      []HiddenField
	FromField, ToField, ByField string // names of the fields
	From, To                    string // 2006-01-02
	By                          []Choice
	Problem                     string // "" if nothing is wrong
	Wrong                       string // name of the field that is
}

// EarningsNowPanel is what can be claimed now, and what was.
type EarningsNowPanel struct {
	Panel   Panel
	Notice  *Notice
	Figures []Figure
	Claim   *ClaimButton
}

// EarningReportPanel is what was earned in the chosen days.
type EarningReportPanel struct {
	Panel    Panel
	Heading  string
	Notice   *Notice
	Figures  []Row
	Averages []Row
	Note     string // what the averages are
	Power    []Row  // energy and its cost, and what is left
	Priced   bool   // the reader has entered prices
	Chart    *BarChart
	Kinds    []string // heads of the rows' columns
	Rows     []EarningPeriodRow
	Empty    *Empty
}

// EarningPeriodRow is a day, week or month, newest first.
type EarningPeriodRow struct {
	ISO, Name string
	Part      string // "in part"; "" for a whole one
	Kinds     []Amount
	Total     Amount
	Entries   Value
}

// BarChart is bars over time, drawn on the server in a box 1000 wide and 240 high. Its numbers
// stand in a table beside it.
type BarChart struct {
	Label     string // for who does not see it
	Top, Half string // what the upper edge and the middle stand for
	Legend    []BarKind
	Bars      []Bar
	Names     []BarName // of the first bar, one in the middle, and the last
}

// BarKind is a part of every bar; Class is its colour's.
type BarKind struct{ Class, Label string }

// Bar is a bar with its parts, from the lowest up.
type Bar struct {
	X, Width, Title string
	Parts           []BarPart
}

// BarPart is a part of a bar.
type BarPart struct{ Class, Y, Height string }

// BarName is what a bar is called below the axis.
type BarName struct{ ISO, Text string }

// EarningList is a page of the single earnings, newest first.
type EarningList struct {
	Notice               *Notice
	Rows                 []EarningRow
	Empty                *Empty
	Newest, Newer, Older string // the neighbouring pages' URLs, "" if there is none
	Export               []Link // all earnings of these days as files
}

// EarningRow is one earning.
type EarningRow struct {
	When   Moment
	Kind   string
	Job    Link
	Marks  []Tag
	Tx     Link
	Amount Amount
	Worth  Value // of a claim, at the price that was recorded with it
}

// EarningClaims is the newest claims, with what they were worth when they arrived.
type EarningClaims struct {
	Notice *Notice
	Rows   []EarningClaimRow
	Empty  *Empty
}

// EarningClaimRow is a claim.
type EarningClaimRow struct {
	ClaimRow

	Price  Value // of one SAGE when it arrived
	Source string
	Worth  Value
	Enter  *ClaimPriceForm // nil where a price may not, or need not, be entered
}

// ClaimPriceForm asks the wallet's owner for the price of SAGE when a claim arrived.
type ClaimPriceForm struct {
	ID                        string // for the DOM
	Action, TxHash, Back      string
	Price, Currency, OpenText string
}

// earningsHeading is what a report is called.
func earningsHeading(m EarningReportPanel) string {
	if m.Heading == "" {
		return "Earned"
	}
	return m.Heading
}

// minutesUTC is a moment to the minute: "2026-01-02 03:04".
func minutesUTC(m Moment) string { return m.UTC[:min(len("2006-01-02 15:04"), len(m.UTC))] }
