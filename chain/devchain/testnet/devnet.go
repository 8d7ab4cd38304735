package testnet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// devnetSeed makes the predeployed accounts the same in every run.
const devnetSeed = "42"

// strk is where starknet-devnet has the token that fees are paid in, as the real networks do.
const strk validator.Address = "0x04718f5a0fc34cc1af16a1cdee98ffb20c31f5cd61d6ab07201858f4287c938d"

// startDevnet starts a starknet-devnet that mines on demand, and deploys the contracts of
// chain/testdata/cairo on it.
func startDevnet(t testing.TB, program string) *Network {
	t.Helper()
	port := freePort(t)
	var said bytes.Buffer
	cmd := exec.Command(program, //nolint:gosec // whoever runs the tests names it
		"--host", "127.0.0.1", "--port", strconv.Itoa(port), "--seed", devnetSeed, "--accounts", "4",
		"--block-generation-on", "demand", "--state-archive-capacity", "full")
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // what it said tells more
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	n := &Network{URL: fmt.Sprintf("http://127.0.0.1:%d/rpc", port), SocketURL: fmt.Sprintf("ws://127.0.0.1:%d/ws", port), Token: strk}
	n.await(t, ended, &said)
	var accounts []struct {
		Address    string `json:"address"`
		PrivateKey string `json:"private_key"`
	}
	if err := n.RPC("devnet_getPredeployedAccounts", struct{}{}, &accounts); err != nil {
		t.Fatal(err)
	}
	for i, a := range []*Account{&n.Owner, &n.Treasury, &n.Worker, &n.Other} {
		address, err := validator.ParseAddress(accounts[i].Address)
		if err != nil {
			t.Fatal(err)
		}
		key, err := validator.ParseFelt(accounts[i].PrivateKey)
		if err != nil {
			t.Fatal(err)
		}
		*a = Account{address, key}
	}
	n.deploy(t)
	return n
}

// freePort returns a port that nobody listened on a moment ago.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// await waits until the program answers.
func (n *Network) await(t testing.TB, ended <-chan struct{}, said *bytes.Buffer) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		var version string
		err := n.RPC("starknet_specVersion", []any{}, &version)
		if err == nil {
			return
		}
		select {
		case <-ended:
			t.Fatalf("starknet-devnet ended: %s", said)
		default:
		}
		if time.Now().After(deadline) {
			t.Fatalf("starknet-devnet does not answer: %v", err)
		}
	}
}

// deploy declares and deploys the contracts with starknet.js.
func (n *Network) deploy(t testing.TB) {
	t.Helper()
	out := n.RunScript(t, "deploy.mjs", map[string]any{"classes": filepath.Join(here(t), "..", "..", "testdata", "cairo", "classes")})
	var at struct {
		ProverStaking     validator.Address `json:"prover_staking"`
		ReputationManager validator.Address `json:"reputation_manager"`
		SAGEToken         validator.Address `json:"sage_token"`
		JobManager        validator.Address `json:"job_manager"`
	}
	if err := json.Unmarshal(out, &at); err != nil {
		t.Fatalf("deploy.mjs wrote %q: %v", out, err)
	}
	for _, a := range []*validator.Address{&at.ProverStaking, &at.ReputationManager, &at.SAGEToken, &at.JobManager} {
		normal, err := validator.ParseAddress(string(*a))
		if err != nil {
			t.Fatal(err)
		}
		*a = normal
	}
	n.Contracts.ProverStaking, n.Contracts.ReputationManager = at.ProverStaking, at.ReputationManager
	n.Contracts.SAGEToken, n.Contracts.JobManager = at.SAGEToken, at.JobManager
}
