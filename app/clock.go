package app

import (
	"time"

	"github.com/bitsage-network/validator-dashboard/gpu"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// clockedGPUs tells what a sampler read by another clock than this machine's: the database's,
// by which everything else that pages show is judged.
type clockedGPUs struct {
	sampler *gpu.Sampler
	offset  func() time.Duration // by which that clock is ahead
}

// Snapshot is the sampler's newest reading.
func (g clockedGPUs) Snapshot() validator.GPUSnapshot {
	return g.sampler.Snapshot().Shifted(g.offset())
}

// History lists the sampler's readings of a GPU since a time, oldest first.
func (g clockedGPUs) History(uuid string, since time.Time) []validator.GPUPoint {
	offset := g.offset()
	points := g.sampler.History(uuid, since.Add(-offset))
	shifted := make([]validator.GPUPoint, len(points))
	for i, p := range points {
		shifted[i] = p.Shifted(offset)
	}
	return shifted
}
