package db_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"pgregory.net/rapid"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// TestColumnsAreTheContract writes the contract tables as outside programs do.
func TestColumnsAreTheContract(t *testing.T) {
	b := newBench(t)
	b.exec(`INSERT INTO jobs (job_id, client_address, worker_address, job_type, status, payment_amount, created_at, assigned_at,
		completed_at, execution_time_ms, result_hash, error_message, gpu_uuid, tx_hash, block_number)
		VALUES ('j', '0xC1', $1, 'proof', 'completed', 5, $2, $2, $2, 7, 'r', 'e', 'GPU-1', '0xFF', 9)`, string(alice), now)
	b.exec(`INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time, gpu_count, gpu_utilization_avg,
		memory_utilization_avg, jobs_in_progress, latency_ms, version) VALUES ($1, 'h', $2, 8, 50.5, 20, 1, 12, '1.0')`, string(alice), now)
	b.exec(`INSERT INTO reward_claims (address, amount, claim_type, claim_time, tx_hash, block_number, status)
		VALUES ($1, 3, 'staking', $2, '0xAB', 4, 'confirmed')`, string(alice), now)

	job := must[validator.Job](t)(b.store.Job(b.ctx(), alice, "j"))
	equal(t, "client", job.Client, "0x"+strings.Repeat("0", 62)+"c1")
	equal(t, "transaction", job.TxHash.Short(), "0xff")
	equal(t, "payment", job.Payment, wei(5))
	equal(t, "time", job.ExecutionTime.Milliseconds(), 7)
	equal(t, "block", *job.BlockNumber, 9)
	equal(t, "texts", []string{job.ResultHash, job.ErrorMessage, job.GPUUUID, job.Type}, "[r e GPU-1 proof]")
	if !job.CreatedAt.Equal(now) || job.CreatedAt.Location().String() != "UTC" {
		t.Errorf("created at %v", job.CreatedAt)
	}
}

// TestFewColumnsAreEnough: what a program does not know it leaves out.
func TestFewColumnsAreEnough(t *testing.T) {
	b := newBench(t)
	b.exec("INSERT INTO jobs (job_id) VALUES ('pending')")
	b.exec("INSERT INTO jobs (job_id, worker_address, status) VALUES ('mine', '0xa11', 'running')")
	b.exec("INSERT INTO heartbeats (worker_address) VALUES ('0xa11')")
	b.exec("INSERT INTO reward_claims (address, claim_type, tx_hash) VALUES ('0xa11', 'mining', '0x1')")
	job := must[validator.Job](t)(b.store.Job(b.ctx(), alice, "mine"))
	if job.Payment != nil || job.CompletedAt != nil || job.ExecutionTime != nil || job.Client != "" || job.TxHash != "" || job.BlockNumber != nil {
		t.Errorf("something was invented: %+v", job)
	}
}

