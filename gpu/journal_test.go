package gpu

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// wordsOf writes events as "xid 48×2" and so on, in their order.
func wordsOf(events []validator.GPUEvent) string {
	var out []string
	for _, e := range events {
		words := string(e.Kind)
		if e.Kind == validator.GPUEventXID {
			words += fmt.Sprintf(" %d×%d", e.Code, e.Count)
		}
		out = append(out, words)
	}
	return strings.Join(out, ", ")
}

func TestTheJournalHoldsWhatIsNotStoredYet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		watched := time.Now().Add(-time.Hour)
		healthy := card(0, "GPU-a", 40)
		healthy.XIDsWatchedSince = validator.Some(watched)
		lost := validator.GPU{Index: 0, UUID: "GPU-a", Fault: validator.Some("lost"), XIDsWatchedSince: validator.None[time.Time]("no")}
		with := func(g validator.GPU, codes ...uint64) func() (Reading, error) {
			var once []XID
			for _, c := range codes {
				once = append(once, XID{UUID: "GPU-a", XIDEvent: validator.XIDEvent{Code: c, At: time.Now()}})
			}
			return func() (Reading, error) {
				r := Reading{GPUs: []validator.GPU{g}, XIDs: once}
				once = nil
				return r, nil
			}
		}
		r := &scripted{read: with(healthy)}
		s, stop := start(t, r, Config{Interval: time.Second})
		after(time.Millisecond)
		first := s.Journal(0)
		if wordsOf(first.Events) != "found" || len(first.Watches) != 1 || first.Watcher == "" || first.Dropped != 0 {
			t.Errorf("at first: %s, %+v", wordsOf(first.Events), first)
		}
		if e := s.Snapshot().GPUs[0].Events; len(e) != 0 {
			t.Errorf("a card that is read for the first time: %s", wordsOf(e))
		}
		r.set(with(healthy, 48, 95, 48, 1<<40))
		after(time.Second)
		second := s.Journal(first.Version)
		if got := wordsOf(second.Events); got != "xid 48×2, xid 95×1" {
			t.Errorf("then: %s", got)
		}
		if w := second.Watches; len(w) != 1 || !w[0].From.Equal(watched) || time.Since(w[0].To) > 10*time.Millisecond {
			t.Errorf("watched %+v", w)
		}
		after(10 * time.Second)
		if again := s.Journal(second.Version); len(again.Events) != 0 || len(again.Watches) != 1 {
			t.Errorf("nothing new, but %+v", again)
		}
		r.set(with(healthy, 95)) // again within a minute
		after(time.Second)
		third := s.Journal(second.Version)
		if len(third.Events) != 1 || third.Events[0].Sequence != second.Events[1].Sequence || third.Events[0].Count != 2 {
			t.Errorf("an event that came again: %+v", third.Events)
		}
		r.set(with(lost))
		after(2 * time.Minute)
		r.set(with(healthy, 95)) // after more than a minute
		after(time.Second)
		if got := wordsOf(s.Journal(third.Version).Events); got != "lost, xid 95×1, found" {
			t.Errorf("at last: %s", got)
		}
		if got := wordsOf(s.Snapshot().GPUs[0].Events); got != "found, xid 95×1, lost, xid 95×2, xid 48×2" {
			t.Errorf("the card's events: %s", got)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// Nobody takes the journal: it does not grow without end, and says what it dropped.
func TestTheJournalIsBounded(t *testing.T) {
	j := newJournal()
	for n := range eventsHeld + 10 {
		j.add(validator.GPUEvent{GPUUUID: "GPU-a", Kind: validator.GPUEventXID, Code: uint64(n), Count: 1})
	}
	got := j.after(0)
	if len(got.Events) != eventsHeld || got.Events[0].Code != 10 || got.Dropped != 10 {
		t.Errorf("%d events from code %d on, %d dropped", len(got.Events), got.Events[0].Code, got.Dropped)
	}
	j.after(got.Version) // all is stored
	j.add(validator.GPUEvent{GPUUUID: "GPU-a", Count: 1})
	if again := j.after(got.Version); again.Dropped != 10 || len(again.Events) != 1 {
		t.Errorf("%d dropped of what was stored", again.Dropped-10)
	}
}

// A pass that fails ends no stretch of watching, but it does not go on either.
func TestWatchingEndsWithTheLastGoodPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		g := card(0, "GPU-a", 40)
		g.XIDsWatchedSince = validator.Some(began)
		r := &scripted{read: reads(g)}
		s, stop := start(t, r, Config{Interval: time.Second})
		after(10*time.Second + time.Millisecond)
		r.set(func() (Reading, error) { return Reading{}, errors.New("gone") })
		after(30 * time.Second)
		g.XIDsWatchedSince = validator.Some(time.Now())
		r.set(reads(g))
		after(time.Minute)
		w := s.Journal(0).Watches
		if len(w) != 2 || w[0].To.Sub(began) != 10*time.Second || !w[1].From.After(w[0].To) {
			t.Errorf("watched %+v", w)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}
