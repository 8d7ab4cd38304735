package program

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
	"github.com/bitsage-network/validator-dashboard/gpu/gputest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func TestMain(m *testing.M) { harness.Main(m) }

// program is a running server, with what only these tests ask of it.
type program struct{ *harness.Program }

// start serves with the built program on a free port and waits for the line that says it is ready.
func start(t *testing.T, env ...string) *program {
	t.Helper()
	return &program{harness.Start(t, env...)}
}

func source(v map[string]any, name string) map[string]any {
	s, _ := v["sources"].(map[string]any)
	one, _ := s[name].(map[string]any)
	return one
}

// devnet is a chain served over HTTP with one staked wallet.
func devnet(t *testing.T) (*devchain.Chain, []string) {
	t.Helper()
	return devnetAt(t, time.Now)
}

// devnetAt is a devnet whose blocks carry the times of a clock.
func devnetAt(t *testing.T, clock func() time.Time) (*devchain.Chain, []string) {
	t.Helper()
	c := devchain.New(devchain.Config{Clock: clock})
	n := devchain.NewNode(c)
	srv := httptest.NewServer(n)
	t.Cleanup(srv.Close)
	at := c.Contracts()
	return c, []string{
		"STARKNET_RPC=" + srv.URL,
		"PROVER_STAKING_ADDRESS=" + string(at.ProverStaking), "REPUTATION_MANAGER_ADDRESS=" + string(at.ReputationManager),
		"SAGE_TOKEN_ADDRESS=" + string(at.SAGEToken), "JOB_MANAGER_ADDRESS=" + string(at.JobManager),
	}
}

const wallet = validator.Address("0x0000000000000000000000000000000000000000000000000000000000000123")

func TestWithoutAnythingItStartsAndSaysSo(t *testing.T) {
	p := start(t, "DATA_DIR="+dbtest.Dir(t), "NVML_LIBRARY=/nonexistent/libnvidia-ml.so.1")
	v := p.Get(t, "/api/validator/status", "0x123")
	if v["wallet_address"] != string(wallet) || v["staked_amount"] != nil || v["verdict"] != "Unknown" {
		t.Errorf("status: %v", v)
	}
	if jobs, isNumber := v["jobs_completed"].(float64); !isNumber || jobs != 0 {
		t.Errorf("the database answers, so no job is a real zero: %v", v["jobs_completed"])
	}
	for _, name := range []string{"gpu", "chain"} {
		if s := source(v, name); s["status"] != "unavailable" || s["error"] == nil {
			t.Errorf("%s: %v", name, s)
		}
	}
	if s := source(v, "database"); s["status"] != "ok" {
		t.Errorf("database: %v", s)
	}
	r := p.Get(t, "/api/validator/rewards", "0x123")
	if r["claimable_rewards"] != nil || r["apy_estimate"] != nil {
		t.Errorf("rewards: %v", r)
	}
	g := p.Get(t, "/api/validator/gpus", "0x123")
	if gpus, isList := g["gpus"].([]any); !isList || len(gpus) != 0 || g["avg_temperature"] != nil {
		t.Errorf("gpus: %v", g)
	}
}

