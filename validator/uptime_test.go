package validator

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func beats(minutes ...time.Time) HeartbeatSummary {
	var s HeartbeatSummary
	at := map[time.Time]int{}
	for _, m := range minutes {
		if s.First == nil || m.Before(*s.First) {
			s.First = &m
		}
		hour := m.Truncate(time.Hour)
		i, ok := at[hour]
		if !ok {
			i = len(s.Hours)
			at[hour] = i
			s.Hours = append(s.Hours, HourMask{Hour: hour})
		}
		s.Hours[i].Minutes |= 1 << m.Minute()
	}
	return s
}

func TestUptimeOfAFreshWorkerAndAPerfectOneReadHundred(t *testing.T) {
	now := time.Date(2026, 5, 4, 12, 30, 20, 0, time.UTC)
	fresh := UptimeOver(beats(now.Add(-5*time.Second)), 24*time.Hour, 1, now)
	if p, _ := fresh.Percent().Get(); p != 100 || fresh.TotalMinutes != 1 {
		t.Errorf("fresh worker: %v %% of %d minutes", p, fresh.TotalMinutes)
	}
	var all []time.Time
	for m := now.Truncate(time.Minute).Add(-40 * time.Hour); m.Before(now.Truncate(time.Minute)); m = m.Add(time.Minute) {
		all = append(all, m)
	}
	perfect := UptimeOver(beats(all...), 24*time.Hour, 1, now)
	if p, _ := perfect.Percent().Get(); p != 100 || perfect.TotalMinutes != 1440 || len(perfect.Gaps) != 0 {
		t.Errorf("perfect worker: %v %% of %d minutes, gaps %v", p, perfect.TotalMinutes, perfect.Gaps)
	}
}

func TestUptimeWithoutHeartbeatsIsMissing(t *testing.T) {
	u := UptimeOver(HeartbeatSummary{}, time.Hour, 1, time.Now())
	if u.Percent().Known() {
		t.Error("a worker that never sent a heartbeat has an uptime")
	}
}

// heardAt is a naive model: the minutes with a heartbeat, each on its own.
type heardAt map[time.Time]bool

// up says whether a minute is up, by looking at each minute of the interval before it.
func (h heardAt) up(minute time.Time, interval int) bool {
	for n := range interval + 1 {
		if h[minute.Add(-time.Duration(n)*time.Minute)] {
			return true
		}
	}
	return false
}

// count counts the minutes between two times, of those that count at now.
func (h heardAt) count(from, to, now time.Time, interval int) (up, total int) {
	var first time.Time
	for m := range h {
		if first.IsZero() || m.Before(first) {
			first = m
		}
	}
	running := now.Truncate(time.Minute)
	for m := from; m.Before(to); m = m.Add(time.Minute) {
		isUp := h.up(m, interval)
		if first.IsZero() || m.Before(first) || m.After(running) || m.Equal(running) && !isUp {
			continue
		}
		if total++; isUp {
			up++
		}
	}
	return up, total
}

func drawHeard(t *rapid.T, running time.Time, reach int) (heardAt, []time.Time) {
	h := heardAt{}
	var list []time.Time
	for _, ago := range rapid.SliceOfN(rapid.IntRange(0, reach), 0, 200).Draw(t, "ago") {
		m := running.Add(-time.Duration(ago) * time.Minute)
		h[m] = true
		list = append(list, m)
	}
	return h, list
}

func TestUptimeCountsEveryMinuteExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 5, 4, rapid.IntRange(0, 23).Draw(t, "hour"), rapid.IntRange(0, 59).Draw(t, "minute"), rapid.IntRange(0, 59).Draw(t, "second"), 0, time.UTC)
		running := now.Truncate(time.Minute)
		window := time.Duration(rapid.IntRange(1, 300).Draw(t, "window")) * time.Minute
		interval := rapid.IntRange(1, 60).Draw(t, "interval")
		heard, list := drawHeard(t, running, 400)
		u := UptimeOver(beats(list...), window, HeartbeatInterval(interval), now)

		end := running
		if heard.up(running, interval) {
			end = running.Add(time.Minute)
		}
		up, total := heard.count(end.Add(-window), end, now, interval)
		missing := 0
		for i, g := range u.Gaps {
			missing += g.Minutes()
			if i > 0 && !u.Gaps[i-1].To.Before(g.From) {
				t.Fatalf("gaps touch: %v", u.Gaps)
			}
			for m := g.From; m.Before(g.To); m = m.Add(time.Minute) {
				if heard.up(m, interval) {
					t.Fatalf("gap %v holds a minute that is up", g)
				}
			}
		}
		if u.TotalMinutes != total || u.UpMinutes != up || missing != total-up {
			t.Fatalf("got %d of %d, %d missing; want %d of %d", u.UpMinutes, u.TotalMinutes, missing, up, total)
		}
	})
}

