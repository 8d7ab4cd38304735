package program

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	browserdomain "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/heapprofiler"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/performance"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// visit opens a page and waits until its scripts run.
func visit(t *testing.T, ctx context.Context, url string) {
	t.Helper()
	do(t, ctx, chromedp.Navigate(url), chromedp.WaitReady(chromedp.CSS("main")))
	until(t, ctx, `document.readyState === "complete"`)
}

// arrives waits for another document, in which an expression is true. Between two documents
// there is none to ask.
func arrives(t *testing.T, ctx context.Context, js string) {
	t.Helper()
	harness.Eventually(t, js, func() bool {
		there, err := chromedp.Run(ctx, chromedp.Evaluate[bool](js+` && document.readyState === "complete"`))
		return err == nil && there
	})
}

// module imports one of the page's own scripts and evaluates an expression on it, as m.
func module[T any](t *testing.T, ctx context.Context, name, expression string) T {
	t.Helper()
	js := fmt.Sprintf(`import(document.querySelector('link[rel=modulepreload][href^="/static/%s."]').href).then((m) => %s)`, name, expression)
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](js, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", js, err)
	}
	return v
}

// press presses keys as a keyboard does: a script that takes one keeps it from being typed.
func press(t *testing.T, ctx context.Context, keys string) {
	t.Helper()
	for _, k := range keys {
		sequence := kb.Encode(k)
		down, up := sequence[0], sequence[len(sequence)-1]
		if len(sequence) > 2 {
			down.Text = sequence[1].Text
		}
		for _, event := range []*input.DispatchKeyEventParams{down, up} {
			if _, err := chromedp.Call(ctx, input.DispatchKeyEvent, *event); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// database runs statements as another program would.
func database(t *testing.T, url string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	for _, sql := range statements {
		if _, err := conn.Exec(t.Context(), sql); err != nil {
			t.Fatal(err)
		}
	}
}

const heartbeat = `INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time, gpu_count) VALUES ('0x123', 'rig-1', now(), 2)`

func runningJob(id string) string {
	return fmt.Sprintf(`INSERT INTO jobs (job_id, worker_address, job_type, status, created_at, assigned_at) VALUES ('%s', '0x123', 'inference', 'running', now(), now())`, id)
}

func stake(c *devchain.Chain, since time.Duration) validator.Stake {
	s := validator.Stake{Amount: validator.WeiFromSAGE(12_500), StakedAt: time.Now().Add(-since), LastClaimAt: time.Now().Add(-since), Tier: validator.TierEnterprise, Active: true}
	c.SetStake(wallet, s)
	c.Mine()
	return s
}

func TestTimesReadAlikeOnTheServerAndInTheBrowser(t *testing.T) {
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t), "VALIDATOR_ADDRESS="+string(wallet))
	ctx, _ := browser(t, 900, 700)
	visit(t, ctx, p.URL+"/")
	const second, minute, hour, day = 1000, 60_000, 3_600_000, 86_400_000
	var cases []int64
	for _, ms := range []int64{0, second, 2 * second, 59 * second, minute, 90 * second, 59 * minute, hour, hour + minute, 2*hour + 5*minute, 23*hour + 59*minute, day, day + hour, 3*day + 4*hour, 400 * day} {
		for _, off := range []int64{-1, 0, 1, 999} {
			cases = append(cases, ms+off, -ms-off)
		}
	}
	list, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	words := module[[]string](t, ctx, "times", fmt.Sprintf("%s.map(m.words)", list))
	// How long each stays, and whether it reads the same just before that and differs then.
	wrong := module[[]string](t, ctx, "times", fmt.Sprintf("%s.filter((ms) => m.words(ms + m.stays(ms) - 1) !== m.words(ms) || m.words(ms + m.stays(ms)) === m.words(ms)).map((ms) => `${ms}: ${m.words(ms)} for ${m.stays(ms)}`)", list))
	for i, ms := range cases {
		d := time.Duration(ms) * time.Millisecond
		want := validator.Ago(d) + " ago"
		if d < -time.Second {
			want = "in " + validator.Ago(-d)
		}
		if words[i] != want {
			t.Errorf("%v: the browser says %q, the server %q", d, words[i], want)
		}
	}
	for _, w := range wrong {
		t.Error("the next change is missed:", w)
	}
	// A time on the page goes on by itself, and says the exact moment on hover.
	age := `document.querySelector("#sources time")`
	until(t, ctx, age+`?.textContent.endsWith(" s ago")`)
	before := evaluate[string](t, ctx, age+".textContent")
	until(t, ctx, fmt.Sprintf("%s.textContent !== %q", age, before))
	if title := evaluate[string](t, ctx, age+".title"); !strings.HasSuffix(title, " UTC") || strings.Count(title, "\n") != 1 {
		t.Errorf("on hover a time says %q", title)
	}
}

func TestAPollThatBringsNothingNewIsOneInTheBrowserToo(t *testing.T) {
	t.Parallel()
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t), "VALIDATOR_ADDRESS="+string(wallet))
	p.wire(t, "/") // later looks find the first one's answers
	ctx, _ := browser(t, 900, 700)
	visit(t, ctx, p.URL+"/")
	until(t, ctx, `performance.getEntriesByType("resource").filter(e => e.name.includes("/partials/jobs")).length > 0`)
	if status := evaluate[float64](t, ctx, `performance.getEntriesByType("resource").find(e => e.name.includes("/partials/jobs")).responseStatus`); status != http.StatusNotModified {
		t.Errorf("the first poll of an unchanged panel was answered %v", status)
	}
}

