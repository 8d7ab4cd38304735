package validator

import (
	"fmt"
	"math/bits"
	"time"
)

// HeartbeatInterval is how often a host is expected to be heard, in whole minutes from 1 to
// 60. The zero HeartbeatInterval is one minute.
type HeartbeatInterval int

// MaxHeartbeatInterval is the longest.
const MaxHeartbeatInterval HeartbeatInterval = 60

// Minutes is the interval in minutes.
func (i HeartbeatInterval) Minutes() int { return max(int(i), 1) }

// Duration is the interval as a length of time.
func (i HeartbeatInterval) Duration() time.Duration {
	return time.Duration(i.Minutes()) * time.Minute
}

// How old the newest heartbeat may be at least before a host is late, or gone.
const (
	leastLate = 2 * time.Minute
	leastGone = 5 * time.Minute
)

// LateAfter is how old a host's newest heartbeat is when it is late: two intervals, and two
// minutes at least.
func (i HeartbeatInterval) LateAfter() time.Duration { return max(2*i.Duration(), leastLate) }

// GoneAfter is how old a worker's newest heartbeat is when it no longer counts as active:
// three intervals, and five minutes at least.
func (i HeartbeatInterval) GoneAfter() time.Duration { return max(3*i.Duration(), leastGone) }

// Definition says in words what is counted as uptime.
func (i HeartbeatInterval) Definition() string {
	within, every := "the minute before it", "minute"
	if n := i.Minutes(); n > 1 {
		within, every = fmt.Sprintf("the %d minutes before it", n), fmt.Sprintf("%d minutes", n)
	}
	return "Uptime is the share of minutes that are up. A minute is up if at least one heartbeat arrived in it or in " + within +
		", since a host is expected to be heard every " + every + ". Minutes are counted from the first heartbeat ever; the running one counts once it is up. " +
		"Hours and days are UTC, and what lies before the first heartbeat is not counted."
}

// Uptime is the share of a window's minutes that are up: a heartbeat arrived in them, or in
// the interval before them.
//
// Minutes are counted from the worker's first heartbeat if that is later than the
// window's start, so that a fresh worker and a perfect one both read 100 %. The running
// minute counts once it is up: before that, nobody can say yet whether it will be missed.
type Uptime struct {
	From, To     time.Time // first minute counted, and the end of the last
	UpMinutes    int
	TotalMinutes int
	Gaps         []Gap // oldest first
}

// Gap is a run of minutes that are not up, from the start of the first to the end of the
// last. So it begins when a heartbeat is overdue.
type Gap struct{ From, To time.Time }

// Minutes is the gap's length.
func (g Gap) Minutes() int { return int(g.To.Sub(g.From) / time.Minute) }

// notCounted is why there is no uptime of a time without a minute that counts.
const notCounted = "no heartbeat has arrived yet"

// Percent is UpMinutes of TotalMinutes; missing if no minute can be counted.
func (u Uptime) Percent() Maybe[float64] { return sharePercent(u.UpMinutes, u.TotalMinutes) }

func sharePercent(up, total int) Maybe[float64] {
	if total == 0 {
		return None[float64](notCounted)
	}
	return Some(float64(up) / float64(total) * 100)
}

// UptimeIn counts a window. The summary's hours must reach back to an hour before it.
func UptimeIn(s HeartbeatSummary, w Window, interval HeartbeatInterval, now time.Time) Uptime {
	return newMinutes(s.First, s.Hours, interval, now).in(w)
}

// UptimeOver counts a length of time that ends now. The summary's hours must reach back to an
// hour before it.
func UptimeOver(s HeartbeatSummary, window time.Duration, interval HeartbeatInterval, now time.Time) Uptime {
	return newMinutes(s.First, s.Hours, interval, now).over(window)
}

const everyMinute = uint64(1)<<60 - 1

// upMinutes marks the minutes of an hour that are up: those with a heartbeat, and each that
// follows one within the interval. before are the heartbeats of the hour before.
func upMinutes(before, heard uint64, interval HeartbeatInterval) uint64 {
	up := heard
	for n := 1; n <= interval.Minutes() && up != everyMinute; n++ {
		up |= (heard<<n | before>>(60-n)) & everyMinute
	}
	return up
}

// minutes tells of each minute whether it is up.
type minutes struct {
	heard    map[time.Time]uint64 // by hour
	interval HeartbeatInterval
	running  time.Time // minute
	from, to time.Time // the minutes that count; equal if none does
}

func newMinutes(first *time.Time, hours []HourMask, interval HeartbeatInterval, now time.Time) minutes {
	m := minutes{heard: make(map[time.Time]uint64, len(hours)), interval: interval, running: now.UTC().Truncate(time.Minute)}
	for _, h := range hours {
		m.heard[h.Hour.UTC()] = h.until(now)
	}
	m.from, m.to = m.running, m.running
	if first == nil {
		return m
	}
	if m.up(m.running.Truncate(time.Hour))>>m.running.Minute()&1 == 1 {
		m.to = m.running.Add(time.Minute)
	}
	if at := first.UTC().Truncate(time.Minute); at.Before(m.to) {
		m.from = at
	} else { // it is ahead of this clock
		m.to = m.from
	}
	return m
}

// up marks the minutes of an hour.
func (m minutes) up(hour time.Time) uint64 {
	return upMinutes(m.heard[hour.Add(-time.Hour)], m.heard[hour], m.interval)
}

// in counts a window.
func (m minutes) in(w Window) Uptime {
	if w == Window24h {
		return m.over(UptimeDayWindow)
	}
	if m.from.Equal(m.to) {
		return Uptime{From: m.running, To: m.running}
	}
	return m.between(w.Start(m.running), m.to)
}

// over counts a length of time that ends now.
func (m minutes) over(window time.Duration) Uptime {
	if m.from.Equal(m.to) {
		return Uptime{From: m.running, To: m.running}
	}
	return m.between(m.to.Add(-window), m.to)
}

// between counts those of the minutes from one time to another that count.
func (m minutes) between(from, to time.Time) Uptime {
	u := Uptime{From: later(from, m.from), To: earlier(to, m.to)}
	if !u.From.Before(u.To) {
		return Uptime{From: from, To: from}
	}
	for hour := u.From.Truncate(time.Hour); hour.Before(u.To); hour = hour.Add(time.Hour) {
		lo, hi := 0, 60
		if u.From.After(hour) {
			lo = u.From.Minute()
		}
		if end := u.To.Sub(hour); end < time.Hour {
			hi = int(end / time.Minute)
		}
		u.addHour(hour, m.up(hour), lo, hi)
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

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
