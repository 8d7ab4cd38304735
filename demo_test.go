package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/static"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// startDemo runs the demo with its data in dir.
func startDemo(t *testing.T, dir string, env ...string) *program {
	t.Helper()
	return startCommand(t, "demo", append([]string{"LISTEN=127.0.0.1:0", "DATA_DIR=" + dir}, env...)...)
}

const demoWords = "Demo: all values are simulated"

func TestServeHasNothingOfTheDemo(t *testing.T) {
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t))
	assets, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range [][2]string{{http.MethodGet, "/dev/components"}, {http.MethodPost, "/dev/wallet"}, {http.MethodGet, "/dev/wallet"}, {http.MethodGet, "/dev"}, {http.MethodGet, assets.Path("demo-wallet.js")}} {
		if code, _ := p.call(t, r[0], r[1], "", ""); code != http.StatusNotFound {
			t.Errorf("%s %s: %d", r[0], r[1], code)
		}
	}
	for _, path := range []string{"/?wallet=0x123", "/", "/docs"} {
		if _, b := p.call(t, http.MethodGet, path, "", ""); !strings.Contains(string(b), "</html>") || strings.Contains(string(b), "demo-") || strings.Contains(string(b), "simulated") {
			t.Errorf("%s speaks of a demo", path)
		}
	}
}

func TestTheDemoIsAValidatorWithAYearBehindIt(t *testing.T) {
	dir := dbtest.Dir(t)
	p := startDemo(t, dir,
		"DATABASE_URL=postgres://nobody@127.0.0.1:9/none", "STARKNET_RPC=http://127.0.0.1:9", "NVML_LIBRARY=/nonexistent", "VALIDATOR_ADDRESS=0x123", "SAGE_TOKEN_ADDRESS=0x1")
	if said := p.logged(); !strings.Contains(said, "DATABASE_URL, STARKNET_RPC, SAGE_TOKEN_ADDRESS, VALIDATOR_ADDRESS, NVML_LIBRARY") {
		t.Errorf("it does not say that it reads no real source:\n%s", said)
	}
	for _, path := range []string{"/", "/docs", "/dev/components", "/nothing"} {
		r, err := http.NewRequest(http.MethodGet, p.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/html")
		if b := body(t, r); !strings.Contains(b, demoWords) {
			t.Errorf("%s does not say that it is a demo: %.300s", path, b)
		}
	}

	var v map[string]any
	eventually(t, "everything is known", func() bool {
		v = p.get(t, "/api/validator/status", "")
		return v["is_active"] == true && v["verdict"] != "Unknown"
	})
	for member, want := range map[string]any{"staked_amount": sage("13250.5").String(), "stake_tier": "Enterprise", "consecutive_failures": 1.0, "max_consecutive_failures": 3.0, "is_eligible": true} {
		if v[member] != want {
			t.Errorf("%s is %v, want %v", member, v[member], want)
		}
	}
	for _, name := range []string{"gpu", "database", "chain"} {
		if source(v, name)["status"] != "ok" {
			t.Errorf("%s: %v", name, source(v, name))
		}
	}
	gpus, _ := p.get(t, "/api/validator/gpus", "")["gpus"].([]any)
	if len(gpus) != len(cardsHere)+len(cardsAway) {
		t.Errorf("%d GPUs", len(gpus))
	}

	t.Run("its payments are compared with the chain", func(t *testing.T) {
		var classes map[string]float64
		var v map[string]any
		eventually(t, "the last weeks' payments are known", func() bool {
			v, classes = p.get(t, "/api/validator/reconciliation", ""), map[string]float64{}
			list, _ := v["classes"].([]any)
			for _, c := range list {
				jobs, _ := c.(map[string]any)["jobs"].(float64) // null until the chain's events are read
				classes[c.(map[string]any)["class"].(string)] = jobs
			}
			return classes["matched"] > 300 && v["coverage"].(map[string]any)["to_block"] != nil && classes["missing_on_chain"] < 2
		})
		if v["differing"] != 4.0 || classes["different_amount"] != 1 || classes["missing_on_chain"] != 1 || classes["missing_in_database"] != 2 || classes["not_known_yet"] < 5_000 {
			t.Errorf("%v differ: %v", v["differing"], classes)
		}
	})
	t.Run("a second one is refused", func(t *testing.T) {
		path, _ := binary()
		second := exec.Command(path, "demo")
		second.Dir, second.Env = t.TempDir(), append(os.Environ(), "LISTEN=127.0.0.1:0", "DATA_DIR="+dir)
		out, err := second.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "another demo is running") {
			t.Errorf("%v: %s", err, out)
		}
		if p.get(t, "/api/validator/status", "")["is_active"] != true {
			t.Error("the first one was harmed")
		}
	})
	t.Run("its wallet claims", func(t *testing.T) {
		account := walletAnswer[[]string](t, p, `{"type":"wallet_requestAccounts"}`)
		if len(account) != 1 || account[0] != v["wallet_address"] {
			t.Fatalf("the wallet's account is %v, the validator's %v", account, v["wallet_address"])
		}
		var contracts struct {
			Contracts []struct{ Name, Address string }
		}
		_, b := p.call(t, http.MethodGet, "/api/contracts", "", "")
		if err := json.Unmarshal(b, &contracts); err != nil || len(contracts.Contracts) == 0 {
			t.Fatalf("%v: %s", err, b)
		}
		sent := walletAnswer[map[string]string](t, p, `{"type":"wallet_addInvokeTransaction","params":{"calls":[{"contract_address":"`+contracts.Contracts[0].Address+`","entry_point":"claim_rewards","calldata":[]}]}}`)
		if code, b := p.call(t, http.MethodPost, "/api/worker/claim-reward", account[0], `{"tx_hash":"`+sent["transaction_hash"]+`"}`); code >= http.StatusMultipleChoices {
			t.Fatalf("%d %s", code, b)
		}
		eventually(t, "the claim is in the history", func() bool {
			rewards, _ := p.get(t, "/api/validator/history?limit=50", "")["rewards"].([]any)
			for _, r := range rewards {
				hash, _ := validator.ParseFelt(r.(map[string]any)["tx_hash"].(string))
				if want, _ := validator.ParseFelt(sent["transaction_hash"]); hash == want {
					return true
				}
			}
			return false
		})
	})
}

