package program

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
)

// painted counts the pixels that a chart's canvas has drawn in the colour that a custom
// property of the style sheet has now.
func painted(t *testing.T, ctx context.Context, figure, ink string) float64 {
	t.Helper()
	return evaluate[float64](t, ctx, paintedJS(figure, ink))
}

func paintedJS(figure, ink string) string {
	return fmt.Sprintf(`(() => {
		const canvas = document.querySelector("#%s canvas");
		const probe = document.body.appendChild(document.createElement("span"));
		probe.style.color = "var(--%s)";
		const [r, g, b] = getComputedStyle(probe).color.match(/\d+/g).map(Number);
		probe.remove();
		const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
		let n = 0;
		for (let i = 0; i < data.length; i += 4) if (data[i] === r && data[i + 1] === g && data[i + 2] === b && data[i + 3] === 255) n++;
		return n;
	})()`, figure, ink)
}

// pointAt moves the mouse over a chart, to a share of its width.
func pointAt(t *testing.T, ctx context.Context, figure string, share float64) {
	t.Helper()
	at := evaluate[[]float64](t, ctx, fmt.Sprintf(`(() => {
		const over = document.querySelector("#%s .u-over");
		over.scrollIntoView({block: "center", behavior: "instant"});
		const box = over.getBoundingClientRect();
		return [box.left + box.width * %v, box.top + box.height / 2];
	})()`, figure, share))
	do(t, ctx, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at[0]-3, at[1]), chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, at[0], at[1]))
	until(t, ctx, fmt.Sprintf(`document.querySelector("#%s .chart-tip").hidden === false`, figure))
}

func noErrors(t *testing.T, console []string) {
	t.Helper()
	for _, line := range console {
		if strings.HasPrefix(strings.ToLower(line), "error") || strings.Contains(line, "Content Security Policy") {
			t.Error("console:", line)
		}
	}
}

func TestAChartIsDrawnFromItsTableAndFollowsIt(t *testing.T) {
	url := dbtest.NewURL(t)
	p := start(t, "DATABASE_URL="+url)
	earn := func(id, wei string) {
		dbtest.Exec(t, url, `INSERT INTO jobs (job_id, worker_address, job_type, status, payment_amount, created_at, completed_at)
			VALUES ($1, '0x123', 'inference', 'completed', $2::numeric, now() - interval '1 day', now() - interval '1 day')`, id, wei)
	}
	earn("first", "1500000000000000000000")
	ctx, console := browser(t, 1440, 900)
	do(t, ctx, chromedp.Navigate(p.URL+"/?wallet=0x123"), chromedp.WaitReady(chromedp.ID("earned-by-day")))

	until(t, ctx, paintedJS("earned-by-day", "ink-1")+" > 200")
	if rows := evaluate[float64](t, ctx, `document.querySelector("#earned-by-day-set-data").tBodies[0].rows.length`); rows != 30 {
		t.Errorf("the table has %v days", rows)
	}
	pointAt(t, ctx, "earned-by-day", 28.5/30)
	if tip := evaluate[string](t, ctx, `document.querySelector("#earned-by-day .chart-tip").innerText`); !strings.Contains(tip, "1,500\u00a0SAGE") {
		t.Errorf("over the day before the last the chart says %q", tip)
	}

	// A poll draws the new numbers into the same canvas and leaves the cursor and the open table.
	evaluate[chromedp.Void](t, ctx, `window.canvas = document.querySelector("#earned-by-day canvas"); document.querySelector("#earned-by-day-set details").open = true`)
	earn("second", "250000000000000001")
	until(t, ctx, `(htmx.trigger(document.getElementById("rewards"), "refresh", {}, false), document.querySelector("#earned-by-day .chart-tip").innerText.includes("1,500.250000000000000001"))`)
	if !evaluate[bool](t, ctx, `window.canvas.isConnected && document.querySelector("#earned-by-day canvas") === window.canvas && document.querySelector("#earned-by-day-set details").open`) {
		t.Error("the poll made the drawing anew, or closed the table")
	}
	if !evaluate[bool](t, ctx, `document.querySelector("#earned-by-day-set-data").innerText.includes("1,500.250000000000000001")`) {
		t.Error("the table has other numbers than the chart")
	}

	light := painted(t, ctx, "earned-by-day", "ink-1")
	evaluate[chromedp.Void](t, ctx, `document.querySelector("[name=theme][value=dark]").click()`)
	if dark := painted(t, ctx, "earned-by-day", "ink-1"); dark != light {
		t.Errorf("of %v pixels %v are in the other theme's colour", light, dark)
	}
	noErrors(t, console())
}

