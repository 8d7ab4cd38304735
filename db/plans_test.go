package db_test

import (
	"context"
	"encoding/json"
	"maps"
	"math/big"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// queries notes every named query that a Store asks, with its arguments.
type queries struct {
	mu    sync.Mutex
	asked map[string]pgx.TraceQueryStartData
}

var queryName = regexp.MustCompile(`^-- name: (\w+)`)

func (q *queries) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	if m := queryName.FindStringSubmatch(d.SQL); m != nil {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.asked[m[1]] = d
	}
	return ctx
}

func (q *queries) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// TestNoReadScansABigTable asks every question of a Store on many rows, and looks at how
// PostgreSQL answers each.
func TestNoReadScansABigTable(t *testing.T) {
	t.Parallel()
	url := dbtest.NewURL(t)
	at := time.Now().UTC()
	dbtest.Exec(t, url, `INSERT INTO jobs (job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at, execution_time_ms)
		SELECT n::text, '0x' || lpad(to_hex(1 + n % 200), 64, '0'), 'type' || n % 4,
		       CASE WHEN n % 10 < 8 THEN 'completed' WHEN n % 10 = 8 THEN 'failed' ELSE 'running' END,
		       n, $1::timestamptz - n * interval '60 seconds', $1::timestamptz - n * interval '60 seconds',
		       CASE WHEN n % 10 < 8 THEN $1::timestamptz - n * interval '59 seconds' END, 1000
		FROM generate_series(1, 150000) n`, at)
	dbtest.Exec(t, url, `UPDATE jobs SET error_message = 'CUDA error: out of memory at ' || job_id WHERE status = 'failed'`)
	dbtest.Exec(t, url, `INSERT INTO reported_jobs (job_id, worker_address, job_type, status, payment_amount, created_at, assigned_at, completed_at, execution_time_ms, error_message, gpu_uuid)
		SELECT 'own-' || n, '0x' || lpad(to_hex(1 + n % 200), 64, '0'), 'type' || n % 4,
		       CASE WHEN n % 10 < 8 THEN 'completed' WHEN n % 10 = 8 THEN 'failed' ELSE 'running' END,
		       n, $1::timestamptz - n * interval '60 seconds', $1::timestamptz - n * interval '60 seconds',
		       CASE WHEN n % 10 < 8 THEN $1::timestamptz - n * interval '59 seconds' END, 1000, CASE WHEN n % 10 = 8 THEN 'out of memory at ' || n END, 'GPU-' || n % 8
		FROM generate_series(1, 150000) n`, at)
	dbtest.Exec(t, url, `INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time, gpu_count, gpu_utilization_avg, version)
		SELECT '0x' || lpad(to_hex(1 + n % 200), 64, '0'), 'host', $1::timestamptz - n / 200 * interval '3 minutes', 8, 50, 'v' || n % 3
		FROM generate_series(1, 150000) n`, at)
	dbtest.Exec(t, url, `INSERT INTO reward_claims (address, amount, claim_type, claim_time, tx_hash, status)
		SELECT '0x' || lpad(to_hex(1 + n % 200), 64, '0'), CASE WHEN n % 50 > 0 THEN n END, 'staking', $1::timestamptz - n * interval '10 minutes',
		       '0x' || lpad(to_hex(n), 64, '0'), CASE n % 50 WHEN 0 THEN 'submitted' ELSE 'confirmed' END
		FROM generate_series(1, 20000) n`, at)
	asked := &queries{asked: map[string]pgx.TraceQueryStartData{}}
	s := dbtest.Open(t, db.Config{URL: url, Tracer: asked})
	worker := must[validator.Address](t)(validator.ParseAddress("0x7"))
	ctx := t.Context()
	check(t, s.UpsertWorkerGPUs(ctx, worker, "host", at, []validator.GPU{sample("GPU-7", 0, at, 50)}))
	dbtest.Exec(t, url, `INSERT INTO gpu_samples (worker_address, worker_id, gpu_uuid, sampled_at)
		SELECT '0x' || lpad(to_hex(1 + n % 200), 64, '0'), 'host', 'GPU-' || n % 200, $1::timestamptz + n * interval '1 second' / 2 FROM generate_series(1, 50000) n`,
		at.Truncate(24*time.Hour))
	dbtest.Exec(t, url, `INSERT INTO worker_gpus (worker_address, worker_id, gpu_uuid, sampled_at, sample)
		SELECT '0x' || lpad(to_hex(1 + n % 200), 64, '0'), 'host' || n, 'GPU-' || n, $1, '{}' FROM generate_series(1, 5000) n`, at)
	dbtest.Exec(t, url, `INSERT INTO sessions (token_hash, wallet_address, wallet_name, user_agent, created_at, seen_at, expires_at)
		SELECT sha256(n::text::bytea), '0x' || lpad(to_hex(1 + n % 200), 64, '0'), '', '', $1, $1, $1::timestamptz + interval '7 days' FROM generate_series(1, 5000) n`, at)
	dbtest.Exec(t, url, `INSERT INTO api_tokens (token_hash, name, scope, wallet_address, created_at)
		SELECT sha256(n::text::bytea), 'a script', 'read', '0x' || lpad(to_hex(1 + n % 200), 64, '0'), $1 FROM generate_series(1, 5000) n`, at)
	dbtest.Exec(t, url, `INSERT INTO audit_log (happened_at, wallet_address, event, detail, actor, client_address, user_agent)
		SELECT $1, '0x' || lpad(to_hex(1 + n % 200), 64, '0'), 'sign-in', '', 'session', '', '' FROM generate_series(1, 5000) n`, at)
	dbtest.Exec(t, url, `INSERT INTO sage_prices (observed_at, currency, price, source)
		SELECT $1::timestamptz - n * interval '5 minutes', 'USD', 0.25, 'prices.example' FROM generate_series(1, 5000) n`, at.AddDate(0, 0, -200))
	dbtest.Exec(t, url, `INSERT INTO claim_prices (address, tx_hash, currency, price, source, observed_at, by_hand)
		SELECT address, tx_hash, 'USD', 0.25, '', claim_time, true FROM reward_claims WHERE status = 'confirmed'`)
	dbtest.Exec(t, url, `INSERT INTO reputation_changes (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place, worker_id, old_score, new_score, delta, reason)
		SELECT n, '0x' || lpad(to_hex(n), 64, '0'), $1::timestamptz - (50000 - n) * interval '1 minute', '0x' || lpad('1', 64, '0'), '0x' || lpad('2', 64, '0'), 0, 0,
		       '0x' || lpad(to_hex(1 + n % 200), 64, '0'), 1, 2, 1, 'job_completed' FROM generate_series(1, 50000) n`, at)
	dbtest.Exec(t, url, `INSERT INTO stake_events (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place, worker_address, kind, amount)
		SELECT n, '0x' || lpad(to_hex(n), 64, '0'), $1, '0x' || lpad(to_hex(n), 64, '0'), '0x' || lpad('2', 64, '0'), 0, 0,
		       '0x' || lpad(to_hex(1 + n % 200), 64, '0'), CASE WHEN n % 3 = 0 THEN 'slashed' ELSE 'staked' END, 1 FROM generate_series(1, 20000) n`, at)
	dbtest.Exec(t, url, `INSERT INTO chain_payments (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place, worker_address, kind, job_id, amount, private)
		SELECT n, '0x' || lpad(to_hex(n), 64, '0'), $1::timestamptz - n * interval '58 seconds', '0x' || lpad(to_hex(n), 64, '0'), '0x' || lpad('d1', 64, '0'), 0, 0,
		       '0x' || lpad(to_hex(1 + n % 200), 64, '0'), 'released', n, n + CASE n % 7 WHEN 0 THEN 1 ELSE 0 END, false
		FROM generate_series(1, 150000) n WHERE n % 5 > 0`, at)
	dbtest.Exec(t, url, `INSERT INTO chain_index (chain_id) VALUES ('c'); INSERT INTO chain_index_contracts (contract_address, name, first_block, start, block_number, block_hash, block_time, first_time)
		SELECT '0x' || lpad('d' || n, 64, '0'), 'contract', 0, 'configured', 9, '0x' || lpad('9', 64, '0'), now() - interval '1 minute', now() - interval '90 days' FROM generate_series(1, 3) n`)
	check(t, s.RollUpGPUEnergy(ctx))
	bench{t, url, s}.fold()
	check(t, s.FoldPayments(ctx))
	dbtest.Exec(t, url, "ANALYZE")

	check(t, onlyErr(s.JobCounts(ctx, worker, at)))
	check(t, onlyErr(s.CountJobs(ctx, worker, validator.JobFailed)))
	check(t, onlyErr(s.Jobs(ctx, worker, db.JobFilter{Limit: 20})))
	check(t, onlyErr(s.Jobs(ctx, worker, db.JobFilter{Limit: 20, Status: validator.JobRunning, Before: db.JobCursor{CreatedAt: at.AddDate(0, 0, -9)}})))
	check(t, onlyErr(s.Jobs(ctx, worker, db.JobFilter{Limit: 20, Type: "type2", After: db.JobCursor{CreatedAt: at.AddDate(0, 0, -9)}})))
	check(t, onlyErr(s.Jobs(ctx, worker, db.JobFilter{Limit: 20, Search: "1480"})))
	check(t, onlyErr(s.Jobs(ctx, worker, db.JobFilter{Limit: 20, Search: "out of", Type: "type2", After: db.JobCursor{CreatedAt: at.AddDate(0, 0, -9)}})))
	check(t, onlyErr(s.Jobs(ctx, worker, db.JobFilter{Limit: 20, Status: validator.JobFailed, From: at.AddDate(0, 0, -9), To: at.AddDate(0, 0, -1), Ascending: true})))
	for _, ascending := range []bool{false, true} {
		for _, sort := range []db.JobSort{db.SortPayment, db.SortDuration} {
			check(t, onlyErr(s.Jobs(ctx, worker, db.JobFilter{Limit: 20, Sort: sort, Ascending: ascending})))
			check(t, onlyErr(s.Jobs(ctx, worker, db.JobFilter{Limit: 20, Sort: sort, Ascending: ascending, Search: "out of"})))
			check(t, onlyErr(s.Jobs(ctx, worker, db.JobFilter{Limit: 20, Sort: sort, Ascending: ascending, From: at.AddDate(0, 0, -9)})))
		}
	}
	check(t, onlyErr(s.FirstUnsorted(ctx, worker, db.JobFilter{Sort: db.SortPayment, From: at.AddDate(0, 0, -9)})))
	check(t, onlyErr(s.FirstUnsorted(ctx, worker, db.JobFilter{Sort: db.SortPayment, Search: "out of"})))
	check(t, s.EachJob(ctx, worker, db.JobFilter{From: at.AddDate(0, 0, -2)}, func(validator.Job) error { return nil }))
	reply := []validator.Job{{ID: "6", Worker: worker, Status: validator.JobFailed}, {ID: "new", Worker: worker, Status: validator.JobRunning}}
	check(t, onlyErr(s.StoreJobs(ctx, reply)))
	check(t, onlyErr(s.ReportJobs(ctx, worker, reply)))
	check(t, onlyErr(s.Job(ctx, worker, "6")))
	check(t, onlyErr(s.Earnings(ctx, worker, at)))
	check(t, onlyErr(s.EarningsHistory(ctx, worker, nil, 20, 40)))
	check(t, onlyErr(s.EarningsPeriod(ctx, worker, nil)))
	check(t, onlyErr(s.JobTime(ctx, worker, at.AddDate(0, 0, -30), at)))
	check(t, onlyErr(s.EarningsPage(ctx, worker, db.EarningFilter{From: at.AddDate(0, 0, -30), To: at, Limit: 20, Before: db.EarningCursor{At: at.AddDate(0, 0, -9), JobID: "7"}})))
	check(t, onlyErr(s.EarningsPage(ctx, worker, db.EarningFilter{Limit: 20, After: db.EarningCursor{At: at.AddDate(0, 0, -9), Claim: 7}})))
	check(t, onlyErr(s.MeasuredEnergy(ctx, worker, at.AddDate(0, 0, -30), at)))
	check(t, onlyErr(s.SAGEPrice(ctx)))
	check(t, onlyErr(s.PricedClaims(ctx, worker, 20)))
	check(t, s.StoreSAGEPrice(ctx, validator.SAGEPrice{Amount: big.NewRat(1, 3), Currency: "USD", Source: "prices.example", At: at}))
	check(t, s.SetClaimPrice(ctx, worker, "0x0000000000000000000000000000000000000000000000000000000000000006", validator.SAGEPrice{Amount: big.NewRat(1, 3), Currency: "USD", At: at}))
	check(t, onlyErr(s.Heartbeats(ctx, worker, at.AddDate(0, 0, -1))))
	check(t, onlyErr(s.UptimeHistory(ctx, worker, 5, at)))
	check(t, onlyErr(s.JobDays(ctx, worker, at.AddDate(0, 0, -30), at)))
	check(t, onlyErr(s.NetworkHours(ctx, at.AddDate(0, 0, -1), at)))
	_, _, err := s.EarningDays(ctx, worker, at.AddDate(0, 0, -30), at)
	check(t, err)
	check(t, onlyErr(s.WorkerGPUs(ctx, worker)))
	check(t, onlyErr(s.WorkerGPUSteps(ctx, worker, "GPU-6", at.Add(-time.Hour), 30*time.Second)))
	contract, ids := validator.Address("0x0000000000000000000000000000000000000000000000000000000000000002"), []validator.Felt{worker.Felt(), "0x0000000000000000000000000000000000000000000000000000000000000009"}
	check(t, onlyErr(s.ReputationChanges(ctx, contract, ids, validator.ReputationCursor{Block: 40_000}, 20)))
	check(t, onlyErr(s.ReputationScores(ctx, contract, ids, at.AddDate(0, 0, -30), 24*time.Hour, 30)))
	check(t, onlyErr(s.WorkerGPUStepsBetween(ctx, worker, "GPU-6", at.Add(-2*time.Hour), at.Add(-time.Hour), time.Minute)))
	check(t, onlyErr(s.FirstGPUSample(ctx, worker, "GPU-6")))
	_, _, err = s.HeartbeatHours(ctx, worker, at.Add(-2*time.Hour), at.Add(-time.Hour))
	check(t, err)
	check(t, onlyErr(s.Slashes(ctx, worker, contract.Felt())))
	check(t, onlyErr(s.Claims(ctx, worker, 20)))
	open := must[[]validator.Claim](t)(s.OpenClaims(ctx, 20))
	check(t, s.SettleClaim(ctx, open[0], validator.ClaimOutcome{Status: validator.ClaimFailed}))
	check(t, onlyErr(s.SubmitClaim(ctx, worker, "0x00000000000000000000000000000000000000000000000000000000000fffff", validator.RewardStaking, at)))
	check(t, onlyErr(s.NetworkCounts(ctx, activeFor, at)))
	check(t, onlyErr(s.StakeBoard(ctx, staking)))
	check(t, onlyErr(s.ReputationBoard(ctx, reputation)))
	check(t, onlyErr(s.WorkerMonths(ctx, 5, at)))
	compared := must[validator.Reconciliation](t)(s.Reconciliation(ctx, worker, payers, at))
	for _, class := range validator.ReconcileClasses {
		check(t, onlyErr(s.ReconciledPayments(ctx, worker, class.Windows(compared.Coverage, at), db.PaymentCursor{At: at.AddDate(0, 0, -9)}, 51)))
	}
	check(t, onlyErr(s.ReconciledPayments(ctx, worker, validator.ClassDifferent.Windows(compared.Coverage, at), db.PaymentCursor{}, 51)))
	_, _, err = s.PaymentOfJob(ctx, must[validator.Job](t)(s.Job(ctx, worker, "6")), payers)
	check(t, err)
	check(t, s.FoldTotals(ctx))
	check(t, onlyErr(s.UseSession(ctx, db.HashSecret("7"), at.Add(time.Hour))))
	check(t, onlyErr(s.Sessions(ctx, worker, at, 20)))
	check(t, onlyErr(s.RevokeSession(ctx, worker, 6)))
	check(t, onlyErr(s.RevokeSessions(ctx, worker)))
	check(t, s.EndSession(ctx, db.HashSecret("8")))
	check(t, onlyErr(s.UseToken(ctx, db.HashSecret("7"), at)))
	check(t, onlyErr(s.AddToken(ctx, db.HashSecret("new"), db.Token{Name: "new", Scope: db.ScopeRead, Wallet: worker, CreatedAt: at})))
	check(t, onlyErr(s.Tokens(ctx, worker)))
	check(t, onlyErr(s.AllTokens(ctx)))
	check(t, onlyErr(s.RevokeToken(ctx, worker, 6)))
	check(t, onlyErr(s.RevokeToken(ctx, "", 7)))
	check(t, onlyErr(s.AuditEvents(ctx, worker, 20)))

	conn := must[*pgx.Conn](t)(pgx.Connect(ctx, url))
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	names := slices.Sorted(maps.Keys(asked.asked))
	if len(names) < 46 {
		t.Errorf("only %d queries were asked: %v", len(names), names)
	}
	for _, name := range names {
		if name == "limitLockWaits" { // not a query that can be explained
			continue
		}
		q := asked.asked[name]
		var plan []struct{ Plan node }
		var text []byte
		check(t, conn.QueryRow(ctx, "EXPLAIN (FORMAT JSON) "+q.SQL, q.Args...).Scan(&text))
		check(t, json.Unmarshal(text, &plan))
		for _, table := range plan[0].Plan.scanned() {
			if dbtest.Value(t, url, "SELECT reltuples > 1000 FROM pg_class WHERE relname = $1", table) == "true" {
				t.Errorf("%s reads all of %s:\n%s", name, table, text)
			}
		}
	}
}

func onlyErr[T any](_ T, err error) error { return err }

// node is a step of a plan.
type node struct {
	Type     string `json:"Node Type"`
	Relation string `json:"Relation Name"`
	Plans    []node
}

// scanned lists the tables that the plan reads from end to end.
func (n node) scanned() []string {
	var out []string
	if n.Type == "Seq Scan" {
		out = append(out, n.Relation)
	}
	for _, p := range n.Plans {
		out = append(out, p.scanned()...)
	}
	return out
}
