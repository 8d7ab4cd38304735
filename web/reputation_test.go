package web

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/observe"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const reputationManager = validator.Address("0x00000000000000000000000000000000000000000000000000000000000007e9")

// knownReputation is a chain that knows alice's reputation and nothing else.
type knownReputation struct {
	silentChain

	score   uint32
	workers uint64
}

func (c knownReputation) block() validator.Block {
	return validator.Block{Number: 5_000, Hash: "0x1", Time: time.Now().UTC()}
}

func (c knownReputation) WalletSnapshot(_ context.Context, a validator.Address) validator.ChainSnapshot {
	call := validator.ContractCall{Contract: reputationManager, Function: "get_reputation", Calldata: []validator.Felt{a.Felt()}}
	s := validator.ChainSnapshot{Address: a, State: validator.SourceState{Source: validator.SourceChain, Health: validator.HealthOK, ObservedAt: time.Now()}, Block: c.block()}
	s.Stake.Maybe = validator.None[validator.Stake]("not read here")
	s.Reputation = validator.ChainRead[validator.Reputation]{Call: call, Maybe: validator.Some(validator.Reputation{})}
	if c.score > 0 {
		s.Reputation.Maybe = validator.Some(validator.Reputation{Score: c.score, Level: 4, LastUpdated: time.Now(), TotalJobs: 12, Successful: 11, Failed: 1, Slashes: 1})
	}
	s.ReputationRank.Maybe = validator.Some(uint32(3))
	s.Network.Reputation.Maybe = validator.Some(validator.ReputationNetwork{Workers: c.workers, Average: 640, Highest: 990, Lowest: 12})
	return s
}

// knownIndex has read a contract up to a block.
type knownIndex struct {
	cursor validator.Maybe[validator.IndexCursor]
}

func (knownIndex) IndexLag() validator.Maybe[validator.IndexLag] {
	return validator.None[validator.IndexLag]("not asked here")
}

func (x knownIndex) IndexCursor(validator.Address) validator.Maybe[validator.IndexCursor] {
	return x.cursor
}

// readUpTo is an index that has read from one block to another.
func readUpTo(first, done uint64, at time.Time, start validator.IndexStart) knownIndex {
	return knownIndex{validator.Some(validator.IndexCursor{Contract: reputationManager, Name: "ReputationManager", First: first, Start: start, Done: &validator.Block{Number: done, Hash: "0x1", Time: at}})}
}

// addReputationChange stores a change as the index does.
func addReputationChange(t *testing.T, url string, block int, at time.Time, worker validator.Address, from, to int, reason string, job any) {
	t.Helper()
	dbtest.Exec(t, url, `INSERT INTO reputation_changes (block_number, block_hash, block_time, tx_hash, contract_address, event_index, place, worker_id, old_score, new_score, delta, reason, job_id, changed_at)
		VALUES ($1, '0x' || lpad('1', 64, '0'), $2, '0x' || lpad(to_hex($1::bigint), 64, '0'), $3, 0, 0, $4, $5, $6, $6::bigint - $5::bigint, $7, $8, $2)`,
		block, at, string(reputationManager), string(worker), from, to, reason, job)
}

