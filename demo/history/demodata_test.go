package history

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// anEvening is when stories end that nothing compares with today.
var anEvening = time.Date(2026, 11, 20, 18, 42, 0, 0, time.UTC)

const worker = validator.Address("0x0000000000000000000000000000000000000000000000000000000000de0123")

// storyOf is a story that ends at a time, on the whole minute.
func storyOf(now time.Time) Story {
	s := Story{Worker: worker, Seed: 11, Now: now.UTC().Truncate(time.Minute)}
	s.Hosts = []Host{
		{ID: "rig-1"},
		{ID: "rig-2", Since: s.Now.Add(-60 * day), Reported: true, GPUs: []GPU{
			{0, "GPU-c", "NVIDIA H200", 141 << 30, 700}, {1, "GPU-d", "NVIDIA H200", 141 << 30, 700},
		}},
	}
	for i, uuid := range []string{"GPU-a", "GPU-b", "GPU-e", "GPU-f"} {
		s.Hosts[0].GPUs = append(s.Hosts[0].GPUs, GPU{i, uuid, "NVIDIA H100 80GB HBM3", 80 << 30, 700})
	}
	s.Block = func(t time.Time) uint64 { return uint64(t.Unix() / 3600) }
	at := s.Now.Add(-180*day + 7*time.Second)
	s.Slashes = []Slash{{At: at, JobID: strconv.FormatInt(s.JobIDAt(at.Add(-70*time.Minute)), 10), Reason: validator.SlashTimeout}}
	for i, amount := range []string{"46575342465753424657", "1", "115792089237316195423570985008687907853269984665640564039457584007913129639935"} {
		wei, err := validator.ParseWei(amount)
		if err != nil {
			panic(err)
		}
		block := uint64(70 + i)
		s.Claims = append(s.Claims, validator.Claim{
			Address: worker, Amount: &wei, Kind: validator.RewardStaking, At: s.Now.Add(-time.Duration(i+1) * 30 * day),
			TxHash: validator.Felt(fmt.Sprintf("0x%064x", 0xabc+i)), BlockNumber: &block, Status: validator.ClaimConfirmed,
		})
	}
	s.Claims = append(s.Claims, validator.Claim{Address: worker, Kind: validator.RewardStaking, At: s.Now.Add(-time.Hour), TxHash: validator.Felt(fmt.Sprintf("0x%064x", 0xdef)), Status: validator.ClaimFailed, Failure: "the treasury has no allowance"})
	return s
}

func value[T any](t testing.TB, conn *pgx.Conn, sql string, args ...any) T {
	t.Helper()
	var v T
	if err := conn.QueryRow(t.Context(), sql, args...).Scan(&v); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	return v
}

func connect(t testing.TB, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.WithoutCancel(t.Context())) })
	return conn
}

// write tells a story on a database of its own.
func write(t testing.TB, s Story) (url string) {
	t.Helper()
	url = dbtest.NewURL(t)
	if err := Write(t.Context(), url, s); err != nil {
		t.Fatal(err)
	}
	return url
}

// contents is a checksum of all rows of all tables that a story fills.
func contents(t testing.TB, conn *pgx.Conn) string {
	t.Helper()
	var out []string
	for _, table := range []string{"jobs", "heartbeats", "reward_claims", "gpu_samples", "worker_gpus", "job_totals", "earning_days"} {
		out = append(out, table+" "+value[string](t, conn, `SELECT count(*) || ' ' || sum(hashtextextended(r::text, 0)) FROM `+table+` r`))
	}
	return strings.Join(out, "\n")
}

// TestTheSameStoryIsTheSameRows, and another seed tells another story.
func TestTheSameStoryIsTheSameRows(t *testing.T) {
	s := storyOf(anEvening)
	tell := func(s Story) string {
		url := write(t, s)
		if err := WriteOlderHeartbeats(t.Context(), url, s); err != nil {
			t.Fatal(err)
		}
		conn := connect(t, url)
		if n := value[int](t, conn, `SELECT count(*) FROM heartbeats WHERE worker_id = 'rig-1'`); n < 365*24*60*995/1000 || n >= 365*24*60 {
			t.Errorf("%d heartbeats in a year", n)
		}
		return contents(t, conn)
	}
	first, second := tell(s), tell(s)
	if first != second {
		t.Errorf("the same story was generated in two ways:\n%s\n\n%s", first, second)
	}
	s.Seed++
	if contents(t, connect(t, write(t, s))) == first {
		t.Error("another seed generates the same story")
	}
}