func TestEveryDigitSurvives(t *testing.T) {
	c, env := devnet(t)
	big := validator.WeiFromInt(1)
	for range 200 {
		big = big.Add(big)
	}
	c.SetStake(wallet, validator.Stake{Amount: big, StakedAt: time.Now().Add(-time.Hour), LastClaimAt: time.Now().Add(-time.Hour), Tier: validator.TierEnterprise, Active: true})
	c.Mine()
	url := dbtest.NewURL(t)
	p := start(t, append(env, "DATABASE_URL="+url)...)
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.WithoutCancel(t.Context()))
	payment := "1" + strings.Repeat("0", 30)
	if _, err := conn.Exec(t.Context(), `INSERT INTO jobs (job_id, worker_address, job_type, status, payment_amount, created_at, completed_at)
		VALUES ('big', '0x123', 'inference', 'completed', $1::numeric, now(), now())`, payment); err != nil {
		t.Fatal(err)
	}
	harness.Eventually(t, "the job's payment", func() bool { return p.Get(t, "/api/validator/status", "0X0123")["total_earnings"] == payment })
	v := p.Get(t, "/api/validator/status", "0x123")
	if v["staked_amount"] != big.String() || v["staked_amount_formatted"] != big.Format() || v["total_earnings_formatted"] != "1,000,000,000,000 SAGE" {
		t.Errorf("status: %v", v)
	}
	jobs, _ := p.Get(t, "/api/jobs/recent", "0x123")["jobs"].([]any)
	if len(jobs) != 1 || jobs[0].(map[string]any)["reward"] != payment {
		t.Errorf("jobs: %v", jobs)
	}
	code, page := p.Call(t, http.MethodGet, "/?wallet=0x123", "", "")
	for _, digits := range []string{`value="` + big.String() + `"`, `value="` + payment + `"`} {
		if code != http.StatusOK || !strings.Contains(string(page), digits) {
			t.Errorf("the page (%d) lacks %s", code, digits)
		}
	}
}

func TestBadInputNamesFieldAndRule(t *testing.T) {
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t))
	for _, c := range []struct{ method, path, wallet, body, field string }{
		{"GET", "/api/jobs/recent?limit=0", "0x1", "", "query.limit"},
		{"GET", "/api/jobs/recent?limit=x", "0x1", "", "query.limit"},
		{"GET", "/api/jobs/recent?status=done", "0x1", "", "query.status"},
		{"GET", "/api/validator/history?period=year", "0x1", "", "query.period"},
		{"GET", "/api/validator/history?offset=-1", "0x1", "", "query.offset"},
		{"GET", "/api/validator/status", "wallet", "", "header.X-Wallet-Address"},
		{"GET", "/api/validator/status", "", "", "header.X-Wallet-Address"},
		{"POST", "/api/worker/heartbeat", "0x1", `{}`, "body"},
		{"POST", "/api/worker/heartbeat", "0x1", `{"worker_id":"r","gpu_utilization_avg":101}`, "body.gpu_utilization_avg"},
		{"POST", "/api/worker/heartbeat", "0x1", `{"worker_id":"r","heartbeat_time":1}`, "body.heartbeat_time"},
		{"POST", "/api/worker/heartbeat", "0x1", `{"worker_id":"r","worker_address":"0x2"}`, "body.worker_address"},
		{"POST", "/api/worker/heartbeat", "0x1", `{"worker_id":"r","gpus":1}`, "body.gpus"},
		{"POST", "/api/worker/gpu-metrics", "0x1", `{"worker_id":"r","gpus":[]}`, "body.gpus"},
		{"POST", "/api/worker/gpu-metrics", "0x1", `{"worker_id":"r","gpus":[{"index":0,"uuid":"a"},{"index":1,"uuid":"a"}]}`, "body.gpus[1].uuid"},
		{"POST", "/api/worker/claim-reward", "0x1", `{"tx_hash":"nope"}`, "body.tx_hash"},
	} {
		code, b := p.Call(t, c.method, c.path, c.wallet, c.body)
		var problem struct {
			Status        int
			Detail, Error string
			Errors        []struct{ Field, Rule string }
		}
		if err := json.Unmarshal(b, &problem); err != nil || code != http.StatusBadRequest || problem.Status != code || problem.Error == "" || len(problem.Errors) == 0 {
			t.Errorf("%s %s %s: %d %s", c.method, c.path, c.body, code, b)
			continue
		}
		if problem.Errors[0].Field != c.field || problem.Errors[0].Rule == "" {
			t.Errorf("%s %s %s: names %+v, want %s", c.method, c.path, c.body, problem.Errors, c.field)
		}
	}
}

