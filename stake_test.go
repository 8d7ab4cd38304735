package main

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/bitsage-network/validator-dashboard/db/dbtest"
	"github.com/bitsage-network/validator-dashboard/validator"
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
	c.Slash(wallet, validator.SlashTimeout, jobFelt("4711"))
	c.Mine()
	c.RequestUnstake(wallet, validator.WeiFromSAGE(750))
	c.Mine()
	p := start(t, append(env, "DATABASE_URL="+dbtest.NewURL(t), "VALIDATOR_ADDRESS="+string(wallet))...)
	var page string
	eventually(t, "the stake with its history", func() bool {
		_, b := p.call(t, http.MethodGet, "/stake", "", "")
		page = text(b)
		return strings.Contains(page, "unstake requested") && strings.Contains(page, "Least stake of each tier")
	})
	for what, want := range map[string]string{
		"the stake after a slash of 5 %":     "11,875 SAGE",
		"what is in the wallet":              "7,500 SAGE",
		"the slash with its reason and job":  "625 SAGE",
		"the job of the slash":               "Timeout , job 4711",
		"the first stake":                    "As Enterprise, 12,500 SAGE in all",
		"when the unstake is free":           "Free to take out in ",
		"the cost of one more timeout":       "Timeout 5 % 593.75 SAGE 11,281.25 SAGE stays active",
		"a slash that deactivates":           "Benchmark fraud 75 % 8,906.25 SAGE 2,968.75 SAGE deactivates: 7,031.25 SAGE short",
		"the distance from another tier":     "Frontier 25,000 SAGE 13,125 SAGE below",
		"the own tier":                       "Enterprise (staked as this) 10,000 SAGE 1,875 SAGE above",
		"the lockup":                         "An unstake is locked for 7 d",
		"why it is still at risk of a slash": "Of it being unstaked, still slashable",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is missing: %q in\n%s", what, want, page)
			break
		}
	}
	_, dashboard := p.call(t, http.MethodGet, "/", "", "")
	if !strings.Contains(string(dashboard), `href="/stake"`) {
		t.Error("the dashboard does not lead to the stake's page")
	}
	_, never := p.call(t, http.MethodGet, "/stake?wallet=0xb0b", "", "")
	if said := text(never); !strings.Contains(said, "This wallet has never staked.") || !strings.Contains(said, "Nothing is staked") {
		t.Errorf("of a wallet that never staked it says %s", said)
	}
}
