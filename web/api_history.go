package web

import (
	"context"
	"math/big"

	"github.com/bitsage-network/validator-dashboard/observe"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// historyInput asks for a page of earnings.
type historyInput struct {
	WalletInput

	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"50" doc:"How many earnings"`
	Offset int    `query:"offset" minimum:"0" maximum:"1000000" default:"0" doc:"How many to pass over"`
	Period string `query:"period" enum:"day,week,month,all" default:"all" doc:"The last 24 hours; 7 or 30 days in UTC, today included; or everything"`
}

// historyJSON answers /api/validator/history.
type historyJSON struct {
	Rewards       []rewardJSON `json:"rewards" doc:"Newest first"`
	TotalCount    *int64       `json:"total_count" doc:"Earnings in the period; null if none is recorded and claims are not known"`
	PeriodSummary summaryJSON  `json:"period_summary"`
	Unknown       reasons      `json:"unknown" doc:"Why members are null where sources do not say"`
	Sources       sourcesJSON  `json:"sources"`
}

// rewardJSON is one earning.
type rewardJSON struct {
	Timestamp       int64   `json:"timestamp" doc:"Unix seconds"`
	Amount          string  `json:"amount" doc:"Wei"`
	AmountFormatted string  `json:"amount_formatted"`
	JobID           *string `json:"job_id"`
	RewardType      string  `json:"reward_type" enum:"job,staking,mining,bonus"`
	TxHash          *string `json:"tx_hash"`
	SelfReported    bool    `json:"self_reported" doc:"Only the wallet's own reports tell of its job"`
}

// summaryJSON sums a period.
type summaryJSON struct {
	Period                string  `json:"period" enum:"day,week,month,all"`
	TotalRewards          *string `json:"total_rewards" doc:"Wei"`
	TotalRewardsFormatted *string `json:"total_rewards_formatted"`
	JobCount              *int64  `json:"job_count" doc:"Jobs that were paid in the period"`
	AvgRewardPerJob       *string `json:"avg_reward_per_job" doc:"Wei, rounded down; null without a paid job"`
}

// periods are the windows of the periods that history knows; all has none.
var periods = map[string]validator.Window{"day": validator.Window24h, "week": validator.Window7d, "month": validator.Window30d}

func (s *Server) apiHistory(ctx context.Context, in *historyInput) (*reply[historyJSON], error) {
	wallet, err := s.walletFor(ctx, in.WalletInput)
	if err != nil {
		return nil, err
	}
	asked := s.reads(ctx)
	page := asked.EarningHistory(ctx, wallet, periods[in.Period], in.Limit, in.Offset)
	claims := asked.EventsRead(ctx, observe.ProverStaking)
	out := historyJSON{Rewards: []rewardJSON{}, PeriodSummary: summaryJSON{Period: in.Period}, Unknown: reasons{}, Sources: sources(asked.State())}
	p, has := page.Get()
	if !has {
		return ok(out)
	}
	for _, e := range p.Entries {
		out.Rewards = append(out.Rewards, rewardJSON{e.At.Unix(), e.Amount.String(), e.Amount.Format(), nonEmpty(e.JobID), string(e.Kind), nonEmpty(string(e.TxHash)), e.SelfReported})
	}
	total := validator.FoundInEvents(p.Sum.Total, p.Sum.Entries == 0, claims)
	out.TotalCount = field(total, func(validator.Wei) int64 { return p.Sum.Entries })
	out.PeriodSummary.TotalRewards, out.PeriodSummary.TotalRewardsFormatted, out.PeriodSummary.JobCount = weiText(total), weiFormatted(total), &p.Sum.JobCount
	whyNull(out.Unknown, "total_count", total)
	if p.Sum.JobCount > 0 {
		avg := p.Sum.JobTotal.MulDiv(big.NewInt(1), big.NewInt(p.Sum.JobCount)).String()
		out.PeriodSummary.AvgRewardPerJob = &avg
	}
	return ok(out)
}
