package web

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// A zero is a figure that reads 0 on a page or in an answer of the API.
type zero struct {
	where string // the path to it: elements with their ids and classes, or members
	text  string // what stands there
	near  string // the words around it
}

func (z zero) String() string { return fmt.Sprintf("%q at %s, near %q", z.text, z.where, z.near) }

var zeroToken = regexp.MustCompile(`^[-−+(]?0(?:[.,]0+)?(?:%|°C)?[).,;:]?$`)

func hasZero(text string) bool {
	return slices.ContainsFunc(strings.Fields(strings.ReplaceAll(text, "\u00a0", " ")), zeroToken.MatchString)
}

// readableAttributes are those whose text people read.
var readableAttributes = []string{"title", "aria-label", "value"}

// notFigures are the elements in which no figure stands: moments, and statements and formulas
// that show how a figure came about.
var notFigures = []string{"head", "script", "style", "template", "time", "pre"}

// pageFigures are the zeros of a page or a part of one, and the figures that are missing
// without a reason.
func pageFigures(markup string) (zeros []zero, unexplained []string, err error) {
	root, err := html.Parse(strings.NewReader(markup))
	if err != nil {
		return nil, nil, err
	}
	var walk func(n *html.Node, where []string)
	walk = func(n *html.Node, where []string) {
		switch n.Type {
		case html.ElementNode:
			if slices.Contains(notFigures, n.Data) {
				return
			}
			where = append(slices.Clone(where), elementName(n))
			for _, a := range n.Attr {
				if slices.Contains(readableAttributes, a.Key) && n.Data != "input" && n.Data != "option" && hasZero(a.Val) {
					zeros = append(zeros, zero{strings.Join(where, " ") + " @" + a.Key, a.Val, near(n)})
				}
			}
			if why, is := missingFigure(n); is && strings.Trim(why, " .") == "" {
				unexplained = append(unexplained, strings.Join(where, " ")+" near "+near(n))
			}
		case html.TextNode:
			if hasZero(n.Data) {
				zeros = append(zeros, zero{strings.Join(where, " "), strings.TrimSpace(n.Data), near(n.Parent)})
			}
		default:
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c, where)
		}
	}
	walk(root, nil)
	return zeros, unexplained, nil
}

func attribute(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func elementName(n *html.Node) string {
	name := n.Data
	if id := attribute(n, "id"); id != "" {
		name += "#" + id
	}
	for _, class := range strings.Fields(attribute(n, "class")) {
		name += "." + class
	}
	return name
}

// missingFigure says whether an element stands for a figure that is missing, and why it is.
func missingFigure(n *html.Node) (why string, is bool) {
	classes := strings.Fields(attribute(n, "class"))
	if !slices.Contains(classes, "none") || !slices.Contains(classes, "value") && !slices.Contains(classes, "amount") {
		return "", false
	}
	return attribute(n, "title"), true
}

// near are the words of the closest element around a node that has some to tell it by.
func near(n *html.Node) string {
	const enough, most = 12, 160
	words := ""
	for ; n != nil; n = n.Parent {
		if words = strings.Join(strings.Fields(textOf(n)), " "); len(words) > enough {
			break
		}
	}
	return words[:min(len(words), most)]
}

func textOf(n *html.Node) string {
	if n.Type == html.TextNode {
		return n.Data + " "
	}
	var b strings.Builder
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b.WriteString(textOf(c))
	}
	return b.String()
}

// answerFigures are the zeros of an answer of the JSON API.
func answerFigures(answer []byte) ([]zero, error) {
	var v any
	if err := json.Unmarshal(answer, &v); err != nil {
		return nil, err
	}
	var zeros []zero
	var walk func(v any, where string, of map[string]any)
	walk = func(v any, where string, of map[string]any) {
		switch v := v.(type) {
		case map[string]any:
			for member, x := range v {
				walk(x, where+"."+member, v)
			}
		case []any:
			for _, x := range v {
				walk(x, where+"[]", of)
			}
		case float64:
			if v == 0 {
				near, _ := json.Marshal(of)
				zeros = append(zeros, zero{where, "0", string(near)})
			}
		case string:
			if hasZero(v) {
				near, _ := json.Marshal(of)
				zeros = append(zeros, zero{where, v, string(near)})
			}
		}
	}
	walk(v, "", nil)
	return zeros, nil
}
