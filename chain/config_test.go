package chain_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func TestNetworks(t *testing.T) {
	for name, id := range map[string]string{"sepolia": "SN_SEPOLIA", "mainnet": "SN_MAIN"} {
		n, err := chain.NetworkByName(name)
		if err != nil || n.Name != name || n.ChainID != id || n.DefaultRPC == "" || n.ExplorerURL == "" {
			t.Errorf("%s: %+v, %v", name, n, err)
		}
		if n.Deployed() != (name == "sepolia") {
			t.Errorf("%s: deployed is %v", name, n.Deployed())
		}
		for _, a := range []validator.Address{n.Contracts.ProverStaking, n.Contracts.ReputationManager, n.Contracts.SAGEToken, n.Contracts.JobManager} {
			if p, err := validator.ParseAddress(string(a)); n.Deployed() && (err != nil || p != a) {
				t.Errorf("%s: %q is no address in normal form: %v", name, a, err)
			}
		}
	}
	if _, err := chain.NetworkByName("goerli"); !errors.Is(err, chain.ErrUnknownNetwork) {
		t.Errorf("goerli: %v", err)
	}
}

func TestContractsOrDefaults(t *testing.T) {
	got := chain.Contracts{SAGEToken: alice}.Or(chain.Contracts{SAGEToken: bob, JobManager: bob})
	if want := (chain.Contracts{SAGEToken: alice, JobManager: bob}); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestAWrongConfigIsRefusedWithItsName(t *testing.T) {
	sepolia, err := chain.NetworkByName("sepolia")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		cfg  chain.Config
		says string
	}{
		{"no network", chain.Config{RPCURLs: []string{"http://localhost"}}, "no chain id"},
		{"no node", chain.Config{Network: chain.Network{ChainID: "X"}}, "STARKNET_RPC"},
		{"a websocket", chain.Config{Network: sepolia, RPCURLs: []string{"wss://node/KEY"}}, "URL 1"},
		{"no URL", chain.Config{Network: sepolia, RPCURLs: []string{"http://node", "KEY"}}, "URL 2"},
		{"an unreadable URL", chain.Config{Network: sepolia, RPCURLs: []string{"http://node/%KEY"}}, "URL 1"},
		{"an address in another form", chain.Config{Network: sepolia, Contracts: chain.Contracts{SAGEToken: "0x1"}}, "SAGE_TOKEN_ADDRESS"},
		{"a negative time", chain.Config{Network: sepolia, CallTimeout: -time.Second}, "CallTimeout"},
		{"a negative limit", chain.Config{Network: sepolia, MaxWatched: -1}, "negative"},
		{"a long chain id", chain.Config{Network: chain.Network{ChainID: strings.Repeat("X", 32), DefaultRPC: "http://node"}}, "chain id"},
	} {
		_, err := chain.New(c.cfg)
		if !errors.Is(err, chain.ErrConfig) || !strings.Contains(err.Error(), c.says) || strings.Contains(err.Error(), "KEY") {
			t.Errorf("%s: %v, want an error that says %q and no key", c.name, err, c.says)
		}
	}
	if _, err := chain.New(chain.Config{Network: sepolia}); err != nil {
		t.Errorf("the defaults: %v", err)
	}
}

func TestRunIsForOneAtATime(t *testing.T) {
	r := running(t, 1)
	r.health(t, validator.HealthOK)
	if err := r.client.Run(context.Background()); !errors.Is(err, chain.ErrRunning) {
		t.Errorf("a second Run: %v", err)
	}
}
