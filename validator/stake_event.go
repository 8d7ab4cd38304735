package validator

import "time"

// StakeEventKind says what happened to a worker's stake in ProverStaking.
type StakeEventKind string

// The kinds, one for each of the contract's events about a stake.
const (
	StakeEventStaked           StakeEventKind = "staked"
	StakeEventUnstakeRequested StakeEventKind = "unstake_requested"
	StakeEventUnstakeCompleted StakeEventKind = "unstake_completed"
	StakeEventSlashed          StakeEventKind = "slashed"
	StakeEventRewardsClaimed   StakeEventKind = "rewards_claimed"
)

// StakeEvent is one event that ProverStaking emitted about a worker's stake.
type StakeEvent struct {
	Kind     StakeEventKind
	Amount   Wei         // staked, under unstake, withdrawn, slashed or claimed, by the kind
	Reason   SlashReason // of a slash
	JobID    string      // of a slash: the number that the contract was told, as 0x and hex digits
	UnlockAt time.Time   // of an unstake's request: from when it can be completed
	Tier     Tier        // of a stake
	Total    Wei         // of a stake: all that is staked afterwards
	Block    Block
	TxHash   Felt
}

// EventQuery is how events were read, so that anyone can repeat it with starknet_getEvents
// from block 0 to Block.
type EventQuery struct {
	Contract Address
	Keys     [][]Felt // alternatives by position
	Block    Block    // the last that was searched; its number is 0 while none was
	Omitted  int      // how many older events were found and not kept
}

// LastSlash is the newest slash; nil says that the worker was never slashed.
func (p Picture) LastSlash() Maybe[*StakeEvent] {
	if s, ok := p.Chain.Stake.Get(); ok && s.TotalSlashed.Sign() == 0 {
		return Some[*StakeEvent](nil)
	}
	events, ok := p.Chain.StakeEvents.Get()
	if !ok {
		return None[*StakeEvent](p.Chain.StakeEvents.Reason())
	}
	for i := range events {
		if events[i].Kind == StakeEventSlashed {
			return Some(&events[i])
		}
	}
	if p.Chain.StakeEventsQuery.Omitted > 0 {
		return None[*StakeEvent]("the newest slash is older than the events that are kept")
	}
	if !p.Chain.Stake.Known() {
		return Some[*StakeEvent](nil)
	}
	return None[*StakeEvent]("ProverStaking tells a slashed amount, but no event of it")
}

// PendingUnstake is the request of the unstake that waits to be completed: its UnlockAt is
// told by no view of the contract. nil says that nothing is under unstake. What waits stays
// slashable, and a slash that leaves less than was requested makes its completion fail.
func (p Picture) PendingUnstake() Maybe[*StakeEvent] {
	s, ok := p.Chain.Stake.Get()
	if !ok {
		return None[*StakeEvent](p.Chain.Stake.Reason())
	}
	if s.LockedAmount.Sign() == 0 {
		return Some[*StakeEvent](nil)
	}
	events, ok := p.Chain.StakeEvents.Get()
	if !ok {
		return None[*StakeEvent](p.Chain.StakeEvents.Reason())
	}
	for i := range events {
		switch e := &events[i]; {
		case e.Kind == StakeEventUnstakeRequested && e.Amount.Equal(s.LockedAmount):
			return Some(e)
		case e.Kind == StakeEventUnstakeRequested, e.Kind == StakeEventUnstakeCompleted:
			return None[*StakeEvent]("the request of what is locked now has not been read yet")
		}
	}
	if p.Chain.StakeEventsQuery.Omitted > 0 {
		return None[*StakeEvent]("the request is older than the events that are kept")
	}
	return None[*StakeEvent]("ProverStaking tells a locked amount, but no event of its request")
}
