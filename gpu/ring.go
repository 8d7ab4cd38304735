package gpu

import (
	"sort"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// ring holds the newest points of one GPU.
type ring struct {
	points []validator.GPUPoint // up to its capacity; then the oldest is overwritten
	next   int                  // where the next point goes once points is full
}

// add puts a point behind the others. Where more than gapAfter lies between it and the
// one before, a point without values goes between them, so that a chart breaks its line.
func (r *ring) add(p validator.GPUPoint, size int, gapAfter, interval time.Duration) {
	if last, ok := r.last(); ok && p.At.Sub(last.At) > gapAfter {
		r.push(missingPoint(last.At.Add(interval)), size)
	}
	r.push(p, size)
}

func (r *ring) push(p validator.GPUPoint, size int) {
	if len(r.points) < size {
		r.points = append(r.points, p)
		return
	}
	r.points[r.next] = p
	r.next = (r.next + 1) % size
}

func (r *ring) last() (validator.GPUPoint, bool) {
	if len(r.points) == 0 {
		return validator.GPUPoint{}, false
	}
	return *r.at(len(r.points) - 1), true
}

// since returns a copy of the points not older than from, oldest first.
func (r *ring) since(from time.Time) []validator.GPUPoint {
	n := len(r.points)
	skip := sort.Search(n, func(i int) bool { return !r.at(i).At.Before(from) })
	out := make([]validator.GPUPoint, 0, n-skip)
	older, newer := r.points[r.next:], r.points[:r.next]
	if skip < len(older) {
		return append(append(out, older[skip:]...), newer...)
	}
	return append(out, newer[skip-len(older):]...)
}

// at is the point with the given number, counted from the oldest.
func (r *ring) at(i int) *validator.GPUPoint { return &r.points[(r.next+i)%len(r.points)] }

func pointOf(g validator.GPU) validator.GPUPoint {
	return validator.GPUPoint{
		At:                 g.SampledAt,
		UtilizationPercent: g.UtilizationPercent,
		MemoryUsedBytes:    g.MemoryUsedBytes,
		TemperatureC:       g.TemperatureC,
		PowerMilliwatts:    g.PowerMilliwatts,
		SMClockMHz:         g.SMClockMHz,
		ThrottleReasons:    g.ThrottleReasons,
	}
}

func missingPoint(at time.Time) validator.GPUPoint {
	const reason = "the GPU was not read"
	return validator.GPUPoint{
		At:                 at,
		UtilizationPercent: validator.None[uint32](reason),
		MemoryUsedBytes:    validator.None[uint64](reason),
		TemperatureC:       validator.None[int](reason),
		PowerMilliwatts:    validator.None[uint32](reason),
		SMClockMHz:         validator.None[uint32](reason),
		ThrottleReasons:    validator.None[validator.ThrottleReasons](reason),
	}
}
