package views

// ActionPage is where a wallet's owner signs something about the stake.
type ActionPage struct {
	Page    Page
	Script  string // path of the page's script
	Kind    string
	Title   string
	Intro   string
	Wallet  string // the account that signs
	Chain   string // as in SignInPage
	ChainID string
	Form    *ActionForm // nil where nothing is entered
	Preview string      // path of the preview; "" = there is nothing to preview yet
	Track   *TrackPanel // of what was sent; nil = nothing was
	TrackAt string      // path of the page that shows what was sent, to which its hash is added
	Back    Link
}

// ActionForm asks for what an action is about.
type ActionForm struct {
	ID     string // begins the ids of its fields
	Path   string // of the page that previews it
	Wallet string // "" = the server's own
	Submit string
	Amount ActionField
	Tiers  []Option // nil where no tier is asked for
}

// ActionField is a field with what was entered and the rule that it breaks.
type ActionField struct{ Label, Entered, Hint, Problem string }

// ActionPreview is what will happen if the owner signs, or why nothing good will.
type ActionPreview struct {
	Rows     []Row
	Warnings []Notice
	Refusal  *ActionRefusal // nil if it can be signed
	Again    string         // path of the preview, to be asked for again; "" = no use
	Calls    []ActionCall
	CallData string // the calls in JSON, as wallets take them; "" = there is nothing to sign
}

// ActionRefusal is why something is not to be signed.
type ActionRefusal struct {
	Tone             Tone
	Title, Why, Next string
	Words            string // the contract's own
}

// ActionCall is a call that the wallet is asked to sign.
type ActionCall struct {
	Contract Link
	Name     string // of the contract
	Function string
	Calldata []string
}

// TrackPanel is how far a transaction has come.
type TrackPanel struct {
	Panel   Panel
	Heading string
	Notice  *Notice
	Tx      Link
	Steps   []Check
	Settled bool // nothing will change any more
}

// ClaimButton leads to the page that claims.
type ClaimButton struct {
	URL   string
	Track Link // of a claim that is on its way: until it has arrived there is no other
}

// ActionAccount and ActionSignedOut name ways in which signing an action fails,
// besides those of signing in.
const (
	ActionAccount   SignInProblem = "account"
	ActionSignedOut SignInProblem = "signed-out"
)

// StakeActions are the forms on the stake's page.
type StakeActions struct {
	Stake, Unstake ActionForm
	Complete       Link
}
