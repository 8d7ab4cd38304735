package web

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/labstack/echo/v4"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

// pages lists every route that is not of the JSON API, with who may call it.
func (s *Server) pages() []route {
	routes := []route{
		{http.MethodGet, "/", accessWallet, s.dashboard},
		{http.MethodGet, "/partials/status", accessWallet, s.partialStatus},
		{http.MethodGet, "/partials/gpus", accessWallet, s.partialGPUs},
		{http.MethodGet, "/partials/jobs", accessWallet, s.partialJobs},
		{http.MethodGet, "/partials/rewards", accessWallet, s.partialRewards},
		{http.MethodGet, "/partials/risk", accessWallet, s.partialRisk},
		{http.MethodGet, "/partials/sources", accessWallet, s.partialSources},
		{http.MethodGet, "/partials/network", accessPublic, s.partialNetwork},
		{http.MethodGet, aliveRoute, accessPublic, s.alive},
		{http.MethodGet, "/partials/provenance", accessWallet, s.partialProvenance},
		{http.MethodGet, networkProvenance, accessPublic, s.partialNetworkProvenance},
		{http.MethodGet, "/gpus", accessWallet, s.gpusPage},
		{http.MethodGet, "/gpus/:uuid", accessWallet, s.gpuPage},
		{http.MethodGet, "/partials/gpu", accessWallet, s.partialGPU(s.partialGPUNow)},
		{http.MethodGet, "/partials/gpu-charts", accessWallet, s.partialGPU(s.partialGPUCharts)},
		{http.MethodGet, "/partials/gpu-health", accessWallet, s.partialGPU(s.partialGPUHealth)},
		{http.MethodGet, "/partials/gpu-failures", accessWallet, s.partialGPU(s.partialGPUFailures)},
		{http.MethodGet, "/uptime", accessWallet, s.uptimePage},
		{http.MethodGet, "/partials/uptime", accessWallet, s.partialUptime(s.partialUptimeNow)},
		{http.MethodGet, "/partials/uptime-past", accessWallet, s.partialUptime(s.partialUptimePast)},
		{http.MethodGet, "/stake", accessWallet, s.stakePage},
		{http.MethodGet, slashPath, accessWallet, s.slashPage},
		{http.MethodGet, "/partials/stake-state", accessWallet, s.partialStake(s.partialStakeState)},
		{http.MethodGet, "/partials/stake-risk", accessWallet, s.partialStake(s.partialStakeRisk)},
		{http.MethodGet, "/partials/stake-terms", accessWallet, s.partialStake(s.partialStakeTerms)},
		{http.MethodGet, "/partials/stake-mining", accessWallet, s.partialStake(s.partialStakeMining)},
		{http.MethodGet, "/partials/stake-reputation", accessWallet, s.partialReputation},
		{http.MethodGet, actionPath[validator.ActionClaim], accessOwner, s.actionPage(validator.ActionClaim)},
		{http.MethodGet, actionPath[validator.ActionStake], accessOwner, s.actionPage(validator.ActionStake)},
		{http.MethodGet, actionPath[validator.ActionUnstake], accessOwner, s.actionPage(validator.ActionUnstake)},
		{http.MethodGet, actionPath[validator.ActionCompleteUnstake], accessOwner, s.actionPage(validator.ActionCompleteUnstake)},
		{http.MethodGet, "/partials/preview", accessOwner, s.partialPreview},
		{http.MethodGet, "/partials/track", accessOwner, s.partialTrack},
		{http.MethodGet, "/earnings", accessWallet, s.allEarnings},
		{http.MethodGet, "/earnings/export", accessWallet, s.exportEarnings},
		{http.MethodPost, "/earnings/claim-price", accessOwner, s.recordClaimPrice},
		{http.MethodGet, "/partials/earnings", accessWallet, s.partialEarnings},
		{http.MethodGet, "/partials/earnings-now", accessWallet, s.partialEarningsNow},
		{http.MethodGet, reconcilePath, accessWallet, s.reconcilePage},
		{http.MethodGet, reconcilePath + "/export", accessWallet, s.exportReconciled},
		{http.MethodGet, "/partials/reconciliation", accessWallet, s.partialReconciliation},
		{http.MethodGet, "/partials/reconciled", accessWallet, s.partialReconciled},
		{http.MethodGet, "/jobs", accessWallet, s.jobsPage},
		{http.MethodGet, "/jobs/export", accessWallet, s.exportJobs},
		{http.MethodGet, "/jobs/:id", accessWallet, s.jobPage},
		{http.MethodGet, "/partials/joblist", accessWallet, s.partialJobList},
		{http.MethodGet, "/partials/job", accessWallet, s.partialJob},
		{http.MethodGet, "/partials/job-card", accessWallet, s.partialJobCard},
		{http.MethodGet, "/network", accessPublic, s.networkPage},
		{http.MethodGet, "/partials/network-now", accessPublic, partialOfNetwork(s, s.networkNow, views.NetworkNow)},
		{http.MethodGet, "/partials/network-hours", accessPublic, partialOfNetwork(s, s.networkHours, views.NetworkActivity)},
		{http.MethodGet, "/partials/network-stake", accessPublic, partialOfNetwork(s, s.networkStake, views.NetworkStake)},
		{http.MethodGet, "/partials/network-workers", accessPublic, partialOfNetwork(s, s.networkWorkers, views.NetworkWorkers)},
		{http.MethodGet, "/partials/network-chain", accessPublic, partialOfNetwork(s, s.networkChain, views.NetworkChain)},
		{http.MethodGet, "/signin", accessPublic, s.signInPage},
		{http.MethodPost, "/signin/message", accessPublic, s.issueSignIn},
		{http.MethodPost, "/signin", accessPublic, s.signIn},
		{http.MethodPost, "/signout", accessPublic, s.signOut},
		{http.MethodGet, "/settings", accessSession, s.settingsPage},
		{http.MethodPost, "/settings/sessions/end", accessSession, s.revokeSession},
		{http.MethodPost, "/settings/sessions/end-all", accessSession, s.revokeSessions},
		{http.MethodPost, "/settings/tokens", accessSession, s.createToken},
		{http.MethodPost, "/settings/tokens/revoke", accessSession, s.revokeToken},
		{http.MethodPost, "/prices", accessPublic, s.keepPrices},
		{http.MethodGet, "/docs", accessPublic, s.docsPage},
		{http.MethodGet, staticRoute, accessPublic, s.staticFile},
		{http.MethodGet, "/favicon.ico", accessPublic, s.favicon},
		{http.MethodGet, "/metrics", accessOperator, s.metricsPage()},
	}
	if s.demo != nil {
		routes = append(routes, s.demoPages()...)
	}
	return routes
}

