// Package testnet gives tests a small Starknet with the network's contracts and accounts whose
// keys the test has: one of devchain, or a real starknet-devnet where STARKNET_DEVNET names
// that program. Both answer JSON-RPC, mine when they are told to and take blocks back.
package testnet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// ChainID is the id of every Network, as a short string.
const ChainID = "SN_SEPOLIA"

// Account is an account that is deployed, with its key.
type Account struct {
	Address    validator.Address `json:"address"`
	PrivateKey validator.Felt    `json:"private_key"`
}

// Network is a running chain.
type Network struct {
	URL       string // of its JSON-RPC
	SocketURL string // of its websocket
	Contracts devchain.Contracts

	// Token is an ERC-20 that stood on the chain before the test came: starknet-devnet's STRK.
	Token validator.Address

	Owner    Account // may slash, record successes and change reputations
	Treasury Account // pays claims, and lets ProverStaking do so
	Worker   Account // holds 50,000 SAGE
	Other    Account // holds 50,000 SAGE

	Devchain *devchain.Chain // nil for starknet-devnet
}

// Start starts a Network that ends with the test.
func Start(t testing.TB) *Network {
	t.Helper()
	if program := os.Getenv("STARKNET_DEVNET"); program != "" {
		return startDevnet(t, program)
	}
	return startDevchain(t)
}

// startDevchain makes a chain of this process and a node of it.
func startDevchain(t testing.TB) *Network {
	t.Helper()
	c := devchain.New(devchain.Config{ChainID: ChainID})
	n := &Network{Devchain: c, Contracts: c.Contracts()}
	for _, a := range []struct {
		account *Account
		key     validator.Felt
		at      validator.Address
	}{
		{&n.Owner, "0x01", devchain.Owner}, {&n.Treasury, "0x02", devchain.Treasury}, {&n.Worker, "0x03", ""}, {&n.Other, "0x04", ""},
	} {
		w, err := devchain.NewWallet(c, devchain.WalletConfig{PrivateKey: a.key, Address: a.at})
		if err != nil {
			t.Fatal(err)
		}
		w.Deploy()
		*a.account = Account{w.Address(), a.key}
	}
	for _, a := range []Account{n.Worker, n.Other} {
		c.SetBalance(a.Address, validator.WeiFromSAGE(50_000))
	}
	c.Mine()
	node := devchain.NewNode(c)
	node.AllowControl()
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	})
	n.URL, n.Token = node.URL(), n.Contracts.SAGEToken
	n.SocketURL = strings.Replace(n.URL, "http", "ws", 1)
	return n
}

// told is what a script of starknet.js is told of a Network.
func (n *Network) told(more map[string]any) map[string]any {
	out := map[string]any{
		"url": n.URL, "chain_id": ChainID,
		"limits": n.Devchain != nil, // starknet-devnet answers pages of any size
		"owner":  n.Owner, "treasury": n.Treasury, "worker": n.Worker, "other": n.Other,
		"contracts": map[string]validator.Address{
			"prover_staking": n.Contracts.ProverStaking, "reputation_manager": n.Contracts.ReputationManager,
			"sage_token": n.Contracts.SAGEToken, "job_manager": n.Contracts.JobManager,
		},
	}
	maps.Copy(out, more)
	return out
}

// here is the folder of a file's package in the source tree.
func here(t testing.TB) string {
	t.Helper()
	_, file, _, ok := runtime.Caller(0)
	if !ok {
		t.Fatal("the place of the sources is not known")
	}
	return filepath.Dir(file)
}

// RunScript runs a script of starknet.js with node against the network and returns what it
// writes to standard output. The script is told of the network, and what is given besides, as
// JSON on standard input.
func (n *Network) RunScript(t testing.TB, script string, more map[string]any) []byte {
	t.Helper()
	dir := filepath.Join(here(t), "..", "testdata", "starknetjs")
	want, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile(filepath.Join(dir, "node_modules", "installed-lock.json")); err != nil || !bytes.Equal(got, want) {
		t.Fatal("starknet.js is not installed in the versions of package-lock.json: run make starknetjs, which make test does first")
	}
	node, err := exec.LookPath("node")
	if err != nil {
		t.Fatalf("starknet.js needs node: run make starknetjs, which make test does first (%v)", err)
	}
	in, err := json.Marshal(n.told(more))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), node, filepath.Join(dir, script))
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", script, err, out, stderr.Bytes())
	}
	return out
}

