package validator

import "time"

// MiningReads is what the chain says of a wallet's mining rewards.
type MiningReads struct {
	Configured   bool // MiningRewards has an address
	Stats        ChainRead[MiningStats]
	RemainingCap ChainRead[Wei] // MiningRewards.get_remaining_cap: what it still pays on this day
	Tier         ChainRead[MiningTier]
}

// MiningStats is MiningRewards.get_worker_stats(worker). The contract pushes its rewards:
// nothing of them is claimable.
type MiningStats struct {
	Jobs      uint64
	Earned    Wei
	Day       uint64 // the day that DayJobs and DayEarned are of, as the contract counts days
	DayJobs   uint64
	DayEarned Wei
	First     uint64 // of the rewards, as the contract tells it
	Last      uint64
}

// MiningTier is MiningRewards.get_stake_tier(worker).
type MiningTier int

// The tiers, by their index in the contract's enum.
const (
	MiningTierNone MiningTier = iota
	MiningTierBronze
	MiningTierSilver
	MiningTierGold
	MiningTierPlatinum
	MiningTierCount
)

// String returns the tier's name.
func (t MiningTier) String() string {
	if t < 0 || t >= MiningTierCount {
		return "unknown tier"
	}
	return [MiningTierCount]string{"None", "Bronze", "Silver", "Gold", "Platinum"}[t]
}

// MiningDay is how much of a day's cap is used.
type MiningDay struct {
	Jobs     uint64
	Earned   Wei
	Left     Wei
	Cap      Wei       // Earned and Left
	ResetsAt time.Time // when the contract's next day begins; zero if that is not known
}

const secondsOfDay = 24 * 60 * 60

// MiningDayOf tells the day's part of the stats for the day of a block. What the contract
// counted on an earlier day is not of this one. Which day the contract's number means is
// taken from the number itself: days since 1970, or the day's first second.
func MiningDayOf(s MiningStats, left Wei, at time.Time) Maybe[MiningDay] {
	today := uint64(at.Unix()) / secondsOfDay
	day, known := s.dayNumber(today)
	d := MiningDay{Left: left, Cap: left}
	switch {
	case s.Day == 0 && s.Jobs == 0:
		return Some(d) // it has never paid, so that it has no day of this worker
	case !known:
		return None[MiningDay]("the contract's day is not one that this program can read")
	case day == today:
		d.Jobs, d.Earned, d.Cap = s.DayJobs, s.DayEarned, s.DayEarned.Add(left)
	}
	d.ResetsAt = time.Unix(int64((today+1)*secondsOfDay), 0).UTC()
	return Some(d)
}

// dayNumber reads the contract's day as a number of days since 1970, if it is one up to today.
func (s MiningStats) dayNumber(today uint64) (uint64, bool) {
	const firstDay = 18_000 // in 2019, before the network
	day := s.Day
	if day > today && day%secondsOfDay == 0 {
		day /= secondsOfDay
	}
	return day, day >= firstDay && day <= today
}

// MiningDay is how much of the day's cap of mining rewards is used, at the snapshot's block.
func (p Picture) MiningDay() Maybe[MiningDay] {
	m := p.Chain.Mining
	stats, known := m.Stats.Get()
	if !known {
		return None[MiningDay](m.Stats.Reason())
	}
	left, known := m.RemainingCap.Get()
	if !known {
		return None[MiningDay](m.RemainingCap.Reason())
	}
	return MiningDayOf(stats, left, p.Chain.Block.Time)
}

// At reads a time that the contract tells with a reward: seconds since 1970, where they are
// a time between the network's beginning and the block.
func (s MiningStats) At(seconds uint64, block time.Time) Maybe[time.Time] {
	const begin = 1_577_836_800 // 2020
	if seconds < begin || seconds > uint64(block.Unix()) {
		return None[time.Time]("the contract tells no time")
	}
	return Some(time.Unix(int64(seconds), 0).UTC())
}
