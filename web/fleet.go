package web

import (
	"context"
	"sync"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// fleet is every GPU that works for a wallet.
type fleet struct {
	host        validator.GPUSnapshot
	hostApplies bool
	remote      validator.Maybe[[]validator.WorkerGPU]
	database    validator.SourceState
	members     []fleetGPU
}

// fleetGPU is a GPU with what the other sources know of it.
type fleetGPU struct {
	validator.FleetGPU

	jobID   string
	failure *validator.Job // the newest that failed on it within failureReach
	tee     string

	watching     validator.Maybe[validator.Watching] // in which times its driver's errors are known
	eventsReason string                              // why those that are stored are not; "" if they are
}

// failureReach is how long a failed job stands at its GPU.
const failureReach = 24 * time.Hour

// fleet gathers a wallet's GPUs: this host's, and those that other hosts reported.
func (s *Server) fleet(ctx context.Context, wallet validator.Address) fleet {
	asked := s.reads(ctx)
	f := fleet{host: s.observer.HostGPUs(viewing(ctx), wallet), hostApplies: s.observer.HostGPUsApply(viewing(ctx), wallet)}
	var running, failed validator.Maybe[[]validator.Job]
	var stored storedEvents
	if wallet == "" {
		const noWallet = "no wallet is chosen"
		f.remote = validator.None[[]validator.WorkerGPU](noWallet)
		stored.events = validator.None[map[string][]validator.GPUEvent](noWallet)
	} else {
		var all sync.WaitGroup
		all.Go(func() { f.remote = asked.WorkerGPUs(ctx, wallet) })
		all.Go(func() { stored = newStoredEvents(ctx, asked, wallet) })
		all.Go(func() {
			running = asked.RunningJobsOnGPUs(ctx, wallet)
		})
		all.Go(func() {
			failed = asked.FailedJobsOnGPUs(ctx, wallet)
		})
		all.Wait()
	}
	jobs, failures := map[string]string{}, map[string]*validator.Job{}
	for _, j := range running.Or(nil) {
		jobs[j.GPUUUID] = j.ID
	}
	for _, j := range failed.Or(nil) {
		if at, seen := j.EndedAt(), failures[j.GPUUUID]; s.now().Sub(at) < failureReach && (seen == nil || at.After(seen.EndedAt())) {
			failures[j.GPUUUID] = &j
		}
	}
	f.database = asked.State()
	all := validator.Picture{Address: wallet, Now: s.now(), HostGPUs: f.host, HostGPUsApply: f.hostApplies, WorkerGPUs: f.remote, HeartbeatInterval: s.heartbeatInterval}
	for _, m := range all.Fleet() {
		g := fleetGPU{FleetGPU: m, jobID: jobs[m.GPU.UUID], failure: failures[m.GPU.UUID]}
		if m.WorkerID == "" {
			g.tee = teeType(f.host.Host.ConfidentialCompute)
		}
		g.addEvents(stored, f.host.State)
		f.members = append(f.members, g)
	}
	return f
}

func (f fleet) states() []validator.SourceState {
	return []validator.SourceState{f.host.State, f.database}
}

// teeType names the kind of confidential computing that is on, "" if none is.
func teeType(cc validator.Maybe[validator.ConfidentialCompute]) string {
	c, known := cc.Get()
	switch {
	case !known, !c.Enabled:
		return ""
	case c.DevTools:
		return "nvidia-cc-devtools"
	}
	return "nvidia-cc"
}

// gpuStatus is a GPU's state in one word, with more where something is wrong.
type gpuStatus struct{ word, message string }

func statusOf(m validator.FleetGPU) gpuStatus {
	g := m.GPU
	switch {
	case m.Stale:
		return gpuStatus{"unknown", "Its host last reported it at " + utc(m.ReportedAt) + "; the values are from then."}
	case g.MissingSince.Known():
		return gpuStatus{"missing", "No longer answers; the values are its last. " + g.Fault.Or("")}
	}
	if why, faulted := g.Fault.Get(); faulted {
		return gpuStatus{"fault", validator.Sentence(why)}
	}
	if r, known := g.ThrottleReasons.Get(); known && r.Slowed() {
		return gpuStatus{word: "throttled"}
	}
	switch u, known := g.UtilizationPercent.Get(); {
	case !known:
		return gpuStatus{word: "unknown"}
	case u > 0:
		return gpuStatus{word: "active"}
	}
	return gpuStatus{word: "idle"}
}
