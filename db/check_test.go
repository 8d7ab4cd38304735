package db_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
)

// storm writes in every way that programs have, some of it in transactions that are taken back.
type storm struct {
	rng  *rand.Rand
	conn *pgx.Conn
	base time.Time

	id  func() string // of a job; nil for any
	pay func() any    // of a job; nil for any
}

func (s *storm) pick(from ...string) string { return from[s.rng.IntN(len(from))] }

func (s *storm) time(days int) time.Time {
	return s.base.Add(-time.Duration(s.rng.IntN(days*24*60)) * time.Minute)
}

// orNull is a value or NULL.
func (s *storm) orNull(v any) any {
	if s.rng.IntN(4) == 0 {
		return nil
	}
	return v
}

func (s *storm) job() []any {
	var worker any
	if s.rng.IntN(6) > 0 {
		worker = fmt.Sprintf("0x%064x", 0xa1+s.rng.IntN(4))
	}
	id, pay := fmt.Sprint("job-", s.rng.IntN(400)), any(s.rng.IntN(1_000_000))
	if s.id != nil {
		id, pay = s.id(), s.pay()
	}
	return []any{
		id, worker, s.pick("proof", "train", ""), s.pick("pending", "assigned", "running", "completed", "completed", "failed", "timeout", "cancelled"),
		s.orNull(pay), s.time(60), s.orNull(s.time(60)), s.orNull(s.time(60)), s.orNull(s.rng.IntN(100_000)),
	}
}

func (s *storm) beat() []any {
	return []any{fmt.Sprintf("0x%064x", 0xa1+s.rng.IntN(4)), s.pick("", "rig-1", "rig-2"), s.time(60)}
}

var stormJobColumns = []string{"job_id", "worker_address", "job_type", "status", "payment_amount", "created_at", "assigned_at", "completed_at", "execution_time_ms"}

func (s *storm) act(ctx context.Context, tx pgx.Tx) error {
	exec := func(sql string, args ...any) error {
		_, err := tx.Exec(ctx, sql, args...)
		return err
	}
	insert := "INSERT INTO jobs (" + strings.Join(stormJobColumns, ", ") + ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (job_id) DO "
	switch s.rng.IntN(17) {
	case 0, 1:
		return exec(insert+"NOTHING", s.job()...)
	case 2, 3:
		return exec(insert+"UPDATE SET (worker_address, status, payment_amount, completed_at, execution_time_ms) = (excluded.worker_address, excluded.status, excluded.payment_amount, excluded.completed_at, excluded.execution_time_ms)", s.job()...)
	case 4:
		rows := make([][]any, 1+s.rng.IntN(80))
		for i := range rows {
			rows[i] = s.job()
			rows[i][0] = fmt.Sprint("copied-", s.rng.Int64())
		}
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"jobs"}, stormJobColumns, pgx.CopyFromRows(rows))
		return err
	case 5:
		return exec("UPDATE jobs SET status = $1, completed_at = $2 WHERE hashtext(job_id) % 23 = $3", s.pick("completed", "failed", "running"), s.orNull(s.time(60)), s.rng.IntN(23))
	case 6:
		return exec("UPDATE jobs SET created_at = created_at + interval '7 hours', worker_address = $1 WHERE hashtext(job_id) % 31 = $2", fmt.Sprintf("0x%x", 0xa1+s.rng.IntN(4)), s.rng.IntN(31))
	case 7:
		return exec("DELETE FROM jobs WHERE hashtext(job_id) % 29 = $1", s.rng.IntN(29))
	case 8:
		b := s.beat()
		return exec("INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", b...)
	case 9:
		rows := make([][]any, 1+s.rng.IntN(200))
		for i := range rows {
			rows[i] = s.beat()
			rows[i][2] = rows[i][2].(time.Time).Add(time.Duration(s.rng.Int64N(int64(time.Minute))) / 1000 * 1000)
		}
		_, err := tx.CopyFrom(ctx, pgx.Identifier{"heartbeats"}, []string{"worker_address", "worker_id", "heartbeat_time"}, pgx.CopyFromRows(rows))
		return err
	case 10:
		return exec("DELETE FROM heartbeats WHERE hashtext(worker_id || heartbeat_time::text) % 37 = $1", s.rng.IntN(37))
	case 11: // into another partition
		return exec("UPDATE heartbeats SET heartbeat_time = heartbeat_time - interval '8 days 3 minutes 1 microsecond' WHERE hashtext(heartbeat_time::text) % 41 = $1", s.rng.IntN(41))
	case 12:
		return exec(`INSERT INTO reward_claims (address, amount, claim_type, claim_time, tx_hash, status) VALUES ($1, $2, $3, $4, $5, 'confirmed')
			ON CONFLICT (address, tx_hash) DO UPDATE SET amount = excluded.amount, claim_type = excluded.claim_type, claim_time = excluded.claim_time`,
			fmt.Sprintf("0x%x", 0xa1+s.rng.IntN(4)), s.rng.IntN(1000), s.pick("job", "staking", "mining", "bonus"), s.time(60), fmt.Sprintf("0x%x", s.rng.IntN(60)))
	}
	return s.report(exec)
}

