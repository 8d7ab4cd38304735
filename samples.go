package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	sampleEvery = 15 * time.Second
	sampleLimit = 10 * time.Second // for a database that does not answer
	// samplesWaiting bounds the samples that wait for the database: an hour of them. Older
	// ones are given up.
	samplesWaiting = 240
)

// sampleKeeper stores what this host's sampler reads of its GPUs as the host's own report,
// in the form in which other hosts' reports are stored: so its cards have a past longer than
// the sampler's memory, and other servers on the same database see them. It never makes the
// sampler wait.
type sampleKeeper struct {
	store sampleStore
	gpus  interface {
		Snapshot() validator.GPUSnapshot
		Journal(version uint64) validator.GPUJournal
	}

	worker validator.Address // the wallet that the GPUs work for
	host   string            // the name under which they are stored
	every  time.Duration
	log    *slog.Logger

	waiting []gpuReport // oldest first
	newest  time.Time   // of the reading that was taken last
	away    bool        // the database did not take the newest try

	journal journalState
}

// sampleStore is what keeps samples and events.
type sampleStore interface {
	StoreHostSamples(ctx context.Context, worker validator.Address, workerID string, sampledAt time.Time, gpus []validator.GPU) error
	StoreGPUJournal(ctx context.Context, worker validator.Address, workerID string, j validator.GPUJournal) error
	// ClockOffset is how far the store's clock, by which samples are stored, is ahead of this
	// machine's, by which they are read.
	ClockOffset() time.Duration
}

// gpuReport is what was read of a host's GPUs at one time.
type gpuReport struct {
	at   time.Time
	gpus []validator.GPU
}

// hostName is what this machine calls itself.
func hostName() string {
	name, err := os.Hostname()
	if err != nil || name == "" {
		return "server"
	}
	return name
}

// run takes a sample now and then, and what happened to the cards sooner, until ctx ends.
// What has happened by then is stored last.
func (k *sampleKeeper) run(ctx context.Context) error {
	// The first reading is taken as soon as there is one.
	const firstLook = 250 * time.Millisecond
	tick, events := time.NewTicker(min(firstLook, k.every)), time.NewTicker(min(eventsEvery, k.every))
	defer tick.Stop()
	defer events.Stop()
	for first := true; ; {
		select {
		case <-ctx.Done():
			k.sendJournal(context.WithoutCancel(ctx), true)
			return nil
		case <-events.C:
			k.sendJournal(ctx, false)
			continue
		case <-tick.C:
		}
		if k.take(); first && len(k.waiting) > 0 {
			tick.Reset(k.every)
			first = false
		}
		k.send(ctx)
		k.sendJournal(ctx, true)
	}
}

// take puts the sampler's newest reading among those that wait, if it is a new one. A card
// without a UUID is left out: nothing would tell that it is the one that is read here.
func (k *sampleKeeper) take() {
	snap := k.gpus.Snapshot()
	at := snap.State.ObservedAt
	if snap.State.Health != validator.HealthOK || !at.After(k.newest) {
		return
	}
	k.newest = at
	r := gpuReport{at: at}
	for _, g := range snap.GPUs {
		goneForLong := !g.Fault.Known() && at.Sub(g.SampledAt) > 24*time.Hour
		if g.UUID != "" && !goneForLong {
			r.gpus = append(r.gpus, g)
		}
	}
	if len(r.gpus) == 0 {
		return
	}
	k.waiting = append(k.waiting, r)
	k.waiting = k.waiting[max(len(k.waiting)-samplesWaiting, 0):]
}

// send stores those that wait, oldest first, until the database does not take one.
func (k *sampleKeeper) send(ctx context.Context) {
	for len(k.waiting) > 0 && ctx.Err() == nil {
		err := k.put(ctx, k.waiting[0])
		switch {
		case err == nil:
		case errors.Is(err, db.ErrInvalid): // it would be refused again
			k.log.WarnContext(ctx, "the database refuses a sample of this host's GPUs", slog.Any("error", err))
		default:
			if !k.away && ctx.Err() == nil {
				k.log.WarnContext(ctx, "samples of this host's GPUs wait for the database", slog.Any("error", err))
			}
			k.away = true
			return
		}
		k.waiting = k.waiting[1:]
	}
	if k.away && len(k.waiting) == 0 {
		k.log.InfoContext(ctx, "the samples that waited are stored")
		k.away = false
	}
}

func (k *sampleKeeper) put(ctx context.Context, r gpuReport) error {
	ctx, cancel := context.WithTimeout(ctx, sampleLimit)
	defer cancel()
	offset := k.store.ClockOffset()
	gpus := make([]validator.GPU, len(r.gpus))
	for i, g := range r.gpus {
		gpus[i] = g.Shifted(offset)
	}
	return k.store.StoreHostSamples(ctx, k.worker, k.host, r.at.Add(offset), gpus)
}