// RPC calls a method of the node and reads its result into result unless that is nil.
func (n *Network) RPC(method string, params, result any) error {
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return err
	}
	client := http.Client{Timeout: time.Minute}
	r, err := client.Post(n.URL, "application/json", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer func() { _ = r.Body.Close() }()
	text, err := io.ReadAll(r.Body)
	if err != nil {
		return err
	}
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("%s: %w in %q", method, err, text)
	}
	if len(answer.Error) > 0 {
		return fmt.Errorf("%s: %s", method, answer.Error)
	}
	if result == nil {
		return nil
	}
	return json.Unmarshal(answer.Result, result)
}

// Mine makes the network close a block and returns it.
func (n *Network) Mine(t testing.TB) validator.Block {
	t.Helper()
	if err := n.RPC("devnet_createBlock", struct{}{}, nil); err != nil {
		t.Fatal(err)
	}
	return n.Head(t)
}

// Tick lets the second pass that a next block's time is later by. A devchain's next block is.
func (n *Network) Tick() {
	if n.Devchain == nil {
		time.Sleep(1100 * time.Millisecond)
	}
}

// Head returns the newest block.
func (n *Network) Head(t testing.TB) validator.Block {
	t.Helper()
	return n.block(t, "latest")
}

// block returns the block that a BLOCK_ID names.
func (n *Network) block(t testing.TB, id any) validator.Block {
	t.Helper()
	var b struct {
		Number uint64 `json:"block_number"`
		Hash   string `json:"block_hash"`
		Time   int64  `json:"timestamp"`
	}
	if err := n.RPC("starknet_getBlockWithTxHashes", []any{id}, &b); err != nil {
		t.Fatal(err)
	}
	return validator.Block{Number: b.Number, Hash: parse(t, b.Hash)[0], Time: time.Unix(b.Time, 0).UTC()}
}

// Reorg takes the newest depth blocks back.
func (n *Network) Reorg(t testing.TB, depth uint64) {
	t.Helper()
	from := map[string]uint64{"block_number": n.Head(t).Number - depth + 1}
	if err := n.RPC("devnet_abortBlocks", map[string]any{"starting_block_id": from}, nil); err != nil {
		t.Fatal(err)
	}
}

// Emitted returns every event of the chain's blocks, oldest first, as the receipts have them.
func (n *Network) Emitted(t testing.TB) []devchain.Emitted {
	t.Helper()
	var out []devchain.Emitted
	for number := range n.Head(t).Number + 1 {
		id := map[string]uint64{"block_number": number}
		block := n.block(t, id)
		var held struct {
			Txs []struct {
				Receipt struct {
					Hash   string `json:"transaction_hash"`
					Events []struct {
						From string   `json:"from_address"`
						Keys []string `json:"keys"`
						Data []string `json:"data"`
					} `json:"events"`
				} `json:"receipt"`
			} `json:"transactions"`
		}
		if err := n.RPC("starknet_getBlockWithReceipts", []any{id}, &held); err != nil {
			t.Fatal(err)
		}
		for i, tx := range held.Txs {
			for j, e := range tx.Receipt.Events {
				out = append(out, devchain.Emitted{Block: block, TxHash: parse(t, tx.Receipt.Hash)[0], TxIndex: i, Index: j,
					Event: devchain.Event{From: validator.Address(parse(t, e.From)[0]), Keys: parse(t, e.Keys...), Data: parse(t, e.Data...)}})
			}
		}
	}
	return out
}

// parse reads felts as nodes write them.
func parse(t testing.TB, texts ...string) []validator.Felt {
	t.Helper()
	out := make([]validator.Felt, len(texts))
	for i, s := range texts {
		f, err := validator.ParseFelt(s)
		if err != nil {
			t.Fatal(err)
		}
		out[i] = f
	}
	return out
}