// report writes what workers report of their own jobs.
func (s *storm) report(exec func(string, ...any) error) error {
	switch s.rng.IntN(4) {
	case 0:
		return exec("DELETE FROM reward_claims WHERE hashtext(tx_hash) % 7 = $1", s.rng.IntN(7))
	case 1:
		return exec("DELETE FROM reported_jobs WHERE hashtext(job_id) % 13 = $1", s.rng.IntN(13))
	}
	job := s.job()
	job[1] = fmt.Sprintf("0x%064x", 0xa1+s.rng.IntN(4))
	return exec("INSERT INTO reported_jobs ("+strings.Join(stormJobColumns, ", ")+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (worker_address, job_id) DO
		UPDATE SET (status, payment_amount, completed_at, execution_time_ms) = (excluded.status, excluded.payment_amount, excluded.completed_at, excluded.execution_time_ms)`, job...)
}

func (s *storm) rage(ctx context.Context, acts int) error {
	for range acts {
		err := pgx.BeginFunc(ctx, s.conn, func(tx pgx.Tx) error {
			for range 1 + s.rng.IntN(3) {
				if err := s.act(ctx, tx); err != nil {
					return err
				}
			}
			if s.rng.IntN(8) == 0 {
				return tx.Rollback(ctx)
			}
			return nil
		})
		// Writers of the same rows may end up in each other's way, as writers do.
		if pg, is := errors.AsType[*pgconn.PgError](err); is && (pg.Code == "40P01" || pg.Code == "40001" || pg.Code == "23505") || errors.Is(err, pgx.ErrTxClosed) {
			continue
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (b bench) differences(when string) {
	b.Helper()
	for _, d := range must[[]db.Difference](b)(b.store.CheckTotals(b.ctx())) {
		b.Errorf("%s: %v", when, d)
	}
}

// TestNothingIsMiscountedInAStorm: writers of all kinds at once, on many connections, while
// maintenance folds and moves partitions.
func TestNothingIsMiscountedInAStorm(t *testing.T) {
	b := newBench(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	base := time.Now().UTC().Truncate(time.Minute)
	var writers sync.WaitGroup
	for w := range uint64(8) {
		conn := must[*pgx.Conn](t)(pgx.Connect(b.ctx(), b.url))
		t.Cleanup(func() { _ = conn.Close(context.Background()) })
		writers.Go(func() {
			s := storm{rng: rand.New(rand.NewPCG(seed, w)), conn: conn, base: base}
			if err := s.rage(b.ctx(), 60); err != nil {
				t.Errorf("writer %d: %v", w, err)
			}
		})
	}
	calm := make(chan struct{})
	go func() { writers.Wait(); close(calm) }()
	for raging := true; raging; {
		select {
		case <-calm:
			raging = false
		case <-time.After(20 * time.Millisecond):
			check(t, b.store.FoldTotals(b.ctx()))
			b.differences("while writers write")
		}
	}
	if n := dbtest.Value(t, b.url, "SELECT count(*) > 100 FROM jobs") + dbtest.Value(t, b.url, "SELECT count(*) > 100 FROM heartbeats"); n != "truetrue" {
		t.Error("the storm left nothing to count")
	}
	b.differences("after the storm")
	check(t, b.store.FoldTotals(b.ctx()))
	b.differences("after the fold")
	b.exec("TRUNCATE jobs; TRUNCATE heartbeats; TRUNCATE reward_claims")
	b.differences("when reports are left")
	b.exec("DELETE FROM reported_jobs")
	check(t, b.store.FoldTotals(b.ctx()))
	b.differences("when all is gone")
	equal(t, "what is kept", dbtest.Value(t, b.url, `SELECT (SELECT count(*) FROM job_totals) + (SELECT count(*) FROM job_days) + (SELECT count(*) FROM job_hours)
		+ (SELECT count(*) FROM network_hours) + (SELECT count(*) FROM earning_days) + (SELECT count(*) FROM heartbeat_hours) + (SELECT count(*) FROM worker_days)`), 0)
}

// TestACheckTellsWhatIsWrong in each table that is kept.
func TestACheckTellsWhatIsWrong(t *testing.T) {
	b := newBench(t)
	b.exec("INSERT INTO jobs (job_id, worker_address, status, payment_amount, created_at) VALUES ('1', '0xa11', 'completed', 5, $1)", now)
	b.exec("INSERT INTO heartbeats (worker_address, worker_id, heartbeat_time) VALUES ('0xa11', 'rig', now() - interval '1 minute'), ('0xa11', 'rig', now() - interval '26 hours')")
	b.exec("INSERT INTO reward_claims (address, amount, claim_type, claim_time, status) VALUES ('0xa11', 7, 'bonus', $1, 'confirmed')", now)
	check(t, b.store.FoldTotals(b.ctx()))
	check(t, b.store.FoldPayments(b.ctx()))
	b.differences("before")
	for _, c := range []struct{ wrong, right, want string }{
		{"UPDATE job_totals SET jobs = jobs + 1", "UPDATE job_totals SET jobs = jobs - 1", "job_totals: worker " + string(alice) + ", type , state completed: kept 2, 0, 0, 0, counted 1, 0, 0, 0"},
		{"DELETE FROM job_days", "INSERT INTO job_days VALUES ('" + string(alice) + "', '2026-11-20', '', 'completed', 1, 0)", "job_days: worker " + string(alice) + ", day 2026-11-20, type , state completed: kept nothing, counted 1, 0"},
		{"UPDATE job_hours SET amount_wei = 6", "UPDATE job_hours SET amount_wei = 5", "job_hours: worker " + string(alice) + ", hour 2026-11-20 15:00:00+00: kept 1, 1, 6, counted 1, 1, 5"},
		{"UPDATE network_hours SET failed = 1", "UPDATE network_hours SET failed = 0", "network_hours: hour 2026-11-20 15:00:00+00: kept 1, 1, 1, 0, counted 1, 1, 0, 0"},
		{"UPDATE earning_days SET amount_wei = 8 WHERE kind = 'bonus'", "UPDATE earning_days SET amount_wei = 7 WHERE kind = 'bonus'", "earning_days: worker " + string(alice) + ", day 2026-11-20, kind bonus: kept 1, 8, counted 1, 7"},
		{"UPDATE worker_days SET minutes = 2 WHERE minutes = 1", "UPDATE worker_days SET minutes = 1 WHERE minutes = 2", "heartbeat_days and worker_days: worker " + string(alice) + ", host (any), day "},
		{"UPDATE heartbeat_hours SET minutes = minutes | (1::bigint << 63)", "UPDATE heartbeat_hours SET minutes = counted_minutes(beats)", "heartbeat_hours.minutes: worker " + string(alice) + ", host rig, hour "},
		{"UPDATE reconciled_jobs SET paid_wei = 1, payments = 1", "UPDATE reconciled_jobs SET paid_wei = 0, payments = 0", "reconciled_jobs: worker " + string(alice) + ", job 1: kept 1, 5, 1795188600000000, 0, 0, 1, 1, 0, 0, different, counted 1, 5, 1795188600000000, 0, 0, 0, 0, 0, 0, unpaid"},
		{"UPDATE reconciled_days SET jobs = jobs + 1", "UPDATE reconciled_days SET jobs = jobs - 1", "reconciled_days: worker " + string(alice) + ", state unpaid, day 2026-11-20: kept 2, 5, 0, 5, counted 1, 5, 0, 5"},
		{"UPDATE heartbeat_hours SET beats = add_counts(beats, beats)", "", "heartbeat_hours: worker " + string(alice) + ", host rig, hour "},
	} {
		b.exec(c.wrong)
		got := fmt.Sprint(must[[]db.Difference](t)(b.store.CheckTotals(b.ctx())))
		if !strings.Contains(got, c.want) {
			t.Errorf("%s\n got %s\nwant %s", c.wrong, got, c.want)
		}
		if c.right != "" {
			b.exec(c.right)
			b.differences("mended")
		}
	}
}