func TestTheClaimableAmountCountsByTheContractsFormula(t *testing.T) {
	c, env := devnet(t)
	s := stake(c, time.Hour)
	p := start(t, append(env, "DATABASE_URL="+dbtest.NewURL(t), "VALIDATOR_ADDRESS="+string(wallet))...)
	ctx, _ := browser(t, 1200, 800)
	visit(t, ctx, p.URL+"/")
	until(t, ctx, `document.querySelector("[data-count]")`)
	cfg := validator.StakingConfig{}
	if bps := evaluate[string](t, ctx, `document.querySelector("[data-count]").dataset.bps`); bps != "" {
		n, err := strconv.ParseUint(bps, 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		cfg.RewardAPYBasisPoints = uint32(n)
	}
	// Everything that the amount says from here on, as it is painted.
	evaluate[chromedp.Void](t, ctx, `
		window.said = [];
		const look = () => {
			const d = document.querySelector("[data-count]");
			if (said.at(-1)?.text !== d.firstChild.nodeValue) said.push({wei: d.value, text: d.firstChild.nodeValue, block: d.dataset.blockTime});
			requestAnimationFrame(look);
		};
		look()`)
	type reading struct{ Wei, Text, Block string }
	growth := `new Set(said.map(s => s.wei)).size`
	until(t, ctx, growth+" > 2")
	first := evaluate[string](t, ctx, `said.at(-1).block`)
	c.Mine()
	until(t, ctx, fmt.Sprintf(`said.at(-1).block !== %q`, first))
	size := evaluate[float64](t, ctx, growth)
	until(t, ctx, fmt.Sprintf("%s > %v", growth, size+1))

	var last validator.Wei
	for _, r := range evaluate[[]reading](t, ctx, "said") {
		wei, err := validator.ParseWei(r.Wei)
		if err != nil {
			t.Fatal(err)
		}
		if wei.Cmp(last) < 0 {
			t.Errorf("it went back from %s to %s", last, wei)
		}
		last = wei
		block, err := strconv.ParseInt(r.Block, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		paid := false
		for at := block; at <= block+60 && !paid; at++ {
			paid = validator.Claimable(s, cfg, time.Unix(at, 0)).Equal(wei)
		}
		if !paid {
			t.Errorf("no block within a minute of %d pays %s", block, wei)
		}
		if text := strings.TrimRight(r.Text, "0"); text != wei.SAGE() || len(r.Text)-strings.Index(r.Text, ".")-1 != validator.SAGEDecimals {
			t.Errorf("%s wei are shown as %q", wei, r.Text)
		}
	}
}

func TestTheCountStopsWhileTheServerIsLost(t *testing.T) {
	c, env := devnet(t)
	stake(c, time.Hour)
	p := start(t, append(env, "DATABASE_URL="+dbtest.NewURL(t), "VALIDATOR_ADDRESS="+string(wallet))...)
	ctx, _ := browser(t, 1200, 800)
	visit(t, ctx, p.URL+"/")
	until(t, ctx, `document.querySelector("[data-count]")`)
	p.Kill(t)
	until(t, ctx, shown("lost"))
	evaluate[chromedp.Void](t, ctx, `window.stopped = document.querySelector("[data-count]").value; window.ages = new Set()`)
	// Times go on meanwhile.
	until(t, ctx, `ages.add(document.querySelector("#sources time").textContent).size > 3`)
	if !evaluate[bool](t, ctx, `document.querySelector("[data-count]").value === stopped`) {
		t.Error("the amount went on though nobody vouches for it")
	}
}

func TestTheCountEndsAMinuteAfterItsBlock(t *testing.T) {
	c, env := devnetAt(t, func() time.Time { return time.Now().Add(-70 * time.Second) })
	s := stake(c, time.Hour)
	p := start(t, append(env, "DATABASE_URL="+dbtest.NewURL(t), "VALIDATOR_ADDRESS="+string(wallet))...)
	ctx, _ := browser(t, 1200, 800)
	visit(t, ctx, p.URL+"/")
	until(t, ctx, `document.querySelector("[data-count]")`)
	bps := evaluate[float64](t, ctx, `Number(document.querySelector("[data-count]").dataset.bps)`)
	end := validator.Claimable(s, validator.StakingConfig{RewardAPYBasisPoints: uint32(bps)}, c.Head().Time.Add(time.Minute))
	until(t, ctx, fmt.Sprintf(`document.querySelector("[data-count]").value === %q`, end.String()))
}

func TestTitleIconAndFiguresFollowTheVerdict(t *testing.T) {
	t.Parallel()
	lib, script := gputest.BuildFake(t, gputest.Current), gputest.NewScript(t, "count=2", "temp=61", "util=73")
	c, env := devnet(t)
	stake(c, time.Hour)
	url := dbtest.NewURL(t)
	p := start(t, append(env, "DATABASE_URL="+url, "NVML_LIBRARY="+lib, gputest.Env+"="+script.Path(), "VALIDATOR_ADDRESS="+string(wallet))...)
	ctx, _ := browser(t, 1200, 800)
	visit(t, ctx, p.URL+"/")
	icon := `document.querySelector("link[rel=icon]").getAttribute("href")`
	until(t, ctx, `document.title.startsWith("At risk · ") && `+icon+`.startsWith("/static/favicon-warn.")`)
	database(t, url, heartbeat, runningJob("first"))
	// The verdict's words light up for a moment when they change.
	until(t, ctx, `document.getAnimations().some(a => a.effect?.target?.id === "verdict")`)
	until(t, ctx, `document.title.startsWith("Earning · ") && `+icon+`.startsWith("/static/favicon-good.")`)
	if href := evaluate[string](t, ctx, icon); p.wire(t, href).status != http.StatusOK {
		t.Errorf("there is no %s", href)
	}

	// Reduced motion: figures change without a sign.
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}}); err != nil {
		t.Fatal(err)
	}
	evaluate[chromedp.Void](t, ctx, `window.moved = 0; const own = Element.prototype.animate; Element.prototype.animate = function (...a) { moved += 1; return own.apply(this, a); }`)
	database(t, url, `DELETE FROM heartbeats`)
	until(t, ctx, `document.querySelector("#verdict").textContent === "At risk"`)
	if n := evaluate[float64](t, ctx, "moved"); n != 0 {
		t.Errorf("%v animations though the reader wants none", n)
	}
}

