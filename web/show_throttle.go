package web

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

const (
	// closeEdge is how near the two readings around an edge must be to need no words.
	closeEdge = 5 * time.Second
	// stillSlowed is how old the newest reading of a stretch of this host's card may be, so
	// that the stretch goes on: it is stored every 15 s.
	stillSlowed = 30 * time.Second
)

// throttleGroup are the reasons that slowed a card in the same time.
type throttleGroup struct {
	validator.ThrottleSpan

	words string
	live  bool // it goes on
}

// throttleGroups puts spans of the same readings together, in their order. Alive is how old the
// newest reading of one that goes on may be.
func throttleGroups(spans []validator.ThrottleSpan, now time.Time, alive time.Duration) []throttleGroup {
	var out []throttleGroup
	for _, s := range spans {
		i := slices.IndexFunc(out, func(g throttleGroup) bool {
			return g.From.Equal(s.From) && g.To.Equal(s.To) && g.Before.Equal(s.Before)
		})
		if i < 0 {
			i = len(out)
			out = append(out, throttleGroup{ThrottleSpan: s, live: !s.Ended() && now.Sub(s.To) <= alive})
		}
		out[i].Reason |= s.Reason
		out[i].Pauses = max(out[i].Pauses, s.Pauses)
		out[i].words = slowedWords(out[i].Reason)
	}
	return out
}

// mark is a stretch over a chart, the same in every window.
func (g throttleGroup) mark(now time.Time) views.ChartMark {
	return views.ChartMark{At: moment(now, g.From), Until: momentOf(now, g.To), Now: g.live, Label: "Slowed: " + g.words + g.edges(), Tone: views.ToneWarn, Icon: "heat"}
}

// edges says how closely it is known when the stretch began and ended, where that is not
// closely.
func (g throttleGroup) edges() string {
	var parts []string
	switch {
	case g.After.IsZero():
		parts = append(parts, "when it began is not known, since no reading is near before")
	case g.From.Sub(g.After) > closeEdge:
		parts = append(parts, "began between "+fromTo(g.After, g.From))
	}
	switch {
	case g.live:
	case !g.Ended():
		parts = append(parts, "when it ended is not known, since no reading followed")
	case g.Before.Sub(g.To) > closeEdge:
		parts = append(parts, "ended between "+fromTo(g.To, g.Before))
	}
	switch {
	case g.Pauses == 1:
		parts = append(parts, "with a pause of less than "+validator.Ago(validator.ThrottlePause))
	case g.Pauses > 1:
		parts = append(parts, fmt.Sprintf("with %s pauses of less than %s", integer(g.Pauses), validator.Ago(validator.ThrottlePause)))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, "; ") + ")"
}

// fromTo says a stretch of time: "2026-03-01 12:01:00 to 12:20:00 UTC".
func fromTo(from, to time.Time) string {
	from, to = from.UTC(), to.UTC()
	if from.YearDay() != to.YearDay() || from.Year() != to.Year() {
		return utc(from) + " to " + utc(to)
	}
	return from.Format("2006-01-02 15:04:05") + " to " + to.Format("15:04:05") + " UTC"
}

// slowedWords lists the reasons that hold a GPU back.
func slowedWords(r validator.ThrottleReasons) string {
	var words []string
	for _, t := range r.List() {
		if t.Bit.Slowed() {
			words = append(words, t.Words)
		}
	}
	return strings.Join(words, ", ")
}

// heldBackText says what held a card back before a slash.
func heldBackText(h validator.HeldBack, step time.Duration, known validator.Maybe[[]validator.ThrottleSpan]) string {
	switch {
	case len(h.Spans) > 0:
		return "Before the slash it was slowed " + slowedTimes(h) + ": " + slowedWords(h.Reasons) + "."
	case h.Hours > 0:
		return fmt.Sprintf("Before the slash it was held back in %d of %d steps of %s: %s.", h.Hours, h.Of, stepWords(step), slowedWords(h.Reasons))
	case !known.Known():
		return "Whether it was slowed cannot be read now: " + validator.Sentence(known.Reason())
	case h.Of == 0:
		return "None is of the time before the slash."
	}
	return "Nothing slowed it before the slash, as far as readings tell."
}

// slowedTimes says when and for how long a card was slowed.
func slowedTimes(h validator.HeldBack) string {
	groups := throttleGroups(h.Spans, time.Time{}, 0)
	longest := slices.MaxFunc(groups, func(a, b throttleGroup) int { return int(a.To.Sub(a.From) - b.To.Sub(b.From)) })
	when := "from " + fromTo(longest.From, longest.To)
	if longest.From.Equal(longest.To) {
		when = "at " + utc(longest.From)
	}
	if len(groups) == 1 {
		return when + longest.edges()
	}
	return fmt.Sprintf("%s times, for %s in all, the longest %s%s", integer(len(groups)), validator.Ago(h.Slowed), when, longest.edges())
}
