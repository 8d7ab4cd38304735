package views

import (
	"fmt"
	"time"
)

// The samples of the component gallery: made up, and shown nowhere else.

// sampleMoment is some seconds before a fixed time.
func sampleMoment(secondsAgo int) *Moment {
	t := time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC).Add(-time.Duration(secondsAgo) * time.Second)
	return &Moment{Words: fmt.Sprintf("%d s ago", secondsAgo), ISO: t.Format(time.RFC3339), UTC: t.Format("2006-01-02 15:04:05") + " UTC"}
}

func sampleAmount(text, exact string) *Amount {
	return &Amount{Text: text, Exact: exact, Unit: "SAGE", Wei: "0"}
}

func sampleVerdicts() []Verdict {
	return []Verdict{
		{Words: "Earning", Tone: ToneGood, Icon: "good", Reason: "3 jobs in progress."},
		{Words: "Idle", Tone: TonePlain, Icon: "clock", Reason: "Ready for work, but no job runs."},
		{Words: "At risk", Tone: ToneWarn, Icon: "warn", Reason: "GPU 1 is slowed: too hot."},
		{Words: "Not eligible", Tone: ToneBad, Icon: "bad", Reason: "The stake is 120 SAGE short of its tier's minimum."},
		{Words: "Unknown", Tone: ToneUnknown, Icon: "unknown", Reason: "The Starknet node does not answer."},
	}
}

func sampleChecks() []Check {
	return []Check{
		{Label: "Staked", State: "pass", Tone: ToneGood, Icon: "good", Detail: "12,500 SAGE staked."},
		{Label: "GPUs present", State: "warn", Tone: ToneWarn, Icon: "warn", Detail: "GPU 1 is slowed: too hot.", Remedy: "Check cooling, dust, and the power supply."},
		{Label: "Heartbeat", State: "fail", Tone: ToneBad, Icon: "bad", Detail: "The newest arrived at 14:48 UTC.", Remedy: "Look at the worker rig-1."},
		{Label: "Eligible on chain", State: "unknown", Tone: ToneUnknown, Icon: "unknown", Detail: "The Starknet node does not answer."},
	}
}

func samplePills() []SourcePill {
	return []SourcePill{
		{ID: "sample-ok", Name: "GPU", Tone: ToneGood, Words: "ok", Age: *sampleMoment(2)},
		{ID: "sample-block", Name: "Starknet", Tone: ToneGood, Words: "ok", Block: "block 1,234", Age: *sampleMoment(4)},
		{ID: "sample-old", Name: "Starknet", Tone: ToneWarn, Words: "stale", Block: "block 1,234", Age: *sampleMoment(190), Reason: "The node's newest block is older than two minutes."},
		{ID: "sample-away", Name: "Database", Tone: ToneBad, Words: "unavailable", Reason: "The connection was refused.", Remedy: "Start PostgreSQL."},
		{ID: "sample-off", Name: "GPU", Tone: TonePlain, Words: "disabled", Reason: "This build has no NVML."},
	}
}

func sampleFigures() []Figure {
	return []Figure{
		{ID: "sample-amount", Label: "Staked", Origin: Origin{URL: "/partials/provenance/network?of=network.workers", Label: "the stake"}, Amount: sampleAmount("12,500", "12,500"), Parts: []Row{{Label: "Tier", Value: Value{Text: "Enterprise"}}, {Label: "Headroom", Amount: sampleAmount("2,500", "2,500")}}},
		{ID: "sample-exact", Label: "Claimable now", Amount: sampleAmount("46.2343", "46.234363108828006088"), Counter: &Counter{Text: "46.234363108828006088", Pending: "46234363108828006088", Amount: "0", BasisPoints: "0", Since: "0", Block: "0", Divisor: "1", Decimals: "18"}},
		{ID: "sample-spark", Label: "Earned", Amount: sampleAmount("8,402.9135", "8,402.913512345678901234"), Spark: sampleSparklines()[0]},
		{ID: "sample-notes", Label: "Reputation", Value: Value{Text: "870", Unit: "of 1000"}, Notes: []Note{{Text: "1 dispute, no slash on record", Tone: ToneWarn}, {Text: "A plain note"}}},
		{ID: "sample-unknown", Label: "Staked", Amount: &Amount{Reason: "The Starknet node does not answer."}},
	}
}

