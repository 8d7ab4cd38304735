package gpu

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
	"unsafe"

	"pgregory.net/rapid"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// An hour of one GPU, at the default interval, is to stay below this.
const hourBytesMost = 1 << 20

func hourOfPoints() (*ring, time.Time) {
	c, err := Config{}.withDefaults()
	if err != nil {
		panic(err)
	}
	r, at := &ring{}, time.Now()
	for i := range 2*c.RingSize + 17 { // so that it has wrapped around
		g := card(0, "GPU-a", 40+i%50)
		g.SampledAt = at
		g.SMClockMHz, g.ThrottleReasons = validator.Some[uint32](1980), validator.Some(validator.ThrottlePowerCap)
		r.add(pointOf(g), c.RingSize, c.StaleAfter, c.Interval)
		at = at.Add(c.Interval)
	}
	return r, at
}

func (r *ring) bytes() uintptr { return uintptr(cap(r.points)) * unsafe.Sizeof(validator.GPUPoint{}) }

func TestAnHourOfHistoryIsSmall(t *testing.T) {
	r, end := hourOfPoints()
	if got := r.bytes(); got > hourBytesMost {
		t.Errorf("an hour of one GPU takes %d bytes; want at most %d", got, hourBytesMost)
	}
	if n := len(r.since(end.Add(-time.Hour))); n != int(time.Hour/(2*time.Second)) {
		t.Errorf("an hour has %d points", n)
	}
}

// The ring agrees with a plain list of its newest points, from whatever time on.
func TestARingIsItsNewestPoints(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 12).Draw(t, "size")
		r, began := &ring{}, time.Unix(1_700_000_000, 0)
		var all []time.Time
		for i := range rapid.IntRange(0, 40).Draw(t, "points") {
			at := began.Add(time.Duration(i) * time.Second)
			all = append(all, at)
			r.push(validator.GPUPoint{At: at}, size)
		}
		kept := all[max(len(all)-size, 0):]
		from := began.Add(time.Duration(rapid.IntRange(-1, 41).Draw(t, "from")) * time.Second)
		want := slices.DeleteFunc(slices.Clone(kept), func(at time.Time) bool { return at.Before(from) })
		var got []time.Time
		for _, p := range r.since(from) {
			got = append(got, p.At)
		}
		if !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func TestHistoryHoldsClocksAndThrottleReasons(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := card(0, "GPU-a", 90)
		g.SMClockMHz, g.ThrottleReasons = validator.Some[uint32](1560), validator.Some(validator.ThrottleHWThermal)
		s, stop := start(t, &scripted{read: reads(g)}, Config{})
		after(2 * time.Hour)
		points := s.History("GPU-a", time.Time{})
		if len(points) != 1800 || time.Since(points[0].At) > time.Hour {
			t.Errorf("%d points from %s ago; want an hour", len(points), time.Since(points[0].At))
		}
		if p := points[len(points)-1]; p.SMClockMHz.Or(0) != 1560 || p.ThrottleReasons.Or(0) != validator.ThrottleHWThermal {
			t.Errorf("%+v", p)
		}
		recent := s.History("GPU-a", time.Now().Add(time.Millisecond-10*time.Minute))
		if len(recent) != 300 || recent[299] != points[1799] || recent[0] != points[1500] {
			t.Errorf("%d points of the last ten minutes; want the newest 300", len(recent))
		}
		if s.History("GPU-a", time.Now().Add(time.Second)) == nil || len(s.History("GPU-a", time.Now().Add(time.Second))) != 0 {
			t.Error("a time to come has points")
		}
		if s.History("GPU-b", time.Time{}) != nil {
			t.Error("a GPU that nobody saw has a history")
		}
		if err := stop(); err != nil {
			t.Error(err)
		}
	})
}

// What History costs: bytes kept for a GPU, and bytes and time of each call.
func BenchmarkHistory(b *testing.B) {
	points, end := hourOfPoints()
	for _, reach := range []time.Duration{time.Hour, 10 * time.Minute} {
		b.Run(reach.String(), func(b *testing.B) {
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				n = len(points.since(end.Add(-reach)))
			}
			b.ReportMetric(float64(n), "points/op")
			b.ReportMetric(float64(points.bytes()), "bytes-kept/GPU")
		})
	}
}
