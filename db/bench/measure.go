package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// bench is a generated database while it is measured.
type bench struct {
	conn  *pgx.Conn
	store *db.Store
	url   string
	asked *questions // of the store
	busy  validator.Address
	few   validator.Address
	start time.Time
}

func measure(ctx context.Context, conn *pgx.Conn, url string, s scale, program string) error {
	asked := &questions{asked: map[string]pgx.TraceQueryStartData{}}
	store, err := db.Open(ctx, db.Config{URL: url, Tracer: asked, HeartbeatRetention: time.Duration(s.rawDays+7) * 24 * time.Hour})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	ran := make(chan error, 2)
	go func() { ran <- store.Run(ctx) }()
	go func() { ran <- store.RunPeriodicJobs(ctx, store.PeriodicJobs()...) }()
	defer func() {
		stop()
		if err := errors.Join(<-ran, <-ran, store.Close()); err != nil {
			log.Print(err)
		}
	}()
	if err := store.WaitReady(ctx); err != nil {
		return err
	}
	if err := folded(ctx, conn); err != nil {
		return err
	}
	b := &bench{conn: conn, store: store, url: url, asked: asked, busy: busyWorker, few: fewWorker, start: time.Now()}
	if err := b.describe(ctx, s); err != nil {
		return err
	}
	for _, part := range []func(context.Context) error{
		b.totals, b.pages, b.sortedPages, b.payments, b.uptime, func(ctx context.Context) error { return b.throughServer(ctx, program) }, b.plans, b.check,
	} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	log.Printf("measured in %s", time.Since(b.start).Round(time.Second))
	return nil
}

// folded waits until what an earlier run left is folded.
func folded(ctx context.Context, conn *pgx.Conn) error {
	for waiting := true; waiting; time.Sleep(100 * time.Millisecond) {
		err := conn.QueryRow(ctx, "SELECT EXISTS (SELECT FROM job_totals WHERE NOT folded) OR EXISTS (SELECT FROM heartbeat_changes) OR EXISTS (SELECT FROM payment_changes)").Scan(&waiting)
		if err != nil {
			return err
		}
	}
	return nil
}

// table takes what is measured, as Markdown.
var table = log.New(os.Stdout, "", 0)

// describe tells what is measured, and where.
func (b *bench) describe(ctx context.Context, s scale) error {
	var version, size string
	var jobs, busy, few, beats, hours int64
	err := b.conn.QueryRow(ctx, `SELECT current_setting('server_version'), pg_size_pretty(pg_database_size(current_database())),
		(SELECT sum(jobs) FROM job_totals), (SELECT sum(jobs) FROM job_totals WHERE worker_address = $1), (SELECT sum(jobs) FROM job_totals WHERE worker_address = $2),
		(SELECT sum(reltuples)::bigint FROM pg_class WHERE relname ~ '^heartbeats_([0-9]{8}|other)$' AND reltuples > 0),
		(SELECT reltuples::bigint FROM pg_class WHERE relname = 'heartbeat_hours')`, string(b.busy), string(b.few)).Scan(&version, &size, &jobs, &busy, &few, &beats, &hours)
	if err != nil {
		return err
	}
	table.Printf("%s jobs, %s of them the busy worker's and %s those of the worker with few; %s single heartbeats (%d days), %s hours of heartbeats (%d days, %d workers). PostgreSQL %s, %s, %d CPUs.\n\n",
		count(jobs), count(busy), count(few), count(beats), s.rawDays, count(hours), s.rollUpDays, s.workers, version, size, runtime.NumCPU())
	table.Print("| figure | measured | reference | ratio | target |\n|---|---:|---:|---:|---|")
	return nil
}

func row(figure, measured, reference, ratio, target string) {
	table.Printf("| %s | %s | %s | %s | %s |", figure, measured, reference, ratio, target)
}

// count writes a whole number with its thousands apart.
func count(n int64) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

func millis(d time.Duration) string { return fmt.Sprintf("%.2f ms", d.Seconds()*1000) }

