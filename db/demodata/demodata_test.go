package demodata

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const worker = validator.Address("0x0000000000000000000000000000000000000000000000000000000000de0123")

// told is a story that ends now, on the whole minute.
func told(now time.Time) Story {
	s := Story{Worker: worker, Seed: 11, Now: now.UTC().Truncate(time.Minute)}
	s.Hosts = []Host{
		{ID: "rig-1", GPUs: []GPU{{0, "GPU-a", "NVIDIA H100 80GB HBM3", 80 << 30, 700}, {1, "GPU-b", "NVIDIA H100 80GB HBM3", 80 << 30, 700}}},
		{ID: "rig-2", Since: s.Now.Add(-60 * 24 * time.Hour), Reported: true, GPUs: []GPU{{0, "GPU-c", "NVIDIA H200", 141 << 30, 700}}},
	}
	at := s.Now.Add(-180 * 24 * time.Hour)
	s.Slashes = []Slash{{At: at, JobID: "1527000", Reason: validator.SlashTimeout}}
	s.Block = func(t time.Time) uint64 { return uint64(t.Unix() / 3600) }
	amount, block := validator.WeiFromSAGE(46), uint64(77)
	s.Claims = []validator.Claim{{Address: worker, Amount: &amount, Kind: validator.RewardStaking, At: s.Now.Add(-30 * 24 * time.Hour), TxHash: "0x0000000000000000000000000000000000000000000000000000000000000abc", BlockNumber: &block, Status: validator.ClaimConfirmed}}
	return s
}

