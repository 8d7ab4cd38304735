package web

import (
	"context"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
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
	gpu     validator.GPU
	host    string // "" = this host
	jobID   string
	failure *validator.Job // the newest that failed on it within failureReach
	tee     string
}

// jobsMatched bounds the jobs of one state that are matched with GPUs; failureReach is how
// long a failed job stands at its GPU.
const (
	jobsMatched  = 100
	failureReach = 24 * time.Hour
)

// fleet gathers a wallet's GPUs: this host's, and those that other hosts reported.
func (s *Server) fleet(ctx context.Context, wallet validator.Address) fleet {
	asked := databaseRead{state: s.db.State()}
	f := fleet{host: s.gpus.Snapshot(), hostApplies: s.hostGPUsApply(ctx, wallet)}
	if wallet == "" {
		f.remote = validator.None[[]validator.WorkerGPU]("no wallet is chosen")
	} else {
		f.remote = s.workerGPUs(ctx, &asked, wallet)
	}
	jobs, failures := map[string]string{}, map[string]*validator.Job{}
	if wallet != "" {
		for _, j := range s.jobsOfStates(ctx, &asked, wallet, "jobs in progress", validator.JobRunning, validator.JobAssigned).Or(nil) {
			jobs[j.GPUUUID] = j.ID
		}
		for _, j := range s.jobsOfStates(ctx, &asked, wallet, "failed jobs", validator.JobFailed, validator.JobTimedOut).Or(nil) {
			if at, seen := endOf(j), failures[j.GPUUUID]; s.now().Sub(at) < failureReach && (seen == nil || at.After(endOf(*seen))) {
				failures[j.GPUUUID] = &j
			}
		}
	}
	f.database = asked.result()
	local := map[string]bool{}
	if f.hostApplies {
		tee := teeType(f.host.Host.ConfidentialCompute)
		for _, g := range f.host.GPUs {
			local[g.UUID] = true
			f.members = append(f.members, fleetGPU{gpu: g, jobID: jobs[g.UUID], failure: failures[g.UUID], tee: tee})
		}
	}
	for _, w := range f.remote.Or(nil) {
		if !local[w.GPU.UUID] {
			f.members = append(f.members, fleetGPU{gpu: w.GPU, host: w.WorkerID, jobID: jobs[w.GPU.UUID], failure: failures[w.GPU.UUID]})
		}
	}
	return f
}

func (f fleet) states() []validator.SourceState {
	return []validator.SourceState{f.host.State, f.database}
}

// jobsOfStates returns the newest jobs in some states that name the GPU they ran on.
func (s *Server) jobsOfStates(ctx context.Context, asked *databaseRead, wallet validator.Address, name string, states ...validator.JobStatus) validator.Maybe[[]validator.Job] {
	return readDB(ctx, s, asked, name, wallet, func(ctx context.Context) ([]validator.Job, error) {
		var out []validator.Job
		for _, st := range states {
			page, err := s.db.Jobs(ctx, wallet, db.JobFilter{Status: st, Limit: jobsMatched})
			if err != nil {
				return nil, err
			}
			out = append(out, page...)
		}
		return slices.DeleteFunc(out, func(j validator.Job) bool { return j.GPUUUID == "" }), nil
	})
}

// endOf is when a job ended, as far as its row tells.
func endOf(j validator.Job) time.Time {
	if j.CompletedAt != nil {
		return *j.CompletedAt
	}
	return j.CreatedAt
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

func statusOf(g validator.GPU) gpuStatus {
	if g.MissingSince.Known() {
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
