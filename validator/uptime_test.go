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
	fresh := UptimeOver(beats(now.Add(-5*time.Second)), 24*time.Hour, now)
	if p, _ := fresh.Percent().Get(); p != 100 || fresh.TotalMinutes != 1 {
		t.Errorf("fresh worker: %v %% of %d minutes", p, fresh.TotalMinutes)
	}
	var all []time.Time
	for m := now.Truncate(time.Minute).Add(-40 * time.Hour); m.Before(now.Truncate(time.Minute)); m = m.Add(time.Minute) {
		all = append(all, m)
	}
	perfect := UptimeOver(beats(all...), 24*time.Hour, now)
	if p, _ := perfect.Percent().Get(); p != 100 || perfect.TotalMinutes != 1440 || len(perfect.Gaps) != 0 {
		t.Errorf("perfect worker: %v %% of %d minutes, gaps %v", p, perfect.TotalMinutes, perfect.Gaps)
	}
}

func TestUptimeWithoutHeartbeatsIsMissing(t *testing.T) {
	u := UptimeOver(HeartbeatSummary{}, time.Hour, time.Now())
	if u.Percent().Known() {
		t.Error("a worker that never sent a heartbeat has an uptime")
	}
}

func TestUptimeCountsEveryMinuteExactly(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		now := time.Date(2026, 5, 4, 12, rapid.IntRange(0, 59).Draw(t, "minute"), rapid.IntRange(0, 59).Draw(t, "second"), 0, time.UTC)
		window := time.Duration(rapid.IntRange(1, 300).Draw(t, "window")) * time.Minute
		up := map[time.Time]bool{}
		var list []time.Time
		for _, ago := range rapid.SliceOfN(rapid.IntRange(0, 400), 1, 200).Draw(t, "ago") {
			m := now.Truncate(time.Minute).Add(-time.Duration(ago) * time.Minute)
			up[m] = true
			list = append(list, m)
		}
		u := UptimeOver(beats(list...), window, now)

		running := now.Truncate(time.Minute)
		from, to := running.Add(-window), running
		if first := *beats(list...).First; first.After(from) {
			from = first
		}
		if up[running] {
			to = running.Add(time.Minute)
		}
		total, seen, missing := 0, 0, 0
		for m := from; m.Before(to); m = m.Add(time.Minute) {
			total++
			if up[m] {
				seen++
			}
		}
		for i, g := range u.Gaps {
			missing += g.Minutes()
			if i > 0 && !u.Gaps[i-1].To.Before(g.From) {
				t.Fatalf("gaps touch: %v", u.Gaps)
			}
			for m := g.From; m.Before(g.To); m = m.Add(time.Minute) {
				if up[m] {
					t.Fatalf("gap %v holds a minute with a heartbeat", g)
				}
			}
		}
		if u.TotalMinutes != total || u.UpMinutes != seen || missing != total-seen {
			t.Fatalf("got %d of %d, %d missing; want %d of %d", u.UpMinutes, u.TotalMinutes, missing, seen, total)
		}
	})
}
