package collect

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"os"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	sampleInterval = 15 * time.Second
	sampleLimit    = 10 * time.Second // for a database that does not answer
	// samplesWaiting bounds the samples that wait for the database: an hour of them. Older
	// ones are given up.
	samplesWaiting = 240
)

// SampleRecorderConfig holds what a SampleRecorder needs. Store, GPUs, Worker and Log are
// required.
type SampleRecorderConfig struct {
	Store SampleStore
	GPUs  interface {
		Snapshot() validator.GPUSnapshot
		Journal(version uint64) validator.GPUJournal
	}
	Worker   validator.Address // the wallet that the GPUs work for
	Host     string            // the name under which they are stored; "" = this machine's own
	Interval time.Duration     // between two samples; 0 = 15 s
	Log      *slog.Logger
}

// SampleRecorder stores what this host's sampler reads of its GPUs as the host's own report,
// in the form in which other hosts' reports are stored: so its cards have a past longer than
// the sampler's memory, and other servers on the same database see them. It never makes the
// sampler wait.
type SampleRecorder struct {
	cfg SampleRecorderConfig

	waiting []gpuReport // oldest first
	newest  time.Time   // of the reading that was taken last
	away    bool        // the database did not take the newest try

	journal journalState
}

// NewSampleRecorder returns a recorder that works while Run does.
func NewSampleRecorder(cfg SampleRecorderConfig) *SampleRecorder {
	cfg.Host, cfg.Interval = cmp.Or(cfg.Host, hostName()), cmp.Or(cfg.Interval, sampleInterval)
	return &SampleRecorder{cfg: cfg}
}

// SampleStore is what keeps samples and events.
type SampleStore interface {
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

// Run takes a sample at every interval, and stores what happened to the cards sooner, until
// ctx ends. What has happened by then is stored last.
func (r *SampleRecorder) Run(ctx context.Context) error {
	// The first reading is taken as soon as there is one.
	const firstLook = 250 * time.Millisecond
	tick, events := time.NewTicker(min(firstLook, r.cfg.Interval)), time.NewTicker(min(eventsEvery, r.cfg.Interval))
	defer tick.Stop()
	defer events.Stop()
	for first := true; ; {
		select {
		case <-ctx.Done():
			r.sendJournal(context.WithoutCancel(ctx), true)
			return nil
		case <-events.C:
			r.sendJournal(ctx, false)
			continue
		case <-tick.C:
		}
		if r.take(); first && len(r.waiting) > 0 {
			tick.Reset(r.cfg.Interval)
			first = false
		}
		r.send(ctx)
		r.sendJournal(ctx, true)
	}
}

// take puts the sampler's newest reading among those that wait, if it is a new one. A card
// without a UUID is left out: nothing would tell that it is the one that is read here.
func (r *SampleRecorder) take() {
	snap := r.cfg.GPUs.Snapshot()
	at := snap.State.ObservedAt
	if snap.State.Health != validator.HealthOK || !at.After(r.newest) {
		return
	}
	r.newest = at
	report := gpuReport{at: at}
	for _, g := range snap.GPUs {
		goneForLong := !g.Fault.Known() && at.Sub(g.SampledAt) > 24*time.Hour
		if g.UUID != "" && !goneForLong {
			report.gpus = append(report.gpus, g)
		}
	}
	if len(report.gpus) == 0 {
		return
	}
	r.waiting = append(r.waiting, report)
	r.waiting = r.waiting[max(len(r.waiting)-samplesWaiting, 0):]
}

// send stores those that wait, oldest first, until the database does not take one.
func (r *SampleRecorder) send(ctx context.Context) {
	for len(r.waiting) > 0 && ctx.Err() == nil {
		err := r.put(ctx, r.waiting[0])
		switch {
		case err == nil:
		case errors.Is(err, db.ErrInvalid): // it would be refused again
			r.cfg.Log.WarnContext(ctx, "the database refuses a sample of this host's GPUs", slog.Any("error", err))
		default:
			if !r.away && ctx.Err() == nil {
				r.cfg.Log.WarnContext(ctx, "samples of this host's GPUs wait for the database", slog.Any("error", err))
			}
			r.away = true
			return
		}
		r.waiting = r.waiting[1:]
	}
	if r.away && len(r.waiting) == 0 {
		r.cfg.Log.InfoContext(ctx, "the samples that waited are stored")
		r.away = false
	}
}

func (r *SampleRecorder) put(ctx context.Context, report gpuReport) error {
	ctx, cancel := context.WithTimeout(ctx, sampleLimit)
	defer cancel()
	offset := r.cfg.Store.ClockOffset()
	gpus := make([]validator.GPU, len(report.gpus))
	for i, g := range report.gpus {
		gpus[i] = g.Shifted(offset)
	}
	return r.cfg.Store.StoreHostSamples(ctx, r.cfg.Worker, r.cfg.Host, report.at.Add(offset), gpus)
}
