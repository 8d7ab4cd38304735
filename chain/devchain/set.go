package devchain

import (
	"slices"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// Treasury is the account that ProverStaking pays claims from. A new chain's treasury
// holds 1,000,000 SAGE and allows ProverStaking to spend all of it.
const Treasury validator.Address = "0x0000000000000000000000000000000000000000000000000000007265617375"

// Owner is the account that deployed the contracts: ProverStaking lets it slash and record
// successes, ReputationManager lets it update reputations.
const Owner validator.Address = "0x000000000000000000000000000000000000000000000000000000006f776e65"

// SetStake puts a worker's stake in ProverStaking and keeps total_staked and the contract's
// own tokens in step. No event tells of it: see Stake.
func (c *Chain) SetStake(worker validator.Address, s validator.Stake) {
	c.change(func(st *state) {
		more := s.Amount.Sub(st.stakes[worker].Amount)
		st.totalStaked = st.totalStaked.Add(more)
		st.balances[c.contracts.ProverStaking] = st.balances[c.contracts.ProverStaking].Add(more)
		st.stakes[worker] = s
	})
}

// SetConfig puts ProverStaking's configuration.
func (c *Chain) SetConfig(cfg validator.StakingConfig) {
	c.change(func(st *state) { st.config = cfg })
}

// SetReputation puts the reputation that ReputationManager has under an id: a wallet's
// address as a felt, or a worker id of JobManager.
func (c *Chain) SetReputation(id validator.Felt, r validator.Reputation) {
	c.change(func(st *state) { st.reputations[id] = r })
}

// SetRank puts ReputationManager's rank of an id; 0 is unranked.
func (c *Chain) SetRank(id validator.Felt, rank uint32) {
	c.change(func(st *state) { st.ranks[id] = rank })
}

// SetBalance puts an account's balance of SAGE.
func (c *Chain) SetBalance(owner validator.Address, amount validator.Wei) {
	c.change(func(st *state) { st.balances[owner] = amount })
}

// SetAllowance puts how much SAGE of owner's the spender may transfer.
func (c *Chain) SetAllowance(owner, spender validator.Address, amount validator.Wei) {
	c.change(func(st *state) { st.allowances[allowance{owner, spender}] = amount })
}

// SetWorkerID puts the id under which JobManager knows a wallet.
func (c *Chain) SetWorkerID(wallet validator.Address, id validator.Felt) {
	c.change(func(st *state) { st.workerIDs[wallet] = id })
}

// Undeploy takes a contract off the chain.
func (c *Chain) Undeploy(at validator.Address) {
	c.change(func(st *state) { delete(st.deployed, at) })
}

// DropFunction replaces a contract's class with one that lacks the function.
func (c *Chain) DropFunction(at validator.Address, function string) {
	c.change(func(st *state) {
		d, ok := st.deployed[at]
		if !ok || slices.Contains(d.dropped, function) {
			return
		}
		d.dropped = append(slices.Clone(d.dropped), function)
		slices.Sort(d.dropped)
		st.deployed[at] = d
	})
}

// RestoreFunctions replaces a contract's class with the one that lacks nothing.
func (c *Chain) RestoreFunctions(at validator.Address) {
	c.change(func(st *state) {
		if d, ok := st.deployed[at]; ok {
			d.dropped = nil
			st.deployed[at] = d
		}
	})
}

// Deploy puts a contract without functions at an address, from the next block on. What it
// emits is up to Emit.
func (c *Chain) Deploy(at validator.Address) {
	c.change(func(s *state) { s.deployed[at] = deployment{kind: &contract{name: "another"}} })
}
