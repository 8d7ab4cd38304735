package program

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// browser opens a tab of a real Chromium and gathers what its console says.
func browser(t *testing.T, width, height int) (context.Context, func() []string) {
	t.Helper()
	var path string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			path = p
			break
		}
	}
	if path == "" {
		t.Fatal("no Chromium was found; make test installs Debian's")
	}
	opts := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-background-networking", true), chromedp.Flag("disable-sync", true),
		chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(width, height))
	alloc, cancel := chromedp.NewExecAllocator(context.Background(), opts...)
	t.Cleanup(cancel)
	tab, cancelTab := chromedp.NewContext(alloc)
	t.Cleanup(func() { _ = chromedp.Cancel(tab); cancelTab() })
	if err := chromedp.Do(tab); err != nil { // the first has no timeout: it starts the browser
		t.Fatal(err)
	}
	var mu sync.Mutex
	var said []string
	go func() {
		for m, err := range chromedp.Console(tab) {
			if err != nil {
				return
			}
			mu.Lock()
			said = append(said, fmt.Sprintf("%s: %s", m.Type, m.Text))
			mu.Unlock()
		}
	}()
	ctx, cancelAll := context.WithTimeout(tab, 6*time.Minute) // all pages, in every width and theme, on a slow machine
	t.Cleanup(cancelAll)
	return ctx, func() []string {
		mu.Lock()
		defer mu.Unlock()
		return append([]string(nil), said...)
	}
}

func do(t *testing.T, ctx context.Context, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

func evaluate[T any](t *testing.T, ctx context.Context, js string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js))
	if err != nil {
		t.Fatalf("%s: %v", js, err)
	}
	return v
}

func until(t *testing.T, ctx context.Context, js string) {
	t.Helper()
	if _, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void](js, chromedp.WithPollingInterval(50*time.Millisecond), chromedp.WithPollingTimeout(30*time.Second))); err != nil {
		t.Fatalf("it never came true: %s: %v\n%s", js, err, evaluate[string](t, ctx, "document.body.innerText"))
	}
}

