package web

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// textBlocks are the texts of a page, each as it stands in one line: what inline elements hold
// is joined, and what is written for machines is left out.
func textBlocks(t *testing.T, markup string) []string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(markup))
	if err != nil {
		t.Fatal(err)
	}
	inline := []string{"a", "abbr", "b", "code", "data", "em", "span", "strong", "time", "button"}
	machine := []string{"head", "script", "style", "template", "svg", "pre", "code", "textarea", "select", "title"}
	var blocks []string
	var line strings.Builder
	end := func() {
		if text := strings.Join(strings.Fields(line.String()), " "); text != "" {
			blocks = append(blocks, text)
		}
		line.Reset()
	}
	var walk func(n *html.Node)
	walk = func(n *html.Node) {
		classes := strings.Fields(attribute(n, "class"))
		switch {
		case n.Type == html.TextNode:
			line.WriteString(n.Data)
			return
		case n.Type == html.ElementNode && (slices.Contains(machine, n.Data) || slices.Contains(classes, "mono") && strings.Trim(textOf(n), "0123456789,") == textOf(n)):
			return
		}
		// What a grid places stands apart, whatever its elements are.
		placed := n.Parent != nil && (n.Parent.Data == "div" || strings.Contains(attribute(n.Parent, "class"), "axis") || strings.Contains(attribute(n.Parent, "class"), "score-"))
		breaks := n.Type == html.ElementNode && (placed || !slices.Contains(inline, n.Data))
		if breaks {
			end()
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
		if breaks {
			end()
		}
	}
	walk(root)
	end()
	return blocks
}

var (
	strayComma = regexp.MustCompile(`(^| ),|,,`)
	ungrouped  = regexp.MustCompile(`(?:^|[\s(“])(\d{5,})(?:$|[\s).,;”]|: )`)
	// identifiers are numbers that name something, and are found by all their digits.
	identifiers = regexp.MustCompile(`(?i)\bPID \d+|\bwei\b|= \S+ / \S+$|×|⌊`)
)

// TestTextsHaveNoStrayCommaAndTheirNumbersAreGrouped walks all that every page says.
func TestTextsHaveNoStrayCommaAndTheirNumbersAreGrouped(t *testing.T) {
	t.Parallel()
	s, ask := askedSignedIn(t)
	said, numbers := 0, 0
	for key := range s.stated {
		method, pattern, _ := strings.Cut(key, " ")
		if method != http.MethodGet || strings.HasPrefix(pattern, "/api/") || strings.HasPrefix(pattern, "/health") {
			continue
		}
		for _, path := range walkedPaths[pattern] {
			for _, text := range textBlocks(t, ask(path).Body.String()) {
				said++
				if strayComma.MatchString(text) {
					t.Errorf("%s has a stray comma: %q", path, text)
				}
				if strings.Contains(text, ",234,") {
					numbers++
				}
				if m := ungrouped.FindStringSubmatch(identifiers.ReplaceAllString(text, "")); m != nil && !strings.Contains(text, "wei") {
					t.Errorf("%s has %s without groups: %q", path, m[1], text)
				}
			}
		}
	}
	if said < 1000 || numbers < 10 {
		t.Errorf("%d texts were read, %d with a block's number", said, numbers)
	}
}
