package program

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"syscall"
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"
	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// allSayThatContactIsLost is true when no part of the page vouches for its values any more.
const allSayThatContactIsLost = `document.title.startsWith("No contact") && [...document.querySelectorAll("[data-updated]")].every((e) => e.textContent !== "live") &&
	[...document.querySelectorAll(".source")].every((e) => getComputedStyle(e).filter === "grayscale(1)" && getComputedStyle(e.querySelector(".source-state"), "::after").content === '"not known"' && !e.querySelector(".icon").checkVisibility())`

// TestABrowserThatIsOfflineBlamesNoServer and tells so in every part of the page.
func TestABrowserThatIsOfflineBlamesNoServer(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	p := start(t, "DATABASE_URL="+url, "VALIDATOR_ADDRESS="+string(wallet))
	database(t, url, heartbeat)
	ctx, _ := browser(t, 1200, 800)
	visit(t, ctx, p.URL+"/")
	until(t, ctx, `[...document.querySelectorAll("[data-updated]")].some((e) => e.textContent === "live")`)
	offline := func(yes bool) {
		if _, err := chromedp.Call(ctx, network.OverrideNetworkState, network.OverrideNetworkStateParams{Offline: yes, DownloadThroughput: -1, UploadThroughput: -1}); err != nil {
			t.Fatal(err)
		}
	}
	offline(true)
	until(t, ctx, shown("offline")+" && !"+shown("lost")+" && "+allSayThatContactIsLost)
	offline(false)
	until(t, ctx, "!"+shown("offline")+` && !document.title.startsWith("No contact")`)
}

// TestALostServerIsSaidInEveryPart of the page at once.
func TestALostServerIsSaidInEveryPart(t *testing.T) {
	t.Parallel()
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t), "VALIDATOR_ADDRESS="+string(wallet))
	ctx, _ := browser(t, 1200, 800)
	visit(t, ctx, p.URL+"/")
	until(t, ctx, `[...document.querySelectorAll("[data-updated]")].some((e) => e.textContent === "live")`)
	p.Kill(t)
	until(t, ctx, shown("lost")+" && "+allSayThatContactIsLost)
}

// patience finds in the page's script how long a silence may last until the page asks for a
// sign of life, and how long it waits for one, in milliseconds.
var patience = regexp.MustCompile(`const (?:beatMs|answerMs) = (\d+);`)

// TestAFrozenServerIsNoticedWithinThreeSeconds: it takes connections and answers none. While
// the page says so, a gap in the uptime still differs from it in shape, for all is grey.
func TestAFrozenServerIsNoticedWithinThreeSeconds(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	p := start(t, "DATABASE_URL="+url, "VALIDATOR_ADDRESS="+string(wallet))
	database(t, url, `INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time)
		SELECT '0x123', 'rig-1', m FROM generate_series(now() - interval '5 hours', now(), interval '1 minute') m WHERE m NOT BETWEEN now() - interval '3 hours' AND now() - interval '2 hours'`)
	ctx, _ := browser(t, 1200, 800)
	visit(t, ctx, p.URL+"/")
	until(t, ctx, `[...document.querySelectorAll("[data-updated]")].some((e) => e.textContent === "live") && document.querySelectorAll("#status .strip .bad").length === 1`)
	script := evaluate[string](t, ctx, `performance.getEntriesByType("resource").find((e) => e.name.includes("/static/contact.")).name`)
	_, text := p.Call(t, http.MethodGet, script[len(p.URL):], "", "")
	total := 0
	for _, m := range patience.FindAllSubmatch(text, -1) {
		ms, err := strconv.Atoi(string(m[1]))
		if err != nil {
			t.Fatal(err)
		}
		total += ms
	}
	if total == 0 || total > 3000 {
		t.Errorf("a silence is noticed after %d ms", total)
	}

	if err := p.Cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	thaw := func() { _ = p.Cmd.Process.Signal(syscall.SIGCONT) }
	t.Cleanup(thaw)
	until(t, ctx, shown("lost")+" && !"+shown("offline")+" && "+allSayThatContactIsLost)
	if !evaluate[bool](t, ctx, `(() => {
		const [up, gap] = ["good", "bad"].map((tone) => document.querySelector("#status .strip ." + tone).getBoundingClientRect());
		return gap.height < up.height / 2 && gap.left > up.left && gap.right < up.right && document.querySelector("#status .strip .ground").getBoundingClientRect().height === up.height;
	})()`) {
		t.Error("a gap in the uptime has the shape of what is up")
	}
	thaw()
	until(t, ctx, "!"+shown("lost")+` && !document.title.startsWith("No contact") && [...document.querySelectorAll("[data-updated]")].some((e) => e.textContent === "live")`)
}

// TestASourceThatGoesAwayIsSaidInEveryPanelAtOnce: the panels here ask every 15 and 60 s, and
// follow the pill of the source.
func TestASourceThatGoesAwayIsSaidInEveryPanelAtOnce(t *testing.T) {
	t.Parallel()
	at := dbtest.NewURL(t)
	p := start(t, "DATABASE_URL="+at, "VALIDATOR_ADDRESS="+string(wallet))
	database(t, at, heartbeat)
	ctx, _ := browser(t, 1200, 800)
	visit(t, ctx, p.URL+"/uptime")
	const fresh = `["uptime", "uptime-past"].every((id) => !document.getElementById(id).hasAttribute("data-stale"))`
	until(t, ctx, `document.querySelector("#source-database").classList.contains("good") && `+fresh)
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	name := u.Path[1:]
	u.Path = "/postgres"
	allow := func(yes bool) {
		dbtest.Exec(t, u.String(), fmt.Sprintf("ALTER DATABASE %s ALLOW_CONNECTIONS %t", pgx.Identifier{name}.Sanitize(), yes))
	}
	allow(false)
	dbtest.Exec(t, u.String(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
	until(t, ctx, `!document.querySelector("#source-database").classList.contains("good") && ["uptime", "uptime-past"].every((id) => document.getElementById(id).hasAttribute("data-stale") && document.querySelector("#" + id + " .notice"))`)
	allow(true)
	until(t, ctx, `document.querySelector("#source-database").classList.contains("good") && `+fresh)
}