func TestTheThemeIsRightFromTheFirstPaintOn(t *testing.T) {
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t))
	for cookie, want := range map[string]string{"theme=dark": ` data-theme="dark"`, "theme=light": ` data-theme="light"`, "theme=pink": "", `theme="><script>`: "", "": ""} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL+"/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", cookie)
		res, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		b := make([]byte, 400)
		n, _ := res.Body.Read(b)
		res.Body.Close()
		tag, _, _ := strings.Cut(string(b[:n]), "<head")
		if _, theme, has := strings.Cut(tag, " data-theme"); has != (want != "") || has && !strings.HasPrefix(" data-theme"+theme, want) {
			t.Errorf("%s: %s", cookie, tag)
		}
	}
	ctx, _ := browser(t, 900, 700)
	visit(t, ctx, p.URL+"/")
	scheme := `getComputedStyle(document.documentElement).colorScheme`
	if got := evaluate[string](t, ctx, scheme); got != "light dark" {
		t.Errorf("at first the page is %q", got)
	}
	do(t, ctx, chromedp.Focus(chromedp.CSS(`[name=theme]:checked`)), chromedp.KeyEvent(kb.ArrowLeft)) // round to the last: dark
	until(t, ctx, scheme+` === "dark" && document.cookie === "theme=dark"`)
	visit(t, ctx, p.URL+"/docs")
	if got := evaluate[string](t, ctx, scheme+` + " " + document.querySelector("[name=theme]:checked").parentElement.innerText`); !strings.HasPrefix(got, "dark Dark") {
		t.Errorf("the next page is %q", got)
	}
	do(t, ctx, chromedp.Focus(chromedp.CSS(`[name=theme]:checked`)), chromedp.KeyEvent(kb.ArrowRight))
	until(t, ctx, scheme+` === "light dark" && document.cookie === ""`)
}

