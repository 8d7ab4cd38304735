//go:build linux

package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// ledger compares what was acknowledged with what is stored.
type ledger struct {
	acknowledged, stored, lost, doubled int
	examples                            []string // of rows that are lost or doubled
}

// count looks up all rows that were acknowledged.
func count(ctx context.Context, databaseURL string, w *writer, t tally) (ledger, error) {
	conn, err := pgx.Connect(ctx, databaseURL)
	if err != nil {
		return ledger{}, fmt.Errorf("count the rows: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	keys := map[string][]string{}
	for k := range t.acknowledged {
		keys[k.table] = append(keys[k.table], k.id)
	}
	l := ledger{acknowledged: len(t.acknowledged)}
	for table, sql := range map[string]string{
		"jobs": `SELECT job_id, count(*) FROM jobs WHERE worker_address = $1 AND job_id = ANY($3) AND $2 <> '' GROUP BY 1`,
		"heartbeats": `SELECT extract(epoch FROM heartbeat_time)::bigint::text, count(*) FROM heartbeats
			WHERE worker_address = $1 AND worker_id = $2 AND heartbeat_time IN (SELECT to_timestamp(s::bigint) FROM unnest($3::text[]) s) GROUP BY 1`,
		"gpu_samples": `SELECT gpu_uuid || '@' || extract(epoch FROM sampled_at)::bigint, count(*) FROM gpu_samples
			WHERE worker_address = $1 AND worker_id = $2 AND gpu_uuid || '@' || extract(epoch FROM sampled_at)::bigint = ANY($3) GROUP BY 1`,
	} {
		stored := map[string]int{}
		rows, err := conn.Query(ctx, sql, w.worker, "rig-"+w.lane, keys[table])
		if err != nil {
			return l, fmt.Errorf("count the rows of %s: %w", table, err)
		}
		var id string
		var n int
		if _, err := pgx.ForEachRow(rows, []any{&id, &n}, func() error { stored[id] = n; return nil }); err != nil {
			return l, fmt.Errorf("count the rows of %s: %w", table, err)
		}
		l.add(table, keys[table], stored)
	}
	return l, nil
}

func (l *ledger) add(table string, acknowledged []string, stored map[string]int) {
	for _, id := range acknowledged {
		switch n := stored[id]; {
		case n == 0:
			l.lost++
			l.example("lost", table, id)
		case n > 1:
			l.stored++
			l.doubled += n - 1
			l.example("doubled", table, id)
		default:
			l.stored++
		}
	}
}

func (l *ledger) example(what, table, id string) {
	if len(l.examples) < 5 {
		l.examples = append(l.examples, strings.Join([]string{what, table, id}, " "))
	}
}
