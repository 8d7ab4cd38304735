package main

import (
	"testing"

	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// allSayThatContactIsLost is true when no part of the page vouches for its values any more.
const allSayThatContactIsLost = `document.title.startsWith("No contact") && [...document.querySelectorAll("[data-updated]")].every((e) => e.textContent !== "live") &&
	[...document.querySelectorAll(".source")].every((e) => getComputedStyle(e).filter === "grayscale(1)")`

// TestABrowserThatIsOfflineBlamesNoServer and tells so in every part of the page.
func TestABrowserThatIsOfflineBlamesNoServer(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	p := start(t, "DATABASE_URL="+url, "VALIDATOR_ADDRESS="+string(wallet))
	database(t, url, heartbeat)
	ctx, _ := browser(t, 1200, 800)
	visit(t, ctx, p.url+"/")
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
	visit(t, ctx, p.url+"/")
	until(t, ctx, `[...document.querySelectorAll("[data-updated]")].some((e) => e.textContent === "live")`)
	p.kill(t)
	until(t, ctx, shown("lost")+" && "+allSayThatContactIsLost)
}
