package web

import (
	"github.com/bitsage-network/validator-dashboard/validator"
)

// termsJSON is what ProverStaking asks of every worker.
type termsJSON struct {
	RewardAPYBasisPoints   uint32            `json:"reward_apy_bps"`
	UnstakeLockupSecs      float64           `json:"unstake_lockup_secs"`
	MaxConsecutiveFailures uint32            `json:"max_consecutive_failures"`
	SlashBasisPoints       map[string]uint32 `json:"slash_bps" doc:"Share of the stake by reason, in basis points"`
	Tiers                  []tierJSON        `json:"tiers"`
}

// tierJSON is a tier: what it asks for, and what is staked in it.
type tierJSON struct {
	Tier              string  `json:"tier"`
	MinStake          string  `json:"min_stake" doc:"Wei"`
	MinStakeFormatted string  `json:"min_stake_formatted"`
	Stakers           *int    `json:"stakers"`
	Staked            *string `json:"staked" doc:"Wei"`
	StakedFormatted   *string `json:"staked_formatted"`
}

func termsOf(m validator.Maybe[validator.StakingConfig], stakes validator.Maybe[validator.StakeBoard]) *termsJSON {
	c, has := m.Get()
	if !has {
		return nil
	}
	out := termsJSON{
		RewardAPYBasisPoints: c.RewardAPYBasisPoints, UnstakeLockupSecs: c.UnstakeLockup.Seconds(), MaxConsecutiveFailures: c.MaxConsecutiveFailures,
		SlashBasisPoints: map[string]uint32{},
	}
	for reason := range validator.SlashReasonCount {
		out.SlashBasisPoints[reason.String()] = c.SlashBasisPoints[reason]
	}
	for tier := range validator.TierCount {
		of := validator.Map(stakes, func(b validator.StakeBoard) validator.TierStake { return b.ByTier()[tier] })
		amount := validator.Map(of, func(t validator.TierStake) validator.Wei { return t.Amount })
		out.Tiers = append(out.Tiers, tierJSON{
			tier.String(), c.MinStake[tier].String(), c.MinStake[tier].Format(),
			field(of, func(t validator.TierStake) int { return t.Stakers }), weiText(amount), weiFormatted(amount),
		})
	}
	return &out
}

// activityJSON is what all workers did in the hours of a window.
type activityJSON struct {
	Window       string     `json:"window" enum:"24h,7d,30d"`
	Submitted    int64      `json:"submitted"`
	Completed    int64      `json:"completed"`
	Failed       int64      `json:"failed" doc:"Or timed out"`
	SuccessRate  *float64   `json:"success_rate" doc:"Percent of the jobs that ended; null if none did"`
	ComputeHours *float64   `json:"compute_hours" doc:"Execution time of the completed jobs; null if none tells its own"`
	Hours        []hourJSON `json:"hours" doc:"Oldest first; the running one is the last"`
}

type hourJSON struct {
	Hour         int64    `json:"hour" doc:"Unix seconds of its start"`
	Submitted    int64    `json:"submitted"`
	Completed    int64    `json:"completed"`
	Failed       int64    `json:"failed"`
	ComputeHours *float64 `json:"compute_hours" doc:"null if jobs were completed and none tells its time"`
}

func activityOf(m validator.Maybe[validator.NetworkActivity], w networkWindow) *activityJSON {
	a, has := m.Get()
	if !has {
		return nil
	}
	out := activityJSON{Window: w.id, Submitted: a.Submitted, Completed: a.Completed, Failed: a.Failed, SuccessRate: known(a.SuccessPercent()), ComputeHours: known(a.ComputeHours())}
	for _, h := range a.Hours {
		out.Hours = append(out.Hours, hourJSON{h.Hour.Unix(), h.Submitted, h.Completed, h.Failed, known(h.ComputeHours())})
	}
	return &out
}

