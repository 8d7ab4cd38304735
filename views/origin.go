package views

// Origin leads to where a figure came from; an empty URL means that nothing tells it.
type Origin struct {
	URL   string // of the provenance partial
	Label string // what the figure is called in a sentence, "the stake"
}

// originID is the button's id in the page, stable while the figure is.
func originID(o Origin) string { return "from-" + o.Label }
