package validator

import "time"

// Shifted is the snapshot with all its times by a clock that is ahead by d.
func (s GPUSnapshot) Shifted(d time.Duration) GPUSnapshot {
	if d == 0 {
		return s
	}
	s.State.ObservedAt = shifted(s.State.ObservedAt, d)
	gpus := make([]GPU, len(s.GPUs))
	for i, g := range s.GPUs {
		gpus[i] = g.Shifted(d)
	}
	s.GPUs = gpus
	return s
}

// Shifted is the reading with all its times by a clock that is ahead by d.
func (g GPU) Shifted(d time.Duration) GPU {
	by := func(t time.Time) time.Time { return shifted(t, d) }
	g.SampledAt = by(g.SampledAt)
	g.MissingSince, g.SlowedSince, g.HotSince, g.XIDsWatchedSince = Map(g.MissingSince, by), Map(g.SlowedSince, by), Map(g.HotSince, by), Map(g.XIDsWatchedSince, by)
	g.SlowedLately = Map(g.SlowedLately, func(s Slowdown) Slowdown {
		s.Last = by(s.Last)
		return s
	})
	g.Events, g.Throttled = shiftedEvents(g.Events, d), shiftedSpans(g.Throttled, d)
	return g
}

// Shifted is the point with its time by a clock that is ahead by d.
func (p GPUPoint) Shifted(d time.Duration) GPUPoint {
	p.At = shifted(p.At, d)
	return p
}

// Shifted is the journal with all its times by a clock that is ahead by d.
func (j GPUJournal) Shifted(d time.Duration) GPUJournal {
	j.Events, j.Throttled = shiftedEvents(j.Events, d), shiftedSpans(j.Throttled, d)
	watches := make([]GPUWatch, len(j.Watches))
	for i, w := range j.Watches {
		w.From, w.To = shifted(w.From, d), shifted(w.To, d)
		watches[i] = w
	}
	j.Watches = watches
	return j
}

func shiftedEvents(events []GPUEvent, d time.Duration) []GPUEvent {
	out := make([]GPUEvent, len(events))
	for i, e := range events {
		e.At, e.Last = shifted(e.At, d), shifted(e.Last, d)
		out[i] = e
	}
	return out
}

func shiftedSpans(spans []ThrottleSpan, d time.Duration) []ThrottleSpan {
	out := make([]ThrottleSpan, len(spans))
	for i, s := range spans {
		s.After, s.From, s.To, s.Before = shifted(s.After, d), shifted(s.From, d), shifted(s.To, d), shifted(s.Before, d)
		out[i] = s
	}
	return out
}

// shifted leaves a time that is not known as it is.
func shifted(t time.Time, d time.Duration) time.Time {
	if t.IsZero() {
		return t
	}
	return t.Add(d)
}
