package observe

import (
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// tables are the cached answers, one table a read.
type tables struct {
	jobCounts      table[ofWallet, validator.JobCounts]
	jobPages       table[jobsKey, JobPage]
	jobs           table[jobsKey, []validator.Job]
	firstUnsorted  table[jobsKey, *time.Time]
	job            table[jobKey, *validator.Job]
	jobsOnGPUs     table[gpuJobsKey, []validator.Job]
	failedJobs     table[failedJobsKey, FailedJobs]
	jobPayment     table[jobKey, JobPayment]
	earnings       table[ofWallet, validator.Earnings]
	earningHistory table[earningHistoryKey, EarningHistory]
	earningReport  table[earningReportKey, validator.EarningReport]
	earningList    table[earningListKey, []validator.Earning]
	energy         table[daysKey, validator.MeasuredEnergy]
	claims         table[ofWallet, []validator.Claim]
	pricedClaims   table[ofWallet, []db.PricedClaim]
	sagePrice      table[nobodys, *validator.SAGEPrice]
	reconciliation table[ofWallet, validator.Reconciliation]
	payments       table[paymentsKey, []validator.ReconciledPayment]
	heartbeats     table[ofWallet, validator.HeartbeatSummary]
	uptime         table[ofWallet, validator.UptimeHistory]
	uptimeBetween  table[spanKey, validator.Uptime]
	workerGPUs     table[ofWallet, []validator.WorkerGPU]
	gpuEvents      table[ofWallet, map[string][]validator.GPUEvent]
	gpuWatches     table[ofWallet, map[string][]validator.Interval]
	gpuSteps       table[gpuStepsKey, []validator.GPUStep]
	stepsBetween   table[gpuSpanKey, []validator.GPUStep]
	gpuThrottles   table[gpuWindowKey, []validator.ThrottleSpan]
	throttlesIn    table[gpuSpanKey, []validator.ThrottleSpan]
	eventsIn       table[gpuSpanKey, []validator.GPUEvent]
	firstSample    table[gpuKey, time.Time]
	chainIndex     table[nobodys, validator.ChainIndex]
	slashes        table[slashesKey, []validator.StakeEvent]
	changes        table[reputationKey, []validator.ReputationRecord]
	scores         table[scoresKey, []validator.ReputationPoint]
	networkCounts  table[nobodys, validator.NetworkCounts]
	networkHours   table[windowKey, []validator.NetworkHour]
	stakeBoard     table[contractKey, validator.StakeBoard]
	scoreBoard     table[contractKey, validator.ReputationBoard]
	workerMonths   table[dayKey, validator.WorkerMonths]
}
