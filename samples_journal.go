package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	// eventsEvery is how soon what happened to a card is stored: the program may be killed.
	eventsEvery = time.Second
	// journalLimit is how long one try may take; the last one is made while the program stops.
	journalLimit = 3 * time.Second
)

// journalState is how far the journal of this host's GPUs is stored.
type journalState struct {
	version uint64
	away    bool // the database did not take the newest try
	dropped int  // that the log tells of
}

// sendJournal stores what happened to the cards since it last did. That they were watched all
// along is stored with the rest, or if all is asked for.
func (k *sampleKeeper) sendJournal(ctx context.Context, all bool) {
	j := k.gpus.Journal(k.journal.version)
	if j.Version == k.journal.version || !all && len(j.Events) == 0 {
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

func (k *sampleKeeper) putJournal(ctx context.Context, j validator.GPUJournal) error {
	ctx, cancel := context.WithTimeout(ctx, journalLimit)
	defer cancel()
	return k.store.StoreGPUJournal(ctx, k.worker, k.host, j.Shifted(k.store.ClockOffset()))
}
