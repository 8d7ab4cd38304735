package web

import (
	"slices"
	"strconv"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// earningsChart is what was earned on each day, exact to the wei; nil while that is unknown.
func earningsChart(p validator.Picture) *views.Chart {
	e, known := p.Earnings.Get()
	if !known || len(e.Daily) == 0 {
		return nil
	}
	c := views.Chart{
		ID: "earned-by-day", Title: "Earned by day", Unit: "SAGE", Kind: views.ChartBars, Low: "0",
		Note:       "Days in UTC; the last one is not over. By when a job was completed or a claim confirmed.",
		ChartSheet: views.ChartSheet{Heading: "Day (UTC)"},
		Series:     []views.ChartSeries{{Label: "Earned", Role: views.ChartRoleLine}},
	}
	for _, d := range e.Daily {
		c.X = append(c.X, views.ChartTime{ISO: d.Day.UTC().Format(time.DateOnly), Text: d.Day.UTC().Format("2 Jan")})
		earned := validator.FoundInEvents(d.Amount, d.Amount.Sign() == 0, p.ClaimEvents)
		c.Series[0].Values = append(c.Series[0].Values, orEmpty(earned, validator.Wei.SAGE))
	}
	return &c
}

// gap is a stretch of time without a reading.
type gap struct{ from, to time.Time }

// withGaps prepares steps for a chart that spans a time: where readings are further apart
// than they use to be, a step without values breaks the line. It returns the stretches
// without a reading, too, that before the first not among them: nobody read then.
func withGaps(steps []validator.GPUStep, step time.Duration, from, to time.Time) ([]validator.GPUStep, []gap) {
	within := 3 * usualDistance(steps, step)
	var out []validator.GPUStep
	var gaps []gap
	var last time.Time // the end of the newest step with a reading
	for _, s := range steps {
		if s.At.Before(from) || !s.At.Before(to) || !s.Known() {
			continue
		}
		if !last.IsZero() && s.At.Sub(last) > within {
			out = append(out, validator.GPUStep{At: last})
			gaps = append(gaps, gap{last, s.At})
		}
		out, last = append(out, s), s.At.Add(step)
	}
	if !last.IsZero() && to.Sub(last) > within+step {
		gaps = append(gaps, gap{last, to})
	}
	return out, gaps
}

// usualDistance is the median of the distances between steps with a reading.
func usualDistance(steps []validator.GPUStep, step time.Duration) time.Duration {
	var apart []time.Duration
	var last time.Time
	for _, s := range steps {
		if !s.Known() {
			continue
		}
		if !last.IsZero() {
			apart = append(apart, s.At.Sub(last))
		}
		last = s.At
	}
	if len(apart) == 0 {
		return step
	}
	slices.Sort(apart)
	return max(apart[len(apart)/2], step)
}

// quantity is one of a GPU's values as a chart shows it.
type quantity struct {
	of       func(validator.GPUStep) validator.Maybe[validator.Spread]
	unit     float64 // what one of the chart's units is in the quantity's own
	decimals int
}

var (
	utilization = quantity{func(s validator.GPUStep) validator.Maybe[validator.Spread] { return s.UtilizationPercent }, 1, 0}
	memoryUsed  = quantity{func(s validator.GPUStep) validator.Maybe[validator.Spread] { return s.MemoryUsedBytes }, bytesPerGiB, 1}
	temperature = quantity{func(s validator.GPUStep) validator.Maybe[validator.Spread] { return s.TemperatureC }, 1, 0}
	power       = quantity{func(s validator.GPUStep) validator.Maybe[validator.Spread] { return s.PowerMilliwatts }, 1000, 0}
)

// mean is the series of a quantity's means.
func (q quantity) mean(steps []validator.GPUStep) views.ChartSeries {
	return q.series("mean", views.ChartRoleLine, steps, func(s validator.Spread) float64 { return s.Mean })
}

// band is the series of a quantity's means, and of its lowest and highest readings.
func (q quantity) band(steps []validator.GPUStep) []views.ChartSeries {
	return []views.ChartSeries{
		q.mean(steps),
		q.series("lowest", views.ChartRoleLow, steps, func(s validator.Spread) float64 { return s.Min }),
		q.series("highest", views.ChartRoleHigh, steps, func(s validator.Spread) float64 { return s.Max }),
	}
}

func (q quantity) series(label string, role views.ChartRole, steps []validator.GPUStep, of func(validator.Spread) float64) views.ChartSeries {
	out := views.ChartSeries{Label: label, Role: role, Values: make([]string, len(steps))}
	for i, s := range steps {
		if v, known := q.of(s).Get(); known {
			out.Values[i] = strconv.FormatFloat(of(v)/q.unit, 'f', q.decimals, 64)
		}
	}
	return out
}

// read says whether any step holds the quantity.
func (q quantity) read(steps []validator.GPUStep) bool {
	return slices.ContainsFunc(steps, func(s validator.GPUStep) bool { return q.of(s).Known() })
}

// chartTimes are the rows of a chart's table. A time is written once, for people and for
// machines: it is a third of what a poll carries.
func chartTimes(steps []validator.GPUStep) []views.ChartTime {
	out := make([]views.ChartTime, len(steps))
	for i, s := range steps {
		out[i].Text = s.At.UTC().Format("2006-01-02 15:04:05Z")
	}
	return out
}

func unixText(t time.Time) string { return strconv.FormatInt(t.Unix(), 10) }

func minTime(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
