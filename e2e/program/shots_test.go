package program

import (
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
)

var shots = flag.Bool("shots", false, "take the README's screenshots of the demo")

// untilItTells is how long the demo runs before it is worth a picture: a card has fallen off
// the bus, another is too hot, and their sparklines show how that came.
const untilItTells = 150 * time.Second

// hot returns the UUID of the card that is too hot.
func hot(t *testing.T, p *program) string {
	t.Helper()
	var uuid string
	harness.Eventually(t, "the card that is too hot", func() bool {
		for _, g := range p.Get(t, "/api/validator/gpus", "")["gpus"].([]any) {
			if g := g.(map[string]any); g["status"] == "throttled" {
				uuid = g["uuid"].(string)
				return true
			}
		}
		return false
	})
	return uuid
}

func TestShots(t *testing.T) {
	if !*shots {
		t.Skip("make shots takes the README's screenshots")
	}
	p := startDemo(t, dbtest.Dir(t))
	time.Sleep(untilItTells)
	ctx, _ := browser(t, 1440, 1000)
	for _, s := range []struct {
		file, path    string
		width, height int64
		scheme        string
	}{
		{"dashboard-dark", "/", 1440, 1250, "dark"},
		{"dashboard-light", "/", 1440, 1250, "light"},
		{"phone", "/", 390, 844, "dark"},
		{"gpu", "/gpus/" + hot(t, p), 1440, 1250, "dark"},
	} {
		see(t, ctx, s.width, s.height, s.scheme)
		visit(t, ctx, p.URL+s.path)
		filled(t, ctx)
		until(t, ctx, `!document.querySelector("#gpus") || document.querySelectorAll(".gpu").length === 5`)
		time.Sleep(3 * time.Second) // charts draw, and each panel has polled once
		picture, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join("..", "..", "static", "readme", s.file+".png"), picture, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
