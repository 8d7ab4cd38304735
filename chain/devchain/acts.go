package devchain

import "github.com/bitsage-network/validator-dashboard/validator"

// Stake queues a wallet's approval of its tokens and ProverStaking.stake(), as wallets send
// them, and returns the transaction's hash.
func (c *Chain) Stake(wallet validator.Address, amount validator.Wei, tier validator.Tier) validator.Felt {
	k := c.contracts
	return c.Invoke(wallet,
		Call{To: k.SAGEToken, Function: "approve", Calldata: felts(k.ProverStaking.Felt(), amount)},
		Call{To: k.ProverStaking, Function: "stake", Calldata: felts(amount, uint64(tier))})
}

// RequestUnstake queues a wallet's ProverStaking.request_unstake() and returns the hash.
func (c *Chain) RequestUnstake(wallet validator.Address, amount validator.Wei) validator.Felt {
	return c.Invoke(wallet, Call{To: c.contracts.ProverStaking, Function: "request_unstake", Calldata: felts(amount)})
}

// CompleteUnstake queues a wallet's ProverStaking.complete_unstake() and returns the hash.
func (c *Chain) CompleteUnstake(wallet validator.Address) validator.Felt {
	return c.Invoke(wallet, Call{To: c.contracts.ProverStaking, Function: "complete_unstake"})
}

// ClaimRewards queues a wallet's ProverStaking.claim_rewards() and returns the hash.
func (c *Chain) ClaimRewards(wallet validator.Address) validator.Felt {
	return c.Invoke(wallet, Call{To: c.contracts.ProverStaking, Function: "claim_rewards"})
}

// Slash queues the network's slash of a worker for a job and what it does to the worker's
// reputation, if that has one, and returns the transaction's hash. It is reverted where the
// contract refuses: a slash of 10,000 SAGE and more is.
func (c *Chain) Slash(worker validator.Address, reason validator.SlashReason, jobID validator.Felt) validator.Felt {
	return c.Invoke(Owner,
		Call{To: c.contracts.ProverStaking, Function: "slash", Calldata: felts(worker.Felt(), uint64(reason), c.jobID(jobID))},
		c.updateReputation(worker, slashedPoints, ReputationSlashed, jobID))
}

// Succeed queues the network's record of a job that a worker completed: no failure counts
// any more, and the reputation rises. It returns the transaction's hash.
func (c *Chain) Succeed(worker validator.Address, jobID validator.Felt) validator.Felt {
	return c.Invoke(Owner,
		Call{To: c.contracts.ProverStaking, Function: "record_success", Calldata: felts(worker.Felt(), c.jobID(jobID))},
		c.updateReputation(worker, jobDonePoints, ReputationJobCompleted, jobID))
}

// Fail queues what a failed job does to a worker's reputation. Only a slash counts as a
// failure in ProverStaking.
func (c *Chain) Fail(worker validator.Address, jobID validator.Felt) validator.Felt {
	return c.Invoke(Owner, c.updateReputation(worker, jobFailPoints, ReputationJobFailed, jobID))
}

// IntroduceWorker queues the beginning of a worker's reputation, 500 of 1000, under its
// wallet's address. A worker that has none gains and loses none.
func (c *Chain) IntroduceWorker(worker validator.Address) validator.Felt {
	return c.Invoke(Owner, Call{To: c.contracts.ReputationManager, Function: "initialize_reputation", Calldata: felts(worker.Felt())})
}

// AdjustReputation queues a change of a worker's score for a reason that is no job's, and
// returns the transaction's hash. The score stays between 0 and 1000.
func (c *Chain) AdjustReputation(worker validator.Address, delta int32, reason ReputationReason) validator.Felt {
	return c.Invoke(Owner, c.updateReputation(worker, delta, reason, ""))
}

// updateReputation is the call of update_reputation under the id by which ReputationManager
// knows the worker: JobManager's if that is set, else its address. A jobID of "" is none.
func (c *Chain) updateReputation(worker validator.Address, delta int32, reason ReputationReason, jobID validator.Felt) Call {
	c.mu.RLock()
	id, ok := c.working.workerIDs[worker]
	if ok {
		ok = c.working.reputations[id].Initialised()
	}
	c.mu.RUnlock()
	if !ok {
		id = worker.Felt()
	}
	job := felts(uint64(1))
	if jobID != "" {
		job = felts(uint64(0), validator.WeiFromBig(jobID.Big()))
	}
	return Call{To: c.contracts.ReputationManager, Function: "update_reputation",
		Calldata: felts(id, feltOfInt(int64(delta)), uint64(reason), job)}
}

// jobID writes a job's id as this chain's ProverStaking takes it.
func (c *Chain) jobID(id validator.Felt) []validator.Felt {
	if c.cfg.WideJobIDs {
		return felts(validator.WeiFromBig(id.Big()))
	}
	return []validator.Felt{id}
}
