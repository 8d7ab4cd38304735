package validator

import (
	"strings"
	"testing"
	"time"
)

func TestTheEffectOfASlashIsReplayedFromTheEventsBeforeIt(t *testing.T) {
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	event := func(n uint64, kind StakeEventKind, amount, total int64) StakeEvent {
		return StakeEvent{Kind: kind, Amount: WeiFromSAGE(amount), Total: WeiFromSAGE(total), Tier: TierEnterprise, Block: Block{Number: n, Time: at}}
	}
	first, second := event(3, StakeEventSlashed, 600, 0), event(6, StakeEventSlashed, 1_000, 0)
	events := []StakeEvent{second, event(5, StakeEventUnstakeCompleted, 400, 0), event(4, StakeEventUnstakeRequested, 400, 0), first, event(2, StakeEventRewardsClaimed, 9, 0), event(1, StakeEventStaked, 12_000, 12_000)}
	for slash, want := range map[StakeEvent][2]int64{first: {12_000, 11_400}, second: {11_000, 10_000}} {
		e, known := EffectOfSlash(events, slash).Get()
		if !known || !e.Before.Equal(WeiFromSAGE(want[0])) || !e.After.Equal(WeiFromSAGE(want[1])) || e.Tier != TierEnterprise {
			t.Errorf("block %d: %+v, want %v", slash.Block.Number, e, want)
		}
	}
	e, _ := EffectOfSlash(events, first).Get()
	if e.BasisPoints() != 500 || !e.Shortfall(WeiFromSAGE(11_500)).Equal(WeiFromSAGE(100)) || e.Shortfall(WeiFromSAGE(11_400)).Sign() != 0 {
		t.Errorf("%d basis points, short %s", e.BasisPoints(), e.Shortfall(WeiFromSAGE(11_500)).Format())
	}
	if e := EffectOfSlash(events[:5], second); e.Known() {
		t.Errorf("without the stake's event it left %+v", e)
	}
	if e := EffectOfSlash(events, event(9, StakeEventSlashed, 1, 0)); e.Known() {
		t.Errorf("of a slash that there was not: %+v", e)
	}
}

func TestUptimeBetweenCountsAWindowOfThePast(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	begin := at.Add(-24 * time.Hour)
	hours := []HourMask{{Hour: at.Add(-time.Hour), Minutes: 1<<60 - 1}, {Hour: at, Minutes: (1<<60 - 1) &^ (1<<10 - 1)}}
	u := UptimeBetween(hours, &begin, 1, at.Add(-30*time.Minute), at.Add(30*time.Minute), at.Add(time.Hour))
	if u.TotalMinutes != 60 || u.UpMinutes != 51 || len(u.Gaps) != 1 || !u.Gaps[0].From.Equal(at.Add(time.Minute)) || u.Gaps[0].Minutes() != 9 {
		t.Errorf("%+v", u)
	}
	if u := UptimeBetween(hours, &begin, 1, at.Add(-30*time.Minute), at.Add(30*time.Minute), at.Add(5*time.Minute)); u.TotalMinutes != 35 {
		t.Errorf("minutes that have not passed are counted: %+v", u)
	}
	late := at.Add(-10 * time.Minute)
	if u := UptimeBetween(hours, &late, 1, at.Add(-30*time.Minute), at, at.Add(time.Hour)); u.TotalMinutes != 10 || u.UpMinutes != 10 {
		t.Errorf("minutes before the first heartbeat are counted: %+v", u)
	}
	if u := UptimeBetween(nil, nil, 1, at.Add(-time.Hour), at, at); u.TotalMinutes != 0 {
		t.Errorf("without any heartbeat: %+v", u)
	}
}