func sampleUptime() UptimeStrip {
	return UptimeStrip{
		Label:  "A sample of an uptime strip with two gaps",
		Bars:   []StripBar{{X: "0", Width: "1440", Tone: ToneGood, Title: "up"}, {X: "400", Width: "40", Tone: ToneBad, Title: "40 min"}, {X: "1200", Width: "4", Tone: ToneBad, Title: "4 min"}},
		Shares: []Row{{Label: "24 h", Value: Value{Text: "96.94", Unit: "%"}}, {Label: "7 d", Value: Value{Text: "99.56", Unit: "%"}}, {Label: "30 d", Value: Value{Text: "99.89", Unit: "%"}}},
		Gaps:   []string{"20:00–20:04 UTC (4 min)", "06:40–07:20 UTC (40 min)"}, More: "and 2 earlier",
	}
}

func sampleTags() []Tag {
	return []Tag{
		{Text: "completed", Tone: ToneGood, Icon: "good"}, {Text: "at its power limit", Tone: ToneWarn, Icon: "power"}, {Text: "failed", Tone: ToneBad, Icon: "bad"},
		{Text: "unknown", Tone: ToneUnknown, Icon: "unknown"}, {Text: "running", Tone: TonePlain, Icon: "activity"},
	}
}

func sampleGauges() []Gauge {
	spark := sampleSparklines()
	return []Gauge{
		{Label: "Utilisation", Value: Value{Text: "73", Unit: "%"}, Percent: "73", Tone: TonePlain, Spark: spark[0]},
		{Label: "Temperature", Value: Value{Text: "86", Unit: "°C"}, Percent: "96", Tone: ToneWarn, Limit: "slows at 90 °C", Spark: spark[1]},
		{Label: "Temperature", Value: Value{Text: "91", Unit: "°C"}, Percent: "100", Tone: ToneBad, Limit: "slows at 90 °C", Spark: spark[1]},
		{Label: "Power", Value: Value{Reason: "Not supported by this GPU."}, Tone: TonePlain},
	}
}

func sampleGPUs() []GPUCard {
	facts := []Row{{Label: "SM clock", Value: Value{Text: "1,980", Unit: "MHz"}}, {Label: "State", Value: Value{Text: "P0"}}, {Label: "Fan", Value: Value{Reason: "Not supported by this GPU."}}}
	tier := Value{Text: "Enterprise"}
	return []GPUCard{
		{ID: "sample-gpu-active", Index: "GPU 0", Name: "NVIDIA H100 80GB HBM3", Tier: tier, Status: Tag{Text: "Active", Tone: ToneGood, Icon: "activity"}, Gauges: sampleGauges()[:1], Facts: facts, Job: &Link{Text: "1048231"}, Procs: []GPUProc{{PID: "4242", Name: "python3", Memory: "61.3 GiB"}}},
		{ID: "sample-gpu-hot", Index: "GPU 1", Name: "NVIDIA H100 80GB HBM3", Tier: tier, Status: Tag{Text: "Throttled", Tone: ToneBad, Icon: "heat"}, Gauges: sampleGauges()[2:3], Facts: facts, Throttle: []Tag{{Text: "too hot: slowed by the driver", Tone: ToneBad, Icon: "heat"}}, SlowedSince: sampleMoment(200)},
		{ID: "sample-gpu-gone", Index: "GPU 2", Name: "NVIDIA H100 80GB HBM3", Tier: tier, Status: Tag{Text: "Missing", Tone: ToneBad, Icon: "bad"}, Message: "It no longer answers. It was lost", Since: sampleMoment(95), Stale: true, LastKnown: sampleMoment(97), Gauges: sampleGauges()[:1], Facts: facts, Failure: &GPUFailure{Job: Link{Text: "1048229"}, Error: "Xid 79: GPU has fallen off the bus", When: *sampleMoment(94)}},
		{ID: "sample-gpu-idle", Index: "GPU 3", Name: "GPU of unknown model", Tier: Value{Reason: "The network's table has no tier for it."}, Host: "rig-2", Status: Tag{Text: "Idle", Tone: TonePlain, Icon: "clock"}, Gauges: sampleGauges()[3:], Facts: facts},
	}
}