// median is the middle of some runs; the first one, which fills the caches, does not count.
func median(runs int, do func() error) (time.Duration, error) {
	times := make([]time.Duration, 0, runs)
	for i := range runs + 1 {
		start := time.Now()
		if err := do(); err != nil {
			return 0, err
		}
		if i > 0 {
			times = append(times, time.Since(start))
		}
	}
	slices.Sort(times)
	return times[len(times)/2], nil
}

// alternating measures two quick things in turns, so that both see the same machine.
func alternating(a, b func() error) (timeA, timeB time.Duration, err error) {
	var timesA, timesB []time.Duration
	for range quick + 1 {
		start := time.Now()
		if err := a(); err != nil {
			return 0, 0, err
		}
		middle := time.Now()
		if err := b(); err != nil {
			return 0, 0, err
		}
		timesA, timesB = append(timesA, middle.Sub(start)), append(timesB, time.Since(middle))
	}
	timesA, timesB = timesA[1:], timesB[1:] // the first fills the caches
	slices.Sort(timesA)
	slices.Sort(timesB)
	return timesA[quick/2], timesB[quick/2], nil
}

const (
	quick = 101 // runs of what takes milliseconds
	slow  = 3   // of what takes seconds
)

// totals compares what is kept with counting, and with the same for few jobs.
func (b *bench) totals(ctx context.Context) error {
	now := time.Now()
	for _, f := range []struct {
		name, sql string
		ask       func(validator.Address) error
		target    string // beside few jobs
	}{
		{"job totals, the last 24 hours and 7 days", `SELECT count(*), count(*) FILTER (WHERE status = 'completed'), count(*) FILTER (WHERE status IN ('failed', 'timeout')),
			count(*) FILTER (WHERE status IN ('assigned', 'running')), count(*) FILTER (WHERE created_at > now() - interval '1 day'), count(*) FILTER (WHERE created_at > now() - interval '7 days')
			FROM jobs WHERE worker_address = $1`,
			func(w validator.Address) error { _, err := b.store.JobCounts(ctx, w, now); return err }, "at most 1.5"},
		{"earnings: all, 24 hours, 7 and 30 days", `SELECT sum(payment_amount), sum(payment_amount) FILTER (WHERE completed_at > now() - interval '1 day'), sum(payment_amount) FILTER (WHERE completed_at > now() - interval '7 days'),
			sum(payment_amount) FILTER (WHERE completed_at > now() - interval '30 days') FROM jobs WHERE worker_address = $1 AND status = 'completed'`,
			func(w validator.Address) error { _, err := b.store.Earnings(ctx, w, now); return err }, "at most 1.5"},
		{"the earnings page: a year", `SELECT date_trunc('day', COALESCE(completed_at, created_at), 'UTC'), sum(payment_amount), count(*), sum(execution_time_ms) FROM jobs
			WHERE worker_address = $1 AND status = 'completed' AND COALESCE(completed_at, created_at) > now() - interval '1 year' GROUP BY 1`,
			func(w validator.Address) error { return b.earningsPage(ctx, w, now.AddDate(-1, 0, 0), now) }, ""},
		{"the earnings page: all", `SELECT date_trunc('day', COALESCE(completed_at, created_at), 'UTC'), sum(payment_amount), count(*), sum(execution_time_ms) FROM jobs
			WHERE worker_address = $1 AND status = 'completed' GROUP BY 1`,
			func(w validator.Address) error { return b.earningsPage(ctx, w, now.AddDate(-3, 0, 0), now) }, ""},
	} {
		kept, few, err := alternating(func() error { return f.ask(b.busy) }, func() error { return f.ask(b.few) })
		if err != nil {
			return err
		}
		counted, err := median(slow, func() error { return onlyErr(b.conn.Exec(ctx, f.sql, string(b.busy))) })
		if err != nil {
			return err
		}
		row(f.name, millis(kept), "counting rows with FILTER: "+millis(counted), fmt.Sprintf("%.0f times faster", counted.Seconds()/kept.Seconds()), "at least 300")
		row(f.name, millis(kept), "the same at 10,000 jobs: "+millis(few), fmt.Sprintf("%.2f times", kept.Seconds()/few.Seconds()), f.target)
	}
	network, err := median(quick, func() error {
		_, err := b.store.NetworkCounts(ctx, validator.HeartbeatInterval(1).GoneAfter(), now)
		return err
	})
	if err != nil {
		return err
	}
	counted, err := median(slow, func() error {
		return onlyErr(b.conn.Exec(ctx, `SELECT count(*) FILTER (WHERE status = 'completed'), count(DISTINCT worker_address), sum(execution_time_ms) FILTER (WHERE status = 'completed') FROM jobs`))
	})
	if err != nil {
		return err
	}
	row("the network's figures", millis(network), "counting rows: "+millis(counted), fmt.Sprintf("%.0f times faster", counted.Seconds()/network.Seconds()), "")
	return nil
}