func TestThePageShowsTheSourcesAndFollowsThem(t *testing.T) {
	t.Parallel()
	lib, script := gputest.BuildFake(t, gputest.Current), gputest.NewScript(t, "count=2", "temp=61", "util=73")
	c, env := devnet(t)
	c.SetStake(wallet, validator.Stake{Amount: validator.WeiFromSAGE(12_500), StakedAt: time.Now().Add(-time.Hour), LastClaimAt: time.Now().Add(-time.Hour), Tier: validator.TierEnterprise, Active: true})
	c.Mine()
	url := dbtest.NewURL(t)
	p := start(t, append(env, "DATABASE_URL="+url, "NVML_LIBRARY="+lib, gputest.Env+"="+script.Path(), "VALIDATOR_ADDRESS="+string(wallet))...)
	ctx, console := browser(t, 1440, 600)
	do(t, ctx, chromedp.Navigate(p.URL+"/"), chromedp.WaitReady(chromedp.ID("status")))

	until(t, ctx, `document.querySelector("#figure-staked data")?.value === "12500000000000000000000"`)
	until(t, ctx, `document.querySelectorAll(".gpu").length === 2 && document.querySelector(".gpu").innerText.includes("61")`)
	if got := evaluate[string](t, ctx, `document.querySelector("#verdict").textContent`); got != "At risk" {
		t.Errorf("without a heartbeat the verdict reads %q", got)
	}

	// The page follows the GPU library and rows inserted by another program, without a reload,
	// and keeps focus and place: where something above grows or shrinks, what is read stays.
	evaluate[chromedp.Void](t, ctx, `window.sameDocument = true; document.querySelector("#source-gpu").focus({preventScroll: true}); window.scrollTo(0, 300)`)
	evaluate[chromedp.Void](t, ctx, `window.inSight = () => new Map([...document.querySelectorAll("main [id]")].map((e) => [e.id, e.getBoundingClientRect()])
		.filter(([, box]) => box.height && box.top >= 0 && box.top < innerHeight).map(([id, box]) => [id, box.top])); window.before = inSight(); window.scrollBefore = scrollY`)
	script.Set("0.temp", "84")
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	for _, sql := range []string{
		`INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time, gpu_count) VALUES ('0x123', 'rig-1', now(), 2)`,
		`INSERT INTO jobs (job_id, worker_address, job_type, status, created_at, assigned_at) VALUES ('seen-live', '0x123', 'inference', 'running', now(), now())`,
	} {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
	until(t, ctx, `document.querySelector(".gpu").innerText.includes("84")`)
	until(t, ctx, `document.querySelector("#verdict").textContent === "Earning"`)
	until(t, ctx, `document.querySelector("#jobs").innerText.includes("seen-live")`)
	if !evaluate[bool](t, ctx, `window.sameDocument === true && document.activeElement.id === "source-gpu"`) {
		t.Error("the page was reloaded, or a poll took the focus")
	}
	if !evaluate[bool](t, ctx, `scrollBefore > 0 && (scrollY === scrollBefore || [...inSight()].some(([id, top]) => Math.abs(top - before.get(id)) <= 1))`) {
		t.Errorf("polls moved the page from %v to %v, and all that was in sight", evaluate[float64](t, ctx, "scrollBefore"), evaluate[float64](t, ctx, "scrollY"))
	}

	script.Set("count", "1")
	until(t, ctx, `[...document.querySelectorAll(".gpu")].some(g => g.innerText.includes("Missing"))`)
	// What a card said last is grey, its tags too, and says of when it is.
	if !evaluate[bool](t, ctx, `(() => {
		const card = document.querySelector(".gpu.stale"), grey = (e) => getComputedStyle(e).filter === "grayscale(1)";
		const tags = card.appendChild(Object.assign(document.createElement("p"), { className: "tags" }));
		const all = [...card.querySelectorAll(".gauges, .parts, .procs"), tags].every(grey) && !grey(card.querySelector("header"));
		tags.remove();
		return all && /^Last known, read /.test(card.querySelector(".gpu-last").textContent.trim()) && card.querySelector(".gpu-last time").dateTime !== "";
	})()`) {
		t.Error("a missing card's last values are not marked:", evaluate[string](t, ctx, `document.querySelector(".gpu.stale").outerHTML`))
	}
	for _, line := range console() {
		if strings.HasPrefix(strings.ToLower(line), "error") || strings.Contains(line, "Content Security Policy") {
			t.Error("console:", line)
		}
	}
}

func TestNothingOverflowsAPhone(t *testing.T) {
	t.Parallel()
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t))
	ctx, _ := browser(t, 500, 800)
	for _, path := range []string{"/?wallet=0x123", "/", "/docs", "/?wallet=nonsense"} {
		do(t, ctx, chromedp.Navigate(p.URL+path), chromedp.WaitReady(chromedp.CSS("main")))
		if wide := evaluate[float64](t, ctx, "document.documentElement.scrollWidth - document.documentElement.clientWidth"); wide > 0 {
			t.Errorf("%s is %v px too wide", path, wide)
		}
	}
}

func TestAHiddenTabDoesNotPoll(t *testing.T) {
	t.Parallel()
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t))
	ctx, _ := browser(t, 900, 700)
	do(t, ctx, chromedp.Navigate(p.URL+"/?wallet=0x123"), chromedp.WaitReady(chromedp.ID("gpus")))
	polls := `performance.getEntriesByType("resource").filter(e => e.name.includes("/partials/")).length`
	until(t, ctx, polls+" > 0")
	evaluate[chromedp.Void](t, ctx, `Object.defineProperty(document, "hidden", {get: () => true, configurable: true})`)
	time.Sleep(500 * time.Millisecond) // a poll that had begun ends
	before := evaluate[float64](t, ctx, polls)
	time.Sleep(5 * time.Second)
	if after := evaluate[float64](t, ctx, polls); after != before {
		t.Errorf("a hidden tab polled %v times", after-before)
	}
	evaluate[chromedp.Void](t, ctx, `delete document.hidden; document.dispatchEvent(new Event("visibilitychange"))`)
	until(t, ctx, fmt.Sprintf("%s > %v", polls, before))
}
