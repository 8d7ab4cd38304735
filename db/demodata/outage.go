package demodata

import (
	"slices"
	"time"
)

// outage is a time in which no heartbeat arrives.
type outage struct{ from, to time.Time }

func (o outage) holds(t time.Time) bool { return !t.Before(o.from) && t.Before(o.to) }

// killsJobs is how long an outage must be for running jobs to fail of it.
const killsJobs = 5 * time.Minute

// outages are the worker's: some that the dashboard's first screen shows, one around each
// slash, and short ones now and then.
func (s Story) outages() []outage {
	ago := func(back, length time.Duration) outage {
		from := s.Now.Add(-back).Truncate(time.Minute)
		return outage{from, from.Add(length)}
	}
	const day = 24 * time.Hour
	out := []outage{
		ago(7*time.Hour+10*time.Minute, 25*time.Minute), ago(15*time.Hour, 3*time.Minute), // today
		ago(4*day+9*time.Hour, 35*time.Minute),   // a driver's update
		ago(61*day+20*time.Hour, 95*time.Minute), // the provider's network
		ago(203*day, 26*time.Hour),               // moved to another rack
	}
	for _, slash := range s.Slashes {
		from := slash.At.Truncate(time.Minute).Add(-50 * time.Minute)
		out = append(out, outage{from, from.Add(3 * time.Hour)})
	}
	dice := s.dice(streamOutages)
	for t := s.start(); t.Before(s.Now.Add(-2 * day)); {
		t = t.Add(time.Duration(6+dice.IntN(20)) * day).Add(time.Duration(dice.IntN(24*60)) * time.Minute)
		from := t.Truncate(time.Minute)
		if to := from.Add(time.Duration(2+dice.IntN(4)) * time.Minute); to.Before(s.Now.Add(-day)) {
			out = append(out, outage{from, to})
		}
	}
	slices.SortFunc(out, func(a, b outage) int { return a.from.Compare(b.from) })
	return out
}

// strikes returns the outage that ends a job between two times, if one does.
func strikes(outages []outage, from, to time.Time) (outage, bool) {
	for _, o := range outages {
		if o.to.Sub(o.from) >= killsJobs && o.from.After(from) && o.from.Before(to) {
			return o, true
		}
	}
	return outage{}, false
}

func within(outages []outage, t time.Time) (outage, bool) {
	for _, o := range outages {
		if o.holds(t) {
			return o, true
		}
	}
	return outage{}, false
}
