package web

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/observe"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// sourceReading is how much of a source a server has.
type sourceReading string

const (
	neverRead sourceReading = "never read"
	staleRead sourceReading = "stale"
	liveRead  sourceReading = "live"
)

// heldSources are a host's GPUs, the chain and the index of its events, each of which is read
// as a test says. Every value that they have is another than zero.
type heldSources struct {
	silentChain

	gpus, chain sourceReading
	indexed     bool
}

func (h *heldSources) state(source validator.Source, r sourceReading) validator.SourceState {
	st := validator.SourceState{Source: source, Health: validator.HealthOK, ObservedAt: time.Now().UTC()}
	switch r {
	case neverRead:
		st.Health, st.ObservedAt, st.Reason = validator.HealthUnavailable, time.Time{}, "It was never read."
	case staleRead:
		st.Health, st.ObservedAt, st.Reason = validator.HealthStale, st.ObservedAt.Add(-5*time.Minute), "It is away."
	case liveRead:
	}
	return st
}

// heldGPU is a card of which everything is known.
func heldGPU(index int) validator.GPU {
	now := time.Now().UTC()
	return validator.GPU{
		Index: index, UUID: fmt.Sprintf("GPU-%d", index), SampledAt: now, Fault: validator.None[string]("none"), MissingSince: validator.None[time.Time]("it is there"),
		Name: validator.Some("NVIDIA H100 80GB HBM3"), PCIBusID: validator.Some("00000000:3A:00.0"), VBIOS: validator.Some("96.00.74.00.11"), Tier: validator.Some(validator.TierEnterprise),
		MemoryTotalBytes: validator.Some(uint64(80 << 30)), MemoryUsedBytes: validator.Some(uint64(20 << 30)), MemoryReservedBytes: validator.Some(uint64(1 << 30)),
		UtilizationPercent: validator.Some(uint32(73)), MemoryActivityPercent: validator.Some(uint32(21)), EncoderPercent: validator.Some(uint32(1)), DecoderPercent: validator.Some(uint32(1)),
		TemperatureC: validator.Some(61), MemoryTemperatureC: validator.Some(66), SlowdownTemperatureC: validator.Some(89), ShutdownTemperatureC: validator.Some(92), MaxTemperatureC: validator.Some(87),
		PowerMilliwatts: validator.Some(uint32(412_000)), PowerLimitMilliwatts: validator.Some(uint32(700_000)), PowerDefaultMilliwatts: validator.Some(uint32(700_000)), EnergyMillijoules: validator.Some(uint64(5_000_000)),
		SMClockMHz: validator.Some(uint32(1755)), SMClockMaxMHz: validator.Some(uint32(1980)), MemoryClockMHz: validator.Some(uint32(2619)), MemoryClockMaxMHz: validator.Some(uint32(2619)),
		FanPercent: validator.Some(uint32(44)), PerformanceState: validator.Some(2), ThrottleReasons: validator.Some(validator.ThrottlePowerCap),
		ECCEnabled: validator.Some(true), ECCCorrectedVolatile: validator.Some(uint64(5)), ECCUncorrectedVolatile: validator.Some(uint64(1)), ECCUncorrectedAggregate: validator.Some(uint64(2)), RetiredPages: validator.Some(uint32(3)),
		PCIeGeneration: validator.Some(4), PCIeGenerationMax: validator.Some(5), PCIeWidth: validator.Some(8), PCIeWidthMax: validator.Some(16),
		Processes: validator.Some([]validator.GPUProcess{{PID: 4711, Name: validator.Some("prover"), MemoryBytes: validator.Some(uint64(18 << 30))}}),
		Events:    []validator.GPUEvent{xidEvent(1, 63, now.Add(-time.Hour))}, XIDsWatchedSince: validator.Some(now.Add(-2 * time.Hour)),
		MIGEnabled: validator.Some(false), ConfidentialComputeActive: validator.Some(true),
	}
}

