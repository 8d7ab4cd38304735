package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// throughServer measures what goes through the built server: exports and reports.
func (b *bench) throughServer(ctx context.Context, program string) (err error) {
	server := exec.CommandContext(ctx, program, "serve")
	server.Env = append(os.Environ(), "DATABASE_URL="+b.url, "LISTEN=127.0.0.1:0", "STARKNET_RPC=http://127.0.0.1:9", "LOG_LEVEL=error")
	server.Cancel = func() error { return server.Process.Signal(syscall.SIGTERM) }
	server.Stderr = os.Stderr
	out, err := server.StdoutPipe()
	if err != nil {
		return err
	}
	if err := server.Start(); err != nil {
		return fmt.Errorf("start the server (build it first: make build): %w", err)
	}
	defer func() {
		_ = server.Process.Signal(syscall.SIGTERM)
		_ = server.Wait()
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("the server did not say that it is ready: %w", err)
	}
	_, address, ready := strings.Cut(strings.TrimSpace(line), "http://")
	if !ready {
		return fmt.Errorf("the server's first line names no address: %s", line)
	}
	return errors.Join(b.export(ctx, "http://"+address, server.Process.Pid), b.ingest(ctx, "http://"+address))
}

var peakLine = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// peakMemory is the most memory that a process ever held, in MiB.
func peakMemory(pid int) (int, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	m := peakLine.FindSubmatch(status)
	if m == nil {
		return 0, errors.New("the kernel does not tell the peak of memory")
	}
	kib, err := strconv.Atoi(string(m[1]))
	return kib / 1024, err
}

// export reads a tenth of the busy worker's year in both formats.
func (b *bench) export(ctx context.Context, origin string, pid int) error {
	before, err := peakMemory(pid)
	if err != nil {
		return err
	}
	from := b.start.AddDate(0, 0, -36).UTC().Format(time.DateOnly)
	for _, format := range []string{"csv", "ndjson"} {
		start := time.Now()
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, fmt.Sprintf("%s/jobs/export?wallet=%s&format=%s&from=%s", origin, b.busy, format, from), nil)
		if err != nil {
			return err
		}
		r.Header.Set("Accept-Encoding", "identity")
		lines, bytes, err := countLines(r)
		if err != nil {
			return err
		}
		took := time.Since(start)
		after, err := peakMemory(pid)
		if err != nil {
			return err
		}
		row("export as "+format, fmt.Sprintf("%s jobs/s", count(int64(float64(lines)/took.Seconds()))), fmt.Sprintf("%s jobs, %d MB", count(lines), bytes/1_000_000), "", "")
		row("the server's peak of memory, "+format, fmt.Sprintf("%d MiB", after), fmt.Sprintf("before it: %d MiB", before), "", "constant")
	}
	return nil
}

func countLines(r *http.Request) (lines, bytes int64, err error) {
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, 0, err
	}
	defer answer.Body.Close() //nolint:errcheck // it was read
	if answer.StatusCode != http.StatusOK {
		return 0, 0, fmt.Errorf("%s answers %s", r.URL.Path, answer.Status)
	}
	buffer := make([]byte, 256<<10)
	for {
		n, err := answer.Body.Read(buffer)
		bytes += int64(n)
		lines += int64(strings.Count(string(buffer[:n]), "\n"))
		if errors.Is(err, io.EOF) {
			return lines, bytes, nil
		}
		if err != nil {
			return lines, bytes, err
		}
	}
}

const (
	ingestJobs    = 60_000
	ingestBatch   = 1000
	ingestClients = 4
)

// benchJob is a job as a coordinator would report it, and as COPY would write it.
func (b *bench) benchJob(set string, n int) map[string]any {
	at := b.start.Add(time.Duration(n) * time.Millisecond)
	return map[string]any{
		"job_id": fmt.Sprintf("bench-%s-%d", set, n), "worker_address": string(b.busy), "client_address": fmt.Sprintf("0x%064x", 4096+n%500), "job_type": []string{"proof", "training", "inference", "render"}[n%4],
		"status": "completed", "payment_amount": fmt.Sprintf("%d000000000000000", n%9999+1), "created_at": at, "assigned_at": at.Add(2 * time.Second), "completed_at": at.Add(time.Minute),
		"execution_time_ms": 58_000, "result_hash": "0x5a1f", "gpu_uuid": fmt.Sprintf("GPU-%d", n%8), "tx_hash": fmt.Sprintf("0x%064x", n+1), "block_number": 2_000_000 + n,
	}
}