// earningsPage asks what the earnings page does for a range: its sums, and a page of its list.
func (b *bench) earningsPage(ctx context.Context, worker validator.Address, first, last time.Time) error {
	const pageSize = 51
	_, _, err := b.store.EarningDays(ctx, worker, first, last)
	return errors.Join(err, onlyErr(b.store.JobTime(ctx, worker, first, last)), onlyErr(b.store.MeasuredEnergy(ctx, worker, first, last)),
		onlyErr(b.store.EarningsPage(ctx, worker, db.EarningFilter{From: validator.DayOf(first), Limit: pageSize})))
}

// pages compares a page at any depth with the first.
func (b *bench) pages(ctx context.Context) error {
	const pageSize = 51
	for _, f := range []struct {
		name string
		db.JobFilter
	}{
		{"a page of all jobs", db.JobFilter{}},
		{"a page of failed jobs", db.JobFilter{Status: validator.JobFailed}},
		{"a page of one type", db.JobFilter{Type: "training"}},
		{"a page of one GPU", db.JobFilter{GPU: "GPU-3"}},
		{"a page of a search in errors", db.JobFilter{Search: "out of memory"}},
	} {
		for _, depth := range []int{10, 50, 99} {
			first, deep := f.JobFilter, f.JobFilter
			first.Limit, deep.Limit = pageSize, pageSize
			deep.Before = db.JobCursor{CreatedAt: b.start.Add(-time.Duration(depth) * 365 * 24 * time.Hour / 100), ID: "5"}
			at, top, err := alternating(func() error { return b.fullPage(ctx, deep) }, func() error { return b.fullPage(ctx, first) })
			if err != nil {
				return err
			}
			row(fmt.Sprintf("%s, %d %% down", f.name, depth), millis(at), "its first page: "+millis(top), fmt.Sprintf("%.2f times", at.Seconds()/top.Seconds()), "at most 2")
		}
	}
	return nil
}

// sortedPages compares a page by reward or duration at any depth with the first, of all jobs
// and under the filters that are served otherwise: of one GPU the newest jobs are sorted.
func (b *bench) sortedPages(ctx context.Context) error {
	const pageSize = 51
	for _, f := range []struct {
		name string
		db.JobFilter
	}{
		{"a page of all jobs by reward", db.JobFilter{Sort: db.SortPayment}},
		{"a page of all jobs by duration, the shortest first", db.JobFilter{Sort: db.SortDuration, Ascending: true}},
		{"a page of failed jobs by duration", db.JobFilter{Sort: db.SortDuration, Status: validator.JobFailed}},
		{"a page of one type by reward", db.JobFilter{Sort: db.SortPayment, Type: "training"}},
		{"a page of one GPU by reward", db.JobFilter{Sort: db.SortPayment, GPU: "GPU-3"}},
		{"a page of one GPU's errors by duration", db.JobFilter{Sort: db.SortDuration, GPU: "GPU-3", Search: "out of memory"}},
		{"a page of a month by reward", db.JobFilter{Sort: db.SortPayment, From: b.start.AddDate(0, 0, -60), To: b.start.AddDate(0, 0, -30)}},
	} {
		for _, depth := range []int{10, 50, 99} {
			first, deep := f.JobFilter, f.JobFilter
			first.Limit, deep.Limit = pageSize, pageSize
			var err error
			if deep.Before, err = b.depth(ctx, f.JobFilter, depth); err != nil {
				return err
			}
			at, top, err := alternating(func() error { return b.fullPage(ctx, deep) }, func() error { return b.fullPage(ctx, first) })
			if err != nil {
				return err
			}
			row(fmt.Sprintf("%s, %d %% down", f.name, depth), millis(at), "its first page: "+millis(top), fmt.Sprintf("%.2f times", at.Seconds()/top.Seconds()), "at most 2")
		}
	}
	return nil
}