func (h *heldSources) Snapshot() validator.GPUSnapshot {
	s := validator.GPUSnapshot{State: h.state(validator.SourceGPU, h.gpus)}
	if h.gpus == neverRead {
		return s
	}
	s.Host = validator.GPUHost{
		DriverVersion: validator.Some("570.133.20"), CUDAVersion: validator.Some("12.8"),
		ConfidentialCompute: validator.Some(validator.ConfidentialCompute{Enabled: true, Environment: "production", GPUsReady: validator.Some(true)}),
	}
	s.GPUs = []validator.GPU{heldGPU(1), heldGPU(2)}
	return s
}

func (h *heldSources) History(uuid string, since time.Time) []validator.GPUPoint {
	if h.gpus == neverRead {
		return nil
	}
	return oneGPUReader{heldGPU(1)}.History(uuid, since)
}

func heldContract(n int) validator.Address { return validator.Address(fmt.Sprintf("0x%064x", 0xd0+n)) }

func (*heldSources) Contracts() []validator.ContractCheck {
	var out []validator.ContractCheck
	for i, name := range []string{"JobManager", "PaymentRouter", observe.ProverStaking, observe.ReputationManager} {
		out = append(out, validator.ContractCheck{Name: name, Address: heldContract(i + 1), Status: validator.ContractOK})
	}
	return out
}

func heldBlock() validator.Block {
	return validator.Block{Number: 1234103, Hash: "0x1", Time: time.Now().UTC().Add(-3 * time.Second)}
}

func held[T any](r sourceReading, v T) validator.ChainRead[T] {
	if r == neverRead {
		return validator.ChainRead[T]{Maybe: validator.None[T]("no node has answered yet")}
	}
	return validator.ChainRead[T]{Maybe: validator.Some(v)}
}

func (h *heldSources) Network() validator.ChainNetwork {
	n := validator.ChainNetwork{State: h.state(validator.SourceChain, h.chain)}
	cfg := validator.StakingConfig{UnstakeLockup: 7 * 24 * time.Hour, RewardAPYBasisPoints: 1500, MaxConsecutiveFailures: 3, SlashBasisPoints: [validator.SlashReasonCount]uint32{1000, 500, 2500, 5000, 7500}}
	for tier := range validator.TierCount {
		cfg.MinStake[tier] = validator.WeiFromSAGE(int64(tier+1) * 1000)
	}
	n.Config, n.TotalStaked, n.TotalSlashed = held(h.chain, cfg), held(h.chain, validator.WeiFromSAGE(300_000)), held(h.chain, validator.WeiFromSAGE(600))
	n.Reputation = held(h.chain, validator.ReputationNetwork{Workers: 44, Average: 640, Highest: 990, Lowest: 12})
	if h.chain != neverRead {
		n.Block, n.ObservedAt = heldBlock(), n.State.ObservedAt
		n.State.Block, n.State.BlockTime = n.Block.Number, n.Block.Time
	}
	return n
}

var heldSlash = validator.StakeEvent{Kind: validator.StakeEventSlashed, Amount: validator.WeiFromSAGE(600), Reason: validator.SlashTimeout, JobID: "0x9", TxHash: validator.Felt("0x" + strings.Repeat("0", 60) + "7ac0")}