// TestTheYearHangsTogether looks for what cannot have happened.
func TestTheYearHangsTogether(t *testing.T) {
	s := storyOf(anEvening)
	conn := connect(t, write(t, s))
	for what, sql := range map[string]string{
		"jobs on one card at the same time":      `(SELECT assigned_at < lag(COALESCE(completed_at, 'infinity')) OVER (PARTITION BY gpu_uuid ORDER BY assigned_at) AS early FROM jobs WHERE worker_address = $1 AND gpu_uuid IS NOT NULL) t WHERE early`,
		"jobs that end before they begin":        `jobs WHERE $1 <> '' AND (completed_at < assigned_at OR assigned_at < created_at)`,
		"jobs after the end of the story":        `jobs WHERE $1 <> '' AND GREATEST(completed_at, assigned_at, created_at) > '` + s.Now.Format(time.RFC3339Nano) + `'`,
		"completed jobs without all of a result": `jobs WHERE $1 <> '' AND status = 'completed' AND (payment_amount IS NULL OR payment_amount <= 0 OR result_hash IS NULL OR tx_hash IS NULL OR block_number IS NULL OR execution_time_ms IS NULL OR completed_at IS NULL)`,
		"failed jobs without a reason":           `jobs WHERE $1 <> '' AND status IN ('failed', 'timeout') AND (error_message IS NULL OR completed_at IS NULL)`,
		"unpaid kinds of end with a payment":     `jobs WHERE $1 <> '' AND status <> 'completed' AND (payment_amount IS NOT NULL OR tx_hash IS NOT NULL)`,
		"ids that fall as time goes on":          `(SELECT job_id::bigint - lag(job_id::bigint) OVER (ORDER BY created_at, job_id::bigint) AS step FROM jobs WHERE $1 <> '') t WHERE step <= 0`,
		"jobs of the worker on no card of its":   `jobs WHERE worker_address = $1 AND status <> 'pending' AND gpu_uuid NOT IN ('GPU-a', 'GPU-b', 'GPU-c', 'GPU-d', 'GPU-e', 'GPU-f')`,
		"jobs on a card before its host was":     `jobs WHERE worker_address = $1 AND gpu_uuid IN ('GPU-c', 'GPU-d') AND assigned_at < '` + s.Hosts[1].Since.Format(time.RFC3339) + `'`,
		"heartbeats that count other jobs than ran": `(SELECT h.jobs_in_progress AS told, (SELECT count(*) FROM jobs j WHERE j.gpu_uuid IN ('GPU-c', 'GPU-d') AND j.assigned_at <= h.heartbeat_time AND COALESCE(j.completed_at, 'infinity') > h.heartbeat_time) AS ran
			FROM heartbeats h WHERE worker_address = $1 AND worker_id = 'rig-2' AND heartbeat_time > '` + s.Now.Add(-day).Format(time.RFC3339) + `') t WHERE told <> ran`,
		"samples that are busy without a job": `gpu_samples g WHERE worker_address = $1 AND utilization_percent > 0 AND NOT EXISTS (SELECT FROM jobs j WHERE j.gpu_uuid = g.gpu_uuid AND j.assigned_at <= g.sampled_at AND COALESCE(j.completed_at, 'infinity') > g.sampled_at)`,
	} {
		if n := value[int](t, conn, "SELECT count(*) FROM "+sql, string(worker)); n != 0 {
			t.Errorf("%d %s", n, what)
		}
	}
}

