//go:build linux && cgo

package gpu

import (
	"slices"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func codes(g validator.GPU) (out []uint64) {
	for _, x := range validator.XIDs(g.Events) {
		out = append(out, x.Code)
	}
	return out
}

func TestXIDs(t *testing.T) {
	for name, v := range map[string]gputest.Variant{"wait v2": gputest.Current, "wait v1": gputest.Ancient} {
		t.Run(name, func(t *testing.T) {
			onFake(t, v, twoGPUs, func(t *testing.T, f fake) {
				start := time.Now()
				cfg := f.fast()
				cfg.RescanMin, cfg.RescanMax = 500*time.Millisecond, time.Minute
				s := run(t, cfg)
				snap := until(t, s, "two GPUs", healthy(2))
				if since, known := snap.GPUs[1].XIDsWatchedSince.Get(); !known || since.Before(start) {
					t.Errorf("XIDs watched since %v, %v; want a moment ago", since, known)
				}
				f.XID(1, 31)
				f.XID(1, 43)
				f.XID(0, 13)
				snap = until(t, s, "three XIDs", func(s validator.GPUSnapshot) bool { return len(codes(s.GPUs[1])) == 2 && len(codes(s.GPUs[0])) == 1 })
				if got := codes(byUUID(t, snap, "GPU-b")); !slices.Equal(got, []uint64{43, 31}) {
					t.Errorf("XIDs %v; want the newest first", got)
				}
				if at := snap.GPUs[0].Events[0].At; at.Before(start) || at.After(time.Now()) {
					t.Errorf("XID at %v", at)
				}

				f.Fail("1.lost", 15)
				until(t, s, "NVML was opened anew", func(s validator.GPUSnapshot) bool {
					return missingNow(s) && s.GPUs[0].XIDsWatchedSince.Or(start).After(snap.GPUs[0].XIDsWatchedSince.Or(start))
				})
				f.XID(0, 14)
				snap = until(t, s, "XIDs after NVML was opened anew", func(s validator.GPUSnapshot) bool { return len(codes(s.GPUs[0])) == 2 })
				if got := codes(byUUID(t, snap, "GPU-b")); len(got) != 2 {
					t.Errorf("XIDs %v of the missing card; want them kept", got)
				}
			})
		})
	}
}

// The last words of a card come after it fell off the bus.
func TestXIDOfALostGPU(t *testing.T) {
	onFake(t, gputest.Current, twoGPUs, func(t *testing.T, f fake) {
		cfg := f.fast()
		cfg.RescanMin, cfg.RescanMax = time.Minute, time.Minute
		s := run(t, cfg)
		until(t, s, "two GPUs", healthy(2))
		f.Fail("1.handle", 15)
		until(t, s, "the GPU is missing", missingNow)
		f.XID(1, 79)
		until(t, s, "its XID", func(s validator.GPUSnapshot) bool {
			g := s.GPUs[1]
			return g.UUID == "GPU-b" && g.MissingSince.Known() && slices.Equal(codes(g), []uint64{79})
		})
	})
}

func TestXIDsCannotBeWatched(t *testing.T) {
	for name, c := range map[string]struct {
		line, reason string
	}{
		"no event set":    {"events=!4", "no permission"},
		"no event types":  {"events.types=!3", "not supported by this GPU"},
		"not this type":   {"events.types=1", "not supported by this GPU"},
		"cannot register": {"events.register=!3", "not supported by this GPU"},
		"undefined set":   {"events.register=!999", "the driver failed with an internal error"},
	} {
		t.Run(name, func(t *testing.T) {
			onFake(t, gputest.Current, append(twoGPUs, c.line), func(t *testing.T, f fake) {
				snap := until(t, run(t, f.fast()), "two GPUs", healthy(2))
				for _, g := range snap.GPUs {
					if g.XIDsWatchedSince.Known() || g.XIDsWatchedSince.Reason() != c.reason || g.TemperatureC.Or(0) == 0 {
						t.Errorf("watched since %v, %q; want %q and all else as ever", g.XIDsWatchedSince, g.XIDsWatchedSince.Reason(), c.reason)
					}
				}
			})
		})
	}
}

// One GPU that spoils the event set does not take the others' XIDs along.
func TestXIDsOfTheOthers(t *testing.T) {
	onFake(t, gputest.Current, append(twoGPUs, "0.events.register=!999"), func(t *testing.T, f fake) {
		s := run(t, f.fast())
		until(t, s, "two GPUs", healthy(2))
		f.XID(0, 1)
		f.XID(1, 63)
		snap := until(t, s, "its XID", func(s validator.GPUSnapshot) bool { return slices.Equal(codes(s.GPUs[1]), []uint64{63}) })
		if len(snap.GPUs[0].Events) != 0 || snap.GPUs[0].XIDsWatchedSince.Known() || !snap.GPUs[1].XIDsWatchedSince.Known() {
			t.Errorf("GPUs %+v", snap.GPUs)
		}
	})
}

func TestFailingWaitForXIDs(t *testing.T) {
	onFake(t, gputest.Current, append(twoGPUs, "events.wait=!15"), func(t *testing.T, f fake) {
		s := run(t, f.fast())
		until(t, s, "two GPUs", healthy(2))
		f.Unset("events.wait")
		f.XID(1, 48)
		until(t, s, "its XID, once waiting works again", func(s validator.GPUSnapshot) bool { return slices.Equal(codes(s.GPUs[1]), []uint64{48}) })
	})
}
