package devchain

import (
	"maps"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// state is everything that the contracts hold after a block. A sealed block's state is
// never written again: changes go to a clone.
type state struct {
	deployed map[validator.Address]deployment

	stakes       map[validator.Address]validator.Stake
	unstakes     map[validator.Address]unstake
	config       validator.StakingConfig
	totalStaked  validator.Wei
	totalSlashed validator.Wei

	reputations map[validator.Felt]validator.Reputation
	ranks       map[validator.Felt]uint32
	histories   map[validator.Felt][]reputationChange // oldest first; never written, only replaced

	balances   map[validator.Address]validator.Wei
	allowances map[allowance]validator.Wei

	workerIDs map[validator.Address]validator.Felt

	mining map[validator.Address]validator.MiningStats

	nonces map[validator.Address]uint64 // transactions of each account so far
}

// deployment is a contract at an address: what it is and what its class lacks.
type deployment struct {
	kind    *contract
	dropped []string // functions taken out of the class, sorted
}

func (d deployment) has(function string) bool {
	_, declared := d.kind.functions[function]
	return declared && !slices.Contains(d.dropped, function)
}

// unstake is ProverStaking's record of a request_unstake.
type unstake struct {
	amount   validator.Wei
	unlockAt int64
}

// allowance names how much of whose tokens somebody may spend.
type allowance struct{ owner, spender validator.Address }

func newState(at Contracts, wideJobIDs bool) *state {
	s := &state{
		deployed: map[validator.Address]deployment{
			at.ProverStaking:     {kind: proverStaking(at, wideJobIDs)},
			at.ReputationManager: {kind: reputationManager()},
			at.SAGEToken:         {kind: sageToken()},
			at.JobManager:        {kind: jobManager()},
		},
		config: validator.StakingConfig{
			MinStake: [validator.TierCount]validator.Wei{
				validator.WeiFromSAGE(1_000), validator.WeiFromSAGE(2_500), validator.WeiFromSAGE(5_000),
				validator.WeiFromSAGE(10_000), validator.WeiFromSAGE(25_000),
			},
			SlashBasisPoints:       [validator.SlashReasonCount]uint32{1_000, 500, 2_500, 5_000, 7_500},
			UnstakeLockup:          7 * 24 * time.Hour,
			RewardAPYBasisPoints:   1_500,
			MaxConsecutiveFailures: 3,
		},
		stakes:      make(map[validator.Address]validator.Stake),
		unstakes:    make(map[validator.Address]unstake),
		reputations: make(map[validator.Felt]validator.Reputation),
		ranks:       make(map[validator.Felt]uint32),
		histories:   make(map[validator.Felt][]reputationChange),
		balances:    make(map[validator.Address]validator.Wei),
		allowances:  make(map[allowance]validator.Wei),
		workerIDs:   make(map[validator.Address]validator.Felt),
		mining:      make(map[validator.Address]validator.MiningStats),
		nonces:      make(map[validator.Address]uint64),
	}
	if at.MiningRewards != "" {
		s.deployed[at.MiningRewards] = deployment{kind: miningRewards(at)}
		s.balances[at.MiningRewards] = validator.WeiFromSAGE(miningPool)
	}
	s.balances[Treasury] = validator.WeiFromSAGE(1_000_000)
	s.allowances[allowance{Treasury, at.ProverStaking}] = validator.WeiFromSAGE(1_000_000)
	return s
}

func (s *state) clone() *state {
	c := *s
	c.deployed = maps.Clone(s.deployed)
	c.stakes = maps.Clone(s.stakes)
	c.unstakes = maps.Clone(s.unstakes)
	c.reputations = maps.Clone(s.reputations)
	c.ranks = maps.Clone(s.ranks)
	c.histories = maps.Clone(s.histories)
	c.balances = maps.Clone(s.balances)
	c.allowances = maps.Clone(s.allowances)
	c.workerIDs = maps.Clone(s.workerIDs)
	c.mining = maps.Clone(s.mining)
	c.nonces = maps.Clone(s.nonces)
	return &c
}
