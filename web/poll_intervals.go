package web

// How often each panel asks anew, as htmx writes it. A panel asks about as often as what it shows can
// change: what is slower to read or changes less asks less often.
const (
	everyGPUs    = "2s"
	everySources = "2s"
	everyStatus  = "5s"
	everyJobs    = "5s"
	everyRewards = "15s"
	everyNetwork = "15s"

	everyGPUNow      = "2s"
	everyGPUHealth   = "5s"
	everyGPUCharts   = "10s"
	everyGPUFailures = "15s"

	everyTrack         = "2s" // a claim that is on its way
	everyReconcile     = "10s"
	everyEarnings      = "30s"
	everyJobCard       = "15s"
	everyReputation    = "15s"
	everyStakeTerms    = "30s" // the network's, which hardly change
	everyUptime        = "15s"
	everyUptimePast    = "60s" // a minute is the least that can change
	everyNetworkStakes = "30s"
	everyNetworkHours  = "60s"
)