// shown says whether a banner is.
func shown(name string) string {
	return fmt.Sprintf(`document.querySelector('[data-banner=%s]')?.checkVisibility()`, name)
}

func TestALostServerIsSaidAndFoundAgain(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	env := []string{"DATABASE_URL=" + url, "VALIDATOR_ADDRESS=" + string(wallet)}
	p := start(t, env...)
	ctx, _ := browser(t, 900, 700)
	visit(t, ctx, p.URL+"/")
	evaluate[chromedp.Void](t, ctx, "window.sameDocument = true")
	port := strings.TrimPrefix(p.URL, "http://")
	p.Kill(t)
	until(t, ctx, shown("lost")+` && document.documentElement.classList.contains("lost-contact") && document.title.startsWith("No contact") && document.querySelector("link[rel=icon]").href.includes("favicon-unknown")`)
	if said := evaluate[string](t, ctx, `document.querySelector("[data-banner=lost] [data-last-contact]").textContent`); !strings.Contains(said, ":") {
		t.Errorf("the last contact is said to be at %q", said)
	}
	p = start(t, append(env, "LISTEN="+port)...)
	until(t, ctx, "!"+shown("lost")+` && !document.documentElement.classList.contains("lost-contact") && !document.title.startsWith("No contact")`)
	database(t, url, runningJob("back-again"))
	until(t, ctx, `document.querySelector("#jobs").innerText.includes("back-again")`)

	// Its successor shows wallets to nobody, and then again.
	p.Kill(t)
	p = start(t, append(env, "LISTEN="+port, "LOCAL_ACCESS=false")...)
	until(t, ctx, shown("refused")+` && document.querySelector("[data-banner=refused] a").getAttribute("href") === "/signin"`)
	p.Kill(t)
	start(t, append(env, "LISTEN="+port)...)
	until(t, ctx, `![...document.querySelectorAll("[data-banner]")].some(b => b.checkVisibility()) && sameDocument`)
}

// front stands before a server, and changes answers on their way.
func front(t *testing.T, p *program, change func(*http.Response) error) string {
	t.Helper()
	to, err := url.Parse(p.URL)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }, ModifyResponse: change})
	t.Cleanup(srv.Close)
	return srv.URL
}

