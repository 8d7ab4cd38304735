package collect

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	// eventsEvery is how soon what happened to a card is stored: the program may be killed.
	eventsEvery = time.Second
	// journalLimit is how long one try may take; the last one is made while the program stops.
	journalLimit = 3 * time.Second
	// offsetJitter is how much measurements of the store's clock may differ without a change.
	offsetJitter = time.Second
)

// journalState is how far the journal of this host's GPUs is stored.
type journalState struct {
	version uint64
	away    bool // the database did not take the newest try
	dropped int  // that the log tells of
	// offset is how far the store's clock is ahead, as records were shifted last: one that grows
	// is known by its beginning, which must not move with each measurement.
	offset time.Duration
}

// sendJournal stores what happened to the cards since it last did. That they are watched or
// slowed still is stored with the rest, or if all is asked for.
func (r *SampleRecorder) sendJournal(ctx context.Context, all bool) {
	j := r.cfg.GPUs.Journal(r.journal.version)
	if j.Version == r.journal.version || !all && !urgent(j) {
		return
	}
	if j.Dropped > r.journal.dropped {
		r.cfg.Log.WarnContext(ctx, "events of this host's GPUs were dropped before the database took them", slog.Int("events", j.Dropped-r.journal.dropped))
		r.journal.dropped = j.Dropped
	}
	err := r.putJournal(ctx, j)
	switch {
	case errors.Is(err, db.ErrInvalid): // it would be refused again
		r.cfg.Log.WarnContext(ctx, "the database refuses events of this host's GPUs", slog.Any("error", err))
	case err != nil:
		if !r.journal.away && ctx.Err() == nil {
			r.cfg.Log.WarnContext(ctx, "events of this host's GPUs wait for the database", slog.Any("error", err))
		}
		r.journal.away = true
		return
	case r.journal.away:
		r.cfg.Log.InfoContext(ctx, "the events that waited are stored")
	}
	r.journal.version, r.journal.away = j.Version, false
}

// urgent reports whether something happened: that what is known goes on can wait.
func urgent(j validator.GPUJournal) bool {
	return len(j.Events) > 0 || slices.ContainsFunc(j.Throttled, func(s validator.ThrottleSpan) bool { return s.Ended() || s.From.Equal(s.To) })
}

func (r *SampleRecorder) putJournal(ctx context.Context, j validator.GPUJournal) error {
	ctx, cancel := context.WithTimeout(ctx, journalLimit)
	defer cancel()
	if offset := r.cfg.Store.ClockOffset(); (offset - r.journal.offset).Abs() > offsetJitter {
		r.journal.offset = offset
	}
	return r.cfg.Store.StoreGPUJournal(ctx, r.cfg.Worker, r.cfg.Host, j.Shifted(r.journal.offset))
}
