//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/html"
)

// sight is what one look at the program showed.
type sight struct {
	began, ended time.Time
	codes        map[string]int           // by path; 0: no answer
	health       map[string]sourceState   // of /health
	sources      map[string]sourceState   // of /api/validator/status
	pills        map[string]sourceState   // of the page, by source
	panels       map[string]panelSeen     // of the page, by id
	text         map[string]string        // of pages, without markup
	json         map[string]any           // of further API paths
	detail       map[string]string        // what problems say, by path
	ingest       ingestAnswer             // newest answer to a report
	waits        map[string]string        // Retry-After, by path
	slow         map[string]time.Duration // requests that took long, by path
}

// sourceState is how a source is said to be.
type sourceState struct {
	status, reason string
}

// panelSeen is a panel of the page.
type panelSeen struct {
	marked bool // as not live: as a whole, by a notice, or because it says that there is nothing
	text   string
}

const (
	dashboardPath = "/"
	statusPath    = "/api/validator/status"
	healthPath    = "/health"
	readyPath     = "/health/ready"

	lookPause = 350 * time.Millisecond
	lookBound = 10 * time.Second // of one request
	slowLook  = 6 * time.Second
)

// observer looks at the program again and again, as a browser and a script do.
type observer struct {
	url    string
	client *http.Client
	writer *writer

	mu      sync.Mutex
	more    []string // further paths: pages, or JSON under /api/
	seen    []sight
	changed chan struct{}
}

func newObserver(url string, w *writer) *observer {
	return &observer{url: url, writer: w, client: &http.Client{Timeout: lookBound}, changed: make(chan struct{})}
}

// run looks until ctx ends.
func (o *observer) run(ctx context.Context) {
	for ctx.Err() == nil {
		o.mu.Lock()
		more := slices.Clone(o.more)
		o.mu.Unlock()
		s := o.look(ctx, more)
		if ctx.Err() != nil {
			return
		}
		o.mu.Lock()
		o.seen = append(o.seen, s)
		close(o.changed)
		o.changed = make(chan struct{})
		o.mu.Unlock()
		sleep(ctx, lookPause)
	}
}

// begin forgets what was seen, and says what is looked at besides.
func (o *observer) begin(more []string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.more, o.seen = more, nil
}

// sights returns what was seen.
func (o *observer) sights() []sight {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.seen)
}

// await returns the first sight that began after a time and for which holds is true.
func (o *observer) await(ctx context.Context, after time.Time, bound time.Duration, holds func(*sight) bool) (sight, bool) {
	end := time.NewTimer(bound)
	defer end.Stop()
	for next := 0; ; {
		o.mu.Lock()
		fresh, changed := slices.Clone(o.seen[min(next, len(o.seen)):]), o.changed
		next = len(o.seen)
		o.mu.Unlock()
		for i := range fresh {
			if fresh[i].began.After(after) && holds(&fresh[i]) {
				return fresh[i], true
			}
		}
		select {
		case <-changed:
		case <-end.C:
			return sight{}, false
		case <-ctx.Done():
			return sight{}, false
		}
	}
}

