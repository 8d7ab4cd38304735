package devchain

import (
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// ReputationReason is why ReputationManager changes a score, by its index in the contract's enum.
type ReputationReason int

// The reasons.
const (
	ReputationJobCompleted ReputationReason = iota
	ReputationJobFailed
	ReputationSlashed
	ReputationDisputeLost
	ReputationDisputeWon
	ReputationInactivity
	ReputationAdmin
	reputationReasonCount
)

// word is the reason as the contract tells it, a short string.
func (r ReputationReason) word() string {
	return [reputationReasonCount]string{
		"job_completed", "job_failed", "worker_slashed", "dispute_lost", "dispute_won", "inactivity_decay", "admin_adjustment",
	}[r]
}

// What ReputationManager's constants are.
const (
	initialScore  = 500
	maxScore      = 1000
	historyKept   = 20 // changes that get_reputation_history remembers of a worker
	jobDonePoints = 15
	jobFailPoints = -25
	slashedPoints = -100
)

// reputationChange is an entry of get_reputation_history.
type reputationChange struct {
	at       int64 // the block's timestamp, in seconds
	delta    int32
	reason   ReputationReason
	jobID    []validator.Felt // low and high half; nil for none
	from, to uint32           // the score before and after
}

// felts writes the change without its time, which the view tells first and the event last.
func (c reputationChange) felts(scoresFirst bool) []validator.Felt {
	job := felts(uint64(1)) // Option::None
	if c.jobID != nil {
		job = felts(uint64(0), c.jobID)
	}
	why := felts(feltOfInt(int64(c.delta)), feltOfText(c.reason.word()), job)
	if scoresFirst {
		return felts(c.from, c.to, why, uint64(c.at))
	}
	return felts(uint64(c.at), why, c.from, c.to)
}

// reputationManager is the ReputationManager contract.
func reputationManager() *contract {
	id := feltInput("worker_id")
	return &contract{name: "ReputationManager", abi: reputationManagerABI, functions: map[string]function{
		"get_reputation": view(func(s *state, args []validator.Felt) []validator.Felt {
			r := s.reputations[args[0]]
			return felts(r.Score, r.Level, r.LastUpdated, r.TotalJobs, r.Successful, r.Failed, r.Disputes, r.Slashes)
		}, id),
		"get_worker_rank": view(func(s *state, args []validator.Felt) []validator.Felt {
			return felts(s.ranks[args[0]])
		}, id),
		"get_network_stats":      view(viewReputationStats),
		"get_reputation_history": {inputs: []input{id, u32Input("limit")}, view: true, run: viewHistory},
		"initialize_reputation":  write((*execution).initializeReputation, id),
		"update_reputation": write((*execution).updateReputation, id,
			i32Input("score_delta"),
			enumInput("reason", "sage_contracts::interfaces::reputation_manager::ReputationReason"),
			optionalU256Input("job_id")),
	}}
}

// viewReputationStats is get_network_stats(): how many workers have a score, their average
// rounded down, the highest and the lowest. It answers zeros for none.
func viewReputationStats(s *state, _ []validator.Felt) []validator.Felt {
	var n, sum, highest, lowest uint64
	for _, r := range s.reputations {
		if !r.Initialised() {
			continue
		}
		score := uint64(r.Score)
		if n == 0 || score < lowest {
			lowest = score
		}
		n, sum, highest = n+1, sum+score, max(highest, score)
	}
	return felts(n, sum/max(n, 1), highest, lowest)
}

// viewHistory is get_reputation_history(worker_id, limit): the newest changes first.
func viewHistory(x *execution, args []validator.Felt) ([]validator.Felt, error) {
	limit := args[1].Big()
	if limit.BitLen() > 32 {
		return nil, badParam(2)
	}
	changes := x.state.histories[args[0]]
	n := min(len(changes), int(limit.Int64()))
	out := felts(uint64(n))
	for _, c := range slices.Backward(changes[len(changes)-n:]) {
		out = append(out, c.felts(false)...)
	}
	return out, nil
}

// initializeReputation is initialize_reputation(worker_id); false says that it was before.
func (x *execution) initializeReputation(args []validator.Felt) ([]validator.Felt, error) {
	if x.state.reputations[args[0]].Initialised() {
		return felts(false), nil
	}
	x.state.reputations[args[0]] = validator.Reputation{
		Score: initialScore, Level: levelOf(initialScore), LastUpdated: time.Unix(x.now, 0).UTC(),
	}
	x.emit([]validator.Felt{selector("ReputationInitialized"), args[0]}, felts(uint64(initialScore), uint64(x.now)))
	return felts(true), nil
}

// updateReputation is update_reputation(worker_id, score_delta, reason, job_id). Like the
// contract it answers false, and does not panic, where the caller may not or the worker is
// not known.
func (x *execution) updateReputation(args []validator.Felt) ([]validator.Felt, error) {
	delta, ok := intOf(args[1])
	reason := args[2].Big()
	switch {
	case !ok:
		return nil, badParam(2)
	case !reason.IsInt64() || reason.Int64() >= int64(reputationReasonCount):
		return nil, badParam(3)
	}
	r := x.state.reputations[args[0]]
	if x.caller != Owner || !r.Initialised() {
		return felts(false), nil
	}
	c := reputationChange{at: x.now, delta: delta, reason: ReputationReason(reason.Int64()), from: r.Score}
	if len(args) == 6 {
		c.jobID = args[4:6]
	}
	c.to = uint32(min(max(int64(r.Score)+int64(delta), 0), maxScore))
	r.Score, r.Level, r.LastUpdated = c.to, levelOf(c.to), time.Unix(x.now, 0).UTC()
	switch c.reason {
	case ReputationJobCompleted:
		r.TotalJobs, r.Successful = r.TotalJobs+1, r.Successful+1
	case ReputationJobFailed:
		r.TotalJobs, r.Failed = r.TotalJobs+1, r.Failed+1
	case ReputationSlashed:
		r.Slashes++
	case ReputationDisputeLost, ReputationDisputeWon:
		r.Disputes++
	case ReputationInactivity, ReputationAdmin, reputationReasonCount:
	}
	x.state.reputations[args[0]] = r
	before := x.state.histories[args[0]]
	x.state.histories[args[0]] = append(slices.Clone(before[max(len(before)-historyKept+1, 0):]), c)
	x.emit([]validator.Felt{selector("ReputationUpdated"), args[0]}, c.felts(true))
	return felts(true), nil
}

// levelOf is the contract's level of a score, 1 to 5.
func levelOf(score uint32) uint32 {
	level := uint32(1)
	for _, from := range []uint32{300, 500, 700, 850} {
		if score >= from {
			level++
		}
	}
	return level
}
