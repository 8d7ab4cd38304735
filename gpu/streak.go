package gpu

import (
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// streak is an unbroken row of readings in which something held. A reading that does not
// tell is as good as none: only a gap longer than readings take to grow stale breaks it.
type streak struct {
	first, last time.Time // zero while it does not hold
}

// observe adds a reading to the streak and returns since when the thing holds, or else why
// there is no such time: otherwise, if the reading says that it does not hold.
func (k *streak) observe(holds validator.Maybe[bool], at time.Time, gapAfter time.Duration, otherwise string) validator.Maybe[time.Time] {
	held, known := holds.Get()
	switch {
	case !known:
		return validator.None[time.Time](holds.Reason())
	case !held:
		*k = streak{}
		return validator.None[time.Time](otherwise)
	case k.first.IsZero() || at.Sub(k.last) > gapAfter:
		k.first = at
	}
	k.last = at
	return validator.Some(k.first)
}

// trouble is since when one card is slowed and hot, and what slowed it lately.
type trouble struct {
	slowed, hot streak
	lately      validator.Slowdown
	tracker     validator.ThrottleTracker
}

// remember adds a reading to what slowed the card lately, and returns that.
func (t *trouble) remember(reasons validator.Maybe[validator.ThrottleReasons], at time.Time) validator.Maybe[validator.Slowdown] {
	if at.Sub(t.lately.Last) > validator.SlowedMemory {
		t.lately = validator.Slowdown{}
	}
	if r := reasons.Or(0); r.Slowed() {
		t.lately = validator.Slowdown{Last: at, Reasons: t.lately.Reasons | r}
	}
	if t.lately.Last.IsZero() {
		return validator.None[validator.Slowdown](notSlowed)
	}
	return validator.Some(t.lately)
}

// attachStreaks tells each card that was read at the given time since when it is slowed and
// hot. The others keep what their last reading said.
func (s *Sampler) attachStreaks(at time.Time) {
	for i := range s.cards {
		g := &s.cards[i]
		if g.Fault.Known() || !g.SampledAt.Equal(at) {
			continue
		}
		t := s.troubles[cardKey(*g)]
		if t == nil {
			t = &trouble{}
			s.troubles[cardKey(*g)] = t
		}
		slowed := validator.Map(g.ThrottleReasons, validator.ThrottleReasons.Slowed)
		hot := validator.Map2(g.TemperatureC, g.HeatLimitC(), func(_, _ int) bool { return g.NearHeatLimit() })
		g.SlowedSince = t.slowed.observe(slowed, at, s.cfg.StaleAfter, notSlowed)
		g.SlowedLately = t.remember(g.ThrottleReasons, at)
		g.HotSince = t.hot.observe(hot, at, s.cfg.StaleAfter, notHot)
		if g.UUID != "" {
			s.recordSpans(g.UUID, t.tracker.Observe(g.UUID, g.ThrottleReasons, at, s.cfg.StaleAfter))
		}
	}
	for i := range s.cards {
		s.cards[i].Throttled = s.spans[s.cards[i].UUID]
	}
}

// spansKept is how many spans of one GPU a snapshot holds, the newest.
const spansKept = 100

// recordSpans records the spans of a card that a reading began, continued or ended.
func (s *Sampler) recordSpans(uuid string, changed []validator.ThrottleSpan) {
	if len(changed) == 0 {
		return
	}
	fresh := slices.Clone(s.spans[uuid]) // snapshots that were handed out hold the old slice
	for _, x := range changed {
		s.journal.throttled(x)
		i := slices.IndexFunc(fresh, func(old validator.ThrottleSpan) bool { return old.Reason == x.Reason && old.From.Equal(x.From) })
		if i < 0 {
			fresh = append(fresh, x)
		} else {
			fresh[i] = x
		}
	}
	s.spans[uuid] = fresh[max(len(fresh)-spansKept, 0):]
}
