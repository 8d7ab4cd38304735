package web

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/bitsage-network/validator-dashboard/observe"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// statsJSON answers /api/network/stats.
type statsJSON struct {
	Network                  string        `json:"network" doc:"The Starknet network"`
	ChainID                  string        `json:"chain_id"`
	TotalWorkers             *int64        `json:"total_workers" doc:"Workers that ever sent a heartbeat or held a job"`
	ActiveWorkers            *int64        `json:"active_workers" doc:"With a heartbeat within active_within_secs"`
	ActiveWithinSecs         int           `json:"active_within_secs" doc:"How recent a heartbeat must be for its worker to be active"`
	TotalJobsProcessed       *int64        `json:"total_jobs_processed" doc:"Completed"`
	JobsLast24h              *int64        `json:"jobs_last_24h" doc:"Completed in the last 24 hours"`
	AvgJobCompletionTimeSecs *float64      `json:"avg_job_completion_time_secs"`
	TotalComputeHours        *float64      `json:"total_compute_hours" doc:"Sum of the execution times of completed jobs that fit between the job's begin and end; null if none tells its own"`
	NetworkUtilization       *float64      `json:"network_utilization" doc:"Average GPU utilisation in percent over the active hosts that report it"`
	TotalStaked              *string       `json:"total_staked" doc:"Wei: ProverStaking.total_staked"`
	TotalStakedFormatted     *string       `json:"total_staked_formatted"`
	TotalSlashed             *string       `json:"total_slashed" doc:"Wei: ProverStaking.total_slashed"`
	TotalSlashedFormatted    *string       `json:"total_slashed_formatted"`
	StakingTerms             *termsJSON    `json:"staking_terms" doc:"ProverStaking.get_config, and what is staked in each tier by the events; null while the contract has not answered"`
	Activity                 *activityJSON `json:"activity" doc:"What all workers did in the hours of the window"`
	CurrentBlock             *uint64       `json:"current_block" doc:"The block that the chain's values are of"`
	IndexedBlock             *uint64       `json:"indexed_block" doc:"The last block whose contract events are known"`
	IndexLagBlocks           *uint64       `json:"index_lag_blocks" doc:"Newer blocks whose events are not known yet"`
	IndexLagSecs             *float64      `json:"index_lag_secs" doc:"Between the timestamps of the two blocks"`
	Unknown                  reasons       `json:"unknown" doc:"Why members are null where sources do not say"`
	Sources                  sourcesJSON   `json:"sources"`
}

// statsInput says over which window hours are listed.
type statsInput struct {
	Window string `query:"window" enum:"24h,7d,30d" default:"24h" doc:"The window of activity: the last 24 hours, or 7 or 30 days in UTC, today included; by the hour, from the first that begins in it"`
}

func computeHours(counts validator.Maybe[validator.NetworkCounts]) *float64 {
	if c, has := counts.Get(); has {
		return known(c.ComputeHours())
	}
	return nil
}

