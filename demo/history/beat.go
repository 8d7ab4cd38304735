package history

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// cursor walks through a card's tasks as time goes on.
type cursor struct {
	*card

	next   int // the first task that may still run
	losses []loss
}

func (y *year) cursors(h Host, from time.Time) []*cursor {
	var out []*cursor
	for _, c := range y.cards {
		if c.host.ID != h.ID {
			continue
		}
		x := &cursor{card: c}
		for _, l := range y.losses {
			if l.gpuUUID == c.gpu.UUID {
				x.losses = append(x.losses, l)
			}
		}
		x.next, _ = slices.BinarySearchFunc(c.tasks, from, func(j task, t time.Time) int { return j.endsBy(y.story.Now).Compare(t) })
		out = append(out, x)
	}
	return out
}

// at returns what the card runs at a time, nil if nothing. Times must not go back.
func (c *cursor) at(t time.Time) *task {
	for c.next < len(c.tasks) && c.tasks[c.next].CompletedAt != nil && !c.tasks[c.next].CompletedAt.After(t) {
		c.next++
	}
	if c.next < len(c.tasks) && !c.tasks[c.next].AssignedAt.After(t) {
		return &c.tasks[c.next]
	}
	return nil
}

// lost says whether the card is off the bus.
func (c *cursor) lost(t time.Time) bool {
	return slices.ContainsFunc(c.losses, func(l loss) bool { return !t.Before(l.from) && t.Before(l.to) })
}

// beats makes a host's heartbeats, one a minute.
type beats struct {
	year    *year
	host    Host
	dice    *rand.Rand
	cursors []*cursor
	offset  time.Duration // after the full minute
}

func (y *year) beatsOf(n int, from time.Time) *beats {
	h := y.story.Hosts[n]
	const latest = 40 * time.Second // so that no jitter leaves the minute
	// Each span of time has a stream of its own, so that it is the same in whatever order
	// spans are recorded.
	dice := y.story.dice(streamBeats + uint64(n) + uint64(from.Unix()))
	return &beats{y, h, dice, y.cursors(h, from), time.Duration(n*17)*time.Second%latest + 3*time.Second}
}

// in returns the heartbeat of a minute, false if none arrived.
func (b *beats) in(minute time.Time) (validator.Heartbeat, bool) {
	s := b.year.story
	jitter := time.Duration(b.dice.IntN(2500)) * time.Millisecond
	at := minute.Add(b.offset + jitter)
	if dark(b.year.outages, minute) || minute.Before(b.host.Since) || at.After(s.Now) {
		return validator.Heartbeat{}, false
	}
	var cards, jobs int32
	var utilization, memory float64
	for _, c := range b.cursors {
		j := c.at(at)
		if c.lost(at) {
			continue
		}
		cards++
		if j != nil {
			jobs++
			utilization += j.utilization * (97 + 3*b.dice.Float64())
			memory += j.memoryShare * 100
		}
	}
	latency := int32(14 + b.dice.IntN(9) + b.dice.IntN(9))
	beat := validator.Heartbeat{
		Worker: s.Worker, WorkerID: b.host.ID, At: at, GPUCount: &cards, JobsInProgress: &jobs, LatencyMS: &latency, Version: s.versionAt(at),
	}
	if cards > 0 {
		utilization, memory = tenths(utilization/float64(cards)), tenths(memory/float64(cards))
		beat.GPUUtilizationPercent, beat.MemoryUtilizationPercent = &utilization, &memory
	}
	return beat, true
}

// each hands over the worker's heartbeats of the minutes between two times, in the order of
// the table's key.
func (y *year) each(from, to time.Time, do func(validator.Heartbeat)) {
	hosts := make([]*beats, len(y.story.Hosts))
	for n := range hosts {
		hosts[n] = y.beatsOf(n, from)
	}
	for minute := from; minute.Before(to); minute = minute.Add(time.Minute) {
		for _, b := range hosts {
			if beat, arrived := b.in(minute); arrived {
				do(beat)
			}
		}
	}
}