func TestAPartThatFailsAndANewVersionAreSaid(t *testing.T) {
	t.Parallel()
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t), "VALIDATOR_ADDRESS="+string(wallet))
	states := make(chan string, 1)
	states <- ""
	site := front(t, p, func(res *http.Response) error {
		state := <-states
		states <- state
		switch {
		case state == "failing" && strings.HasPrefix(res.Request.URL.Path, "/partials/jobs"):
			res.StatusCode = http.StatusInternalServerError
		case state == "newer" && res.Header.Get("Assets-Fingerprint") != "":
			res.Header.Set("Assets-Fingerprint", "of another version")
		}
		return nil
	})
	be := func(state string) { <-states; states <- state }
	ctx, _ := browser(t, 900, 700)
	visit(t, ctx, site+"/")
	be("failing")
	until(t, ctx, shown("panel")+` && document.querySelector("#jobs").matches("[data-unrefreshed]") && !document.querySelector("#gpus").matches("[data-unrefreshed]")`)
	be("")
	until(t, ctx, "!"+shown("panel")+` && !document.querySelector("[data-unrefreshed]")`)
	be("newer")
	until(t, ctx, shown("newer"))
	evaluate[chromedp.Void](t, ctx, "window.sameDocument = true")
	be("")
	until(t, ctx, "!"+shown("newer"))
	be("newer")
	until(t, ctx, shown("newer")+" && sameDocument")
	do(t, ctx, chromedp.Click(chromedp.CSS("[data-reload]")))
	arrives(t, ctx, "window.sameDocument === undefined")
}

func TestShortcuts(t *testing.T) {
	t.Parallel()
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t))
	ctx, _ := browser(t, 900, 700)
	visit(t, ctx, p.URL+"/")
	open := `document.querySelector("#help").open`
	press(t, ctx, "?")
	until(t, ctx, open)
	if keys := evaluate[string](t, ctx, `[...document.querySelectorAll("#help .keys > div")].map(d => d.innerText.replace(/\s+/g, " ")).join("; ")`); !strings.Contains(keys, "g then d Dashboard") || !strings.Contains(keys, "g then a API") {
		t.Errorf("the help lists %q", keys)
	}
	press(t, ctx, "ga") // not in a dialog
	do(t, ctx, chromedp.KeyEvent(kb.Escape))
	until(t, ctx, "!"+open)
	// Not while typing.
	do(t, ctx, chromedp.Focus(chromedp.CSS("#wallet")))
	press(t, ctx, "?ga/")
	if typed := evaluate[string](t, ctx, `document.querySelector("#wallet").value`); typed != "?ga/" || evaluate[bool](t, ctx, open) {
		t.Errorf("%q was typed; the help is open: %v", typed, evaluate[bool](t, ctx, open))
	}
	evaluate[chromedp.Void](t, ctx, `document.activeElement.blur(); document.querySelector("main").insertAdjacentHTML("beforeend", "<input data-search value=before>")`)
	press(t, ctx, "/")
	until(t, ctx, `document.activeElement.matches("[data-search]") && document.activeElement.value === "before"`)
	evaluate[chromedp.Void](t, ctx, `document.activeElement.blur()`)
	do(t, ctx, chromedp.KeyEvent("g"), chromedp.KeyEvent("a", chromedp.KeyModifiers(chromedp.ModifierCtrl)))
	press(t, ctx, "ga")
	arrives(t, ctx, `location.pathname === "/docs"`)

	// The reader may turn them off, and the help is still there.
	do(t, ctx, chromedp.Click(chromedp.CSS("[data-help]")))
	until(t, ctx, open)
	do(t, ctx, chromedp.Click(chromedp.CSS("[data-shortcuts]")), chromedp.KeyEvent(kb.Escape))
	until(t, ctx, "!"+open)
	press(t, ctx, "?")
	if evaluate[bool](t, ctx, open) {
		t.Error("a shortcut that was turned off opened the help")
	}
	visit(t, ctx, p.URL+"/docs")
	press(t, ctx, "?")
	do(t, ctx, chromedp.Click(chromedp.CSS("[data-help]")))
	if !evaluate[bool](t, ctx, open+` && !document.querySelector("[data-shortcuts]").checked`) {
		t.Error("the choice was forgotten")
	}
	do(t, ctx, chromedp.Click(chromedp.CSS("[data-shortcuts]")), chromedp.KeyEvent(kb.Escape))
	press(t, ctx, "gd")
	arrives(t, ctx, `location.pathname === "/"`)
}

