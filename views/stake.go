package views

// StakePage is the page "/stake".
type StakePage struct {
	Page  Page
	State StakeStatePanel
	Risk  RiskPanel
	Terms StakeTermsPanel

	Reputation ReputationPanel
	Mining     MiningPanel

	Actions *StakeActions // nil for readers who may not act for the wallet
}

// StakeStatePanel is what is staked now, and whether that is enough.
type StakeStatePanel struct {
	Panel   Panel
	Notice  *Notice
	Figures []Figure
	Checks  []Check // those that concern the stake
	Claim   *ClaimButton
	Empty   *Empty
}

// StakeTermsPanel is what ProverStaking asks of every worker.
type StakeTermsPanel struct {
	Panel  Panel
	Notice *Notice
	Rows   []Row
	Tiers  []TierRow
	Empty  *Empty
}

// TierRow is a tier's least stake.
type TierRow struct {
	Name     string
	Own      bool // the wallet has staked as this tier
	Least    Amount
	Distance string // of the wallet's stake: "3,250.5 SAGE above"; "" = not known
}
