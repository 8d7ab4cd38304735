package validator

import (
	"math/big"
	"time"
)

// RewardKinds lists the kinds of earnings in the order in which pages and exports have them.
var RewardKinds = []RewardKind{RewardJob, RewardStaking, RewardMining, RewardBonus}

// Grouping is the length of the periods by which earnings are summed up. All are in UTC.
type Grouping string

// The groupings: a day, an ISO week from Monday to Sunday, a month of the calendar.
const (
	ByDay   Grouping = "day"
	ByWeek  Grouping = "week"
	ByMonth Grouping = "month"
)

const daysPerWeek = 7

// Start is the first day of the period that a UTC day lies in.
func (g Grouping) Start(day time.Time) time.Time {
	day = DayOf(day)
	switch g {
	case ByWeek:
		sinceMonday := (int(day.Weekday()) + daysPerWeek - int(time.Monday)) % daysPerWeek
		return day.AddDate(0, 0, -sinceMonday)
	case ByMonth:
		return day.AddDate(0, 0, 1-day.Day())
	case ByDay:
	}
	return day
}

// next is the first day of the period after the one that begins at start.
func (g Grouping) next(start time.Time) time.Time {
	switch g {
	case ByWeek:
		return start.AddDate(0, 0, daysPerWeek)
	case ByMonth:
		return start.AddDate(0, 1, 0)
	case ByDay:
	}
	return start.AddDate(0, 0, 1)
}

// DayOf is the start of the UTC day of a time.
func DayOf(t time.Time) time.Time { return t.UTC().Truncate(24 * time.Hour) }

// DayRange is a range of whole UTC days, the last one included.
type DayRange struct{ First, Last time.Time }

// Days counts the days of the range, at least 1.
func (r DayRange) Days() int { return int(r.Last.Sub(r.First)/(24*time.Hour)) + 1 }

// End is the moment at which the last day is over.
func (r DayRange) End() time.Time { return r.Last.AddDate(0, 0, 1) }

// Length is how much of the range has passed at now.
func (r DayRange) Length(now time.Time) time.Duration {
	end := r.End()
	if now.Before(end) {
		end = now
	}
	return max(end.Sub(r.First), 0)
}

// Periods counts the periods of a grouping that the range touches.
func (r DayRange) Periods(g Grouping) int {
	n := 0
	switch first := g.Start(r.First); g {
	case ByMonth:
		n = (r.Last.Year()-first.Year())*12 + int(r.Last.Month()) - int(first.Month())
	case ByWeek:
		n = int(r.Last.Sub(first) / (daysPerWeek * 24 * time.Hour))
	case ByDay:
		n = int(r.Last.Sub(first) / (24 * time.Hour))
	}
	return n + 1
}

// EarningSum is a sum of earnings, and of how many.
type EarningSum struct {
	Entries int64
	Amount  Wei
}

// EarningSums are sums of earnings by kind.
type EarningSums map[RewardKind]EarningSum

// Total sums up all kinds.
func (s EarningSums) Total() EarningSum {
	var t EarningSum
	for _, k := range s {
		t.Entries += k.Entries
		t.Amount = t.Amount.Add(k.Amount)
	}
	return t
}

func (s EarningSums) add(d EarningDay) {
	k := s[d.Kind]
	s[d.Kind] = EarningSum{k.Entries + d.Entries, k.Amount.Add(d.Amount)}
}

// EarningPeriod sums up the earnings of a day, week or month, as far as it lies in the range.
type EarningPeriod struct {
	DayRange

	Whole bool // all of the period lies in the range and has passed
	Sums  EarningSums
}

// EarningReport is what a wallet earned in a range of days.
type EarningReport struct {
	Range   DayRange
	By      Grouping
	At      time.Time       // as of when
	Periods []EarningPeriod // oldest first, those without earnings included
	Sums    EarningSums
	JobTime ComputeTime // sum of the execution times of the jobs that ended in the range
	// ClaimEvents says how far the events are read that claims come into the database by.
	ClaimEvents Maybe[IndexCursor]
}

// Kind is the part of one kind in the sums of the report or of one of its periods. Staking
// rewards are known by events: without any, and before events are read, it is missing.
func (r EarningReport) Kind(sums EarningSums, k RewardKind) Maybe[EarningSum] {
	if k != RewardStaking {
		return Some(sums[k])
	}
	return FoundInEvents(sums[k], sums[k].Entries == 0, r.ClaimEvents)
}

// Total is the sum of all kinds in the sums of the report or of one of its periods, missing
// as that of Kind is.
func (r EarningReport) Total(sums EarningSums) Maybe[EarningSum] {
	return FoundInEvents(sums.Total(), sums.Total().Entries == 0, r.ClaimEvents)
}

// Claims counts the claims among all earnings of the report, missing as that of Kind is.
func (r EarningReport) Claims() Maybe[int64] {
	n := r.Sums.Total().Entries - r.Sums[RewardJob].Entries
	return FoundInEvents(n, n == 0, r.ClaimEvents)
}

// JobHours is the hours of JobTime; missing if no job tells how long it ran.
func (r EarningReport) JobHours() Maybe[float64] {
	if r.JobTime <= 0 {
		return None[float64](noJobTime)
	}
	return Some(r.JobTime.Hours())
}

const noJobTime = "no job that ended in this time tells how long it ran"

// EarnedWei is the amount of a sum that may be missing.
func EarnedWei(s Maybe[EarningSum]) Maybe[Wei] {
	return Map(s, func(s EarningSum) Wei { return s.Amount })
}

// NewEarningReport sums up days of earnings by periods. Days outside the range do not count.
func NewEarningReport(r DayRange, g Grouping, days []EarningDay, jobTime ComputeTime, now time.Time) EarningReport {
	report := EarningReport{Range: r, By: g, At: now, Sums: EarningSums{}, JobTime: jobTime}
	at := map[time.Time]int{}
	for start := g.Start(r.First); !start.After(r.Last); start = g.next(start) {
		p := EarningPeriod{DayRange: DayRange{start, g.next(start).AddDate(0, 0, -1)}, Sums: EarningSums{}}
		p.Whole = !p.First.Before(r.First) && !p.Last.After(r.Last) && !p.End().After(now)
		if p.First.Before(r.First) {
			p.First = r.First
		}
		if p.Last.After(r.Last) {
			p.Last = r.Last
		}
		at[start] = len(report.Periods)
		report.Periods = append(report.Periods, p)
	}
	for _, d := range days {
		if d.Day.Before(r.First) || d.Day.After(r.Last) {
			continue
		}
		report.Periods[at[g.Start(d.Day)]].Sums.add(d)
		report.Sums.add(d)
	}
	return report
}

// PerJob is what a paid job brought on average, in wei, rounded down.
func (r EarningReport) PerJob() Maybe[Wei] {
	jobs := r.Sums[RewardJob]
	if jobs.Entries <= 0 {
		return None[Wei]("no job was paid in this time")
	}
	return Some(jobs.Amount.MulDiv(big.NewInt(1), big.NewInt(jobs.Entries)))
}

// PerGPUHour is what jobs paid for an hour of execution on average, in wei, rounded down:
// all payments for jobs in the range by the execution time of all jobs that ended in it,
// failed ones among them, as far as jobs tell theirs.
func (r EarningReport) PerGPUHour() Maybe[Wei] {
	hours := new(big.Rat).SetFloat64(float64(r.JobTime))
	if hours == nil || hours.Sign() <= 0 {
		return None[Wei](noJobTime)
	}
	return Some(r.Sums[RewardJob].Amount.MulDiv(hours.Denom(), hours.Num()))
}