// TestRefusedRows: each is refused with a message that names what is wrong.
func TestRefusedRows(t *testing.T) {
	b := newBench(t)
	const u256 = "115792089237316195423570985008687907853269984665640564039457584007913129639936"
	for _, c := range []struct{ sql, message string }{
		{"INSERT INTO jobs (job_id, worker_address) VALUES ('j', 'alice')", "jobs.worker_address: 'alice' is no Starknet address"},
		{"INSERT INTO jobs (job_id, worker_address) VALUES ('j', '')", "jobs.worker_address: '' is no Starknet address"},
		{"INSERT INTO jobs (job_id, client_address) VALUES ('j', '0x0')", "jobs.client_address: '0x0' is no Starknet address"},
		{"INSERT INTO jobs (job_id, tx_hash) VALUES ('j', '0xg')", "jobs.tx_hash: '0xg' is no felt"},
		{"INSERT INTO jobs (job_id, tx_hash) VALUES ('j', '0x" + strings.Repeat("f", 64) + "')", "is no felt"},
		{"INSERT INTO jobs (job_id, worker_address) VALUES ('j', '0x" + strings.Repeat("0", 64) + "1')", "is no Starknet address"},
		{"INSERT INTO jobs (job_id, status) VALUES ('j', 'done')", "jobs_status_is_known"},
		{"INSERT INTO jobs (job_id, payment_amount) VALUES ('j', -1)", "jobs_payment_amount_is_u256"},
		{"INSERT INTO jobs (job_id, payment_amount) VALUES ('j', " + u256 + ")", "jobs_payment_amount_is_u256"},
		{"INSERT INTO jobs (job_id, payment_amount) VALUES ('j', 'NaN')", "jobs_payment_amount_is_u256"},
		{"INSERT INTO jobs (job_id, execution_time_ms) VALUES ('j', -1)", "jobs_execution_time_ms_is_0_or_more"},
		{"INSERT INTO jobs (job_id, block_number) VALUES ('j', -1)", "jobs_block_number_is_0_or_more"},
		{"INSERT INTO jobs (job_id, completed_at) VALUES ('j', 'infinity')", "jobs_completed_at_is_plausible"},
		{"INSERT INTO jobs (job_id, assigned_at) VALUES ('j', to_timestamp(0))", "jobs_assigned_at_is_plausible"},
		{"INSERT INTO jobs (job_id) VALUES ('')", "jobs_job_id_has_1_to_256_characters"},
		{"INSERT INTO heartbeats (worker_address) VALUES (NULL)", "worker_address"},
		{"INSERT INTO heartbeats (worker_address, gpu_utilization_avg) VALUES ('0x1', 100.1)", "heartbeats_gpu_utilization_avg_is_0_to_100"},
		{"INSERT INTO heartbeats (worker_address, memory_utilization_avg) VALUES ('0x1', 'NaN')", "heartbeats_memory_utilization_avg_is_0_to_100"},
		{"INSERT INTO heartbeats (worker_address, gpu_count) VALUES ('0x1', -1)", "heartbeats_gpu_count_is_0_or_more"},
		{"INSERT INTO heartbeats (worker_address, jobs_in_progress) VALUES ('0x1', -1)", "heartbeats_jobs_in_progress_is_0_or_more"},
		{"INSERT INTO heartbeats (worker_address, latency_ms) VALUES ('0x1', -1)", "heartbeats_latency_ms_is_0_or_more"},
		{"INSERT INTO reward_claims (address, claim_type, tx_hash) VALUES ('0x1', 'gift', '0x1')", "reward_claims_claim_type_is_known"},
		{"INSERT INTO reward_claims (address, claim_type, tx_hash, amount) VALUES ('0x1', 'job', '0x1', 1)", "reward_claims_submitted_has_a_tx_hash_and_no_amount_yet"},
		{"INSERT INTO reward_claims (address, claim_type, tx_hash, status) VALUES ('0x1', 'job', '0x1', 'confirmed')", "reward_claims_confirmed_has_an_amount"},
	} {
		err := dbtest.TryExec(t, b.url, c.sql)
		var pg *pgconn.PgError
		if !errors.As(err, &pg) || !strings.Contains(pg.Message, c.message) {
			t.Errorf("%s\n got %v\nwant %s", c.sql, err, c.message)
		}
	}
}

// TestOutsideProgramsNeedNoMoreThanTheirTable: neither our search path nor rights on our totals.
func TestOutsideProgramsNeedNoMoreThanTheirTable(t *testing.T) {
	b := newBench(t)
	role := "coordinator_" + dbtest.Value(t, b.url, "current_database()")
	b.exec("CREATE ROLE " + role + "; GRANT SELECT, INSERT, UPDATE ON jobs TO " + role)
	b.exec("CREATE SCHEMA elsewhere; SET search_path = elsewhere; SET ROLE " + role + "; " +
		"INSERT INTO public.jobs (job_id, worker_address, status) VALUES ('j', '0xA11', 'running'); " +
		"UPDATE public.jobs SET status = 'completed', payment_amount = 4, completed_at = now()")
	equal(t, "count", must[int64](t)(b.store.CountJobs(b.ctx(), alice, validator.JobCompleted)), 1)
	b.exec("DROP OWNED BY " + role + "; DROP ROLE " + role)
}

