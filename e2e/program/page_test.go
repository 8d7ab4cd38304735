package program

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
)

// axe finds what keeps people with disabilities from using a page (Deque, MPL 2.0).
//
//go:embed testdata/vendor/axe.min.js
var axe string

// axeRules are the success criteria of WCAG 2.2, levels A and AA.
const axeRules = `["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]`

// see sets the width of the window, down to a phone's, and what the system prefers.
func see(t *testing.T, ctx context.Context, width, height int64, scheme string) {
	t.Helper()
	if _, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: width, Height: height, DeviceScaleFactor: 1, Mobile: width < 500}); err != nil {
		t.Fatal(err)
	}
	media := []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: media}); err != nil {
		t.Fatal(err)
	}
}

// filled waits until no part of the page still shows a placeholder.
func filled(t *testing.T, ctx context.Context) {
	t.Helper()
	until(t, ctx, `document.querySelector(".gallery-head") || !document.querySelector("main .skeleton")`)
}

// demoPages lists a page of each kind that the demo shows, and what stands for it in messages.
func demoPages(t *testing.T, p *program) []string {
	t.Helper()
	var gpus struct {
		GPUs []struct {
			UUID string `json:"uuid"`
		} `json:"gpus"`
	}
	harness.Eventually(t, "the GPUs", func() bool {
		_, b := p.Call(t, http.MethodGet, "/api/validator/gpus", "", "")
		return json.Unmarshal(b, &gpus) == nil && len(gpus.GPUs) == 5
	})
	pages := []string{"/", "/gpus", "/stake", "/earnings", "/earnings?last=1y", "/earnings?from=nonsense", "/jobs", "/jobs?state=failed&q=out+of+memory&order=longest", "/docs", "/signin", "/dev/components", "/nothing-here", "/?wallet=nonsense"}
	pages = append(pages, "/uptime", "/uptime?host=rig-2", "/network", "/network?window=7d", "/earnings/reconciliation", "/earnings/reconciliation?class=matched")
	for _, g := range []int{0, 4} {
		pages = append(pages, "/gpus/"+gpus.GPUs[g].UUID)
	}
	var slash string
	harness.Eventually(t, "a slash with its evidence", func() bool {
		_, b := p.Call(t, http.MethodGet, "/stake", "", "")
		slash = regexp.MustCompile(`/stake/slash/[^"]+`).FindString(string(b))
		return slash != ""
	})
	if _, b := p.Call(t, http.MethodGet, slash, "", ""); !strings.Contains(text(b), "Heat slowed the card meanwhile") || !strings.Contains(text(b), "Not heard") {
		t.Errorf("the demo's slash lacks its evidence: %s", text(b))
	}
	pages = append(pages, slash)
	for _, status := range []string{"completed", "failed", "running"} {
		var jobs struct {
			Jobs []struct {
				ID string `json:"job_id"`
			} `json:"jobs"`
		}
		harness.Eventually(t, "a job that is "+status, func() bool {
			_, b := p.Call(t, http.MethodGet, "/api/jobs/recent?limit=1&status="+status, "", "")
			return json.Unmarshal(b, &jobs) == nil && len(jobs.Jobs) == 1
		})
		pages = append(pages, "/jobs/"+url.PathEscape(jobs.Jobs[0].ID))
	}
	return pages
}

