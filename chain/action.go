package chain

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// ErrNoSAGEToken says that nothing can be staked because SAGEToken has no address.
var ErrNoSAGEToken = errors.New("SAGEToken is not configured")

// Calls returns the calls that a wallet signs, in one transaction, to do an action. The error
// is ErrNoProverStaking or ErrNoSAGEToken.
func (c *Client) Calls(a validator.Action) ([]validator.ContractCall, error) {
	staking, token := c.cfg.Contracts.ProverStaking, c.cfg.Contracts.SAGEToken
	if staking == "" {
		return nil, ErrNoProverStaking
	}
	switch a.Kind {
	case validator.ActionClaim:
		return []validator.ContractCall{{Contract: staking, Function: "claim_rewards"}}, nil
	case validator.ActionStake:
		if token == "" {
			return nil, ErrNoSAGEToken
		}
		amount := u256Felts(a.Amount)
		return []validator.ContractCall{
			{Contract: token, Function: "approve", Calldata: append([]validator.Felt{staking.Felt()}, amount...)},
			{Contract: staking, Function: "stake", Calldata: append(u256Felts(a.Amount), numberFelt(uint64(a.Tier)))},
		}, nil
	case validator.ActionUnstake:
		return []validator.ContractCall{{Contract: staking, Function: "request_unstake", Calldata: u256Felts(a.Amount)}}, nil
	case validator.ActionCompleteUnstake:
		return []validator.ContractCall{{Contract: staking, Function: "complete_unstake"}}, nil
	}
	return nil, fmt.Errorf("%q is no action", a.Kind)
}

// u256Felts writes an amount as contracts take it: its low and its high half.
func u256Felts(w validator.Wei) []validator.Felt {
	const half = 128
	high := new(big.Int).Rsh(w.Big(), half)
	low := new(big.Int).Sub(w.Big(), new(big.Int).Lsh(high, half))
	return []validator.Felt{feltFrom(low), feltFrom(high)}
}

func numberFelt(n uint64) validator.Felt { return feltFrom(new(big.Int).SetUint64(n)) }

// feltFrom writes a number that is known to lie in the field.
func feltFrom(v *big.Int) validator.Felt { return validator.Felt(fmt.Sprintf("0x%064x", v)) }