// TestTheYearIsPlausible holds the story to its outline.
func TestTheYearIsPlausible(t *testing.T) {
	s := storyOf(anEvening)
	conn := connect(t, write(t, s))
	const own = ` FROM jobs WHERE worker_address = $1 AND `
	between := func(what string, least, most float64, sql string, args ...any) {
		t.Helper()
		if v := value[float64](t, conn, sql, args...); v < least || v > most {
			t.Errorf("%s: %v, not between %v and %v", what, v, least, most)
		}
	}
	between("jobs", 12_000, 18_000, `SELECT count(*)::float8`+own+`true`, worker)
	between("success in percent", 97, 98.6, `SELECT 100.0 * count(*) FILTER (WHERE status = 'completed') / count(*) FILTER (WHERE status IN ('completed', 'failed', 'timeout'))`+own+`true`, worker)
	between("cancelled jobs", 30, 300, `SELECT count(*)::float8`+own+`status = 'cancelled'`, worker)
	const daily = `(SELECT sum(payment_amount) / 1e18 AS sage FROM jobs WHERE worker_address = $1 AND status = 'completed' AND completed_at > $2 GROUP BY completed_at::date) d`
	grown := s.Now.Add(-Year + 40*day)
	between("the days' median in SAGE", 45, 90, `SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY sage) FROM `+daily, worker, grown)
	between("low days in SAGE", 25, 60, `SELECT percentile_cont(0.05) WITHIN GROUP (ORDER BY sage) FROM `+daily, worker, grown)
	between("high days in SAGE", 60, 125, `SELECT percentile_cont(0.95) WITHIN GROUP (ORDER BY sage) FROM `+daily, worker, grown)
	between("the first week's share of a later one", 0.1, 0.6, `SELECT count(*) FILTER (WHERE created_at < $2::timestamptz - interval '358 days')::float8 / NULLIF(count(*) FILTER (WHERE created_at BETWEEN $2::timestamptz - interval '100 days' AND $2::timestamptz - interval '93 days'), 0)`+own+`true`, worker, s.Now)
	between("kinds of errors", 7, 60, `SELECT count(DISTINCT regexp_replace(error_message, 'GPU-.:|after .*', ''))::float8`+own+`error_message IS NOT NULL`, worker)
	between("jobs in progress", 2, 3, `SELECT count(*)::float8`+own+`status IN ('assigned', 'running')`, worker)
	between("pending jobs", 2, 2, `SELECT count(*)::float8`+own+`status = 'pending'`, worker)
	between("samples of a day", 6*1400, 6*1441, `SELECT count(*)::float8 FROM gpu_samples WHERE sampled_at >= $1 AND sm_clock_mhz BETWEEN 345 AND 1980 AND temperature_c BETWEEN 25 AND 85`, s.Now.Add(-day))
	between("samples of the week before", 6*6*140, 6*6*144, `SELECT count(*)::float8 FROM gpu_samples WHERE sampled_at < $1 AND temperature_c BETWEEN 25 AND 85`, s.Now.Add(-day))
	between("cards", 6, 6, `SELECT count(*)::float8 FROM worker_gpus WHERE sample ->> 'UUID' = gpu_uuid`)
	between("other workers", otherWorkers, otherWorkers, `SELECT count(DISTINCT worker_address)::float8 FROM jobs WHERE worker_address <> $1`, worker)
	between("most jobs of another", 1_000, 4_000, `SELECT max(n)::float8 FROM (SELECT count(*) AS n FROM jobs WHERE worker_address <> $1 GROUP BY worker_address) w`, worker)
	between("days without a job", 3, 5, `SELECT count(*)::float8 FROM generate_series($2::timestamptz - interval '362 days', $2::timestamptz - interval '1 day', interval '1 day') d WHERE NOT EXISTS (SELECT`+own+`created_at::date = d::date)`, worker, s.Now)
}

// TestTheSlashIsInEveryTable that it touches.
func TestTheSlashIsInEveryTable(t *testing.T) {
	s := slashedFor(validator.SlashTimeout)
	conn, x := connect(t, write(t, s)), s.Slashes[0]
	if n := value[int](t, conn, `SELECT count(*) FROM jobs WHERE job_id = $1 AND worker_address = $2 AND completed_at = $3 AND status = 'timeout' AND gpu_uuid LIKE 'GPU-_'
		AND error_message LIKE 'deadline exceeded: no result after 1h59m%' AND assigned_at < $3 AND payment_amount IS NULL`, x.JobID, worker, x.At); n != 1 {
		t.Error("the slashed job is not as the chain tells it")
	}
	if n := value[int](t, conn, `SELECT count(*) FROM heartbeats WHERE worker_address = $1 AND heartbeat_time BETWEEN $2::timestamptz - interval '2 minutes' AND $2::timestamptz + interval '2 hours'`, worker, x.At); n != 0 {
		t.Errorf("%d heartbeats around the slash", n)
	}
}

