package chain

import (
	"net/url"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// How many bytes of a node's own words are kept, for people and for the log.
const (
	maxNodeWords = 160
	maxLogWords  = 300
)

// What may hold a key: a URL with its path and query, an assignment, and a long run of the
// characters of which keys and tokens are made, unless it is a name or a felt.
var (
	secretLike = regexp.MustCompile(`(?i)[a-z][a-z0-9+.-]*://\S+|\b(?:api[-_ ]?)?(?:key|token|secret|password|auth\w*)\s*[=:]\s*\S+|[\w-]{24,}`)
	plainName  = regexp.MustCompile(`^(?:starknet_[A-Za-z]+|[a-z_-]+|0x[0-9a-fA-F]+)$`)
)

// nodeWords makes a text of a node fit to be shown and logged: one bounded line of printable
// characters, without anything that may hold a key. It returns "" where nothing is left.
func nodeWords(text string) string { return harmless(text, maxNodeWords) }

func harmless(text string, limit int) string {
	if most := 4 * limit; len(text) > most { // so that a secret is not cut in two, unless by far behind the limit
		text = text[:most]
	}
	text = strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return -1
		case unicode.IsSpace(r):
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
	text = secretLike.ReplaceAllStringFunc(text, func(match string) string {
		if plainName.MatchString(match) {
			return match
		}
		return "…"
	})
	text = strings.TrimRight(strings.Join(strings.Fields(text), " "), ".:;, ")
	if len(text) <= limit {
		return text
	}
	cut := limit
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return strings.TrimRight(text[:cut], " ") + "…"
}

// secretsOf are the parts of a URL that may be keys, which a node may repeat.
func secretsOf(u *url.URL) []string {
	const shortest = 6 // a shorter one stands in too many words
	var out []string
	add := func(s string) {
		if len(s) >= shortest && !plainName.MatchString(s) && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	password, _ := u.User.Password()
	add(password)
	add(u.User.Username())
	for _, values := range u.Query() {
		for _, v := range values {
			add(v)
		}
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		add(segment)
	}
	return out
}

// words makes the node's words fit to be shown, without the keys of its own URL.
func (e *endpoint) words(text string) string {
	for _, s := range e.secrets {
		text = strings.ReplaceAll(text, s, "…")
	}
	return nodeWords(text)
}
