package main

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
func (k *sampleKeeper) sendJournal(ctx context.Context, all bool) {
	j := k.gpus.Journal(k.journal.version)
	if j.Version == k.journal.version || !all && !urgent(j) {
		return
	}
	if j.Dropped > k.journal.dropped {
		k.log.WarnContext(ctx, "events of this host's GPUs were dropped before the database took them", slog.Int("events", j.Dropped-k.journal.dropped))
		k.journal.dropped = j.Dropped
	}
	err := k.putJournal(ctx, j)
	switch {
	case errors.Is(err, db.ErrInvalid): // it would be refused again
		k.log.WarnContext(ctx, "the database refuses events of this host's GPUs", slog.Any("error", err))
	case err != nil:
		if !k.journal.away && ctx.Err() == nil {
			k.log.WarnContext(ctx, "events of this host's GPUs wait for the database", slog.Any("error", err))
		}
		k.journal.away = true
		return
	case k.journal.away:
		k.log.InfoContext(ctx, "the events that waited are stored")
	}
	k.journal.version, k.journal.away = j.Version, false
}

// urgent reports whether something happened: that what is known goes on can wait.
func urgent(j validator.GPUJournal) bool {
	return len(j.Events) > 0 || slices.ContainsFunc(j.Throttled, func(s validator.ThrottleSpan) bool { return s.Ended() || s.From.Equal(s.To) })
}

func (k *sampleKeeper) putJournal(ctx context.Context, j validator.GPUJournal) error {
	ctx, cancel := context.WithTimeout(ctx, journalLimit)
	defer cancel()
	if offset := k.store.ClockOffset(); (offset - k.journal.offset).Abs() > offsetJitter {
		k.journal.offset = offset
	}
	return k.store.StoreGPUJournal(ctx, k.worker, k.host, j.Shifted(k.journal.offset))
}