// TestACardThatOverheatedShowsItInItsSamples: slowed while the job that was slashed ran on
// it, and cool before and after.
func TestACardThatOverheatedShowsItInItsSamples(t *testing.T) {
	s := slashedFor(validator.SlashTimeout)
	x := &s.Slashes[0]
	x.GPUUUID, x.Overheated = "GPU-e", true
	conn := connect(t, write(t, s))
	began := value[time.Time](t, conn, `SELECT assigned_at FROM jobs WHERE job_id = $1 AND gpu_uuid = 'GPU-e' AND status = 'timeout'`, x.JobID)
	hot := func(from, to time.Time) (samples, slowed int) {
		const sql = `SELECT count(*)%s FROM gpu_samples WHERE gpu_uuid = 'GPU-e' AND sampled_at >= $1 AND sampled_at < $2`
		return value[int](t, conn, fmt.Sprintf(sql, ""), from, to), value[int](t, conn, fmt.Sprintf(sql, ` FILTER (WHERE throttle_reasons & $3 <> 0 AND temperature_c BETWEEN 87 AND 91 AND sm_clock_mhz < 1700)`), from, to, int64(validator.ThrottleSWThermal))
	}
	if n, slowed := hot(began.Add(-30*time.Minute), began); n < 29 || slowed != 0 {
		t.Errorf("before the job: %d samples, %d of them slowed", n, slowed)
	}
	if n, slowed := hot(began.Add(20*time.Minute), x.At.Add(-4*time.Minute)); n < 90 || slowed != n {
		t.Errorf("during the job: %d samples, %d of them slowed", n, slowed)
	}
	if n, slowed := hot(x.At.Add(20*time.Minute), x.At.Add(40*time.Minute)); n < 15 || slowed != 0 {
		t.Errorf("after the job: %d samples, %d of them slowed", n, slowed)
	}
	x.GPUUUID = "GPU-nobody"
	if err := Write(t.Context(), "postgres://nobody@127.0.0.1:9/none", s); err == nil || !strings.Contains(err.Error(), "no card of the story") {
		t.Errorf("a card that there is not: %v", err)
	}
}

func TestEverySlashHasAJobThatFailedForIt(t *testing.T) {
	said := map[string]bool{}
	for reason := range validator.SlashReasonCount {
		s := slashedFor(reason)
		for _, j := range s.live().tasks() {
			if j.ID == s.Slashes[0].JobID && j.Status.Failed() && j.CompletedAt.Equal(s.Slashes[0].At) {
				said[j.ErrorMessage] = true
			}
		}
	}
	if len(said) != int(validator.SlashReasonCount) {
		t.Errorf("slashed jobs say %v", said)
	}
}

func slashedFor(reason validator.SlashReason) Story {
	s := storyOf(anEvening)
	x := Slash{At: s.Now.Add(-11*day - 17*time.Second), Reason: reason}
	x.JobID = strconv.FormatInt(s.JobIDAt(x.At.Add(-2*time.Hour)), 10)
	s.Slashes = []Slash{x}
	return s
}

