package validator

import "time"

// ReputationNetwork is ReputationManager.get_network_stats(): the scores of all workers.
type ReputationNetwork struct {
	Workers uint64
	Average uint64 // of 1000, as are the others
	Highest uint64
	Lowest  uint64
}

// ReputationRecord is a change of a worker's score with its event.
type ReputationRecord struct {
	ReputationChange

	Block  Block
	TxHash Felt
	Place  int // among the contract's events of the block, from 0
}

// Cursor names the record's place among the changes of its worker.
func (r ReputationRecord) Cursor() ReputationCursor {
	return ReputationCursor{Block: r.Block.Number, Place: r.Place}
}

// When is the time of the change: the contract's own where it tells one, else its block's.
func (r ReputationRecord) When() time.Time {
	if r.At.IsZero() {
		return r.Block.Time
	}
	return r.At
}

// ReputationCursor is a place in a list of changes. The zero cursor is the list's beginning.
type ReputationCursor struct {
	Block uint64
	Place int
}

// IsZero says whether the cursor names no place.
func (c ReputationCursor) IsZero() bool { return c == ReputationCursor{} }

// ReputationPoint is the score after the last change of a step of time.
type ReputationPoint struct {
	At    time.Time // of the change
	Score uint32
}

// reputationReasons are the reasons that ReputationManager writes as short strings.
var reputationReasons = map[string]string{
	"job_completed":    "a job completed",
	"job_failed":       "a job failed",
	"worker_slashed":   "a slash",
	"dispute_lost":     "a dispute lost",
	"dispute_won":      "a dispute won",
	"inactivity_decay": "decay for inactivity",
	"admin_adjustment": "an adjustment by the network's administrator",
}

// ReputationReasonWords says a reason in words; one that this program does not know is said
// as the contract wrote it.
func ReputationReasonWords(reason string) string {
	if words, known := reputationReasons[reason]; known {
		return words
	}
	return reason
}

// ReputationIDs are the ids under which ReputationManager may know the wallet: its address,
// and JobManager's id of it where the snapshot was read by that.
func (s ChainSnapshot) ReputationIDs() []Felt {
	ids := []Felt{s.Address.Felt()}
	if data := s.Reputation.Call.Calldata; len(data) == 1 && data[0] != ids[0] && data[0] != "" {
		ids = append(ids, data[0])
	}
	return ids
}
