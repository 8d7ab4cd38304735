package index

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/app"
	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// TestEventsThatComeLateTwiceOrNotAtAll are each stored once in the end, and at once where the
// receipts tell.
func TestEventsThatComeLateTwiceOrNotAtAll(t *testing.T) {
	for name, f := range map[string]devchain.Faults{
		"late":            {LateEvents: true},
		"twice":           {TwiceEvents: true},
		"without a first": {FirstEvents: true},
		"late and twice":  {LateEvents: true, TwiceEvents: true},
	} {
		for _, indexes := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, indexes %v", name, indexes), func(t *testing.T) {
				t.Parallel()
				r := newIndexRig(t, 29)
				r.mine(20)
				x := r.indexer(t)
				r.finish(t, x)
				f.EventIndexes = indexes
				r.node.SetFaults(f)
				for range 4 {
					r.mine(5)
					r.finish(t, x)
				}
				if f.TwiceEvents && !f.LateEvents {
					r.wantCanonical(t)
				}
				r.node.SetFaults(devchain.Faults{EventIndexes: indexes})
				r.mine(20)
				r.finish(t, x)
				r.wantCanonical(t)
			})
		}
	}
}

// TestANodeThatForgetsEventsTakesNoneAway, while the blocks still hold them.
func TestANodeThatForgetsEventsTakesNoneAway(t *testing.T) {
	r := newIndexRig(t, 31)
	r.mine(30)
	x := r.indexer(t)
	r.finish(t, x)
	r.wantCanonical(t)
	r.node.SetFaults(devchain.Faults{Answers: map[string]any{"starknet_getEvents": map[string]any{"events": []any{}}}})
	for range 6 {
		r.chain.Mine()
		r.finish(t, x)
		r.wantCanonical(t)
	}
}

// TestOldBlocksAreReadOnceMore, so that what was stored wrong is mended however long ago, and
// rows of before are numbered anew.
func TestOldBlocksAreReadOnceMore(t *testing.T) {
	r := newIndexRig(t, 37)
	r.mine(100)
	r.finish(t, r.indexer(t))
	for _, sql := range []string{
		"UPDATE chain_events SET event_index = event_index + 100, place = place + 100, by_receipt = false WHERE block_number % 3 = 0",
		"UPDATE stake_events SET event_index = event_index + 100, place = place + 100 WHERE block_number % 3 = 0",
		"UPDATE chain_payments SET event_index = event_index + 100, place = place + 100 WHERE block_number % 3 = 0",
		"UPDATE reputation_changes SET event_index = event_index + 100, place = place + 100 WHERE block_number % 3 = 0",
		"DELETE FROM chain_events WHERE block_number % 7 = 1",
		"DELETE FROM stake_events WHERE block_number % 7 = 1",
		"DELETE FROM chain_payments WHERE block_number % 7 = 1",
		"DELETE FROM reputation_changes WHERE block_number % 7 = 1",
		"DELETE FROM stake_events WHERE block_number % 7 = 2",
		"DELETE FROM chain_payments WHERE block_number % 7 = 3",
		"DELETE FROM reputation_changes WHERE block_number % 7 = 4",
		"UPDATE chain_index_contracts SET settled_block = NULL",
	} {
		dbtest.Exec(t, r.url, sql)
	}
	for range 200 {
		r.chain.Mine()
	}
	x := r.indexer(t)
	r.finish(t, x)
	if err := x.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.wantCanonical(t)
	if n := dbtest.Value(t, r.url, "SELECT count(*) FROM chain_index_contracts WHERE settled_block > 100"); fmt.Sprint(n) != "5" {
		t.Errorf("%v contracts are settled, want 5", n)
	}
	before := r.node.Counters().Methods["starknet_getEvents"]
	if err := x.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := r.node.Counters().Methods["starknet_getEvents"] - before; n != 0 {
		t.Errorf("settled blocks are asked for %d times more", n)
	}
}

