package validator

import (
	"testing"
	"time"
)

func pointAt(at time.Time, utilization uint32) GPUPoint {
	return GPUPoint{At: at, UtilizationPercent: Some(utilization)}
}

func TestStepsSumUpWhatFallsIntoThem(t *testing.T) {
	start := time.Unix(1_700_000_000, 0).UTC() // a whole number of 5 s
	slowed := pointAt(start.Add(4*time.Second), 90)
	slowed.ThrottleReasons = Some(ThrottleSWThermal)
	steps := GPUSteps([]GPUPoint{
		pointAt(start.Add(-time.Second), 10),
		pointAt(start, 20), pointAt(start.Add(2*time.Second), 40), slowed,
		{At: start.Add(6 * time.Second), UtilizationPercent: None[uint32]("not read")},
		pointAt(start.Add(time.Minute), 7),
	}, 5*time.Second)
	want := []struct {
		at       time.Time
		spread   Spread
		known    bool
		throttle ThrottleReasons
	}{
		{start.Add(-5 * time.Second), Spread{10, 10, 10}, true, 0},
		{start, Spread{50, 20, 90}, true, ThrottleSWThermal},
		{start.Add(5 * time.Second), Spread{}, false, 0},
		{start.Add(time.Minute), Spread{7, 7, 7}, true, 0},
	}
	if len(steps) != len(want) {
		t.Fatalf("%d steps, want %d: %+v", len(steps), len(want), steps)
	}
	for i, w := range want {
		s := steps[i]
		if !s.At.Equal(w.at) || s.UtilizationPercent.Or(Spread{}) != w.spread || s.Known() != w.known || s.ThrottleReasons != w.throttle || s.TemperatureC.Known() {
			t.Errorf("step %d is %+v, want %+v", i, s, w)
		}
	}
}

func TestAStepBeginsAtAWholeNumberOfSteps(t *testing.T) {
	for _, c := range []struct{ at, want int64 }{{0, 0}, {89, 0}, {90, 90}, {-1, -90}, {1_700_000_000, 1_699_999_920}} {
		if got := StepStart(time.Unix(c.at, 5), 90*time.Second); got.Unix() != c.want || got.Nanosecond() != 0 {
			t.Errorf("%d s: %v, want %d s", c.at, got.Unix(), c.want)
		}
	}
}
