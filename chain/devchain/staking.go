package devchain

import (
	"math/big"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// proverStaking is the ProverStaking contract.
func proverStaking(at Contracts, wideJobIDs bool) *contract {
	tier := enumInput("gpu_tier", "sage_contracts::staking::prover_staking::GpuTier")
	reason := enumInput("reason", "sage_contracts::staking::prover_staking::SlashReason")
	jobID, abi := feltInput("job_id"), proverStakingABI
	if wideJobIDs {
		jobID, abi = u256Input("job_id"), withWideJobIDs(abi)
	}
	return &contract{name: "ProverStaking", abi: abi, functions: map[string]function{
		"get_stake":     view(viewStake, addressInput("worker")),
		"is_eligible":   view(viewEligible, addressInput("worker")),
		"get_config":    view(func(s *state, _ []validator.Felt) []validator.Felt { return feltsOfConfig(s.config) }),
		"get_min_stake": {inputs: []input{tier}, view: true, run: viewMinStake},
		"total_staked":  view(func(s *state, _ []validator.Felt) []validator.Felt { return felts(s.totalStaked) }),
		"total_slashed": view(func(s *state, _ []validator.Felt) []validator.Felt { return felts(s.totalSlashed) }),

		"stake": write(func(x *execution, args []validator.Felt) ([]validator.Felt, error) {
			return nil, x.stake(at, args)
		}, u256Input("amount"), tier),
		"request_unstake": write(func(x *execution, args []validator.Felt) ([]validator.Felt, error) {
			return nil, x.requestUnstake(args)
		}, u256Input("amount")),
		"complete_unstake": write(func(x *execution, _ []validator.Felt) ([]validator.Felt, error) {
			return nil, x.completeUnstake(at)
		}),
		"claim_rewards": write(func(x *execution, _ []validator.Felt) ([]validator.Felt, error) {
			return x.claimRewards(at)
		}),
		"slash": write(func(x *execution, args []validator.Felt) ([]validator.Felt, error) {
			return nil, x.slash(at, args)
		}, addressInput("worker"), reason, jobID),
		"record_success": write(func(x *execution, args []validator.Felt) ([]validator.Felt, error) {
			return nil, x.recordSuccess(at, args)
		}, addressInput("worker"), jobID),
	}}
}

func viewStake(s *state, args []validator.Felt) []validator.Felt {
	return feltsOfStake(s.stakes[validator.Address(args[0])])
}

func feltsOfStake(k validator.Stake) []validator.Felt {
	return felts(k.Amount, k.LockedAmount, k.StakedAt, k.LastClaimAt, uint64(k.Tier), k.Active,
		k.ConsecutiveFailures, k.TotalSlashed, k.PendingRewards)
}

func feltsOfConfig(c validator.StakingConfig) []validator.Felt {
	var out []validator.Felt
	for _, w := range c.MinStake {
		out = append(out, felts(w)...)
	}
	for _, bps := range c.SlashBasisPoints {
		out = append(out, felts(bps)...)
	}
	return append(out, felts(uint64(c.UnstakeLockup/time.Second), c.RewardAPYBasisPoints, c.MaxConsecutiveFailures)...)
}

func viewEligible(s *state, args []validator.Felt) []validator.Felt {
	k := s.stakes[validator.Address(args[0])]
	return felts(k.Active && k.Amount.Cmp(s.config.MinStake[k.Tier]) >= 0 &&
		k.ConsecutiveFailures < s.config.MaxConsecutiveFailures)
}

func viewMinStake(x *execution, args []validator.Felt) ([]validator.Felt, error) {
	tier := args[0].Big()
	if !tier.IsInt64() || tier.Int64() >= int64(validator.TierCount) {
		return nil, badParam(1)
	}
	return felts(x.state.config.MinStake[tier.Int64()]), nil
}

func (x *execution) stake(at Contracts, args []validator.Felt) error {
	amount, ok := u256Of(args[0], args[1])
	tier := args[2].Big()
	if !ok || !tier.IsInt64() || tier.Int64() >= int64(validator.TierCount) {
		return badParam(1)
	}
	k := x.state.stakes[x.caller]
	total := k.Amount.Add(amount)
	if total.Cmp(x.state.config.MinStake[tier.Int64()]) < 0 {
		return panicked("Insufficient stake for tier")
	}
	if err := x.transferFrom(at.SAGEToken, at.ProverStaking, x.caller, at.ProverStaking, amount); err != nil {
		return err
	}
	if k.Amount.Sign() > 0 {
		k.PendingRewards = k.PendingRewards.Add(x.rewards(k))
	}
	now := time.Unix(x.now, 0).UTC()
	k.Amount, k.Tier, k.Active, k.LastClaimAt = total, validator.Tier(tier.Int64()), true, now
	if k.StakedAt.IsZero() {
		k.StakedAt = now
	}
	x.state.stakes[x.caller] = k
	x.state.totalStaked = x.state.totalStaked.Add(amount)
	x.emit([]validator.Felt{selector("Staked"), x.caller.Felt()}, felts(amount, args[2], total))
	return nil
}

func (x *execution) requestUnstake(args []validator.Felt) error {
	amount, ok := u256Of(args[0], args[1])
	if !ok {
		return badParam(1)
	}
	k := x.state.stakes[x.caller]
	switch {
	case k.Amount.Cmp(amount) < 0:
		return panicked("Insufficient stake")
	case k.LockedAmount.Sign() != 0:
		return panicked("Pending unstake exists")
	}
	k.LockedAmount = amount
	u := unstake{amount, x.now + int64(x.state.config.UnstakeLockup/time.Second)}
	x.state.stakes[x.caller], x.state.unstakes[x.caller] = k, u
	x.emit([]validator.Felt{selector("UnstakeRequested"), x.caller.Felt()}, felts(amount, uint64(u.unlockAt)))
	return nil
}

func (x *execution) completeUnstake(at Contracts) error {
	u := x.state.unstakes[x.caller]
	switch {
	case u.amount.Sign() == 0:
		return panicked("No pending unstake")
	case x.now < u.unlockAt:
		return panicked("Lockup not expired")
	}
	k := x.state.stakes[x.caller]
	if k.Amount.Cmp(u.amount) < 0 {
		return panicked("u256_sub Overflow")
	}
	k.Amount, k.LockedAmount = k.Amount.Sub(u.amount), validator.Wei{}
	if k.Amount.Cmp(x.state.config.MinStake[k.Tier]) < 0 {
		k.Active = false
	}
	if err := x.transfer(at.SAGEToken, at.ProverStaking, x.caller, u.amount); err != nil {
		return err
	}
	x.state.stakes[x.caller] = k
	delete(x.state.unstakes, x.caller)
	x.state.totalStaked = x.state.totalStaked.Sub(u.amount)
	x.emit([]validator.Felt{selector("UnstakeCompleted"), x.caller.Felt()}, felts(u.amount))
	return nil
}

func (x *execution) claimRewards(at Contracts) ([]validator.Felt, error) {
	k := x.state.stakes[x.caller]
	total := k.PendingRewards.Add(x.rewards(k))
	if total.Sign() == 0 {
		return nil, panicked("No rewards to claim")
	}
	k.PendingRewards, k.LastClaimAt = validator.Wei{}, time.Unix(x.now, 0).UTC()
	x.state.stakes[x.caller] = k
	if err := x.transferFrom(at.SAGEToken, at.ProverStaking, Treasury, x.caller, total); err != nil {
		return nil, err
	}
	x.emit([]validator.Felt{selector("RewardsClaimed"), x.caller.Felt()}, felts(total))
	return felts(total), nil
}

// rewards is the contract's own: amount * apy * elapsed / (10000 * 31536000).
func (x *execution) rewards(k validator.Stake) validator.Wei {
	elapsed := x.now
	if !k.LastClaimAt.IsZero() {
		elapsed -= k.LastClaimAt.Unix()
	}
	if elapsed <= 0 {
		return validator.Wei{}
	}
	v := k.Amount.Big()
	v.Mul(v, new(big.Int).SetUint64(uint64(x.state.config.RewardAPYBasisPoints)))
	v.Mul(v, big.NewInt(elapsed))
	return validator.WeiFromBig(v.Div(v, big.NewInt(10_000*31_536_000)))
}