// TestAHostThatKeepsItsIntervalReadsHundred, at whatever second of the minute it is heard.
func TestAHostThatKeepsItsIntervalReadsHundred(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		interval := HeartbeatInterval(rapid.IntRange(1, 60).Draw(t, "interval"))
		now := time.Date(2026, 5, 4, 12, 30, rapid.IntRange(0, 59).Draw(t, "second"), 0, time.UTC)
		var list []time.Time
		for at := now.Add(-30 * time.Hour).Add(time.Duration(rapid.IntRange(0, 59).Draw(t, "offset")) * time.Second); !at.After(now); at = at.Add(interval.Duration()) {
			list = append(list, at.Truncate(time.Minute))
		}
		u := UptimeOver(beats(list...), 24*time.Hour, interval, now)
		if p, _ := u.Percent().Get(); p != 100 || u.TotalMinutes != 1440 {
			t.Fatalf("%v %% of %d minutes, gaps %v", p, u.TotalMinutes, u.Gaps)
		}
		// Every second heartbeat is too few for the shorter half of the interval.
		if n := interval.Minutes(); n >= 4 {
			if p, _ := UptimeOver(beats(list...), 24*time.Hour, interval/2, now).Percent().Get(); p == 100 {
				t.Fatalf("heard every %d minutes, a host that is expected twice as often reads %v %%", n, p)
			}
		}
	})
}

// TestAReportCountsEveryMinuteExactly, in the hours whose minutes are known and in the days
// of which a count is kept.
func TestAReportCountsEveryMinuteExactly(t *testing.T) {
	const reach = 45 * 24 * 60
	rapid.Check(t, func(t *rapid.T) {
		interval := rapid.IntRange(1, 60).Draw(t, "interval")
		now := time.Date(2026, 5, 4, rapid.IntRange(0, 23).Draw(t, "hour"), rapid.IntRange(0, 59).Draw(t, "minute"), 7, 0, time.UTC)
		running, today := now.Truncate(time.Minute), now.Truncate(dayLength)
		heard, list := drawHeard(t, running, reach)
		all := beats(list...)
		since := Window30d.Start(now)
		h := UptimeHistory{Interval: HeartbeatInterval(interval), Since: since, FirstDay: today.AddDate(0, 0, 1-UptimeYearDays)}
		h.First = all.First
		for _, hour := range all.Hours {
			if !hour.Hour.Before(since.Add(-time.Hour)) {
				h.Hours = append(h.Hours, hour)
			}
		}
		for day := running.Add(-reach * time.Minute).Truncate(dayLength); day.Before(since); day = day.Add(dayLength) {
			// What a database counts of a day knows of no first heartbeat and of no now.
			up := 0
			for m := day; m.Before(day.Add(dayLength)); m = m.Add(time.Minute) {
				if heard.up(m, interval) {
					up++
				}
			}
			h.Days = append(h.Days, UptimeDay{day, up})
		}
		r := h.Report(now)
		if len(r.Days) != UptimeYearDays || len(r.Hours) != (UptimeGridDays-1)*24+now.Hour()+1 {
			t.Fatalf("%d days, %d hours", len(r.Days), len(r.Hours))
		}
		var year UptimeSpan
		for _, s := range append(r.Hours, r.Days...) {
			if s.To.Before(running.Add(-reach * time.Minute)) {
				if s.TotalMinutes != 0 || s.Percent().Known() {
					t.Fatalf("%v before the first heartbeat counts: %+v", s.From, s)
				}
				continue
			}
			up, total := heard.count(s.From, s.To, now, interval)
			if s.UpMinutes != up || s.TotalMinutes != total || s.Percent().Known() != (total > 0) {
				t.Fatalf("%v: %d of %d, want %d of %d", s.From, s.UpMinutes, s.TotalMinutes, up, total)
			}
			if s.To.Sub(s.From) == dayLength {
				year.UpMinutes, year.TotalMinutes = year.UpMinutes+up, year.TotalMinutes+total
			}
		}
		if r.Year.UpMinutes != year.UpMinutes || r.Year.TotalMinutes != year.TotalMinutes {
			t.Fatalf("the year has %d of %d, want %d of %d", r.Year.UpMinutes, r.Year.TotalMinutes, year.UpMinutes, year.TotalMinutes)
		}
		for name, w := range map[string]struct {
			got    Uptime
			length Window
		}{"day": {r.Day, Window24h}, "week": {r.Week, Window7d}, "month": {r.Month, Window30d}} {
			if want := UptimeIn(all, w.length, HeartbeatInterval(interval), now); w.got.UpMinutes != want.UpMinutes || w.got.TotalMinutes != want.TotalMinutes || len(w.got.Gaps) != len(want.Gaps) {
				t.Fatalf("the %s has %d of %d, want %d of %d", name, w.got.UpMinutes, w.got.TotalMinutes, want.UpMinutes, want.TotalMinutes)
			}
		}
	})
}

func TestLateAndGoneFollowTheInterval(t *testing.T) {
	for interval, want := range map[HeartbeatInterval][2]time.Duration{
		0: {2 * time.Minute, 5 * time.Minute}, 1: {2 * time.Minute, 5 * time.Minute}, 2: {4 * time.Minute, 6 * time.Minute},
		5: {10 * time.Minute, 15 * time.Minute}, 60: {2 * time.Hour, 3 * time.Hour},
	} {
		if interval.LateAfter() != want[0] || interval.GoneAfter() != want[1] {
			t.Errorf("every %d minutes: late after %v, gone after %v", interval, interval.LateAfter(), interval.GoneAfter())
		}
	}
	for age, want := range map[time.Duration]CheckState{10 * time.Minute: CheckPass, 11 * time.Minute: CheckWarn, 15 * time.Minute: CheckWarn, 16 * time.Minute: CheckFail} {
		p := goodPicture()
		p.HeartbeatInterval = 5
		h, _ := p.Heartbeats.Get()
		h.Last.At = noon.Add(-age)
		if c := p.checkHeartbeat(); c.State != want {
			t.Errorf("%v old: %+v", age, c)
		}
	}
}