func value[T any](t *testing.T, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	var v T
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

func write(t *testing.T, s Story) string {
	t.Helper()
	url := dbtest.NewURL(t)
	start := time.Now()
	if err := Write(t.Context(), url, s); err != nil {
		t.Fatal(err)
	}
	t.Logf("what pages show was written in %s", time.Since(start).Round(time.Millisecond))
	return url
}

// contents is a checksum of everything that a story wrote.
const contents = `SELECT md5(string_agg(t.sum, ',' ORDER BY t.name)) FROM (
	SELECT 'jobs' AS name, md5(string_agg(j::text, '|' ORDER BY j.job_id)) AS sum FROM jobs j
	UNION ALL SELECT 'heartbeats', md5(count(*)::text || sum(extract(epoch FROM heartbeat_time))::text || sum(gpu_utilization_avg)::text) FROM heartbeats
	UNION ALL SELECT 'claims', md5(string_agg(c::text, '|' ORDER BY c.tx_hash)) FROM reward_claims c
	UNION ALL SELECT 'samples', md5(string_agg(s::text, '|' ORDER BY s.gpu_uuid, s.sampled_at)) FROM gpu_samples s) t`

func TestTheSameStoryIsTheSameRows(t *testing.T) {
	s := told(time.Now())
	tell := func() *pgx.Conn {
		url := write(t, s)
		if err := WriteOlderHeartbeats(t.Context(), url, s); err != nil {
			t.Fatal(err)
		}
		return connect(t, url)
	}
	first, second := tell(), tell()
	if n := value[int](t, first, `SELECT count(*) FROM heartbeats WHERE worker_id = 'rig-1' AND worker_address = $1`, worker); n < 365*24*60*98/100 || n > 365*24*60 {
		t.Errorf("%d heartbeats in a year", n)
	}
	if a, b := value[string](t, first, contents), value[string](t, second, contents); a != b {
		t.Error("the same story was told in two ways")
	}
}

func TestTheYearHangsTogether(t *testing.T) {
	s := told(time.Now())
	url := write(t, s)
	conn := connect(t, url)
	for what, sql := range map[string]string{
		"jobs on one card at the same time":  `SELECT count(*) FROM jobs a JOIN jobs b ON a.gpu_uuid = b.gpu_uuid AND a.job_id < b.job_id AND a.assigned_at < b.completed_at AND b.assigned_at < a.completed_at WHERE a.job_id <> '1527000' AND b.job_id <> '1527000'`,
		"jobs that end before they begin":    `SELECT count(*) FROM jobs WHERE completed_at < assigned_at OR assigned_at < created_at`,
		"jobs after the end of the story":    `SELECT count(*) FROM jobs WHERE completed_at > '` + s.Now.Format(time.RFC3339) + `'`,
		"completed jobs without a payment":   `SELECT count(*) FROM jobs WHERE status = 'completed' AND (payment_amount IS NULL OR payment_amount <= 0)`,
		"failed jobs without a reason":       `SELECT count(*) FROM jobs WHERE status IN ('failed', 'timeout') AND error_message IS NULL`,
		"failed jobs with a payment":         `SELECT count(*) FROM jobs WHERE status <> 'completed' AND payment_amount IS NOT NULL`,
		"numbers that fall as time goes on":  `SELECT count(*) FROM (SELECT job_id::bigint - lag(job_id::bigint) OVER (ORDER BY created_at) AS step FROM jobs WHERE job_id <> '1527000') t WHERE step < -40`,
		"heartbeats within the slash's hour": `SELECT count(*) FROM heartbeats WHERE worker_address = '` + string(worker) + `' AND heartbeat_time BETWEEN '` + s.Slashes[0].At.Add(-30*time.Minute).Format(time.RFC3339) + `' AND '` + s.Slashes[0].At.Add(time.Hour).Format(time.RFC3339) + `'`,
	} {
		if n := value[int](t, conn, sql); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
	ofWorker := `FROM jobs WHERE worker_address = '` + string(worker) + `' AND `
	completed, failed := value[float64](t, conn, `SELECT count(*) `+ofWorker+`status = 'completed'`), value[float64](t, conn, `SELECT count(*) `+ofWorker+`status IN ('failed', 'timeout')`)
	if rate := completed / (completed + failed); rate < 0.95 || rate > 0.995 || completed < 3000 {
		t.Errorf("%.0f completed, %.0f failed", completed, failed)
	}
	if got := value[string](t, conn, `SELECT status FROM jobs WHERE job_id = '1527000'`); got != "timeout" {
		t.Errorf("the slashed job is %q", got)
	}
	if n := value[int](t, conn, `SELECT count(*) FROM gpu_samples`); n < 1300 || n > 1440 {
		t.Errorf("%d samples of a day", n)
	}
}

func TestTheStoreCountsTheYearAsItIs(t *testing.T) {
	s := told(time.Now())
	url := write(t, s)
	conn := connect(t, url)
	store := dbtest.Run(t, db.Config{URL: url})
	if err := store.WaitReady(t.Context()); err != nil {
		t.Fatal(err)
	}
	counts, err := store.JobCounts(t.Context(), worker, s.Now)
	if err != nil {
		t.Fatal(err)
	}
	if n := value[int64](t, conn, `SELECT count(*) FROM jobs WHERE worker_address = $1 AND status = 'completed'`, worker); n != counts.Completed {
		t.Errorf("%d jobs are completed, the totals say %d", n, counts.Completed)
	}
	claims, err := store.Claims(t.Context(), worker, 10)
	if err != nil || len(claims) != 1 || !claims[0].Amount.Equal(*s.Claims[0].Amount) || claims[0].TxHash != s.Claims[0].TxHash {
		t.Errorf("claims: %+v, %v", claims, err)
	}
	beats, err := store.Heartbeats(t.Context(), worker, s.Now.Add(-31*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	day := validator.UptimeOver(beats, 24*time.Hour, s.Now)
	var gaps []int
	for _, g := range day.Gaps {
		gaps = append(gaps, g.Minutes())
	}
	if len(gaps) < 2 || day.TotalMinutes-day.UpMinutes < 28 {
		t.Errorf("gaps of the last day, in minutes: %v", gaps)
	}
	if _, err := store.Job(t.Context(), worker, "1527000"); err != nil {
		t.Errorf("the slashed job: %v", err)
	}
}
