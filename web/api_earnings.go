package web

import (
	"context"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// earningsInput asks for the earnings of a range of days.
type earningsInput struct {
	WalletInput

	From string `query:"from" doc:"The first UTC day, such as 2026-11-01; left out: 29 days before today, or with to the day of the first earning"`
	To   string `query:"to" doc:"The last UTC day, which counts to its end; left out or to come: today"`
	By   string `query:"by" enum:"day,week,month" default:"day" doc:"The length of the periods: days, ISO weeks from Monday, or months, in UTC"`
}

// earningsJSON answers /api/validator/earnings.
type earningsJSON struct {
	From                   *string             `json:"from" doc:"The first UTC day"`
	To                     *string             `json:"to" doc:"The last UTC day"`
	By                     string              `json:"by" enum:"day,week,month"`
	Periods                []earningPeriodJSON `json:"periods" doc:"Oldest first, those without earnings included"`
	Total                  *string             `json:"total" doc:"Wei"`
	TotalFormatted         *string             `json:"total_formatted"`
	ByKind                 []earningKindJSON   `json:"by_kind"`
	AvgRewardPerJob        *string             `json:"avg_reward_per_job" doc:"Wei, rounded down; null without a paid job"`
	GPUHours               *float64            `json:"gpu_hours" doc:"Execution time of the jobs that ended in the range, failed ones among them, as far as jobs tell theirs"`
	AvgRewardPerGPUHour    *string             `json:"avg_reward_per_gpu_hour" doc:"Wei that jobs paid by gpu_hours, rounded down; null without any"`
	ClaimableRewards       *string             `json:"claimable_rewards" doc:"Wei that a claim would pay at the block of sources.chain"`
	PendingRewards         *string             `json:"pending_rewards" doc:"Wei of them that the contract has booked"`
	Claimed                *string             `json:"claimed" doc:"Wei of all confirmed claims that are not of kind job"`
	RealisedAPYPercent     *float64            `json:"realised_apy_percent" doc:"Earned in the window, by today's stake, times 365 days by the window"`
	RealisedAPYWindowSecs  *float64            `json:"realised_apy_window_secs" doc:"30 days in UTC, today included, or since the first earning"`
	ContractAPYBasisPoints *uint32             `json:"contract_apy_basis_points" doc:"The contract's rate on the stake"`
	Unknown                reasons             `json:"unknown" doc:"Why members are null where sources do not say"`
	Sources                sourcesJSON         `json:"sources"`
}

// earningPeriodJSON sums up a day, week or month.
type earningPeriodJSON struct {
	From           string            `json:"from" doc:"Its first UTC day in the range"`
	To             string            `json:"to" doc:"Its last UTC day in the range"`
	Whole          bool              `json:"whole" doc:"The whole period lies in the range and has passed"`
	Entries        *int64            `json:"entries" doc:"Payments and claims; null if none is recorded and claims are not known"`
	Total          *string           `json:"total" doc:"Wei"`
	TotalFormatted *string           `json:"total_formatted"`
	ByKind         []earningKindJSON `json:"by_kind"`
}

// earningKindJSON sums up one kind.
type earningKindJSON struct {
	Kind            string  `json:"kind" enum:"job,staking,mining,bonus"`
	Entries         *int64  `json:"entries"`
	Amount          *string `json:"amount" doc:"Wei"`
	AmountFormatted *string `json:"amount_formatted"`
}

func earningKinds(r validator.EarningReport, sums validator.EarningSums) []earningKindJSON {
	var out []earningKindJSON
	for _, k := range validator.RewardKinds {
		s := r.Kind(sums, k)
		out = append(out, earningKindJSON{string(k), entriesOf(s), weiText(validator.EarnedWei(s)), weiFormatted(validator.EarnedWei(s))})
	}
	return out
}

func entriesOf(s validator.Maybe[validator.EarningSum]) *int64 {
	return field(s, func(s validator.EarningSum) int64 { return s.Entries })
}

func (s *Server) apiEarnings(ctx context.Context, in *earningsInput) (*reply[earningsJSON], error) {
	wallet, err := s.walletFor(ctx, in.WalletInput)
	if err != nil {
		return nil, err
	}
	q, err := parseEarningsRange("", in.From, in.To, in.By)
	if err != nil {
		return nil, err
	}
	p := s.picture(ctx, wallet)
	read, err := s.readEarnings(ctx, p, q, priceEntry{})
	if err != nil {
		return nil, err
	}
	apy := p.RealisedAPY()
	out := earningsJSON{
		By: string(q.grouping()), Periods: []earningPeriodJSON{}, ByKind: []earningKindJSON{},
		ClaimableRewards:       weiText(p.Claimable()),
		PendingRewards:         weiText(validator.Map(p.Chain.Stake.Maybe, func(s validator.Stake) validator.Wei { return s.PendingRewards })),
		Claimed:                weiText(p.Earned(claimedEver)),
		RealisedAPYPercent:     field(apy, func(a validator.APY) float64 { return a.Percent }),
		RealisedAPYWindowSecs:  field(apy, func(a validator.APY) float64 { return a.Window.Seconds() }),
		ContractAPYBasisPoints: field(p.Chain.Network.Config.Maybe, func(c validator.StakingConfig) uint32 { return c.RewardAPYBasisPoints }),
		Unknown:                reasons{},
		Sources:                sources(read.state, p.Chain.State),
	}
	whyNull(out.Unknown, "claimed", p.Earned(claimedEver))
	whyNull(out.Unknown, "realised_apy_percent", apy)
	r, has := read.report.Get()
	if !has {
		return ok(out)
	}
	day := func(t time.Time) string { return t.Format(time.DateOnly) }
	from, to, total := day(r.Range.First), day(r.Range.Last), validator.EarnedWei(r.Total(r.Sums))
	whyNull(out.Unknown, "total", total)
	whyNull(out.Unknown, "gpu_hours", r.JobHours())
	out.From, out.To, out.Total, out.TotalFormatted, out.GPUHours = &from, &to, weiText(total), weiFormatted(total), known(r.JobHours())
	out.ByKind, out.AvgRewardPerJob, out.AvgRewardPerGPUHour = earningKinds(r, r.Sums), weiText(r.PerJob()), weiText(r.PerGPUHour())
	for _, p := range r.Periods {
		t := r.Total(p.Sums)
		out.Periods = append(out.Periods, earningPeriodJSON{day(p.First), day(p.Last), p.Whole, entriesOf(t), weiText(validator.EarnedWei(t)), weiFormatted(validator.EarnedWei(t)), earningKinds(r, p.Sums)})
	}
	return ok(out)
}
