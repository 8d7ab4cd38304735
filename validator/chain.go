package validator

import "time"

// Block names the block that a group of chain reads is pinned to.
type Block struct {
	Number uint64
	Hash   Felt
	Time   time.Time // the block's own timestamp, whole seconds
}

// ContractCall is how a chain value was read, so that anyone can repeat it.
type ContractCall struct {
	Contract Address
	Function string
	Calldata []Felt
	Result   []Felt // the raw answer; nil if there was none
}

// ChainRead is one decoded view of a contract with the call it came from.
type ChainRead[T any] struct {
	Maybe[T]

	Call ContractCall
}

// ChainSnapshot is everything that the chain says of one wallet at one block.
type ChainSnapshot struct {
	Address    Address
	State      SourceState
	Block      Block     // of every read below that is a ChainRead
	ObservedAt time.Time // when the batch was answered; zero if none ever was

	Stake          ChainRead[Stake]      // ProverStaking.get_stake
	Eligible       ChainRead[bool]       // ProverStaking.is_eligible
	Reputation     ChainRead[Reputation] // ReputationManager.get_reputation
	ReputationRank ChainRead[uint32]     // ReputationManager.get_worker_rank; 0 = unranked
	WalletBalance  ChainRead[Wei]        // SAGEToken.balance_of(wallet)
	Mining         MiningReads
	Network        ChainNetwork

	// StakeEvents are ProverStaking's events of the wallet, newest first. They are read apart
	// from the block's other reads, once and again after the stake changed.
	StakeEvents      Maybe[[]StakeEvent]
	StakeEventsQuery EventQuery
}

// ChainNetwork is what the chain says of the network as a whole at one block.
type ChainNetwork struct {
	State       SourceState
	Block       Block
	ObservedAt  time.Time
	Config      ChainRead[StakingConfig] // ProverStaking.get_config
	TotalStaked ChainRead[Wei]           // ProverStaking.total_staked

	TotalSlashed ChainRead[Wei]               // ProverStaking.total_slashed
	Reputation   ChainRead[ReputationNetwork] // ReputationManager.get_network_stats
}

// Stake is ProverStaking.get_stake(worker). A worker that never staked reads all zero:
// Registered is false then.
type Stake struct {
	Amount              Wei
	LockedAmount        Wei // under unstake: still slashable
	StakedAt            time.Time
	LastClaimAt         time.Time
	Tier                Tier
	Active              bool
	ConsecutiveFailures uint32
	TotalSlashed        Wei
	PendingRewards      Wei // without what has accrued since LastClaimAt
}

// Registered says whether the worker has ever staked.
func (s Stake) Registered() bool { return !s.StakedAt.IsZero() }

// StakingConfig is ProverStaking.get_config().
type StakingConfig struct {
	MinStake               [TierCount]Wei // by Tier
	SlashBasisPoints       [SlashReasonCount]uint32
	UnstakeLockup          time.Duration
	RewardAPYBasisPoints   uint32
	MaxConsecutiveFailures uint32
}

// SlashReason is why ProverStaking slashes.
type SlashReason int

// The reasons, by their index in the contract's enum.
const (
	SlashInvalidProof SlashReason = iota
	SlashTimeout
	SlashRepeatedFailures
	SlashMalicious
	SlashBenchmarkFraud // claimed another GPU than it has
	SlashReasonCount
)

// String returns the reason in words.
func (r SlashReason) String() string {
	switch r {
	case SlashInvalidProof:
		return "invalid proof"
	case SlashTimeout:
		return "timeout"
	case SlashRepeatedFailures:
		return "repeated failures"
	case SlashMalicious:
		return "malicious behaviour"
	case SlashBenchmarkFraud:
		return "benchmark fraud"
	case SlashReasonCount:
	}
	return "unknown reason"
}

// Reputation is ReputationManager.get_reputation(id).
type Reputation struct {
	Score       uint32 // 0 to 1000
	Level       uint32 // 1 to 5; 0 only while not Initialised
	LastUpdated time.Time
	TotalJobs   uint64
	Successful  uint64
	Failed      uint64
	Disputes    uint64
	Slashes     uint64
}

// Initialised says whether the contract knows this worker at all: an answer of all
// zeros means that it does not, which is no score of 0.
func (r Reputation) Initialised() bool { return r != Reputation{} }
