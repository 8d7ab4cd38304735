package observe

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// How old a cached answer may be before the database is asked again. Network-wide figures cost
// more and change less.
const (
	walletMaxAge   = time.Second
	networkMaxAge  = 5 * time.Second
	uptimeMaxAge   = 5 * time.Second // a whole year
	earningsMaxAge = 5 * time.Second // sums over days, which hardly change
	evidenceMaxAge = 15 * time.Second
	boardMaxAge    = 30 * time.Second
	scoresMaxAge   = 30 * time.Second
	monthsMaxAge   = 5 * time.Minute // of days that are over: what changes of them comes late
)

// Reads is a group of database reads for one viewer, which knows how they went: its State is what
// stands beside the values. Its methods may run side by side. A value that cannot be read is
// missing with the reason, or the newest one there is while State is stale.
type Reads struct {
	o      *Observer
	viewer Viewer

	mu     sync.Mutex
	state  validator.SourceState
	oldest time.Time // of the values that could not be refreshed
	failed error
	lost   bool // a value is missing altogether
}

// Reads begins a group of reads for a viewer.
func (o *Observer) Reads(v Viewer) *Reads {
	return &Reads{o: o, viewer: v, state: v.RedactState(o.db.State())}
}

// load reads one value through the cache and notes how it went; name is for the log.
func load[K key, V any](ctx context.Context, r *Reads, t *table[K, V], name string, k K, maxAge time.Duration, read func(context.Context) (V, error)) validator.Maybe[V] {
	a := t.load(ctx, r.o.cache, k, maxAge, read)
	if a.err == nil {
		return a.value
	}
	if !errors.Is(a.err, db.ErrUnavailable) && !errors.Is(a.err, context.Canceled) {
		r.o.log.WarnContext(ctx, "database read failed", slog.String("read", name), slog.Any("error", a.err))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = a.err
	if !a.value.Known() {
		r.lost = true
		return validator.None[V](r.reason())
	}
	// The cache's times are this machine's, the page's are not.
	if at := r.o.now().Add(-time.Since(a.at)); r.oldest.IsZero() || at.Before(r.oldest) {
		r.oldest = at
	}
	return a.value
}

// reason says why the database gave no value.
func (r *Reads) reason() string {
	switch {
	case r.state.Health != validator.HealthOK && r.state.Reason != "":
		return r.state.Reason
	case errors.Is(r.failed, db.ErrBusy):
		return "Too many requests of this wallet are running at once."
	case errors.Is(r.failed, db.ErrSearchTooLong):
		return db.SearchTooLong
	case errors.Is(r.failed, errSlow), errors.Is(r.failed, context.DeadlineExceeded):
		return "The database did not answer in time."
	}
	return "The database could not answer."
}

// State returns the database's state as the values of the group show it.
func (r *Reads) State() validator.SourceState {
	r.mu.Lock()
	defer r.mu.Unlock()
	st := r.state
	if r.failed == nil {
		if st.Health != validator.HealthOK {
			// Every value came from the cache, younger than the outage.
			st.Health = validator.HealthStale
		}
		return st
	}
	st.Reason = r.reason()
	switch {
	case r.lost && r.oldest.IsZero():
		st.Health, st.ObservedAt = validator.HealthUnavailable, time.Time{}
	default:
		st.Health = validator.HealthStale
		if !r.oldest.IsZero() {
			st.ObservedAt = r.oldest
		}
	}
	return st
}
