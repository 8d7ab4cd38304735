package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db"
)

// questions notes every named query that the store asks, with its arguments.
type questions struct {
	mu    sync.Mutex
	asked map[string]pgx.TraceQueryStartData
}

var queryName = regexp.MustCompile(`^-- name: (\w+)`)

// TraceQueryStart makes questions a tracer.
func (q *questions) TraceQueryStart(ctx context.Context, _ *pgx.Conn, d pgx.TraceQueryStartData) context.Context {
	if m := queryName.FindStringSubmatch(d.SQL); m != nil {
		q.mu.Lock()
		defer q.mu.Unlock()
		q.asked[m[1]] = d
	}
	return ctx
}

// TraceQueryEnd makes questions a tracer.
func (q *questions) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

// bigTable is how many rows make reading all of a table a fault.
const bigTable = 10_000

// plans asks PostgreSQL how it answers each query that was asked, and fails if one reads a
// big table from end to end.
func (b *bench) plans(ctx context.Context) error {
	for _, more := range []func() error{
		func() error {
			return onlyErr(b.store.JobDays(ctx, b.busy, b.start.AddDate(0, 0, -365), b.start))
		},
		func() error { return onlyErr(b.store.NetworkHours(ctx, b.start.AddDate(0, 0, -30), b.start)) },
		func() error { return onlyErr(b.store.Heartbeats(ctx, b.busy, b.start.Add(-30*24*time.Hour))) },
		func() error { return onlyErr(b.store.EarningsHistory(ctx, b.busy, nil, 50, 1000)) },
		func() error { return onlyErr(b.store.EarningsPeriod(ctx, b.busy, nil)) },
		func() error { return onlyErr(b.store.CountJobs(ctx, b.busy, "failed")) },
		func() error { return b.fullPage(ctx, db.JobFilter{Sort: db.SortPayment, Ascending: true}) },
		func() error {
			return onlyErr(b.store.FirstUnsorted(ctx, b.busy, db.JobFilter{Sort: db.SortPayment, GPU: "GPU-3"}))
		},
		func() error {
			return onlyErr(b.store.FirstUnsorted(ctx, b.busy, db.JobFilter{Sort: db.SortPayment, Search: "out of memory"}))
		},
	} {
		if err := more(); err != nil {
			return err
		}
	}
	if _, err := b.conn.Exec(ctx, "SET plan_cache_mode = force_custom_plan"); err != nil {
		return err
	}
	b.asked.mu.Lock()
	asked := maps.Clone(b.asked.asked)
	b.asked.mu.Unlock()
	explained, faults := 0, 0
	for _, name := range slices.Sorted(maps.Keys(asked)) {
		var text []byte
		// Settings cannot be explained.
		if err := b.conn.QueryRow(ctx, "EXPLAIN (FORMAT JSON) "+asked[name].SQL, asked[name].Args...).Scan(&text); err != nil {
			continue
		}
		explained++
		var plan []struct{ Plan node }
		if err := json.Unmarshal(text, &plan); err != nil {
			return err
		}
		for _, table := range plan[0].Plan.scanned() {
			var rows float64
			if err := b.conn.QueryRow(ctx, "SELECT reltuples FROM pg_class WHERE relname = $1", table).Scan(&rows); err != nil {
				return err
			}
			if rows > bigTable {
				faults++
				log.Printf("%s reads all of %s, %.0f rows:\n%s", name, table, rows, text)
			}
		}
	}
	row(fmt.Sprintf("plans of %d queries", explained), fmt.Sprintf("%d read a table of more than %s rows from end to end", faults, count(bigTable)), "", "", "0")
	if faults > 0 {
		return fmt.Errorf("%d plans read big tables from end to end", faults)
	}
	return nil
}

// node is a step of a plan.
type node struct {
	Type     string `json:"Node Type"`
	Relation string `json:"Relation Name"`
	Plans    []node
}

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