func (h *heldSources) WalletSnapshot(_ context.Context, wallet validator.Address) validator.ChainSnapshot {
	now := time.Now().UTC()
	s := validator.ChainSnapshot{Address: wallet, Network: h.Network(), StakeEvents: validator.None[[]validator.StakeEvent]("no node has answered yet")}
	s.State, s.Block, s.ObservedAt = s.Network.State, s.Network.Block, s.Network.ObservedAt
	s.Stake = held(h.chain, validator.Stake{
		Amount: validator.WeiFromSAGE(13_250), LockedAmount: validator.WeiFromSAGE(750), StakedAt: now.AddDate(-1, 0, 0), LastClaimAt: now.AddDate(0, 0, -5), Tier: validator.TierEnterprise, Active: true,
		ConsecutiveFailures: 1, TotalSlashed: heldSlash.Amount, PendingRewards: validator.WeiFromSAGE(3),
	})
	s.Eligible, s.ReputationRank, s.WalletBalance = held(h.chain, true), held(h.chain, uint32(4)), held(h.chain, validator.WeiFromSAGE(5789))
	s.Reputation = held(h.chain, validator.Reputation{Score: 903, Level: 5, LastUpdated: now.Add(-time.Hour), TotalJobs: 912, Successful: 900, Failed: 12, Disputes: 1, Slashes: 1})
	s.Reputation.Call = validator.ContractCall{Contract: heldContract(4), Function: "get_reputation", Calldata: []validator.Felt{wallet.Felt()}}
	s.Mining = validator.MiningReads{
		Configured: true, RemainingCap: held(h.chain, validator.WeiFromSAGE(140)), Tier: held(h.chain, validator.MiningTierGold),
		Stats: held(h.chain, validator.MiningStats{Jobs: 20, Earned: validator.WeiFromSAGE(60), Day: uint64(now.Add(-3*time.Second).Unix()) / 86400, DayJobs: 4, DayEarned: validator.WeiFromSAGE(9), First: uint64(now.Unix() - 1000), Last: uint64(now.Unix() - 500)}),
	}
	if h.chain == neverRead {
		return s
	}
	slash, request := heldSlash, validator.StakeEvent{Kind: validator.StakeEventUnstakeRequested, Amount: validator.WeiFromSAGE(750), UnlockAt: now.AddDate(0, 0, 3), TxHash: "0x7ad"}
	slash.Block, request.Block = validator.Block{Number: 90, Time: now.AddDate(0, 0, -2)}, validator.Block{Number: 95, Time: now.AddDate(0, 0, -1)}
	s.StakeEvents, s.StakeEventsQuery = validator.Some([]validator.StakeEvent{request, slash}), validator.EventQuery{Contract: heldContract(3), Block: s.Block}
	return s
}

func (h *heldSources) IndexLag() validator.Maybe[validator.IndexLag] {
	if !h.indexed {
		return validator.None[validator.IndexLag]("no events have been read yet")
	}
	return validator.Some(validator.IndexLag{Block: validator.Block{Number: 1234100, Time: time.Now().Add(-30 * time.Second)}, Head: heldBlock(), Blocks: 3, Time: 27 * time.Second})
}

func (h *heldSources) IndexCursor(contract validator.Address) validator.Maybe[validator.IndexCursor] {
	if !h.indexed {
		return validator.None[validator.IndexCursor]("its events have not been read yet")
	}
	return validator.Some(validator.IndexCursor{Contract: contract, Name: "contract", First: 7, Start: validator.IndexFromDeployment, Done: &validator.Block{Number: 100, Hash: "0x64", Time: time.Now().Add(-30 * time.Second)}})
}

