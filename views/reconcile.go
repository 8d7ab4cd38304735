package views

// ReconcilePage is the page "/earnings/reconciliation".
type ReconcilePage struct {
	Page        Page
	EarningsURL string
	Summary     ReconcileSummary
	List        ReconcileList
}

// ReconcileSummary is what came of comparing all payments and claims with the chain.
type ReconcileSummary struct {
	Panel   Panel
	Notice  *Notice
	Verdict Tag    // whether anything differs
	Why     string // what it rests on
	Known   []Row  // how far the chain's events are known
	Classes []ReconcileClassRow
	Total   ReconcileClassRow
	Claims  ReconcileClaims
	Empty   *Empty
}

// ReconcileClassRow adds up a class.
type ReconcileClassRow struct {
	Class      Tag
	Origin     Origin
	Meaning    string
	Jobs       Link  // leads to the list
	NoJobs     Value // why Jobs is empty
	Recorded   Amount
	OnChain    Amount
	Difference []Amount // what the chain has less or more; none where nothing can be compared
}

// ReconcileClaims is the same of the wallet's claims.
type ReconcileClaims struct {
	Counts []Row
	Rows   []ReconcileClaimRow // those that do not match
	Note   string
}

// ReconcileClaimRow is a claim on both sides.
type ReconcileClaimRow struct {
	When     Moment
	Class    Tag
	Recorded Amount
	OnChain  Amount
	Tx       Link
	Block    Link
	Why      string
}

// ReconcileList is a page of a list of payments.
type ReconcileList struct {
	Panel         Panel
	Heading       string
	Notice        *Notice
	Classes       []CountedTab
	Rows          []ReconcileRow
	Empty         *Empty
	Newest, Older string // the neighbouring pages' URLs, "" if there is none
	Export        []Link
}

// ReconcileRow is a job's payment on both sides.
type ReconcileRow struct {
	When     Moment
	Job      Link
	Class    Tag
	Recorded Amount
	OnChain  Amount
	Events   []PaymentEventRow
	Why      string
	Marks    []Tag // of the job
}

// PaymentEventRow is an event of a payment.
type PaymentEventRow struct {
	What   string // "released", "paid"
	Amount Amount
	Tx     Link
	Block  Link
	When   Moment
}

// JobOnChain is a job's payment according to the chain, beside the database's.
type JobOnChain struct {
	Class  Tag
	Why    string
	Amount Amount
	Events []PaymentEventRow
	More   Link // leads to all payments
}
