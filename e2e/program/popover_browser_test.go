package program

import (
	"fmt"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
)

// openedEverywhere opens each popover of the page while its button stands at each edge of the
// window, waits for what it says, and lists those that stand out of the window.
const openedEverywhere = `(async () => {
	const out = [], until = async (test) => { for (let n = 0; !test() && n < 600; n++) await new Promise((r) => setTimeout(r, 50)); };
	const buttons = [...document.querySelectorAll("main [popovertarget]")].filter((b) => b.checkVisibility());
	for (const button of buttons) {
		const popover = document.getElementById(button.getAttribute("popovertarget"));
		for (const block of ["start", "center", "end"]) {
			button.scrollIntoView({ block, behavior: "instant" });
			button.click();
			await until(() => popover.matches(":popover-open") && (popover.id !== "provenance" || popover.querySelector("#provenance-body dl, #provenance-body pre, #provenance-body .notice")));
			await new Promise(requestAnimationFrame);
			const { left, top, right, bottom, width, height } = popover.getBoundingClientRect();
			const { clientWidth } = document.documentElement;
			if (left < -0.5 || top < -0.5 || right > clientWidth + 0.5 || bottom > innerHeight + 0.5 || width < 200 || height < 40 || popover.scrollWidth > popover.clientWidth) {
				out.push([button.id || button.textContent.trim(), block, left, top, right, bottom, innerWidth, innerHeight].join(" "));
			}
			popover.hidePopover();
		}
	}
	window.opened = { count: buttons.length, out: out.join("\n") };
})()`

// TestPopoversStayInTheWindow wherever their button stands, on a phone, a tablet and a desk.
func TestPopoversStayInTheWindow(t *testing.T) {
	t.Parallel()
	lib, script := gputest.BuildFake(t, gputest.Current), gputest.NewScript(t, "count=2", "temp=61", "util=73")
	_, env := devnet(t)
	url := dbtest.NewURL(t)
	p := start(t, append(env, "DATABASE_URL="+url, "NVML_LIBRARY="+lib, gputest.Env+"="+script.Path(), "VALIDATOR_ADDRESS="+string(wallet))...)
	database(t, url, heartbeat)
	ctx, _ := browser(t, 1440, 900)
	for _, size := range [][2]int64{{390, 844}, {820, 700}, {1440, 900}} {
		if _, err := chromedp.Call(ctx, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: size[0], Height: size[1], DeviceScaleFactor: 1, Mobile: size[0] < 500}); err != nil {
			t.Fatal(err)
		}
		visit(t, ctx, p.URL+"/")
		until(t, ctx, `document.querySelectorAll(".gpu").length === 2`)
		evaluate[chromedp.Void](t, ctx, openedEverywhere+`; undefined`)
		if _, err := chromedp.Run(ctx, chromedp.Poll[chromedp.Void]("window.opened", chromedp.WithPollingTimeout(3*time.Minute))); err != nil {
			t.Fatal(err)
		}
		if n := evaluate[int](t, ctx, "opened.count"); n < 20 {
			t.Errorf("%d popovers were opened", n)
		}
		if out := evaluate[string](t, ctx, "opened.out"); out != "" {
			t.Errorf("%s stand out of the window:\n%s", fmt.Sprint(size), out)
		}
	}
}
