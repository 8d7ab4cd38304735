package web

import (
	"context"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// statusJSON answers /api/validator/status.
type statusJSON struct {
	WalletAddress           string      `json:"wallet_address" doc:"The wallet, in normal form"`
	Verdict                 string      `json:"verdict" enum:"Earning,Idle,At risk,Not eligible,Unknown" doc:"Is it earning right now?"`
	VerdictReason           string      `json:"verdict_reason" doc:"What the verdict rests on; At risk: the risk"`
	IsEarning               *bool       `json:"is_earning" doc:"A job was completed within the last hour, or one runs on a host that is heard, whatever the verdict is; null if that is not known"`
	Earned24h               *string     `json:"earned_24h" doc:"Wei of payments and claims in the last 24 hours"`
	AccrualPerDay           *string     `json:"accrual_per_day" doc:"Wei that the present stake accrues in 24 hours at the contract's rate"`
	Checks                  []checkJSON `json:"checks" doc:"What the verdict rests on"`
	IsActive                *bool       `json:"is_active" doc:"ProverStaking.get_stake: is_active"`
	IsRegistered            *bool       `json:"is_registered" doc:"Whether the wallet ever staked"`
	IsEligible              *bool       `json:"is_eligible" doc:"ProverStaking.is_eligible"`
	StakedAmount            *string     `json:"staked_amount" doc:"Wei"`
	StakedAmountFormatted   *string     `json:"staked_amount_formatted"`
	StakeTier               *string     `json:"stake_tier" doc:"Consumer, Workstation, DataCenter, Enterprise or Frontier; null without a stake"`
	ReputationScore         *uint32     `json:"reputation_score" doc:"0 to 1000; null if the contract does not know the worker"`
	ReputationLevel         *uint32     `json:"reputation_level" doc:"1 to 5"`
	ReputationRank          *uint32     `json:"reputation_rank" doc:"null while unranked"`
	ConsecutiveFailures     *uint32     `json:"consecutive_failures"`
	MaxConsecutiveFailures  *uint32     `json:"max_consecutive_failures"`
	TotalEarnings           *string     `json:"total_earnings" doc:"Wei: payments of completed jobs and confirmed claims of other kinds"`
	TotalEarningsFormatted  *string     `json:"total_earnings_formatted"`
	PendingRewards          *string     `json:"pending_rewards" doc:"Wei: the contract's own figure, without what accrued since the last claim"`
	PendingRewardsFormatted *string     `json:"pending_rewards_formatted"`
	JobsCompleted           *int64      `json:"jobs_completed"`
	JobsInProgress          *int64      `json:"jobs_in_progress"`
	JobsFailed              *int64      `json:"jobs_failed" doc:"Failed or timed out"`
	UptimePercent           *float64    `json:"uptime_percent" doc:"Of the last 24 hours; /api/worker/uptime says how it is defined"`
	LastHeartbeat           *int64      `json:"last_heartbeat" doc:"Unix seconds"`
	Unknown                 reasons     `json:"unknown" doc:"Why members are null where sources do not say"`
	Sources                 sourcesJSON `json:"sources"`
}

// checkJSON is a line of the checklist.
type checkJSON struct {
	ID     string  `json:"id"`
	Label  string  `json:"label"`
	State  string  `json:"state" enum:"pass,warn,fail,unknown"`
	Detail string  `json:"detail"`
	Remedy *string `json:"remedy"`
}

func (s *Server) apiStatus(ctx context.Context, in *WalletInput) (*reply[statusJSON], error) {
	wallet, err := s.walletFor(ctx, *in)
	if err != nil {
		return nil, err
	}
	p := s.picture(ctx, wallet)
	a := p.Assess()
	stake, cfg := p.Chain.Stake.Maybe, p.Chain.Network.Config.Maybe
	staked := validator.Map(stake, func(v validator.Stake) validator.Wei { return v.Amount })
	pending := validator.Map(stake, func(v validator.Stake) validator.Wei { return v.PendingRewards })
	total := p.TotalEarnings()
	out := statusJSON{
		WalletAddress: string(wallet), Verdict: string(a.Verdict), VerdictReason: a.Reason, Checks: []checkJSON{},
		IsEarning: known(a.Earning), Earned24h: weiText(p.Earned(earned24h)), AccrualPerDay: weiText(p.AccrualPerDay()),
		IsActive:     field(stake, func(v validator.Stake) bool { return v.Active }),
		IsRegistered: field(stake, validator.Stake.Registered),
		IsEligible:   known(p.Chain.Eligible.Maybe),
		StakedAmount: weiText(staked), StakedAmountFormatted: weiFormatted(staked),
		ConsecutiveFailures:    field(stake, func(v validator.Stake) uint32 { return v.ConsecutiveFailures }),
		MaxConsecutiveFailures: field(cfg, func(v validator.StakingConfig) uint32 { return v.MaxConsecutiveFailures }),
		TotalEarnings:          weiText(total), TotalEarningsFormatted: weiFormatted(total),
		PendingRewards: weiText(pending), PendingRewardsFormatted: weiFormatted(pending),
		JobsCompleted:  field(p.Jobs, func(j validator.JobCounts) int64 { return j.Completed }),
		JobsInProgress: field(p.Jobs, func(j validator.JobCounts) int64 { return j.InProgress }),
		JobsFailed:     field(p.Jobs, func(j validator.JobCounts) int64 { return j.Failed }),
		UptimePercent:  known(uptimePercent(p, validator.Window24h)),
		Unknown:        reasons{},
		Sources:        sources(p.Sources()...),
	}
	whyNull(out.Unknown, "total_earnings", total)
	whyNull(out.Unknown, "staked_amount", staked)
	whyNull(out.Unknown, "is_earning", a.Earning)
	whyNull(out.Unknown, "jobs_completed", p.Jobs)
	whyNull(out.Unknown, "uptime_percent", uptimePercent(p, validator.Window24h))
	for _, c := range a.Checks {
		out.Checks = append(out.Checks, checkJSON{c.ID, c.Label, string(c.State), c.Detail, nonEmpty(c.Remedy)})
	}
	if v, known := stake.Get(); known && v.Registered() {
		out.StakeTier = nonEmpty(v.Tier.String())
	}
	if v, known := p.Chain.Reputation.Get(); known && v.Initialised() {
		out.ReputationScore, out.ReputationLevel = &v.Score, &v.Level
	}
	if v, known := p.Chain.ReputationRank.Get(); known && v > 0 {
		out.ReputationRank = &v
	}
	if h, known := p.Heartbeats.Get(); known && h.Last != nil {
		out.LastHeartbeat = unix(h.Last.At)
	}
	return ok(out)
}

func uptimePercent(p validator.Picture, window validator.Window) validator.Maybe[float64] {
	u, known := p.Uptime(window).Get()
	if !known {
		return validator.None[float64](p.Heartbeats.Reason())
	}
	return u.Percent()
}

// rewardsJSON answers /api/validator/rewards.
type rewardsJSON struct {
	TotalEarned               *string     `json:"total_earned" doc:"Wei"`
	TotalEarnedFormatted      *string     `json:"total_earned_formatted"`
	SelfReportedEarned        *string     `json:"self_reported_earned" doc:"Wei: the part of total_earned that nothing but the wallet's own reports of jobs tells of"`
	PendingRewards            *string     `json:"pending_rewards" doc:"Wei: the contract's own figure, without what accrued since the last claim"`
	PendingRewardsFormatted   *string     `json:"pending_rewards_formatted"`
	ClaimableRewards          *string     `json:"claimable_rewards" doc:"Wei: what claim_rewards would pay at the block in sources.chain"`
	ClaimableRewardsFormatted *string     `json:"claimable_rewards_formatted"`
	LastClaimTimestamp        *int64      `json:"last_claim_timestamp" doc:"Unix seconds of the newest confirmed claim"`
	NextRewardEstimate        *string     `json:"next_reward_estimate" doc:"Wei that the present stake accrues in the next 24 hours at the contract's rate"`
	APYEstimate               *float64    `json:"apy_estimate" doc:"Realised percent a year: earned in the window / stake · 365 days / window; null while it cannot be computed"`
	APYWindowSecs             *int64      `json:"apy_window_secs" doc:"The window of apy_estimate: 30 days in UTC, today included, or since the first earning"`
	APYContract               *float64    `json:"apy_contract" doc:"The contract's own rate in percent a year"`
	Unknown                   reasons     `json:"unknown" doc:"Why members are null where sources do not say"`
	Sources                   sourcesJSON `json:"sources"`
}

func (s *Server) apiRewards(ctx context.Context, in *WalletInput) (*reply[rewardsJSON], error) {
	wallet, err := s.walletFor(ctx, *in)
	if err != nil {
		return nil, err
	}
	p := s.picture(ctx, wallet)
	pending := validator.Map(p.Chain.Stake.Maybe, func(v validator.Stake) validator.Wei { return v.PendingRewards })
	total, claimable, apy := p.TotalEarnings(), p.Claimable(), p.RealisedAPY()
	unknown := reasons{}
	whyNull(unknown, "total_earned", total)
	whyNull(unknown, "claimable_rewards", claimable)
	whyNull(unknown, "last_claim_timestamp", p.LastClaim())
	whyNull(unknown, "apy_estimate", apy)
	return ok(rewardsJSON{
		TotalEarned: weiText(total), TotalEarnedFormatted: weiFormatted(total),
		SelfReportedEarned: weiText(validator.Map(p.Earnings, func(e validator.Earnings) validator.Wei { return e.SelfReported })),
		PendingRewards:     weiText(pending), PendingRewardsFormatted: weiFormatted(pending),
		ClaimableRewards: weiText(claimable), ClaimableRewardsFormatted: weiFormatted(claimable),
		LastClaimTimestamp: unix(p.LastClaim().Or(time.Time{})),
		NextRewardEstimate: weiText(p.AccrualPerDay()),
		APYEstimate:        field(apy, func(a validator.APY) float64 { return a.Percent }),
		APYWindowSecs:      field(apy, func(a validator.APY) int64 { return int64(a.Window / time.Second) }),
		APYContract:        field(p.Chain.Network.Config.Maybe, func(c validator.StakingConfig) float64 { return float64(c.RewardAPYBasisPoints) / 100 }),
		Unknown:            unknown,
		Sources:            sources(p.Database, p.Chain.State),
	})
}
