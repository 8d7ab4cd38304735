package views

// SignInPage is where a wallet signs in.
type SignInPage struct {
	Page    Page
	Script  string // path of the page's script
	Next    string // where to land: a path of this site
	Origin  string // where this server signs in: "https://validators.example.org"; "" if nowhere
	Chain   string // the network's chain id as wallets tell it, 0x534e…
	ChainID string // the same as text, "SN_SEPOLIA"

	MostFelts string // that a signature may have
}

// SignedIn is the wallet whose session the reader's browser has, and the script that notices
// when the wallet goes elsewhere.
type SignedIn struct {
	Address        string
	Chain, ChainID string // as in SignInPage
	Script         string // path
}

// SignInProblem names a way in which signing in fails. Each has its words and its next step
// in a notice of the page, whose element's id is its name.
type SignInProblem string

// The ways in which signing in fails.
const (
	SignInNoWallet    SignInProblem = "no-wallet"
	SignInNoAccount   SignInProblem = "no-account"
	SignInRefused     SignInProblem = "refused"
	SignInNetwork     SignInProblem = "network"
	SignInNoSwitch    SignInProblem = "no-switch"
	SignInWallet      SignInProblem = "wallet-error"
	SignInSilent      SignInProblem = "wallet-silent"
	SignInUnsigned    SignInProblem = "no-signature"
	SignInAnswer      SignInProblem = "wallet-answer"
	SignInNotDeployed SignInProblem = "not-deployed"
	SignInInvalid     SignInProblem = "invalid"
	SignInExpired     SignInProblem = "expired"
	SignInUnreachable SignInProblem = "unreachable"
	SignInDatabase    SignInProblem = "database"
	SignInTooMany     SignInProblem = "too-many"
	SignInOrigin      SignInProblem = "origin"
	SignInLost        SignInProblem = "lost"
	SignInFailed      SignInProblem = "failed"
)

// URI identifies the problem to programs, and leads people to its words.
func (p SignInProblem) URI() string { return "/signin#" + string(p) }
