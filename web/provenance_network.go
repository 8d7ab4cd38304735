package web

import (
	"fmt"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/observe"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

const configOrder = "get_config answers 18 felts: five minimum stakes by tier (low, high), five slash shares in basis points, the lockup in seconds, the rate in basis points and the most failures in a row."

// networkFigures tell where the figures of the network came from, by their ids; those of a
// window's hours take "@" and the window.
var networkFigures = map[string]func(evidence) views.Provenance{
	"network.staked": chainFigure("Total staked", func(e evidence) validator.ChainRead[validator.Wei] { return e.Chain.Network.TotalStaked }, func(e evidence) views.Row {
		return views.Row{Amount: amountOf(e.Chain.Network.TotalStaked.Maybe)}
	}, "total_staked answers a u256: low and high felt."),
	"network.slashed": chainFigure("Total slashed", func(e evidence) validator.ChainRead[validator.Wei] { return e.Chain.Network.TotalSlashed }, func(e evidence) views.Row {
		return views.Row{Amount: amountOf(e.Chain.Network.TotalSlashed.Maybe)}
	}, "total_slashed answers a u256: low and high felt."),
	"network.terms": chainFigure("Staking terms", func(e evidence) validator.ChainRead[validator.StakingConfig] { return e.Chain.Network.Config }, func(e evidence) views.Row {
		return views.Row{Value: show(e.Chain.Network.Config.Maybe, "% a year", func(c validator.StakingConfig) string { return basisPoints(c.RewardAPYBasisPoints) })}
	}, configOrder),
	"network.workers":     networkOrigin("Workers", "tables heartbeats and jobs", countOf(func(c validator.NetworkCounts) int64 { return c.TotalWorkers }), func(evidence) string { return db.Statement("countWorkers") }),
	"network.active":      networkOrigin("Active workers", "table heartbeats", countOf(func(c validator.NetworkCounts) int64 { return c.ActiveWorkers }), activeHostsSQL),
	"network.hosts":       networkOrigin("Active hosts", "table heartbeats", countOf(func(c validator.NetworkCounts) int64 { return c.ActiveHosts }), activeHostsSQL),
	"network.busy":        networkOrigin("Busy hosts", "table heartbeats: those that report a job in progress", countOf(func(c validator.NetworkCounts) int64 { return c.BusyHosts }), activeHostsSQL),
	"network.gpus":        networkOrigin("Active GPUs", "table heartbeats", countOf(func(c validator.NetworkCounts) int64 { return c.ActiveGPUs }), activeHostsSQL),
	"network.utilisation": networkOrigin("GPU utilisation", "table heartbeats: the mean over the active hosts that report it", networkUtilisation, activeHostsSQL),
	"network.jobs":        networkOrigin("Jobs completed", "table job_totals", countOf(func(c validator.NetworkCounts) int64 { return c.JobsProcessed }), networkTotalsSQL),
	"network.completion":  networkOrigin("Average completion", "table job_totals: completion_ms / completion_jobs", networkCompletion, networkTotalsSQL),
	"network.compute":     networkOrigin("Compute", "table job_totals: execution times of completed jobs", networkCompute, networkTotalsSQL),
	"network.jobs24h": networkOrigin("Jobs completed in 24 hours", "tables jobs and network_hours", countOf(func(c validator.NetworkCounts) int64 { return c.JobsLast24h }), func(e evidence) string {
		return db.Statement("countJobsCompletedSince", e.Now.Add(-24*time.Hour))
	}),
	"network.submitted": activityOrigin("Jobs submitted", func(a validator.NetworkActivity) views.Value { return views.Value{Text: integer(a.Submitted)} }),
	"network.completed": activityOrigin("Jobs completed", func(a validator.NetworkActivity) views.Value { return views.Value{Text: integer(a.Completed)} }),
	"network.failed":    activityOrigin("Jobs failed or late", func(a validator.NetworkActivity) views.Value { return views.Value{Text: integer(a.Failed)} }),
	"network.hours": activityOrigin("Compute", func(a validator.NetworkActivity) views.Value {
		return show(a.ComputeHours(), "hours", hoursText)
	}),
	"network.success": func(e evidence) views.Provenance {
		p := activityOrigin("Success rate", func(a validator.NetworkActivity) views.Value { return show(a.SuccessPercent(), "%", percent) })(e)
		if a, known := e.activity.Get(); known {
			p.Formula = fmt.Sprintf("completed / (completed + failed) · 100\n= %s / (%s + %s) · 100", integer(a.Completed), integer(a.Completed), integer(a.Failed))
		}
		return p
	},
	"network.stakers": func(e evidence) views.Provenance {
		p := e.fromDatabase("Stakers", "table stake_events: ProverStaking's events, as the chain has them", e.stakes.Known(), e.stakes.Reason())
		p.Value = views.Row{Value: show(e.stakes, "", func(b validator.StakeBoard) string { return integer(len(b)) })}
		p.Note = "Of each worker the total of its newest stake, less what was taken out or slashed since; who has nothing left is no staker."
		p.Commands = []views.Command{sql("Repeat it in psql", db.Statement("stakeLeaders", e.server.observer.Contract(observe.ProverStaking)))}
		return p
	},
	"network.head": func(e evidence) views.Provenance {
		p := views.Provenance{Title: "Head block", Source: "Starknet node, the newest block", Value: views.Row{Value: views.Value{Text: integer(int64(e.Chain.Block.Number))}}}
		if e.Chain.Block.Number == 0 {
			p.Value.Value, p.Reason = views.Value{Reason: validator.Sentence(e.Chain.State.Reason)}, validator.Sentence(e.Chain.State.Reason)
			return p
		}
		p.When = momentOf(e.Now, e.Chain.Block.Time)
		p.Rows = []views.Row{{Label: "Hash", Value: views.Value{Text: string(e.Chain.Block.Hash)}}, {Label: "Its time", Value: views.Value{Text: utc(e.Chain.Block.Time)}}}
		return p
	},
	"network.lag": func(e evidence) views.Provenance {
		lag := e.server.indexLag()
		p := e.fromDatabase("Events of the chain", "table chain_index_contracts: the contract that is read least far", lag.Known(), lag.Reason())
		p.Value = views.Row{Value: show(lag, "", func(l validator.IndexLag) string { return integer(int64(l.Block.Number)) })}
		if l, known := lag.Get(); known {
			p.Formula = fmt.Sprintf("head − last block of which all events are read\n= %s − %s = %s blocks", integer(l.Head.Number), integer(l.Block.Number), integer(l.Blocks))
		}
		return p
	},
}

func activeHostsSQL(e evidence) string {
	return db.Statement("activeHosts", e.Now.Add(-e.server.heartbeatInterval.GoneAfter()), e.Now)
}

func networkTotalsSQL(evidence) string { return db.Statement("networkJobTotals") }

func countOf(f func(validator.NetworkCounts) int64) func(validator.Maybe[validator.NetworkCounts]) views.Value {
	return func(m validator.Maybe[validator.NetworkCounts]) views.Value {
		return show(m, "", func(c validator.NetworkCounts) string { return integer(f(c)) })
	}
}

func networkOrigin(title, tables string, value func(validator.Maybe[validator.NetworkCounts]) views.Value, statement func(evidence) string) func(evidence) views.Provenance {
	return func(e evidence) views.Provenance {
		p := e.fromDatabase(title, tables, e.counts.Known(), e.counts.Reason())
		p.Value = views.Row{Value: value(e.counts)}
		p.Commands = []views.Command{sql("Repeat it in psql", statement(e))}
		return p
	}
}

// activityOrigin tells of a sum over the hours of a window.
func activityOrigin(title string, value func(validator.NetworkActivity) views.Value) func(evidence) views.Provenance {
	return func(e evidence) views.Provenance {
		p := e.fromDatabase(title+", "+e.window.label, "table network_hours, which the database keeps as jobs change", e.activity.Known(), e.activity.Reason())
		p.Value = views.Row{Value: views.Value{Reason: validator.Sentence(e.activity.Reason())}}
		if a, known := e.activity.Get(); known {
			p.Value.Value = value(a)
		}
		first := e.window.firstHour(e.Now)
		p.Note = validator.WindowsMeaning + " Jobs are counted by the hour, from the first that begins in the window to the running one."
		p.Rows = []views.Row{{Label: "From", Value: views.Value{Text: utc(first)}}}
		p.Commands = []views.Command{sql("The hours, in psql", db.Statement("networkHours", first, e.Now))}
		return p
	}
}

// placeOrigin tells where a wallet's place among the workers came from, but not the others.
func placeOrigin(title string, of func(validator.WorkerPlace) (validator.Maybe[validator.Place], string)) func(evidence) views.Provenance {
	return func(e evidence) views.Provenance {
		place, figure := validator.None[validator.Place](e.months.Reason()), ""
		if all, known := e.months.Get(); known {
			place, figure = of(all.PlaceOf(e.Address))
		}
		p := e.fromDatabase(title, "tables worker_days and job_days; of today view uptime_hours", place.Known(), place.Reason())
		p.Value = views.Row{Value: show(place, "", func(p validator.Place) string { return rankText(p) + ", with " + figure })}
		p.Formula = "1 + workers with a higher figure, among all that were heard, or completed a job, in 30 d"
		p.Note = validator.WindowsMeaning
		return p
	}
}
