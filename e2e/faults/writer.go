//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strconv"
	"sync"
	"time"
)

// row is one row that a report makes: a job by its id, a heartbeat or a sample by its time.
type row struct {
	table string // jobs, heartbeats or gpu_samples
	id    string // of a job; unix seconds of a heartbeat; GPU@seconds of a sample
}

// tally is what the writers saw during one fault.
type tally struct {
	acknowledged map[row]int    // rows whose report was answered 200, and how often
	open         int            // rows of reports that were given up without an answer that says they are stored
	answers      map[int]int    // by status; 0 is no answer
	refusals     []string       // what answers of 4xx say, 429 aside
	bare503      int            // answers 503 or 429 that name no time to wait
	last503      string         // what the newest 503 says
	slowest      time.Duration  // from a request to its answer
	added        map[string]int // rows that answers call new, by table
}

func newTally() tally {
	return tally{acknowledged: map[row]int{}, answers: map[int]int{}, added: map[string]int{}}
}

// writer posts reports of a worker as hosts do: single ones and lists, each again and again
// until it is answered 200. Every row has a key of its own.
type writer struct {
	urls   []string // of replicas: the next is tried when one does not answer
	worker string
	lane   string // begins every job's id
	client *http.Client

	mu      sync.Mutex
	seq     int
	tally   tally
	last    ingestAnswer
	target  int
	paused  bool
	resume  *sync.Cond
	working int
}

// ingestAnswer is the newest answer to a report.
type ingestAnswer struct {
	at     time.Time
	status int // 0: none came
}

const (
	writers     = 2
	writePause  = 150 * time.Millisecond // of each writer between two reports
	writeBound  = 20 * time.Second       // of one request
	longestWait = 5 * time.Second        // that a writer waits at a server's wish
	drainBound  = 45 * time.Second       // for all reports to be answered at last
)

// seqSpan is how far back the first heartbeat lies, in seconds: one second for each report.
const seqSpan = 20 * 3600

func newWriter(lane, worker string, urls ...string) *writer {
	w := &writer{
		urls: urls, worker: worker, lane: lane, tally: newTally(),
		client: &http.Client{Timeout: writeBound, Transport: &http.Transport{MaxIdleConnsPerHost: writers}},
	}
	w.resume = sync.NewCond(&w.mu)
	return w
}

// run writes until ctx ends.
func (w *writer) run(ctx context.Context) {
	base := time.Now().Add(-seqSpan * time.Second).Unix()
	stop := context.AfterFunc(ctx, func() { w.mu.Lock(); defer w.mu.Unlock(); w.resume.Broadcast() })
	defer stop()
	var all sync.WaitGroup
	for range writers {
		all.Go(func() {
			for ctx.Err() == nil {
				n, ok := w.next(ctx)
				if !ok {
					return
				}
				w.deliver(ctx, w.report(n, base))
				w.finished()
				sleep(ctx, writePause)
			}
		})
	}
	all.Wait()
}

func (w *writer) next(ctx context.Context) (int, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.paused && ctx.Err() == nil {
		w.resume.Wait()
	}
	if ctx.Err() != nil {
		return 0, false
	}
	w.working++
	w.seq++
	return w.seq, true
}

func (w *writer) finished() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.working--
	w.resume.Broadcast()
}

// begin forgets what was seen before: a fault begins.
func (w *writer) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tally = newTally()
	w.paused = false
	w.resume.Broadcast()
}

// prefer makes a replica the one that is written to as long as it answers.
func (w *writer) prefer(replica int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.target = replica
}

// drain lets no new report begin, waits until those that have begun are answered, and
// returns what was seen.
func (w *writer) drain(ctx context.Context) tally {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.paused = true
	deadline := time.AfterFunc(drainBound, func() { w.mu.Lock(); defer w.mu.Unlock(); w.resume.Broadcast() })
	defer deadline.Stop()
	end := time.Now().Add(drainBound)
	for w.working > 0 && time.Now().Before(end) && ctx.Err() == nil {
		w.resume.Wait()
	}
	return w.tally
}

// seen returns the answers so far and the newest.
func (w *writer) seen() (map[int]int, ingestAnswer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return maps.Clone(w.tally.answers), w.last
}

// report is one request with the rows that it makes.
type report struct {
	path string
	body []byte
	rows []row
}

const listLength = 5

