package web

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

var slowedMark = regexp.MustCompile(`<span class="mark-label">(Slowed:[^<]*)</span>(?s:.*?)<time[^>]*datetime="([^"]*)"(?s:.*?)<time[^>]*datetime="([^"]*)"`)

// marksOfSlowing are the stretches that a page marks, as "label | begin | end".
func marksOfSlowing(page string) string {
	var out []string
	for _, m := range slowedMark.FindAllStringSubmatch(page, -1) {
		out = append(out, strings.Join(m[1:], " | "))
	}
	return strings.Join(out, "\n")
}

// The same minutes read the same in every window, of a card that another host reports, and
// say how closely they are known.
func TestEveryWindowTellsTheSameTimesOfSlowing(t *testing.T) {
	store := dbtest.New(t)
	s := newServer(t, store)
	now := time.Now().UTC().Truncate(time.Second)
	for ago := 300; ago >= 0; ago -= 20 {
		g := localGPU()
		g.UUID, g.SampledAt, g.ThrottleReasons, g.Events = "GPU-far", now.Add(-time.Duration(ago)*time.Second), validator.Some(validator.ThrottleReasons(0)), nil
		if ago >= 100 && ago <= 240 {
			g.ThrottleReasons = validator.Some(validator.ThrottleSWThermal | validator.ThrottleHWThermal)
		}
		report(t, store, alice, g)
	}
	at := func(ago int) time.Time { return now.Add(-time.Duration(ago) * time.Second) }
	want := fmt.Sprintf("Slowed: hardware thermal slowdown, too hot: slowed by the driver (began between %s; ended between %s) | %s | %s",
		fromTo(at(260), at(240)), fromTo(at(100), at(80)), at(240).Format(time.RFC3339), at(100).Format(time.RFC3339))
	for _, window := range []string{"10m", "1h", "24h", "7d"} {
		page := visit(s, "/gpus/GPU-far?wallet="+string(alice)+"&window="+window).Body.String()
		if got := marksOfSlowing(page); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", window, got, want)
		}
	}
}

// So do those of this host's own card, whether they are stored yet or not.
func TestEveryWindowTellsTheSameTimesOfThisHostsCard(t *testing.T) {
	store := dbtest.New(t)
	g := localGPU()
	now := g.SampledAt.Truncate(time.Second)
	at := func(ago int) time.Time { return now.Add(-time.Duration(ago) * time.Second) }
	g.Throttled = []validator.ThrottleSpan{
		{GPUUUID: g.UUID, Reason: validator.ThrottleSWThermal, After: at(402), From: at(400), To: at(300), Before: at(298), Pauses: 2},
		{GPUUUID: g.UUID, Reason: validator.ThrottleSWThermal, After: at(42), From: at(40), To: now},
	}
	s := newServer(t, store, func(c *Config) { c.GPUs, c.ValidatorAddress = oneGPUReader{g}, alice })
	if err := store.StoreHostSamples(t.Context(), alice, "rig-2", g.SampledAt, []validator.GPU{g}); err != nil {
		t.Fatal(err)
	}
	stored := g.Throttled[1]
	stored.To = at(10)
	earlier := validator.ThrottleSpan{GPUUUID: g.UUID, Reason: validator.ThrottleHWPowerBrake, From: at(500), To: at(470)} // before a restart
	if err := store.StoreGPUJournal(t.Context(), alice, "rig-2", validator.GPUJournal{Watcher: "run", Throttled: []validator.ThrottleSpan{g.Throttled[0], stored, earlier}}); err != nil {
		t.Fatal(err)
	}
	iso := func(ago int) string { return at(ago).Format(time.RFC3339) }
	want := fmt.Sprintf(`Slowed: too hot: slowed by the driver | %s | %s
Slowed: too hot: slowed by the driver (with 2 pauses of less than 10 s) | %s | %s
Slowed: power brake: the supply asks for less (when it began is not known, since no reading is near before; when it ended is not known, since no reading followed) | %s | %s`,
		iso(40), iso(0), iso(400), iso(300), iso(500), iso(470))
	for _, window := range []string{"10m", "1h", "24h", "7d"} {
		page := visit(s, "/gpus/GPU-local?window="+window).Body.String()
		if got := marksOfSlowing(page); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", window, got, want)
		}
	}
}
