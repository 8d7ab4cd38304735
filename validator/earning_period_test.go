package validator

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

func day(t *testing.T, text string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestPeriodsBeginInUTC(t *testing.T) {
	for _, c := range []struct {
		by        Grouping
		day, want string
	}{
		{ByDay, "2026-03-29", "2026-03-29"},
		{ByWeek, "2026-11-23", "2026-11-23"}, // a Monday
		{ByWeek, "2026-11-29", "2026-11-23"}, // the Sunday of its week
		{ByWeek, "2027-01-01", "2026-12-28"}, // week 53 of the year before
		{ByWeek, "2024-12-31", "2024-12-30"}, // week 1 of the year after
		{ByWeek, "2024-02-29", "2024-02-26"},
		{ByMonth, "2024-02-29", "2024-02-01"},
		{ByMonth, "2026-12-31", "2026-12-01"},
	} {
		if got := c.by.Start(day(t, c.day)).Format(time.DateOnly); got != c.want {
			t.Errorf("the %s of %s begins on %s, want %s", c.by, c.day, got, c.want)
		}
	}
	// Summer time begins in the reader's zone, and nothing changes: days are UTC's.
	berlin := time.FixedZone("CEST", 2*60*60)
	if got := ByDay.Start(time.Date(2026, 3, 29, 1, 30, 0, 0, berlin)); !got.Equal(day(t, "2026-03-28")) {
		t.Errorf("half past one in the night of summer time is on %s", got)
	}
}

func TestPeriodsAreCutToTheRange(t *testing.T) {
	now := day(t, "2027-01-05").Add(15 * time.Hour)
	r := DayRange{day(t, "2026-12-24"), day(t, "2027-01-05")}
	for by, want := range map[Grouping]string{
		ByWeek:  "2026-12-24..2026-12-27 false, 2026-12-28..2027-01-03 true, 2027-01-04..2027-01-05 false",
		ByMonth: "2026-12-24..2026-12-31 false, 2027-01-01..2027-01-05 false",
	} {
		got := ""
		for _, p := range NewEarningReport(r, by, nil, 0, now).Periods {
			got += fmt.Sprintf(", %s..%s %v", p.First.Format(time.DateOnly), p.Last.Format(time.DateOnly), p.Whole)
		}
		if got != ", "+want {
			t.Errorf("by %s: %s", by, got)
		}
	}
	days := NewEarningReport(r, ByDay, nil, 0, now).Periods
	if len(days) != 13 || !days[11].Whole || days[12].Whole {
		t.Errorf("%d days; yesterday is whole: %v, today: %v", len(days), days[11].Whole, days[12].Whole)
	}
}

// TestPeriodsAddUp: whatever the range and the periods, nothing is lost or counted twice.
func TestPeriodsAddUp(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	start := day(t, "2023-11-20")
	for range 300 {
		first := start.AddDate(0, 0, dice.IntN(800))
		r := DayRange{first, first.AddDate(0, 0, dice.IntN(500))}
		var days []EarningDay
		want, entries := Wei{}, int64(0)
		for d := first.AddDate(0, 0, -3); !d.After(r.Last.AddDate(0, 0, 3)); d = d.AddDate(0, 0, 1) {
			e := EarningDay{Day: d, Kind: RewardKinds[dice.IntN(len(RewardKinds))], Entries: dice.Int64N(9), Amount: WeiFromInt(dice.Int64())}
			days = append(days, e)
			if !d.Before(r.First) && !d.After(r.Last) {
				want, entries = want.Add(e.Amount), entries+e.Entries
			}
		}
		for _, by := range []Grouping{ByDay, ByWeek, ByMonth} {
			report := NewEarningReport(r, by, days, 0, r.End())
			sum, next := Wei{}, r.First
			for _, p := range report.Periods {
				if !p.First.Equal(next) || p.Last.Before(p.First) {
					t.Fatalf("by %s of %v: a period from %s, want from %s", by, r, p.First, next)
				}
				sum, next = sum.Add(p.Sums.Total().Amount), p.End()
			}
			if total := report.Sums.Total(); !next.Equal(r.End()) || !sum.Equal(want) || !total.Amount.Equal(want) || total.Entries != entries {
				t.Fatalf("by %s of %v: %s in periods up to %s, %v in all; want %s, %d", by, r, sum, next, total, want, entries)
			}
			if n := r.Periods(by); n != len(report.Periods) {
				t.Fatalf("by %s of %v: %d periods are announced, there are %d", by, r, n, len(report.Periods))
			}
		}
	}
}

func TestAveragesAreMissingWithoutWhatTheyAreOf(t *testing.T) {
	r := DayRange{day(t, "2026-11-01"), day(t, "2026-11-02")}
	none := NewEarningReport(r, ByDay, nil, 0, r.End())
	if none.PerJob().Known() || none.PerGPUHour().Known() {
		t.Error("averages of nothing")
	}
	some := NewEarningReport(r, ByDay, []EarningDay{
		{Day: r.First, Kind: RewardJob, Entries: 3, Amount: WeiFromInt(1000)},
		{Day: r.Last, Kind: RewardStaking, Entries: 1, Amount: WeiFromInt(7)},
	}, 2.5, r.End())
	if a, b := some.PerJob().Or(Wei{}).String(), some.PerGPUHour().Or(Wei{}).String(); a != "333" || b != "400" {
		t.Errorf("a job brought %s, an hour %s", a, b)
	}
}
