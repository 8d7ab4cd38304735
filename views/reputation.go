package views

// ReputationPanel is a worker's reputation with its history.
type ReputationPanel struct {
	Panel  Panel
	Notice *Notice
	Score  *Figure // nil while Empty says why
	Facts  []Row
	Empty  *Empty

	Chart     *ScoreChart // nil: fewer than two scores are known
	ChartNote string

	Changes []ReputationRow
	Note    string // how far the list reaches, or why there is none
	Newest  Link   // without a text: this is the list's beginning
	Older   Link
}

// ReputationRow is one change of the score.
type ReputationRow struct {
	Reason Value // its title is the contract's own word
	Job    Link
	Delta  Tag
	Score  string // "870 → 871"
	Tx     Link
	When   Moment
}

// ScoreChart is a score over time, drawn on the server in a box 600 wide and 100 high. Its
// numbers stand in a table below it.
type ScoreChart struct {
	Label     string // what it shows, for screen readers
	Line      string // SVG path data
	Area      string
	High, Low string // of the axis
	From, To  string // of the axis, in UTC
	Rows      []ScoreRow
}

// ScoreRow is one of its numbers.
type ScoreRow struct{ When, Score string }

// MiningPanel is what MiningRewards pays of its own accord. Of a contract that is not
// configured it is one line.
type MiningPanel struct {
	Panel   Panel
	Absent  string // "" if the contract is configured
	Notice  *Notice
	Cap     *Gauge // how much of the day's cap is used
	Figures []Row
	Note    string
	Empty   *Empty
}