func (o *observer) look(ctx context.Context, more []string) sight {
	s := sight{
		began: time.Now(), codes: map[string]int{}, text: map[string]string{}, json: map[string]any{},
		detail: map[string]string{}, waits: map[string]string{}, slow: map[string]time.Duration{},
	}
	var answer struct {
		Sources map[string]struct {
			Status string  `json:"status"`
			Error  *string `json:"error"`
		} `json:"sources"`
	}
	states := func(path string) map[string]sourceState {
		answer.Sources = nil
		body := o.get(ctx, &s, path)
		if json.Unmarshal(body, &answer) != nil || len(answer.Sources) == 0 {
			return nil
		}
		var v any
		if json.Unmarshal(body, &v) == nil {
			s.json[path] = v
		}
		out := map[string]sourceState{}
		for name, st := range answer.Sources {
			out[name] = sourceState{st.Status, orEmpty(st.Error)}
		}
		return out
	}
	s.health = states(healthPath)
	o.get(ctx, &s, readyPath)
	s.sources = states(statusPath)
	if doc, err := html.Parse(strings.NewReader(string(o.get(ctx, &s, dashboardPath)))); err == nil && s.codes[dashboardPath] == http.StatusOK {
		s.readPage(doc)
		s.text[dashboardPath] = textOf(doc)
	}
	for _, path := range more {
		body := o.get(ctx, &s, path)
		var v any
		switch {
		case strings.HasPrefix(path, "/api/"):
			if json.Unmarshal(body, &v) == nil {
				s.json[path] = v
			}
		default:
			if doc, err := html.Parse(strings.NewReader(string(body))); err == nil {
				s.text[path] = textOf(doc)
			}
		}
	}
	_, s.ingest = o.writer.seen()
	s.ended = time.Now()
	return s
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// get asks for a path and notes how it was answered.
func (o *observer) get(ctx context.Context, s *sight, path string) []byte {
	if code, asked := s.codes[healthPath]; asked && code == 0 { // nobody is there: the next look comes the sooner
		s.codes[path] = 0
		return nil
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, o.url+path, nil)
	if err != nil {
		return nil
	}
	if !strings.HasPrefix(path, "/api/") {
		r.Header.Set("Accept", "text/html")
	}
	start := time.Now()
	answer, err := o.client.Do(r)
	if took := time.Since(start); took > slowLook {
		s.slow[path] = took
	}
	if err != nil {
		s.codes[path] = 0
		return nil
	}
	defer answer.Body.Close() //nolint:errcheck // it was read
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		s.codes[path] = 0
		return nil
	}
	s.codes[path] = answer.StatusCode
	if answer.StatusCode >= http.StatusBadRequest {
		s.waits[path] = answer.Header.Get("Retry-After")
		s.detail[path] = detailOf(body)
	}
	return body
}

// readPage finds the pills of the sources and the panels.
func (s *sight) readPage(doc *html.Node) {
	s.pills, s.panels = map[string]sourceState{}, map[string]panelSeen{}
	for n := range doc.Descendants() {
		id := attr(n, "id")
		switch {
		case n.Data == "button" && strings.HasPrefix(id, "source-"):
			name := strings.TrimPrefix(id, "source-")
			p := s.pills[name]
			for c := range n.Descendants() {
				if attr(c, "class") == "source-state" {
					p.status = textOf(c)
				}
			}
			s.pills[name] = p
		case n.Data == "div" && strings.HasPrefix(id, "source-") && strings.HasSuffix(id, "-more"):
			name := strings.TrimSuffix(strings.TrimPrefix(id, "source-"), "-more")
			p := s.pills[name]
			p.reason = popoverReason(n)
			s.pills[name] = p
		case n.Data == "section" && id != "":
			s.panels[id] = panelSeen{marked: marked(n), text: textOf(n)}
		}
	}
}

// marked reports whether a panel says that its values are not live.
func marked(panel *html.Node) bool {
	if hasAttr(panel, "data-stale") {
		return true
	}
	for n := range panel.Descendants() {
		if class := strings.Fields(attr(n, "class")); slices.Contains(class, "notice") || slices.Contains(class, "empty") {
			return true
		}
	}
	return false
}

// popoverReason is the first paragraph after the title.
func popoverReason(n *html.Node) string {
	for c := range n.ChildNodes() {
		if c.Data == "p" && attr(c, "class") == "" {
			return textOf(c)
		}
	}
	return ""
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func hasAttr(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// textOf is what an element says.
func textOf(n *html.Node) string {
	var words []string
	for c := range n.Descendants() {
		if c.Type == html.TextNode && (c.Parent == nil || c.Parent.Data != "script" && c.Parent.Data != "style") {
			words = append(words, strings.Fields(c.Data)...)
		}
	}
	return strings.Join(words, " ")
}

// errNoJSON says that an API path was not answered with JSON.
var errNoJSON = errors.New("no JSON")

// list returns a member of a JSON answer that is a list.
func (s *sight) list(path, member string) ([]any, error) {
	object, ok := s.json[path].(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s: %w", path, errNoJSON)
	}
	list, ok := object[member].([]any)
	if !ok {
		return nil, fmt.Errorf("%s: %w of a list %s", path, errNoJSON, member)
	}
	return list, nil
}
