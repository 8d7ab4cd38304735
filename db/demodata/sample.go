package demodata

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	sampledFor  = 24 * time.Hour // how far back samples of reported GPUs go
	airC        = 27.0
	fullyHotC   = 37.0 // above the air, at the power limit
	idleShare   = 0.1  // of the power limit
	thermalStep = 0.8  // of the way to its goal the die goes in a minute
)

// clocks are the SM clocks of models in MHz: idle, and under load (NVIDIA's data sheets and
// nvidia-smi -q). Those of other models are not recorded.
var clocks = map[string][2]uint32{
	"NVIDIA H100 80GB HBM3": {345, 1980},
	"NVIDIA H200":           {345, 1980},
	"NVIDIA A100-SXM4-80GB": {210, 1410},
	"NVIDIA L40S":           {210, 2520},
}

// sampler tells what a reported card was like, minute by minute, as its jobs loaded it.
type sampler struct {
	cursor *cursor
	dice   *rand.Rand
	dieC   float64
}

// at samples the card, a minute after the sample before.
func (p *sampler) at(t time.Time) validator.GPU {
	g := p.cursor.gpu
	limit := float64(g.PowerLimitWatts)
	watts, utilization, memory := idleShare*limit*(0.98+0.04*p.dice.Float64()), 0.0, 0.0
	reasons := validator.ThrottleGPUIdle
	if j := p.cursor.at(t); j != nil {
		utilization, memory, reasons = min(j.utilization*(0.97+0.03*p.dice.Float64()), 1), j.memoryShare, 0
		watts = min(watts+limit*utilization*(0.93+0.03*p.dice.Float64()), limit)
		if watts >= limit {
			reasons = validator.ThrottlePowerCap
		}
	}
	p.dieC += (airC + fullyHotC*watts/limit - p.dieC) * thermalStep
	out := validator.GPU{
		Index: g.Index, UUID: g.UUID, SampledAt: t, Name: validator.Some(g.Name),
		Tier:             validator.None[validator.Tier]("this model is in no tier of the network's table"),
		MemoryTotalBytes: validator.Some(g.MemoryTotalBytes), MemoryUsedBytes: validator.Some(uint64(memory * float64(g.MemoryTotalBytes))),
		UtilizationPercent: validator.Some(uint32(math.Round(utilization * 100))), MemoryActivityPercent: validator.Some(uint32(math.Round(utilization * 61))),
		TemperatureC: validator.Some(int(math.Round(p.dieC))), MemoryTemperatureC: validator.Some(int(math.Round(p.dieC + 6*watts/limit))),
		PowerMilliwatts: validator.Some(uint32(watts * 1000)), PowerLimitMilliwatts: validator.Some(g.PowerLimitWatts * 1000),
		ThrottleReasons: validator.Some(reasons),
	}
	if c, known := clocks[g.Name]; known {
		const step, heldBack = 15, 0.93 // clocks move in steps
		mhz := c[0]
		switch {
		case reasons == validator.ThrottlePowerCap:
			mhz = uint32(float64(c[1])*heldBack) / step * step
		case utilization > 0:
			mhz = c[1]
		}
		out.SMClockMHz = validator.Some(mhz)
	}
	if tier, known := validator.TierOfModel(g.Name); known {
		out.Tier = validator.Some(tier)
	}
	return out
}

// samples are a reported host's of the last day, oldest first for each card; those of
// minutes in which the host was not heard are missing.
func (y *year) samples(h Host) []validator.GPU {
	from := y.story.ago(sampledFor)
	var out []validator.GPU
	for n, c := range y.cursors(h, from) {
		p := sampler{cursor: c, dice: y.story.dice(streamSamples + uint64(n)), dieC: airC + fullyHotC*idleShare}
		for t := from; !t.After(y.story.Now); t = t.Add(time.Minute) {
			g := p.at(t)
			if !dark(y.outages, t) && !c.lost(t) {
				out = append(out, g)
			}
		}
	}
	return out
}
