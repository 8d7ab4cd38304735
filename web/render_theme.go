package web

import "net/http"

// themeCookie holds the reader's choice; static/theme.js writes it.
const themeCookie = "theme"

// chosenTheme returns "light" or "dark", "" to follow the system.
func chosenTheme(r *http.Request) string {
	c, err := r.Cookie(themeCookie)
	if err != nil || c.Value != "light" && c.Value != "dark" {
		return ""
	}
	return c.Value
}