// ingest compares reports through the API with COPY into the same table, all of its indexes
// and rules but nothing that counts.
func (b *bench) ingest(ctx context.Context, origin string) error {
	forget := func() error {
		_, err := b.conn.Exec(ctx, "SET statement_timeout = 0; DELETE FROM jobs WHERE worker_address = '"+string(b.busy)+"' AND job_id LIKE 'bench-%'")
		return err
	}
	if err := forget(); err != nil {
		return err
	}
	columns := []string{"job_id", "worker_address", "client_address", "job_type", "status", "payment_amount", "created_at", "assigned_at", "completed_at", "execution_time_ms", "result_hash", "gpu_uuid", "tx_hash", "block_number"}
	if _, err := b.conn.Exec(ctx, "ALTER TABLE jobs DISABLE TRIGGER USER"); err != nil {
		return err
	}
	start := time.Now()
	var copied int64
	_, err := b.conn.CopyFrom(ctx, pgx.Identifier{"jobs"}, columns, pgx.CopyFromSlice(ingestJobs, func(i int) ([]any, error) {
		j := b.benchJob("copied", i)
		row := make([]any, len(columns))
		for n, c := range columns {
			row[n] = j[c]
		}
		copied++
		return row, nil
	}))
	plain := time.Since(start)
	if err == nil {
		// What was not counted must not be discounted either.
		_, err = b.conn.Exec(ctx, "DELETE FROM jobs WHERE worker_address = '"+string(b.busy)+"' AND job_id LIKE 'bench-copied-%'")
	}
	if _, enableErr := b.conn.Exec(ctx, "ALTER TABLE jobs ENABLE TRIGGER USER"); err != nil || enableErr != nil {
		return errors.Join(err, enableErr)
	}
	took, err := b.reportAll(ctx, origin)
	if err != nil {
		return errors.Join(err, forget())
	}
	again, err := b.reportAll(ctx, origin)
	if err != nil {
		return errors.Join(err, forget())
	}
	rate := func(d time.Duration) string {
		return fmt.Sprintf("%s jobs/s", count(int64(ingestJobs/d.Seconds())))
	}
	row(fmt.Sprintf("jobs through the API, %d requests of %s at a time", ingestClients, count(ingestBatch)), rate(took), "plain COPY, nothing counted: "+rate(plain), fmt.Sprintf("%.2f of it", plain.Seconds()/took.Seconds()), "at least 0.25")
	row("the same reports once more, which change nothing", rate(again), "", "", "")
	if err := forget(); err != nil {
		return err
	}
	// The next run finds the database as this one did.
	_, err = b.conn.Exec(ctx, "VACUUM (INDEX_CLEANUP ON) jobs")
	return err
}

// reportAll posts all jobs, in batches.
func (b *bench) reportAll(ctx context.Context, origin string) (time.Duration, error) {
	batches := make(chan string, ingestJobs/ingestBatch)
	for from := 0; from < ingestJobs; from += ingestBatch {
		var list []map[string]any
		for n := from; n < from+ingestBatch; n++ {
			j := b.benchJob("reported", n)
			for _, field := range []string{"created_at", "assigned_at", "completed_at"} {
				if at, is := j[field].(time.Time); is {
					j[field] = float64(at.UnixMicro()) / 1e6
				}
			}
			list = append(list, j)
		}
		body, err := json.Marshal(map[string]any{"jobs": list})
		if err != nil {
			return 0, err
		}
		batches <- string(body)
	}
	close(batches)
	start := time.Now()
	failed := make(chan error, ingestClients)
	var all sync.WaitGroup
	for range ingestClients {
		all.Go(func() {
			for body := range batches {
				if err := report(ctx, origin, body); err != nil {
					failed <- err
					return
				}
			}
		})
	}
	all.Wait()
	took := time.Since(start)
	close(failed)
	return took, <-failed
}

func report(ctx context.Context, origin, body string) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, origin+"/api/jobs", strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return err
	}
	defer answer.Body.Close() //nolint:errcheck // it was read
	text, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode != http.StatusOK {
		err = fmt.Errorf("/api/jobs answers %s: %s", answer.Status, text)
	}
	return err
}