// operations lists every route of the JSON API, with who may call it.
func (s *Server) operations(api huma.API) {
	get(api, s, "/api/validator/status", accessWallet, "Validator", "Status of a validator", s.apiStatus)
	get(api, s, "/api/validator/gpus", accessWallet, "Validator", "GPUs that work for a validator", s.apiGPUs)
	get(api, s, "/api/validator/rewards", accessWallet, "Validator", "Rewards of a validator", s.apiRewards)
	get(api, s, "/api/validator/reputation", accessWallet, "Validator", "Reputation of a validator with its changes, newest first", s.apiReputation)
	get(api, s, "/api/validator/history", accessWallet, "Validator", "Earnings of a validator, newest first", s.apiHistory)
	get(api, s, "/api/validator/earnings", accessWallet, "Validator", "Earnings of a validator by day, week or month, with what can be claimed", s.apiEarnings)
	get(api, s, "/api/validator/reconciliation", accessWallet, "Validator", "Payments and claims of a validator against the chain's events", s.apiReconciliation)
	get(api, s, "/api/jobs/recent", accessWallet, "Jobs", "Newest jobs of a validator", s.apiRecentJobs)
	get(api, s, "/api/jobs/analytics", accessWallet, "Jobs", "Counts over all jobs of a validator", s.apiAnalytics)
	post(api, s, "/api/jobs", accessIngest, "Jobs", "Store reports of up to 1,000 jobs, all or none", s.apiReportJobs)
	get(api, s, "/api/network/stats", accessPublic, "Network", "The network as a whole", s.apiNetworkStats)
	get(api, s, "/api/network/workers", accessPublic, "Network", "The network's workers, counted", s.apiNetworkWorkers)
	get(api, s, "/api/contracts", accessPublic, "Network", "The contracts that are read, and whether they fit", s.apiContracts)
	get(api, s, "/api/worker/uptime", accessWallet, "Worker", "Uptime of a worker", s.apiUptime)
	get(api, s, "/api/worker/status", accessWallet, "Worker", "What a worker last reported", s.apiWorkerStatus)
	post(api, s, "/api/worker/heartbeat", accessIngest, "Worker", "Store a heartbeat", s.apiHeartbeat)
	post(api, s, "/api/worker/heartbeats", accessIngest, "Worker", "Store up to 1,000 heartbeats, all or none", s.apiHeartbeats)
	post(api, s, "/api/worker/gpu-metrics", accessIngest, "Worker", "Store samples of a worker's GPUs", s.apiGPUMetrics)
	post(api, s, "/api/worker/claim-reward", accessOwner, "Worker", "Track a claim transaction that a wallet sent", s.apiClaimReward)
	get(api, s, "/health", accessPublic, "Health", "Health with the state of each source", s.apiHealth)
	get(api, s, "/health/ready", accessPublic, "Health", "200 while the database answers and takes writes, else 503", s.apiReady)
	get(api, s, "/health/live", accessPublic, "Health", "200 while the process runs", s.apiLive)
}

// route is a route outside the JSON API.
type route struct {
	method, path string
	access       access
	handler      echo.HandlerFunc
}
