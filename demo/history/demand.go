package history

import (
	"math"
	"time"
)

const (
	jobsADay    = 46.0 // that the network offers the worker, once it is known
	growsFor    = 30 * day
	startsWith  = 0.2  // share of the demand on the first day
	yearsGrowth = 0.12 // from the end of the first month to the end of the year
	weekend     = 0.72
	dayAndNight = 0.35 // by how much the afternoon is above the mean, and the night below
	daysSpread  = 0.15
)

// demand draws when the network has a job for the worker: more as the worker becomes known,
// fewer at night and at weekends, and none on days of maintenance.
func (s Story) demand() []time.Time {
	dice := s.dice(streamDemand)
	const busiest = jobsADay * (1 + yearsGrowth) * (1 + dayAndNight) * 1.6
	resting := s.maintenanceDays()
	ofDay := map[time.Time]float64{}
	var out []time.Time
	for t := s.start(); ; {
		t = t.Add(time.Duration(dice.ExpFloat64() / busiest * float64(day)))
		if !t.Before(s.Now) {
			return out
		}
		today := t.Truncate(day)
		if _, drawn := ofDay[today]; !drawn {
			ofDay[today] = math.Exp(dice.NormFloat64() * daysSpread)
		}
		if dice.Float64()*busiest < s.jobsADayAt(t)*ofDay[today] && !resting[today] {
			out = append(out, t.Truncate(time.Millisecond))
		}
	}
}

func (s Story) jobsADayAt(t time.Time) float64 {
	mean := jobsADay
	if age := t.Sub(s.start()); age < growsFor {
		mean *= startsWith + (1-startsWith)*float64(age)/float64(growsFor)
	} else {
		mean *= 1 + yearsGrowth*float64(age-growsFor)/float64(Year-growsFor)
	}
	if wd := t.Weekday(); wd == time.Saturday || wd == time.Sunday {
		mean *= weekend
	}
	const peakHour = 15
	return mean * (1 + dayAndNight*math.Cos(2*math.Pi*(float64(t.Hour())-peakHour)/24))
}

// maintenanceDays are UTC days on which the coordinator takes no jobs.
func (s Story) maintenanceDays() map[time.Time]bool {
	out := map[time.Time]bool{}
	for _, daysAgo := range []int{33, 124, 215, 306} { // quarterly
		out[s.Now.Truncate(day).AddDate(0, 0, -daysAgo)] = true
	}
	return out
}
