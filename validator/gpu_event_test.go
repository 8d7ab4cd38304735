package validator

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

func TestWatchingOf(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	at := func(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }
	stretch := func(from, to int) Interval { return Interval{at(from), at(to)} }
	for _, c := range []struct {
		stretches []Interval
		want      string
	}{
		{nil, "never"},
		{[]Interval{stretch(3, 9)}, "3-9"},
		{[]Interval{stretch(10, 20), stretch(0, 10)}, "0-20"},               // joined where they touch
		{[]Interval{stretch(0, 10), stretch(2, 5), stretch(8, 12)}, "0-12"}, // of two programs
		{[]Interval{stretch(0, 10), stretch(11, 20), stretch(25, 30)}, "0-30 but 10-11 20-25 6m0s"}, // two restarts
	} {
		got := "never"
		if w, known := WatchingOf(c.stretches).Get(); known {
			minute := func(t time.Time) int { return int(t.Sub(start) / time.Minute) }
			got = fmt.Sprintf("%d-%d", minute(w.From), minute(w.To))
			if len(w.Breaks) > 0 {
				got += " but"
				for _, b := range w.Breaks {
					got += fmt.Sprintf(" %d-%d", minute(b.From), minute(b.To))
				}
				got += " " + w.Unwatched().String()
			}
		}
		if got != c.want {
			t.Errorf("%v: %s, want %s", c.stretches, got, c.want)
		}
	}
}

func TestStoredAndRememberedEventsAreMerged(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	event := func(watcher string, sequence, count int64, seconds int) GPUEvent {
		last := at.Add(time.Duration(seconds) * time.Second)
		return GPUEvent{Kind: GPUEventXID, Watcher: watcher, Sequence: sequence, Count: count, At: at, Last: last}
	}
	var got []string
	for _, e := range MergeGPUEvents(
		[]GPUEvent{event("b", 1, 1, 30), event("a", 2, 5, 20), event("a", 1, 1, 10)},
		[]GPUEvent{event("b", 2, 1, 60), event("b", 1, 3, 50)},
	) {
		got = append(got, fmt.Sprintf("%s%d×%d", e.Watcher, e.Sequence, e.Count))
	}
	if want := "b2×1 b1×3 a2×5 a1×1"; strings.Join(got, " ") != want {
		t.Errorf("%v, want %s", got, want)
	}
}

func TestSeverityOfEvents(t *testing.T) {
	for _, c := range []struct {
		event GPUEvent
		want  string
	}{
		{GPUEvent{Kind: GPUEventXID, Code: 48}, "critical"},
		{GPUEvent{Kind: GPUEventXID, Code: 13}, "warning"},
		{GPUEvent{Kind: GPUEventXID, Code: 63}, "neutral"},
		{GPUEvent{Kind: GPUEventXID, Code: 7777}, "warning"}, // no catalogue says that it is harmless
		{GPUEvent{Kind: GPUEventLost}, "critical"},
		{GPUEvent{Kind: GPUEventFound}, "good"},
	} {
		if got := c.event.Severity().String(); got != c.want {
			t.Errorf("%s %d is %s, want %s", c.event.Kind, c.event.Code, got, c.want)
		}
	}
}