func TestAWorkerReportsAndIsSeen(t *testing.T) {
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t), "VALIDATOR_ADDRESS=0x9")
	if code, b := p.Call(t, http.MethodPost, "/api/worker/heartbeat", "0x123", `{"worker_id":"rig-1","gpu_count":2,"gpu_utilization_avg":55.5,"jobs_in_progress":1,"version":"1.2"}`); code != http.StatusOK {
		t.Fatalf("heartbeat: %d %s", code, b)
	}
	if code, b := p.Call(t, http.MethodPost, "/api/worker/gpu-metrics", "0x123", `{"worker_id":"rig-1","gpus":[{"index":0,"uuid":"GPU-a","name":"NVIDIA H100 80GB HBM3","memory_total_bytes":85899345920,"memory_used_bytes":1073741824,"compute_utilization":40,"temperature_celsius":50,"power_watts":300.5}]}`); code != http.StatusOK {
		t.Fatalf("gpu-metrics: %d %s", code, b)
	}
	harness.Eventually(t, "the heartbeat", func() bool { return p.Get(t, "/api/worker/status", "0x123")["is_active"] == true })
	if v := p.Get(t, "/api/worker/status", "0x123"); v["worker_id"] != "rig-1" || v["gpu_count"] != 2.0 || v["gpu_utilization_avg"] != 55.5 {
		t.Errorf("worker status: %v", v)
	}
	if v := p.Get(t, "/api/worker/uptime", "0x123"); v["uptime_percent"] != 100.0 {
		t.Errorf("a fresh worker's uptime: %v", v)
	}
	harness.Eventually(t, "the reported GPU", func() bool {
		g, _ := p.Get(t, "/api/validator/gpus", "0x123")["gpus"].([]any)
		return len(g) == 1
	})
	g := p.Get(t, "/api/validator/gpus", "0x123")["gpus"].([]any)[0].(map[string]any)
	if g["host"] != "rig-1" || g["tier"] != "Enterprise" || g["vram_total_gb"] != 80.0 || g["power_watts"] != 300.5 || g["fan_percent"] != nil {
		t.Errorf("gpu: %v", g)
	}
	if other, _ := p.Get(t, "/api/validator/gpus", "0x77")["gpus"].([]any); len(other) != 0 {
		t.Errorf("another wallet sees %v", other)
	}
}

func TestTheWholeAPIAnswersForAnUnknownWallet(t *testing.T) {
	_, env := devnet(t)
	p := start(t, append(env, "DATABASE_URL="+dbtest.NewURL(t))...)
	for _, path := range []string{
		"/api/validator/status", "/api/validator/gpus", "/api/validator/rewards", "/api/validator/history", "/api/jobs/recent", "/api/jobs/analytics",
		"/api/network/stats", "/api/network/workers", "/api/contracts", "/api/worker/uptime", "/api/worker/status", "/health", "/health/ready", "/health/live", "/openapi.json",
	} {
		p.Get(t, path, "0xdef")
	}
	harness.Eventually(t, "the chain's answer", func() bool { return p.Get(t, "/api/validator/status", "0xdef")["is_registered"] == false })
	harness.Eventually(t, "what the chain's events tell", func() bool { return p.Get(t, "/api/validator/status", "0xdef")["total_earnings"] != nil })
	v := p.Get(t, "/api/validator/status", "0xdef")
	if v["verdict"] != "Not eligible" || v["reputation_score"] != nil || v["stake_tier"] != nil || v["total_earnings"] != "0" {
		t.Errorf("an unknown wallet: %v", v)
	}
	contracts, _ := p.Get(t, "/api/contracts", "")["contracts"].([]any)
	for _, c := range contracts {
		if m := c.(map[string]any); m["name"] == "ProverStaking" && m["status"] != "ok" {
			t.Errorf("%v", m)
		}
	}
	for _, path := range []string{"/docs", "/metrics", "/"} {
		if code, b := p.Call(t, http.MethodGet, path, "", ""); code != http.StatusOK || len(b) == 0 {
			t.Errorf("%s: %d", path, code)
		}
	}
}

