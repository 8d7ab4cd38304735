package validator

import (
	"slices"
	"time"
)

// Interval is a stretch of time.
type Interval struct{ From, To time.Time }

// Length is how long it is.
func (i Interval) Length() time.Duration { return i.To.Sub(i.From) }

// GPUWatch is a stretch of time in which a GPU's events were waited for without a break.
type GPUWatch struct {
	GPUUUID string
	Interval
}

// Watching says how much of a time a GPU's events were waited for: what happened while
// nobody did is not known.
type Watching struct {
	Interval            // from the first moment that is watched to the last
	Breaks   []Interval // in which nobody waited, oldest first
}

// Unwatched is how long nobody waited, in all.
func (w Watching) Unwatched() time.Duration {
	var sum time.Duration
	for _, b := range w.Breaks {
		sum += b.Length()
	}
	return sum
}

// WatchingOf joins stretches in any order, which may overlap. It is missing without any.
func WatchingOf(stretches []Interval) Maybe[Watching] {
	sorted := slices.SortedFunc(slices.Values(stretches), func(a, b Interval) int { return a.From.Compare(b.From) })
	var w Watching
	for i, s := range sorted {
		switch {
		case i == 0:
			w.Interval = s
			continue
		case s.From.After(w.To):
			w.Breaks = append(w.Breaks, Interval{w.To, s.From})
		}
		if s.To.After(w.To) {
			w.To = s.To
		}
	}
	if len(sorted) == 0 {
		return None[Watching]("its errors were never watched")
	}
	return Some(w)
}
