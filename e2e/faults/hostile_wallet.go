//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// hostileWallet is a wallet that searches, lists and exports all it can at once, beside one whose
// requests must be answered; it says how much longer those take.
func hostileWallet() fault {
	const hostile, quiet = validator.Address("0x0000000000000000000000000000000000000000000000000000000000000bad"), validator.Address("0x000000000000000000000000000000000000000000000000000000000000900d")
	said := ""
	f := fault{name: "a wallet that searches, lists and exports all it can", source: "client", hold: time.Second, may: allowance{slow: true}}
	f.inject = func(ctx context.Context, s *stage) error {
		its, other, err := s.twoTokens(ctx, hostile, quiet)
		if err != nil {
			return err
		}
		base := s.program().url
		for n := range 8 {
			if _, err := ask(ctx, http.MethodPost, base+"/api/jobs", "", longFailures(hostile, n)); err != nil {
				return err
			}
		}
		calm, err := latency(ctx, base, other)
		if err != nil {
			return err
		}
		attacking, end := context.WithCancel(ctx)
		var all sync.WaitGroup
		for n := range 24 {
			all.Go(func() {
				for i := 0; attacking.Err() == nil; i++ {
					path := []string{fmt.Sprintf("/jobs?q=%d-%d", n, i), fmt.Sprintf("/jobs?to=2100-01-%02d&type=proof", i%28+1), "/jobs/export?format=csv", "/api/jobs/recent?limit=500"}[n%4]
					if _, err := ask(attacking, http.MethodGet, base+path, its, ""); err != nil {
						sleep(attacking, refusedPause)
					}
				}
			})
		}
		beside, err := latency(ctx, base, other)
		end()
		all.Wait()
		said = fmt.Sprintf("another wallet's requests took %s, and %s beside it (%.1f times; the goal is 1.5)",
			calm.Round(100*time.Microsecond), beside.Round(100*time.Microsecond), float64(beside)/float64(calm))
		return err
	}
	f.says = func(s *stage) string { return said + ", peak of memory " + procStatus(s.program().pid(), "VmHWM") }
	return f
}

// refusedPause keeps refused requests of all attackers below what one address may send: from this
// machine, more would be allowed, and be the quiet wallet's, too.
const refusedPause = 400 * time.Millisecond

var tokenSecret = regexp.MustCompile(`bsg_[\w-]+`)

// twoTokens makes a token for each of two wallets by the program's own command.
func (s *stage) twoTokens(ctx context.Context, a, b validator.Address) (ofA, ofB string, err error) {
	p := s.program()
	for into, wallet := range map[*string]validator.Address{&ofA: a, &ofB: b} {
		cmd := exec.CommandContext(ctx, p.path, "token", "create", "-name", "faults", "-wallet", string(wallet))
		cmd.Dir, cmd.Env = p.dir, p.env
		out, err := cmd.CombinedOutput()
		if *into = tokenSecret.FindString(string(out)); err != nil || *into == "" {
			return "", "", fmt.Errorf("make a token: %w: %s", err, out)
		}
	}
	return ofA, ofB, nil
}

// longFailures is a report of failed jobs with 9 KB of text each.
func longFailures(worker validator.Address, n int) string {
	rows := make([]string, 300)
	for i := range rows {
		rows[i] = fmt.Sprintf(`{"job_id":"bad-%d-%d","worker_address":%q,"job_type":"proof","status":"failed","error_message":%q}`, n, i, worker, strings.Repeat("failed ", 1300))
	}
	return `{"jobs":[` + strings.Join(rows, ",") + `]}`
}

var errNotAnswered = errors.New("a request was not answered as it should be")

// ask sends a request, reads its answer and returns how long that took.
func ask(ctx context.Context, method, url, token, body string) (time.Duration, error) {
	begin := time.Now()
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return 0, fmt.Errorf("make a request: %w", err)
	}
	if token != "" {
		r.Header.Set("Authorization", "Bearer "+token)
	}
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, fmt.Errorf("ask: %w", err)
	}
	defer func() { _ = answer.Body.Close() }()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, fmt.Errorf("read an answer: %w", err)
	}
	if answer.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("%w: %s %s: %d %.200s", errNotAnswered, method, url, answer.StatusCode, text)
	}
	return time.Since(begin), nil
}

// latency is the median of what a wallet's pages and API take, all of which must be answered: over
// some seconds, since the server lets a wallet have much of its time for the first two.
func latency(ctx context.Context, base, token string) (time.Duration, error) {
	var took []time.Duration
	for n := range 160 {
		sleep(ctx, 50*time.Millisecond)
		path := []string{"/", "/partials/status", "/jobs", "/api/validator/status"}[n%4]
		d, err := ask(ctx, http.MethodGet, base+path, token, "")
		if err != nil {
			return 0, err
		}
		took = append(took, d)
	}
	slices.Sort(took)
	return took[len(took)/2], nil
}
