package validator

import (
	"slices"
	"time"
)

// Staker is what ProverStaking's events leave staked of a worker.
type Staker struct {
	Worker  Address
	Tier    Tier
	Amount  Wei
	Slashed Wei // ever
}

// StakeBoard lists all stakers, the largest stake first.
type StakeBoard []Staker

// TierStake is what the workers of a tier have staked.
type TierStake struct {
	Stakers int
	Amount  Wei
}

// Total is all that is staked.
func (b StakeBoard) Total() Wei {
	var sum Wei
	for _, s := range b {
		sum = sum.Add(s.Amount)
	}
	return sum
}

// ByTier sums the stakes of each tier.
func (b StakeBoard) ByTier() [TierCount]TierStake {
	var out [TierCount]TierStake
	for _, s := range b {
		if s.Tier >= 0 && s.Tier < TierCount {
			out[s.Tier].Stakers++
			out[s.Tier].Amount = out[s.Tier].Amount.Add(s.Amount)
		}
	}
	return out
}

// Rank is the place of the staker at an index: equal stakes share one.
func (b StakeBoard) Rank(i int) int {
	return slices.IndexFunc(b, func(s Staker) bool { return s.Amount.Equal(b[i].Amount) }) + 1
}

// ScoredWorker is the newest reputation score that ReputationManager's events tell of somebody.
type ScoredWorker struct {
	WorkerID Felt // a wallet's address, or JobManager's id of the worker
	Score    uint32
	At       time.Time // of the block
}

// ReputationBoard lists everybody with a score, the highest first.
type ReputationBoard []ScoredWorker

// Rank is the place of the worker at an index: equal scores share one.
func (b ReputationBoard) Rank(i int) int {
	return slices.IndexFunc(b, func(s ScoredWorker) bool { return s.Score == b[i].Score }) + 1
}

// WorkerMonth is what one worker did in Window30d. It is for that worker's wallet only.
type WorkerMonth struct {
	Worker        Address
	UpMinutes     int
	TotalMinutes  int // from its first heartbeat ever; 0: none of these days' counts, as before it
	JobsCompleted int64
}

// AddToday adds the minutes of today, which is not over. first is the first heartbeat ever, and
// hours are those of today and the hour before it.
func (m *WorkerMonth) AddToday(first *time.Time, hours []HourMask, interval HeartbeatInterval, now time.Time) {
	of := newMinutes(first, hours, interval, now)
	u := of.between(DayOf(now), of.to)
	m.UpMinutes += u.UpMinutes
	m.TotalMinutes += u.TotalMinutes
}

// Uptime is UpMinutes of TotalMinutes in percent; missing if no minute counts.
func (m WorkerMonth) Uptime() Maybe[float64] { return sharePercent(m.UpMinutes, m.TotalMinutes) }

// UptimePercent is Uptime of a worker that was heard in these days.
func (m WorkerMonth) UptimePercent() float64 { return m.Uptime().Or(0) }

// WorkerMonths are those of all workers that were heard in these days, or completed a job.
type WorkerMonths []WorkerMonth

// Heard are the workers that were heard.
func (w WorkerMonths) Heard() WorkerMonths {
	return slices.DeleteFunc(slices.Clone(w), func(m WorkerMonth) bool { return m.UpMinutes == 0 })
}

// Working are the workers that completed a job.
func (w WorkerMonths) Working() WorkerMonths {
	return slices.DeleteFunc(slices.Clone(w), func(m WorkerMonth) bool { return m.JobsCompleted == 0 })
}

// LeastGroup is how many workers a group must have to be shown, so that nothing is shown of
// one of them.
const LeastGroup = 5

// WorkerGroup counts workers whose value is at least From and less than To.
type WorkerGroup struct {
	From    float64
	To      *float64 // nil: without an upper end
	Workers int
}

// Where groups may begin. These do not depend on any worker, so that a border tells nothing of one.
var (
	uptimeEdges = []float64{0, 50, 80, 90, 95, 98, 99, 99.5, 99.9, 100}
	jobEdges    = []float64{1, 10, 30, 100, 300, 1000, 3000, 10_000}
)

// UptimeGroups groups the workers that were heard by their uptime in percent.
func (w WorkerMonths) UptimeGroups() Maybe[[]WorkerGroup] {
	return groupsOf(w.Heard(), uptimeEdges, WorkerMonth.UptimePercent)
}

// JobGroups groups the workers that completed a job by how many they completed.
func (w WorkerMonths) JobGroups() Maybe[[]WorkerGroup] {
	return groupsOf(w.Working(), jobEdges, func(m WorkerMonth) float64 { return float64(m.JobsCompleted) })
}

// groupsOf counts workers between edges, lowest first. A group that is too small is counted
// together with the one above it, and the highest with the one below; of fewer workers than a
// group must have nothing is shown.
func groupsOf(w WorkerMonths, edges []float64, value func(WorkerMonth) float64) Maybe[[]WorkerGroup] {
	if len(w) < LeastGroup {
		return None[[]WorkerGroup](tooFewWorkers)
	}
	counts := make([]int, len(edges))
	for _, m := range w {
		v := value(m)
		i := len(edges) - 1
		for i > 0 && v < edges[i] {
			i--
		}
		counts[i]++
	}
	var out []WorkerGroup
	open := WorkerGroup{From: edges[0]}
	for i, n := range counts {
		open.Workers += n
		if open.Workers >= LeastGroup && i+1 < len(edges) {
			to := edges[i+1]
			open.To = &to
			out = append(out, open)
			open = WorkerGroup{From: to}
		}
	}
	switch {
	case open.Workers >= LeastGroup:
		out = append(out, open)
	case len(out) > 0:
		out[len(out)-1].To = nil
		out[len(out)-1].Workers += open.Workers
	}
	return Some(out)
}

const tooFewWorkers = "a group has at least 5 workers, so that none can be recognised"

// Place is where one of many stands.
type Place struct {
	Rank int // 1 is the best; equal values share one
	Of   int
}

// WorkerPlace is how a worker stands among the others. It is for that worker's wallet only.
type WorkerPlace struct {
	WorkerMonth
	ByUptime Maybe[Place] // among those that were heard
	ByJobs   Maybe[Place] // among those that completed a job
}

// PlaceOf is how a worker stands among the others. A place is missing if the worker is not
// among them, or if they are too few to be shown.
func (w WorkerMonths) PlaceOf(worker Address) WorkerPlace {
	p := WorkerPlace{WorkerMonth: WorkerMonth{Worker: worker}}
	if i := w.indexOf(worker); i >= 0 {
		p.WorkerMonth = w[i]
	}
	p.ByUptime = w.Heard().place(worker, WorkerMonth.UptimePercent, "this wallet's worker was not heard in these days")
	p.ByJobs = w.Working().place(worker, func(m WorkerMonth) float64 { return float64(m.JobsCompleted) }, "this wallet's worker completed no job in these days")
	return p
}

func (w WorkerMonths) indexOf(worker Address) int {
	return slices.IndexFunc(w, func(m WorkerMonth) bool { return m.Worker == worker })
}

func (w WorkerMonths) place(worker Address, value func(WorkerMonth) float64, absent string) Maybe[Place] {
	i := w.indexOf(worker)
	switch {
	case i < 0:
		return None[Place](absent)
	case len(w) < LeastGroup:
		return None[Place](tooFewWorkers)
	}
	p := Place{1, len(w)}
	for _, m := range w {
		if value(m) > value(w[i]) {
			p.Rank++
		}
	}
	return Some(p)
}
