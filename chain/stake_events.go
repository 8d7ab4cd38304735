package chain

import (
	"fmt"
	"math/big"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// stakeEventNames are ProverStaking's events that make up a worker's history. What it
// records of every single success does not.
func stakeEventNames() []string {
	return []string{"Staked", "UnstakeRequested", "UnstakeCompleted", "Slashed", "RewardsClaimed"}
}

// stakeEventFilter finds a wallet's history up to a block.
func stakeEventFilter(staking, wallet validator.Address, to validator.Block) eventFilter {
	var kinds []validator.Felt
	for _, name := range stakeEventNames() {
		kinds = append(kinds, selector(name))
	}
	return eventFilter{contract: staking, to: to, keys: [][]validator.Felt{kinds, {wallet.Felt()}}}
}

// decodeStakeEvent reads an event that stakeEventFilter found. The error is a phrase for
// people that begins with the event's name.
func decodeStakeEvent(e emittedEvent) (validator.StakeEvent, error) {
	for _, name := range stakeEventNames() {
		if e.keys[0] != selector(name) {
			continue
		}
		v, err := decodeStakeEventData(name, e.data)
		if err != nil {
			return v, fmt.Errorf("%s in block %d %w", name, e.block.Number, err)
		}
		v.Block, v.TxHash = e.block, e.tx
		return v, nil
	}
	return validator.StakeEvent{}, fmt.Errorf("an event in block %d is none of those asked for", e.block.Number)
}

func decodeStakeEventData(name string, data []validator.Felt) (validator.StakeEvent, error) {
	switch name {
	case "Staked":
		return decodeExactly(data, 5, func(d *decoder) validator.StakeEvent {
			return validator.StakeEvent{Kind: validator.StakeEventStaked, Amount: d.u256("amount"),
				Tier: index(d, "gpu_tier", validator.TierCount), Total: d.u256("total_stake")}
		})
	case "UnstakeRequested":
		return decodeExactly(data, 3, func(d *decoder) validator.StakeEvent {
			return validator.StakeEvent{Kind: validator.StakeEventUnstakeRequested, Amount: d.u256("amount"), UnlockAt: d.time("unlock_time")}
		})
	case "UnstakeCompleted":
		return decodeExactly(data, 2, func(d *decoder) validator.StakeEvent {
			return validator.StakeEvent{Kind: validator.StakeEventUnstakeCompleted, Amount: d.u256("amount")}
		})
	case "Slashed":
		return decodeSlashed(data)
	}
	return decodeExactly(data, paidEventFelts, func(d *decoder) validator.StakeEvent {
		return validator.StakeEvent{Kind: validator.StakeEventRewardsClaimed, Amount: d.u256("amount")}
	})
}

// decodeSlashed reads amount, reason and job_id. The job's id is one felt in the contract's
// sources, and a u256 where jobs are numbered as JobManager does: the length tells.
func decodeSlashed(data []validator.Felt) (validator.StakeEvent, error) {
	const withFelt, withU256 = 4, 5
	want := withFelt
	if len(data) == withU256 {
		want = withU256
	}
	return decodeExactly(data, want, func(d *decoder) validator.StakeEvent {
		v := validator.StakeEvent{Kind: validator.StakeEventSlashed, Amount: d.u256("amount"),
			Reason: index(d, "reason", validator.SlashReasonCount)}
		var job *big.Int
		if want == withFelt {
			job = d.next()
		} else {
			job = d.u256("job_id").Big()
		}
		v.JobID = fmt.Sprintf("%#x", job)
		return v
	})
}
