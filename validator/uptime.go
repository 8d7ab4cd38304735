package validator

import (
	"math/bits"
	"time"
)

// Uptime is the share of a window's minutes in which at least one heartbeat arrived.
//
// Minutes are counted from the worker's first heartbeat if that is later than the
// window's start, so that a fresh worker and a perfect one both read 100 %. The running
// minute counts from its first heartbeat on: before that, nobody can say yet whether
// it will be missed.
type Uptime struct {
	From, To     time.Time // first minute counted, and the end of the last
	UpMinutes    int
	TotalMinutes int
	Gaps         []Gap // oldest first
}

// Gap is a run of minutes without a heartbeat, from the start of the first to the end of the last.
type Gap struct{ From, To time.Time }

// Minutes is the gap's length.
func (g Gap) Minutes() int { return int(g.To.Sub(g.From) / time.Minute) }

// Percent is UpMinutes of TotalMinutes; missing if no minute can be counted.
func (u Uptime) Percent() Maybe[float64] {
	if u.TotalMinutes == 0 {
		return None[float64]("no heartbeat has arrived yet")
	}
	return Some(float64(u.UpMinutes) / float64(u.TotalMinutes) * 100)
}

// UptimeOver counts the window that ends now. The summary's hours must reach back as
// far as the window.
func UptimeOver(s HeartbeatSummary, window time.Duration, now time.Time) Uptime {
	running := now.UTC().Truncate(time.Minute)
	from := running.Add(-window)
	if s.First == nil {
		return Uptime{From: from, To: running}
	}
	if first := s.First.UTC().Truncate(time.Minute); first.After(from) {
		from = first
	}
	masks := make(map[time.Time]uint64, len(s.Hours))
	for _, h := range s.Hours {
		masks[h.Hour.UTC()] = h.Minutes
	}
	to := running
	if masks[running.Truncate(time.Hour)]>>running.Minute()&1 == 1 {
		to = running.Add(time.Minute)
	}
	u := Uptime{From: from, To: to}
	if !from.Before(to) { // the first heartbeat is ahead of this clock
		return Uptime{From: running, To: running}
	}
	for hour := from.Truncate(time.Hour); hour.Before(to); hour = hour.Add(time.Hour) {
		lo, hi := 0, 60
		if from.After(hour) {
			lo = from.Minute()
		}
		if end := to.Sub(hour); end < time.Hour {
			hi = int(end / time.Minute)
		}
		u.addHour(hour, masks[hour], lo, hi)
	}
	return u
}

// addHour counts the minutes [lo, hi) of an hour.
func (u *Uptime) addHour(hour time.Time, mask uint64, lo, hi int) {
	span := (uint64(1)<<hi - 1) &^ (uint64(1)<<lo - 1)
	up := bits.OnesCount64(mask & span)
	u.TotalMinutes += hi - lo
	u.UpMinutes += up
	if up == hi-lo {
		return
	}
	for m := lo; m < hi; m++ {
		if mask>>m&1 == 1 {
			continue
		}
		at := hour.Add(time.Duration(m) * time.Minute)
		if n := len(u.Gaps); n > 0 && u.Gaps[n-1].To.Equal(at) {
			u.Gaps[n-1].To = at.Add(time.Minute)
		} else {
			u.Gaps = append(u.Gaps, Gap{at, at.Add(time.Minute)})
		}
	}
}
