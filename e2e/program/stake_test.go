package program

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/e2e/harness"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// Two jobs' numbers as contracts take them.
const (
	job4710 validator.Felt = "0x0000000000000000000000000000000000000000000000000000000000001266"
	job4711 validator.Felt = "0x0000000000000000000000000000000000000000000000000000000000001267"
)

// text is what a page says, without its markup.
func text(page []byte) string {
	plain := regexp.MustCompile(`(?s)<svg.*?</svg>|<[^>]*>`).ReplaceAllString(string(page), " ")
	return strings.Join(strings.Fields(strings.NewReplacer("&nbsp;", " ", "\u00a0", " ", "&#39;", "'").Replace(plain)), " ")
}

func TestTheStakePageTellsWhatHappenedAndWhatASlashWouldCost(t *testing.T) {
	c, env := devnet(t)
	c.SetBalance(wallet, validator.WeiFromSAGE(20_000))
	c.Stake(wallet, validator.WeiFromSAGE(12_500), validator.TierEnterprise)
	c.Mine()
	c.Slash(wallet, validator.SlashTimeout, job4711)
	c.Mine()
	c.RequestUnstake(wallet, validator.WeiFromSAGE(750))
	c.Mine()
	p := start(t, append(env, "DATABASE_URL="+dbtest.NewURL(t), "VALIDATOR_ADDRESS="+string(wallet))...)
	var page string
	harness.Eventually(t, "the stake with its history", func() bool {
		_, b := p.Call(t, http.MethodGet, "/stake", "", "")
		page = text(b)
		return strings.Contains(page, "unstake requested") && strings.Contains(page, "Least stake of each tier")
	})
	for what, want := range map[string]string{
		"the stake after a slash of 5 %":     "11,875 SAGE",
		"what is in the wallet":              "7,500 SAGE",
		"the slash with its reason and job":  "625 SAGE",
		"the job of the slash":               "Timeout · job 4711",
		"the first stake":                    "As Enterprise, 12,500 SAGE in all",
		"when the unstake is free":           "Free to take out in ",
		"the cost of one more timeout":       "Timeout 5 % 593.75 SAGE 11,281.25 SAGE stays active",
		"a slash that deactivates":           "Benchmark fraud 75 % 8,906.25 SAGE 2,968.75 SAGE deactivates: 7,031.25 SAGE short",
		"the distance from another tier":     "Frontier 25,000 SAGE 13,125 SAGE below",
		"the own tier":                       "Enterprise (staked as this) 10,000 SAGE 1,875 SAGE above",
		"the lockup":                         "An unstake is locked for 7 d",
		"why it is still at risk of a slash": "Still slashable until it is taken out",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is missing: %q in\n%s", what, want, page)
			break
		}
	}
	if !strings.Contains(page, "MiningRewards has no address: set MINING_REWARDS_ADDRESS.") {
		t.Errorf("it does not say in a line that MiningRewards is not configured: %s", page)
	}
	_, dashboard := p.Call(t, http.MethodGet, "/", "", "")
	if !strings.Contains(string(dashboard), `href="/stake"`) {
		t.Error("the dashboard does not lead to the stake's page")
	}
	_, never := p.Call(t, http.MethodGet, "/stake?wallet=0xb0b", "", "")
	if said := text(never); !strings.Contains(said, "This wallet has never staked.") || !strings.Contains(said, "Nothing is staked") {
		t.Errorf("of a wallet that never staked it says %s", said)
	}
}

func TestTheStakePageTellsOfReputationAndMining(t *testing.T) {
	c := devchain.New(devchain.Config{MiningRewards: true})
	srv := httptest.NewServer(devchain.NewNode(c))
	t.Cleanup(srv.Close)
	at := c.Contracts()
	const id = validator.Felt("0x0000000000000000000000000000000000000000000000000000000000000077")
	c.SetBalance(wallet, validator.WeiFromSAGE(20_000))
	c.SetWorkerID(wallet, id)
	c.SetReputation(id, validator.Reputation{Score: 600, Level: 3, LastUpdated: time.Now().Add(-time.Hour)})
	c.SetRank(id, 1)
	c.Stake(wallet, validator.WeiFromSAGE(12_500), validator.TierEnterprise)
	c.Mine()
	c.Succeed(wallet, job4710)
	c.RewardJob(wallet)
	c.Mine()
	c.Slash(wallet, validator.SlashTimeout, job4711)
	c.Mine()
	p := start(t, "STARKNET_RPC="+srv.URL, "PROVER_STAKING_ADDRESS="+string(at.ProverStaking), "REPUTATION_MANAGER_ADDRESS="+string(at.ReputationManager),
		"SAGE_TOKEN_ADDRESS="+string(at.SAGEToken), "JOB_MANAGER_ADDRESS="+string(at.JobManager), "MINING_REWARDS_ADDRESS="+string(at.MiningRewards),
		"DATABASE_URL="+dbtest.NewURL(t), "VALIDATOR_ADDRESS="+string(wallet))
	var page []byte
	var said string
	harness.Eventually(t, "the changes of the reputation", func() bool {
		_, page = p.Call(t, http.MethodGet, "/stake", "", "")
		said = text(page)
		return strings.Contains(said, "600 → 615")
	})
	for what, want := range map[string]string{
		"the score":                      "515 of 1000",
		"the rank":                       "Rank : where it comes from 1 of 1",
		"the jobs":                       "Successful : where it comes from 1",
		"why it fell":                    "A slash , job 4711 −100 615 → 515",
		"why it rose":                    "A job completed , job 4710 +15 600 → 615",
		"what of the day's cap is used":  "3 SAGE of 200 SAGE",
		"what is left of it":             "197 SAGE",
		"the tier of the mining rewards": "Gold",
		"that nothing there is claimed":  "nothing there is claimable",
		"what all workers were slashed":  "Slashed of all workers : where it comes from 625 SAGE",
	} {
		if !strings.Contains(said, want) {
			t.Errorf("%s is missing: %q in\n%s", what, want, said)
		}
	}
	if _, earned := p.Call(t, http.MethodGet, "/earnings", "", ""); !strings.Contains(text(earned), "Paid by MiningRewards : where it comes from 3 SAGE") {
		t.Errorf("the earnings do not tell what was mined:\n%s", text(earned))
	}
	explained := 0
	for _, u := range origins(page) {
		if code, answer := p.Call(t, http.MethodGet, u, "", ""); code != http.StatusOK || !strings.Contains(string(answer), "Source") {
			t.Errorf("%s: %d %s", u, code, answer)
		}
		if strings.Contains(u, "of=mining.") || strings.Contains(u, "of=reputation") {
			explained++
		}
	}
	if explained < 10 {
		t.Errorf("%d figures of reputation and mining tell where they come from", explained)
	}
	v := p.Get(t, "/api/validator/reputation?limit=1", string(wallet))
	changes, _ := v["changes"].([]any)
	if v["score"] != 515.0 || v["worker_id"] != string(id) || len(changes) != 1 || changes[0].(map[string]any)["reason_words"] != "a slash" || v["next_before"] == nil {
		t.Errorf("the API says %v", v)
	}
}
