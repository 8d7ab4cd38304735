package main

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// The page's budget, in bytes over the wire with gzip.
const (
	firstLoadBudget = 120 << 10
	partialBudget   = 4 << 10
)

// wire fetches a path as a browser does and returns the answer with its body as it came.
func (p *program) wire(t *testing.T, path string, headers ...string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.url+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept-Encoding", "gzip") // set by hand, so the client leaves the body as it is
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, b
}

var (
	linkedFile  = regexp.MustCompile(`(?:src|href)="(/static/[^"]+)"`)
	fingerprint = regexp.MustCompile(`^/static/[\w.-]+\.[0-9a-f]{12}\.\w+$`)
	polledPanel = regexp.MustCompile(`<section data-etag="([\w-]+)"[^>]* hx-get="([^"]+)"`)
)

func TestTheFirstLoadStaysInItsBudget(t *testing.T) {
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t))
	res, page := p.wire(t, "/?wallet=0x123")
	if res.StatusCode != http.StatusOK || res.Header.Get("Content-Encoding") != "gzip" || res.Header.Get("Cache-Control") != "no-store" {
		t.Fatalf("the page: %s %v", res.Status, res.Header)
	}
	total := len(page)
	table := fmt.Sprintf("%7d  the page\n", len(page))
	_, plain := p.call(t, http.MethodGet, "/?wallet=0x123", "", "")
	seen := map[string]bool{}
	for _, m := range linkedFile.FindAllStringSubmatch(string(plain), -1) {
		path := m[1]
		if seen[path] {
			continue
		}
		seen[path] = true
		file, body := p.wire(t, path)
		if file.StatusCode != http.StatusOK || !fingerprint.MatchString(path) || !strings.Contains(file.Header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %s, Cache-Control %q", path, file.Status, file.Header.Get("Cache-Control"))
		}
		if file.Header.Get("Content-Encoding") == "gzip" != (file.Header.Get("Vary") == "Accept-Encoding") {
			t.Errorf("%s: encoded as %q, varies by %q", path, file.Header.Get("Content-Encoding"), file.Header.Get("Vary"))
		}
		total += len(body)
		table += fmt.Sprintf("%7d  %s\n", len(body), path)
	}
	t.Logf("first load, bytes over the wire:\n%s%7d  in all, of %d", table, total, firstLoadBudget)
	if total > firstLoadBudget || len(seen) < 5 {
		t.Errorf("%d bytes in %d files", total, len(seen)+1)
	}
}

func TestAPollThatBringsNothingNewHasNoBody(t *testing.T) {
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t))
	// The first look at a wallet may still be under way when the first page is rendered.
	p.wire(t, "/?wallet=0x123")
	panels := map[string]bool{}
	eventually(t, "every panel answers 304", func() bool {
		_, page := p.call(t, http.MethodGet, "/?wallet=0x123", "", "")
		same := true
		for _, m := range polledPanel.FindAllStringSubmatch(string(page), -1) {
			tag, path := m[1], strings.ReplaceAll(m[2], "&amp;", "&")
			panels[path] = true
			res, body := p.wire(t, path, "HX-Request", "true", "If-None-Match", `W/"`+tag+`"`)
			if res.StatusCode != http.StatusNotModified {
				same = false
				continue
			}
			if len(body) != 0 || res.Header.Get("ETag") != `W/"`+tag+`"` || res.Header.Get("Content-Encoding") != "" {
				t.Errorf("%s: 304 with %d bytes, %v", path, len(body), res.Header)
			}
			if res, body := p.wire(t, path, "HX-Request", "true", "If-None-Match", `W/"another"`); res.StatusCode != http.StatusOK || len(body) == 0 || len(body) > partialBudget {
				t.Errorf("%s: %s with %d bytes, at most %d are meant", path, res.Status, len(body), partialBudget)
			}
		}
		return same && len(panels) >= 5
	})
}
