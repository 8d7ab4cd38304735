package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// payers is the contract of the generated payments.
var payers = validator.PaymentContracts{JobManager: "0x00000000000000000000000000000000000000000000000000000000000000d1"}

// addPayments tells of a payment on chain for most of the busy worker's jobs of the last
// tenth of a year, some of another amount, unless an earlier run has.
func (b *bench) addPayments(ctx context.Context) error {
	var there bool
	if err := b.conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM chain_payments)").Scan(&there); err != nil || there {
		return err
	}
	start := time.Now()
	for _, step := range []string{
		"INSERT INTO chain_index (chain_id) VALUES ('bench') ON CONFLICT DO NOTHING",
		`INSERT INTO chain_index_contracts (contract_address, name, first_block, start, block_number, block_hash, block_time, first_time)
			SELECT '` + string(payers.JobManager) + `', 'JobManager', 0, 'configured', 9, '0x' || lpad('9', 64, '0'), max(completed_at) + interval '1 hour', max(completed_at) - interval '36 days'
			FROM jobs WHERE worker_address = '` + string(b.busy) + `' AND status = 'completed' AND payment_amount IS NOT NULL`,
		`INSERT INTO chain_payments (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place, worker_address, kind, job_id, amount, private)
			SELECT n, '0x' || lpad('1', 64, '0'), completed_at, '0x' || lpad(to_hex(n), 64, '0'), '` + string(payers.JobManager) + `', 0, 0, worker_address, 'released',
			       COALESCE(job_number(job_id), n::text), payment_amount + CASE n % 50 WHEN 0 THEN 1 ELSE 0 END, false
			FROM (SELECT job_id, worker_address, completed_at, payment_amount, row_number() OVER () AS n FROM jobs WHERE worker_address = '` + string(b.busy) + `' AND status = 'completed' AND payment_amount IS NOT NULL
			      AND completed_at > (SELECT max(completed_at) - interval '36 days' FROM jobs WHERE worker_address = '` + string(b.busy) + `')) paid
			WHERE n % 40 > 0`,
	} {
		if _, err := b.conn.Exec(ctx, step); err != nil {
			return fmt.Errorf("add payments: %w", err)
		}
	}
	var stored int64
	if err := b.conn.QueryRow(ctx, "SELECT count(*) FROM chain_payments").Scan(&stored); err != nil {
		return err
	}
	wrote := time.Since(start)
	if err := folded(ctx, b.conn); err != nil {
		return err
	}
	row(count(stored)+" payments on chain, compared", (time.Since(start) - wrote).Round(time.Second).String(), "writing them: "+wrote.Round(time.Second).String(), "", "")
	_, err := b.conn.Exec(ctx, "VACUUM ANALYZE reconciled_jobs")
	return errors.Join(err, onlyErr(b.conn.Exec(ctx, "VACUUM ANALYZE reconciled_days")))
}

// payments measures what came of comparing payments against joining both sides, and a page
// of it at depth.
func (b *bench) payments(ctx context.Context) error {
	if err := b.addPayments(ctx); err != nil {
		return err
	}
	ask := func(w validator.Address) error { return onlyErr(b.store.Reconciliation(ctx, w, payers, b.start)) }
	kept, few, err := alternating(func() error { return ask(b.busy) }, func() error { return ask(b.few) })
	if err != nil {
		return err
	}
	joined, err := median(slow, func() error {
		return onlyErr(b.conn.Exec(ctx, `SELECT count(*), sum(recorded), sum(paid), count(*) FILTER (WHERE recorded = paid), count(*) FILTER (WHERE paid IS NULL), count(*) FILTER (WHERE recorded IS NULL)
			FROM (SELECT COALESCE(job_number(job_id), job_id) AS job, sum(payment_amount) AS recorded FROM jobs WHERE worker_address = $1 AND status = 'completed' AND payment_amount IS NOT NULL GROUP BY 1) j
			FULL JOIN (SELECT job_id AS job, sum(amount) AS paid FROM chain_payments WHERE worker_address = $1 GROUP BY 1) p USING (job)`, string(b.busy)))
	})
	if err != nil {
		return err
	}
	row("payments against the chain", millis(kept), "joining both sides: "+millis(joined), fmt.Sprintf("%.0f times faster", joined.Seconds()/kept.Seconds()), "at least 300")
	row("payments against the chain", millis(kept), "the same at 10,000 jobs: "+millis(few), fmt.Sprintf("%.2f times", kept.Seconds()/few.Seconds()), "")
	windows := []validator.PaymentWindow{{State: validator.PaymentUnpaid}}
	page := func(at time.Time) error {
		list, err := b.store.ReconciledPayments(ctx, b.busy, windows, db.PaymentCursor{At: at, Job: "~"}, 51)
		if err == nil && len(list) == 0 {
			err = errors.New("a page of payments is empty")
		}
		return err
	}
	for _, depth := range []int{10, 50, 99} {
		deep, top, err := alternating(func() error { return page(b.start.Add(-time.Duration(depth) * 365 * 24 * time.Hour / 100)) }, func() error { return page(b.start.AddDate(1, 0, 0)) })
		if err != nil {
			return err
		}
		row(fmt.Sprintf("a page of payments, %d %% down", depth), millis(deep), "its first page: "+millis(top), fmt.Sprintf("%.2f times", deep.Seconds()/top.Seconds()), "at most 2")
	}
	return nil
}