// report builds the report of a number. Its kind goes by the number, and so do its keys.
func (w *writer) report(n int, base int64) report {
	at := base + int64(n)*listLength // a list's heartbeats have the seconds up to the next number's
	beat := func(i int64) map[string]any {
		return map[string]any{"worker_address": w.worker, "worker_id": "rig-" + w.lane, "heartbeat_time": at + i, "gpu_count": 2, "jobs_in_progress": 1}
	}
	job := func(i int) map[string]any {
		return map[string]any{
			"job_id": w.jobID(n, i), "worker_address": w.worker, "job_type": "proof", "status": "completed", "payment_amount": "1000000000000000000",
			"created_at": at, "assigned_at": at + 1, "completed_at": at + 4, "execution_time_ms": 2000,
		}
	}
	var r report
	var body any
	switch n % 5 {
	case 0:
		r.path, body = "/api/worker/heartbeat", beat(0)
		r.rows = []row{{"heartbeats", strconv.FormatInt(at, 10)}}
	case 1:
		r.path = "/api/worker/heartbeats"
		list := make([]any, listLength)
		for i := range list {
			list[i] = beat(int64(i))
			r.rows = append(r.rows, row{"heartbeats", strconv.FormatInt(at+int64(i), 10)})
		}
		body = map[string]any{"heartbeats": list}
	case 2:
		r.path = "/api/worker/gpu-metrics"
		var gpus []any
		for i := range 2 {
			uuid := fmt.Sprintf("GPU-%s-%d", w.lane, i)
			gpus = append(gpus, map[string]any{"index": i, "uuid": uuid, "name": "NVIDIA H100 80GB HBM3", "compute_utilization": 60, "temperature_celsius": 55, "power_watts": 300})
			r.rows = append(r.rows, row{"gpu_samples", fmt.Sprintf("%s@%d", uuid, at)})
		}
		body = map[string]any{"worker_address": w.worker, "worker_id": "rig-" + w.lane, "sampled_at": at, "gpus": gpus}
	default:
		r.path = "/api/jobs"
		list := make([]any, 1+(n%5-3)*(listLength-1))
		for i := range list {
			list[i] = job(i)
			r.rows = append(r.rows, row{"jobs", w.jobID(n, i)})
		}
		body = map[string]any{"jobs": list}
	}
	r.body, _ = json.Marshal(body) //nolint:errchkjson // maps of numbers and texts
	return r
}

func (w *writer) jobID(n, i int) string { return fmt.Sprintf("%s-%d-%d", w.lane, n, i) }

// deliver sends a report until it is stored or refused.
func (w *writer) deliver(ctx context.Context, r report) {
	for try := 0; ctx.Err() == nil; try++ {
		wait, done := w.send(ctx, r)
		if done {
			return
		}
		sleep(ctx, max(wait, min(100*time.Millisecond<<min(try, 4), time.Second)))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tally.open += len(r.rows)
}

// send posts a report once; wait is how long the server asks to be left alone.
func (w *writer) send(ctx context.Context, r report) (wait time.Duration, done bool) {
	w.mu.Lock()
	url := w.urls[w.target%len(w.urls)]
	w.mu.Unlock()
	start := time.Now()
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, url+r.path, bytes.NewReader(r.body))
	if err != nil {
		return 0, true
	}
	q.Header.Set("Content-Type", "application/json")
	answer, err := w.client.Do(q)
	code, said := 0, []byte(nil)
	if err == nil {
		code = answer.StatusCode
		said, err = io.ReadAll(io.LimitReader(answer.Body, 64<<10))
		_ = answer.Body.Close()
		if err != nil {
			code = 0 // an answer that was cut off says nothing
		}
	}
	if ctx.Err() != nil {
		return 0, false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tally.answers[code]++
	w.tally.slowest = max(w.tally.slowest, time.Since(start))
	w.last = ingestAnswer{time.Now(), code}
	switch {
	case code == http.StatusOK:
		w.acknowledge(r, said)
		return 0, true
	case code == http.StatusServiceUnavailable, code == http.StatusTooManyRequests:
		seconds, err := strconv.Atoi(answer.Header.Get("Retry-After"))
		if err != nil {
			w.tally.bare503++
		}
		w.tally.last503 = detailOf(said)
		return min(time.Duration(seconds)*time.Second, longestWait), false
	case code >= 400 && code < 500:
		w.tally.refusals = append(w.tally.refusals, fmt.Sprintf("%s %d: %s", r.path, code, detailOf(said)))
		return 0, true
	case code == 0:
		w.target++
	}
	return 0, false
}

// acknowledge notes a report's rows; w.mu is held.
func (w *writer) acknowledge(r report, said []byte) {
	for _, k := range r.rows {
		w.tally.acknowledged[k]++
	}
	var stored struct {
		Added *int `json:"added"`
	}
	if json.Unmarshal(said, &stored) == nil && stored.Added != nil {
		w.tally.added[r.rows[0].table] += *stored.Added
	}
}

// detailOf is what a problem says.
func detailOf(body []byte) string {
	var p struct {
		Detail string `json:"detail"`
	}
	if json.Unmarshal(body, &p) != nil || p.Detail == "" {
		return string(body[:min(len(body), 200)])
	}
	return p.Detail
}

// sleep waits for d, or until ctx ends.
func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	}
}
