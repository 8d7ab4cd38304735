package validator

import (
	"testing"
	"time"
)

func TestTimeOfDayNamesTheDayOnceItIsNotClear(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		at   time.Time
		want string
	}{
		{now.Add(-time.Second), "11:59 UTC"},
		{now.Add(-13 * time.Hour), "23:00 UTC"},
		{now.Add(-24*time.Hour + time.Minute), "12:01 UTC"},
		{now.Add(-24 * time.Hour), "28 Feb 12:00 UTC"},
		{now.AddDate(-1, 0, 0), "1 Mar 2025 12:00 UTC"},
		{now.Add(-time.Hour).In(time.FixedZone("UTC+5", 5*3600)), "11:00 UTC"},
		{now.Add(25 * time.Hour), "2 Mar 13:00 UTC"},
	} {
		if got := timeOfDay(c.at, now); got != c.want {
			t.Errorf("%s is %q, want %q", c.at, got, c.want)
		}
	}
}

// TestTheVerdictsWordsDoNotChangeWithTimeAlone, so that a page on which nothing happens stands
// still.
func TestTheVerdictsWordsDoNotChangeWithTimeAlone(t *testing.T) {
	for name, change := range map[string]func(*Picture){
		"a card is gone": func(p *Picture) { p.HostGPUs.GPUs[0].MissingSince = Some(noon.Add(-10 * time.Second)) },
		"a recent job":   func(*Picture) {},
	} {
		p := goodPicture()
		change(&p)
		before := p.Assess()
		p.Now = p.Now.Add(55 * time.Second)
		after := p.Assess()
		if before.Reason != after.Reason {
			t.Errorf("%s: %q became %q", name, before.Reason, after.Reason)
		}
		for i, c := range before.Checks {
			if after.Checks[i].Detail != c.Detail {
				t.Errorf("%s: %q became %q", name, c.Detail, after.Checks[i].Detail)
			}
		}
	}
}
