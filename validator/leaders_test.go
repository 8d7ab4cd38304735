package validator

import (
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func drawMonths(t *rapid.T, least, most int) WorkerMonths {
	var w WorkerMonths
	for i := range rapid.IntRange(least, most).Draw(t, "workers") {
		w = append(w, WorkerMonth{
			Worker: Address(fmt.Sprintf("0x%064x", i)), TotalMinutes: 43_200,
			UpMinutes: rapid.OneOf(rapid.IntRange(0, 43_200), rapid.Just(43_200), rapid.IntRange(43_000, 43_200)).Draw(t, "up"), JobsCompleted: rapid.OneOf(rapid.Just(int64(0)), rapid.Int64Range(1, 20_000)).Draw(t, "jobs"),
		})
	}
	return w
}

// TestNoGroupSinglesAWorkerOut: each has enough workers, they cover everybody once, and
// their borders are the same whoever is in them.
func TestNoGroupSinglesAWorkerOut(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawMonths(t, 0, 60)
		for name, of := range map[string]struct {
			of     WorkerMonths
			groups Maybe[[]WorkerGroup]
			edges  []float64
			value  func(WorkerMonth) float64
		}{
			"uptime": {w.Heard(), w.UptimeGroups(), uptimeEdges, WorkerMonth.UptimePercent},
			"jobs":   {w.Working(), w.JobGroups(), jobEdges, func(m WorkerMonth) float64 { return float64(m.JobsCompleted) }},
		} {
			groups, known := of.groups.Get()
			w := of.of
			if known != (len(w) >= LeastGroup) {
				t.Fatalf("%s of %d workers is shown: %v", name, len(w), known)
			}
			sum := 0
			for i, g := range groups {
				counted := 0
				for _, m := range w {
					if v := of.value(m); v >= g.From && (g.To == nil || v < *g.To) {
						counted++
					}
				}
				last := i == len(groups)-1
				if g.Workers < LeastGroup || g.Workers != counted || last != (g.To == nil) || i == 0 && g.From != of.edges[0] || !last && *g.To != groups[i+1].From {
					t.Fatalf("%s: group %d of %+v, counted %d", name, i, groups, counted)
				}
				if !slices.Contains(of.edges, g.From) {
					t.Fatalf("%s: a group begins at %v", name, g.From)
				}
				sum += g.Workers
			}
			if known && sum != len(w) {
				t.Fatalf("%s: %d workers in groups, of %d", name, sum, len(w))
			}
		}
	})
}

func TestAPlaceIsCountedByWhoIsBetter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawMonths(t, 1, 30)
		own := rapid.IntRange(0, len(w)-1).Draw(t, "own")
		p := w.PlaceOf(w[own].Worker)
		place, known := p.ByJobs.Get()
		if among := len(w.Working()); known != (among >= LeastGroup && w[own].JobsCompleted > 0) || p.ByUptime.Known() != (len(w.Heard()) >= LeastGroup && w[own].UpMinutes > 0) {
			t.Fatalf("the place among %d is shown: %v", among, known)
		}
		if !known {
			return
		}
		better := 0
		for _, m := range w {
			if m.JobsCompleted > w[own].JobsCompleted {
				better++
			}
		}
		if place != (Place{better + 1, len(w.Working())}) || p.Worker != w[own].Worker {
			t.Fatalf("%+v, %d do more", p, better)
		}
	})
	if p := (WorkerMonths{{UpMinutes: 1}, {UpMinutes: 1}, {UpMinutes: 1}, {UpMinutes: 1}, {UpMinutes: 1}}).PlaceOf("0x7"); p.ByUptime.Known() || p.ByJobs.Known() {
		t.Error("a worker that was not heard has a place")
	}
}

func TestFewHostsOfAKindAreNotTold(t *testing.T) {
	c := NetworkCounts{ActiveHosts: 15, ByVersion: []VersionCount{{"2", 8}, {"1", 4}, {"", 3}}, ByGPUCount: []GPUCountWorkers{{8, 5}, {4, 4}}}
	if got := fmt.Sprint(c.TellableVersions(), c.TellableGPUCounts()); got != "[{2 8} {other 7}] [{8 5}]" {
		t.Error(got)
	}
}

func TestEqualStakesShareAPlace(t *testing.T) {
	b := StakeBoard{{Worker: "a", Tier: 1, Amount: WeiFromInt(9)}, {Worker: "b", Tier: 3, Amount: WeiFromInt(5)}, {Worker: "c", Tier: 3, Amount: WeiFromInt(5)}, {Worker: "d", Amount: WeiFromInt(1)}}
	if got := fmt.Sprint(b.Rank(0), b.Rank(1), b.Rank(2), b.Rank(3), b.Total(), b.ByTier()[3].Stakers, b.ByTier()[3].Amount); got != "1 2 2 4 20 2 10" {
		t.Error(got)
	}
}
