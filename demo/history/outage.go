package history

import (
	"slices"
	"time"
)

// outage is a time in which no heartbeat arrives. Both ends are whole minutes.
type outage struct {
	from, to time.Time
	planned  bool // no job is taken that would run into it
}

// noticedAfter is how long after the last heartbeat the coordinator gives up a worker's jobs.
const noticedAfter = 5 * time.Minute

func (o outage) holds(t time.Time) bool { return !t.Before(o.from) && t.Before(o.to) }

// losesJobs says whether running jobs fail of it.
func (o outage) losesJobs() bool { return !o.planned && o.to.Sub(o.from) > noticedAfter }

// outages are the worker's, when none of its hosts is heard, oldest first: some that the
// dashboard's first screen shows, one around each slash, and short ones now and then.
func (s Story) outages() []outage {
	gap := func(from time.Time, length time.Duration) outage { return outage{from: from, to: from.Add(length)} }
	update := gap(s.ago(4*day+9*time.Hour), 35*time.Minute) // of the GPUs' driver
	update.planned = true
	out := []outage{
		s.todays(), gap(s.ago(15*time.Hour), 3*time.Minute), update,
		gap(s.ago(61*day+20*time.Hour), 95*time.Minute), // the provider's network
	}
	for _, x := range s.Slashes {
		const before, restart = 3 * time.Minute, 22 * time.Minute
		length := 3 * time.Hour
		if x.Overheated { // its host was only started again
			length = restart
		}
		o := gap(x.At.UTC().Truncate(time.Minute).Add(-before), length)
		if last := s.ago(10 * time.Minute); o.to.After(last) {
			o.to = last
		}
		out = append(out, o)
	}
	dice := s.dice(streamOutages)
	for t := s.start(); ; {
		t = t.Add(time.Duration(6+dice.IntN(20)) * day).Add(time.Duration(dice.IntN(24*60)) * time.Minute)
		o := gap(t.Truncate(time.Minute), time.Duration(2+dice.IntN(5))*time.Minute)
		if o.to.After(s.Now.Add(-2 * day)) {
			break
		}
		out = append(out, o)
	}
	slices.SortFunc(out, func(a, b outage) int { return a.from.Compare(b.from) })
	return out
}

// todays is an outage of the last day that cost jobs.
func (s Story) todays() outage {
	from := s.ago(7*time.Hour + 10*time.Minute)
	return outage{from: from, to: from.Add(25 * time.Minute)}
}

// dark says whether an outage holds a time.
func dark(outages []outage, t time.Time) bool {
	return slices.ContainsFunc(outages, func(o outage) bool { return o.holds(t) })
}

// outageIn returns the first outage that begins between two times.
func outageIn(outages []outage, from, to time.Time, which func(outage) bool) (outage, bool) {
	for _, o := range outages {
		if o.from.After(from) && o.from.Before(to) && which(o) {
			return o, true
		}
	}
	return outage{}, false
}