// groupsJSON groups workers, none of whom can be recognised.
type groupsJSON struct {
	Least  int         `json:"least" doc:"How many workers a group has at least"`
	Uptime []groupJSON `json:"uptime_percent" doc:"Workers that were heard; null while these are fewer"`
	Jobs   []groupJSON `json:"jobs_completed" doc:"Workers that completed a job; null while these are fewer"`
}

type groupJSON struct {
	From    float64  `json:"from"`
	Below   *float64 `json:"below" doc:"null: no upper end"`
	Workers int      `json:"workers"`
}

func groupsOf(m validator.Maybe[validator.WorkerMonths]) *groupsJSON {
	return field(m, func(all validator.WorkerMonths) groupsJSON {
		return groupsJSON{validator.LeastGroup, groupList(all.UptimeGroups()), groupList(all.JobGroups())}
	})
}

func groupList(m validator.Maybe[[]validator.WorkerGroup]) []groupJSON {
	var out []groupJSON
	for _, g := range m.Or(nil) {
		out = append(out, groupJSON{g.From, g.To, g.Workers})
	}
	return out
}

// placeJSON is where one wallet's worker stands.
type placeJSON struct {
	WorkerAddress string    `json:"worker_address"`
	Uptime        *rankJSON `json:"by_uptime" doc:"Among those that were heard; null if it was not, or they are too few"`
	Jobs          *rankJSON `json:"by_jobs_completed" doc:"Among those that completed a job; null if it did not, or they are too few"`
	UptimePercent *float64  `json:"uptime_percent" doc:"null: no minute of these days counts, such as before the first heartbeat"`
	JobsCompleted int64     `json:"jobs_completed"`
}

type rankJSON struct {
	Rank int `json:"rank" doc:"Equal values share one"`
	Of   int `json:"of"`
}

func rankOf(m validator.Maybe[validator.Place]) *rankJSON {
	return field(m, func(p validator.Place) rankJSON { return rankJSON{p.Rank, p.Of} })
}

func workerPlaceOf(m validator.Maybe[validator.WorkerMonths], wallet validator.Address) *placeJSON {
	return field(m, func(all validator.WorkerMonths) placeJSON {
		p := all.PlaceOf(wallet)
		return placeJSON{string(wallet), rankOf(p.ByUptime), rankOf(p.ByJobs), known(p.Uptime()), p.JobsCompleted}
	})
}

// stakerJSON is a place among the stakes, all of which is public on the chain.
type stakerJSON struct {
	Rank            int    `json:"rank" doc:"Equal stakes share one"`
	WorkerAddress   string `json:"worker_address"`
	Tier            string `json:"tier"`
	Staked          string `json:"staked" doc:"Wei"`
	StakedFormatted string `json:"staked_formatted"`
	Slashed         string `json:"slashed" doc:"Wei, ever"`
}

func stakersOf(b validator.StakeBoard) []stakerJSON {
	out := []stakerJSON{}
	for i, k := range b[:min(len(b), leadersShown)] {
		out = append(out, stakerJSON{b.Rank(i), string(k.Worker), k.Tier.String(), k.Amount.String(), k.Amount.Format(), k.Slashed.String()})
	}
	return out
}

// scoredJSON is a place among the reputations, all of which is public on the chain.
type scoredJSON struct {
	Rank      int    `json:"rank" doc:"Equal scores share one"`
	WorkerID  string `json:"worker_id" doc:"A wallet's address, or JobManager's id of the worker"`
	Score     uint32 `json:"score" doc:"Of 1000"`
	ChangedAt int64  `json:"changed_at" doc:"Unix seconds of the block"`
}

func scoredOf(b validator.ReputationBoard) []scoredJSON {
	out := []scoredJSON{}
	for i, k := range b[:min(len(b), leadersShown)] {
		out = append(out, scoredJSON{b.Rank(i), string(k.WorkerID), k.Score, k.At.Unix()})
	}
	return out
}
