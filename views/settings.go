package views

// SettingsPage is what a wallet's owner sets and sees of their access.
type SettingsPage struct {
	Page     Page
	Sessions []SessionRow
	Lasting  string // how long a session lasts, in words
	Tokens   []TokenRow
	Token    TokenForm
	Events   []EventRow
	// GoodTokens is how many of Tokens have not expired.
	GoodTokens int
}

// SessionRow is a browser that is signed in.
type SessionRow struct {
	ID         string
	Device     string // "Firefox on Linux"
	UserAgent  string
	WalletName string
	Current    bool // the browser that reads the page
	SignedIn   Moment
	Seen       Moment
}

// TokenRow is a token; its secret is not known any more.
type TokenRow struct {
	ID, Name, Scope string
	Created         Moment
	Used            Moment // no words: never
	Expires         string // a day; "" = never
	Expired         bool
}

// TokenForm is what was entered for a new token.
type TokenForm struct {
	Name    string
	Scopes  []Option
	Days    []Option
	Problem string // what is wrong with it
}

// Option is an entry of a list that one is chosen from.
type Option struct {
	Value, Label string
	Chosen       bool
}

// EventRow is something that was done with the wallet's access.
type EventRow struct {
	When                          Moment
	What, Detail, By, From, Agent string
}

// NewTokenPage shows a token's secret, the only time.
type NewTokenPage struct {
	Page                   Page
	Name, Scope, Secret    string
	Expires                string // a day; "" = never
	Example, ExampleHeader string // what a script does with it
}