// TestAPaymentThatComesLate makes its job's payment and the sums right once it has come.
func TestAPaymentThatComesLate(t *testing.T) {
	t.Parallel()
	r := newIndexRig(t, 41)
	r.chain.Mine()
	x := r.indexer(t)
	r.finish(t, x)
	k, w := r.contracts(), r.workers[0]
	const released = 7
	end := r.chain.Head().Time
	dbtest.Exec(t, r.url, "INSERT INTO jobs (job_id, worker_address, job_type, status, payment_amount, created_at, completed_at) VALUES ('77', $1, 'proof', 'completed', $2, $3, $3)", string(w), released, end)
	payments := func(now time.Time) validator.Reconciliation {
		t.Helper()
		dbtest.Exec(t, r.url, "SELECT fold_payments(1000)")
		got, err := r.store.Reconciliation(t.Context(), w, validator.PaymentContracts{JobManager: k.JobManager, PaymentRouter: router, ProverStaking: k.ProverStaking}, now)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}

	r.node.SetFaults(devchain.Faults{LateEvents: true})
	r.chain.Emit(devchain.Event{From: k.JobManager, Keys: []validator.Felt{chain.Selector("PaymentReleased"), small(77), small(0), w.Felt()}, Data: []validator.Felt{small(released), small(0)}})
	r.chain.MineAt(end.Add(time.Minute))
	r.chain.MineAt(end.Add(24 * time.Hour))
	if err := x.Sweep(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := end.Add(25 * time.Hour)
	if got := payments(now); got.Payments[validator.ClassMatched].Jobs != 0 || got.Payments[validator.ClassMissingOnChain].Jobs != 1 {
		t.Fatalf("the payment is not late: %+v", got.Payments)
	}
	for range 6 {
		r.chain.MineAt(r.chain.Head().Time.Add(time.Minute))
		r.finish(t, x)
	}
	got := payments(now)
	want := validator.WeiFromInt(released)
	if sum := got.Payments[validator.ClassMatched]; sum.Jobs != 1 || !sum.Recorded.Equal(want) || !sum.OnChain.Equal(want) || got.Payments[validator.ClassMissingOnChain].Jobs != 0 {
		t.Errorf("the payments are %+v, want one of %s matched", got.Payments, want)
	}
	list, err := r.store.ReconciledPayments(t.Context(), w, validator.ClassMatched.Windows(got.Coverage, now), db.PaymentCursor{}, 10)
	if err != nil || len(list) != 1 || len(list[0].Events) != 1 || !list[0].Events[0].Amount.Equal(validator.WeiFromInt(released)) {
		t.Errorf("the job's payment is %+v, %v", list, err)
	}
	differences, err := r.store.CheckTotals(t.Context())
	if err != nil || len(differences) > 0 {
		t.Errorf("the sums differ: %v, %v", differences, err)
	}
}

// TestCheckComparesTheEventsWithTheChain, says which blocks differ, and has them read again.
func TestCheckComparesTheEventsWithTheChain(t *testing.T) {
	t.Parallel()
	r := newIndexRig(t, 43)
	r.mine(150)
	x := r.indexer(t)
	r.finish(t, x)
	k := r.contracts()
	check := func(more ...string) (string, error) {
		t.Helper()
		var out strings.Builder
		args := append([]string{"check", "--database-url", r.url, "--starknet-rpc", r.node.URL(), "--prover-staking-address", string(k.ProverStaking),
			"--reputation-manager-address", string(k.ReputationManager), "--job-manager-address", string(k.JobManager),
			"--payment-router-address", string(router), "--mining-rewards-address", string(rewards)}, more...)
		err := app.Program{Getenv: func(string) string { return "" }, Stdout: &out, Stderr: io.Discard}.Run(t.Context(), args)
		return out.String(), err
	}
	dbtest.Exec(t, r.url, "SELECT fold_payments(100000)")
	if out, err := check(); err != nil || !strings.Contains(out, "events of 5 contracts are stored as the chain has them") {
		t.Fatalf("%s, %v", out, err)
	}
	if out, err := check("--job-manager-address", string(stranger)); err != nil || !strings.Contains(out, "Not compared with the chain: the events of JobManager at "+string(k.JobManager)) || !strings.Contains(out, "events of 4 contracts") {
		t.Errorf("%s, %v", out, err)
	}

	// One that is lost, one that is doubled, and one that says something else than on the chain.
	block := func(contract validator.Address, after int) int64 {
		t.Helper()
		first := dbtest.Value(t, r.url, "SELECT min(block_number) FROM chain_events WHERE contract_address = $1 AND block_number > $2", string(contract), after)
		number, err := strconv.ParseInt(fmt.Sprint(first), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		return number
	}
	lost, doubled, changed := block(k.JobManager, 5), block(k.ReputationManager, 10), block(rewards, 100)
	dbtest.Exec(t, r.url, "DELETE FROM chain_events WHERE contract_address = $1 AND block_number = $2", string(k.JobManager), lost)
	dbtest.Exec(t, r.url, "INSERT INTO chain_events SELECT (jsonb_populate_record(e, jsonb_build_object('event_index', event_index + 900, 'place', place + 900))).* FROM chain_events e WHERE contract_address = $1 AND block_number = $2", string(k.ReputationManager), doubled)
	dbtest.Exec(t, r.url, "UPDATE chain_events SET data = ARRAY[$3::text] WHERE contract_address = $1 AND block_number = $2", string(rewards), changed, string(small(9)))
	out, err := check()
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("the events of 3 blocks differ from the chain's: the server reads all events from block %d on again", min(lost, doubled, changed))) {
		t.Errorf("%s, %v", out, err)
	}
	for _, want := range []string{fmt.Sprintf("JobManager, block %d: stored 0, on the chain ", lost), fmt.Sprintf("ReputationManager, block %d: stored ", doubled), fmt.Sprintf("MiningRewards, block %d: stored ", changed)} {
		if !strings.Contains(out, "chain_events: "+want) {
			t.Errorf("it does not say %q: %s", want, out)
		}
	}

	r.mine(220) // so that the blocks are old
	r.finish(t, x)
	r.wantCanonical(t)
	dbtest.Exec(t, r.url, "SELECT fold_payments(100000)")
	if out, err := check(); err != nil {
		t.Errorf("after they were read again: %s, %v", out, err)
	}

	if err := r.node.Close(); err != nil {
		t.Fatal(err)
	}
	if out, err := check(); err == nil || !strings.Contains(err.Error(), "compare the stored events with the chain: The contracts' events cannot be read on: the node at 127.0.0.1") || !strings.Contains(out, "agrees with their rows") {
		t.Errorf("without a node: %s, %v", out, err)
	}
}