// wholeDatabase is a database in which nothing that a figure counts is zero, but what events
// of the chain tell where none has been read.
func wholeDatabase(t *testing.T, indexed bool) string {
	t.Helper()
	database := dbtest.NewURL(t)
	exec := func(sql string, args ...any) { t.Helper(); dbtest.Exec(t, database, sql, args...) }
	day := time.Now().UTC().Truncate(24 * time.Hour)
	const sage = "1000000000000000000"

	// Ten workers of five tiers on hosts of two kinds, and Alice's on two hosts.
	for n := range 10 {
		worker := fmt.Sprintf("0x%064x", 0xa11+n*0x1000)
		for host := range 2 {
			exec(`INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time, gpu_count, gpu_utilization_avg, memory_utilization_avg, jobs_in_progress, latency_ms, version)
				SELECT $1, 'rig-' || $3::integer, m, 1 + $3::integer, 50, 40, 1, 12, '1.8.' || $3::integer FROM generate_series($2::timestamptz - interval '1 day', now(), interval '1 minute') m
				WHERE extract(minute FROM m) NOT BETWEEN 20 AND 20 + $3::integer`, worker, day, host+1)
		}
		exec(`INSERT INTO jobs (job_id, worker_address, job_type, status, payment_amount, execution_time_ms, created_at, assigned_at, completed_at)
			SELECT 'month-' || $2::integer || '-' || d, $1, 'inference', 'completed', `+sage+`, 600000, at, at + interval '1 second', at + interval '10 minutes'
			FROM (SELECT d, $3::timestamptz - d * interval '1 day' + interval '1 second' AS at FROM generate_series(1, 29) d) days`, worker, n, day)
	}
	// Every hour of a month has jobs of all kinds, and every day earnings of all kinds.
	exec(`INSERT INTO jobs (job_id, worker_address, job_type, status, payment_amount, execution_time_ms, created_at, assigned_at, completed_at, gpu_uuid, error_message)
		SELECT kind || '-hour-' || h, CASE kind WHEN 'training' THEN $1 ELSE $2 END, kind, CASE kind WHEN 'training' THEN 'completed' ELSE 'failed' END, CASE kind WHEN 'training' THEN `+sage+` END, 1800000, at - interval '40 minutes', at - interval '39 minutes', at, 'GPU-1', CASE kind WHEN 'broken' THEN 'out of memory' END
		FROM generate_series(0, 24 * 31) h CROSS JOIN (VALUES ('training'), ('broken')) k (kind)
		CROSS JOIN LATERAL (SELECT LEAST(date_trunc('hour', now()) - h * interval '1 hour' + interval '1 minute', now() - interval '3 seconds') AS at) a`, alice, bob)
	exec(`INSERT INTO jobs (job_id, worker_address, job_type, status, execution_time_ms, created_at, assigned_at, completed_at, gpu_uuid, error_message)
		SELECT status || '-' || g, $1, 'inference', status, CASE WHEN status IN ('failed', 'timeout') THEN 900 END, now() - interval '3 seconds', CASE status WHEN 'pending' THEN NULL ELSE now() - interval '2 seconds' END,
			CASE WHEN status IN ('failed', 'timeout', 'cancelled') THEN now() - interval '1 second' END, 'GPU-' || g, 'deadline exceeded'
		FROM (VALUES ('pending'), ('assigned'), ('running'), ('failed'), ('timeout'), ('cancelled')) s (status) CROSS JOIN generate_series(1, 2) g`, alice)
	exec(`INSERT INTO jobs (job_id, worker_address, job_type, status, payment_amount, execution_time_ms, created_at, assigned_at, completed_at)
		SELECT id, $1, 'proof', 'completed', (amount || '000000000000000000')::numeric, 60000, now() - age::interval - interval '2 minutes', now() - age::interval - interval '90 seconds', now() - age::interval
		FROM (VALUES ('1', '8', '1 day'), ('0x2', '8', '2 days'), ('3', '8', '3 days'), ('4', '8', '4 days'), ('5', '8', '1 second'), ('6', '8', '40 days'), ('job-7', '8', '5 days')) j (id, amount, age)`, alice)
	exec("INSERT INTO jobs (job_id, worker_address, job_type, status, error_message, created_at, assigned_at, completed_at, gpu_uuid) VALUES ('9', $1, 'proof', 'timeout', 'deadline exceeded', now() - interval '7 days', now() - interval '6 days', now() - interval '2 days', 'GPU-1')", alice)
	exec(`INSERT INTO jobs (job_id, worker_address, job_type, status, execution_time_ms, created_at, completed_at)
		VALUES ('ahead', $1, 'proof', 'completed', 900, now() + interval '1 day', now() + interval '2 days'), ('too-long', $1, 'proof', 'completed', 99999999, now() - interval '1 hour', now() - interval '59 minutes')`, alice)
	exec(`INSERT INTO reward_claims (address, amount, claim_type, claim_time, tx_hash, block_number, status)
		SELECT $1, `+sage+`, kind, GREATEST($2::timestamptz - d * interval '1 day', $2::timestamptz - interval '400 days') + interval '1 second', '0x' || lpad(to_hex(5000 + d * 10 + i), 64, '0'), 1234050, 'confirmed'
		FROM generate_series(0, 30) d CROSS JOIN (VALUES (1, 'mining'), (2, 'bonus')) k (i, kind)`, alice, day)
	if indexed {
		wholeChain(t, exec, day)
	}
	exec("SELECT fold_heartbeats()")
	exec("SELECT fold_payments()")
	return database
}

