package validator

import (
	"math"
	"time"
)

// Spread sums up readings of one quantity: their mean, the lowest and the highest.
type Spread struct{ Mean, Min, Max float64 }

// GPUStep sums up the samples of a GPU that fall into one step of time, for charts.
// A quantity that no sample of the step holds is missing.
type GPUStep struct {
	At                 time.Time // its start: a whole number of steps after 1970
	UtilizationPercent Maybe[Spread]
	MemoryUsedBytes    Maybe[Spread]
	TemperatureC       Maybe[Spread]
	PowerMilliwatts    Maybe[Spread]
	ThrottleReasons    ThrottleReasons // every reason that a sample of the step gives
}

// Known says whether any quantity was read in the step.
func (s GPUStep) Known() bool {
	return s.UtilizationPercent.Known() || s.MemoryUsedBytes.Known() || s.TemperatureC.Known() || s.PowerMilliwatts.Known()
}

// StepStart is the start of the step that a time falls into.
func StepStart(t time.Time, step time.Duration) time.Time {
	n := t.UnixNano()
	r := n % int64(step)
	if r < 0 {
		r += int64(step)
	}
	return time.Unix(0, n-r).UTC()
}

// GPUSteps sums points up by steps, both oldest first. Steps without a point are left out.
func GPUSteps(points []GPUPoint, step time.Duration) []GPUStep {
	var out []GPUStep
	for from := 0; from < len(points); {
		at := StepStart(points[from].At, step)
		to := from + 1
		for to < len(points) && points[to].At.Before(at.Add(step)) {
			to++
		}
		out = append(out, gpuStep(at, points[from:to]))
		from = to
	}
	return out
}

func gpuStep(at time.Time, points []GPUPoint) GPUStep {
	s := GPUStep{
		At:                 at,
		UtilizationPercent: spreadOf(points, func(p GPUPoint) Maybe[uint32] { return p.UtilizationPercent }),
		MemoryUsedBytes:    spreadOf(points, func(p GPUPoint) Maybe[uint64] { return p.MemoryUsedBytes }),
		TemperatureC:       spreadOf(points, func(p GPUPoint) Maybe[int] { return p.TemperatureC }),
		PowerMilliwatts:    spreadOf(points, func(p GPUPoint) Maybe[uint32] { return p.PowerMilliwatts }),
	}
	for _, p := range points {
		s.ThrottleReasons |= p.ThrottleReasons.Or(0)
	}
	return s
}

func spreadOf[T int | uint32 | uint64](points []GPUPoint, of func(GPUPoint) Maybe[T]) Maybe[Spread] {
	sum, n, all := 0.0, 0.0, Spread{Min: math.Inf(1), Max: math.Inf(-1)}
	for _, p := range points {
		v, known := of(p).Get()
		if !known {
			continue
		}
		f := float64(v)
		sum, n, all.Min, all.Max = sum+f, n+1, min(all.Min, f), max(all.Max, f)
	}
	if n == 0 {
		return None[Spread]("no reading")
	}
	all.Mean = sum / n
	return Some(all)
}
