package web

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/observe"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// gpuWindow is a stretch of time that charts show.
type gpuWindow struct {
	id     string // in the URL
	label  string
	length time.Duration
	step   time.Duration // between two points: some 120 fit
	maxAge time.Duration // of an answer of the database that is shown again
}

// sevenDays is how long the window of that name is at most: it is one of days in UTC.
const sevenDays = 7 * 24 * time.Hour

// memoryReach is how far back the sampler's memory goes by default.
const memoryReach = time.Hour

var gpuWindows = []gpuWindow{
	{"10m", "10 min", 10 * time.Minute, 5 * time.Second, 5 * time.Second},
	{"1h", "1 h", time.Hour, 30 * time.Second, 10 * time.Second},
	{"24h", "24 h", 24 * time.Hour, 12 * time.Minute, time.Minute},
	{"7d", "7 d", sevenDays, 90 * time.Minute, 5 * time.Minute},
}

// windowAsked is the window of a request: the shortest for a GPU of this host unless
// another is asked for, a day for those that other hosts report every so often.
func windowAsked(id string, local bool) (gpuWindow, error) {
	if id == "" {
		if id = "24h"; local {
			id = "10m"
		}
	}
	i := slices.IndexFunc(gpuWindows, func(w gpuWindow) bool { return w.id == id })
	if i < 0 {
		var ids []string
		for _, w := range gpuWindows {
			ids = append(ids, w.id)
		}
		return gpuWindow{}, badField("query.window", "must be one of "+strings.Join(ids, ", "), id)
	}
	return gpuWindows[i], nil
}

// from is where a window that is looked at now begins; to is its end. Both are whole
// steps, so that the same samples make the same points in every poll.
func (w gpuWindow) from(now time.Time) time.Time {
	if w.length == sevenDays {
		return validator.Window7d.Start(now)
	}
	return w.to(now).Add(-w.length)
}

func (w gpuWindow) to(now time.Time) time.Time {
	return validator.StepStart(now, w.step).Add(w.step)
}

// gpuPast is what happened to a GPU in a window.
type gpuPast struct {
	steps    validator.Maybe[[]validator.GPUStep]
	memory   bool // the steps come from this server's memory
	spans    validator.Maybe[[]validator.ThrottleSpan]
	failures validator.Maybe[[]validator.Job]
	cut      bool // there were more failed jobs than were read
	slashes  []validator.StakeEvent
	events   []validator.StakeEvent // all of the stake, newest first
	database validator.SourceState
}

// gpuPast gathers a GPU's samples, from memory where it reaches, and what else happened
// meanwhile.
func (s *Server) gpuPast(ctx context.Context, g gpuAsked) gpuPast {
	asked := s.reads(ctx)
	from, uuid := g.window.from(g.now), g.member.GPU.UUID
	window := observe.GPUWindow{From: from, To: g.now, Length: g.window.length, Step: g.window.step, MaxAge: g.window.maxAge}
	var p gpuPast
	if p.memory = g.local() && g.window.length <= memoryReach; p.memory {
		p.steps = validator.Some(validator.GPUSteps(s.gpus.History(uuid, from), g.window.step))
	} else {
		p.steps = asked.GPUSteps(ctx, g.wallet, uuid, window)
	}
	p.spans = asked.GPUThrottles(ctx, g.wallet, uuid, window)
	failed := asked.FailedJobs(ctx, g.wallet, g.window.length, from)
	p.failures = validator.Map(failed, func(f observe.FailedJobs) []validator.Job { return jobsOn(f.Jobs, uuid) })
	p.cut = failed.Or(observe.FailedJobs{}).Cut
	seen := s.chain.WalletSnapshot(ctx, g.wallet)
	p.events = seen.StakeEvents.Or(nil)
	p.slashes = slashesOf(seen, failed.Or(observe.FailedJobs{}).Jobs, uuid, from)
	p.database = asked.State()
	return p
}

func jobsOn(jobs []validator.Job, uuid string) []validator.Job {
	var out []validator.Job
	for _, j := range jobs {
		if j.GPUUUID == uuid {
			out = append(out, j)
		}
	}
	return out
}

// slashesOf lists the slashes since a time, without those for a job that is known to have
// failed on another GPU.
func slashesOf(chain validator.ChainSnapshot, failed []validator.Job, uuid string, from time.Time) []validator.StakeEvent {
	elsewhere := map[string]bool{}
	for _, j := range failed {
		elsewhere[jobKey(j.ID)] = j.GPUUUID != "" && j.GPUUUID != uuid
	}
	var out []validator.StakeEvent
	for _, e := range chain.StakeEvents.Or(nil) {
		if e.Kind == validator.StakeEventSlashed && !e.Block.Time.Before(from) && !elsewhere[jobKey(contractJobID(e.JobID))] {
			out = append(out, e)
		}
	}
	return out
}
