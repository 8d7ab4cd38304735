package views

import "strings"

// iconOf is the icon that goes with a tone, so that colour never speaks alone.
func iconOf(t Tone) string {
	switch t {
	case ToneGood:
		return "good"
	case ToneWarn:
		return "warn"
	case ToneBad:
		return "bad"
	case ToneUnknown:
		return "unknown"
	case TonePlain:
	}
	return "info"
}

// spaced sets a unit off from its number by a no-break space.
func spaced(unit string) string {
	if unit == "" {
		return ""
	}
	return "\u00a0" + unit
}

// away says whether a link leaves this site.
func away(url string) bool { return strings.HasPrefix(url, "https://") }

// favicon is the tab's icon for a verdict's tone.
func (a Assets) favicon(t Tone) string { return a.Favicons[t] }
