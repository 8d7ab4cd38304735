package gpu

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// ErrStuck says that a pass over the GPUs did not return when the Sampler was stopped.
var ErrStuck = errors.New("gpu: the driver does not answer, so its last call was left behind")

// Sampler polls the GPUs of this host and keeps what the dashboard shows of them.
// Snapshot and History may be called from any goroutine, before, while and after Run.
type Sampler struct {
	cfg     Config
	running atomic.Bool
	current atomic.Pointer[published]
	journal *journal
	busy    atomic.Pointer[time.Time] // start of the pass that is under way; nil between passes

	ringsMu sync.RWMutex
	rings   map[string]*ring // by UUID

	// Only the polling goroutine touches what follows.
	reader     Reader // nil while the source is closed
	cards      []validator.GPU
	events     map[string][]validator.GPUEvent     // by UUID, newest first
	spans      map[string][]validator.ThrottleSpan // by UUID, in the order of their beginnings
	troubles   map[string]*trouble                 // by cardKey
	retry      backoff
	rescan     backoff
	rescanAt   time.Time // zero while every known GPU is there
	lastLogged string
}

// NewSampler checks the configuration and returns a Sampler that has read nothing yet.
// That this host has no GPU is no error here: the snapshot says so.
func NewSampler(cfg Config) (*Sampler, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Sampler{
		cfg:      cfg,
		rings:    map[string]*ring{},
		events:   map[string][]validator.GPUEvent{},
		journal:  newJournal(),
		spans:    map[string][]validator.ThrottleSpan{},
		troubles: map[string]*trouble{},
		retry:    backoff{min: cfg.RetryMin, max: cfg.RetryMax},
		rescan:   backoff{min: cfg.RescanMin, max: cfg.RescanMax},
	}
	s.current.Store(&published{})
	return s, nil
}

// Run polls until ctx ends, then closes the source and returns nil. A pass that hangs in
// the driver cannot be cut short: Run waits Config.StopTimeout for it, leaves it behind
// and returns ErrStuck. A Sampler runs once.
func (s *Sampler) Run(ctx context.Context) error {
	if !s.running.CompareAndSwap(false, true) {
		return errors.New("gpu: a Sampler runs only once")
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.poll(ctx)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	select {
	case <-done:
		return nil
	case <-time.After(s.cfg.StopTimeout):
		return ErrStuck
	}
}

func (s *Sampler) poll(ctx context.Context) {
	defer s.close()
	for ctx.Err() == nil {
		timer := time.NewTimer(s.pass())
		select {
		case <-ctx.Done():
			timer.Stop()
		case <-timer.C:
		}
	}
}

// pass opens the source if need be, reads once, and returns how long to wait for the next.
func (s *Sampler) pass() time.Duration {
	start := time.Now()
	s.busy.Store(&start)
	defer s.busy.Store(nil)

	reading, err := s.read()
	s.keepXIDs(reading.XIDs)
	if err != nil {
		s.close()
		s.publishFailure(err)
		return s.retry.pause()
	}
	s.retry.reset()
	s.publish(reading, start)
	s.closeForRescan()
	return max(s.cfg.Interval-time.Since(start), s.cfg.Interval/2) // a slow driver is left some rest
}

// read opens the source if it is closed and makes one pass. The dashboard outlives a
// fault of this program in a pass: it is one more reason why there is no reading.
func (s *Sampler) read() (r Reading, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &Error{
				Reason: "Reading the GPUs failed inside this program.",
				Remedy: "Report it together with the server's log.",
				Err:    fmt.Errorf("panic: %v\n%s", p, debug.Stack()),
			}
		}
	}()
	if s.reader == nil {
		reader, err := s.cfg.Open()
		if err != nil {
			return Reading{}, err
		}
		s.reader = reader
	}
	r, err = s.reader.Read()
	for i := range r.GPUs {
		r.GPUs[i] = r.GPUs[i].Bounded(validator.Driver)
	}
	return r, err
}

func (s *Sampler) close() {
	if s.reader == nil {
		return
	}
	if err := s.reader.Close(); err != nil {
		s.cfg.Log.Debug("closing the GPU source failed", "error", err)
	}
	s.reader = nil
}

// closeForRescan closes the source when a GPU has been missing for long enough, so that
// the next pass opens it anew and finds a card that came back.
func (s *Sampler) closeForRescan() {
	complete := len(s.cards) > 0
	for _, g := range s.cards {
		complete = complete && !g.Fault.Known()
	}
	now := time.Now()
	switch {
	case complete:
		s.rescan.reset()
		s.rescanAt = time.Time{}
	case s.rescanAt.IsZero():
		s.rescanAt = now.Add(s.rescan.pause())
	case !now.Before(s.rescanAt):
		s.close()
		s.rescanAt = now.Add(s.rescan.pause())
	}
}

// publish makes a pass the newest snapshot and adds its points to the history.
func (s *Sampler) publish(r Reading, at time.Time) {
	before := s.cards
	s.cards = merge(before, r.GPUs, at)
	s.recordLosses(before, at)
	s.recordWatches(r.GPUs, at)
	s.attachEvents()
	s.attachStreaks(at)
	s.addPoints(at)
	s.current.Store(&published{host: r.Host, gpus: s.cards, at: at})
	s.logSource("", nil)
}

// publishFailure keeps the newest good reading and adds why there is no newer one.
func (s *Sampler) publishFailure(err error) {
	failure := &Error{Reason: "The GPUs could not be read.", Err: err}
	errors.As(err, &failure)
	last := s.current.Load()
	s.cards = slices.Clone(last.gpus)
	s.attachEvents()
	s.current.Store(&published{host: last.host, gpus: s.cards, at: last.at, failure: failure})
	s.logSource(failure.Reason, err)
}

func (s *Sampler) addPoints(at time.Time) {
	s.ringsMu.Lock()
	defer s.ringsMu.Unlock()
	for _, g := range s.cards {
		if g.UUID == "" || !g.SampledAt.Equal(at) {
			continue
		}
		r := s.rings[g.UUID]
		if r == nil {
			r = &ring{}
			s.rings[g.UUID] = r
		}
		r.add(pointOf(g), s.cfg.RingSize, s.cfg.StaleAfter, s.cfg.Interval)
	}
}

// History returns the points of the GPU with the given UUID since a time, oldest first,
// nil if there is none. It reaches back RingSize intervals at most. While the GPU could
// not be read there are no points; where it could be again, one point without values ends
// the line before the gap. The caller may change the slice.
func (s *Sampler) History(uuid string, since time.Time) []validator.GPUPoint {
	s.ringsMu.RLock()
	defer s.ringsMu.RUnlock()
	r := s.rings[uuid]
	if r == nil {
		return nil
	}
	if oldest := time.Now().Add(-time.Duration(s.cfg.RingSize) * s.cfg.Interval); since.Before(oldest) {
		since = oldest
	}
	return r.since(since)
}

// logSource logs a change of the source's state, once each.
func (s *Sampler) logSource(reason string, err error) {
	if reason == s.lastLogged {
		return
	}
	s.lastLogged = reason
	if err != nil {
		s.cfg.Log.Warn("the GPUs cannot be read", "error", err)
		return
	}
	s.cfg.Log.Info("the GPUs can be read again", "gpus", len(s.cards))
}