func TestCopyButtonsCopyOrLeaveTheTextSelected(t *testing.T) {
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t))
	ctx, _ := browser(t, 900, 700)
	visit(t, ctx, p.URL+"/")
	evaluate[chromedp.Void](t, ctx, `document.querySelector("main").insertAdjacentHTML("afterbegin",
		"<p id=felt> 0x123 </p><button id=one data-copy='#felt'>Copy</button><button id=two data-copy-text='curl -X POST'>Copy</button>")`)
	permit := func(state browserdomain.PermissionSetting) {
		for _, name := range []string{"clipboard-read", "clipboard-write"} {
			if _, err := chromedp.CallBrowser(ctx, browserdomain.SetPermission, browserdomain.SetPermissionParams{Permission: &browserdomain.PermissionDescriptor{Name: name}, Setting: state}); err != nil {
				t.Fatal(err)
			}
		}
	}
	toast := `document.querySelector("#toasts .toast")?.innerText`
	permit(browserdomain.PermissionSettingGranted)
	for button, want := range map[string]string{"#one": "0x123", "#two": "curl -X POST"} {
		do(t, ctx, chromedp.Click(chromedp.CSS(button)))
		until(t, ctx, toast+` === "Copied"`)
		v, err := chromedp.Run(ctx, chromedp.Evaluate[string]("navigator.clipboard.readText()", chromedp.EvalAwaitPromise))
		if err != nil || v != want {
			t.Errorf("%s: the clipboard has %q (%v)", button, v, err)
		}
		evaluate[chromedp.Void](t, ctx, `document.querySelector("#toasts").replaceChildren()`)
	}
	permit(browserdomain.PermissionSettingDenied)
	for button, want := range map[string]string{"#one": "0x123", "#two": "curl -X POST"} {
		do(t, ctx, chromedp.Click(chromedp.CSS(button)))
		until(t, ctx, fmt.Sprintf(`%s?.includes("Ctrl+C") && getSelection().toString().trim() === %q`, toast, want))
		evaluate[chromedp.Void](t, ctx, `document.querySelector("#toasts").replaceChildren()`)
	}
}

func TestWhatTheReaderDoesSurvivesPolls(t *testing.T) {
	t.Parallel()
	lib, script := gputest.BuildFake(t, gputest.Current), gputest.NewScript(t, "count=2", "temp=61", "util=73")
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t), "NVML_LIBRARY="+lib, gputest.Env+"="+script.Path(), "VALIDATOR_ADDRESS="+string(wallet))
	ctx, _ := browser(t, 1200, 800)
	visit(t, ctx, p.URL+"/")
	until(t, ctx, `document.querySelectorAll(".gpu h3").length === 2`)
	// A selected name, an open popover in a polled list, and an opened details in a panel.
	evaluate[chromedp.Void](t, ctx, `
		getSelection().selectAllChildren(document.querySelector(".gpu h3"));
		document.querySelector("#source-gpu-more").showPopover();
		window.kept = document.querySelector(".gpu h3").firstChild;
		window.chosen = getSelection().toString()`)
	for _, temp := range []string{"77", "84"} {
		script.Set("0.temp", temp)
		until(t, ctx, fmt.Sprintf(`document.querySelector(".gpu").innerText.includes(%q)`, temp))
	}
	if !evaluate[bool](t, ctx, `chosen !== "" && getSelection().toString() === chosen && kept.isConnected && document.querySelector("#source-gpu-more").matches(":popover-open")`) {
		t.Errorf("after polls %q is selected, of %q", evaluate[string](t, ctx, "getSelection().toString()"), evaluate[string](t, ctx, "chosen"))
	}
	// An opened details stays open though the server renders it closed.
	left := evaluate[string](t, ctx, `
		(() => {
			const details = document.createElement("details");
			details.id = "more";
			document.querySelector("#gpus").append(details);
			details.open = true;
			const fresh = document.querySelector("#gpus").cloneNode(true);
			fresh.querySelector("#more").open = false;
			fresh.querySelector("h2").textContent = "changed";
			htmx.swap({text: fresh.outerHTML, target: document.querySelector("#gpus"), swap: "outerMorph", sourceElement: document.querySelector("#gpus")});
			return document.querySelector("#gpus h2").textContent + " " + document.querySelector("#more").open;
		})()`)
	if left != "changed true" {
		t.Errorf("after a morph: %s", left)
	}
}