func (s *Server) apiNetworkStats(ctx context.Context, in *statsInput) (*reply[statsJSON], error) {
	asked := s.reads(ctx)
	counts, net := asked.NetworkCounts(ctx), s.chain.Network()
	activity, stakes := asked.Activity(ctx, windowNamed(in.Window).window), asked.StakeBoard(ctx)
	count := func(f func(validator.NetworkCounts) int64) *int64 { return field(counts, f) }
	out := statsJSON{
		Network: s.network.Name, ChainID: s.network.ChainID, ActiveWithinSecs: int(s.heartbeatInterval.GoneAfter() / time.Second),
		TotalWorkers:       count(func(c validator.NetworkCounts) int64 { return c.TotalWorkers }),
		ActiveWorkers:      count(func(c validator.NetworkCounts) int64 { return c.ActiveWorkers }),
		TotalJobsProcessed: count(func(c validator.NetworkCounts) int64 { return c.JobsProcessed }),
		JobsLast24h:        count(func(c validator.NetworkCounts) int64 { return c.JobsLast24h }),
		TotalComputeHours:  computeHours(counts),
		TotalStaked:        weiText(net.TotalStaked.Maybe), TotalStakedFormatted: weiFormatted(net.TotalStaked.Maybe),
		TotalSlashed: weiText(net.TotalSlashed.Maybe), TotalSlashedFormatted: weiFormatted(net.TotalSlashed.Maybe),
		StakingTerms: termsOf(net.Config.Maybe, stakes), Activity: activityOf(activity, windowNamed(in.Window)),
		Unknown: reasons{}, Sources: sources(asked.State(), viewing(ctx).RedactState(net.State)),
	}
	whyNull(out.Unknown, "staking_terms.tiers.stakers", stakes)
	if c, has := counts.Get(); has {
		whyNull(out.Unknown, "total_compute_hours", c.ComputeHours())
		out.AvgJobCompletionTimeSecs, out.NetworkUtilization = seconds(c.AverageCompletion), c.AverageGPUUtilization
	}
	if net.Block.Number > 0 {
		out.CurrentBlock = &net.Block.Number
	}
	if s.index != nil {
		if lag, has := s.index.IndexLag().Get(); has {
			behind := lag.Time.Seconds()
			out.IndexedBlock, out.IndexLagBlocks, out.IndexLagSecs = &lag.Block.Number, &lag.Blocks, &behind
		}
	}
	return ok(out)
}

// workersJSON answers /api/network/workers: counts only, since a worker's own figures are
// for its wallet.
type workersJSON struct {
	TotalWorkers  *int64        `json:"total_workers"`
	ActiveWorkers *int64        `json:"active_workers"`
	ActiveHosts   *int64        `json:"active_hosts"`
	BusyHosts     *int64        `json:"busy_hosts" doc:"Active hosts that report a job in progress"`
	ActiveGPUs    *int64        `json:"active_gpus"`
	ByVersion     []versionJSON `json:"by_version" doc:"Active hosts by the version of their software; versions of fewer than 5 hosts together as other"`
	ByGPUCount    []gpuHosts    `json:"by_gpu_count" doc:"Active hosts by how many GPUs they have; groups of fewer than 5 hosts are left out"`
	Groups        *groupsJSON   `json:"groups" doc:"Workers grouped by what they did in the last 30 days in UTC, today included"`
	Own           *placeJSON    `json:"own" doc:"The place among these of the wallet that the request is about, for those who may see that wallet"`
	Stakes        []stakerJSON  `json:"largest_stakes" doc:"The 10 largest stakes, by ProverStaking's events: public on the chain"`
	Reputations   []scoredJSON  `json:"highest_reputations" doc:"The 10 highest scores, by ReputationManager's events: public on the chain"`
	Sources       sourcesJSON   `json:"sources"`
}

type versionJSON struct {
	Version string `json:"version" doc:"Empty where a host does not report one"`
	Hosts   int64  `json:"hosts"`
}

type gpuHosts struct {
	GPUs  int32 `json:"gpus"`
	Hosts int64 `json:"hosts"`
}

func (s *Server) apiNetworkWorkers(ctx context.Context, in *WalletInput) (*reply[workersJSON], error) {
	asked := s.reads(ctx)
	counts, months := asked.NetworkCounts(ctx), asked.WorkerMonths(ctx)
	stakes, reputations := asked.StakeBoard(ctx), asked.ReputationBoard(ctx)
	out := workersJSON{
		ByVersion: []versionJSON{}, ByGPUCount: []gpuHosts{}, Groups: groupsOf(months), Stakes: stakersOf(stakes.Or(nil)), Reputations: scoredOf(reputations.Or(nil)),
		Sources: sources(asked.State()),
	}
	if wallet, err := s.walletFor(ctx, *in); err == nil {
		out.Own = workerPlaceOf(months, wallet)
	}
	if c, has := counts.Get(); has {
		out.TotalWorkers, out.ActiveWorkers, out.ActiveHosts, out.BusyHosts, out.ActiveGPUs = &c.TotalWorkers, &c.ActiveWorkers, &c.ActiveHosts, &c.BusyHosts, &c.ActiveGPUs
		for _, v := range c.TellableVersions() {
			out.ByVersion = append(out.ByVersion, versionJSON{v.Version, v.Hosts})
		}
		for _, v := range c.TellableGPUCounts() {
			out.ByGPUCount = append(out.ByGPUCount, gpuHosts{v.GPUs, v.Hosts})
		}
	}
	return ok(out)
}

