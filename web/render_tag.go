package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"hash"

	"golang.org/x/net/html"
)

// tagged is rendered HTML whose panels carry their tags.
type tagged struct {
	html  []byte
	panel string // the tag, if the whole of it is one panel
}

// tagPanels gives each polled panel ([data-poll]) of rendered HTML the attribute
// data-etag: a digest of what the panel shows. The text in elements that browsers keep by
// themselves ([hx-morph-skip-children]: how long ago something was, an amount that
// counts) is left out, so that a panel in which only time has passed keeps its tag.
func tagPanels(doc []byte) tagged {
	t := tagger{}
	z := html.NewTokenizer(bytes.NewReader(doc))
	from := 0
	for {
		kind := z.Next()
		raw := z.Raw()
		to := from + len(raw)
		switch kind {
		case html.ErrorToken: // the end
			t.out = append(t.out, doc[t.copied:]...)
			return tagged{html: t.out, panel: t.only}
		case html.StartTagToken:
			t.start(doc, from, z)
		case html.EndTagToken:
			name, _ := z.TagName()
			t.end(doc, to, string(name))
		case html.TextToken, html.SelfClosingTagToken, html.CommentToken, html.DoctypeToken:
		}
		t.see(doc[from:to])
		from = to
	}
}

// tagger is a walk through rendered HTML.
type tagger struct {
	out    []byte
	copied int // how much of the document is in out

	sum   hash.Hash // of the panel that the walk is in, nil outside
	from  int       // where the panel begins
	panel string    // its element
	open  int       // elements of that name that are open inside it, itself included

	kept  string // the element whose text the browser keeps, "" outside
	depth int    // elements of that name that are open inside it, itself included

	only string
}

func (t *tagger) start(doc []byte, from int, z *html.Tokenizer) {
	name, more := z.TagName()
	element := string(name)
	var polled, keeps bool
	for more {
		var key []byte
		key, _, more = z.TagAttr()
		switch string(key) {
		case "data-poll":
			polled = true
		case "hx-morph-skip-children":
			keeps = true
		}
	}
	switch {
	case t.sum == nil && polled:
		t.sum, t.from, t.panel, t.open = sha256.New(), from, element, 1
	case t.sum != nil && element == t.panel:
		t.open++
	}
	switch {
	case t.kept == "" && keeps && t.sum != nil:
		t.kept, t.depth = element, 1
		t.sum.Write(doc[from : from+len(z.Raw())])
	case t.kept == element:
		t.depth++
	}
}

// end closes an element whose end tag ends at the given place.
func (t *tagger) end(doc []byte, to int, element string) {
	if t.kept != "" && t.kept == element {
		if t.depth--; t.depth == 0 {
			t.kept = ""
		}
	}
	if t.sum == nil || element != t.panel {
		return
	}
	if t.open--; t.open > 0 {
		return
	}
	tag := base64.RawURLEncoding.EncodeToString(t.sum.Sum(nil)[:12])
	if len(bytes.TrimSpace(doc[:t.from])) == 0 && len(bytes.TrimSpace(doc[to:])) == 0 {
		t.only = tag
	}
	head := t.from + len("<"+element)
	t.out = append(t.out, doc[t.copied:head]...)
	t.out = append(t.out, ` data-etag="`+tag+`"`...)
	t.copied, t.sum = head, nil
}

// see adds a piece of the document to the sum of the panel that it stands in.
func (t *tagger) see(piece []byte) {
	if t.sum != nil && t.kept == "" {
		t.sum.Write(piece)
	}
}