// depth is the place that some percent of a list by reward or duration stand above, counted
// in the newest jobs.
func (b *bench) depth(ctx context.Context, f db.JobFilter, percent int) (db.JobCursor, error) {
	var c db.JobCursor
	value, order := "payment_amount", "DESC"
	if f.Sort == db.SortDuration {
		value = "job_duration_ms(execution_time_ms, assigned_at, completed_at)"
	}
	if f.Ascending {
		order = "ASC"
	}
	var text string
	err := b.conn.QueryRow(ctx, fmt.Sprintf(`WITH newest AS (
			SELECT job_id, %[1]s AS value FROM jobs WHERE worker_address = $1 AND ($2 = '' OR status = $2) AND ($3 = '' OR job_type = $3) AND ($4 = '' OR gpu_uuid = $4)
			  AND ($5 = '' OR error_message ILIKE '%%' || $5 || '%%') AND ($6::timestamptz IS NULL OR created_at >= $6) AND ($7::timestamptz IS NULL OR created_at < $7)
			ORDER BY created_at DESC LIMIT %[3]d)
		SELECT COALESCE(value::text, ''), job_id FROM newest ORDER BY value %[2]s NULLS LAST, job_id %[2]s OFFSET (SELECT count(*) * $8 / 100 FROM newest) LIMIT 1`, value, order, db.MaxSorted),
		string(b.busy), string(f.Status), f.Type, f.GPU, f.Search, timeOrNil(f.From), timeOrNil(f.To), percent).Scan(&text, &c.ID)
	if f.Sort == db.SortDuration {
		c.Duration = text
	} else {
		c.Payment = text
	}
	return c, err
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// fullPage reads a page, on which there must be jobs.
func (b *bench) fullPage(ctx context.Context, f db.JobFilter) error {
	jobs, err := b.store.Jobs(ctx, b.busy, f)
	if err == nil && len(jobs) == 0 {
		err = fmt.Errorf("a page of %+v is empty", f)
	}
	return err
}

// uptime compares a year of it with counting the minutes of the days whose heartbeats are there.
func (b *bench) uptime(ctx context.Context) error {
	kept, err := median(quick, func() error { return onlyErr(b.store.UptimeHistory(ctx, b.busy, 1, b.start)) })
	if err != nil {
		return err
	}
	counted, err := median(slow, func() error {
		return onlyErr(b.conn.Exec(ctx, `SELECT count(DISTINCT date_trunc('minute', heartbeat_time)) FROM heartbeats WHERE worker_address = $1`, string(b.busy)))
	})
	if err != nil {
		return err
	}
	row("uptime: 30 days by minute, a year by day", millis(kept), "counting a week of single heartbeats: "+millis(counted), "", "")
	return nil
}

// check counts all rows again.
func (b *bench) check(ctx context.Context) error {
	start := time.Now()
	found, err := b.store.CheckTotals(ctx)
	if err != nil {
		return err
	}
	row("what is kept against all rows, counted again in "+time.Since(start).Round(time.Second).String(), fmt.Sprintf("%d differences", len(found)), "", "", "0")
	if len(found) > 0 {
		return fmt.Errorf("%d sums differ from the rows that they sum up, such as %s", len(found), found[0])
	}
	return nil
}

func onlyErr[T any](_ T, err error) error { return err }
