package validator

import (
	"cmp"
	"slices"
	"time"
)

// ThrottleSpan is a stretch of time in which every reading of a GPU gave one reason that slowed
// it. Its edges are known as closely as readings follow each other: it began between After and
// From, and ended between To and Before.
type ThrottleSpan struct {
	GPUUUID string
	Reason  ThrottleReasons // one bit of those that ThrottleReasons.Slowed counts
	After   time.Time       // the newest reading before it; zero if none was near enough to tell when it began
	From    time.Time       // the first reading that gives the reason
	To      time.Time       // the last one that does
	Before  time.Time       // the first reading after it; zero while it goes on, and if readings stopped
	Pauses  int             // shorter than ThrottlePause, which do not end it
}

const (
	// SampleReach is how far apart two samples of a host's report may be and still tell of the
	// time between them.
	SampleReach = 5 * time.Minute
	// ThrottlePause is how long a GPU must not be slowed for a reason, so that its span ends:
	// a driver that slows a hot card lets it go again and again.
	ThrottlePause = 10 * time.Second
)

// SlowingReasons are the reasons that hold a GPU back, one by one.
func SlowingReasons() []ThrottleReasons {
	return []ThrottleReasons{ThrottleHWSlowdown, ThrottleSWThermal, ThrottleHWThermal, ThrottleHWPowerBrake}
}

// Ended reports whether a reading has shown that the span is over.
func (s ThrottleSpan) Ended() bool { return !s.Before.IsZero() }

// ThrottleTracker follows one GPU's readings as they come and finds its spans. The zero value
// has seen none.
type ThrottleTracker struct {
	last   time.Time // the newest reading that tells
	open   map[ThrottleReasons]ThrottleSpan
	closed map[ThrottleReasons]ThrottleSpan // the newest of each reason
}

// Observe takes the next reading and returns the spans that it changed. Where the one before
// is longer ago than reach, nothing is known of the time between. A reading that does not
// tell is as good as none.
func (t *ThrottleTracker) Observe(uuid string, reasons Maybe[ThrottleReasons], at time.Time, reach time.Duration) []ThrottleSpan {
	mask, known := reasons.Get()
	if !known || !at.After(t.last) {
		return nil
	}
	if t.open == nil {
		t.open, t.closed = map[ThrottleReasons]ThrottleSpan{}, map[ThrottleReasons]ThrottleSpan{}
	}
	after := t.last
	if at.Sub(after) > reach {
		after = time.Time{}
		clear(t.open)
		clear(t.closed)
	}
	t.last = at
	var changed []ThrottleSpan
	for _, reason := range SlowingReasons() {
		span, open := t.open[reason]
		paused, recent := t.closed[reason]
		switch slowed := mask&reason != 0; {
		case slowed && open:
			span.To = at
		case slowed && recent && at.Sub(paused.To) < ThrottlePause:
			span = paused
			span.To, span.Before, span.Pauses = at, time.Time{}, span.Pauses+1
			delete(t.closed, reason)
		case slowed:
			span = ThrottleSpan{GPUUUID: uuid, Reason: reason, After: after, From: at, To: at}
		case open:
			span.Before = at
			t.closed[reason] = span
			delete(t.open, reason)
			changed = append(changed, span)
			continue
		default:
			continue
		}
		t.open[reason] = span
		changed = append(changed, span)
	}
	return changed
}

// ThrottleSample is what one sample says of why a GPU is slowed; the zero value is none.
type ThrottleSample struct {
	At      time.Time
	Reasons ThrottleReasons
}

// ThrottleChange is what one more sample makes of spans: Drop go, then Put come.
type ThrottleChange struct {
	Drop []ThrottleSpan
	Put  []ThrottleSpan
}

// PlaceThrottleSample returns how one sample, which may come late, changes the spans that its
// GPU's other samples make. Previous and next are the samples beside it that tell; near are
// the spans that reach within reach of it.
func PlaceThrottleSample(uuid string, near []ThrottleSpan, previous, sample, next ThrottleSample, reach time.Duration) ThrottleChange {
	var c ThrottleChange
	follows := !previous.At.IsZero() && sample.At.Sub(previous.At) <= reach
	leads := !next.At.IsZero() && next.At.Sub(sample.At) <= reach
	p := placement{uuid: uuid, previous: previous.At, at: sample.At, next: next.At, follows: follows, leads: leads}
	for _, reason := range SlowingReasons() {
		p.around, p.left, p.right = nil, nil, nil
		for i := range near {
			switch s := &near[i]; {
			case s.Reason != reason:
			case !s.From.After(sample.At) && !s.To.Before(sample.At):
				p.around = s
			case s.To.Equal(previous.At):
				p.left = s
			case s.From.Equal(next.At):
				p.right = s
			}
		}
		p.place(&c, reason, sample.Reasons&reason != 0)
	}
	return c
}

