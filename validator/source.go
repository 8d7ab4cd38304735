package validator

import "time"

// Source names one of the three places that values come from.
type Source string

// The sources, as the JSON API's "sources" member names them.
const (
	SourceGPU      Source = "gpu"
	SourceDatabase Source = "database"
	SourceChain    Source = "chain"
)

// Health says how far a source can be believed right now.
type Health string

// The states of a source. Stale means that the last good values are shown and that
// they are older than the source's own rhythm.
const (
	HealthOK          Health = "ok"
	HealthStale       Health = "stale"
	HealthUnavailable Health = "unavailable"
	HealthDisabled    Health = "disabled"
)

// SourceState is what is known about a source itself, apart from its values.
type SourceState struct {
	Source     Source
	Health     Health
	ObservedAt time.Time // of the newest good values; zero if there never were any
	Block      uint64    // chain only: the block that the values belong to
	BlockTime  time.Time // chain only
	Arrival    string    // chain only: how new blocks are learnt, a phrase
	Reason     string    // why the source is not ok, one sentence for people
	Remedy     string    // what the reader can do about it; may be empty
}

// Age returns how old the newest good values are at now, and false if there are none.
func (s SourceState) Age(now time.Time) (time.Duration, bool) {
	if s.ObservedAt.IsZero() {
		return 0, false
	}
	return max(now.Sub(s.ObservedAt), 0), true
}
