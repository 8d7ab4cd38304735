//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"time"
)

// lane is faults that are made one after another on one stage. Lanes run side by side.
type lane struct {
	name   string
	setup  setup
	faults []fault
}

// harness is what all lanes share.
type harness struct {
	dir     string
	program string // the built binary
	binDir  string // of PostgreSQL, "" = searched
	shared  *postgres

	mu     sync.Mutex
	stages int
}

// lanes lists every fault.
func lanes() []lane {
	var all []lane
	for _, family := range [][]lane{gpuLanes(), privateLanes(), externalLanes(), chainLanes(), serverLanes(), clientLanes()} {
		all = append(all, family...)
	}
	return all
}

// matching leaves the faults whose lane, source or name matches.
func matching(all []lane, only *regexp.Regexp) []lane {
	var out []lane
	for _, l := range all {
		var kept []fault
		for _, f := range l.faults {
			if only.MatchString(l.name + " " + f.source + ": " + f.name) {
				kept = append(kept, f)
			}
		}
		if l.faults = kept; len(kept) > 0 {
			out = append(out, l)
		}
	}
	return out
}

// run makes the lane's faults.
func (h *harness) run(ctx context.Context, l lane, done func(outcome)) {
	var s *stage
	defer func() {
		if s != nil {
			h.finish(ctx, l, s, done)
		}
	}()
	for _, f := range l.faults {
		if ctx.Err() != nil {
			return
		}
		if f.needs != nil {
			if why := f.needs(); why != "" {
				done(outcome{lane: l.name, source: f.source, name: f.name, skipped: why})
				continue
			}
		}
		if s == nil {
			var err error
			if s, err = h.open(ctx, l.name, l.setup); err != nil {
				done(outcome{lane: l.name, source: f.source, name: f.name, problems: []string{"the program did not start: " + err.Error()}})
				s = nil
				continue
			}
		}
		o := f.run(ctx, s)
		if ctx.Err() != nil {
			return
		}
		o.lane = l.name
		done(o)
		if f.rebuild || !o.recovered || len(o.problems) > 0 {
			h.finish(ctx, l, s, done)
			s = nil
		}
	}
}

// finish has the program count its rows again, beside the server, and ends a stage.
func (h *harness) finish(ctx context.Context, l lane, s *stage, done func(outcome)) {
	if wrong := s.recount(ctx); wrong != "" {
		done(outcome{lane: l.name, source: "database", name: "the program's own check afterwards", problems: []string{wrong}})
	}
	if err := s.close(); err != nil {
		done(outcome{lane: l.name, source: "server", name: "end the program", problems: []string{err.Error()}})
	}
}

// recount runs the program's own check: all that is kept of rows is counted again, and the
// events are compared with the chain.
func (s *stage) recount(ctx context.Context) string {
	if s.smallData {
		return "" // its file system is gone
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	env, err := s.environment()
	if err != nil {
		return err.Error()
	}
	cmd := exec.CommandContext(ctx, s.h.program, "check")
	cmd.Dir, cmd.Env = s.dir, append([]string{"PATH=/usr/bin:/bin"}, env...)
	if s.names { // which only the stage's own file of hosts knows
		cmd.Env = append(cmd.Env, "STARKNET_RPC="+s.nodeURLs())
	}
	if s.pg != nil {
		cmd.Env = append(cmd.Env, "DATABASE_URL="+s.pg.appURL(s.databaseN, s.pg.address()))
	}
	out, err := cmd.CombinedOutput()
	if err != nil && !errors.Is(ctx.Err(), context.Canceled) {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return fmt.Sprintf("check: %v: %s", err, strings.Join(lines[max(0, len(lines)-3):], " / "))
	}
	return ""
}

// runAll runs the lanes, some at a time.
func (h *harness) runAll(ctx context.Context, all []lane, parallel int) []outcome {
	results := map[string][]outcome{}
	var mu sync.Mutex
	slots := make(chan struct{}, parallel)
	var running sync.WaitGroup
	for _, l := range all {
		running.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			h.run(ctx, l, func(o outcome) {
				mu.Lock()
				defer mu.Unlock()
				results[l.name] = append(results[l.name], o)
				progress(o)
			})
		})
	}
	running.Wait()
	var out []outcome
	for _, l := range all {
		out = append(out, results[l.name]...)
	}
	return out
}

// progress says on the way how a fault went.
func progress(o outcome) {
	switch {
	case o.skipped != "":
		log.Printf("skip  %s: %s: %s", o.lane, o.name, o.skipped)
	case len(o.problems) > 0:
		log.Printf("FAIL  %s: %s: %s", o.lane, o.name, strings.Join(o.problems, "\n      "))
	case o.noticed:
		log.Printf("ok    %s: %s: noticed after %s, well after %s; %d rows", o.lane, o.name, seconds(o.notice), seconds(o.recover), o.acknowledged)
	default:
		log.Printf("ok    %s: %s: nothing was to be seen; %d rows", o.lane, o.name, o.acknowledged)
	}
}
