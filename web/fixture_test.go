package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	alice = validator.Address("0x0000000000000000000000000000000000000000000000000000000000000a11")
	bob   = validator.Address("0x0000000000000000000000000000000000000000000000000000000000000b0b")
)

// noGPUReader is a host without a driver.
type noGPUReader struct{}

func (noGPUReader) Snapshot() validator.GPUSnapshot {
	return validator.GPUSnapshot{State: validator.SourceState{Source: validator.SourceGPU, Health: validator.HealthDisabled, Reason: "No driver is loaded."}}
}

func (noGPUReader) History(string, time.Time) []validator.GPUPoint { return nil }

// silentChain is a node that never answered.
type silentChain struct{}

func (silentChain) WalletSnapshot(context.Context, validator.Address) validator.ChainSnapshot {
	return validator.ChainSnapshot{State: validator.SourceState{Source: validator.SourceChain, Health: validator.HealthUnavailable, Reason: "The node does not answer."}}
}

func (silentChain) Network() validator.ChainNetwork { return validator.ChainNetwork{} }

func (silentChain) VerifySignature(context.Context, validator.Address, validator.Felt, []validator.Felt) error {
	return errors.New("the node does not answer")
}

func (silentChain) Calls(validator.Action) ([]validator.ContractCall, error) {
	return []validator.ContractCall{{Contract: alice, Function: "claim_rewards"}}, nil
}

func (silentChain) Simulate(context.Context, validator.Address, []validator.ContractCall) (chain.Simulation, error) {
	return chain.Simulation{}, errors.New("the node does not answer")
}

func (silentChain) TransactionOutcome(context.Context, validator.Felt) (validator.TransactionOutcome, error) {
	return validator.TransactionOutcome{}, errors.New("the node does not answer")
}

func (silentChain) Contracts() []validator.ContractCheck { return nil }

// peersOf is a machine on which one user runs all programs.
type peersOf int

func (uid peersOf) Owner(_, _ netip.AddrPort) (int, error) { return int(uid), nil }

// newServer is a server whose only source is a database.
func newServer(t testing.TB, store *db.Store, change ...func(*Config)) *Server {
	t.Helper()
	c := Config{ // a busy machine is no slow database
		Database: store, GPUs: noGPUReader{}, Chain: silentChain{}, Signatures: silentChain{}, Actions: silentChain{}, MaxWait: time.Minute, LocalAccess: true, Peers: peersOf(os.Geteuid()),
		Network: chain.Network{Name: "sepolia", ExplorerURL: "https://explorer.example"}, Metrics: prometheus.NewRegistry(), Log: slog.New(slog.DiscardHandler),
	}
	for _, f := range change {
		f(&c)
	}
	s, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// visit asks as a browser on this machine would.
func visit(s *Server, path string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.RemoteAddr, r.Host = "127.0.0.1:50000", "127.0.0.1:3030"
	r.Header.Set("Accept", "text/html")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, r)
	return w
}