func TestAChartIsReadWithKeysAndTouch(t *testing.T) {
	url := dbtest.NewURL(t)
	p := start(t, "DATABASE_URL="+url)
	dbtest.Exec(t, url, `INSERT INTO jobs (job_id, worker_address, job_type, status, payment_amount, created_at, completed_at)
		SELECT n::text, '0x123', 'inference', 'completed', n * 1e18::numeric, now() - n * interval '1 day', now() - n * interval '1 day' FROM generate_series(0, 9) n`)
	ctx, _ := browser(t, 500, 800)
	do(t, ctx, chromedp.Navigate(p.URL+"/?wallet=0x123"), chromedp.WaitReady(chromedp.ID("earned-by-day")))
	until(t, ctx, paintedJS("earned-by-day", "ink-1")+" > 200")
	press := func(key string) string {
		return evaluate[string](t, ctx, fmt.Sprintf(`(() => {
			const host = document.querySelector("#earned-by-day .chart-plot");
			host.focus();
			host.dispatchEvent(new KeyboardEvent("keydown", {key: %q, bubbles: true, cancelable: true}));
			return host.getAttribute("aria-valuetext");
		})()`, key))
	}
	press("End")
	if said := press("ArrowLeft"); !strings.HasSuffix(said, ", 1\u00a0SAGE") {
		t.Errorf("one step before the end it says %q", said)
	}
	// What the chain paid on a day without jobs is not known while no node is read, so it is no zero.
	if said := press("Home"); !strings.HasSuffix(said, ", no reading") {
		t.Errorf("at the begin it says %q", said)
	}
	press("Escape")
	until(t, ctx, `document.querySelector("#earned-by-day .chart-tip").hidden`)

	evaluate[chromedp.Void](t, ctx, `(() => {
		const over = document.querySelector("#earned-by-day .u-over"), box = over.getBoundingClientRect();
		over.dispatchEvent(new PointerEvent("pointermove", {pointerType: "touch", clientX: box.left + box.width * 27.5 / 30, clientY: box.top + 20, bubbles: true}));
	})()`)
	until(t, ctx, `document.querySelector("#earned-by-day .chart-tip").innerText.includes("2\u00a0SAGE")`)
	if wide := evaluate[float64](t, ctx, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); wide > 0 {
		t.Errorf("the page is %v px too wide", wide)
	}
}

// TestChartsLeaveNothingBehind: a drawing goes with its figure, and hundreds of redraws
// keep to one.
func TestChartsLeaveNothingBehind(t *testing.T) {
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t))
	ctx, console := browser(t, 900, 800)
	do(t, ctx, chromedp.Navigate(p.URL+"/?wallet=0x123"), chromedp.WaitReady(chromedp.ID("earned-by-day")))
	until(t, ctx, `document.querySelector("#earned-by-day canvas") !== null`)
	changed := `document.dispatchEvent(new CustomEvent("htmx:after:swap", {detail: {}}))`
	before := evaluate[float64](t, ctx, `document.querySelectorAll("*").length`)
	evaluate[chromedp.Void](t, ctx, `for (let i = 0; i < 400; i++) `+changed)
	if after := evaluate[float64](t, ctx, `document.querySelectorAll("*").length`); after != before {
		t.Errorf("400 redraws turned %v elements into %v", before, after)
	}
	evaluate[chromedp.Void](t, ctx, `(() => {
		window.host = document.querySelector("#earned-by-day .chart-plot");
		document.querySelector("#earned-by-day").remove();
		`+changed+`;
	})()`)
	until(t, ctx, `window.host.childElementCount === 0`)
	noErrors(t, console())
}

func TestWithoutScriptsAChartIsATable(t *testing.T) {
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t))
	ctx, _ := browser(t, 900, 800)
	do(t, ctx, withoutScripts(), chromedp.Navigate(p.URL+"/?wallet=0x123"), chromedp.WaitReady(chromedp.ID("earned-by-day")))
	if !evaluate[bool](t, ctx, `document.querySelector("#earned-by-day-set-data").checkVisibility({contentVisibilityAuto: true, visibilityProperty: true})
		&& document.querySelector("#earned-by-day-set-data").getBoundingClientRect().height > 100
		&& getComputedStyle(document.querySelector("#earned-by-day .chart-plot")).display === "none"`) {
		t.Error("the table is not shown")
	}
}

func TestOnlyPagesWithAChartLoadTheLibrary(t *testing.T) {
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t))
	for path, want := range map[string]bool{"/?wallet=0x123": true, "/docs": false, "/": false} {
		if _, page := p.Call(t, http.MethodGet, path, "", ""); strings.Contains(string(page), "uplot.iife.min.") != want {
			t.Errorf("%s loads the chart library: %v", path, !want)
		}
	}
}