func body(t *testing.T, r *http.Request) string {
	t.Helper()
	res, err := http.DefaultClient.Do(r.WithContext(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var b strings.Builder
	if err := res.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// walletAnswer asks the demo's wallet.
func walletAnswer[T any](t *testing.T, p *program, request string) T {
	t.Helper()
	var answer struct {
		Result T
		Error  any
	}
	code, b := p.call(t, http.MethodPost, "/dev/wallet", "", request)
	if err := json.Unmarshal(b, &answer); err != nil || code != http.StatusOK || answer.Error != nil {
		t.Fatalf("%s: %d %s %v", request, code, b, err)
	}
	return answer.Result
}

// TestTheDemosChainHoldsWhatTheDatabaseIsTold reads the chain as the server does.
func TestTheDemosChainHoldsWhatTheDatabaseIsTold(t *testing.T) {
	now := time.Now().UTC()
	c, node, err := startDemoChain(now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = node.Close() })
	completed := now.Add(-40 * time.Minute)
	c.recall([]validator.Job{{ID: "1000001", Status: validator.JobCompleted, CompletedAt: &completed}}, 900, 12)
	at := c.Contracts()
	cfg := Config{
		Network: chain.Network{Name: "simulated", ChainID: demoChainID}, StarknetRPC: []string{node.URL()},
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
	var seen validator.ChainSnapshot
	eventually(t, "the stake's events", func() bool {
		seen = client.Look(ctx, c.wallet.Address())
		return seen.StakeEvents.Known()
	})
	var told validator.Wei
	slashed, unlocks := false, time.Time{}
	for _, e := range seen.StakeEvents.Or(nil) {
		switch e.Kind {
		case validator.StakeEventRewardsClaimed:
			told = told.Add(e.Amount)
		case validator.StakeEventSlashed:
			slashed = e.JobID == jobFelt(c.slash.JobID).Short() && e.Reason == validator.SlashTimeout && e.Amount.Equal(sage("600"))
		case validator.StakeEventUnstakeRequested:
			unlocks = e.UnlockAt
		default:
		}
	}
	if !told.Equal(paid) {
		t.Errorf("the events pay %s, the receipts %s", told.Format(), paid.Format())
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

func TestTheDemoDeletesOnlyWhatItMade(t *testing.T) {
	empty := func(dir string) error { return emptyDemoFolder(dir, "") }
	write := func(path string) {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("x"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	left := func(dir string) (names []string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			names = append(names, e.Name())
		}
		return names
	}
	data := dbtest.Dir(t)

	ours := filepath.Join(data, "new", demoFolder)
	for range 2 {
		if err := empty(ours); err != nil {
			t.Fatal(err)
		}
		if names := left(ours); len(names) != 1 || names[0] != demoMarker {
			t.Errorf("an empty folder holds %q", names)
		}
		write(filepath.Join(ours, "deep", "file"))
	}

	others := filepath.Join(data, "theirs")
	write(filepath.Join(others, "thesis.txt"))
	for what, dir := range map[string]string{"another's folder": others, "a file": filepath.Join(others, "thesis.txt")} {
		if err := empty(dir); err == nil || !strings.Contains(err.Error(), "DATA_DIR") {
			t.Errorf("%s: %v", what, err)
		}
	}
	link := filepath.Join(data, "link")
	if err := os.Symlink(ours, link); err != nil {
		t.Fatal(err)
	}
	if err := empty(link); err == nil {
		t.Error("it follows a link")
	}
	if names := left(others); len(names) != 1 {
		t.Errorf("another's folder holds %q", names)
	}
	if names := left(ours); len(names) != 2 {
		t.Errorf("a folder behind a link holds %q", names)
	}
}
