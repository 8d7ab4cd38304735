package web

import (
	"context"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/observe"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// recentInput asks for jobs, the newest unless it says otherwise.
type recentInput struct {
	WalletInput

	Limit  int    `query:"limit" minimum:"1" maximum:"500" default:"20" doc:"How many jobs"`
	Status string `query:"status" enum:"pending,assigned,running,completed,failed,timeout,cancelled" doc:"Only jobs in this state"`
	Order  string `query:"order" enum:"newest,oldest,highest,lowest,longest,shortest" default:"newest" doc:"By time of submission, by reward (highest, lowest) or by duration (longest, shortest); jobs whose reward or duration is not known come last"`
}

// recentJSON answers /api/jobs/recent.
type recentJSON struct {
	Jobs       []jobJSON   `json:"jobs"`
	TotalCount *int64      `json:"total_count" doc:"All jobs of the wallet in that state"`
	Sources    sourcesJSON `json:"sources"`
}

// jobJSON is one job.
type jobJSON struct {
	JobID           string   `json:"job_id"`
	JobType         string   `json:"job_type"`
	Status          string   `json:"status" enum:"pending,assigned,running,completed,failed,timeout,cancelled"`
	SubmittedAt     int64    `json:"submitted_at" doc:"Unix seconds"`
	CompletedAt     *int64   `json:"completed_at" doc:"Unix seconds"`
	DurationSecs    *float64 `json:"duration_secs" doc:"Execution time, else the time from assignment to completion; null while neither is known"`
	Reward          *string  `json:"reward" doc:"Wei; null while no payment is recorded"`
	RewardFormatted *string  `json:"reward_formatted"`
	ClientAddress   *string  `json:"client_address"`
	GPUUUID         *string  `json:"gpu_uuid"`
	TxHash          *string  `json:"tx_hash"`
	ErrorMessage    *string  `json:"error_message"`
	SelfReported    bool     `json:"self_reported" doc:"Only the wallet's own reports tell of the job: the coordinator has no such job of this wallet"`
	PaidOnChain     bool     `json:"paid_on_chain" doc:"Of a self-reported job: the chain's events have the same payment"`
	KeptApart       *string  `json:"kept_apart" doc:"Why not all of the job is in the sums: ahead (a time is more than 5 minutes ahead of the database's clock, so it is in none) or execution (the execution time does not fit between begin and end, so it is not summed); null if all is"`
}

func (s *Server) apiRecentJobs(ctx context.Context, in *recentInput) (*reply[recentJSON], error) {
	wallet, err := s.walletFor(ctx, in.WalletInput)
	if err != nil {
		return nil, err
	}
	asked := s.reads(ctx)
	order, _ := jobOrderNamed(in.Order)
	page := asked.JobPage(ctx, wallet, db.JobFilter{Status: validator.JobStatus(in.Status), Sort: order.sort, Ascending: order.ascending, Limit: in.Limit})
	out := recentJSON{Jobs: []jobJSON{}, TotalCount: field(page, func(p observe.JobPage) int64 { return p.Total }), Sources: sources(asked.State())}
	for _, j := range page.Or(observe.JobPage{}).Jobs {
		out.Jobs = append(out.Jobs, jobToJSON(j))
	}
	return ok(out)
}

func jobToJSON(j validator.Job) jobJSON {
	out := jobJSON{
		JobID: j.ID, JobType: j.Type, Status: string(j.Status), SubmittedAt: j.CreatedAt.Unix(), CompletedAt: unixOf(j.CompletedAt),
		ClientAddress: nonEmpty(string(j.Client)), GPUUUID: nonEmpty(j.GPUUUID), TxHash: nonEmpty(string(j.TxHash)), ErrorMessage: nonEmpty(j.ErrorMessage),
		SelfReported: j.SelfReported, PaidOnChain: j.PaidOnChain, KeptApart: nonEmpty(string(j.KeptApart)),
	}
	if d, known := j.Duration().Get(); known {
		secs := d.Seconds()
		out.DurationSecs = &secs
	}
	if j.Payment != nil {
		wei, formatted := j.Payment.String(), j.Payment.Format()
		out.Reward, out.RewardFormatted = &wei, &formatted
	}
	return out
}

// analyticsJSON answers /api/jobs/analytics.
type analyticsJSON struct {
	TotalJobs             *int64      `json:"total_jobs"`
	JobsCompleted         *int64      `json:"jobs_completed"`
	JobsFailed            *int64      `json:"jobs_failed" doc:"Failed or timed out"`
	JobsInProgress        *int64      `json:"jobs_in_progress" doc:"Assigned or running"`
	AvgCompletionTimeSecs *float64    `json:"avg_completion_time_secs" doc:"Over completed jobs whose time is known"`
	SuccessRate           *float64    `json:"success_rate" doc:"Percent: completed / (completed + failed); null while none has ended"`
	JobsByType            []typeJSON  `json:"jobs_by_type"`
	JobsLast24h           *int64      `json:"jobs_last_24h" doc:"Submitted in the last 24 hours"`
	JobsLast7d            *int64      `json:"jobs_last_7d" doc:"Submitted in the last 7 days in UTC, today included"`
	JobsSelfReported      *int64      `json:"jobs_self_reported" doc:"Of total_jobs: those that nothing but the wallet's own reports tells of"`
	JobsAhead             *int64      `json:"jobs_ahead" doc:"Kept apart, since a time is more than 5 minutes ahead of the database's clock: in no other count here; counted to 1,001"`
	ExecutionsApart       *int64      `json:"executions_apart" doc:"Jobs whose execution time does not fit between their begin and end, so that it is not summed; counted to 1,001"`
	Sources               sourcesJSON `json:"sources"`
}

// typeJSON counts one type of job.
type typeJSON struct {
	JobType    string  `json:"job_type"`
	Count      int64   `json:"count"`
	Percentage float64 `json:"percentage"`
}

func (s *Server) apiAnalytics(ctx context.Context, in *WalletInput) (*reply[analyticsJSON], error) {
	wallet, err := s.walletFor(ctx, *in)
	if err != nil {
		return nil, err
	}
	asked := s.reads(ctx)
	counts := asked.JobCounts(ctx, wallet)
	count := func(f func(validator.JobCounts) int64) *int64 { return field(counts, f) }
	out := analyticsJSON{
		TotalJobs:        count(func(c validator.JobCounts) int64 { return c.Total }),
		JobsCompleted:    count(func(c validator.JobCounts) int64 { return c.Completed }),
		JobsFailed:       count(func(c validator.JobCounts) int64 { return c.Failed }),
		JobsInProgress:   count(func(c validator.JobCounts) int64 { return c.InProgress }),
		JobsLast24h:      count(func(c validator.JobCounts) int64 { return c.Last24h }),
		JobsLast7d:       count(func(c validator.JobCounts) int64 { return c.Last7d }),
		JobsSelfReported: count(func(c validator.JobCounts) int64 { return c.SelfReported }),
		JobsAhead:        count(func(c validator.JobCounts) int64 { return c.KeptApart[validator.FaultAhead] }),
		ExecutionsApart:  count(func(c validator.JobCounts) int64 { return c.KeptApart[validator.FaultExecution] }),
		JobsByType:       []typeJSON{},
		Sources:          sources(asked.State()),
	}
	if c, has := counts.Get(); has {
		out.SuccessRate = known(c.SuccessPercent())
		out.AvgCompletionTimeSecs = seconds(c.AverageCompletion)
		for _, t := range c.ByType {
			out.JobsByType = append(out.JobsByType, typeJSON{t.Type, t.Count, float64(t.Count) / float64(c.Total) * 100})
		}
	}
	return ok(out)
}

func seconds(d *time.Duration) *float64 {
	if d == nil {
		return nil
	}
	v := d.Seconds()
	return &v
}
