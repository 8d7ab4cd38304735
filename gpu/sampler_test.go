package gpu

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// scripted is a Reader whose passes are what the test says. Time stands still in it.
type scripted struct {
	opened, closed atomic.Int32
	open           func() error
	mu             sync.Mutex
	read           func() (Reading, error)
}

func (r *scripted) Open() (Reader, error) {
	if r.open != nil {
		if err := r.open(); err != nil {
			return nil, err
		}
	}
	r.opened.Add(1)
	return r, nil
}

func (r *scripted) Read() (Reading, error) {
	r.mu.Lock()
	read := r.read
	r.mu.Unlock()
	return read()
}

func (r *scripted) Close() error {
	r.closed.Add(1)
	return errors.New("closing always fails here")
}

func (r *scripted) set(read func() (Reading, error)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read = read
}

func card(index int, uuid string, temperature int) validator.GPU {
	return validator.GPU{Index: index, UUID: uuid, Name: validator.Some("NVIDIA H100 80GB HBM3"), TemperatureC: validator.Some(temperature)}
}

func reads(gpus ...validator.GPU) func() (Reading, error) {
	return func() (Reading, error) { return Reading{GPUs: append([]validator.GPU(nil), gpus...)}, nil }
}

// start runs a Sampler over r in a bubble and returns it with what stops it.
func start(t *testing.T, r *scripted, cfg Config) (*Sampler, func() error) {
	t.Helper()
	cfg.Open = r.Open
	cfg.Log = slog.New(slog.DiscardHandler)
	s, err := NewSampler(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	return s, func() error {
		cancel()
		return <-ended
	}
}

// after lets the bubble's time pass and everything settle.
func after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func wantHealth(t *testing.T, s *Sampler, want validator.Health, words string) {
	t.Helper()
	if st := s.Snapshot().State; st.Health != want || !strings.Contains(st.Reason, words) || st.Source != validator.SourceGPU {
		t.Errorf("state %+v; want %s and %q", st, want, words)
	}
}

func TestHealthFollowsTheAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &scripted{read: reads(card(0, "GPU-a", 40))}
		s, err := NewSampler(Config{Open: r.Open})
		if err != nil {
			t.Fatal(err)
		}
		wantHealth(t, s, validator.HealthUnavailable, "not been read yet")

		s, stop := start(t, r, Config{})
		after(time.Millisecond)
		wantHealth(t, s, validator.HealthOK, "")

		r.set(func() (Reading, error) { return Reading{}, &Error{Reason: "It broke.", Remedy: "Mend it."} })
		after(5 * time.Second)
		wantHealth(t, s, validator.HealthOK, "") // the newest reading is not yet three intervals old
		after(2 * time.Second)
		wantHealth(t, s, validator.HealthStale, "It broke.")
		if snap := s.Snapshot(); len(snap.GPUs) != 1 || snap.State.Remedy != "Mend it." || snap.GPUs[0].MissingSince.Known() {
			t.Errorf("snapshot %+v; want the last reading", snap)
		}

		r.set(func() (Reading, error) { return Reading{}, errors.New("raw words") })
		after(time.Minute)
		wantHealth(t, s, validator.HealthStale, "The GPUs could not be read.")

		r.set(reads(card(0, "GPU-a", 41)))
		after(31 * time.Second) // the longest pause between two attempts
		wantHealth(t, s, validator.HealthOK, "")
		if err := stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
		after(7 * time.Second)
		wantHealth(t, s, validator.HealthStale, "last read")
		if r.opened.Load() != r.closed.Load() {
			t.Errorf("opened %d times, closed %d times", r.opened.Load(), r.closed.Load())
		}
	})
}

func TestHangingReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &scripted{read: reads(card(0, "GPU-a", 40))}
		s, stop := start(t, r, Config{})
		after(time.Millisecond)
		release := make(chan struct{})
		r.set(func() (Reading, error) { <-release; return Reading{}, nil })
		after(20 * time.Second)
		wantHealth(t, s, validator.HealthStale, "has not answered for 18s")
		began := time.Now()
		if err := stop(); !errors.Is(err, ErrStuck) || time.Since(began) != 5*time.Second {
			t.Errorf("Run: %v after %s; want ErrStuck after 5s", err, time.Since(began))
		}
		close(release)
	})
}

func TestHangingFromTheStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		r := &scripted{open: func() error { <-release; return nil }, read: reads()}
		s, stop := start(t, r, Config{})
		after(10 * time.Second)
		wantHealth(t, s, validator.HealthUnavailable, "has not answered for 10s")
		close(release)
		after(time.Millisecond)
		wantHealth(t, s, validator.HealthStale, "last read 10s ago") // as old as the pass's beginning
		after(time.Second)
		wantHealth(t, s, validator.HealthOK, "")
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestPanicIsAReason(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &scripted{read: func() (Reading, error) { panic("oops") }}
		s, stop := start(t, r, Config{})
		after(time.Millisecond)
		wantHealth(t, s, validator.HealthUnavailable, "failed inside this program")
		r.set(reads(card(0, "GPU-a", 40)))
		after(time.Second)
		wantHealth(t, s, validator.HealthOK, "")
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		began := time.Now()
		r := &scripted{open: func() error { at = append(at, time.Since(began)); return errors.New("no") }}
		_, stop := start(t, r, Config{})
		after(100 * time.Second)
		if err := stop(); err != nil {
			t.Error(err)
		}
		if got := fmt.Sprint(at); got != "[0s 1s 3s 7s 15s 31s 1m1s 1m31s]" {
			t.Errorf("opened at %v", got)
		}
	})
}

