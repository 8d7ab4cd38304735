package observe

import (
	"context"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// heartbeatReach is how far back heartbeats are read: the longest uptime window that is shown.
const heartbeatReach = validator.Window30d

// Heartbeats sums up the signs of life of a wallet's hosts.
func (r *Reads) Heartbeats(ctx context.Context, wallet validator.Address) validator.Maybe[validator.HeartbeatSummary] {
	return load(ctx, r, &r.o.tables.heartbeats, "heartbeats", ofWallet(wallet), walletMaxAge, func(ctx context.Context) (validator.HeartbeatSummary, error) {
		return r.o.db.Heartbeats(ctx, wallet, heartbeatReach.Start(r.o.now()).Add(-time.Hour))
	})
}

// Uptime reports the uptime of a wallet's worker and its hosts at every scale.
func (r *Reads) Uptime(ctx context.Context, wallet validator.Address) validator.Maybe[validator.UptimeReports] {
	history := load(ctx, r, &r.o.tables.uptime, "uptime", ofWallet(wallet), uptimeMaxAge, func(ctx context.Context) (validator.UptimeHistory, error) {
		return r.o.db.UptimeHistory(ctx, wallet, r.o.heartbeatInterval, r.o.now())
	})
	return validator.Map(history, func(h validator.UptimeHistory) validator.UptimeReports { return h.Report(r.o.now()) })
}

type spanKey struct {
	ofWallet

	from, to time.Time
}

// UptimeBetween counts the minutes of a span in which any of a wallet's hosts was heard.
func (r *Reads) UptimeBetween(ctx context.Context, wallet validator.Address, from, to time.Time) validator.Maybe[validator.Uptime] {
	return load(ctx, r, &r.o.tables.uptimeBetween, "uptime of a span", spanKey{ofWallet(wallet), from, to}, evidenceMaxAge, func(ctx context.Context) (validator.Uptime, error) {
		hours, first, err := r.o.db.HeartbeatHours(ctx, wallet, from.Add(-time.Hour), to)
		return validator.UptimeBetween(hours, first, r.o.heartbeatInterval, from, to, r.o.now()), err
	})
}

// WorkerGPUs lists the newest sample of every GPU that a wallet's hosts reported.
func (r *Reads) WorkerGPUs(ctx context.Context, wallet validator.Address) validator.Maybe[[]validator.WorkerGPU] {
	return load(ctx, r, &r.o.tables.workerGPUs, "worker gpus", ofWallet(wallet), walletMaxAge, func(ctx context.Context) ([]validator.WorkerGPU, error) {
		return r.o.db.WorkerGPUs(ctx, wallet)
	})
}

// EventReach is how far back GPUEvents and GPUWatches go.
const EventReach = 90 * 24 * time.Hour

// GPUEvents lists what happened to a wallet's GPUs, by UUID.
func (r *Reads) GPUEvents(ctx context.Context, wallet validator.Address) validator.Maybe[map[string][]validator.GPUEvent] {
	return load(ctx, r, &r.o.tables.gpuEvents, "events of gpus", ofWallet(wallet), walletMaxAge, func(ctx context.Context) (map[string][]validator.GPUEvent, error) {
		return r.o.db.GPUEvents(ctx, wallet, r.o.now().Add(-EventReach))
	})
}

// GPUWatches lists in which times the errors of a wallet's GPUs were waited for, by UUID.
func (r *Reads) GPUWatches(ctx context.Context, wallet validator.Address) validator.Maybe[map[string][]validator.Interval] {
	return load(ctx, r, &r.o.tables.gpuWatches, "watches of gpus", ofWallet(wallet), walletMaxAge, func(ctx context.Context) (map[string][]validator.Interval, error) {
		return r.o.db.GPUWatches(ctx, wallet, r.o.now().Add(-EventReach))
	})
}

type gpuKey struct {
	ofWallet

	uuid string
}

// FirstGPUSample returns when a GPU was first sampled; the zero time if it never was.
func (r *Reads) FirstGPUSample(ctx context.Context, wallet validator.Address, uuid string) validator.Maybe[time.Time] {
	return load(ctx, r, &r.o.tables.firstSample, "first gpu sample", gpuKey{ofWallet(wallet), uuid}, evidenceMaxAge, func(ctx context.Context) (time.Time, error) {
		return r.o.db.FirstGPUSample(ctx, wallet, uuid)
	})
}

// GPUWindow is a window of time that ends now, in steps.
type GPUWindow struct {
	From, To     time.Time // of this moment's window
	Length, Step time.Duration
	MaxAge       time.Duration // of cached samples: a long window hardly changes
}

type gpuStepsKey struct {
	gpuKey

	length, step time.Duration
}

// GPUSteps sums a GPU's samples by the steps of a window.
func (r *Reads) GPUSteps(ctx context.Context, wallet validator.Address, uuid string, w GPUWindow) validator.Maybe[[]validator.GPUStep] {
	k := gpuStepsKey{gpuKey{ofWallet(wallet), uuid}, w.Length, w.Step}
	return load(ctx, r, &r.o.tables.gpuSteps, "gpu steps", k, w.MaxAge, func(ctx context.Context) ([]validator.GPUStep, error) {
		return r.o.db.WorkerGPUSteps(ctx, wallet, uuid, w.From, w.Step)
	})
}

type gpuWindowKey struct {
	gpuKey

	length time.Duration
}

// GPUThrottles lists the stretches of a window in which a GPU was slowed.
func (r *Reads) GPUThrottles(ctx context.Context, wallet validator.Address, uuid string, w GPUWindow) validator.Maybe[[]validator.ThrottleSpan] {
	k := gpuWindowKey{gpuKey{ofWallet(wallet), uuid}, w.Length}
	return load(ctx, r, &r.o.tables.gpuThrottles, "throttles of a gpu", k, walletMaxAge, func(ctx context.Context) ([]validator.ThrottleSpan, error) {
		return r.o.db.GPUThrottles(ctx, wallet, uuid, w.From, w.To)
	})
}

type gpuSpanKey struct {
	gpuKey

	from, to time.Time
	step     time.Duration // 0 for reads without steps
}

// GPUStepsBetween sums a GPU's samples of a span by steps.
func (r *Reads) GPUStepsBetween(ctx context.Context, wallet validator.Address, uuid string, from, to time.Time, step time.Duration) validator.Maybe[[]validator.GPUStep] {
	k := gpuSpanKey{gpuKey{ofWallet(wallet), uuid}, from, to, step}
	return load(ctx, r, &r.o.tables.stepsBetween, "gpu steps of a span", k, evidenceMaxAge, func(ctx context.Context) ([]validator.GPUStep, error) {
		return r.o.db.WorkerGPUStepsBetween(ctx, wallet, uuid, from, to, step)
	})
}

// GPUThrottlesBetween lists the stretches of a span in which a GPU was slowed.
func (r *Reads) GPUThrottlesBetween(ctx context.Context, wallet validator.Address, uuid string, from, to time.Time) validator.Maybe[[]validator.ThrottleSpan] {
	k := gpuSpanKey{gpuKey: gpuKey{ofWallet(wallet), uuid}, from: from, to: to}
	return load(ctx, r, &r.o.tables.throttlesIn, "throttles of a span", k, evidenceMaxAge, func(ctx context.Context) ([]validator.ThrottleSpan, error) {
		return r.o.db.GPUThrottles(ctx, wallet, uuid, from, to)
	})
}

// GPUEventsBetween lists what happened to a GPU in a span.
func (r *Reads) GPUEventsBetween(ctx context.Context, wallet validator.Address, uuid string, from, to time.Time) validator.Maybe[[]validator.GPUEvent] {
	k := gpuSpanKey{gpuKey: gpuKey{ofWallet(wallet), uuid}, from: from, to: to}
	return load(ctx, r, &r.o.tables.eventsIn, "gpu events of a span", k, evidenceMaxAge, func(ctx context.Context) ([]validator.GPUEvent, error) {
		return r.o.db.GPUEventsBetween(ctx, wallet, uuid, from, to)
	})
}
