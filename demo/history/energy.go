package history

import (
	"time"
)

// What cards used is written as whole hours, of which the last days' stand as hours too, since
// maintenance adds up a day anew when samples come.
const (
	energyHoursFor = 4 * day
	loadShare      = 0.945 // of the power limit, at full utilization
)

// spent is what a card used in an hour.
type spent struct {
	hour            time.Time
	joules, seconds float64
}

// energy tells what a card used in each hour of the year that its samples do not tell.
func (y *year) energy(c *card) []spent {
	from, to := y.story.start().Truncate(time.Hour).Add(time.Hour), y.story.Now.Truncate(time.Hour)
	if since := c.host.Since.UTC(); since.After(from) {
		from = since.Truncate(time.Hour).Add(time.Hour)
	}
	if c.host.Reported {
		to = y.story.ago(sampledFor).Truncate(time.Hour)
	}
	limit := float64(c.gpu.PowerLimitWatts)
	var out []spent
	next := 0
	for at := from; at.Before(to); at = at.Add(time.Hour) {
		end := at.Add(time.Hour)
		e := spent{hour: at, seconds: time.Hour.Seconds()}
		for _, o := range y.outages {
			e.seconds -= overlap(o.from, o.to, at, end)
		}
		for _, l := range y.losses {
			if l.gpuUUID == c.gpu.UUID {
				e.seconds -= overlap(l.from, l.to, at, end)
			}
		}
		e.seconds = max(e.seconds, 0)
		e.joules = limit * idleShare * e.seconds
		for next < len(c.tasks) && !c.tasks[next].endsBy(y.story.Now).After(at) {
			next++
		}
		for _, t := range c.tasks[next:] {
			if !t.AssignedAt.Before(end) {
				break
			}
			e.joules += limit * t.utilization * loadShare * (1 - idleShare) * overlap(*t.AssignedAt, t.endsBy(y.story.Now), at, end)
		}
		e.joules = min(e.joules, limit*e.seconds)
		out = append(out, e)
	}
	return out
}

// overlap is for how many seconds two stretches of time share.
func overlap(from, to, a, b time.Time) float64 {
	if from.Before(a) {
		from = a
	}
	if to.After(b) {
		to = b
	}
	return max(to.Sub(from).Seconds(), 0)
}

// energy writes what the cards used, as maintenance keeps it of samples.
func (w writer) energy(y *year) error {
	var days, hours [][]any
	for _, c := range y.cards {
		var sum spent
		flush := func() {
			if sum.seconds > 0 {
				days = append(days, []any{string(y.story.Worker), sum.hour, c.gpu.UUID, sum.joules, sum.seconds})
			}
		}
		for _, e := range y.energy(c) {
			if d := e.hour.Truncate(day); !d.Equal(sum.hour) {
				flush()
				sum = spent{hour: d}
			}
			sum.joules, sum.seconds = sum.joules+e.joules, sum.seconds+e.seconds
			if e.hour.After(y.story.ago(energyHoursFor).Truncate(day)) {
				hours = append(hours, []any{string(y.story.Worker), c.gpu.UUID, e.hour, e.joules, e.seconds, int64(0)})
			}
		}
		flush()
	}
	row := func(r []any) []any { return r }
	if err := w.copyRows("gpu_energy_hours", []string{"worker_address", "gpu_uuid", "hour", "joules", "covered_seconds", "due"}, rowsOf(hours, row)); err != nil {
		return err
	}
	return w.copyRows("gpu_energy_days", []string{"worker_address", "day", "gpu_uuid", "joules", "covered_seconds"}, rowsOf(days, row))
}