// wholeChain is what the index has read of the chain.
func wholeChain(t *testing.T, exec func(string, ...any), day time.Time) {
	t.Helper()
	const sage = "1000000000000000000"
	exec("INSERT INTO chain_index (chain_id, head_number, head_hash, head_time, swept_at) VALUES ('c', 1234103, '0x' || lpad('67', 64, '0'), now(), now())")
	exec(`INSERT INTO chain_index_contracts (contract_address, name, first_block, start, block_number, block_hash, block_time, first_time)
		SELECT '0x' || lpad('d' || n, 64, '0'), 'contract', 1234007, 'deployment', 1234100, '0x' || lpad('64', 64, '0'), now() - interval '30 seconds', now() - interval '30 days' FROM generate_series(1, 4) n`)
	exec(`INSERT INTO stake_events (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place, worker_address, kind, amount, gpu_tier, total)
		SELECT 1234010 + n, '0x' || lpad('1', 64, '0'), now() - interval '20 days', '0x' || lpad(n::text, 64, '0'), '0x' || lpad('d3', 64, '0'), 0, n, '0x' || lpad(to_hex(2577 + n * 4096), 64, '0'), 'staked', ` + sage + `, n % 5, (1000 + n) * ` + sage + `::numeric FROM generate_series(0, 9) n`)
	exec(`INSERT INTO stake_events (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place, worker_address, kind, amount)
		SELECT 1234090, '0x' || lpad('90', 64, '0'), now() - interval '2 days', '0x' || lpad('7ac' || n, 64, '0'), '0x' || lpad('d3', 64, '0'), 0, n, '0x' || lpad(to_hex(2577 + n * 4096), 64, '0'), 'slashed', ` + sage + ` FROM generate_series(0, 9) n`)
	exec(`INSERT INTO reputation_changes (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place, worker_id, old_score, new_score, delta, reason, job_id, changed_at)
		SELECT 1234020 + n, '0x' || lpad('1', 64, '0'), now() - (31 - n) * interval '1 day', '0x' || lpad(to_hex(n), 64, '0'), '0x' || lpad('d4', 64, '0'), 0, 0, '0x' || lpad(to_hex(2577 + (n % 10) * 4096), 64, '0'), 500 + n, 501 + n, 1, 'job_completed', '1', now() - (31 - n) * interval '1 day' FROM generate_series(1, 30) n`)
	exec(`INSERT INTO chain_payments (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place, worker_address, kind, job_id, amount, private)
		SELECT block, '0x' || lpad(block::text, 64, '0'), now() - age::interval, '0x' || lpad('abc' || job, 64, '0'), '0x' || lpad('d2', 64, '0'), 0, 0, $1, 'paid', job, (amount || CASE amount WHEN '0' THEN '' ELSE '000000000000000000' END)::numeric, amount = '0'
		FROM (VALUES (1234091, '1 day', '1', '8'), (1234092, '2 days', '2', '5'), (1234094, '4 days', '4', '0'), (1234096, '7 days', '9', '3'), (1234097, '8 days', '99', '4')) e (block, age, job, amount)`, alice)
	exec(`INSERT INTO reward_claims (address, amount, claim_type, claim_time, tx_hash, block_number, status)
		SELECT $1, `+sage+`, 'staking', $2::timestamptz - d * interval '1 day' + interval '1 second', '0x' || lpad('c1' || d, 64, '0'), 1234091, 'confirmed' FROM generate_series(0, 30) d`, alice, day)
	exec(`INSERT INTO stake_events (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place, worker_address, kind, amount)
		SELECT 1234091, '0x' || lpad('91', 64, '0'), $2::timestamptz - d * interval '1 day', '0x' || lpad('c1' || d, 64, '0'), '0x' || lpad('d3', 64, '0'), d, d, $1, 'rewards_claimed', `+sage+` FROM generate_series(0, 30) d`, alice, day)
}

// wholeServer is a server to Alice over sources that a test holds.
func wholeServer(t *testing.T, store *db.Store, h *heldSources) *Server {
	t.Helper()
	return newServer(t, store, func(c *Config) { c.GPUs, c.Chain, c.Index, c.ValidatorAddress = h, h, h, alice })
}

// closeDatabase ends all connections to a database and refuses new ones.
func closeDatabase(t *testing.T, database string) {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	name := u.Path[1:]
	u.Path = "/postgres"
	dbtest.Exec(t, u.String(), "ALTER DATABASE "+pgx.Identifier{name}.Sanitize()+" ALLOW_CONNECTIONS false")
	dbtest.Exec(t, u.String(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
}