func sampleSparklines() []*Sparkline {
	whole := SparkLine{Line: "M0 14l2-1 2-2 2 1 2-4 2 2 2-5 2 3 2 1 2-2 2 4 2-6 2 1 2 3 2-1", Area: "M0 14l2-1 2-2 2 1 2-4 2 2 2-5 2 3 2 1 2-2 2 4 2-6 2 1 2 3 2-1V24H0Z"}
	before, after := SparkLine{Line: "M0 12l2-1 2-2 2 1", Area: "M0 12l2-1 2-2 2 1V24H0Z"}, SparkLine{Line: "M14 9l2 2 2-4 2 3 2 0 2-2 2 1", Area: "M14 9l2 2 2-4 2 3 2 0 2-2 2 1V24H14Z"}
	return []*Sparkline{{Label: "Without a gap", Width: "28", Lines: []SparkLine{whole}}, {Label: "With a gap", Width: "28", Lines: []SparkLine{before, after}}, {Label: "Nothing yet", Width: "28"}}
}

func sampleRows() []Row {
	return []Row{
		{Label: "A value", Value: Value{Text: "42", Unit: "W"}}, {Label: "An amount", Amount: sampleAmount("1,234.5678", "1,234.567890123456789012")}, {Label: "A time", Value: Value{At: sampleMoment(12)}},
		{Label: "A warning", Value: Value{Text: "2 of 3"}, Tone: ToneWarn}, {Label: "Unknown", Value: Value{Reason: "The database did not answer in time."}},
	}
}

func sampleJobs() []JobRow {
	tags := sampleTags()
	return []JobRow{
		{ID: "sample-1", Link: Link{Text: "1048231"}, Type: "inference", Status: tags[4], Submitted: *sampleMoment(20), Duration: Value{Reason: "The job has not ended."}, Reward: Amount{Reason: "No payment is recorded."}},
		{ID: "sample-2", Link: Link{Text: "1048230"}, Type: "training", Status: tags[0], Submitted: *sampleMoment(1200), Duration: Value{Text: "7 min"}, Reward: *sampleAmount("12.3456", "12.345678901234567890")},
		{ID: "sample-3", Link: Link{Text: "1048229"}, Type: "zk-proof", Status: tags[2], Submitted: *sampleMoment(4000), Duration: Value{Text: "3 min"}, Reward: Amount{Reason: "No payment is recorded."}, Error: "CUDA error: out of memory"},
	}
}

func sampleNotices() []*Notice {
	return []*Notice{
		{Tone: ToneWarn, Text: "Database: the connection was refused.", Since: sampleMoment(140)},
		{Tone: ToneBad, Text: "Starknet: the node is of another network."}, {Tone: ToneUnknown, Text: "The chain is being read for the first time."}, {Tone: TonePlain, Text: "A plain notice."},
	}
}

func sampleEmpty() []*Empty {
	return []*Empty{
		{Icon: "briefcase", Tone: TonePlain, Title: "No job yet", Text: "Jobs that the network assigns to this wallet appear here by themselves."},
		{Icon: "cpu", Tone: ToneBad, Title: "The driver finds no GPU on this host", Text: "Check that the card is seated and powered, and what nvidia-smi says."},
		{Icon: "database", Tone: ToneUnknown, Title: "Jobs unknown", Text: "The database did not answer in time."},
	}
}
