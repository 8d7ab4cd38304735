package devchain

import (
	"math/big"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// slash is ProverStaking.slash(worker, reason, job_id): what the network does to a worker
// that fails. What is taken goes to the treasury, by the token's transfer, which refuses
// large amounts.
func (x *execution) slash(at Contracts, args []validator.Felt) error {
	if !x.mayJudge(at) {
		return panicked("Unauthorized")
	}
	worker, jobID := validator.Address(args[0]), args[2:]
	reason := args[1].Big()
	if !reason.IsInt64() || reason.Int64() >= int64(validator.SlashReasonCount) {
		return badParam(2)
	}
	k, cfg := x.state.stakes[worker], x.state.config
	taken := k.Amount.MulDiv(big.NewInt(int64(cfg.SlashBasisPoints[reason.Int64()])), big.NewInt(10_000))
	k.Amount, k.TotalSlashed = k.Amount.Sub(taken), k.TotalSlashed.Add(taken)
	k.ConsecutiveFailures++
	if k.Amount.Cmp(cfg.MinStake[k.Tier]) < 0 || k.ConsecutiveFailures >= cfg.MaxConsecutiveFailures {
		k.Active = false
	}
	x.state.stakes[worker] = k
	x.state.totalStaked = x.state.totalStaked.Sub(taken)
	x.state.totalSlashed = x.state.totalSlashed.Add(taken)
	if err := x.transfer(at.SAGEToken, at.ProverStaking, Treasury, taken); err != nil {
		return err
	}
	x.emit([]validator.Felt{selector("Slashed"), worker.Felt()}, felts(taken, args[1], jobID))
	return nil
}

// recordSuccess is ProverStaking.record_success(worker, job_id): it forgets the failures so
// far, but makes no inactive worker active.
func (x *execution) recordSuccess(at Contracts, args []validator.Felt) error {
	if !x.mayJudge(at) {
		return panicked("Unauthorized")
	}
	worker, jobID := validator.Address(args[0]), args[1:]
	k := x.state.stakes[worker]
	k.ConsecutiveFailures = 0
	x.state.stakes[worker] = k
	x.emit([]validator.Felt{selector("SuccessRecorded"), worker.Felt()}, felts(jobID))
	return nil
}

// mayJudge says whether the caller is one of those that may slash and record successes.
func (x *execution) mayJudge(at Contracts) bool {
	return x.caller == Owner || x.caller == at.JobManager
}