// contractsJSON answers /api/contracts.
type contractsJSON struct {
	Network     string         `json:"network"`
	ChainID     string         `json:"chain_id"`
	ExplorerURL string         `json:"explorer_url"`
	Contracts   []contractJSON `json:"contracts"`
	Sources     sourcesJSON    `json:"sources"`
}

type contractJSON struct {
	Name             string   `json:"name"`
	Address          *string  `json:"address"`
	Status           string   `json:"status" enum:"ok,unchecked,not_configured,not_deployed,incompatible"`
	ClassHash        *string  `json:"class_hash"`
	MissingFunctions []string `json:"missing_functions" doc:"That this dashboard calls and the deployed class lacks"`
	Reason           *string  `json:"reason"`
}

func (s *Server) apiContracts(ctx context.Context, _ *struct{}) (*reply[contractsJSON], error) {
	out := contractsJSON{Network: s.network.Name, ChainID: s.network.ChainID, ExplorerURL: s.network.ExplorerURL, Contracts: []contractJSON{}, Sources: sources(viewing(ctx).RedactState(s.chain.Network().State))}
	for _, c := range s.chain.Contracts() {
		missing := c.MissingFunctions
		if missing == nil {
			missing = []string{}
		}
		if viewerOf(ctx).stranger() && c.Reason != "" {
			c.Reason = observe.HiddenReason
		}
		out.Contracts = append(out.Contracts, contractJSON{c.Name, nonEmpty(string(c.Address)), string(c.Status), nonEmpty(string(c.ClassHash)), missing, nonEmpty(c.Reason)})
	}
	return ok(out)
}

// healthJSON answers /health and its kin.
type healthJSON struct {
	Status  string      `json:"status" enum:"ok,degraded,unavailable" doc:"degraded: some source is not ok; unavailable: none answers"`
	Version string      `json:"version"`
	Reason  *string     `json:"reason" doc:"Of /health/ready: why requests had better go to another replica; null while it is ready"`
	Sources sourcesJSON `json:"sources"`
}

func (s *Server) health(ctx context.Context) healthJSON {
	states := []validator.SourceState{viewing(ctx).RedactState(s.gpus.Snapshot().State), viewing(ctx).RedactState(s.db.State()), viewing(ctx).RedactState(s.chain.Network().State)}
	good := 0
	for _, st := range states {
		if st.Health == validator.HealthOK {
			good++
		}
	}
	out := healthJSON{Status: "degraded", Version: s.version, Sources: sources(states...)}
	switch good {
	case len(states):
		out.Status = "ok"
	case 0:
		out.Status = "unavailable"
	}
	return out
}

func (s *Server) apiHealth(ctx context.Context, _ *struct{}) (*reply[healthJSON], error) {
	return ok(s.health(ctx))
}

func (s *Server) apiReady(ctx context.Context, _ *struct{}) (*reply[healthJSON], error) {
	h := s.health(ctx)
	why := s.unready()
	if why == "" {
		return ok(h)
	}
	h.Reason = &why
	cause := why
	if !s.drain.begun.Load() {
		cause = s.db.State().Reason
	}
	failedBy(ctx, errors.New("not ready: "+cause))
	return &reply[healthJSON]{http.StatusServiceUnavailable, h}, nil
}

// unready says as anybody may know it why the server is not ready, "" if it is.
func (s *Server) unready() string {
	switch {
	case s.drain.begun.Load():
		return drainWords
	case s.db.CanStore():
		return ""
	case s.db.Ready():
		return "The database takes no writes now."
	}
	return "The database cannot be reached."
}

// liveJSON answers /health/live.
type liveJSON struct {
	Status  string `json:"status" enum:"ok"`
	Version string `json:"version"`
}

func (s *Server) apiLive(context.Context, *struct{}) (*reply[liveJSON], error) {
	return ok(liveJSON{"ok", s.version})
}
