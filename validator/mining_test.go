package validator

import (
	"testing"
	"time"
)

func TestMiningDayCountsTheBlocksOwnDayOnly(t *testing.T) {
	at := time.Date(2026, 3, 4, 17, 30, 0, 0, time.UTC)
	today := uint64(at.Unix()) / 86_400
	midnight := time.Date(2026, 3, 5, 0, 0, 0, 0, time.UTC)
	stats := func(day uint64) MiningStats {
		return MiningStats{Jobs: 40, Earned: WeiFromSAGE(90), Day: day, DayJobs: 3, DayEarned: WeiFromSAGE(6)}
	}
	for _, c := range []struct {
		name  string
		stats MiningStats
		want  MiningDay
	}{
		{"today by its number", stats(today), MiningDay{Jobs: 3, Earned: WeiFromSAGE(6), Left: WeiFromSAGE(94), Cap: WeiFromSAGE(100), ResetsAt: midnight}},
		{"today by its first second", stats(today * 86_400), MiningDay{Jobs: 3, Earned: WeiFromSAGE(6), Left: WeiFromSAGE(94), Cap: WeiFromSAGE(100), ResetsAt: midnight}},
		{"an earlier day", stats(today - 1), MiningDay{Left: WeiFromSAGE(94), Cap: WeiFromSAGE(94), ResetsAt: midnight}},
		{"never paid", MiningStats{}, MiningDay{Left: WeiFromSAGE(94), Cap: WeiFromSAGE(94)}},
	} {
		got, known := MiningDayOf(c.stats, WeiFromSAGE(94), at).Get()
		if !known || got.Jobs != c.want.Jobs || !got.Earned.Equal(c.want.Earned) || !got.Cap.Equal(c.want.Cap) || !got.ResetsAt.Equal(c.want.ResetsAt) {
			t.Errorf("%s: %+v (%v), want %+v", c.name, got, known, c.want)
		}
	}
	for _, odd := range []uint64{3, today + 1, today*86_400 + 7} {
		if d := MiningDayOf(stats(odd), WeiFromSAGE(94), at); d.Known() {
			t.Errorf("day %d is read as %+v", odd, d)
		}
	}
}

func TestMiningTimesAreTimesOnly(t *testing.T) {
	block := time.Date(2026, 3, 4, 0, 0, 0, 0, time.UTC)
	if at := (MiningStats{}).At(uint64(block.Unix())-60, block); !at.Or(time.Time{}).Equal(block.Add(-time.Minute)) {
		t.Errorf("a time: %+v", at)
	}
	for _, no := range []uint64{0, 17, uint64(block.Unix()) + 1} {
		if at := (MiningStats{}).At(no, block); at.Known() {
			t.Errorf("%d is read as %v", no, at)
		}
	}
}