func TestAfterTheMachineSleptEverythingIsAskedAtOnce(t *testing.T) {
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t), "VALIDATOR_ADDRESS="+string(wallet))
	ctx, _ := browser(t, 900, 700)
	visit(t, ctx, p.URL+"/")
	until(t, ctx, `performance.getEntriesByType("resource").some(e => e.name.includes("/partials/"))`)
	// The reader's clock is an hour further; the panel that polls most seldom asks at once.
	evaluate[chromedp.Void](t, ctx, `
		window.seldom = () => performance.getEntriesByType("resource").filter(e => e.name.includes("/partials/network")).length;
		window.before = seldom();
		window.slept = performance.now();
		const own = Date.now.bind(Date);
		Date.now = () => own() + 3600_000`)
	until(t, ctx, "seldom() > before")
	if waited := evaluate[float64](t, ctx, `performance.getEntriesByType("resource").filter(e => e.name.includes("/partials/network")).at(-1).startTime - slept`); waited > 10_000 {
		t.Errorf("it asked %v ms after it woke", waited)
	}
	// Times go by the server's clock, whatever the reader's says.
	until(t, ctx, `document.querySelector("#sources time").textContent.endsWith(" s ago")`)
}

func TestHundredsOfSwapsLeaveNothingBehind(t *testing.T) {
	lib, script := gputest.BuildFake(t, gputest.Current), gputest.NewScript(t, "count=4", "temp=61", "util=73")
	c, env := devnet(t)
	stake(c, time.Hour)
	p := start(t, append(env, "DATABASE_URL="+dbtest.NewURL(t), "NVML_LIBRARY="+lib, gputest.Env+"="+script.Path(), "VALIDATOR_ADDRESS="+string(wallet))...)
	ctx, _ := browser(t, 1200, 800)
	visit(t, ctx, p.URL+"/")
	until(t, ctx, `document.querySelectorAll(".gpu").length === 4 && document.querySelector("[data-count]")`)
	if _, err := chromedp.Call(ctx, performance.Enable, performance.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	measure := func() map[string]float64 {
		for range 2 {
			if _, err := chromedp.Call(ctx, heapprofiler.CollectGarbage, struct{}{}); err != nil {
				t.Fatal(err)
			}
		}
		res, err := chromedp.Call(ctx, performance.GetMetrics, struct{}{})
		if err != nil {
			t.Fatal(err)
		}
		out := map[string]float64{}
		for _, m := range res.Metrics {
			out[m.Name] = m.Value
		}
		return out
	}
	swap := func(times int) {
		// Without its tag a panel is sent whole, and morphed.
		js := fmt.Sprintf(`(async () => {
			for (let i = 0; i < %d; i += 1) {
				for (const panel of document.querySelectorAll("#status, #gpus")) {
					panel.removeAttribute("data-etag");
					await new Promise((done) => {
						document.addEventListener("htmx:after:swap", done, {once: true});
						htmx.trigger(panel, "refresh", {}, false);
					});
				}
			}
			return true;
		})()`, times)
		if _, err := chromedp.Run(ctx, chromedp.Evaluate[bool](js, chromedp.EvalAwaitPromise)); err != nil {
			t.Fatal(err)
		}
	}
	swap(20)
	before := measure()
	swap(200)
	// An answer that a panel's own poll has just brought goes by itself; what swaps leave behind stays.
	var after map[string]float64
	harness.Eventually(t, "what swaps leave behind is gone", func() bool {
		after = measure()
		return after["JSEventListeners"] <= before["JSEventListeners"]+5 && after["Nodes"] <= before["Nodes"]*1.1 && after["JSHeapUsedSize"] <= before["JSHeapUsedSize"]+1<<20
	})
	t.Logf("before and after 400 swaps: nodes %v and %v, listeners %v and %v, heap %v and %v bytes", before["Nodes"], after["Nodes"], before["JSEventListeners"], after["JSEventListeners"], before["JSHeapUsedSize"], after["JSHeapUsedSize"])
}
