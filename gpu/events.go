package gpu

import (
	"log/slog"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// eventsKept is how many events of one GPU a snapshot holds, the newest.
const eventsKept = 50

// keepXIDs records what the driver reported.
func (s *Sampler) keepXIDs(xids []XID) {
	for _, x := range xids {
		s.cfg.Log.Warn("the NVIDIA driver reported an error", "xid", x.Code, "gpu", x.UUID)
		if x.UUID != "" && validator.XIDCanBe(x.Code) {
			s.record(validator.GPUEvent{GPUUUID: x.UUID, Kind: validator.GPUEventXID, Code: x.Code, Source: validator.GPUEventOfEventSet, At: x.At, Last: x.At, Count: 1})
		}
	}
}

// record adds an event to those of its card, or to the one that it repeats.
func (s *Sampler) record(e validator.GPUEvent) {
	known := s.events[e.GPUUUID]
	again := slices.IndexFunc(known, e.Repeats)
	if again >= 0 {
		e.At, e.Count, e.Watcher, e.Sequence = known[again].At, known[again].Count+1, known[again].Watcher, known[again].Sequence
	}
	e = s.journal.add(e)
	// The old slice stays: snapshots that were handed out hold it.
	fresh := append(make([]validator.GPUEvent, 0, len(known)+1), e)
	for i, old := range known {
		if i != again {
			fresh = append(fresh, old)
		}
	}
	s.events[e.GPUUUID] = fresh[:min(len(fresh), eventsKept)]
}

// attachEvents hands each card what happened to it.
func (s *Sampler) attachEvents() {
	for i := range s.cards {
		s.cards[i].Events = s.events[s.cards[i].UUID]
	}
}

// recordWatches records that the cards' errors were waited for up to a pass.
func (s *Sampler) recordWatches(read []validator.GPU, at time.Time) {
	for _, g := range read {
		if since, watched := g.XIDsWatchedSince.Get(); watched && g.UUID != "" && !since.After(at) {
			s.journal.watched(validator.GPUWatch{GPUUUID: g.UUID, Interval: validator.Interval{From: since, To: at}})
		}
	}
}

// recordLosses records and logs the GPUs that went missing or came back in the newest pass.
// What this process finds at its first reading is news only to whoever stores the journal,
// unless it knows better.
func (s *Sampler) recordLosses(before []validator.GPU, at time.Time) {
	was := make(map[string]bool, len(before))
	for _, g := range before {
		was[cardKey(g)] = g.Fault.Known()
	}
	for _, g := range s.cards {
		faulty := g.Fault.Known()
		e := validator.GPUEvent{GPUUUID: g.UUID, Source: validator.GPUEventOfReading, At: at, Last: at, Count: 1}
		log := s.cfg.Log.With(slog.Int("index", g.Index), slog.String("gpu", g.UUID))
		wasFaulty, known := was[cardKey(g)]
		switch {
		case faulty && (!known || !wasFaulty):
			log.Warn("a GPU cannot be read", "reason", g.Fault.Or(""))
			e.Kind, e.Detail = validator.GPUEventLost, g.Fault.Or("")
		case !faulty && wasFaulty:
			log.Info("a GPU can be read again")
			e.Kind = validator.GPUEventFound
		case !faulty && !known:
			e.Kind = validator.GPUEventFound
		}
		switch {
		case g.UUID == "" || e.Kind == "":
		case known:
			s.record(e)
		default:
			s.journal.add(e)
		}
	}
}
