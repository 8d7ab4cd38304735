package db_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// xid is an event of GPU-0, seen by a watcher.
func xid(watcher string, sequence int64, code uint64, at time.Time) validator.GPUEvent {
	return validator.GPUEvent{
		GPUUUID: "GPU-0", Kind: validator.GPUEventXID, Code: code, Source: validator.GPUEventOfEventSet,
		At: at, Last: at, Count: 1, Watcher: watcher, Sequence: sequence,
	}
}

func loss(watcher string, sequence int64, kind validator.GPUEventKind, at time.Time) validator.GPUEvent {
	return validator.GPUEvent{GPUUUID: "GPU-0", Kind: kind, Source: validator.GPUEventOfReading, At: at, Last: at, Count: 1, Watcher: watcher, Sequence: sequence}
}

// events stores events of a watcher and lists those of alice's card as "xid 48×1", newest first.
func (b bench) events(watcher string, events ...validator.GPUEvent) string {
	b.Helper()
	check(b, b.store.StoreGPUJournal(b.ctx(), alice, "host", validator.GPUJournal{Watcher: watcher, BootID: "boot", Events: events}))
	var out []string
	for _, e := range must[map[string][]validator.GPUEvent](b)(b.store.GPUEvents(b.ctx(), alice, time.Now().Add(-24*time.Hour)))["GPU-0"] {
		words := string(e.Kind)
		if e.Kind == validator.GPUEventXID {
			words += fmt.Sprintf(" %d×%d", e.Code, e.Count)
		}
		out = append(out, words)
	}
	return strings.Join(out, ", ")
}

func TestEventsOfGPUsAreStoredOnce(t *testing.T) {
	b := newBench(t)
	at := time.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	check(t, b.store.UpsertWorkerGPUs(b.ctx(), alice, "host", at, []validator.GPU{sample("GPU-0", 0, at, 60)}))
	first := []validator.GPUEvent{xid("a", 1, 48, at), xid("a", 2, 95, at.Add(time.Second))}
	equal(t, "at first", b.events("a", first...), "xid 95×1, xid 48×1")
	equal(t, "sent twice", b.events("a", first...), "xid 95×1, xid 48×1")
	again := xid("a", 1, 48, at)
	again.Last, again.Count = at.Add(10*time.Second), 7
	equal(t, "an event that came again", b.events("a", again), "xid 48×7, xid 95×1")
	equal(t, "as it was before", b.events("a", first[0]), "xid 48×7, xid 95×1")

	equal(t, "another program of the host saw the same", b.events("b", xid("b", 1, 48, at.Add(1500*time.Millisecond)), xid("b", 2, 95, at)), "xid 48×7, xid 95×1")
	equal(t, "and another that this one did not", b.events("b", xid("b", 3, 79, at), xid("b", 4, 95, at.Add(4*time.Second))), "xid 48×7, xid 95×1, xid 95×1, xid 79×1")

	e := must[map[string][]validator.GPUEvent](t)(b.store.GPUEvents(b.ctx(), alice, at.Add(-time.Hour)))["GPU-0"][0]
	equal(t, "the event", e, again)
	equal(t, "what is beside it", dbtest.Value(t, b.url, `SELECT concat_ws(' ', worker_id, severity, source, boot_id, watcher, sequence) FROM gpu_events WHERE code = 48`), "host critical nvml_event_set boot a 1")
	equal(t, "bob's", len(must[map[string][]validator.GPUEvent](t)(b.store.GPUEvents(b.ctx(), bob, at.Add(-time.Hour)))), 0)
	around := must[[]validator.GPUEvent](t)(b.store.GPUEventsBetween(b.ctx(), alice, "GPU-0", at.Add(2*time.Second), at.Add(3*time.Second)))
	equal(t, "of a time that one went through", len(around), 1)
	equal(t, "bob's of that time", len(must[[]validator.GPUEvent](t)(b.store.GPUEventsBetween(b.ctx(), bob, "GPU-0", at, at.Add(time.Hour)))), 0)

	bad := xid("a", 9, 13, at)
	bad.At = time.Date(1066, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := b.store.StoreGPUJournal(b.ctx(), alice, "host", validator.GPUJournal{Watcher: "a", Events: []validator.GPUEvent{bad}}); !errors.Is(err, db.ErrInvalid) {
		t.Errorf("an impossible time: %v", err)
	}
}

// TestACardIsLostOnce: a program that starts while a card is lost has not lost it again.
func TestACardIsLostOnce(t *testing.T) {
	b := newBench(t)
	at := time.Now().UTC().Truncate(time.Second).Add(-time.Hour)
	check(t, b.store.UpsertWorkerGPUs(b.ctx(), alice, "host", at, []validator.GPU{sample("GPU-0", 0, at, 60)}))
	equal(t, "a card that is read for the first time", b.events("a", loss("a", 1, validator.GPUEventFound, at)), "")
	equal(t, "lost", b.events("a", loss("a", 2, validator.GPUEventLost, at.Add(time.Minute))), "lost")
	equal(t, "lost still, after a restart", b.events("b", loss("b", 1, validator.GPUEventLost, at.Add(2*time.Minute))), "lost")
	equal(t, "sent twice", b.events("a", loss("a", 2, validator.GPUEventLost, at.Add(time.Minute))), "lost")
	equal(t, "found after another", b.events("c", loss("c", 1, validator.GPUEventFound, at.Add(3*time.Minute))), "found, lost")
	equal(t, "found already", b.events("d", loss("d", 1, validator.GPUEventFound, at.Add(4*time.Minute))), "found, lost")
	equal(t, "lost again", b.events("d", loss("d", 2, validator.GPUEventLost, at.Add(5*time.Minute)), loss("d", 3, validator.GPUEventFound, at.Add(6*time.Minute))), "found, lost, found, lost")
}

func TestTimesOfWatchingAreJoined(t *testing.T) {
	b := newBench(t)
	at := time.Now().UTC().Truncate(time.Second).Add(-2 * time.Hour)
	minute := func(n int) time.Time { return at.Add(time.Duration(n) * time.Minute) }
	watch := func(watcher string, from, to int) {
		t.Helper()
		w := validator.GPUWatch{GPUUUID: "GPU-0", Interval: validator.Interval{From: minute(from), To: minute(to)}}
		check(t, b.store.StoreGPUJournal(b.ctx(), alice, "host", validator.GPUJournal{Watcher: watcher, Watches: []validator.GPUWatch{w}}))
	}
	watch("a", 0, 5)
	watch("a", 0, 20) // it went on
	watch("a", 0, 10) // late
	watch("b", 15, 30)
	watch("c", 40, 50)
	got := must[map[string][]validator.Interval](t)(b.store.GPUWatches(b.ctx(), alice, at))["GPU-0"]
	equal(t, "stretches", got, []validator.Interval{{From: minute(0), To: minute(30)}, {From: minute(40), To: minute(50)}})
	equal(t, "bob's", len(must[map[string][]validator.Interval](t)(b.store.GPUWatches(b.ctx(), bob, at))), 0)
	late := must[map[string][]validator.Interval](t)(b.store.GPUWatches(b.ctx(), alice, minute(45)))["GPU-0"]
	equal(t, "since later", late, []validator.Interval{{From: minute(40), To: minute(50)}})
}
