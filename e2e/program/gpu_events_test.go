package program

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
)

// Errors that the driver reported before a restart, even one by kill -9, are shown after it
// with their times, and the time in which nobody watched is shown.
func TestErrorsOfTheDriverOutliveARestart(t *testing.T) {
	t.Parallel()
	lib, script := gputest.BuildFake(t, gputest.Current), gputest.NewScript(t, "count=2", "temp=61")
	url := dbtest.NewURL(t)
	env := []string{"DATABASE_URL=" + url, "NVML_LIBRARY=" + lib, gputest.Env + "=" + script.Path(), "VALIDATOR_ADDRESS=0x123"}
	p := start(t, env...)
	harness.Eventually(t, "both cards watched", func() bool {
		cards, _ := p.cards(t, "0x123")
		return len(cards) == 2 && cards[0]["events_watched"] != nil
	})
	began := time.Now().Add(-time.Second)
	script.XID(0, 48)
	script.XID(0, 95)
	harness.Eventually(t, "two stored events", func() bool { return dbtest.Value(t, url, "SELECT count(*) FROM gpu_events WHERE kind = 'xid'") == "2" })
	harness.Eventually(t, "stored times of watching", func() bool { return dbtest.Value(t, url, "SELECT count(*) FROM gpu_watches") == "2" })
	ended := time.Now()
	p.Kill(t)

	p = start(t, env...)
	var first map[string]any
	harness.Eventually(t, "what was watched before", func() bool {
		cards, _ := p.cards(t, "0x123")
		if len(cards) != 2 {
			return false
		}
		first = cards[0]
		w, _ := first["events_watched"].(map[string]any)
		breaks, _ := w["breaks"].([]any)
		return len(breaks) == 1
	})
	events, _ := first["events"].([]any)
	if len(events) != 2 {
		t.Fatalf("events after the restart: %v", events)
	}
	for i, code := range []float64{95, 48} {
		e := events[i].(map[string]any)
		if at := time.Unix(int64(e["occurred_at"].(float64)), 0); e["code"] != code || e["severity"] != "critical" || e["count"] != 1.0 || at.Before(began.Add(-time.Second)) || at.After(ended) {
			t.Errorf("event %d: %v", i, e)
		}
	}
	_, b := p.Call(t, http.MethodGet, "/gpus/GPU-00000000-0000-0000-0000-000000000000", "", "")
	page := text(b)
	for _, want := range []string{"XID 48", "XID 95", "Watched since ", "but for a break of ", "what happened then is not known"} {
		if !strings.Contains(page, want) {
			t.Errorf("the card's page lacks %q", want)
		}
	}
	if _, b := p.Call(t, http.MethodGet, "/gpus/GPU-00000000-0000-0000-0000-000000000001", "", ""); !regexp.MustCompile(`None since [0-9: -]+ UTC, but for a break of`).MatchString(text(b)) {
		t.Errorf("the other card's page does not tell of the break: %s", text(b))
	}
	if _, b := p.Call(t, http.MethodGet, "/partials/gpus?wallet=0x123", "", ""); !strings.Contains(text(b), "XID error 95") {
		t.Error("the dashboard does not show the newest error")
	}
	if cards, _ := p.cards(t, "0x456"); len(cards) != 0 {
		t.Errorf("another wallet sees %v", cards)
	}
}

// When a card was slowed before the program was killed, all windows tell alike after it.
func TestWhenACardWasSlowedOutlivesARestart(t *testing.T) {
	t.Parallel()
	lib, script := gputest.BuildFake(t, gputest.Current), gputest.NewScript(t, "temp=61")
	url := dbtest.NewURL(t)
	env := []string{"DATABASE_URL=" + url, "NVML_LIBRARY=" + lib, gputest.Env + "=" + script.Path(), "VALIDATOR_ADDRESS=0x123"}
	p := start(t, env...)
	harness.Eventually(t, "the card", func() bool { cards, _ := p.cards(t, "0x123"); return len(cards) == 1 })
	script.Set("throttle", "32")
	harness.Eventually(t, "a stored stretch that grows", func() bool {
		return dbtest.Value(t, url, "SELECT count(*) FROM gpu_throttles WHERE reason = 32 AND began_after < began_at AND began_at < last_at AND ended_before IS NULL") == "1"
	})
	p.Kill(t)
	script.Set("throttle", "1")

	p = start(t, env...)
	harness.Eventually(t, "the card again", func() bool { cards, _ := p.cards(t, "0x123"); return len(cards) == 1 })
	edges := regexp.MustCompile(`(Slowed: too hot[^<]*)</span>(?s:.*?)datetime="([^"]*)"(?s:.*?)datetime="([^"]*)"`)
	var reply string
	for _, window := range []string{"10m", "1h", "24h", "7d"} {
		var found []string
		harness.Eventually(t, "the stretch in a window of "+window, func() bool {
			_, b := p.Call(t, http.MethodGet, "/gpus/GPU-00000000-0000-0000-0000-000000000000?window="+window, "", "")
			found = edges.FindStringSubmatch(string(b))
			return found != nil && !strings.Contains(found[0], "until now")
		})
		if got := strings.Join(found[1:], " | "); reply == "" {
			reply = got
		} else if got != reply {
			t.Errorf("a window of %s tells %s, the first %s", window, got, reply)
		}
	}
	if !strings.Contains(reply, "when it ended is not known, since no reading followed") {
		t.Errorf("told: %s", reply)
	}
}
