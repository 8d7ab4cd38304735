package index

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain/testnet"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	router   validator.Address = "0x0000000000000000000000000000000000000000000000000000000000009a1d"
	rewards  validator.Address = "0x0000000000000000000000000000000000000000000000000000000000009a1e"
	stranger validator.Address = "0x0000000000000000000000000000000000000000000000000000000000009a1f"
)

// tracked is a claim that a wallet's page has noted.
type tracked struct {
	wallet validator.Address
	tx     validator.Felt
}

// indexRig is a chain on which much happens, a node of it, and a database.
type indexRig struct {
	chain   *devchain.Chain
	node    *devchain.Node
	url     string // of the database
	store   *db.Store
	bomb    *bomb
	chance  *rand.Rand
	workers []validator.Address
	claims  []validator.Felt // transactions that claim
	tracked map[tracked]bool

	net *testnet.Network // instead of chain and node
}

func newIndexRig(t *testing.T, seed uint64) *indexRig {
	t.Helper()
	r := &indexRig{
		chain: devchain.New(devchain.Config{Genesis: time.Now().Add(-30 * 24 * time.Hour)}),
		url:   dbtest.NewURL(t), bomb: &bomb{}, chance: rand.New(rand.NewPCG(seed, 1)), tracked: make(map[tracked]bool),
	}
	r.store = dbtest.Open(t, db.Config{URL: r.url, Tracer: r.bomb})
	r.node = devchain.NewNode(r.chain)
	if err := r.node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.node.Close() })
	for i := range 5 {
		w := validator.Address(fmt.Sprintf("0x%064x", 0xa0+i))
		r.workers = append(r.workers, w)
		r.chain.SetBalance(w, validator.WeiFromSAGE(900_000))
		r.chain.Stake(w, validator.WeiFromSAGE(1_000), validator.TierConsumer)
		r.chain.IntroduceWorker(w)
	}
	r.chain.Deploy(router)
	r.chain.Deploy(rewards)
	r.chain.Mine()
	return r
}

func (r *indexRig) contracts() chain.Contracts {
	if r.net != nil {
		return chain.Contracts(r.net.Contracts)
	}
	k := chain.Contracts(r.chain.Contracts())
	k.PaymentRouter, k.MiningRewards = router, rewards
	return k
}

