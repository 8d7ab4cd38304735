package views

import "strings"

// Origin leads to where a figure came from; an empty URL means that nothing tells it.
type Origin struct {
	URL   string // of the provenance partial
	Label string // what the figure is called in a sentence, "the stake"
}

// originID is the button's id in the page, stable while the figure is.
func originID(o Origin) string {
	_, of, _ := strings.Cut(o.URL, "of=")
	return "from-" + slug(of) + "-" + slug(o.Label)
}

func slug(s string) string {
	return strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, s)
}

// Provenance is where one figure came from.
type Provenance struct {
	Title    string
	Value    Row // the figure as pages show it
	Source   string
	When     *Moment
	Live     bool
	Reason   string // why it is unknown, or not live
	Remedy   string
	Rows     []Row
	Formula  string
	Raw      []string // the source's own answer
	RawName  string
	Commands []Command
	Note     string
}

// Command is how to repeat a reading.
type Command struct{ Label, Text string }

// provenanceTone tells an unknown figure from one that is only not live.
func provenanceTone(m Provenance) Tone {
	if m.When != nil {
		return ToneWarn
	}
	return ToneUnknown
}
