package program

import (
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
	"github.com/bitsage-network/validator-dashboard/static"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// startDemo runs the demo with its data in dir.
func startDemo(t *testing.T, dir string, env ...string) *program {
	t.Helper()
	return &program{harness.StartCommand(t, "demo", append([]string{"LISTEN=127.0.0.1:0", "DATA_DIR=" + dir}, env...)...)}
}

const demoWords = "Demo: all values are simulated"

func TestServeHasNothingOfTheDemo(t *testing.T) {
	p := start(t, "DATABASE_URL="+dbtest.NewURL(t))
	assets, err := static.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range [][2]string{{http.MethodGet, "/dev/components"}, {http.MethodPost, "/dev/wallet"}, {http.MethodGet, "/dev/wallet"}, {http.MethodGet, "/dev"}, {http.MethodGet, assets.Path("demo-wallet.js")}} {
		if code, _ := p.Call(t, r[0], r[1], "", ""); code != http.StatusNotFound {
			t.Errorf("%s %s: %d", r[0], r[1], code)
		}
	}
	for _, path := range []string{"/?wallet=0x123", "/", "/docs"} {
		if _, b := p.Call(t, http.MethodGet, path, "", ""); !strings.Contains(string(b), "</html>") || strings.Contains(string(b), "demo-") || strings.Contains(string(b), "simulated") {
			t.Errorf("%s speaks of a demo", path)
		}
	}
}

func TestTheDemoIsAValidatorWithAYearBehindIt(t *testing.T) {
	dir := dbtest.Dir(t)
	p := startDemo(t, dir,
		"DATABASE_URL=postgres://nobody@127.0.0.1:9/none", "STARKNET_RPC=http://127.0.0.1:9", "NVML_LIBRARY=/nonexistent", "VALIDATOR_ADDRESS=0x123", "SAGE_TOKEN_ADDRESS=0x1")
	if said := p.Logged(); !strings.Contains(said, "DATABASE_URL, STARKNET_RPC, SAGE_TOKEN_ADDRESS, VALIDATOR_ADDRESS, NVML_LIBRARY") {
		t.Errorf("it does not say that it reads no real source:\n%s", said)
	}
	for _, path := range []string{"/", "/docs", "/dev/components", "/nothing"} {
		r, err := http.NewRequest(http.MethodGet, p.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept", "text/html")
		if b := body(t, r); !strings.Contains(b, demoWords) {
			t.Errorf("%s does not say that it is a demo: %.300s", path, b)
		}
	}

	var v map[string]any
	harness.Eventually(t, "everything is known", func() bool {
		v = p.Get(t, "/api/validator/status", "")
		return v["is_active"] == true && v["verdict"] != "Unknown"
	})
	for member, want := range map[string]any{"staked_amount": "13250500000000000000000", "stake_tier": "Enterprise", "consecutive_failures": 1.0, "max_consecutive_failures": 3.0, "is_eligible": true} {
		if v[member] != want {
			t.Errorf("%s is %v, want %v", member, v[member], want)
		}
	}
	for _, name := range []string{"gpu", "database", "chain"} {
		if source(v, name)["status"] != "ok" {
			t.Errorf("%s: %v", name, source(v, name))
		}
	}
	gpus, _ := p.Get(t, "/api/validator/gpus", "")["gpus"].([]any)
	if len(gpus) != 5 {
		t.Errorf("%d GPUs", len(gpus))
	}

	t.Run("its payments are compared with the chain", func(t *testing.T) {
		var classes map[string]float64
		var v map[string]any
		harness.Eventually(t, "the last weeks' payments are known", func() bool {
			v, classes = p.Get(t, "/api/validator/reconciliation", ""), map[string]float64{}
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
		path, _ := harness.Binary()
		second := exec.Command(path, "demo")
		second.Dir, second.Env = t.TempDir(), append(os.Environ(), "LISTEN=127.0.0.1:0", "DATA_DIR="+dir)
		out, err := second.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "another demo is running") {
			t.Errorf("%v: %s", err, out)
		}
		if p.Get(t, "/api/validator/status", "")["is_active"] != true {
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
		_, b := p.Call(t, http.MethodGet, "/api/contracts", "", "")
		if err := json.Unmarshal(b, &contracts); err != nil || len(contracts.Contracts) == 0 {
			t.Fatalf("%v: %s", err, b)
		}
		sent := walletAnswer[map[string]string](t, p, `{"type":"wallet_addInvokeTransaction","params":{"calls":[{"contract_address":"`+contracts.Contracts[0].Address+`","entry_point":"claim_rewards","calldata":[]}]}}`)
		if code, b := p.Call(t, http.MethodPost, "/api/worker/claim-reward", account[0], `{"tx_hash":"`+sent["transaction_hash"]+`"}`); code >= http.StatusMultipleChoices {
			t.Fatalf("%d %s", code, b)
		}
		harness.Eventually(t, "the claim is in the history", func() bool {
			rewards, _ := p.Get(t, "/api/validator/history?limit=50", "")["rewards"].([]any)
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
	code, b := p.Call(t, http.MethodPost, "/dev/wallet", "", request)
	if err := json.Unmarshal(b, &answer); err != nil || code != http.StatusOK || answer.Error != nil {
		t.Fatalf("%s: %d %s %v", request, code, b, err)
	}
	return answer.Result
}
