package web

import (
	"regexp"
	"strings"
	"testing"
)

var dataEtag = regexp.MustCompile(` data-etag="([\w-]+)"`)

func tagsIn(html string) (tags []string) {
	for _, m := range dataEtag.FindAllStringSubmatch(html, -1) {
		tags = append(tags, m[1])
	}
	return tags
}

const kept = `<time datetime="2026-01-02T03:04:05Z" hx-morph-skip-children>3 s ago</time>`

func TestATagStandsForWhatAPanelShows(t *testing.T) {
	base := `<section id="jobs" data-poll><h2>Jobs</h2><p>12 done, ` + kept + `</p></section>`
	first := tagPanels([]byte(base))
	tags := tagsIn(string(first.html))
	if len(tags) != 1 || tags[0] != first.panel {
		t.Fatalf("tags %q, panel %q in %s", tags, first.panel, first.html)
	}
	if plain := dataEtag.ReplaceAllString(string(first.html), ""); plain != base {
		t.Errorf("more than a tag changed:\n%s\n%s", plain, base)
	}
	for name, c := range map[string]struct {
		old, new string
		changes  bool
	}{
		"nothing":                           {"", "", false},
		"the text that the browser keeps":   {"3 s ago", "4 s ago", false},
		"elements in what it keeps":         {"3 s ago", "<time>4</time><b>s</b> ago", false},
		"a figure":                          {"12 done", "13 done", true},
		"what follows the kept text":        {"</time></p>", "</time> </p>", true},
		"the moment itself":                 {"03:04:05Z", "03:04:06Z", true},
		"the panel's own attributes":        {`id="jobs"`, `id="jobs" data-stale`, true},
		"a section within":                  {"<h2>Jobs</h2>", "<section><h2>Jobs</h2></section>", true},
		"an attribute that looks like one":  {"<p>", `<p title="</section>">`, true},
		"a comment that looks like its end": {"<p>", "<!-- </section> --><p>", true},
	} {
		other := tagPanels([]byte(strings.Replace(base, c.old, c.new, 1)))
		if other.panel == "" || (other.panel != first.panel) != c.changes {
			t.Errorf("%s: tag %q, before %q", name, other.panel, first.panel)
		}
	}
}

func TestAPageGivesEachPanelTheTagThatItsPollWillHave(t *testing.T) {
	one, two := `<ul data-poll id="a"><li><ul></ul>`+kept+`</li></ul>`, `<section class="panel" data-poll><section>in</section></section>`
	page := tagPanels([]byte(`<!DOCTYPE html><html><head><title>a &amp; b</title></head><body><svg><title>x</title></svg><section>still</section>` + one + `<div>` + two + `</div>` + kept + `</body></html>`))
	if page.panel != "" {
		t.Error("a whole page counts as a panel")
	}
	want := []string{tagPanels([]byte(one)).panel, tagPanels([]byte(two)).panel}
	if got := tagsIn(string(page.html)); len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("tags %q, want %q", got, want)
	}
	for name, html := range map[string]string{"no panel": `<p>text</p>`, "two panels": one + two, "not a poll": `<section>x</section>`, "cut off": `<section data-poll><p>`, "nothing": ``} {
		if got := tagPanels([]byte(html)); got.panel != "" {
			t.Errorf("%s counts as a panel", name)
		}
	}
}

func BenchmarkTagPanels(b *testing.B) {
	card := `<article class="gpu"><h3>NVIDIA H100 80GB HBM3</h3><p>` + kept + `</p><svg class="bar"><rect class="track" width="100" height="4"></rect></svg></article>`
	page := []byte(`<section data-poll>` + strings.Repeat(card, 250) + `</section>`)
	b.SetBytes(int64(len(page)))
	for b.Loop() {
		tagPanels(page)
	}
}