// TestAGPUsPageShowsTheEvidence: what the card did in the minute in which a job failed.
func TestAGPUsPageShowsTheEvidence(t *testing.T) {
	const uuid = "GPU-00000000-0000-0000-0000-000000000000" // the fake library's first
	lib, script := gputest.BuildFake(t, gputest.Current), gputest.NewScript(t, "count=1", "temp=61", "util=73", "pcie.width=8")
	url := dbtest.NewURL(t)
	p := start(t, "DATABASE_URL="+url, "NVML_LIBRARY="+lib, gputest.Env+"="+script.Path(), "VALIDATOR_ADDRESS="+string(wallet))
	ctx, console := browser(t, 1440, 1000)
	do(t, ctx, chromedp.Navigate(p.URL+"/"), chromedp.WaitReady(chromedp.ID("gpus")))
	until(t, ctx, `document.querySelector(".gpu h3 a") !== null`)
	page := evaluate[string](t, ctx, `document.querySelector(".gpu h3 a").href`)
	if page != p.URL+"/gpus/"+uuid {
		t.Errorf("the card leads to %s", page)
	}
	do(t, ctx, chromedp.Navigate(page), chromedp.WaitReady(chromedp.ID("gpu-charts")))
	refresh := func(panel string) string {
		return fmt.Sprintf(`(htmx.trigger(document.getElementById(%q), "refresh", {}, false), true) && `, panel)
	}

	for _, chart := range []string{"chart-utilisation", "chart-memory", "chart-temperature", "chart-power"} {
		until(t, ctx, refresh("gpu-charts")+paintedJS(chart, "ink-1")+" > 0")
	}
	if painted(t, ctx, "chart-temperature", "bad") == 0 {
		t.Error("the temperature at which it slows down is not drawn")
	}

	// Something happens: the charts and the lists tell, in the same drawings.
	evaluate[chromedp.Void](t, ctx, `window.canvases = [...document.querySelectorAll("#gpu-charts canvas")]`)
	script.Set("temp", "96", "throttle", "32")
	script.XID(0, 79)
	dbtest.Exec(t, url, `INSERT INTO jobs (job_id, worker_address, job_type, status, created_at, assigned_at, completed_at, error_message, gpu_uuid)
		VALUES ('1048229', '0x123', 'training', 'failed', now(), now(), now(), 'CUDA error: an illegal address', $1)`, uuid)
	for _, words := range []string{"Slowed: too hot", "XID 79: The card has fallen off the bus", "Job failed: CUDA error: an illegal address"} {
		until(t, ctx, refresh("gpu-charts")+fmt.Sprintf(`document.querySelector("#gpu-history-marks")?.textContent.includes(%q)`, words))
	}
	until(t, ctx, `document.querySelectorAll("#chart-temperature .chart-flag.bad").length === 2 && document.querySelectorAll("#chart-temperature .chart-stretch.warn").length === 1`)
	until(t, ctx, refresh("gpu-failures")+`document.querySelector("#gpu-failures").innerText.includes("1048229")`)
	until(t, ctx, refresh("gpu-health")+`document.querySelector("#gpu-health").innerText.includes("fallen off the bus")`)
	if !evaluate[bool](t, ctx, `[...document.querySelectorAll("#gpu-charts canvas")].every((c, i) => c === window.canvases[i])`) {
		t.Error("a poll made the drawings anew")
	}

	// All charts tell the same moment, by the numbers of the table.
	pointAt(t, ctx, "chart-temperature", 0.999)
	until(t, ctx, `document.querySelector("#chart-power .chart-tip").hidden === false`)
	if times := evaluate[string](t, ctx, `["temperature", "power"].map(c => document.querySelector("#chart-" + c + " .chart-tip").innerText.includes("UTC")).join()`); times != "true,false" {
		t.Errorf("a chart that is pointed at shows the exact time: %s", times)
	}
	if !evaluate[bool](t, ctx, `(() => {
		const table = document.querySelector("#gpu-history-data"), last = [...table.tBodies[0].rows].at(-1).cells;
		const tip = (chart) => document.querySelector("#" + chart + " .chart-tip").innerText;
		return tip("chart-utilisation").includes("mean " + last[1].textContent + " %") && tip("chart-power").includes("mean " + last[8].textContent + " W");
	})()`) {
		t.Error("the charts and the table disagree:", evaluate[string](t, ctx, `[...document.querySelectorAll(".chart-tip")].map(e => e.innerText).join(" | ") + document.querySelector("#gpu-history-data").innerText.slice(-200)`))
	}

	do(t, ctx, chromedp.Navigate(p.URL+"/gpus/"+uuid+"?window=7d"), chromedp.WaitReady(chromedp.ID("gpu-charts")))
	if said := evaluate[string](t, ctx, `document.querySelector("#gpu-charts").innerText`); !strings.Contains(said, "From the samples that this server stored, the first of them after") {
		t.Errorf("a week of this host's GPU says %q", said)
	}
	noErrors(t, console())
	do(t, ctx, chromedp.Navigate(p.URL+"/gpus/GPU-nowhere"), chromedp.WaitReady(chromedp.ID("main")))
	if said := evaluate[string](t, ctx, `document.querySelector("main").innerText`); !strings.Contains(said, "No GPU of this wallet has that UUID") {
		t.Errorf("an unknown GPU's page says %q", said)
	}
}

func withoutScripts() chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		return err
	})
}
