package views

// JobsPage is the page "/jobs".
type JobsPage struct {
	Page   Page
	Search JobSearch
	List   JobList
}

// JobSearch is the form that chooses jobs.
type JobSearch struct {
	Field, TypeField string // names of the fields
	Text             string
	TextLimit        string // characters
	Types            []Choice
	Hidden           []HiddenField
	Hint             string
	More             MoreFilters
	ClearURL         string // shows all jobs again; "" if all are shown
}

// MoreFilters are those that are asked for more rarely.
type MoreFilters struct {
	Open   bool // one of them is set
	Texts  []TextField
	Order  string // name of the field
	Orders []Choice
}

// TextField is a labelled input of a form; Type is HTML's.
type TextField struct{ ID, Name, Label, Value, Type string }

// Choice is an entry of a list to choose from.
type Choice struct {
	Value, Label string
	Current      bool
}

// HiddenField is what a form sends without asking.
type HiddenField struct{ Name, Value string }

// JobList is a page of a list of jobs.
type JobList struct {
	Panel   Panel
	Heading string
	Notice  *Notice
	States  []CountedTab
	Heads   *JobHeads
	Rows    []JobRow
	Notes   []string // which jobs the list or the counts leave out
	Empty   *Empty
	// The neighbouring pages' URLs, "" each if there is none: the list's beginning, back and
	// on. What they are called depends on the list's order.
	Newest, Newer, Older           string
	FirstLabel, BackLabel, OnLabel string
	Export                         []Link // all jobs of the list as files
}

// JobHeads are the heads of a list's columns that sort it.
type JobHeads struct{ Submitted, Duration, Reward SortHead }

// SortHead is the head of a column that leads to the list in another order.
type SortHead struct {
	Label string
	URL   string
	Next  string // the order that the link leads to, as a phrase
	Sort  string // "ascending" or "descending" if the list is sorted by this column
	Icon  string
}

// CountedTab is a tab that says how much is behind it.
type CountedTab struct {
	Tab
	Count string // "" if not counted
}

// JobPage is the page of one job.
type JobPage struct {
	Page   Page
	ID     string
	AllURL string // the list's
	Detail JobDetail
	Card   JobCardPanel
}

// JobCardPanel is the card of a job for the time of the job.
type JobCardPanel struct {
	Panel  Panel
	Notice *Notice
	Note   string // what the charts show, or why there are none
	Charts *ChartGroup
}

// JobDetail is all that is known of a job.
type JobDetail struct {
	Panel    Panel
	Notice   *Notice
	Status   Tag
	Timeline []TimelineStep
	Payment  Amount
	OnChain  *JobOnChain // nil for a job of which the chain cannot tell anything yet
	Facts    []JobFact
	Error    string // in full
}

// TimelineStep is something that happened to a job, or will.
type TimelineStep struct {
	Title string
	Tone  Tone
	Icon  string
	When  *Moment // nil: not yet, or not known
	After string  // "after 12 s": how long the step before took
	Note  string
}

// JobFact is a label and what stands for it: a link, else a value.
type JobFact struct {
	Label string
	Link  Link
	Value Value  // shown where Link has no text
	Copy  string // what a button copies; "" = no button
}
