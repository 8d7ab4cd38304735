package program

import (
	"context"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// netOfPower reads the rows of what is net of power: label and value, in lines.
const netOfPower = `[...document.querySelectorAll(".net .rows > div")].map((r) => r.innerText.replace(/\s+/g, " ")).join("\n")`

// leave does what opens the earnings page, anew or for the first time, and waits for it.
func leave(t *testing.T, ctx context.Context, js string) {
	t.Helper()
	evaluate[chromedp.Void](t, ctx, `document.body.dataset.left = ""; setTimeout(() => {`+js+`})`)
	arrives(t, ctx, `document.querySelector("body:not([data-left]) #earnings .bars")`)
}

// whatWasEarned asks the demo's pages: what did I earn, from what, net of power; what can I
// claim now; did my claim arrive?
func whatWasEarned(t *testing.T, p *program) {
	ctx, console := browser(t, 1440, 900)
	visit(t, ctx, p.URL+"/")
	filled(t, ctx)
	leave(t, ctx, `document.querySelector("#rewards .more").click()`)

	// What can I claim now: exact to the wei, and growing by itself.
	const claimable = `document.querySelector("#figure-claimable .exact").innerText.replace(/[^0-9.]/g, "")`
	before := evaluate[string](t, ctx, claimable)
	if whole, decimals, _ := strings.Cut(before, "."); whole == "" || len(decimals) != 18 {
		t.Errorf("claimable is %q", before)
	}
	until(t, ctx, claimable+` !== "`+before+`"`)

	// What did I earn, from what: the kinds and the days both add up to the total.
	if !evaluate[bool](t, ctx, `(() => {
		const wei = (list) => [...list].map((d) => BigInt(d.value));
		const sum = (list) => list.reduce((a, b) => a + b, 0n);
		const [total, ...kinds] = wei(document.querySelectorAll("#earnings .earned .parts:first-child data"));
		const rows = [...document.querySelectorAll("#earnings tbody tr")].map((r) => wei(r.querySelectorAll("data")));
		return rows.length === 30 && total > 0n && kinds.length === 4 && sum(kinds) === total && sum(rows.map((r) => r.at(-1))) === total && rows.every((r) => sum(r.slice(0, -1)) === r.at(-1));
	})()`) {
		t.Error("kinds and days do not add up to the total")
	}
	if bars := evaluate[float64](t, ctx, `[...document.querySelectorAll("#earnings .bars g")].filter((g) => g.querySelectorAll("rect:not(.room)").length).length`); bars < 25 {
		t.Errorf("%v bars are drawn", bars)
	}

	// Net of power: nothing is assumed before the reader enters prices.
	if said := evaluate[string](t, ctx, netOfPower); !strings.Contains(said, "Price of SAGE, from 127.0.0.1:") || !strings.Contains(said, "Set your price of power") || !strings.Contains(said, "kWh") {
		t.Errorf("before any price: %s", said)
	}
	do(t, ctx, chromedp.Click(chromedp.CSS(`[popovertarget=prices]`)))
	until(t, ctx, `document.querySelector("#prices").matches(":popover-open")`)
	leave(t, ctx, `per_kwh.value = "0.21"; watts.value = "2600"; document.querySelector("#prices [type=submit]").click()`)
	said := evaluate[string](t, ctx, netOfPower)
	for _, words := range []string{"Cost of power, at 0.21 USD a kWh", "of the time of 5 GPUs", "Earned, at that price", "Net of power", "Breaks even at", "USD a SAGE"} {
		if !strings.Contains(said, words) || strings.Contains(said, "unknown") {
			t.Errorf("net of power lacks %q: %s", words, said)
		}
	}

	// Did my claim arrive: the newest did, and what it was worth is recorded. An old one has no
	// price until its owner enters it.
	newest := evaluate[string](t, ctx, `document.querySelector("#earning-claims tbody tr").innerText`)
	if !strings.Contains(newest, "arrived") || !strings.Contains(newest, "from 127.0.0.1:") {
		t.Errorf("the newest claim: %s", newest)
	}
	leave(t, ctx, `
		const form = [...document.querySelectorAll("#earning-claims form")].at(-1);
		form.parentElement.open = true;
		form.price.value = "0.3331";
		form.currency.value = "usd";
		form.requestSubmit();`)
	if oldest := evaluate[string](t, ctx, `[...document.querySelectorAll("#earning-claims tbody tr")].at(-1).innerText`); !strings.Contains(oldest, "entered by hand") || !strings.Contains(oldest, "0.3331") {
		t.Errorf("the oldest claim: %s", oldest)
	}

	// Other days, by the form, which is in the URL then.
	leave(t, ctx, `document.querySelector("#earnings-by").value = "week"; document.querySelector(".earnings-form [type=submit]").click()`)
	if !evaluate[bool](t, ctx, `new URL(location).searchParams.get("by") === "week" && document.querySelector("#earnings tbody th time").innerText.includes("-W")`) {
		t.Error("the form does not group by weeks")
	}

	// On paper: no navigation and nothing to click, and all numbers of the table.
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		t.Fatal(err)
	}
	visit(t, ctx, p.URL+"/earnings?last=90d")
	if seen := evaluate[[]string](t, ctx, `[...document.querySelectorAll(".top nav, footer, .earnings-form, .pages, .export, .claim-price, .act, main button.button")].filter((e) => e.checkVisibility()).map((e) => e.className || e.tagName)`); len(seen) > 0 {
		t.Errorf("on paper there are %v", seen)
	}
	if !evaluate[bool](t, ctx, `(() => {
		const box = document.querySelector("#earnings .table-box");
		return box.scrollHeight <= box.clientHeight + 1 && box.querySelectorAll("tbody tr").length === 90 && document.querySelector("#earnings .bars svg").checkVisibility();
	})()`) {
		t.Error("on paper the table is cut off")
	}
	noErrors(t, console())
}
