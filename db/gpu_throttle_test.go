package db_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// spansText writes spans as "0x20 (0)60-120(180)", in seconds after start; a missing edge is "?".
func spansText(spans []validator.ThrottleSpan, start time.Time) string {
	edge := func(at time.Time) string {
		if at.IsZero() {
			return "?"
		}
		return fmt.Sprint(int(at.Sub(start) / time.Second))
	}
	var out []string
	for _, s := range spans {
		out = append(out, fmt.Sprintf("0x%x (%s)%s-%s(%s)", uint64(s.Reason), edge(s.After), edge(s.From), edge(s.To), edge(s.Before)))
	}
	return strings.Join(out, ", ")
}

func (b bench) slowed(worker validator.Address, start time.Time) string {
	b.Helper()
	return spansText(must[[]validator.ThrottleSpan](b)(b.store.GPUThrottles(b.ctx(), worker, "GPU-0", start.Add(-time.Hour), start.Add(24*time.Hour))), start)
}

// A host's reports tell when its GPU was slowed, whatever the window that is asked for.
func TestReportsTellWhenAGPUWasSlowed(t *testing.T) {
	b := newBench(t)
	start := time.Now().UTC().Truncate(time.Second).Add(-3 * time.Hour)
	report := func(second int, reasons validator.Maybe[validator.ThrottleReasons]) {
		t.Helper()
		at := start.Add(time.Duration(second) * time.Second)
		g, quiet := sample("GPU-0", 0, at, 60), sample("GPU-1", 1, at, 60)
		g.ThrottleReasons = reasons
		check(t, b.store.UpsertWorkerGPUs(b.ctx(), alice, "host", at, []validator.GPU{g, quiet}))
	}
	const hot, brake = validator.ThrottleSWThermal, validator.ThrottleHWPowerBrake
	some := validator.Some[validator.ThrottleReasons]
	report(0, some(validator.ThrottlePowerCap))
	report(60, some(hot))
	equal(t, "while it goes on", b.slowed(alice, start), "0x20 (0)60-60(?)")
	report(120, some(hot|brake))
	report(180, validator.None[validator.ThrottleReasons]("not reported"))
	report(240, some(hot))
	report(300, some(0))
	want := "0x20 (0)60-240(300), 0x80 (60)120-120(240)"
	equal(t, "after it", b.slowed(alice, start), want)
	report(240, some(brake)) // sent again, with another value: the first stands
	equal(t, "a sample that comes twice", b.slowed(alice, start), want)
	report(1000, some(hot)) // ten minutes after the last
	equal(t, "after a time without reports", b.slowed(alice, start), want+", 0x20 (?)1000-1000(?)")
	report(210, some(0)) // late
	equal(t, "a late sample in its midst", b.slowed(alice, start), "0x20 (0)60-120(210), 0x80 (60)120-120(210), 0x20 (210)240-240(300), 0x20 (?)1000-1000(?)")

	for _, window := range []time.Duration{time.Minute, time.Hour, 24 * time.Hour} {
		at := start.Add(100 * time.Second)
		spans := must[[]validator.ThrottleSpan](t)(b.store.GPUThrottles(b.ctx(), alice, "GPU-0", at, at.Add(window)))
		equal(t, "the first in a window of "+window.String(), spansText(spans[:1], start), "0x20 (0)60-120(210)")
	}
	equal(t, "the other card", len(must[[]validator.ThrottleSpan](t)(b.store.GPUThrottles(b.ctx(), alice, "GPU-1", start, start.Add(time.Hour)))), 0)
	equal(t, "bob's", b.slowed(bob, start), "")

	// The samples themselves tell the same.
	had := b.slowed(alice, start)
	b.exec("DELETE FROM gpu_throttles")
	b.exec("SELECT derive_gpu_throttles(232, '5 minutes')")
	equal(t, "derived from the samples", b.slowed(alice, start), had)
}

// In whatever order reports come, and from however many hosts, the samples that are kept and
// the stretches agree.
func TestReportsInAnyOrderMakeTheSameStretches(t *testing.T) {
	b := newBench(t)
	start := time.Now().UTC().Truncate(time.Second).Add(-5 * time.Hour)
	dice := rand.New(rand.NewPCG(5, 6))
	var times []time.Time
	for at := start; len(times) < 80; at = at.Add(time.Duration(15+dice.IntN(400)) * time.Second) {
		times = append(times, at)
	}
	for _, i := range dice.Perm(len(times)) {
		g := sample("GPU-0", 0, times[i], 60)
		g.ThrottleReasons = validator.Some(validator.ThrottleReasons(dice.IntN(4)) * validator.ThrottleSWThermal)
		check(t, b.store.UpsertWorkerGPUs(b.ctx(), alice, []string{"host", "agent"}[dice.IntN(2)], times[i], []validator.GPU{g}))
	}
	const rows = "SELECT string_agg(concat_ws(' ', worker_id, reason, began_after, began_at, last_at, ended_before), E'\\n' ORDER BY worker_id, reason, began_at) FROM gpu_throttles"
	placed := dbtest.Value(t, b.url, rows)
	b.exec("DELETE FROM gpu_throttles")
	b.exec("SELECT derive_gpu_throttles(232, '5 minutes')")
	if derived := dbtest.Value(t, b.url, rows); placed != derived || strings.Count(placed, "\n") < 20 {
		t.Errorf("placed one by one:\n%s\nderived:\n%s", placed, derived)
	}
}

// A sampler's own stretches grow, and its samples make no others.
func TestASamplersStretchesAreStoredAsItTellsThem(t *testing.T) {
	b := newBench(t)
	start := time.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	second := func(n int) time.Time { return start.Add(time.Duration(n) * time.Second) }
	g := sample("GPU-0", 0, second(10), 60)
	g.ThrottleReasons = validator.Some(validator.ThrottleSWThermal)
	check(t, b.store.StoreHostSamples(b.ctx(), alice, "host", second(10), []validator.GPU{g}))
	equal(t, "of samples", b.slowed(alice, start), "")
	span := validator.ThrottleSpan{GPUUUID: "GPU-0", Reason: validator.ThrottleSWThermal, After: second(0), From: second(2), To: second(2)}
	journal := func(s validator.ThrottleSpan) {
		t.Helper()
		check(t, b.store.StoreGPUJournal(b.ctx(), alice, "host", validator.GPUJournal{Watcher: "run", Throttled: []validator.ThrottleSpan{s}}))
	}
	journal(span)
	grown, ended := span, span
	grown.To = second(20)
	ended.To, ended.Before = second(22), second(24)
	journal(grown)
	journal(span) // late
	equal(t, "while it goes on", b.slowed(alice, start), "0x20 (0)2-20(?)")
	journal(ended)
	equal(t, "after it", b.slowed(alice, start), "0x20 (0)2-22(24)")
	again := ended
	again.To, again.Before, again.Pauses = second(28), time.Time{}, 1
	journal(again)
	equal(t, "after a pause", b.slowed(alice, start), "0x20 (0)2-28(?)")
}
