package chain_test

import (
	"slices"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

func byName(t *testing.T, checks []validator.ContractCheck, name string) validator.ContractCheck {
	t.Helper()
	for _, c := range checks {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("%s is not among %+v", name, checks)
	return validator.ContractCheck{}
}

func TestContractsAreCheckedAgainstWhatIsCalled(t *testing.T) {
	r := newRig(t, 1)
	k := r.chain.Contracts()
	r.chain.DropFunction(k.ProverStaking, "claim_rewards")
	r.chain.DropFunction(k.ProverStaking, "get_config")
	r.chain.Undeploy(k.JobManager)
	r.chain.Mine()
	r.run(t)
	checks := r.checked(t)
	names := []string{"ProverStaking", "ReputationManager", "SAGEToken", "JobManager", "MiningRewards", "PaymentRouter"}
	if got := func() (n []string) {
		for _, c := range checks {
			n = append(n, c.Name)
		}
		return n
	}(); !slices.Equal(got, names) {
		t.Fatalf("contracts %v, want %v", got, names)
	}
	staking := byName(t, checks, "ProverStaking")
	if staking.Status != validator.ContractIncompatible || !slices.Equal(staking.MissingFunctions, []string{"get_config", "claim_rewards"}) ||
		staking.Reason != "Its class lacks get_config, claim_rewards, which this program needs." || staking.ClassHash == "" {
		t.Errorf("%+v", staking)
	}
	if c := byName(t, checks, "ReputationManager"); c.Status != validator.ContractOK || c.Reason != "" || c.ClassHash == "" || c.Address != k.ReputationManager {
		t.Errorf("%+v", c)
	}
	if c := byName(t, checks, "SAGEToken"); c.Status != validator.ContractOK {
		t.Errorf("%+v", c)
	}
	if c := byName(t, checks, "JobManager"); c.Status != validator.ContractNotDeployed ||
		c.Reason != "There is no contract at "+k.JobManager.Abbreviated()+" on sepolia." {
		t.Errorf("%+v", c)
	}
	if c := byName(t, checks, "MiningRewards"); c.Status != validator.ContractNotConfigured {
		t.Errorf("%+v", c)
	}
}

func TestContractsAreUncheckedUntilANodeAnswers(t *testing.T) {
	r := newRig(t, 1)
	r.breaks(0, devchain.Faults{Mode: devchain.HTML})
	r.run(t)
	eventually(t, "the reason is shown", func() bool {
		c := byName(t, r.client.Contracts(), "ProverStaking")
		return c.Status == validator.ContractUnchecked && c.Reason != "It has not been checked yet."
	})
	r.nodes[0].Heal()
	if c := byName(t, r.checked(t), "ProverStaking"); c.Status != validator.ContractOK {
		t.Errorf("%+v", c)
	}
}

func TestAnotherNetworksContractsAreNotTaken(t *testing.T) {
	r := newRig(t, 1)
	r.breaks(0, devchain.Faults{ChainID: "SN_MAIN"})
	r.run(t)
	eventually(t, "a check was tried", func() bool { return r.nodes[0].Counters().Methods["starknet_getClassHashAt"] > 0 })
	if c := byName(t, r.client.Contracts(), "ProverStaking"); c.Status != validator.ContractUnchecked {
		t.Errorf("%+v", c)
	}
}

func TestContractsAreCheckedAgainAndClassesFetchedOnce(t *testing.T) {
	r := newRig(t, 1, func(c *chain.Config) { c.CheckInterval = 5 * time.Millisecond })
	r.run(t)
	r.checked(t)
	node := r.nodes[0]
	eventually(t, "ten checks were made", func() bool { return node.Counters().Methods["starknet_getClassHashAt"] > 40 })
	if n := node.Counters().Methods["starknet_getClassAt"]; n != 4 {
		t.Errorf("4 unchanged classes were fetched %d times", n)
	}
	r.chain.DropFunction(r.chain.Contracts().SAGEToken, "balance_of")
	r.chain.Mine()
	eventually(t, "the replaced class is found", func() bool {
		c := byName(t, r.client.Contracts(), "SAGEToken")
		return c.Status == validator.ContractIncompatible && slices.Equal(c.MissingFunctions, []string{"balance_of"})
	})
	r.breaks(0, devchain.Faults{Mode: devchain.Garbage})
	node.ResetCounters()
	eventually(t, "checks fail", func() bool { return node.Counters().Requests > 20 })
	if c := byName(t, r.client.Contracts(), "SAGEToken"); c.Status != validator.ContractIncompatible {
		t.Errorf("a check that failed threw away what was known: %+v", c)
	}
}
