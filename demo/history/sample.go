package history

import (
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	sampledFor   = 7 * day        // how far back samples of GPUs go: some an hour,
	minutely     = 24 * time.Hour // and one a minute lately
	sparse       = 10 * time.Minute
	sampledSlash = 29 * day // a slash since then has the minutes around its job, too
	aroundSlash  = 70 * time.Minute
	airC         = 27.0
	fullyHotC    = 37.0 // above the air, at the power limit
	idleShare    = 0.1  // of the power limit
	thermalStep  = 0.8  // of the way to its goal the die goes in a minute
)

// clocks are the SM clocks of models in MHz: idle, and under load (NVIDIA's data sheets and
// nvidia-smi -q). Those of other models are not recorded.
var clocks = map[string][2]uint32{
	"NVIDIA H100 80GB HBM3": {345, 1980},
	"NVIDIA H200":           {345, 1980},
	"NVIDIA A100-SXM4-80GB": {210, 1410},
	"NVIDIA L40S":           {210, 2520},
}

// A card whose cooling fails under a job is held at its limit by the driver, which takes clock
// and with it power away.
const (
	heldC          = 89.0 // where it is held
	heldPowerShare = 0.64 // of its limit
	heldClockShare = 0.79
	coolingLasts   = 14 * time.Minute // of the job
)

// sampler tells what a card was like, minute by minute, as its jobs loaded it.
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
	goal, held := airC+fullyHotC*watts/limit, false
	if j := p.cursor.at(t); j != nil && j.hot && t.Sub(*j.AssignedAt) > coolingLasts {
		goal, held = heldC+0.8*(p.dice.Float64()-0.3), true
	}
	p.dieC += (goal - p.dieC) * thermalStep
	if held = held && p.dieC > heldC-2; held {
		watts, reasons = limit*heldPowerShare*(0.99+0.02*p.dice.Float64()), validator.ThrottleSWThermal
		if p.dieC >= heldC {
			reasons |= validator.ThrottleHWThermal | validator.ThrottleHWSlowdown
		}
	}
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
		case held:
			mhz = uint32(float64(c[1])*heldClockShare) / step * step
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

// eachSample hands over what a host's cards were like, for each card oldest first. Minutes
// in which the host was not heard are left out.
func (y *year) eachSample(h Host, do func(validator.GPU)) {
	now := y.story.Now
	for n, c := range y.cursors(h, y.firstSample()) {
		p := sampler{cursor: c, dice: y.story.dice(streamSamples + uint64(n)), dieC: airC + fullyHotC*idleShare}
		jobs := y.slashedOn(c.card)
		for t := y.firstSample(); !t.After(now); t = t.Add(time.Minute) {
			g, ago := p.at(t), now.Sub(t)
			wanted := ago <= minutely || ago <= sampledFor && t.Truncate(sparse).Equal(t) || slices.ContainsFunc(jobs, func(x span) bool { return !t.Before(x.from) && t.Before(x.to) })
			if wanted && !t.Before(h.Since) && !dark(y.outages, t) && !c.lost(t) {
				do(g)
			}
		}
	}
}

// firstSample is when the samples of the story begin.
func (y *year) firstSample() time.Time {
	from := y.story.ago(sampledFor)
	for _, c := range y.cards {
		for _, x := range y.slashedOn(c) {
			if x.from.Before(from) {
				from = x.from
			}
		}
	}
	return from
}

// slashedOn are the times around the jobs on a card for which the chain slashed lately.
func (y *year) slashedOn(c *card) []span {
	var out []span
	for _, j := range c.tasks {
		if j.slashed && y.story.Now.Sub(*j.CompletedAt) < sampledSlash {
			out = append(out, span{j.AssignedAt.Add(-aroundSlash).Truncate(time.Minute), j.CompletedAt.Add(aroundSlash)})
		}
	}
	return out
}