// violations runs axe on the page and tells each violation in a line.
func violations(t *testing.T, ctx context.Context) []string {
	t.Helper()
	evaluate[chromedp.Void](t, ctx, axe+"; undefined")
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](`axe.run(document, {runOnly: `+axeRules+`, resultTypes: ["violations"]}).then((r) =>
		r.violations.flatMap((v) => v.nodes.map((n) => v.id + ": " + n.target.join(" ") + ": " + n.html.slice(0, 160) + ": " + n.failureSummary)))`, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// tooWide names the elements that stick out of the window to the right.
const tooWide = `document.documentElement.scrollWidth <= document.documentElement.clientWidth ? [] :
	[...document.querySelectorAll("body *")].filter((e) => e.getBoundingClientRect().right > document.documentElement.clientWidth + 0.5 && !e.closest(".table-box, pre, .visually-hidden"))
		.slice(0, 5).map((e) => e.tagName + "." + e.className + " " + e.textContent.trim().slice(0, 40)).concat("the page is " + document.documentElement.scrollWidth + " px wide")`

// TestTheDemoInABrowser takes one demo through what a browser can tell of it, in an order in
// which the trouble that it begins with is over when nothing may move.
func TestTheDemoInABrowser(t *testing.T) {
	p := startDemo(t, dbtest.Dir(t))
	t.Run("every page is for everybody", func(t *testing.T) { everyPageIsForEverybody(t, p) })
	t.Run("every figure opens its provenance, and polls leave it open", func(t *testing.T) { everyFigureOpensItsProvenance(t, p) })
	t.Run("nothing moves when polls arrive", func(t *testing.T) { nothingMoves(t, p) })
	t.Run("what was earned, net of power, and whether the claims arrived", func(t *testing.T) { whatWasEarned(t, p) })
}

func everyPageIsForEverybody(t *testing.T, p *program) {
	ctx, console := browser(t, 1440, 900)
	for _, path := range demoPages(t, p) {
		for _, width := range []int64{390, 820, 1440} {
			for _, scheme := range []string{"dark", "light"} {
				what := fmt.Sprintf("%s at %d px, %s", path, width, scheme)
				see(t, ctx, width, 900, scheme)
				visit(t, ctx, p.URL+path)
				filled(t, ctx)
				for _, v := range violations(t, ctx) {
					t.Errorf("%s: %s", what, v)
				}
				for _, e := range evaluate[[]string](t, ctx, tooWide) {
					t.Errorf("%s is too wide: %s", what, e)
				}
				for _, u := range evaluate[[]string](t, ctx, `performance.getEntriesByType("resource").map((e) => e.name).filter((u) => new URL(u).origin !== location.origin && !u.startsWith("data:"))`) {
					t.Errorf("%s asks another host: %s", what, u)
				}
			}
		}
	}
	expected := 0
	for _, line := range console() {
		// The browser itself says that a page's own answer was an error.
		if strings.Contains(line, "Failed to load resource") && (strings.Contains(line, "404") || strings.Contains(line, "400")) {
			expected++
			continue
		}
		if strings.HasPrefix(strings.ToLower(line), "error") || strings.HasPrefix(strings.ToLower(line), "warn") || strings.Contains(line, "Content Security Policy") {
			t.Error("console:", line)
		}
	}
}

// unseen is a layout shift that is 0.000 where browsers' tools show it: a unit that stands one
// digit further to the right, behind a number that has grown to three digits.
const unseen = 0.0005

func nothingMoves(t *testing.T, p *program) {
	harness.Within(t, 2*time.Minute, "the trouble that the demo begins with is over", func() bool {
		_, page := p.Call(t, http.MethodGet, "/gpus", "", "")
		return strings.Contains(string(page), "The driver no longer lists this GPU") && strings.Contains(string(page), "Throttled")
	})
	for _, width := range []int64{390, 1440} {
		t.Run(fmt.Sprint(width, " px"), func(t *testing.T) {
			t.Parallel()
			ctx, console := browser(t, 1440, 900)
			see(t, ctx, width, 900, "dark")
			visit(t, ctx, p.URL+"/")
			filled(t, ctx)
			until(t, ctx, `document.querySelectorAll(".gpu").length === 5`)
			evaluate[chromedp.Void](t, ctx, `window.moved = []; new PerformanceObserver((list) => {
				for (const e of list.getEntries()) window.moved.push(e.value + " " + e.sources.map((s) => s.node ? (s.node.id || s.node.className || s.node.parentElement?.className || s.node.nodeName) + " " + JSON.stringify(s.previousRect) + " → " + JSON.stringify(s.currentRect) : "gone").join("; "));
			}).observe({type: "layout-shift", buffered: false}); undefined`)
			polls := `performance.getEntriesByType("resource").filter(e => e.name.includes("/partials/gpus")).length`
			before := evaluate[float64](t, ctx, polls)
			until(t, ctx, fmt.Sprintf("%s >= %v || performance.getEntriesByType('resource').length >= 245 && performance.clearResourceTimings()", polls, before+10))
			until(t, ctx, fmt.Sprintf("%s >= %v", polls, before+20))
			moved := evaluate[[]string](t, ctx, "window.moved")
			if shift := evaluate[float64](t, ctx, "window.moved.reduce((sum, m) => sum + parseFloat(m), 0)"); shift > unseen {
				t.Errorf("at %d px the layout shifts by %v: %s", width, shift, strings.Join(moved, "\n"))
			}
			noErrors(t, console())
		})
	}
}

func everyFigureOpensItsProvenance(t *testing.T, p *program) {
	ctx, console := browser(t, 1440, 900)
	see(t, ctx, 1440, 900, "light")
	visit(t, ctx, p.URL+"/")
	filled(t, ctx)
	until(t, ctx, `document.querySelectorAll(".gpu").length === 5`)
	figures := evaluate[[]string](t, ctx, `[...document.querySelectorAll("main [hx-get^='/partials/provenance']")].map((b) => b.getAttribute("hx-get"))`)
	if len(figures) < 60 {
		t.Errorf("%d figures tell where they come from", len(figures))
	}
	seen := map[string]bool{}
	for _, u := range figures {
		at, err := url.Parse(u)
		if err != nil {
			t.Fatal(err)
		}
		of := at.Query().Get("of")
		kind, _, _ := strings.Cut(of, "@")
		if seen[kind] { // one of a kind: the same figure of the next GPU is the same code
			continue
		}
		seen[kind] = true
		button := fmt.Sprintf(`document.querySelector('main [hx-get=%q]')`, u)
		evaluate[chromedp.Void](t, ctx, button+`.focus()`)
		do(t, ctx, chromedp.KeyEvent(kb.Enter))
		until(t, ctx, `document.querySelector("#provenance").matches(":popover-open") && !document.querySelector("#provenance .skeleton") && document.querySelector("#provenance-body").innerText.includes("Source")`)
		do(t, ctx, chromedp.KeyEvent(kb.Escape))
		until(t, ctx, `!document.querySelector("#provenance").matches(":popover-open")`)
		if !evaluate[bool](t, ctx, `document.activeElement === `+button) {
			t.Errorf("%s: after Escape the focus is elsewhere", of)
		}
	}
	// Open, it stays so while polls replace the figure behind it, and passes axe.
	evaluate[chromedp.Void](t, ctx, `document.querySelector("main [hx-get*='of=gpu.temperature']").focus()`)
	do(t, ctx, chromedp.KeyEvent(kb.Enter))
	until(t, ctx, `document.querySelector("#provenance").matches(":popover-open") && document.querySelector("#provenance h2")?.textContent.startsWith("Temperature")`)
	title := evaluate[string](t, ctx, `document.querySelector("#provenance h2").textContent`)
	for _, v := range violations(t, ctx) {
		t.Error(v)
	}
	time.Sleep(7 * time.Second)
	if !evaluate[bool](t, ctx, fmt.Sprintf(`document.querySelector("#provenance").matches(":popover-open") && document.querySelector("#provenance h2").textContent === %q`, title)) {
		t.Error("polls closed the popover")
	}
	noErrors(t, console())
}
