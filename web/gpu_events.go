package web

import (
	"context"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/observe"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	// eventsFresh is how far back the card on the dashboard shows errors.
	eventsFresh = 7 * 24 * time.Hour
	// watchedNow is how old a stored stretch of watching may be and still go on: programs
	// store theirs every 15 s.
	watchedNow = time.Minute
)

// storedEvents is what the database knows of the events of a wallet's cards.
type storedEvents struct {
	events  validator.Maybe[map[string][]validator.GPUEvent] // by the card's UUID
	watches validator.Maybe[map[string][]validator.Interval]
}

func newStoredEvents(ctx context.Context, asked *observe.Reads, wallet validator.Address) storedEvents {
	return storedEvents{events: asked.GPUEvents(ctx, wallet), watches: asked.GPUWatches(ctx, wallet)}
}

// addEvents gives a card the events that are stored beside those that this process saw, and
// tells in which times they would have been seen.
func (g *fleetGPU) addEvents(stored storedEvents, host validator.SourceState) {
	uuid := g.GPU.UUID
	g.GPU.Events = validator.MergeGPUEvents(stored.events.Or(nil)[uuid], g.GPU.Events)
	g.eventsReason = stored.events.Reason()
	stretches := slices.Clone(stored.watches.Or(nil)[uuid])
	if since, watched := g.GPU.XIDsWatchedSince.Get(); watched && g.WorkerID == "" {
		stretches = append(stretches, validator.Interval{From: since, To: latest(since, host.ObservedAt)})
	}
	g.watching = validator.WatchingOf(stretches)
}

// freshXID is the newest error of a card's driver that its dashboard shows; false without one.
func freshXID(g validator.GPU, now time.Time) (validator.GPUEvent, bool) {
	if xids := validator.XIDs(g.Events); len(xids) > 0 && now.Sub(xids[0].Last) < eventsFresh {
		return xids[0], true
	}
	return validator.GPUEvent{}, false
}

func latest(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
