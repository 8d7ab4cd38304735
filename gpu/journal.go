package gpu

import (
	"crypto/rand"
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// How many records a journal holds for whoever stores them; older ones are dropped.
const (
	eventsHeld  = 2000
	watchesHeld = 500
	spansHeld   = 2000
)

// journal gathers records. Any goroutine may use it.
type journal struct {
	watcher, bootID string

	mu       sync.Mutex
	version  uint64
	taken    uint64 // the version that was asked after last
	dropped  int
	sequence int64
	events   records[int64, validator.GPUEvent]
	watches  records[watchKey, validator.GPUWatch]
	spans    records[spanKey, validator.ThrottleSpan]
}

// watchKey names a stretch of watching: its beginning, in nanoseconds.
type watchKey struct {
	uuid string
	from int64
}

// spanKey names a stretch of being slowed: its beginning, in nanoseconds.
type spanKey struct {
	uuid   string
	reason validator.ThrottleReasons
	from   int64
}

func newJournal() *journal {
	var run [8]byte
	_, _ = rand.Read(run[:]) // it never fails (crypto/rand)
	boot, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return &journal{watcher: hex.EncodeToString(run[:]), bootID: strings.TrimSpace(string(boot))}
}

// add records an event and returns it with its name; one that has a name is recorded again.
func (j *journal) add(e validator.GPUEvent) validator.GPUEvent {
	j.mu.Lock()
	defer j.mu.Unlock()
	if e.Watcher == "" {
		j.sequence++
		e.Watcher, e.Sequence = j.watcher, j.sequence
	}
	put(j, &j.events, e.Sequence, e, eventsHeld)
	return e
}

// watched records that a GPU's events were waited for in a stretch of time.
func (j *journal) watched(w validator.GPUWatch) {
	j.mu.Lock()
	defer j.mu.Unlock()
	put(j, &j.watches, watchKey{w.GPUUUID, w.From.UnixNano()}, w, watchesHeld)
}

// throttled records a stretch in which a GPU was slowed.
func (j *journal) throttled(s validator.ThrottleSpan) {
	j.mu.Lock()
	defer j.mu.Unlock()
	put(j, &j.spans, spanKey{s.GPUUUID, s.Reason, s.From.UnixNano()}, s, spansHeld)
}

// after returns what was recorded after a version.
func (j *journal) after(version uint64) validator.GPUJournal {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.taken = max(j.taken, version)
	return validator.GPUJournal{
		Version: j.version, Watcher: j.watcher, BootID: j.bootID, Dropped: j.dropped,
		Events: j.events.after(version), Watches: j.watches.after(version), Throttled: j.spans.after(version),
	}
}

// records are values by their keys, in the order in which they came.
type records[K comparable, V any] struct {
	order []K
	byKey map[K]record[V]
}

type record[V any] struct {
	value   V
	version uint64 // at which it changed last
}

// put keeps a value and drops the oldest beyond held.
func put[K comparable, V any](j *journal, r *records[K, V], key K, value V, held int) {
	j.version++
	if r.byKey == nil {
		r.byKey = map[K]record[V]{}
	}
	if _, known := r.byKey[key]; !known {
		r.order = append(r.order, key)
	}
	r.byKey[key] = record[V]{value, j.version}
	for len(r.order) > held {
		if r.byKey[r.order[0]].version > j.taken {
			j.dropped++
		}
		delete(r.byKey, r.order[0])
		r.order = slices.Delete(r.order, 0, 1)
	}
}

func (r *records[K, V]) after(version uint64) []V {
	var out []V
	for _, key := range r.order {
		if x := r.byKey[key]; x.version > version {
			out = append(out, x.value)
		}
	}
	return out
}

// Journal returns what happened to the GPUs after a version that it returned before, 0 for
// all that is held.
func (s *Sampler) Journal(version uint64) validator.GPUJournal { return s.journal.after(version) }
