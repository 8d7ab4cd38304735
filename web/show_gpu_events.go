package web

import (
	"fmt"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// xidRows sums the errors up by their code, the newest first, and says in which times they
// are known.
func xidRows(g gpuAsked) ([]views.XIDRow, string) {
	var rows []views.XIDRow
	var codes []uint64
	count := map[uint64]int64{}
	for _, x := range validator.XIDs(g.member.GPU.Events) {
		if count[x.Code] += x.Count; count[x.Code] > x.Count {
			continue
		}
		codes = append(codes, x.Code)
		row := views.XIDRow{Title: fmt.Sprintf("XID %d", x.Code), When: moment(g.now, x.Last), Words: "This version's table does not explain this code.", Do: "Look it up in NVIDIA's catalogue.", Tone: views.ToneBad, Icon: "bad"}
		if m, known := validator.ExplainXID(x.Code); known {
			row.Words, row.Do = m.Words+".", m.Do
			row.Tone, row.Icon = xidLook(m.Severity)
		}
		rows = append(rows, row)
	}
	for i, code := range codes {
		if n := count[code]; n > 1 {
			rows[i].Count = fmt.Sprintf("%s times, last", integer(n))
		}
	}
	return rows, watchNote(g, len(rows) == 0)
}

// watchNote says in which times the driver's errors of a card were watched for, and so what no
// error means; "" for a card of another host that nobody watches.
func watchNote(g gpuAsked, none bool) string {
	m := g.member
	w, ever := m.watching.Get()
	unwatched := "They are not watched now" // unless
	switch since := m.GPU.XIDsWatchedSince; {
	case g.local() && !since.Known():
		unwatched += ": " + validator.Sentence(since.Reason())
	case g.local() && g.stale(), g.now.Sub(w.To) > watchedNow:
		unwatched += "."
	default:
		unwatched = ""
	}
	if !ever {
		switch {
		case g.local() && unwatched != "":
			return "XID errors of this GPU are not watched: " + validator.Sentence(m.GPU.XIDsWatchedSince.Reason())
		case !g.local() && none:
			return ""
		}
		return "Nothing tells in which times they were watched."
	}
	note := "Watched since " + utc(w.From)
	if none {
		note = "None since " + utc(w.From)
	}
	switch n := len(w.Breaks); {
	case n > 0:
		last := w.Breaks[n-1]
		note += fmt.Sprintf(", but for %s, the newest from %s to %s: what happened then is not known.", breaksText(w), utc(last.From), utc(last.To))
	case unwatched != "":
		note += " up to " + utc(w.To) + "."
	case none:
		note += ", from when on it has been watched without a break."
	default:
		note += " without a break."
	}
	if unwatched != "" {
		note += " " + unwatched
	}
	switch {
	case m.eventsReason != "":
		note += " Those of before this server's start cannot be read now: " + validator.Sentence(m.eventsReason)
	case g.local() && !g.kept:
		note += " They are kept in memory only: set VALIDATOR_ADDRESS to the wallet that this host works for, so that they outlive a restart."
	}
	return note
}

// breaksText says how many breaks there were, and how long in all.
func breaksText(w validator.Watching) string {
	length := validator.Ago(w.Unwatched())
	if w.Unwatched() < time.Second {
		length = "less than a second"
	}
	if len(w.Breaks) == 1 {
		return "a break of " + length
	}
	return fmt.Sprintf("%s breaks of %s in all", integer(len(w.Breaks)), length)
}

func xidLook(sev validator.Severity) (views.Tone, string) {
	switch sev {
	case validator.SeverityCritical:
		return views.ToneBad, "bad"
	case validator.SeverityWarning:
		return views.ToneWarn, "warn"
	case validator.SeverityGood, validator.SeverityNeutral:
	}
	return views.TonePlain, "info"
}

func xidWords(code uint64) string {
	if m, known := validator.ExplainXID(code); known {
		return m.Words
	}
	return "not in this version's table"
}

// xidMark is an error of the driver over a chart; one that came again spans a time.
func xidMark(now time.Time, x validator.GPUEvent) views.ChartMark {
	mark := views.ChartMark{At: moment(now, x.At), Label: fmt.Sprintf("XID %d: %s", x.Code, xidWords(x.Code)), Tone: views.ToneBad, Icon: "warn"}
	if x.Count > 1 {
		mark.Label = fmt.Sprintf("XID %d, %s times: %s", x.Code, integer(x.Count), xidWords(x.Code))
		mark.Until = momentOf(now, x.Last)
	}
	return mark
}
