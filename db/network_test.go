package db_test

import (
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

const activeFor = 5 * time.Minute

func TestNetworkCounts(t *testing.T) {
	b := newBench(t)
	equal(t, "an empty network", must[validator.NetworkCounts](t)(b.store.NetworkCounts(b.ctx(), activeFor, now)), validator.NetworkCounts{})

	beat := func(worker, host string, age time.Duration, gpus *int32, utilization *float64, jobs *int32, version *string) {
		b.exec("INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time, gpu_count, gpu_utilization_avg, jobs_in_progress, version) VALUES ($1, $2, $3, $4, $5, $6, $7)",
			worker, host, now.Add(-age), gpus, utilization, jobs, version)
	}
	i := func(n int32) *int32 { return &n }
	beat("0x1", "a", time.Minute, i(8), ptr(90.0), i(1), ptr("2.0"))
	beat("0x1", "a", 4*time.Minute, i(7), ptr(10.0), i(0), ptr("1.0")) // not the host's newest
	beat("0x1", "b", 2*time.Minute, i(4), ptr(30.0), i(0), ptr("2.0"))
	beat("0x2", "a", 4*time.Minute, i(8), nil, nil, nil)
	beat("0x3", "a", activeFor, i(16), ptr(50.0), i(3), ptr("2.0"))  // just no longer active
	beat("0x4", "a", -time.Hour, i(99), ptr(99.0), i(9), ptr("9.0")) // a clock that is wrong
	beat("0x5", "a", time.Second, nil, ptr(0.0), i(0), ptr("1.0"))
	b.exec(`INSERT INTO jobs (job_id, worker_address, status, created_at, assigned_at, completed_at, execution_time_ms) VALUES
		('1', '0x1', 'completed', $1::timestamptz - interval '3 days', NULL, $1::timestamptz - interval '1 day', 7200000),
		('2', '0x9', 'completed', $1::timestamptz - interval '3 days', $1::timestamptz - interval '3 hours', $1::timestamptz - interval '2 hours', NULL),
		('3', '0x1', 'completed', $1::timestamptz - interval '9 days', NULL, NULL, NULL),
		('4', '0x1', 'failed', $1, NULL, $1, 1000),
		('5', NULL, 'pending', $1, NULL, NULL, NULL)`, now)
	for range 2 {
		got := must[validator.NetworkCounts](t)(b.store.NetworkCounts(b.ctx(), activeFor, now))
		equal(t, "average completion", *got.AverageCompletion, 90*time.Minute)
		equal(t, "average utilisation", *got.AverageGPUUtilization, 40)
		equal(t, "compute hours", got.ComputeTime.Hours(), 2)
		got.AverageCompletion, got.AverageGPUUtilization, got.ComputeTime = nil, nil, 0
		equal(t, "counts", got, validator.NetworkCounts{
			TotalWorkers: 6, ActiveWorkers: 3, ActiveGPUs: 20, BusyHosts: 1, ActiveHosts: 4, JobsProcessed: 3, JobsLast24h: 2,
			ByVersion:  []validator.VersionCount{{Version: "2.0", Hosts: 2}, {Version: "1.0", Hosts: 1}, {Version: "", Hosts: 1}},
			ByGPUCount: []validator.GPUCountWorkers{{GPUs: 8, Hosts: 2}, {GPUs: 4, Hosts: 1}},
		})
		check(t, b.store.FoldTotals(b.ctx()))
	}
}

// TestComputeTimeOutgrowsADuration: twelve centuries of it.
func TestComputeTimeOutgrowsADuration(t *testing.T) {
	b := newBench(t)
	b.exec(`INSERT INTO jobs (job_id, worker_address, status, created_at, completed_at, execution_time_ms)
		SELECT n::text, '0x1', 'completed', '2001-01-01Z', '2026-01-01Z', 25::bigint * 365 * 86400000 FROM generate_series(1, 50) n`)
	got := must[validator.NetworkCounts](t)(b.store.NetworkCounts(b.ctx(), activeFor, now))
	if h := got.ComputeTime.Hours(); h != 50*25*365*24 {
		t.Errorf("%f hours", h)
	}
}
