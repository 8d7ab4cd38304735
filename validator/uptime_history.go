package validator

import (
	"math/bits"
	"slices"
	"time"
)

// UptimeHistory is what stays of a worker's heartbeats: the minutes of recent hours, and how
// many minutes of each earlier day are up.
type UptimeHistory struct {
	Interval HeartbeatInterval // that Days were counted with

	// Since is the UTC day from which on Hours tell everything; they begin with the hour
	// before it, whose heartbeats reach into it. Days are those before it, back to FirstDay.
	Since    time.Time
	FirstDay time.Time

	HeardOver             // any host
	Hosts     []HostHeard // by name
}

// HeardOver is when a worker, or one of its hosts, was heard.
type HeardOver struct {
	First *time.Time  // to the minute; nil: no heartbeat ever arrived
	Hours []HourMask  // oldest first; hours without a heartbeat are left out
	Days  []UptimeDay // oldest first; days without a minute that is up are left out
}

// HostHeard is the part of one of the worker's hosts.
type HostHeard struct {
	WorkerID string
	HeardOver
}

// UptimeDay says how many minutes of a UTC day are up.
type UptimeDay struct {
	Day     time.Time
	Minutes int
}

// How long the shortest window of uptime is, and how many days others span, today included.
const (
	UptimeDayWindow = 24 * time.Hour
	UptimeGridDays  = int(Window30d) // by the hour
	UptimeYearDays  = int(Window365d)
)

// UptimeSpan is an hour or a day of uptime, or many of them.
type UptimeSpan struct {
	From, To     time.Time // of the span, whatever of it counts
	UpMinutes    int
	TotalMinutes int // that count: from the first heartbeat ever, until now
}

// Percent is UpMinutes of TotalMinutes; missing if no minute of the span counts.
func (s UptimeSpan) Percent() Maybe[float64] { return sharePercent(s.UpMinutes, s.TotalMinutes) }

// UptimeReport is the uptime of a worker, or of one of its hosts, at every scale.
type UptimeReport struct {
	WorkerID         string // of the host, among Hosts
	First            *time.Time
	LastMinute       *time.Time // the newest in which it was heard; nil if that is longer ago than Hours reach
	Day, Week, Month Uptime     // Window24h, Window7d and Window30d
	Year             UptimeSpan // of Days
	Hours            []UptimeSpan
	Days             []UptimeSpan // oldest first; today, which is not over, is the last
}

// UptimeReports is a worker's uptime as pages show it.
type UptimeReports struct {
	Interval HeartbeatInterval
	UptimeReport
	Hosts []UptimeReport // by name
}

// Host returns the report of one of the hosts, and whether there is one of that name.
func (r UptimeReports) Host(workerID string) (UptimeReport, bool) {
	i := slices.IndexFunc(r.Hosts, func(h UptimeReport) bool { return h.WorkerID == workerID })
	if i < 0 {
		return UptimeReport{}, false
	}
	return r.Hosts[i], true
}

// Report counts a history's minutes.
func (h UptimeHistory) Report(now time.Time) UptimeReports {
	r := UptimeReports{Interval: h.Interval, UptimeReport: h.report("", h.HeardOver, now)}
	for _, host := range h.Hosts {
		r.Hosts = append(r.Hosts, h.report(host.WorkerID, host.HeardOver, now))
	}
	return r
}

const dayLength = 24 * time.Hour

func (h UptimeHistory) report(host string, heard HeardOver, now time.Time) UptimeReport {
	m := newMinutes(heard.First, heard.Hours, h.Interval, now)
	r := UptimeReport{
		WorkerID: host, First: heard.First, LastMinute: lastMinute(heard.Hours, now),
		Day: m.in(Window24h), Week: m.in(Window7d), Month: m.in(Window30d),
	}
	today := m.running.Truncate(dayLength)
	for hour := today.Add(time.Duration(1-UptimeGridDays) * dayLength); !hour.After(m.running); hour = hour.Add(time.Hour) {
		r.Hours = append(r.Hours, m.span(hour, hour.Add(time.Hour)))
	}
	counted := make(map[time.Time]int, len(heard.Days))
	for _, d := range heard.Days {
		counted[d.Day.UTC()] = d.Minutes
	}
	for n := UptimeYearDays - 1; n >= 0; n-- {
		day := today.AddDate(0, 0, -n)
		s := UptimeSpan{From: day, To: day.Add(dayLength)}
		if day.Before(h.Since) {
			s.UpMinutes, s.TotalMinutes = counted[day], m.counting(s.From, s.To)
		} else {
			s = m.span(s.From, s.To)
		}
		r.Days = append(r.Days, s)
		r.Year.UpMinutes += s.UpMinutes
		r.Year.TotalMinutes += s.TotalMinutes
	}
	r.Year.From, r.Year.To = r.Days[0].From, r.Days[len(r.Days)-1].To
	return r
}

func lastMinute(hours []HourMask, now time.Time) *time.Time {
	for _, h := range slices.Backward(hours) {
		if heard := h.until(now); heard != 0 {
			at := h.Hour.UTC().Add(time.Duration(bits.Len64(heard)-1) * time.Minute)
			return &at
		}
	}
	return nil
}

// span counts an hour or a day.
func (m minutes) span(from, to time.Time) UptimeSpan {
	u := m.between(from, to)
	return UptimeSpan{From: from, To: to, UpMinutes: u.UpMinutes, TotalMinutes: u.TotalMinutes}
}

// counting is how many of the minutes from one time to another count.
func (m minutes) counting(from, to time.Time) int {
	return max(int(earlier(to, m.to).Sub(later(from, m.from))/time.Minute), 0)
}