func TestTheStoreReadsTheYearAsItIs(t *testing.T) {
	s := storyOf(time.Now())
	url := write(t, s)
	conn := connect(t, url)
	store := dbtest.Open(t, db.Config{URL: url})
	counts, err := store.JobCounts(t.Context(), worker, s.Now)
	if err != nil {
		t.Fatal(err)
	}
	if n := value[int64](t, conn, `SELECT count(*) FROM jobs WHERE worker_address = $1 AND status = 'completed'`, worker); n != counts.Completed {
		t.Errorf("%d jobs are completed, the totals say %d", n, counts.Completed)
	}
	earned, err := store.Earnings(t.Context(), worker, s.Now)
	if err != nil {
		t.Fatal(err)
	}
	if sum := value[validator.Wei](t, conn, `SELECT sum(payment_amount)::text FROM jobs WHERE worker_address = $1`, worker); !sum.Equal(earned.FromJobs) {
		t.Errorf("jobs paid %s, the totals say %s", sum, earned.FromJobs)
	}
	claims, err := store.Claims(t.Context(), worker, 10)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(s.Claims, func(a, b validator.Claim) int { return b.At.Compare(a.At) })
	if got, want := fmt.Sprintf("%+v", plain(claims)), fmt.Sprintf("%+v", plain(s.Claims)); got != want {
		t.Errorf("claims are\n%s, the chain has\n%s", got, want)
	}
	network, err := store.NetworkCounts(t.Context(), validator.HeartbeatInterval(1).GoneAfter(), s.Now)
	if err != nil {
		t.Fatal(err)
	}
	if network.TotalWorkers != otherWorkers+1 || network.ActiveWorkers != otherActive+1 {
		t.Errorf("%d workers, %d active", network.TotalWorkers, network.ActiveWorkers)
	}
	gpus, err := store.WorkerGPUs(t.Context(), worker)
	if err != nil || len(gpus) != 6 || gpus[4].WorkerID != "rig-2" || gpus[4].GPU.Name.Or("") != "NVIDIA H200" || gpus[4].GPU.Tier.Or(0) != validator.TierEnterprise {
		t.Errorf("%d GPUs: %v", len(gpus), err)
	}
}

// plain makes claims comparable.
func plain(claims []validator.Claim) []string {
	out := make([]string, len(claims))
	for i, c := range claims {
		amount, block := "none", uint64(0)
		if c.Amount != nil {
			amount = c.Amount.String()
		}
		if c.BlockNumber != nil {
			block = *c.BlockNumber
		}
		out[i] = fmt.Sprint(c.Address, amount, c.Kind, c.At.UTC(), c.TxHash, block, c.Status, c.Failure)
	}
	return out
}

// TestTotalsAreThoseOfTheRows: what triggers keep equals what can be counted.
func TestTotalsAreThoseOfTheRows(t *testing.T) {
	conn := connect(t, write(t, storyOf(anEvening)))
	for table, recounted := range map[string]string{
		"job_totals": `SELECT worker_address, job_type, status, count(*)::numeric, COALESCE(sum(execution_time_ms) FILTER (WHERE status = 'completed'), 0)::numeric,
			COALESCE(sum(COALESCE(execution_time_ms, round(extract(epoch FROM completed_at - assigned_at) * 1000))) FILTER (WHERE status = 'completed'), 0), count(*) FILTER (WHERE status = 'completed')::numeric
			FROM jobs GROUP BY 1, 2, 3`,
		"earning_days": `SELECT worker_address, (completed_at AT TIME ZONE 'UTC')::date, count(*)::numeric, sum(payment_amount) FROM jobs WHERE status = 'completed' GROUP BY 1, 2`,
	} {
		kept := map[string]string{
			"job_totals":   `SELECT worker_address, job_type, status, sum(jobs), sum(execution_ms), sum(completion_ms), sum(completion_jobs) FROM job_totals GROUP BY 1, 2, 3`,
			"earning_days": `SELECT worker_address, day, sum(jobs), sum(amount_wei) FROM earning_days WHERE kind = 'job' GROUP BY 1, 2`,
		}[table]
		for _, order := range [][2]string{{recounted, kept}, {kept, recounted}} {
			if n := value[int](t, conn, `SELECT count(*) FROM (`+order[0]+` EXCEPT `+order[1]+`) d`); n != 0 {
				t.Errorf("%s: %d sums differ", table, n)
			}
		}
	}
}

