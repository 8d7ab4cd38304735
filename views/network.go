package views

// NetworkPage is the page "/network".
type NetworkPage struct {
	Page     Page
	Now      NetworkNowPanel
	Activity NetworkActivityPanel
	Stake    NetworkStakePanel
	Workers  NetworkWorkersPanel
	Chain    NetworkChainPanel
}

// NetworkNowPanel is the network's workers as they are now, and what they have done in all.
type NetworkNowPanel struct {
	Panel    Panel
	Notice   *Notice
	Figures  []Row
	Versions CountTable // of hosts, by the version of their software
	GPUs     CountTable // of hosts, by their number of GPUs
}

// NetworkActivityPanel is what all workers did in the hours of a window.
type NetworkActivityPanel struct {
	Panel   Panel
	Notice  *Notice
	Windows []Tab
	Figures []Row
	Charts  ChartGroup
	Empty   *Empty
}

// NetworkStakePanel is what is staked, on which terms, and by whom.
type NetworkStakePanel struct {
	Panel       Panel
	Notice      *Notice
	Figures     []Row
	Terms       []Row
	Tiers       []NetworkTierRow
	Stakes      Leaders
	Reputations Leaders
	Note        string // how far the events reach that leaders are ranked by
}

// NetworkTierRow is a tier: what it asks for, and what is staked in it.
type NetworkTierRow struct {
	Name    string
	Least   Amount
	Stakers Value
	Staked  Amount
}

// Leaders ranks workers; Reason says why there are no rows.
type Leaders struct {
	Rows   []LeaderRow
	Reason string
}

// LeaderRow is somebody's place by a figure that is public on the chain.
type LeaderRow struct {
	Rank    string
	Worker  Link
	Own     bool
	Detail  string // the tier; when the score was changed
	Amount  *Amount
	Score   Value
	Slashed *Amount // nil: never
}

// NetworkWorkersPanel is how the workers' own figures are distributed, of nobody in particular,
// and where the reader's own stands.
type NetworkWorkersPanel struct {
	Panel  Panel
	Notice *Notice
	Own    []Row // empty unless the page is about a wallet that the reader may see
	Uptime CountTable
	Jobs   CountTable
	Note   string
}

// CountTable counts things by a property.
type CountTable struct {
	Title  string
	Name   string // of the property
	Count  string // what is counted
	Rows   []CountRow
	Reason string // why there are no rows
}

// CountRow is a line of a CountTable.
type CountRow struct {
	Name    string
	Count   string
	Percent string // of all, for the bar
	Share   string // the same in words
}

// NetworkChainPanel is the chain that all of it is read from.
type NetworkChainPanel struct {
	Panel     Panel
	Notice    *Notice
	Figures   []Row
	Contracts []ContractRow
}

// ContractRow is a contract, and whether it is the one that this program knows.
type ContractRow struct {
	Name    string
	Address Link
	Status  Tag
	Reason  string
}

// leadersDetail and leadersFigure name the last two columns of a list of leaders.
func leadersDetail(list []LeaderRow) string {
	if list[0].Amount != nil {
		return "Tier"
	}
	return "Changed"
}

func leadersFigure(list []LeaderRow) string {
	if list[0].Amount != nil {
		return "Staked"
	}
	return "Score of 1000"
}
