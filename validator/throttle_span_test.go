package validator

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var spanStart = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func second(n int) time.Time { return spanStart.Add(time.Duration(n) * time.Second) }

// spansText writes spans as "0x20 (8)10-20(22)", in seconds; a missing edge is a "?".
func spansText(spans []ThrottleSpan) string {
	edge := func(t time.Time) string {
		if t.IsZero() {
			return "?"
		}
		return fmt.Sprint(int(t.Sub(spanStart) / time.Second))
	}
	var out []string
	for _, s := range spans {
		text := fmt.Sprintf("0x%x (%s)%s-%s(%s)", uint64(s.Reason), edge(s.After), edge(s.From), edge(s.To), edge(s.Before))
		if s.Pauses > 0 {
			text += fmt.Sprintf("+%d", s.Pauses)
		}
		out = append(out, text)
	}
	return strings.Join(out, ", ")
}

func TestReadingsMakeSpans(t *testing.T) {
	const none, hot, brake, unknown = ThrottleReasons(0), ThrottleSWThermal, ThrottleHWPowerBrake, ThrottleReasons(1 << 63)
	type reading struct {
		at   int
		mask ThrottleReasons
	}
	every2 := func(from int, masks ...ThrottleReasons) (out []reading) {
		for i, m := range masks {
			out = append(out, reading{from + 2*i, m})
		}
		return out
	}
	for name, c := range map[string]struct {
		readings []reading
		want     string
	}{
		"never":                    {every2(0, none, ThrottlePowerCap, none), ""},
		"from the first on":        {every2(0, hot, hot), "0x20 (?)0-2(?)"},
		"a beginning and an end":   {every2(0, none, hot, hot, none), "0x20 (0)2-4(6)"},
		"once":                     {every2(0, none, hot, none), "0x20 (0)2-2(4)"},
		"reasons that overlap":     {every2(0, none, hot, hot|brake, brake, none), "0x20 (0)2-4(6), 0x80 (2)4-6(8)"},
		"a reading that is silent": {every2(0, none, hot, unknown, hot, none), "0x20 (0)2-6(8)"},
		"readings stop":            {slices.Concat(every2(0, none, hot, hot), every2(30, none)), "0x20 (0)2-4(?)"},
		"readings stop and go on":  {slices.Concat(every2(0, none, hot, hot), every2(30, hot, none)), "0x20 (0)2-4(?), 0x20 (?)30-30(32)"},
		"short pauses":             {every2(0, none, hot, none, hot, none, none, hot, none), "0x20 (0)2-12(14)+2"},
		"a long pause":             {every2(0, none, hot, none, none, none, none, hot, none), "0x20 (0)2-2(4), 0x20 (10)12-12(14)"},
	} {
		var tracker ThrottleTracker
		spans := map[string]ThrottleSpan{}
		for _, r := range c.readings {
			mask := Some(r.mask)
			if r.mask == unknown {
				mask = None[ThrottleReasons]("the driver did not answer in time")
			}
			for _, s := range tracker.Observe("GPU-a", mask, second(r.at), 6*time.Second) {
				spans[fmt.Sprint(s.Reason, s.From)] = s
			}
		}
		var all []ThrottleSpan
		for _, s := range spans {
			all = append(all, s)
		}
		if got := spansText(MergeThrottleSpans(all)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// In whatever order samples come, they make the spans that they make in their order.
func TestLateSamplesMakeTheSameSpans(t *testing.T) {
	const reach = 60 * time.Second
	dice := rand.New(rand.NewPCG(1, 2))
	for round := range 300 {
		var samples []ThrottleSample
		for at := 0; len(samples) < 30; at += 1 + dice.IntN(80) {
			samples = append(samples, ThrottleSample{second(at), ThrottleReasons(dice.IntN(3)) * ThrottleSWThermal})
		}
		var tracker ThrottleTracker
		inOrder := map[string]ThrottleSpan{}
		key := func(s ThrottleSpan) string { return fmt.Sprint(s.Reason, s.From) }
		for i, s := range samples {
			// Pauses count for readings that follow each other within seconds, not for samples.
			if i > 0 && s.At.Sub(samples[i-1].At) < ThrottlePause {
				s.At = samples[i-1].At.Add(ThrottlePause)
				samples[i] = s
			}
			if i > 0 && !s.At.After(samples[i-1].At) {
				s.At = samples[i-1].At.Add(ThrottlePause)
				samples[i] = s
			}
			for _, span := range tracker.Observe("GPU-a", Some(s.Reasons), s.At, reach) {
				inOrder[key(span)] = span
			}
		}
		placed := map[string]ThrottleSpan{}
		var known []ThrottleSample
		for _, i := range dice.Perm(len(samples)) {
			s := samples[i]
			n, _ := slices.BinarySearchFunc(known, s, func(a, b ThrottleSample) int { return a.At.Compare(b.At) })
			var previous, next ThrottleSample
			if n > 0 {
				previous = known[n-1]
			}
			if n < len(known) {
				next = known[n]
			}
			var near []ThrottleSpan
			for _, span := range placed {
				if !span.To.Before(s.At.Add(-reach)) && !span.From.After(s.At.Add(reach)) {
					near = append(near, span)
				}
			}
			change := PlaceThrottleSample("GPU-a", near, previous, s, next, reach)
			for _, span := range change.Drop {
				delete(placed, key(span))
			}
			for _, span := range change.Put {
				placed[key(span)] = span
			}
			known = slices.Insert(known, n, s)
		}
		list := func(m map[string]ThrottleSpan) string {
			var all []ThrottleSpan
			for _, s := range m {
				all = append(all, s)
			}
			return spansText(MergeThrottleSpans(all))
		}
		if got, want := list(placed), list(inOrder); got != want {
			t.Fatalf("round %d:\n got %s\nwant %s", round, got, want)
		}
	}
}

// A sampler sees a span more closely than samples do: one that contradicts it may have no
// other sample within it.
func TestASampleSplitsASpanThatNoOtherSampleIsIn(t *testing.T) {
	span := ThrottleSpan{GPUUUID: "GPU-a", Reason: ThrottleSWThermal, After: second(8), From: second(10), To: second(20)}
	sample := func(n int) ThrottleSample { return ThrottleSample{At: second(n)} }
	for name, c := range map[string]struct {
		previous, next ThrottleSample
		drop, put      string
	}{
		"none at all":    {ThrottleSample{}, ThrottleSample{}, "0x20 (8)10-20(?)", ""},
		"outside of it":  {sample(2), sample(30), "0x20 (8)10-20(?)", ""},
		"before in it":   {sample(12), sample(30), "", "0x20 (8)10-12(15)"},
		"after in it":    {sample(2), sample(18), "0x20 (8)10-20(?)", "0x20 (15)18-20(?)"},
		"on either side": {sample(12), sample(18), "", "0x20 (8)10-12(15), 0x20 (15)18-20(?)"},
	} {
		got := PlaceThrottleSample("GPU-a", []ThrottleSpan{span}, c.previous, sample(15), c.next, time.Minute)
		if spansText(got.Drop) != c.drop || spansText(got.Put) != c.put {
			t.Errorf("%s: dropped %s, put %s", name, spansText(got.Drop), spansText(got.Put))
		}
	}
}

func TestSpansOfSeveralWatchersAreOne(t *testing.T) {
	span := func(after, from, to, before int) ThrottleSpan {
		s := ThrottleSpan{Reason: ThrottleSWThermal, From: second(from), To: second(to)}
		if after >= 0 {
			s.After = second(after)
		}
		if before >= 0 {
			s.Before = second(before)
		}
		return s
	}
	brake := span(0, 5, 9, 10)
	brake.Reason = ThrottleHWPowerBrake
	for _, c := range []struct {
		spans []ThrottleSpan
		want  string
	}{
		{nil, ""},
		{[]ThrottleSpan{span(8, 10, 20, -1), span(8, 10, 24, 26)}, "0x20 (8)10-24(26)"}, // stored, and remembered since
		{[]ThrottleSpan{span(0, 15, 30, 45), span(8, 10, 32, 34)}, "0x20 (8)10-32(34)"}, // seen more closely
		{[]ThrottleSpan{span(8, 10, 20, 22), brake, span(22, 24, 26, -1)}, "0x80 (0)5-9(10), 0x20 (8)10-20(22), 0x20 (22)24-26(?)"},
		{[]ThrottleSpan{span(8, 10, 20, -1), span(8, 10, 20, 22)}, "0x20 (8)10-20(22)"},
	} {
		if got := spansText(MergeThrottleSpans(c.spans)); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
