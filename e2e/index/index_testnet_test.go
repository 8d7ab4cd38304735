package index

import (
	"testing"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain/testnet"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// TestTestnetIndex indexes a chain that is changed by signed transactions only, and by reorgs.
func TestTestnetIndex(t *testing.T) {
	n := testnet.Start(t)
	r := &indexRig{net: n, url: dbtest.NewURL(t)}
	r.store = dbtest.Open(t, db.Config{URL: r.url})
	x, err := newTestIndexer(n.URL, chain.Contracts(n.Contracts), r.store, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.careers(t)
	r.finish(t, x)
	r.wantCanonical(t)
	if index := r.index(t); index.Failure != "" || index.Reorgs != 0 {
		t.Errorf("failure %q, %d reorganisations", index.Failure, index.Reorgs)
	}

	// Two of the newest blocks give way to others, in which the workers do something else.
	n.Reorg(t, 2)
	n.Mine(t)
	n.Stake(t, n.Other, validator.WeiFromSAGE(3), validator.TierConsumer)
	n.Mine(t)
	n.Stake(t, n.Worker, validator.WeiFromSAGE(4), validator.TierConsumer)
	n.Mine(t)
	r.finish(t, x)
	r.wantCanonical(t)
	if index := r.index(t); index.Failure != "" || index.Reorgs != 1 {
		t.Errorf("failure %q, %d reorganisations", index.Failure, index.Reorgs)
	}
}

// careers lays blocks in which two workers stake, work, are slashed and claim.
func (r *indexRig) careers(t *testing.T) {
	t.Helper()
	n, k := r.net, r.net.Contracts
	for _, w := range []testnet.Account{n.Worker, n.Other} {
		n.Stake(t, w, validator.WeiFromSAGE(2_000), validator.TierConsumer)
		n.Send(t, n.Owner, devchain.Call{To: k.ReputationManager, Function: "initialize_reputation", Calldata: []validator.Felt{w.Address.Felt()}})
	}
	n.Mine(t)
	n.Mine(t) // one without an event
	for i, w := range []testnet.Account{n.Worker, n.Other, n.Worker} {
		job := []validator.Felt{testnet.Uint(uint64(i + 1)), testnet.Uint(0)}
		worker := w.Address.Felt()
		n.Send(t, w,
			devchain.Call{To: k.JobManager, Function: "claim_job", Calldata: job},
			devchain.Call{To: k.JobManager, Function: "complete_job", Calldata: job})
		n.Send(t, n.Owner,
			devchain.Call{To: k.JobManager, Function: "release_payment", Calldata: append(append([]validator.Felt{}, job...), worker, testnet.Uint(5_000), testnet.Uint(0))},
			devchain.Call{To: k.ProverStaking, Function: "record_success", Calldata: []validator.Felt{worker, job[0]}},
			devchain.Call{To: k.ReputationManager, Function: "update_reputation", Calldata: append([]validator.Felt{worker, testnet.Uint(15), testnet.Uint(0), testnet.Uint(0)}, job...)})
		n.Mine(t)
	}
	n.Send(t, n.Owner, devchain.Call{To: k.ProverStaking, Function: "slash", Calldata: []validator.Felt{n.Other.Address.Felt(), testnet.Uint(uint64(validator.SlashTimeout)), testnet.Uint(9)}})
	n.Mine(t)
	n.Tick()
	for i, w := range []testnet.Account{n.Worker, n.Other} {
		n.Send(t, w, devchain.Call{To: k.ProverStaking, Function: "claim_rewards"})
		n.Send(t, w, devchain.Call{To: k.ProverStaking, Function: "request_unstake", Calldata: testnet.U256(validator.WeiFromInt(int64(10 + i)))})
		n.Mine(t)
	}
}
