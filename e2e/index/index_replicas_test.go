package index

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/collect"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// TestOfTwoReplicasOneIndexes, the other goes on when it ends, and nothing is there twice.
func TestOfTwoReplicasOneIndexes(t *testing.T) {
	r := newIndexRig(t, 29)
	r.mine(60)
	var at, overlaps atomic.Int64
	var runs [2]atomic.Int64
	serve := func(replica int, store *db.Store) (end func()) {
		x, err := newTestIndexer(r.node.URL(), r.contracts(), store, http.DefaultTransport)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		job := collect.SweepJob(x)
		sweep := job.Do
		job.Every, job.Do = 20*time.Millisecond, func(ctx context.Context) error {
			if at.Add(1) > 1 {
				overlaps.Add(1)
			}
			defer at.Add(-1)
			runs[replica].Add(1)
			return sweep(ctx)
		}
		var wg sync.WaitGroup
		wg.Go(func() {
			if err := store.RunPeriodicJobs(ctx, job); err != nil {
				t.Error(err)
			}
		})
		stop := sync.OnceFunc(func() { cancel(); wg.Wait() })
		t.Cleanup(stop)
		return stop
	}
	endFirst := serve(0, r.store)
	second := dbtest.Open(t, db.Config{URL: r.url})
	serve(1, second)
	atHead := func() {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
			index, err := second.ChainIndex(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if lag, known := index.Lag(r.chain.Head()).Get(); known && lag.Block.Hash == r.chain.Head().Hash {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("the head is never reached: %+v", index)
			}
		}
	}
	for range 10 {
		atHead()
		r.reorg(t)
	}
	atHead()
	r.wantCanonical(t)
	endFirst()
	r.mine(5)
	r.reorg(t)
	atHead()
	r.wantCanonical(t)
	if overlaps.Load() > 0 {
		t.Errorf("%d sweeps ran beside another", overlaps.Load())
	}
	if runs[1].Load() == 0 {
		t.Error("the second replica never did anything")
	}
}

func TestMain(m *testing.M) {
	if given := os.Getenv(indexChild); given != "" {
		fmt.Fprintln(os.Stderr, runIndexChild(given))
		os.Exit(1)
	}
	harness.Main(m)
}

// indexChild names the environment of a process that indexes until it is killed.
const indexChild = "INDEX_TEST_CHILD"

// runIndexChild indexes from a node's URL into a database's, and does not end by itself.
func runIndexChild(given string) error {
	nodeURL, databaseURL, _ := strings.Cut(given, " ")
	store, err := db.Open(context.Background(), db.Config{URL: databaseURL})
	if err != nil {
		return err
	}
	go func() { _ = store.Run(context.Background()) }()
	if err := store.WaitReady(context.Background()); err != nil {
		return err
	}
	k := chain.Contracts(devchain.New(devchain.Config{}).Contracts())
	k.PaymentRouter, k.MiningRewards = router, rewards
	for {
		x, err := newTestIndexer(nodeURL, k, store, http.DefaultTransport)
		if err != nil {
			return err
		}
		if err := x.Sweep(context.Background()); err != nil {
			slog.Warn("sweep", slog.Any("error", err))
		}
		time.Sleep(time.Millisecond)
	}
}

// TestAKilledProcessLosesAndRepeatsNothing: the kernel ends it, at any of its requests.
func TestAKilledProcessLosesAndRepeatsNothing(t *testing.T) {
	r := newIndexRig(t, 31)
	r.mine(120)
	var left atomic.Int64
	var victim atomic.Pointer[os.Process]
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if left.Add(-1) == 0 {
			_ = victim.Load().Kill()
		}
		r.node.ServeHTTP(w, q)
	}))
	t.Cleanup(front.Close)
	const kills = 8
	for n := range kills {
		left.Store(1 << 40)
		c := exec.Command(os.Args[0])
		c.Env = append(os.Environ(), indexChild+"="+front.URL+" "+r.url)
		var said strings.Builder
		c.Stderr = &said
		in, err := c.StdinPipe() // it is gone with this process
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		victim.Store(c.Process)
		left.Store(5 + r.chance.Int64N(60))
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		select {
		case err := <-ended:
			if err == nil || !strings.Contains(err.Error(), "killed") {
				t.Fatalf("it ended by itself: %v\n%s", err, said.String())
			}
		case <-time.After(2 * time.Minute):
			_ = c.Process.Kill()
			t.Fatalf("it asks no node: %s", said.String())
		}
		_ = in.Close()
		if n%2 == 1 {
			r.reorg(t)
		} else {
			r.mine(5)
		}
	}
	if index := r.index(t); len(index.Cursors) == 0 || index.Cursors[0].Done == nil {
		t.Errorf("nothing was indexed before the kills: %+v", index)
	}
	r.finish(t, r.indexer(t))
	r.wantCanonical(t)
}

