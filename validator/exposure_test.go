package validator

import "testing"

func TestExposuresSayWhatASlashLeaves(t *testing.T) {
	p := goodPicture() // 12,000 SAGE in a tier of at least 10,000
	all, ok := p.Exposures().Get()
	if !ok || len(all) != int(SlashReasonCount) {
		t.Fatalf("exposures %+v, %s", all, p.Exposures().Reason())
	}
	for i, want := range []struct {
		cost, left, shortfall int64
		deactivates           bool
	}{
		SlashInvalidProof:     {1_200, 10_800, 0, false},
		SlashTimeout:          {600, 11_400, 0, false},
		SlashRepeatedFailures: {3_000, 9_000, 1_000, true},
		SlashMalicious:        {6_000, 6_000, 4_000, true},
		SlashBenchmarkFraud:   {9_000, 3_000, 7_000, true},
	} {
		e := all[i]
		if e.Reason != SlashReason(i) || !e.Cost.Equal(WeiFromSAGE(want.cost)) || !e.Left.Equal(WeiFromSAGE(want.left)) ||
			!e.Shortfall().Equal(WeiFromSAGE(want.shortfall)) || e.Deactivates != want.deactivates {
			t.Errorf("%s: %+v, want %+v", e.Reason, e, want)
		}
	}
}

func TestASlashIsAlsoAFailure(t *testing.T) {
	p := goodPicture()
	s, _ := p.Chain.Stake.Get()
	cfg, _ := p.Chain.Network.Config.Get()
	for failures, want := range []bool{false, false, true, true} {
		s.ConsecutiveFailures = uint32(failures)
		if got := ExposureTo(SlashTimeout, s, cfg).Deactivates; got != want {
			t.Errorf("after %d failures of 3 a timeout deactivates: %v", failures, got)
		}
	}
	s.ConsecutiveFailures, s.Active = 0, false
	if !ExposureTo(SlashTimeout, s, cfg).Deactivates {
		t.Error("an inactive worker is active after a slash")
	}
}

func TestNothingStakedIsNoExposure(t *testing.T) {
	p := goodPicture()
	p.Chain.Stake = read(Stake{})
	if got := p.Exposures(); got.Known() || got.Reason() != "nothing is staked, so there is nothing to slash" {
		t.Errorf("%+v", got)
	}
	p.Chain.Stake.Maybe = None[Stake]("the node is down")
	if got := p.Exposures(); got.Reason() != "the node is down" {
		t.Errorf("%+v", got)
	}
}
