package devchain

import "github.com/bitsage-network/validator-dashboard/validator"

// What MiningRewards' constants are, in whole SAGE.
const (
	miningPool    = 5_000_000 // that it may distribute
	miningPerJob  = 2         // for a job, before the tier's multiplier
	secondsPerDay = 86_400
)

// miningTiers are the contract's tiers by the least stake: what a job's reward is multiplied
// by, in percent, and how much of it a day may have.
var miningTiers = [validator.MiningTierCount]struct{ leastStake, percent, dailyCap int64 }{
	{0, 100, 50}, {1_000, 110, 100}, {5_000, 125, 150}, {10_000, 150, 200}, {25_000, 200, 300},
}

// miningRewards is the MiningRewards contract. It pushes a reward for each job, up to a cap
// for each worker and UTC day, and tells of none by an event that anybody has documented.
func miningRewards(at Contracts) *contract {
	return &contract{name: "MiningRewards", functions: map[string]function{
		"get_worker_stats": view(func(s *state, args []validator.Felt) []validator.Felt {
			m := s.mining[validator.Address(args[0])]
			return felts(m.Jobs, m.Earned, m.Day, m.DayJobs, m.DayEarned, m.First, m.Last)
		}, addressInput("worker")),
		"get_remaining_cap": {inputs: []input{addressInput("worker")}, view: true, run: func(x *execution, args []validator.Felt) ([]validator.Felt, error) {
			return felts(x.miningLeft(validator.Address(args[0]))), nil
		}},
		"get_stake_tier": view(func(s *state, args []validator.Felt) []validator.Felt {
			return felts(uint64(s.miningTier(validator.Address(args[0]))))
		}, addressInput("worker")),
		"record_job": write(func(x *execution, args []validator.Felt) ([]validator.Felt, error) {
			return nil, x.rewardJob(at, validator.Address(args[0]))
		}, addressInput("worker")),
	}}
}

// miningTier is the highest tier that a worker's stake reaches.
func (s *state) miningTier(worker validator.Address) validator.MiningTier {
	reached := validator.MiningTierNone
	for t := range validator.MiningTierCount {
		if s.stakes[worker].Amount.Cmp(validator.WeiFromSAGE(miningTiers[t].leastStake)) >= 0 {
			reached = t
		}
	}
	return reached
}

// miningLeft is what the worker may still get on the block's day.
func (x *execution) miningLeft(worker validator.Address) validator.Wei {
	most := validator.WeiFromSAGE(miningTiers[x.state.miningTier(worker)].dailyCap)
	m := x.state.mining[worker]
	switch {
	case m.Day != uint64(x.now)/secondsPerDay:
		return most
	case m.DayEarned.Cmp(most) >= 0:
		return validator.Wei{}
	}
	return most.Sub(m.DayEarned)
}

// rewardJob is record_job(worker): it pays a job's reward out of the contract's own tokens,
// and counts the job even where the day's cap leaves nothing to pay.
func (x *execution) rewardJob(at Contracts, worker validator.Address) error {
	if !x.mayJudge(at) {
		return panicked("Unauthorized")
	}
	const percent = 100
	reward := validator.WeiFromSAGE(miningPerJob * miningTiers[x.state.miningTier(worker)].percent / percent)
	if left := x.miningLeft(worker); left.Cmp(reward) < 0 {
		reward = left
	}
	m := x.state.mining[worker]
	if today := uint64(x.now) / secondsPerDay; m.Day != today {
		m.Day, m.DayJobs, m.DayEarned = today, 0, validator.Wei{}
	}
	if m.Jobs == 0 {
		m.First = uint64(x.now)
	}
	m.Jobs, m.DayJobs, m.Last = m.Jobs+1, m.DayJobs+1, uint64(x.now)
	m.Earned, m.DayEarned = m.Earned.Add(reward), m.DayEarned.Add(reward)
	x.state.mining[worker] = m
	if reward.Sign() == 0 {
		return nil
	}
	return x.transfer(at.SAGEToken, at.MiningRewards, worker, reward)
}

// RewardJob queues MiningRewards' reward for a job that a worker completed, and returns the
// transaction's hash.
func (c *Chain) RewardJob(worker validator.Address) validator.Felt {
	return c.Invoke(Owner, Call{To: c.contracts.MiningRewards, Function: "record_job", Calldata: felts(worker.Felt())})
}

// SetMining puts what MiningRewards has counted of a worker. No token moves.
func (c *Chain) SetMining(worker validator.Address, m validator.MiningStats) {
	c.change(func(st *state) { st.mining[worker] = m })
}
