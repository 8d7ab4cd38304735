package views

// NavLink is an entry of the main navigation.
type NavLink struct {
	ID    string // Page.Nav of the pages that it stands for
	Href  string
	Label string
	Key   string // the letter that opens it after g
	// Wallet says that the page is about the wallet that is being looked at.
	Wallet bool
	// Search says that the page has a search field, which / leads to from everywhere.
	Search bool
}

// navigation lists the pages in the order of the header. A page that is added here has its
// shortcut, and its line in the help.
func navigation() []NavLink {
	return []NavLink{
		{ID: "dashboard", Href: "/", Label: "Dashboard", Key: "d", Wallet: true},
		{ID: "gpus", Href: "/gpus", Label: "GPUs", Key: "u", Wallet: true},
		{ID: "jobs", Href: "/jobs", Label: "Jobs", Key: "j", Wallet: true, Search: true},
		{ID: "earnings", Href: "/earnings", Label: "Earnings", Key: "e", Wallet: true},
		{ID: "stake", Href: "/stake", Label: "Stake", Key: "s", Wallet: true},
		{ID: "uptime", Href: "/uptime", Label: "Uptime", Key: "t", Wallet: true},
		{ID: "network", Href: "/network", Label: "Network", Key: "n", Wallet: true},
		{ID: "docs", Href: "/docs", Label: "API", Key: "a"},
	}
}

// href is where a link leads to from a page.
func (l NavLink) href(p Page) string {
	if l.Wallet {
		return l.Href + p.Wallet.Query
	}
	return l.Href
}

// Shortcut is a line of the help: keys, pressed one after the other.
type Shortcut struct {
	Keys []string
	Text string
}

// shortcuts lists what static/keys.js does.
func shortcuts() []Shortcut {
	var list []Shortcut
	for _, l := range navigation() {
		list = append(list, Shortcut{Keys: []string{"g", l.Key}, Text: l.Label})
	}
	for _, l := range navigation() {
		if l.Search {
			list = append(list, Shortcut{Keys: []string{"/"}, Text: "Search " + l.Label})
		}
	}
	return append(list, Shortcut{Keys: []string{"?"}, Text: "This list"}, Shortcut{Keys: []string{"Esc"}, Text: "Close what is open"})
}

// Theme is an entry of the theme switch.
type Theme struct{ Value, Label, Icon string }

// themes lists what the switch offers; "" follows the system.
func themes() []Theme {
	return []Theme{{"", "As the system", "system"}, {"light", "Light", "sun"}, {"dark", "Dark", "moon"}}
}