// indexer is one as a program that has just started has it.
func (r *indexRig) indexer(t *testing.T, change ...func(*chain.Config, *chain.IndexerConfig)) *chain.Indexer {
	t.Helper()
	x, err := newTestIndexer(r.node.URL(), r.contracts(), r.store, r.bomb, change...)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func newTestIndexer(nodeURL string, k chain.Contracts, store *db.Store, transport http.RoundTripper, change ...func(*chain.Config, *chain.IndexerConfig)) (*chain.Indexer, error) {
	network, err := chain.NetworkByName("sepolia")
	if err != nil {
		return nil, err
	}
	c := chain.Config{
		RPCURLs: []string{nodeURL}, Network: network, Contracts: k, Retries: -1, RetryBackoff: time.Millisecond, BreakerFailures: 1 << 20, BreakerDelay: time.Millisecond,
		CallTimeout: time.Minute, HistoryTimeout: time.Minute, Transport: transport, Log: slog.New(slog.DiscardHandler),
	}
	// Small steps, so that there are many.
	x := chain.IndexerConfig{Store: store, FirstSpan: 4, LargestSpan: 32, MaxEvents: 60, MaxPages: 8, Pause: time.Millisecond}
	for _, f := range change {
		f(&c, &x)
	}
	if x.Client == nil {
		if x.Client, err = chain.New(c); err != nil {
			return nil, err
		}
	}
	return chain.NewIndexer(x)
}

func small(n uint64) validator.Felt { return validator.Felt(fmt.Sprintf("0x%064x", n)) }

// act queues something that a contract tells of.
func (r *indexRig) act() {
	k := r.contracts()
	w := r.workers[r.chance.IntN(len(r.workers))]
	job := small(r.chance.Uint64N(1 << 40))
	jobKeys := func(name string) []validator.Felt {
		return []validator.Felt{chain.Selector(name), job, small(0), w.Felt()}
	}
	switch r.chance.IntN(12) {
	case 0, 1, 2:
		r.claims = append(r.claims, r.chain.ClaimRewards(w))
	case 3:
		r.chain.Stake(w, validator.WeiFromSAGE(int64(1+r.chance.IntN(50))), validator.TierConsumer)
	case 4:
		r.chain.RequestUnstake(w, validator.WeiFromInt(int64(1+r.chance.IntN(1000))))
	case 5:
		r.chain.Slash(w, validator.SlashTimeout, job)
	case 6:
		r.chain.Succeed(w, job)
	case 7:
		r.chain.Fail(w, job)
	case 8:
		r.chain.AdjustReputation(w, int32(r.chance.IntN(100)-50), devchain.ReputationAdmin)
	case 9: // several in one transaction, two of them alike
		r.chain.Emit(
			devchain.Event{From: k.JobManager, Keys: jobKeys("PaymentReleased"), Data: []validator.Felt{small(7), small(1)}},
			devchain.Event{From: router, Keys: jobKeys("WorkerPaid"), Data: []validator.Felt{small(6), small(1), small(1), small(1_760_000_000)}},
			devchain.Event{From: k.JobManager, Keys: jobKeys("PaymentReleased"), Data: []validator.Felt{small(7), small(1)}},
		)
	case 10: // one that nobody knows, one whose felts make no sense, and a stranger's
		r.chain.Emit(
			devchain.Event{From: rewards, Keys: []validator.Felt{small(0xabc)}, Data: []validator.Felt{small(1)}},
			devchain.Event{From: k.ProverStaking, Keys: []validator.Felt{chain.Selector("Staked"), w.Felt()}},
			devchain.Event{From: stranger, Keys: jobKeys("PaymentReleased"), Data: []validator.Felt{small(7), small(1)}},
		)
	case 11:
		r.chain.Emit(devchain.Event{From: k.JobManager, Keys: jobKeys("JobClaimed"), Data: []validator.Felt{small(1_760_000_000)}})
	}
}

// mine lays blocks, some of them empty.
func (r *indexRig) mine(n int) {
	for range n {
		for range r.chance.IntN(4) {
			r.act()
		}
		r.chain.MineAt(r.chain.Head().Time.Add(time.Duration(1+r.chance.IntN(900)) * time.Second))
	}
}

// reorg replaces the newest blocks by as many others, and some more.
func (r *indexRig) reorg(t *testing.T) {
	t.Helper()
	depth := 1 + r.chance.IntN(30)
	if err := r.chain.Reorg(depth); err != nil {
		t.Fatal(err)
	}
	r.mine(depth + r.chance.IntN(5))
}

// track notes a claim as the page of a wallet that sent it does.
func (r *indexRig) track(t *testing.T) {
	t.Helper()
	if len(r.claims) == 0 {
		return
	}
	tx := r.claims[len(r.claims)-1-r.chance.IntN(min(len(r.claims), 12))] // a recent one, which may yet go
	w := r.workers[r.chance.IntN(len(r.workers))]
	for _, e := range r.chain.Emitted() {
		if e.TxHash == tx && e.Keys[0] == chain.Selector("RewardsClaimed") {
			w = validator.Address(e.Keys[1])
		}
	}
	_, err := r.store.SubmitClaim(t.Context(), w, tx, validator.RewardStaking, time.Now())
	for errors.Is(err, db.ErrUnavailable) { // by a connection that was cut before
		_, err = r.store.SubmitClaim(t.Context(), w, tx, validator.RewardStaking, time.Now())
	}
	if errors.Is(err, db.ErrTooManyClaims) {
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	r.tracked[tracked{w, tx}] = true
}

// emitted is every event that the chain has.
func (r *indexRig) emitted(t *testing.T) []devchain.Emitted {
	t.Helper()
	if r.net != nil {
		return r.net.Emitted(t)
	}
	return r.chain.Emitted()
}

func (r *indexRig) head(t *testing.T) validator.Block {
	t.Helper()
	if r.net != nil {
		return r.net.Head(t)
	}
	return r.chain.Head()
}

// finish sweeps until everything is read.
func (r *indexRig) finish(t *testing.T, x *chain.Indexer) {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; {
		if err := x.Sweep(t.Context()); errors.Is(err, db.ErrUnavailable) { // by a connection that was cut before
			continue
		} else if err != nil {
			t.Fatal(err)
		}
		index, err := r.store.ChainIndex(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		lag, known := index.Lag(r.head(t)).Get()
		if known && lag.Blocks == 0 && lag.Block.Hash == r.head(t).Hash {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the index does not come to the head %v: %+v", r.head(t), index)
		}
	}
}

// wantCanonical compares the tables with what the chain has emitted, event by event.
func (r *indexRig) wantCanonical(t *testing.T) {
	t.Helper()
	k := r.contracts()
	indexed := []validator.Address{k.ProverStaking, k.ReputationManager, k.JobManager, router, rewards}
	var want, stakes, payments, scores []string
	claimed := make(map[string]validator.Wei)
	for _, e := range r.emitted(t) {
		if !slices.Contains(indexed, e.From) {
			continue
		}
		at := fmt.Sprintf("%d %s %d %s %s %d %d", e.Block.Number, e.Block.Hash, e.Block.Time.Unix(), e.TxHash, e.From, e.Index, e.TxIndex*4096+e.Index)
		want = append(want, fmt.Sprintf("%s %v %v", at, e.Keys, e.Data))
		if len(e.Data) == 0 {
			continue // the one that makes no sense
		}
		switch name := e.Keys[0]; {
		case e.From == k.ProverStaking && name != chain.Selector("SuccessRecorded"):
			stakes = append(stakes, fmt.Sprintf("%s %s %s", at, e.Keys[1], e.Data[0].Big()))
			if name == chain.Selector("RewardsClaimed") {
				claimed[fmt.Sprintf("%s %s %d", e.Keys[1], e.TxHash, e.Block.Number)] = validator.WeiFromBig(e.Data[0].Big())
			}
		case e.From == k.JobManager && name == chain.Selector("PaymentReleased"), e.From == router:
			payments = append(payments, fmt.Sprintf("%s %s %s", at, e.Keys[1].Big(), e.Keys[3]))
		case name == chain.Selector("ReputationUpdated"):
			scores = append(scores, fmt.Sprintf("%s %s %s %s", at, e.Keys[1], e.Data[0].Big(), e.Data[1].Big()))
		}
	}
	const at = "concat_ws(' ', block_number, block_hash, extract(epoch FROM block_time)::bigint, tx_hash, contract_address, event_index, place)"
	for _, c := range []struct {
		table, columns string
		want           []string
	}{
		{"chain_events", "'[' || array_to_string(keys, ' ') || '] [' || array_to_string(data, ' ') || ']'", want},
		{"stake_events", "worker_address || ' ' || amount", stakes},
		{"chain_payments", "job_id || ' ' || worker_address", payments},
		{"reputation_changes", "worker_id || ' ' || old_score || ' ' || new_score", scores},
	} {
		got := texts(t, r.url, fmt.Sprintf("SELECT %s || ' ' || %s FROM %s", at, c.columns, c.table))
		slices.Sort(got)
		slices.Sort(c.want)
		if len(c.want) == 0 {
			t.Errorf("%s: nothing is compared", c.table)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s has %d rows, the chain %d events; first difference:\n%s", c.table, len(got), len(c.want), firstDifference(got, c.want))
		}
	}
	r.wantClaims(t, claimed)
}

// wantClaims compares the claims with the events: one row for each, and those that were
// tracked and came to nothing are still open.
func (r *indexRig) wantClaims(t *testing.T, claimed map[string]validator.Wei) {
	t.Helper()
	var want []string
	open := maps.Clone(r.tracked)
	for key, amount := range claimed {
		f := strings.Fields(key)
		want = append(want, key+" confirmed "+amount.String())
		delete(open, tracked{validator.Address(f[0]), validator.Felt(f[1])})
	}
	for c := range open {
		want = append(want, fmt.Sprintf("%s %s - submitted -", c.wallet, c.tx))
	}
	got := texts(t, r.url, "SELECT concat_ws(' ', address, tx_hash, COALESCE(block_number::text, '-'), status, COALESCE(amount::text, '-')) FROM reward_claims")
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("reward_claims has %d rows, want %d; first difference:\n%s", len(got), len(want), firstDifference(got, want))
	}
}

func firstDifference(got, want []string) string {
	for i := range max(len(got), len(want)) {
		g, w := "(none)", "(none)"
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			return "got  " + g + "\nwant " + w
		}
	}
	return ""
}

func texts(t *testing.T, url, sql string) []string {
	t.Helper()
	c, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close(context.Background()) }()
	rows, err := c.Query(t.Context(), sql)
	if err != nil {
		t.Fatal(err)
	}
	out, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// bomb ends an indexer at the n-th thing that it does after it was set: before or after a
// statement of the database, by cutting its connection, or a node's answer.
type bomb struct {
	left atomic.Int64
	kill atomic.Pointer[context.CancelFunc]
	each atomic.Pointer[func()] // what happens at every request to a node
}

func (b *bomb) set(n int64, kill context.CancelFunc) {
	b.kill.Store(&kill)
	b.left.Store(n)
}

// tick says whether this is the end.
func (b *bomb) tick() bool {
	if b.left.Add(-1) != 0 {
		return false
	}
	(*b.kill.Load())()
	return true
}

// TraceQueryStart is called before a statement is sent.
func (b *bomb) TraceQueryStart(ctx context.Context, c *pgx.Conn, _ pgx.TraceQueryStartData) context.Context {
	b.cut(c)
	return ctx
}

// TraceQueryEnd is called when a statement has been answered.
func (b *bomb) TraceQueryEnd(_ context.Context, c *pgx.Conn, _ pgx.TraceQueryEndData) { b.cut(c) }

// TraceBatchStart is called before a batch is sent.
func (b *bomb) TraceBatchStart(ctx context.Context, c *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	b.cut(c)
	return ctx
}

// TraceBatchQuery is called at every answer of a batch.
func (b *bomb) TraceBatchQuery(_ context.Context, c *pgx.Conn, _ pgx.TraceBatchQueryData) { b.cut(c) }

// TraceBatchEnd is called after a batch.
func (b *bomb) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func (b *bomb) cut(c *pgx.Conn) {
	if b.tick() {
		_ = c.PgConn().Conn().Close()
	}
}

// RoundTrip asks a node.
func (b *bomb) RoundTrip(q *http.Request) (*http.Response, error) {
	if f := b.each.Load(); f != nil {
		(*f)()
	}
	b.tick()
	return http.DefaultTransport.RoundTrip(q)
}

// TestAnIndexerThatIsKilledAHundredTimesLosesAndRepeatsNothing, while it reads a chain that
// grows and is reorganised meanwhile.
func TestAnIndexerThatIsKilledAHundredTimesLosesAndRepeatsNothing(t *testing.T) {
	seed := uint64(20261124)
	if s := os.Getenv("INDEX_TEST_SEED"); s != "" {
		seed, _ = strconv.ParseUint(s, 10, 64)
	}
	r := newIndexRig(t, seed)
	r.mine(150)
	between := func() {
		switch r.chance.IntN(40) {
		case 0, 1:
			r.reorg(t)
		case 2, 3:
			r.mine(1)
		}
	}
	r.bomb.each.Store(&between)
	killed, reorgs := 0, 0
	for killed < 100 {
		switch r.chance.IntN(5) {
		case 0:
			r.reorg(t)
			reorgs++
		case 1:
			r.mine(r.chance.IntN(8))
		case 2:
			r.track(t)
		case 3:
			r.node.SetFaults(devchain.Faults{EventScan: uint64(r.chance.IntN(8)), EventRange: uint64(r.chance.IntN(3) * 8)})
		}
		ctx, cancel := context.WithCancel(t.Context())
		r.bomb.set(1+r.chance.Int64N(8<<r.chance.IntN(10)), cancel)
		x := r.indexer(t)
		err := x.Sweep(ctx)
		switch {
		case ctx.Err() != nil:
			killed++
		case errors.Is(err, db.ErrUnavailable): // by a connection that was cut before
		case err != nil:
			t.Fatalf("not killed, and yet: %v", err)
		default:
			r.mine(20) // it came to the end: there is to be more to read
		}
		r.bomb.set(1<<60, cancel)
		cancel()
		if err := r.store.WaitReady(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	r.bomb.each.Store(nil)
	r.node.Heal()
	r.finish(t, r.indexer(t))
	r.wantCanonical(t)
	index, err := r.store.ChainIndex(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if index.Reorgs == 0 || reorgs == 0 {
		t.Errorf("%d reorganisations were met of %d", index.Reorgs, reorgs)
	}
	t.Logf("killed %d times; %d reorganisations undone; %d events", killed, index.Reorgs, len(r.chain.Emitted()))
}
