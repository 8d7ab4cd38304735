package web

import (
	"fmt"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

const stakeOrder = "get_stake answers 13 felts: amount (low, high), locked_amount (low, high), staked_at, last_claim_at, gpu_tier, is_active, consecutive_failures, total_slashed (low, high), pending_rewards (low, high)."

func stakeRead(e evidence) validator.ChainRead[validator.Stake] { return e.Chain.Stake }

// stakeAmount shows one amount of get_stake.
func stakeAmount(of func(validator.Stake) validator.Wei) func(evidence) views.Row {
	return func(e evidence) views.Row {
		return views.Row{Amount: amountOf(validator.Map(e.Chain.Stake.Maybe, of))}
	}
}

// walletFigures tell where the figures of a wallet came from, by their ids.
var walletFigures = map[string]func(evidence) views.Provenance{
	"staked":        chainFigure("Staked", stakeRead, stakeAmount(func(s validator.Stake) validator.Wei { return s.Amount }), stakeOrder),
	"stake.locked":  chainFigure("Being unstaked", stakeRead, stakeAmount(func(s validator.Stake) validator.Wei { return s.LockedAmount }), stakeOrder),
	"stake.slashed": chainFigure("Slashed so far", stakeRead, stakeAmount(func(s validator.Stake) validator.Wei { return s.TotalSlashed }), stakeOrder),
	"claim.pending": chainFigure("Booked rewards", stakeRead, stakeAmount(func(s validator.Stake) validator.Wei { return s.PendingRewards }), stakeOrder+" pending_rewards leaves out what has accrued since last_claim_at."),
	"stake.minimum": headroomOrigin,
	"wallet.balance": chainFigure("In the wallet", func(e evidence) validator.ChainRead[validator.Wei] { return e.Chain.WalletBalance }, func(e evidence) views.Row {
		return views.Row{Amount: amountOf(e.Chain.WalletBalance.Maybe)}
	}, "What SAGEToken holds for the wallet itself: what is staked is not in it."),
	"claimable": claimableOrigin,
	"accrual":   accrualOrigin,
	"reputation": chainFigure("Reputation", func(e evidence) validator.ChainRead[validator.Reputation] { return e.Chain.Reputation }, func(e evidence) views.Row {
		return views.Row{Value: statusShow{e.Picture, e.server}.reputation().Value}
	}, "get_reputation answers 8 felts: score, level, last_updated, total_jobs, successful, failed, disputes, slashes. All zero means that the contract does not know the worker."),
	"reputation.rank": chainFigure("Rank", func(e evidence) validator.ChainRead[uint32] { return e.Chain.ReputationRank }, func(e evidence) views.Row {
		return views.Row{Value: show(e.Chain.ReputationRank.Maybe, "", integer[uint32])}
	}, "0 is unranked."),
	"reputation.network": chainFigure("Scores of all workers", func(e evidence) validator.ChainRead[validator.ReputationNetwork] { return e.Chain.Network.Reputation }, func(e evidence) views.Row {
		return views.Row{Value: show(e.Chain.Network.Reputation.Maybe, "of 1000 on average", func(n validator.ReputationNetwork) string { return integer(n.Average) })}
	}, "get_network_stats answers 4 felts: workers, average, highest, lowest."),
	"network.slashed": chainFigure("Slashed of all workers", func(e evidence) validator.ChainRead[validator.Wei] { return e.Chain.Network.TotalSlashed }, func(e evidence) views.Row {
		return views.Row{Amount: amountOf(e.Chain.Network.TotalSlashed.Maybe)}
	}, "total_slashed answers a u256: low and high felt."),
	"mining.today": miningTodayOrigin,
	"mining.left":  chainFigure("Left of today's cap", func(e evidence) validator.ChainRead[validator.Wei] { return e.Chain.Mining.RemainingCap }, func(e evidence) views.Row { return views.Row{Amount: amountOf(e.Chain.Mining.RemainingCap.Maybe)} }, "get_remaining_cap answers a u256: low and high felt."),
	"mining.tier": chainFigure("Mining tier", func(e evidence) validator.ChainRead[validator.MiningTier] { return e.Chain.Mining.Tier }, func(e evidence) views.Row {
		return views.Row{Value: show(e.Chain.Mining.Tier.Maybe, "", validator.MiningTier.String)}
	}, "get_stake_tier answers an index: None, Bronze, Silver, Gold, Platinum."),
	"mining.earned": chainFigure("Mining rewards", miningRead, func(e evidence) views.Row {
		return views.Row{Amount: amountOf(validator.Map(e.Chain.Mining.Stats.Maybe, func(v validator.MiningStats) validator.Wei { return v.Earned }))}
	}, miningOrder),
	"verdict":         verdictOrigin,
	"earned":          earnedOrigin("Earned", 0, paidAndClaimed, earnedEver),
	"earned.24h":      earnedOrigin("Earned in 24 h", validator.Window24h, paidAndClaimed, earned24h),
	"earned.7d":       earnedOrigin("Earned in 7 d", validator.Window7d, paidAndClaimed, earned7d),
	"earned.30d":      earnedOrigin("Earned in 30 d", validator.Window30d, paidAndClaimed, earned30d),
	"earned.jobs":     earnedOrigin("Earned by jobs", 0, paid, func(v validator.Earnings) validator.Wei { return v.FromJobs }),
	"claimed":         earnedOrigin("Earned by claims", 0, claimed, claimedEver),
	"apy":             apyOrigin,
	"claim.last":      lastClaimOrigin,
	"jobs.completed":  jobsOrigin("Jobs completed", "completed", func(c validator.JobCounts) int64 { return c.Completed }),
	"jobs.failed":     jobsOrigin("Jobs failed", "failed + timeout", func(c validator.JobCounts) int64 { return c.Failed }),
	"jobs.inprogress": jobsOrigin("Jobs in progress", "assigned + running", func(c validator.JobCounts) int64 { return c.InProgress }),
	"jobs.success":    successOrigin,
	"heartbeat":       heartbeatOrigin,
	"place.uptime": placeOrigin("Your place by uptime", func(p validator.WorkerPlace) (validator.Maybe[validator.Place], string) {
		return p.ByUptime, percent(p.UptimePercent()) + " %"
	}),
	"place.jobs": placeOrigin("Your place by jobs completed", func(p validator.WorkerPlace) (validator.Maybe[validator.Place], string) {
		return p.ByJobs, integer(p.JobsCompleted)
	}),
}

func headroomOrigin(e evidence) views.Provenance {
	p := e.fromChain("Headroom", e.Chain.Stake.Call, e.Chain.Network.Config.Call)
	p.Value = views.Row{Amount: amountOf(e.Headroom())}
	s, known := e.Chain.Stake.Get()
	cfg, has := e.Chain.Network.Config.Get()
	if !known || !has {
		p.When, p.Reason = nil, validator.Sentence(e.Headroom().Reason())
		return p
	}
	least := cfg.MinStake[s.Tier]
	p.Formula = fmt.Sprintf("amount − minimum of %s\n= %s − %s\n= %s wei", s.Tier, s.Amount, least, s.Amount.Sub(least))
	p.Note = "get_config answers five minimum stakes by tier, five slash shares in basis points, the lockup, the rate and the most failures in a row."
	return p
}

func claimableOrigin(e evidence) views.Provenance {
	p := e.fromChain("Claimable now", e.Chain.Stake.Call, e.Chain.Network.Config.Call)
	p.Value = views.Row{Amount: amountOf(e.Claimable())}
	f, known := e.ClaimableFormula().Get()
	if !known {
		p.When, p.Reason = nil, validator.Sentence(e.Claimable().Reason())
		return p
	}
	p.Formula = fmt.Sprintf("pending + ⌊amount · rate · (block time − last claim) / divisor⌋\n= %s + ⌊%s · %d · (%d − %d) / %d⌋\n= %s wei",
		f.PendingWei, f.AmountWei, f.RewardAPYBasisPoints, f.BlockUnix, f.LastClaimUnix, f.Divisor, f.At(f.BlockUnix))
	p.Note = "The contract's own integers; the divisor is 10,000 basis points times the seconds of 365 days. Between blocks the page goes on with the same formula. Whether a claim succeeds depends on the treasury."
	return p
}

func accrualOrigin(e evidence) views.Provenance {
	p := e.fromChain("Accrual in 24 hours", e.Chain.Stake.Call, e.Chain.Network.Config.Call)
	p.Value = views.Row{Amount: amountOf(e.AccrualPerDay())}
	if f, known := e.ClaimableFormula().Get(); known {
		p.Formula = fmt.Sprintf("⌊amount · rate · 86400 / divisor⌋\n= ⌊%s · %d · 86400 / %d⌋", f.AmountWei, f.RewardAPYBasisPoints, f.Divisor)
	} else {
		p.When, p.Reason = nil, validator.Sentence(e.AccrualPerDay().Reason())
	}
	return p
}

func verdictOrigin(e evidence) views.Provenance {
	a := e.Assess()
	p := views.Provenance{Title: "Verdict", Source: "Rule of this dashboard over all three sources", When: momentOf(e.Now, e.Now), Value: views.Row{Value: views.Value{Text: string(a.Verdict)}}}
	for _, c := range a.Checks {
		tone, _ := checkLook(c.State)
		p.Rows = append(p.Rows, views.Row{Label: c.Label, Value: views.Value{Text: string(c.State), Title: c.Detail}, Tone: tone})
	}
	p.Formula = strings.Join([]string{
		"Not eligible  if staked, minimum or eligible fails",
		"Unknown       else if one of those is unknown",
		"At risk       else if another check fails or warns",
		"Earning       else if a job runs, or one was completed within the hour",
		"Idle          else",
	}, "\n")
	return p
}

// fromDatabase is what every database read tells of itself.
func (e evidence) fromDatabase(title, tables string, known bool, reason string) views.Provenance {
	p := views.Provenance{Title: title, Source: "PostgreSQL, " + tables, RawName: "Raw value"}
	if !e.Database.ObservedAt.IsZero() {
		p.When = momentOf(e.Now, e.Database.ObservedAt)
	}
	if st := e.Database; st.Health != validator.HealthOK {
		p.Reason, p.Remedy = validator.Sentence(st.Reason), st.Remedy
	}
	if !known {
		p.When, p.Reason = nil, validator.Sentence(reason)
	}
	return p
}

func sql(label, text string) views.Command { return views.Command{Label: label, Text: text} }

// What a sum of earnings is made of.
const (
	paid           = "payments of completed jobs"
	claimed        = "confirmed claims that are not of kind job"
	paidAndClaimed = paid + " + " + claimed
)

// earnedOrigin tells of a sum of earnings in a window, or ever.
func earnedOrigin(title string, window validator.Window, formula string, of func(validator.Earnings) validator.Wei) func(evidence) views.Provenance {
	return func(e evidence) views.Provenance {
		sum := e.Earned(of)
		if formula == paid {
			sum = validator.Map(e.Earnings, of)
		}
		p := e.fromDatabase(title, "tables jobs, earning_days and reward_claims", sum.Known(), sum.Reason())
		p.Value = views.Row{Amount: amountOf(sum)}
		if w, known := sum.Get(); known {
			p.Raw = []string{w.String() + " wei"}
		}
		since := []time.Time{time.Unix(0, 0)}
		if window > 0 {
			since[0] = window.Start(e.Now)
			p.Note = validator.WindowsMeaning
			p.Rows = []views.Row{{Label: "From", Value: views.Value{Text: utc(since[0])}}}
		}
		p.Formula = formula
		if formula != claimed {
			p.Commands = append(p.Commands, sql("Payments, in psql", db.Statement("jobPaymentsSince", since, e.Address)))
		}
		if formula != paid {
			p.Commands = append(p.Commands, sql("Claims, in psql", db.Statement("claimedSince", since, e.Address)))
		}
		return p
	}
}

func apyOrigin(e evidence) views.Provenance {
	apy := e.RealisedAPY()
	p := e.fromDatabase("Realised yield", "tables jobs, earning_days and reward_claims; ProverStaking's stake", apy.Known(), apy.Reason())
	p.Value = views.Row{Value: show(apy, "% a year", func(v validator.APY) string { return percent(v.Percent) })}
	if v, known := apy.Get(); known {
		p.Formula = fmt.Sprintf("earned in the window / stake · 365 days / window · 100\n= %s / %s · 365 d / %s · 100", v.Earned, v.Stake, validator.Ago(v.Window))
		p.Note = "The window is 30 d, or the time since the first earning if that is shorter. " + validator.WindowsMeaning
	}
	return p
}

func lastClaimOrigin(e evidence) views.Provenance {
	last := e.LastClaim()
	p := e.fromDatabase("Last claim", "table reward_claims; else ProverStaking's last_claim_at", last.Known(), last.Reason())
	p.Value = views.Row{Value: whenOf(last, e.Now)}
	p.Commands = []views.Command{sql("Repeat it in psql", db.Statement("newestConfirmedClaim", e.Address))}
	return p
}

func jobsOrigin(title, states string, of func(validator.JobCounts) int64) func(evidence) views.Provenance {
	return func(e evidence) views.Provenance {
		p := e.fromDatabase(title, "table job_totals, which the database keeps as jobs change, without those that are kept apart", e.Jobs.Known(), e.Jobs.Reason())
		p.Value = views.Row{Value: show(e.Jobs, "", func(c validator.JobCounts) string { return integer(of(c)) })}
		p.Formula = "sum over all types of the states " + states
		p.Commands = []views.Command{sql("Repeat it in psql", db.Statement("workerJobTotals", e.Address))}
		return p
	}
}

func successOrigin(e evidence) views.Provenance {
	p := jobsOrigin("Success rate", "completed, failed and timeout", func(c validator.JobCounts) int64 { return c.Completed })(e)
	c, known := e.Jobs.Get()
	p.Value = views.Row{Value: views.Value{Reason: validator.Sentence(e.Jobs.Reason())}}
	if known {
		p.Value.Value = show(c.SuccessPercent(), "%", percent)
		p.Formula = fmt.Sprintf("completed / (completed + failed) · 100\n= %s / (%s + %s) · 100", integer(c.Completed), integer(c.Completed), integer(c.Failed))
	}
	return p
}

func heartbeatOrigin(e evidence) views.Provenance {
	p := e.fromDatabase("Newest heartbeat", "table heartbeats", e.Heartbeats.Known(), e.Heartbeats.Reason())
	p.Value = views.Row{Value: views.Value{Reason: "No heartbeat has arrived yet."}}
	if h, known := e.Heartbeats.Get(); known && h.Last != nil {
		p.Value = views.Row{Value: views.Value{At: momentOf(e.Now, h.Last.At)}}
		p.Rows = []views.Row{{Label: "Host", Value: views.Value{Text: h.Last.WorkerID}}}
	}
	p.Commands = []views.Command{sql("Repeat it in psql", db.Statement("newestHeartbeat", e.Address))}
	return p
}