// TestTheProgramIndexesAndSaysHowFar it is: on the page, in the API and for Prometheus.
func TestTheProgramIndexesAndSaysHowFar(t *testing.T) {
	r := newIndexRig(t, 37)
	for range 30 {
		r.act()
		r.chain.MineAt(r.chain.Head().Time.Add(time.Hour))
	}
	r.chain.Mine()
	k := r.chain.Contracts()
	env := []string{
		"STARKNET_RPC=" + r.node.URL(), "DATABASE_URL=" + r.url, "PROVER_STAKING_ADDRESS=" + string(k.ProverStaking), "REPUTATION_MANAGER_ADDRESS=" + string(k.ReputationManager),
		"SAGE_TOKEN_ADDRESS=" + string(k.SAGEToken), "JOB_MANAGER_ADDRESS=" + string(k.JobManager), "PAYMENT_ROUTER_ADDRESS=" + string(router), "MINING_REWARDS_ADDRESS=" + string(rewards),
	}
	p := harness.Start(t, env...)
	wantLine := func(p *harness.Program, path, line string) {
		t.Helper()
		var body []byte
		for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
			q, err := http.NewRequestWithContext(t.Context(), http.MethodGet, p.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			q.Header.Set("X-Wallet-Address", string(r.workers[0]))
			answer, err := http.DefaultClient.Do(q)
			if err != nil {
				t.Fatal(err)
			}
			body, err = io.ReadAll(answer.Body)
			if err = errors.Join(err, answer.Body.Close()); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(body), line) {
				return
			}
		}
		t.Fatalf("%s never has %q:\n%s\n%s", path, line, body, p.Logged())
	}
	head := r.chain.Head().Number
	wantLine(p, "/metrics", fmt.Sprintf("validator_chain_index_block %d\n", head))
	wantLine(p, "/metrics", "validator_chain_index_lag_blocks 0\n")
	wantLine(p, "/api/network/stats", fmt.Sprintf(`"indexed_block":%d,"index_lag_blocks":0,"index_lag_secs":0`, head))
	wantLine(p, "/?wallet="+string(r.workers[0]), "Events known up to")
	r.wantCanonical(t)

	// Killed and started again, it goes on.
	p.Kill(t)
	r.reorg(t)
	r.chain.Mine()
	p = harness.Start(t, env...)
	wantLine(p, "/metrics", fmt.Sprintf("validator_chain_index_block %d\n", r.chain.Head().Number))
	wantLine(p, "/metrics", "validator_chain_index_reorgs_total 1\n")
	r.wantCanonical(t)
}

func TestHowFarAnIndexIsBehind(t *testing.T) {
	at := func(n uint64) *validator.Block {
		return &validator.Block{Number: n, Hash: small(n), Time: time.Unix(int64(n)*10, 0)}
	}
	cursor := func(done *validator.Block) validator.IndexCursor {
		return validator.IndexCursor{Name: "JobManager", Done: done}
	}
	for name, c := range map[string]struct {
		index validator.ChainIndex
		head  validator.Block
		want  string
	}{
		"nothing yet":            {validator.ChainIndex{}, *at(9), "no events have been read yet"},
		"nothing, with a reason": {validator.ChainIndex{Failure: "The node is down."}, *at(9), "The node is down."},
		"no head":                {validator.ChainIndex{Cursors: []validator.IndexCursor{cursor(at(5))}}, validator.Block{}, "the chain's newest block is not known"},
		"a contract to begin":    {validator.ChainIndex{Cursors: []validator.IndexCursor{cursor(at(5)), cursor(nil)}}, *at(9), "the events of JobManager have not been read yet"},
		"the one behind most":    {validator.ChainIndex{Cursors: []validator.IndexCursor{cursor(at(8)), cursor(at(5))}}, *at(9), "5 of 9: 4 blocks, 40s"},
		"a newer head known":     {validator.ChainIndex{Cursors: []validator.IndexCursor{cursor(at(5))}, Head: at(12)}, *at(9), "5 of 12: 7 blocks, 1m10s"},
		"one that fails":         {validator.ChainIndex{Cursors: []validator.IndexCursor{cursor(at(8))}, Failure: "The node is down."}, *at(9), "8 of 9: 1 blocks, 10s The node is down."},
		"ahead of an old head":   {validator.ChainIndex{Cursors: []validator.IndexCursor{cursor(at(12))}}, *at(9), "12 of 9: 0 blocks, 0s"},
	} {
		lag := c.index.Lag(c.head)
		got := lag.Reason()
		if l, known := lag.Get(); known {
			got = fmt.Sprintf("%d of %d: %d blocks, %s", l.Block.Number, l.Head.Number, l.Blocks, l.Time)
			got = strings.TrimSpace(got + " " + l.Failure)
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}