func TestWithEverythingDownItIsNotReady(t *testing.T) {
	t.Parallel()
	p := start(t, "DATABASE_URL=postgres://nobody@127.0.0.1:9/none", "NVML_LIBRARY=/nonexistent/libnvidia-ml.so.1")
	if code, b := p.Call(t, http.MethodGet, "/health/ready", "", ""); code != http.StatusServiceUnavailable {
		t.Errorf("/health/ready: %d %s", code, b)
	}
	v := p.Get(t, "/api/validator/status", "0x123")
	for _, member := range []string{"staked_amount", "total_earnings", "jobs_completed", "jobs_failed", "uptime_percent", "last_heartbeat", "is_active", "reputation_score"} {
		if value, there := v[member]; !there || value != nil {
			t.Errorf("%s is %v with every source down", member, value)
		}
	}
	if code, b := p.Call(t, http.MethodPost, "/api/worker/heartbeat", "0x123", `{"worker_id":"r"}`); code != http.StatusServiceUnavailable {
		t.Errorf("a heartbeat that cannot be stored: %d %s", code, b)
	}
	if code, b := p.Call(t, http.MethodGet, "/?wallet=0x123", "", ""); code != http.StatusOK || !strings.Contains(string(b), "Unknown") {
		t.Errorf("the page: %d", code)
	}
}

func TestAwayFromThisMachineNobodySeesAWallet(t *testing.T) {
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t), "LOCAL_ACCESS=false", "VALIDATOR_ADDRESS=0x9")
	for path, want := range map[string]int{
		"/api/validator/status": http.StatusUnauthorized, "/api/validator/gpus": http.StatusUnauthorized, "/api/jobs/recent": http.StatusUnauthorized,
		"/partials/gpus": http.StatusUnauthorized, "/": http.StatusUnauthorized, "/metrics": http.StatusForbidden,
		"/api/network/stats": http.StatusOK, "/health/live": http.StatusOK, "/partials/network": http.StatusOK,
	} {
		if code, b := p.Call(t, http.MethodGet, path, "0x9", ""); code != want {
			t.Errorf("%s: %d %s", path, code, b)
		}
	}
}

func TestKilledItServesTheSameDataAgain(t *testing.T) {
	lib, script := gputest.BuildFake(t, gputest.Current), gputest.NewScript(t, "count=1", "temp=61")
	dir := dbtest.Dir(t)
	env := []string{"DATA_DIR=" + dir, "NVML_LIBRARY=" + lib, gputest.Env + "=" + script.Path()}
	p := start(t, env...)
	if code, b := p.Call(t, http.MethodPost, "/api/worker/heartbeat", "0x123", `{"worker_id":"kept"}`); code != http.StatusOK {
		t.Fatalf("heartbeat: %d %s", code, b)
	}
	if err := p.Cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = p.Cmd.Process.Wait()
	p = start(t, env...)
	if v := p.Get(t, "/api/worker/status", "0x123"); v["worker_id"] != "kept" {
		t.Fatalf("after kill -9 of the server: %v", v)
	}

	pid := postmaster(t, dir)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	script.Set("temp", "77")
	harness.Eventually(t, "a new temperature while the database restarts", func() bool {
		g, _ := p.Get(t, "/api/validator/gpus", "0x123")["gpus"].([]any)
		return len(g) == 1 && g[0].(map[string]any)["temperature_celsius"] == 77.0
	})
	harness.Eventually(t, "the database again", func() bool {
		v := p.Get(t, "/api/worker/status", "0x123")
		return v["worker_id"] == "kept" && source(v, "database")["status"] == "ok" && postmaster(t, dir) != pid
	})
}

// postmaster finds the private PostgreSQL's first process.
func postmaster(t *testing.T, dir string) int {
	t.Helper()
	var pid int
	harness.Eventually(t, "postmaster.pid", func() bool {
		_ = filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
			if err == nil && filepath.Base(path) == "postmaster.pid" {
				b, _ := os.ReadFile(path)
				first, _, _ := strings.Cut(string(b), "\n")
				pid, _ = strconv.Atoi(first)
			}
			return nil
		})
		return pid > 0
	})
	return pid
}
