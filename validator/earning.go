package validator

import "time"

// RewardKind says where an earning came from. Claims carry their claim_type as it is
// in the database; a payment for a job is RewardJob.
type RewardKind string

// The kinds that the database accepts for claims, and the kind of a job's payment.
const (
	RewardJob     RewardKind = "job"
	RewardStaking RewardKind = "staking"
	RewardMining  RewardKind = "mining"
	RewardBonus   RewardKind = "bonus"
)

// Earning is one payment: a completed job's, or a confirmed claim.
type Earning struct {
	At          time.Time
	Amount      Wei
	Kind        RewardKind
	JobID       string // "" for claims
	Claim       int64  // the claim's number in the database; 0 for jobs
	TxHash      Felt   // "" if not recorded
	BlockNumber *uint64
	Price       *ClaimPrice // of one SAGE when the claim arrived; nil if not recorded

	SelfReported bool // only the worker itself tells of its job
}

// Earnings are a worker's totals. A claim of kind job pays out what jobs had earned, so
// it is not counted a second time.
type Earnings struct {
	Total    Wei
	FromJobs Wei
	// SelfReported is what of FromJobs only the worker itself tells of, and SelfReportedJobs by
	// how many jobs.
	SelfReported     Wei
	SelfReportedJobs int64

	Claimed   Wei // confirmed claims that are not of kind job
	Last24h   Wei
	Last7d    Wei
	Last30d   Wei
	First     *time.Time      // the first earning ever; nil if there is none
	LastClaim *time.Time      // the newest confirmed claim of any kind
	Daily     []DailyEarnings // the last 30 days, oldest first, days without earnings included
}

// DailyEarnings is one UTC day.
type DailyEarnings struct {
	Day    time.Time
	Amount Wei
}

// EarningDay sums the earnings of one kind of one UTC day.
type EarningDay struct {
	Day     time.Time
	Kind    RewardKind
	Entries int64 // payments or claims
	Amount  Wei
}

// EarningsPeriod sums the earnings of a period.
type EarningsPeriod struct {
	Total    Wei
	Entries  int64 // number of earnings
	JobCount int64 // of them, payments for jobs
	JobTotal Wei
}

// ClaimStatus is the state of a row of reward_claims.
type ClaimStatus string

// The states that the database accepts.
const (
	ClaimSubmitted ClaimStatus = "submitted" // a transaction was sent; its outcome is not known
	ClaimConfirmed ClaimStatus = "confirmed" // the claim's event was seen on chain
	ClaimFailed    ClaimStatus = "failed"    // the transaction was reverted, or held no claim
	ClaimExpired   ClaimStatus = "expired"   // no node knew the transaction a day after it was sent
)

// Claim is a row of reward_claims.
type Claim struct {
	Address     Address
	Amount      *Wei // nil until the chain reports it
	Kind        RewardKind
	At          time.Time
	TxHash      Felt
	BlockNumber *uint64
	Status      ClaimStatus
	Failure     string // why it failed, in words
}

// ClaimReverted is the failure of a claim whose transaction had no effect; a colon and the
// contract's words follow if there are any.
const ClaimReverted = "the transaction was reverted"

// ClaimOutcome is what the chain says of a claim's transaction.
type ClaimOutcome struct {
	Status  ClaimStatus // submitted while the transaction is not in a block yet
	Amount  *Wei        // of the RewardsClaimed event; nil unless confirmed
	Block   *Block      // nil unless in a block
	Failure string      // why it failed or expired, in words
	Unseen  bool        // while submitted: the node knows no such transaction
}