// TestEveryFormOfAnAddressIsOneWallet compares the database's rules with the Go ones, which
// say the same in another language.
func TestEveryFormOfAnAddressIsOneWallet(t *testing.T) {
	b := newBench(t)
	conn := must[*pgx.Conn](t)(pgx.Connect(b.ctx(), b.url))
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	stored := func(table, column, v string) (string, error) {
		var out string
		err := pgx.BeginFunc(b.ctx(), conn, func(tx pgx.Tx) error {
			others, values := "job_id", "'j'"
			if err := tx.QueryRow(b.ctx(), "INSERT INTO "+table+" ("+others+", "+column+") VALUES ("+values+", $1) RETURNING "+column, v).Scan(&out); err != nil {
				return err
			}
			return tx.Rollback(b.ctx())
		})
		if errors.Is(err, pgx.ErrTxClosed) {
			err = nil
		}
		return out, err
	}
	compare := func(t rapid.TB, v string) {
		wantAddress, addressErr := validator.ParseAddress(v)
		got, err := stored("jobs", "worker_address", v)
		if (err == nil) != (addressErr == nil) || got != string(wantAddress) {
			t.Fatalf("address %q: the database says %q, %v; Go says %q, %v", v, got, err, wantAddress, addressErr)
		}
		wantFelt, feltErr := validator.ParseFelt(v)
		got, err = stored("jobs", "tx_hash", v)
		if (err == nil) != (feltErr == nil) || got != string(wantFelt) {
			t.Fatalf("felt %q: the database says %q, %v; Go says %q, %v", v, got, err, wantFelt, feltErr)
		}
	}
	for _, v := range []string{
		"0x123", "0X0ABC", "0x" + strings.Repeat("0", 61) + "aBc", "0x", "0x0", "123", "-0x1",
		"0x07" + strings.Repeat("f", 60) + "00", "0x07" + strings.Repeat("f", 59) + "eff",
		"0x0800000000000011" + strings.Repeat("0", 47) + "1", "0x0800000000000011" + strings.Repeat("0", 48),
		"0x" + strings.Repeat("0", 65), "0xé", "0x1;",
	} {
		compare(t, v)
	}
	rapid.Check(t, func(t *rapid.T) {
		compare(t, rapid.StringMatching(`0[xX]0{0,3}[0-9a-fA-F]{0,64}|0x0[78][0-9a-f]{62}|[0-9a-fx]{1,5}`).Draw(t, "felt"))
	})
}

func TestAmountsAreExact(t *testing.T) {
	b := newBench(t)
	max := must[validator.Wei](t)(validator.ParseWei("115792089237316195423570985008687907853269984665640564039457584007913129639935"))
	amounts := []validator.Wei{max, max, power(30), power(30).Add(wei(1)), power(21), wei(1), wei(0)}
	var total validator.Wei
	for i, a := range amounts {
		total = total.Add(a)
		b.exec("INSERT INTO jobs (job_id, worker_address, status, payment_amount, created_at) VALUES ($1::int::text, '0xa11', 'completed', $2::text::numeric, $3)", i, a.String(), now)
	}
	for i, a := range amounts {
		job := must[validator.Job](t)(b.store.Job(b.ctx(), alice, string(rune('0'+i))))
		equal(t, "payment", job.Payment, a)
	}
	e := must[validator.Earnings](t)(b.store.Earnings(b.ctx(), alice, now))
	equal(t, "total", e.Total, total)
	equal(t, "last 24 hours", e.Last24h, total)
	check(t, b.store.FoldTotals(b.ctx()))
	equal(t, "period", must[validator.EarningsPeriod](t)(b.store.EarningsPeriod(b.ctx(), alice, nil)).Total, total)

	tx := validator.Felt("0x" + strings.Repeat("0", 63) + "1")
	claim := must[validator.Claim](t)(b.store.SubmitClaim(b.ctx(), alice, tx, validator.RewardStaking, now))
	check(t, b.store.SettleClaim(b.ctx(), claim, validator.ClaimOutcome{Status: validator.ClaimConfirmed, Amount: &max}))
	equal(t, "claim", must[[]validator.Claim](t)(b.store.Claims(b.ctx(), alice, 1))[0].Amount, max)
}