func TestTheReputationsHistoryComesFromTheIndex(t *testing.T) {
	url := dbtest.NewURL(t)
	now := time.Now().UTC()
	chain := knownReputation{score: 475, workers: 44}
	s := newServer(t, dbtest.Open(t, db.Config{URL: url}), func(c *Config) {
		c.Chain, c.Index = chain, readUpTo(0, 5_000, now, validator.IndexFromDeployment)
	})
	for n := range 60 {
		addReputationChange(t, url, 100+n, now.Add(-time.Duration(70-n)*24*time.Hour), alice, 440+n, 441+n, "job_completed", fmt.Sprint(9000+n))
	}
	addReputationChange(t, url, 4_000, now.Add(-time.Hour), alice, 500, 475, "job_failed", "9999")
	addReputationChange(t, url, 4_001, now.Add(-time.Hour), bob, 1, 2, "worker_slashed", nil)

	page := visit(s, "/stake?wallet="+string(alice)).Body.String()
	for _, want := range []string{"475", "of 44", "A job failed", `title="job_failed"`, "500 → 475", "−25", `/jobs/9999?wallet=`, "640 on average, 12 to 990", "blocks 0 to 5,000", "before=", `class="score-chart"`} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(page, "A slash") {
		t.Error("the page shows another wallet's change")
	}

	var got struct {
		Score    uint32
		RankedOf uint64 `json:"ranked_of"`
		Rank     uint32
		Changes  []struct {
			Block       uint64
			Delta       int64
			Reason      string
			ReasonWords string `json:"reason_words"`
		}
		NextBefore   *string `json:"next_before"`
		IndexedBlock uint64  `json:"indexed_block"`
		ChangesError *string `json:"changes_error"`
	}
	var blocks []uint64
	for path := "/api/validator/reputation?limit=25"; path != ""; {
		w := visit(s, path, "X-Wallet-Address", string(alice), "Accept", "application/json")
		got.NextBefore, got.Changes = nil, nil
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: %d %v %s", path, w.Code, err, w.Body)
		}
		for _, c := range got.Changes {
			blocks = append(blocks, c.Block)
		}
		path = ""
		if got.NextBefore != nil {
			path = "/api/validator/reputation?limit=25&before=" + *got.NextBefore
		}
	}
	if len(blocks) != 61 || blocks[0] != 4_000 || blocks[60] != 100 || got.Score != 475 || got.RankedOf != 44 || got.Rank != 3 || got.IndexedBlock != 5_000 || got.ChangesError != nil {
		t.Errorf("%d changes, %+v", len(blocks), got)
	}
	for _, bad := range []string{"x", "12", "12--1", "-1-0"} {
		if w := visit(s, "/api/validator/reputation?before="+bad, "X-Wallet-Address", string(alice), "Accept", "application/json"); w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "12345-0") {
			t.Errorf("before=%s: %d %s", bad, w.Code, w.Body)
		}
	}
}

func TestAReputationThatIsNotKnownIsNoZero(t *testing.T) {
	now := time.Now().UTC()
	url := dbtest.NewURL(t)
	store := dbtest.Open(t, db.Config{URL: url})
	visited := func(chain observe.ChainReader, index IndexReader) string {
		s := newServer(t, store, func(c *Config) { c.Chain, c.Index = chain, index })
		return visit(s, "/partials/stake-reputation?wallet="+string(alice)).Body.String()
	}
	for _, c := range []struct {
		name  string
		chain observe.ChainReader
		index IndexReader
		want  string
	}{
		{"a worker that the contract does not know", knownReputation{}, readUpTo(0, 5_000, now, validator.IndexFromDeployment), "Never initialised"},
		{"a node that is silent", silentChain{}, nil, "Reputation unknown"},
		{"an index that is behind", knownReputation{score: 500}, readUpTo(0, 4_000, now.Add(-time.Hour), validator.IndexFromDeployment), "Not complete: ReputationManager&#39;s events are read up to block 4,000, 1 h before the newest."},
		{"an index that begins late", knownReputation{score: 500}, readUpTo(1_234, 5_000, now, validator.IndexFromSetting), "INDEX_FROM_BLOCK leaves out what was before block 1,234."},
		{"an index that has read nothing", knownReputation{score: 500}, knownIndex{validator.Some(validator.IndexCursor{})}, "events have not been read yet"},
		{"no index", knownReputation{score: 500}, nil, "this server keeps no index of events"},
	} {
		if page := visited(c.chain, c.index); !strings.Contains(strings.ToLower(page), strings.ToLower(c.want)) {
			t.Errorf("%s: %q is missing in\n%s", c.name, c.want, page)
		}
	}
	addReputationChange(t, url, 100, now.Add(-time.Hour), alice, 500, 475, "some_new_reason", nil)
	page := visited(knownReputation{score: 500}, readUpTo(0, 5_000, now, validator.IndexFromDeployment))
	for _, want := range []string{">some_new_reason<", "The newest change left 475, and the contract says 500"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in\n%s", want, page)
		}
	}
}

func TestAScoreIsDrawnAsSteps(t *testing.T) {
	day := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	c := scoreChart([]validator.ReputationPoint{{At: day, Score: 500}, {At: day.AddDate(0, 0, 5), Score: 610}, {At: day.AddDate(0, 0, 10), Score: 550}})
	if c.Line != "M0 100H300V27H600V67" || c.Low != "500" || c.High != "650" || len(c.Rows) != 3 || c.From != "1 Mar 2026" {
		t.Errorf("%+v", c)
	}
	if scoreChart([]validator.ReputationPoint{{At: day, Score: 500}}) != nil {
		t.Error("a single score is drawn")
	}
	if c := scoreChart([]validator.ReputationPoint{{At: day, Score: 1000}, {At: day.Add(time.Hour), Score: 1000}}); c.High != "1,000" || c.Low != "950" || c.Line != "M0 0H600V0" {
		t.Errorf("the best: %+v", c)
	}
}