// While a GPU is missing the source is opened anew, ever more rarely, and no more once
// all are back.
func TestRescan(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &scripted{read: reads(card(0, "GPU-a", 40), card(1, "GPU-b", 50))}
		s, stop := start(t, r, Config{Interval: time.Second})
		after(time.Hour)
		if r.opened.Load() != 1 {
			t.Errorf("opened %d times in an hour without trouble", r.opened.Load())
		}
		r.set(reads(card(0, "GPU-a", 40)))
		after(33 * time.Second)
		if r.opened.Load() != 2 {
			t.Errorf("opened %d times after half a minute; want twice", r.opened.Load())
		}
		after(time.Hour)
		if r.opened.Load() < 8 || r.opened.Load() > 13 {
			t.Errorf("opened %d times after an hour; want some ten", r.opened.Load())
		}
		if g := s.Snapshot().GPUs[1]; time.Since(g.MissingSince.Or(time.Now())) < time.Hour || g.Fault.Or("") != notListed {
			t.Errorf("GPU %+v; want it missing for an hour", g)
		}
		before := r.opened.Load()
		r.set(reads(card(0, "GPU-a", 40), card(1, "GPU-b", 50)))
		after(time.Hour)
		if r.opened.Load() > before || s.Snapshot().GPUs[1].MissingSince.Known() {
			t.Errorf("opened %d times once all was well again", r.opened.Load()-before)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestHistoryIsAWindowWithGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &scripted{read: reads(card(0, "GPU-a", 40))}
		s, stop := start(t, r, Config{Interval: time.Second, RingSize: 60})
		after(20*time.Second + time.Millisecond)
		if n := len(s.History("GPU-a", time.Time{})); n != 21 {
			t.Errorf("%d points after 20 s; want 21", n)
		}
		r.set(reads(validator.GPU{Index: 0, UUID: "GPU-a", Fault: validator.Some("lost")}))
		after(10 * time.Second)
		if n := len(s.History("GPU-a", time.Time{})); n != 21 {
			t.Errorf("%d points while the GPU is missing; want the 21 of before", n)
		}
		r.set(reads(card(0, "GPU-a", 41)))
		after(5 * time.Second)
		points := s.History("GPU-a", time.Time{})
		gaps := 0
		for i, p := range points {
			if i > 0 && !p.At.After(points[i-1].At) {
				t.Errorf("point %d is at %v, not after %v", i, p.At, points[i-1].At)
			}
			if !p.TemperatureC.Known() {
				gaps++
			}
		}
		if gaps != 1 || points[21].TemperatureC.Known() || points[21].At != points[20].At.Add(time.Second) {
			t.Errorf("%d points without values, at %v; want one, right after the last before the gap", gaps, points[21])
		}
		after(10 * time.Minute)
		points = s.History("GPU-a", time.Time{})
		if len(points) != 60 || time.Since(points[0].At) > time.Minute {
			t.Errorf("%d points from %s ago; want the newest 60 of a minute", len(points), time.Since(points[0].At))
		}
		points[0].At = time.Time{}
		if s.History("GPU-a", time.Time{})[0].At.IsZero() {
			t.Error("a caller changed the history")
		}
		r.set(reads())
		after(2 * time.Minute)
		if n := len(s.History("GPU-a", time.Time{})); n != 0 {
			t.Errorf("%d points of a GPU that has been gone for longer than the window", n)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestSnapshotIsTheCallers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := card(0, "GPU-a", 40)
		g.Processes = validator.Some([]validator.GPUProcess{{PID: 1}})
		r := &scripted{read: func() (Reading, error) {
			return Reading{GPUs: []validator.GPU{g}, XIDs: []XID{{UUID: "GPU-a", XIDEvent: validator.XIDEvent{Code: 13, At: time.Now()}}}}, nil
		}}
		s, stop := start(t, r, Config{})
		after(time.Second)
		spoiled := s.Snapshot()
		spoiled.GPUs[0].Processes.Or(nil)[0].PID = 99
		spoiled.GPUs[0].Events[0].Code = 99
		spoiled.GPUs[0].UUID = "GPU-z"
		again := s.Snapshot().GPUs[0]
		if again.UUID != "GPU-a" || again.Events[0].Code != 13 || again.Processes.Or(nil)[0].PID != 1 {
			t.Errorf("a caller changed what others see: %+v", again)
		}
		after(10 * time.Minute)
		if events := s.Snapshot().GPUs[0].Events; len(events) != 1 || events[0].Count < 300 || !events[0].Last.After(events[0].At) {
			t.Errorf("events %+v; want one that came again and again", events)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// XIDs count even when the pass that brought them failed.
func TestXIDsOfAFailedPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &scripted{read: reads(card(0, "GPU-a", 40))}
		s, stop := start(t, r, Config{})
		after(time.Second)
		r.set(func() (Reading, error) {
			return Reading{XIDs: []XID{
				{UUID: "GPU-a", XIDEvent: validator.XIDEvent{Code: 79, At: time.Now()}},
				{XIDEvent: validator.XIDEvent{Code: 1}},
			}}, errors.New("gone")
		})
		after(2 * time.Second)
		if x := s.Snapshot().GPUs[0].Events; len(x) == 0 || x[0].Code != 79 {
			t.Errorf("XIDs %v; want 79", x)
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// Many readers at once see whole snapshots while the sampler goes on (for -race).
func TestManyReaders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &scripted{read: reads(card(0, "GPU-a", 40), card(1, "GPU-b", 50))}
		s, stop := start(t, r, Config{Interval: time.Millisecond, RingSize: 100})
		var readers sync.WaitGroup
		for range 8 {
			readers.Go(func() {
				for range 200 {
					snap := s.Snapshot()
					for i := range snap.GPUs {
						snap.GPUs[i].UUID = "changed by its caller"
					}
					_ = s.History("GPU-a", time.Time{})
					time.Sleep(time.Millisecond / 2)
				}
			})
		}
		readers.Wait()
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

func TestConfigIsChecked(t *testing.T) {
	for name, cfg := range map[string]Config{
		"Interval": {Interval: -1}, "StaleAfter": {StaleAfter: -1}, "RetryMax": {RetryMax: -1}, "RingSize": {RingSize: -1},
	} {
		if _, err := NewSampler(cfg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("a negative %s: %v; want an error that names it", name, err)
		}
	}
	c, err := Config{}.withDefaults()
	if err != nil || c.Interval != 2*time.Second || c.RingSize != 1800 || c.StaleAfter != 6*time.Second {
		t.Errorf("defaults %+v, %v", c, err)
	}
}

func TestRunsOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, stop := start(t, &scripted{read: reads()}, Config{})
		after(time.Second)
		if err := s.Run(t.Context()); err == nil {
			t.Error("a second Run did not fail")
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}
