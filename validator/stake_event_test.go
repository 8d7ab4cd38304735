package validator

import (
	"strings"
	"testing"
	"time"
)

// history is a worker's year, newest first: slashed, and an unstake under way after one
// that was completed.
func history() []StakeEvent {
	at := func(n uint64) Block { return Block{Number: n, Time: noon.Add(-time.Duration(100-n) * time.Hour)} }
	return []StakeEvent{
		{Kind: StakeEventRewardsClaimed, Amount: WeiFromSAGE(3), Block: at(60)},
		{Kind: StakeEventSlashed, Amount: WeiFromSAGE(600), Reason: SlashTimeout, JobID: "0x2a", Block: at(50)},
		{Kind: StakeEventUnstakeRequested, Amount: WeiFromSAGE(500), UnlockAt: noon.Add(24 * time.Hour), Block: at(40)},
		{Kind: StakeEventUnstakeCompleted, Amount: WeiFromSAGE(100), Block: at(30)},
		{Kind: StakeEventUnstakeRequested, Amount: WeiFromSAGE(100), UnlockAt: noon.Add(-48 * time.Hour), Block: at(20)},
		{Kind: StakeEventSlashed, Amount: WeiFromSAGE(1), Reason: SlashMalicious, Block: at(15)},
		{Kind: StakeEventStaked, Amount: WeiFromSAGE(12_701), Tier: TierEnterprise, Total: WeiFromSAGE(12_701), Block: at(10)},
	}
}

func withHistory(change func(*Stake, *ChainSnapshot)) Picture {
	p := goodPicture()
	s, _ := p.Chain.Stake.Get()
	s.LockedAmount, s.TotalSlashed = WeiFromSAGE(500), WeiFromSAGE(601)
	p.Chain.StakeEvents = Some(history())
	change(&s, &p.Chain)
	p.Chain.Stake = read(s)
	return p
}

func TestTheLastSlash(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Stake, *ChainSnapshot)
		job    string // of the slash; "" for none
		reason string // why it is unknown
	}{
		"two slashes": {func(*Stake, *ChainSnapshot) {}, "0x2a", ""},
		"never slashed, by the stake's own record": {func(s *Stake, c *ChainSnapshot) {
			s.TotalSlashed, c.StakeEvents = Wei{}, None[[]StakeEvent]("the node refused")
		}, "", ""},
		"events unread":              {func(_ *Stake, c *ChainSnapshot) { c.StakeEvents = None[[]StakeEvent]("the node refused") }, "", "the node refused"},
		"an event that is not known": {func(_ *Stake, c *ChainSnapshot) { c.StakeEvents = Some([]StakeEvent(nil)) }, "", "no event has it"},
		"a slash that is not read yet": {func(s *Stake, c *ChainSnapshot) {
			s.TotalSlashed, c.StakeEventsQuery.Outdated = WeiFromSAGE(602), true
		}, "", "being read"},
		"another event that is not read yet": {func(_ *Stake, c *ChainSnapshot) { c.StakeEventsQuery.Outdated = true }, "0x2a", ""},
		"an event that is not kept": {func(_ *Stake, c *ChainSnapshot) {
			c.StakeEvents, c.StakeEventsQuery.Omitted = Some(history()[:1]), 6
		}, "", "older than the events that are kept"},
	} {
		t.Run(name, func(t *testing.T) {
			got := withHistory(c.change).LastSlash()
			e, ok := got.Get()
			if ok != (c.reason == "") || !strings.Contains(got.Reason(), c.reason) {
				t.Fatalf("known %v, reason %q, want %q", ok, got.Reason(), c.reason)
			}
			if (e == nil) != (c.job == "") || e != nil && e.JobID != c.job {
				t.Errorf("slash %+v, want that of job %q", e, c.job)
			}
		})
	}
	p := withHistory(func(*Stake, *ChainSnapshot) {})
	p.Chain.Stake.Maybe, p.Chain.StakeEvents = None[Stake]("unread"), Some([]StakeEvent(nil))
	if e, ok := p.LastSlash().Get(); !ok || e != nil {
		t.Errorf("without a stake, events without a slash say %v, %v", e, ok)
	}
}

func TestThePendingUnstake(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Stake, *ChainSnapshot)
		locked int64  // of the request, in SAGE; 0 for none
		reason string // why it is unknown
	}{
		"a request after a completed one": {func(*Stake, *ChainSnapshot) {}, 500, ""},
		"nothing locked, events unread": {func(s *Stake, c *ChainSnapshot) {
			s.LockedAmount, c.StakeEvents = Wei{}, None[[]StakeEvent]("the node refused")
		}, 0, ""},
		"events unread":            {func(_ *Stake, c *ChainSnapshot) { c.StakeEvents = None[[]StakeEvent]("the node refused") }, 0, "the node refused"},
		"a request of another sum": {func(s *Stake, _ *ChainSnapshot) { s.LockedAmount = WeiFromSAGE(7) }, 0, "no event of its request"},
		"a completion is newest":   {func(_ *Stake, c *ChainSnapshot) { c.StakeEvents = Some(history()[3:]) }, 0, "no event of its request"},
		"a request that is not kept": {func(_ *Stake, c *ChainSnapshot) {
			c.StakeEvents, c.StakeEventsQuery.Omitted = Some(history()[:1]), 6
		}, 0, "older than the events that are kept"},
		"no request at all": {func(_ *Stake, c *ChainSnapshot) { c.StakeEvents = Some([]StakeEvent(nil)) }, 0, "no event of its request"},
	} {
		t.Run(name, func(t *testing.T) {
			got := withHistory(c.change).PendingUnstake()
			e, ok := got.Get()
			if ok != (c.reason == "") || !strings.Contains(got.Reason(), c.reason) {
				t.Fatalf("known %v, reason %q, want %q", ok, got.Reason(), c.reason)
			}
			if (e == nil) != (c.locked == 0) || e != nil && (!e.Amount.Equal(WeiFromSAGE(c.locked)) || !e.UnlockAt.Equal(noon.Add(24*time.Hour))) {
				t.Errorf("request %+v, want one of %d SAGE", e, c.locked)
			}
		})
	}
	p := withHistory(func(*Stake, *ChainSnapshot) {})
	p.Chain.Stake.Maybe = None[Stake]("the node is down")
	if got := p.PendingUnstake(); got.Known() || got.Reason() != "the node is down" {
		t.Errorf("without a stake: %v, %q", got.Known(), got.Reason())
	}
}
