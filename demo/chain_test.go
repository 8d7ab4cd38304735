package demo

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/app"
	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// TestTheDemosChainHoldsWhatTheDatabaseIsTold reads the chain as the server does.
func TestTheDemosChainHoldsWhatTheDatabaseIsTold(t *testing.T) {
	now := time.Now().UTC()
	c, node, err := startChain(now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Close() })
	completed := now.Add(-40 * time.Minute)
	c.recall([]validator.Job{{ID: "1000001", Status: validator.JobCompleted, CompletedAt: &completed}}, 900, 12)
	at := c.Contracts()
	cfg := app.Config{
		Network: chain.Network{Name: "simulated", ChainID: ChainID}, StarknetRPC: []string{node.URL()},
		Contracts: chain.Contracts{ProverStaking: at.ProverStaking, ReputationManager: at.ReputationManager, SAGEToken: at.SAGEToken, JobManager: at.JobManager},
	}
	claims, err := c.outcomes(t.Context(), cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	var paid validator.Wei
	refused := 0
	for _, x := range claims {
		switch {
		case x.Status == validator.ClaimFailed:
			refused++
		case x.Status != validator.ClaimConfirmed || x.Amount == nil || x.Amount.Sign() <= 0 || *x.BlockNumber != c.blockOf(x.At):
			t.Errorf("a claim: %+v", x)
		default:
			paid = paid.Add(*x.Amount)
		}
	}
	if len(claims) != claimsMade+1 || refused != 1 {
		t.Errorf("%d claims, of which %d were refused", len(claims), refused)
	}

	client, err := chain.New(chain.Config{RPCURLs: cfg.StarknetRPC, Network: cfg.Network, Contracts: cfg.Contracts, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { defer close(ended); _ = client.Run(ctx) }()
	defer func() { cancel(); <-ended }()
	seen := awaitStakeEvents(ctx, t, client, c.wallet.Address())
	var claimed validator.Wei
	slashed, unlocks := false, time.Time{}
	for _, e := range seen.StakeEvents.Or(nil) {
		switch e.Kind {
		case validator.StakeEventRewardsClaimed:
			claimed = claimed.Add(e.Amount)
		case validator.StakeEventSlashed:
			slashed = e.JobID == jobFelt(c.slash.JobID).Short() && e.Reason == validator.SlashTimeout && e.Amount.Equal(sage("600"))
		case validator.StakeEventUnstakeRequested:
			unlocks = e.UnlockAt
		default:
		}
	}
	if !claimed.Equal(paid) {
		t.Errorf("the events pay %s, the receipts %s", claimed.Format(), paid.Format())
	}
	if !slashed {
		t.Errorf("no slash of 600 SAGE for the job %s", c.slash.JobID)
	}
	if wait := unlocks.Sub(now); wait < 3*24*time.Hour || wait > 4*24*time.Hour {
		t.Errorf("the unstake unlocks in %s", wait)
	}
	n := seen.Network.Reputation.Or(validator.ReputationNetwork{})
	if r := seen.Reputation.Or(validator.Reputation{}); n.Workers < 40 || r.TotalJobs != 912 || r.Successful != 900 || r.Score != reputationBefore+reputationOfDoneJob {
		t.Errorf("reputation: %+v, of all %+v", r, n)
	}
	if k := seen.Stake.Or(validator.Stake{}); !k.Amount.Equal(sage("13250.5")) || k.ConsecutiveFailures != 1 || !k.LockedAmount.Equal(sage("750")) {
		t.Errorf("stake: %+v", k)
	}
	if total := seen.Network.TotalStaked.Or(validator.Wei{}); total.Cmp(sage("200000")) < 0 {
		t.Errorf("all of the network has staked %s", total.Format())
	}
}

// awaitStakeEvents waits until a wallet's history of stakes is read.
func awaitStakeEvents(ctx context.Context, t *testing.T, client *chain.Client, wallet validator.Address) (seen validator.ChainSnapshot) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !seen.StakeEvents.Known(); time.Sleep(50 * time.Millisecond) {
		if seen = client.WalletSnapshot(ctx, wallet); time.Now().After(deadline) {
			t.Fatal("the stake's events never came")
		}
	}
	return seen
}