// placement is where a sample stands among the spans of one reason.
type placement struct {
	uuid                string
	previous, at, next  time.Time
	follows, leads      bool          // previous and next are near enough to tell of the time between
	around, left, right *ThrottleSpan // that hold the sample's time, end before it, begin after it
}

func (p placement) place(c *ThrottleChange, reason ThrottleReasons, slowed bool) {
	switch {
	case p.around != nil && slowed:
	case p.around != nil:
		p.split(c)
	case slowed:
		p.extend(c, reason)
	default:
		if p.left != nil && p.follows {
			p.put(c, *p.left, func(s *ThrottleSpan) { s.Before = p.at })
		}
		if p.right != nil && p.leads {
			p.put(c, *p.right, func(s *ThrottleSpan) { s.After = p.at })
		}
	}
}

// split ends a span at a sample in its midst that does not give its reason. A span that was
// seen more closely than by samples may have none of them on one side.
func (p placement) split(c *ThrottleChange) {
	before, behind := *p.around, *p.around
	before.To, before.Before = p.previous, p.at
	behind.After, behind.From, behind.Pauses = p.at, p.next, 0
	if p.previous.Before(p.around.From) {
		c.Drop = append(c.Drop, *p.around)
	} else {
		c.Put = append(c.Put, before)
	}
	if !p.next.IsZero() && !p.next.After(p.around.To) {
		c.Put = append(c.Put, behind)
	}
}

// extend joins a sample that gives the reason to the spans beside it, or begins one.
func (p placement) extend(c *ThrottleChange, reason ThrottleReasons) {
	left, right := p.left != nil && p.follows, p.right != nil && p.leads
	edge := func(near bool, at time.Time) time.Time {
		if near {
			return at
		}
		return time.Time{}
	}
	switch {
	case left && right:
		c.Drop = append(c.Drop, *p.right)
		p.put(c, *p.left, func(s *ThrottleSpan) { s.To, s.Before, s.Pauses = p.right.To, p.right.Before, s.Pauses+p.right.Pauses })
	case left:
		p.put(c, *p.left, func(s *ThrottleSpan) { s.To, s.Before = p.at, edge(p.leads, p.next) })
	case right:
		c.Drop = append(c.Drop, *p.right)
		p.put(c, *p.right, func(s *ThrottleSpan) { s.From, s.After = p.at, edge(p.follows, p.previous) })
	default:
		c.Put = append(c.Put, ThrottleSpan{
			GPUUUID: p.uuid, Reason: reason, From: p.at, To: p.at,
			After: edge(p.follows, p.previous), Before: edge(p.leads, p.next),
		})
	}
}

func (placement) put(c *ThrottleChange, s ThrottleSpan, change func(*ThrottleSpan)) {
	was := s
	if change(&s); s != was {
		c.Put = append(c.Put, s)
	}
}

// MergeThrottleSpans brings spans of one GPU together that several saw, or that are both stored
// and remembered: of each reason, those that overlap are one. The result is in the order of
// its beginnings.
func MergeThrottleSpans(spans []ThrottleSpan) []ThrottleSpan {
	sorted := slices.SortedFunc(slices.Values(spans), func(a, b ThrottleSpan) int {
		return cmp.Or(cmp.Compare(a.Reason, b.Reason), a.From.Compare(b.From), b.To.Compare(a.To), cmp.Compare(b.Pauses, a.Pauses))
	})
	var out []ThrottleSpan
	for _, s := range sorted {
		if n := len(out); n > 0 && out[n-1].Reason == s.Reason && !s.From.After(out[n-1].To) {
			if last := &out[n-1]; s.To.After(last.To) {
				last.To, last.Before = s.To, s.Before
			} else if s.To.Equal(last.To) && s.Ended() && !last.Ended() {
				last.Before = s.Before
			}
			continue
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b ThrottleSpan) int { return cmp.Or(a.From.Compare(b.From), a.To.Compare(b.To)) })
	return out
}
