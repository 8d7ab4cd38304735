package gpu

import (
	"cmp"
	"slices"
	"strconv"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// Why a whole GPU has no value of a field, in the words of validator.None.
const (
	notListed   = "the driver no longer lists this GPU"
	noFault     = "it can be read"
	notMissing  = "it is not missing"
	neverRead   = "it was never read"
	notSlowed   = "it is not slowed"
	notHot      = "it is not near its heat limit"
	unknownTier = "this model is in no tier of the network's table"
)

// merge brings the GPUs of one pass, made at the given time, together with the cards
// known before it. A card is known by its UUID, whatever its index; one that can no
// longer be read or is no longer listed keeps its last reading.
func merge(known, read []validator.GPU, at time.Time) []validator.GPU {
	never := validator.None[time.Time](neverRead)
	byUUID := make(map[string]bool, len(read))
	for _, g := range read {
		byUUID[cardKey(g)] = true
	}
	taken := make(map[string]bool, len(known))
	out := make([]validator.GPU, 0, len(read)+1)
	for _, g := range read {
		if !g.Fault.Known() {
			out = append(out, sampled(g, at))
			taken[cardKey(g)] = true
			continue
		}
		old, ok := lookUp(known, byUUID, g)
		if !ok {
			g.MissingSince, g.SlowedSince, g.HotSince = never, never, never
			g.SlowedLately = validator.None[validator.Slowdown](notSlowed)
			g.Tier = tierOf(g.Name)
			out = append(out, g)
			taken[cardKey(g)] = true
			continue
		}
		taken[cardKey(old)] = true
		old.Index = g.Index
		out = append(out, missing(old, g.Fault, at))
	}
	for _, old := range known {
		if !taken[cardKey(old)] && seen(old) {
			out = append(out, missing(old, validator.Some(notListed), at))
		}
	}
	slices.SortStableFunc(out, func(a, b validator.GPU) int {
		return cmp.Or(cmp.Compare(a.Index, b.Index), cmp.Compare(rank(a), rank(b)))
	})
	return out
}

// lookUp finds the known card that a GPU which cannot be read was. A lost GPU may not
// even tell its UUID: then it is the card that had its index, unless that one is listed
// under its UUID elsewhere.
func lookUp(known []validator.GPU, listed map[string]bool, g validator.GPU) (validator.GPU, bool) {
	for _, old := range known {
		if g.UUID != "" && old.UUID == g.UUID {
			return old, true
		}
		if g.UUID == "" && old.Index == g.Index && seen(old) && (old.UUID == "" || !listed[cardKey(old)]) {
			return old, true
		}
	}
	return validator.GPU{}, false
}

// cardKey identifies a card: its UUID, or its index if it has none.
func cardKey(g validator.GPU) string {
	if g.UUID != "" {
		return g.UUID
	}
	return "#" + strconv.Itoa(g.Index)
}

// seen says whether the card was ever read, or at least identified.
func seen(g validator.GPU) bool { return g.UUID != "" || !g.SampledAt.IsZero() }

// rank puts a card that was unplugged behind the one that has its index now.
func rank(g validator.GPU) int {
	if g.Fault.Known() {
		return 1
	}
	return 0
}

func sampled(g validator.GPU, at time.Time) validator.GPU {
	g.SampledAt = at
	g.Fault = validator.None[string](noFault)
	g.MissingSince = validator.None[time.Time](notMissing)
	g.Tier = tierOf(g.Name)
	return g
}

func missing(old validator.GPU, fault validator.Maybe[string], at time.Time) validator.GPU {
	old.Fault = fault
	if !old.MissingSince.Known() {
		old.MissingSince = validator.Some(at)
	}
	return old
}

func tierOf(name validator.Maybe[string]) validator.Maybe[validator.Tier] {
	model, ok := name.Get()
	if !ok {
		return validator.None[validator.Tier](name.Reason())
	}
	if t, ok := validator.TierOfModel(model); ok {
		return validator.Some(t)
	}
	return validator.None[validator.Tier](unknownTier)
}
