package validator

import (
	"slices"
	"time"
)

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
	JobID    string      // of a slash: the number that the contract was given, as 0x and hex digits
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
	Outdated bool     // the stake has changed since: the newest events are being read
}

// beingRead is why what is newer than the events that are known is missing.
const beingRead = "the newest events are being read"

// LastSlash is the newest slash; nil says that nothing of the stake was ever slashed.
func (p Picture) LastSlash() Maybe[*StakeEvent] {
	s, known := p.Chain.Stake.Get()
	if known && s.TotalSlashed.Sign() == 0 {
		return Some[*StakeEvent](nil)
	}
	events, ok := p.Chain.StakeEvents.Get()
	if !ok {
		return None[*StakeEvent](p.Chain.StakeEvents.Reason())
	}
	var last *StakeEvent
	var sum Wei
	for i := range events {
		if events[i].Kind != StakeEventSlashed {
			continue
		}
		if sum = sum.Add(events[i].Amount); last == nil {
			last = &events[i]
		}
	}
	q := p.Chain.StakeEventsQuery
	switch {
	case q.Outdated && (!known || !sum.Equal(s.TotalSlashed)):
		return None[*StakeEvent](beingRead)
	case last != nil, !known && q.Omitted == 0:
		return Some(last)
	case q.Omitted > 0:
		return None[*StakeEvent]("the newest slash is older than the events that are kept")
	}
	return None[*StakeEvent]("ProverStaking tells a slashed amount, but no event has it")
}

// PendingUnstake is the request of the unstake that waits to be completed: its UnlockAt is
// in no view of the contract. nil says that nothing is under unstake. What waits stays
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
	newest := slices.IndexFunc(events, func(e StakeEvent) bool {
		return e.Kind == StakeEventUnstakeRequested || e.Kind == StakeEventUnstakeCompleted
	})
	q := p.Chain.StakeEventsQuery
	switch {
	case newest >= 0 && events[newest].Kind == StakeEventUnstakeRequested && events[newest].Amount.Equal(s.LockedAmount):
		return Some(&events[newest])
	case q.Outdated:
		return None[*StakeEvent](beingRead)
	case newest < 0 && q.Omitted > 0:
		return None[*StakeEvent]("the request is older than the events that are kept")
	}
	return None[*StakeEvent]("ProverStaking tells a locked amount, but no event of its request")
}
