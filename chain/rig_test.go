package chain_test

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// alice and bob are wallets; rig gives alice a stake.
const (
	alice validator.Address = "0x00000000000000000000000000000000000000000000000000000000000a11ce"
	bob   validator.Address = "0x0000000000000000000000000000000000000000000000000000000000000b0b"
)

// withSockets is a variable of the environment with which a rig's client also follows heads
// over websockets.
const withSockets = "TEST_WITH_SOCKETS"

// rig is a chain, nodes that serve it over HTTP, and a client of those.
type rig struct {
	chain  *devchain.Chain
	nodes  []*devchain.Node
	client *chain.Client
	cfg    chain.Config
	log    *logBook
}

// newRig makes a rig whose client polls every few milliseconds and does not run yet.
func newRig(t *testing.T, nodes int, tweaks ...func(*chain.Config)) *rig {
	t.Helper()
	c := devchain.New(devchain.Config{})
	c.SetStake(alice, aliceStake())
	c.SetBalance(alice, validator.WeiFromSAGE(77))
	c.SetReputation(alice.Felt(), aliceReputation())
	c.SetRank(alice.Felt(), 4)
	c.Mine()
	return newRigOn(t, c, nodes, tweaks...)
}

// newRigOn makes a rig of a chain that is there already.
func newRigOn(t *testing.T, c *devchain.Chain, nodes int, tweaks ...func(*chain.Config)) *rig {
	t.Helper()
	r := &rig{chain: c, log: &logBook{}}
	network, err := chain.NetworkByName("sepolia")
	if err != nil {
		t.Fatal(err)
	}
	cfg := chain.Config{
		Network:         network,
		Contracts:       chain.Contracts(r.chain.Contracts()),
		NoSockets:       os.Getenv(withSockets) == "",
		SocketRetry:     5 * time.Millisecond,
		PollInterval:    10 * time.Millisecond,
		CallTimeout:     5 * time.Second,
		FirstReadWait:   5 * time.Second,
		RetryBackoff:    time.Millisecond,
		Retries:         -1,
		BreakerFailures: 1000,
		BreakerDelay:    20 * time.Millisecond,
		CheckRetry:      10 * time.Millisecond,
		Log:             slog.New(slog.NewTextHandler(r.log, nil)),
	}
	for range nodes {
		n := devchain.NewNode(r.chain)
		if err := n.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := n.Close(); err != nil {
				t.Error(err)
			}
		})
		r.nodes = append(r.nodes, n)
		cfg.RPCURLs = append(cfg.RPCURLs, n.URL())
	}
	r.cfg = cfg
	r.renew(t, tweaks...)
	return r
}

// renew puts another client in the place of one that does not run.
func (r *rig) renew(t *testing.T, tweaks ...func(*chain.Config)) {
	t.Helper()
	for _, tweak := range tweaks {
		tweak(&r.cfg)
	}
	var err error
	if r.client, err = chain.New(r.cfg); err != nil {
		t.Fatal(err)
	}
}

// host is what people read of a node's URL.
func (r *rig) host(node int) string { return strings.TrimPrefix(r.nodes[node].URL(), "http://") }

// run runs the client until the test ends.
func (r *rig) run(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.client.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Run ended with %v", err)
			}
		case <-time.After(10 * time.Second):
			t.Error("Run did not end with its context")
		}
	})
}

// running is newRig with the client running.
func running(t *testing.T, nodes int, tweaks ...func(*chain.Config)) *rig {
	t.Helper()
	r := newRig(t, nodes, tweaks...)
	r.run(t)
	return r
}

func (r *rig) snapshot(a validator.Address) validator.ChainSnapshot {
	return r.client.WalletSnapshot(context.Background(), a)
}

// breaks sets the faults of the node at a position.
func (r *rig) breaks(node int, f devchain.Faults) { r.nodes[node].SetFaults(f) }

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.Now().Add(90 * time.Second)
	for !holds() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(2 * time.Millisecond)
	}
}

// health waits until the client's state is as wanted and returns it.
func (r *rig) health(t *testing.T, want validator.Health) validator.SourceState {
	t.Helper()
	var s validator.SourceState
	eventually(t, "the state is "+string(want), func() bool {
		s = r.client.State()
		return s.Health == want
	})
	return s
}

// seenAt waits until a wallet's snapshot is of a block.
func (r *rig) seenAt(t *testing.T, a validator.Address, b validator.Block) validator.ChainSnapshot {
	t.Helper()
	var s validator.ChainSnapshot
	eventually(t, "the wallet is read at the block", func() bool {
		s = r.snapshot(a)
		return s.Block == b
	})
	return s
}

// checked waits until no contract is left unchecked.
func (r *rig) checked(t *testing.T) []validator.ContractCheck {
	t.Helper()
	var checks []validator.ContractCheck
	eventually(t, "every contract is checked", func() bool {
		checks = r.client.Contracts()
		return !slices.ContainsFunc(checks, func(c validator.ContractCheck) bool {
			return c.Status == validator.ContractUnchecked
		})
	})
	return checks
}

func aliceStake() validator.Stake {
	return validator.Stake{
		Amount:              validator.WeiFromSAGE(12_000),
		LockedAmount:        validator.WeiFromSAGE(500),
		StakedAt:            time.Unix(1_760_000_000, 0).UTC(),
		LastClaimAt:         time.Unix(1_760_500_000, 0).UTC(),
		Tier:                validator.TierEnterprise,
		Active:              true,
		ConsecutiveFailures: 1,
		TotalSlashed:        validator.WeiFromInt(5),
		PendingRewards:      validator.WeiFromInt(123_456_789),
	}
}

func aliceReputation() validator.Reputation {
	return validator.Reputation{
		Score: 870, Level: 4, LastUpdated: time.Unix(1_760_400_000, 0).UTC(),
		TotalJobs: 30, Successful: 28, Failed: 2, Disputes: 1,
	}
}

// logBook keeps log lines.
type logBook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
