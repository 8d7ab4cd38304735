package validator

import "math/big"

// Exposure is what one slash would cost.
type Exposure struct {
	Reason      SlashReason
	BasisPoints uint32
	Cost        Wei
	Left        Wei
	Headroom    Wei  // Left minus the tier's minimum; negative by how much it falls short
	Deactivates bool // the worker is inactive afterwards: too little is left, or it is one failure too many
}

// Shortfall is by how much a slash leaves less than the tier's minimum; 0 if it does not.
func (e Exposure) Shortfall() Wei {
	if e.Headroom.Sign() >= 0 {
		return Wei{}
	}
	return Wei{}.Sub(e.Headroom)
}

// ExposureTo computes what ProverStaking.slash does for one reason: amount · bps / 10000 is
// taken, and the slash counts as a failure.
func ExposureTo(reason SlashReason, s Stake, c StakingConfig) Exposure {
	bps := c.SlashBasisPoints[reason]
	cost := s.Amount.MulDiv(big.NewInt(int64(bps)), big.NewInt(10_000))
	left := s.Amount.Sub(cost)
	headroom := left.Sub(c.MinStake[s.Tier])
	return Exposure{
		Reason: reason, BasisPoints: bps, Cost: cost, Left: left, Headroom: headroom,
		Deactivates: !s.Active || headroom.Sign() < 0 || uint64(s.ConsecutiveFailures)+1 >= uint64(c.MaxConsecutiveFailures),
	}
}

// Exposures is what a slash would cost now, for every reason in the contract's order.
func (p Picture) Exposures() Maybe[[]Exposure] {
	s, ok := p.Chain.Stake.Get()
	if ok && s.Amount.Sign() == 0 {
		return None[[]Exposure]("nothing is staked, so there is nothing to slash")
	}
	return Map2(p.Chain.Stake.Maybe, p.Chain.Network.Config.Maybe, func(s Stake, c StakingConfig) []Exposure {
		out := make([]Exposure, SlashReasonCount)
		for r := range SlashReasonCount {
			out[r] = ExposureTo(r, s, c)
		}
		return out
	})
}
