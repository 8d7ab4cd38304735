//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func eventFaults() []fault {
	events := func(name string, inject func(*stage)) fault {
		made := borne(name, devchain.Faults{})
		made.inject = func(ctx context.Context, s *stage) error {
			inject(s)
			for range 3 { // something happens meanwhile
				if err := s.succeed(); err != nil {
					return err
				}
				sleep(ctx, 2*time.Second)
			}
			return nil
		}
		made.verify = allEvents
		return made
	}
	faulty := func(f devchain.Faults) func(*stage) { return func(s *stage) { s.node().SetFaults(f) } }
	page := func(change func(*eventPage)) func(*stage) {
		return func(s *stage) { s.front().rewriteAnswers(rewriteEvents(change)) }
	}
	return []fault{
		events("a filter of events may span one block", faulty(devchain.Faults{EventRange: 1})),
		events("a page of events covers two blocks", faulty(devchain.Faults{EventScan: 2})),
		events("events cannot be asked for (method not found)", faulty(devchain.Faults{Methods: map[string]devchain.RPCError{"starknet_getEvents": {Code: -32601, Message: "Method not found"}}})),
		events("events are answered with what is none", faulty(devchain.Faults{Answers: map[string]any{"starknet_getEvents": map[string]any{"events": "many"}}})),
		events("asking for events takes 6 s", faulty(devchain.Faults{Slow: map[string]time.Duration{"starknet_getEvents": 6 * time.Second}})),
		events("every event comes twice", page(func(p *eventPage) {
			var twice []json.RawMessage
			for _, e := range p.Events {
				twice = append(twice, e, e)
			}
			p.Events = twice
		})),
		events("the first event of every page is left out", page(func(p *eventPage) { p.Events = p.Events[min(1, len(p.Events)):] })),
		events("the events of the newest block come at the next asking only", func(s *stage) { s.front().rewriteAnswers(lateEvents(s)) }),
	}
}

// succeed has the network record a job of the wallet, in the next block.
func (s *stage) succeed() error {
	s.jobs++
	job, err := validator.ParseFelt(fmt.Sprintf("%#x", s.jobs))
	if err != nil {
		return fmt.Errorf("number a job: %w", err)
	}
	s.chain.Succeed(wallet, job)
	return nil
}

// eventPage is an answer of starknet_getEvents.
type eventPage struct {
	Events []json.RawMessage `json:"events"`
	Token  string            `json:"continuation_token,omitempty"`
}

// rewriteEvents changes pages of events.
func rewriteEvents(change func(*eventPage)) func(string, json.RawMessage) json.RawMessage {
	return func(method string, answer json.RawMessage) json.RawMessage {
		var p eventPage
		if method != "starknet_getEvents" || json.Unmarshal(answer, &p) != nil {
			return answer
		}
		change(&p)
		if p.Events == nil {
			p.Events = []json.RawMessage{}
		}
		b, err := json.Marshal(p)
		if err != nil {
			return answer
		}
		return b
	}
}

// lateEvents leaves out the events of a block for the first second after it was made.
func lateEvents(s *stage) func(string, json.RawMessage) json.RawMessage {
	return rewriteEvents(func(p *eventPage) {
		head := s.chain.Head()
		if time.Since(head.Time) > 1500*time.Millisecond {
			return
		}
		var kept []json.RawMessage
		for _, e := range p.Events {
			var at struct {
				Block uint64 `json:"block_number"`
			}
			if json.Unmarshal(e, &at) != nil || at.Block != head.Number {
				kept = append(kept, e)
			}
		}
		p.Events = kept
	})
}

// allEvents says what is wrong if the database does not come to hold every event of the
// contracts once.
func allEvents(ctx context.Context, s *stage) string {
	at, err := s.adminURL()
	if err != nil {
		return err.Error()
	}
	conn, err := pgx.Connect(ctx, at)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	k := s.chain.Contracts()
	emitted, head := 0, s.chain.Head().Number
	for _, e := range s.chain.Emitted() {
		if e.Block.Number <= head && (e.From == k.ProverStaking || e.From == k.ReputationManager || e.From == k.JobManager) {
			emitted++
		}
	}
	var stored int
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end) && ctx.Err() == nil; sleep(ctx, 500*time.Millisecond) {
		err = conn.QueryRow(ctx, "SELECT count(*) FROM chain_events WHERE block_number <= $1", head).Scan(&stored)
		if err == nil && stored == emitted {
			return ""
		}
	}
	return fmt.Sprintf("90 s later %d events are stored, and the chain has %d (%v)", stored, emitted, err)
}