func TestUptimeAroundASlashGoesByTheHeartbeatInterval(t *testing.T) {
	at := time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC)
	begin := at.Add(-24 * time.Hour)
	every5 := uint64(0)
	for m := 2; m < 60; m += 5 {
		every5 |= 1 << m
	}
	var hours []HourMask
	for n := -2; n <= 1; n++ {
		hours = append(hours, HourMask{Hour: at.Truncate(time.Hour).Add(time.Duration(n) * time.Hour), Minutes: every5})
	}
	if u := UptimeBetween(hours, &begin, 5, at.Add(-30*time.Minute), at.Add(30*time.Minute), at.Add(3*time.Hour)); u.UpMinutes != 60 || u.TotalMinutes != 60 || len(u.Gaps) != 0 {
		t.Errorf("a heartbeat in every interval leaves %+v", u)
	}
	hole := uint64(1<<22-1) << 20 // 12:20 to 12:42
	hours = []HourMask{{Hour: at.Truncate(time.Hour), Minutes: everyMinute &^ hole}}
	u := UptimeBetween(hours, &begin, 1, at.Add(-20*time.Minute), at.Add(20*time.Minute), at.Add(3*time.Hour))
	if u.TotalMinutes != 40 || len(u.Gaps) != 1 || !u.Gaps[0].From.Equal(at.Add(-9*time.Minute)) || !u.Gaps[0].To.Equal(at.Add(12*time.Minute)) {
		t.Errorf("a hole of 22 minutes is %+v", u)
	}
}

func TestAdviceComesFromTheEvidenceFirst(t *testing.T) {
	at := func(minute int) time.Time { return time.Date(2026, 3, 1, 12, minute, 0, 0, time.UTC) }
	span := func(reason ThrottleReasons, from, to int) ThrottleSpan {
		return ThrottleSpan{Reason: reason, From: at(from), To: at(to)}
	}
	steps := []GPUStep{
		{TemperatureC: Some(Spread{Mean: 60, Min: 60, Max: 60})},
		{TemperatureC: Some(Spread{Mean: 88, Min: 87, Max: 90}), ThrottleReasons: ThrottleSWThermal | ThrottlePowerCap},
		{},
	}
	hot := HeldBackIn([]ThrottleSpan{
		span(ThrottleSWThermal, 0, 12), span(ThrottleHWPowerBrake, 11, 14), span(ThrottleSWThermal, 20, 22), span(ThrottleSWThermal, 29, 40), span(ThrottleHWSlowdown, 1, 4), span(ThrottleHWSlowdown, 50, 55),
	}, steps, Interval{at(10), at(30)})
	if hot.Slowed != 7*time.Minute || len(hot.Spans) != 4 || hot.Hours != 0 || hot.Of != 2 || hot.PeakC.Or(0) != 90 || !hot.Hot() || hot.Reasons != ThrottleSWThermal|ThrottleHWPowerBrake {
		t.Errorf("%+v", hot)
	}
	if sums := HeldBackIn(nil, steps, Interval{at(10), at(30)}); sums.Hours != 1 || sums.Slowed != 0 || !sums.Hot() || sums.Reasons != ThrottleSWThermal {
		t.Errorf("of sums: %+v", sums)
	}
	if none := HeldBackIn([]ThrottleSpan{span(ThrottleSWThermal, 0, 9)}, steps[:1], Interval{at(10), at(30)}); none.Any() {
		t.Errorf("of another time: %+v", none)
	}
	for r := range SlashReasonCount {
		alone := r.Advice(Evidence{})
		if len(alone) != 1 {
			t.Errorf("%s: %v", r, alone)
		}
		with := r.Advice(Evidence{HeldBack: hot, Job: &Job{ErrorMessage: "CUDA error: Out of memory"}, XIDs: []GPUEvent{{Code: 79}}, Uptime: Uptime{TotalMinutes: 60, UpMinutes: 48, Gaps: []Gap{{}}}})
		if len(with) != 5 || !strings.HasPrefix(with[0], "Heat slowed") || !strings.Contains(with[2], "12 min") || with[4] != alone[0] {
			t.Errorf("%s with evidence: %q", r, with)
		}
		if strings.Contains(r.Explain(), "does not know") {
			t.Errorf("%s is not explained", r)
		}
	}
}
