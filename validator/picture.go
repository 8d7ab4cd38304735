package validator

import "time"

// Picture is everything that the three sources say of one wallet at one moment. Its
// methods derive what pages and API show; a missing part makes only its own
// derivations missing.
type Picture struct {
	Address Address
	Now     time.Time

	Chain ChainSnapshot

	// HostGPUs is this host's snapshot; HostGPUsApply says whether they work for Address.
	HostGPUs      GPUSnapshot
	HostGPUsApply bool
	WorkerGPUs    Maybe[[]WorkerGPU] // on the wallet's other hosts, as those reported them

	Database SourceState
	Jobs     Maybe[JobCounts]
	Earnings Maybe[Earnings]
	// ClaimEvents says how far the events are read that claims come into the database by.
	ClaimEvents Maybe[IndexCursor]
	Heartbeats  Maybe[HeartbeatSummary]

	HeartbeatInterval HeartbeatInterval // that hosts are expected to keep
}

// Sources returns the state of each source.
func (p Picture) Sources() []SourceState {
	return []SourceState{p.HostGPUs.State, p.Database, p.Chain.State}
}

// Claimable is what claim_rewards would pay at the snapshot's block.
func (p Picture) Claimable() Maybe[Wei] {
	return Map2(p.Chain.Stake.Maybe, p.Chain.Network.Config.Maybe, func(s Stake, c StakingConfig) Wei {
		return Claimable(s, c, p.Chain.Block.Time)
	})
}

// ClaimableFormula is what Claimable is computed from, to be carried on between blocks.
func (p Picture) ClaimableFormula() Maybe[ClaimableFormula] {
	return Map2(p.Chain.Stake.Maybe, p.Chain.Network.Config.Maybe, func(s Stake, c StakingConfig) ClaimableFormula {
		return ClaimableFormulaOf(s, c, p.Chain.Block.Time)
	})
}

// AccrualPerDay is what the present stake accrues in the next 24 hours by the contract's rate.
func (p Picture) AccrualPerDay() Maybe[Wei] {
	return Map2(p.Chain.Stake.Maybe, p.Chain.Network.Config.Maybe, func(s Stake, c StakingConfig) Wei {
		return AccruedOver(s, c, 24*time.Hour)
	})
}

// RealisedAPY is the realised yearly yield of the wallet.
func (p Picture) RealisedAPY() Maybe[APY] {
	if last30d := p.Earned(func(e Earnings) Wei { return e.Last30d }); !last30d.Known() {
		return None[APY](last30d.Reason())
	}
	return RealisedAPY(p.Earnings, p.Chain.Stake.Maybe, p.Now)
}

// Uptime counts a window.
func (p Picture) Uptime(window Window) Maybe[Uptime] {
	return Map(p.Heartbeats, func(s HeartbeatSummary) Uptime { return UptimeIn(s, window, p.HeartbeatInterval, p.Now) })
}

// Headroom is the stake minus the minimum of its tier; negative if it falls short.
func (p Picture) Headroom() Maybe[Wei] {
	return Map2(p.Chain.Stake.Maybe, p.Chain.Network.Config.Maybe, func(s Stake, c StakingConfig) Wei {
		return s.Amount.Sub(c.MinStake[s.Tier])
	})
}

// TotalEarnings is the sum of everything earned, as the database has it.
func (p Picture) TotalEarnings() Maybe[Wei] {
	return p.Earned(func(e Earnings) Wei { return e.Total })
}

// Earned is a sum of earnings that claims are a part of. A sum of nothing is missing while
// the events that tell of claims have not been read.
func (p Picture) Earned(sum func(Earnings) Wei) Maybe[Wei] {
	e, known := p.Earnings.Get()
	if !known {
		return None[Wei](p.Earnings.Reason())
	}
	return FoundInEvents(sum(e), sum(e).Sign() == 0, p.ClaimEvents)
}

// LastClaim is the time of the newest claim: the database's confirmed one, else the
// contract's last_claim_at where that is later than the stake, which sets it too.
func (p Picture) LastClaim() Maybe[time.Time] {
	e, known := p.Earnings.Get()
	if known && e.LastClaim != nil {
		return Some(*e.LastClaim)
	}
	if s, ok := p.Chain.Stake.Get(); ok && s.LastClaimAt.After(s.StakedAt) {
		return Some(s.LastClaimAt)
	}
	switch {
	case !known:
		return None[time.Time](p.Earnings.Reason())
	case !p.ClaimEvents.Known():
		return None[time.Time](p.ClaimEvents.Reason())
	}
	return None[time.Time]("nothing has been claimed yet")
}