// TestTheGapsOfADay are two on the dashboard's strip.
func TestTheGapsOfADay(t *testing.T) {
	s := storyOf(anEvening)
	url := write(t, s)
	store := dbtest.Open(t, db.Config{URL: url})
	heard, err := store.Heartbeats(t.Context(), worker, s.Now.Add(-31*day))
	if err != nil {
		t.Fatal(err)
	}
	lengths := func(window time.Duration) (out []int) {
		for _, g := range validator.UptimeOver(heard, window, 1, s.Now).Gaps {
			out = append(out, g.Minutes())
		}
		return out
	}
	if got := lengths(day); !slices.Equal(got, []int{2, 24}) {
		t.Errorf("the last day's gaps have %v minutes", got)
	}
	if got := lengths(7 * day); !slices.Contains(got, 34) {
		t.Errorf("the last week's gaps have %v minutes, without the driver's update", got)
	}
	lost := value[int](t, connect(t, url), `SELECT count(*) FROM jobs WHERE worker_address = $1 AND error_message = $2`, worker, heartbeatLost)
	if lost < 5 {
		t.Errorf("%d jobs were lost with the heartbeat", lost)
	}
}

func TestAStoryReplacesOnlyAnotherStory(t *testing.T) {
	s := storyOf(anEvening)
	url := write(t, s)
	before := contents(t, connect(t, url))
	if err := Write(t.Context(), url, s); err != nil {
		t.Fatal(err)
	}
	if after := contents(t, connect(t, url)); after != before {
		t.Errorf("generated again, the story has changed from\n%s\nto\n%s", before, after)
	}
	operators := dbtest.NewURL(t)
	dbtest.Exec(t, operators, `INSERT INTO jobs (job_id) VALUES ('an operator''s')`)
	if err := Write(t.Context(), operators, s); !errors.Is(err, ErrNotOurs) {
		t.Errorf("over an operator's jobs: %v", err)
	}
	if n := value[int](t, connect(t, operators), `SELECT count(*) FROM jobs`); n != 1 {
		t.Errorf("the operator's job became %d", n)
	}
}

func TestStoriesThatCannotBeTold(t *testing.T) {
	for name, spoil := range map[string]func(*Story){
		"no worker":          func(s *Story) { s.Worker = "" },
		"no end":             func(s *Story) { s.Now = time.Time{} },
		"no card":            func(s *Story) { s.Hosts = nil },
		"twice the same":     func(s *Story) { s.Hosts[0].GPUs[1].UUID = s.Hosts[0].GPUs[0].UUID },
		"a slash to come":    func(s *Story) { s.Slashes[0].At = s.Now.Add(time.Hour) },
		"a card of no size":  func(s *Story) { s.Hosts[0].GPUs[1].MemoryTotalBytes = 0 },
		"a slash before all": func(s *Story) { s.Slashes[0].At = s.Now.Add(-2 * Year) },
	} {
		s := storyOf(anEvening)
		spoil(&s)
		if err := Write(t.Context(), "postgres://nowhere.invalid/", s); err == nil || strings.Contains(err.Error(), "nowhere") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestOneCardIsAStoryToo, without slashes, claims or a chain.
func TestOneCardIsAStoryToo(t *testing.T) {
	s := storyOf(anEvening)
	s.Hosts, s.Slashes, s.Claims, s.Block = []Host{{ID: "desk", GPUs: s.Hosts[0].GPUs[:1]}}, nil, nil, nil
	conn := connect(t, write(t, s))
	if n := value[int](t, conn, `SELECT count(*) FROM jobs WHERE worker_address = $1 AND status = 'running' AND block_number IS NULL`, worker); n != 1 {
		t.Errorf("%d jobs run on the only card", n)
	}
}

func BenchmarkWrite(b *testing.B) {
	s := storyOf(time.Now())
	for b.Loop() {
		b.StopTimer()
		url := dbtest.NewURL(b)
		b.StartTimer()
		begun := time.Now()
		if err := Write(b.Context(), url, s); err != nil {
			b.Fatal(err)
		}
		first := time.Since(begun)
		if err := WriteOlderHeartbeats(b.Context(), url, s); err != nil {
			b.Fatal(err)
		}
		all := time.Since(begun)
		b.StopTimer()
		conn := connect(b, url)
		b.Logf("Write %.2f s, with older heartbeats %.2f s: %d jobs, %d heartbeats, %d samples", first.Seconds(), all.Seconds(),
			value[int](b, conn, `SELECT count(*) FROM jobs`), value[int](b, conn, `SELECT count(*) FROM heartbeats`), value[int](b, conn, `SELECT count(*) FROM gpu_samples`))
		b.StartTimer()
	}
}
