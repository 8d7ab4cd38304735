// Package history writes the database of the demo: a year of one made-up validator, the
// same for the same seed and time, consistent in itself, and then goes on with it.
// Nothing but the demo and tests may import it.
//
// One course of events is behind all tables: jobs run one at a time on cards, heartbeats
// and samples say what the cards did at that minute, and what fails has a cause that the
// other tables show too.
package history

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// Story is what happened. The same Story gives the same rows.
type Story struct {
	Worker  validator.Address
	Seed    uint64
	Now     time.Time // the end of the year
	Hosts   []Host
	Claims  []validator.Claim // as the chain has them
	Slashes []Slash
	// Block is the number of the chain's newest block at a time; nil leaves it out of jobs.
	Block func(time.Time) uint64
	// PriceSource is the price's source; "" = none.
	PriceSource string
}

// Host is one of the worker's machines.
type Host struct {
	ID    string // "rig-1"
	Since time.Time
	GPUs  []GPU
	// Reported says that the host's GPUs are seen only as it reports them, since the
	// dashboard runs elsewhere.
	Reported bool
}

// GPU is a card of a host.
type GPU struct {
	Index            int
	UUID, Name       string
	MemoryTotalBytes uint64
	PowerLimitWatts  uint32
}

// Slash is a slash on chain: the job with that id failed at that time. The job was submitted
// when JobIDAt was that id, if that is at most a day earlier.
type Slash struct {
	At     time.Time
	JobID  string
	Reason validator.SlashReason

	// GPUUUID is the card that the job ran on; "" leaves that to chance. Overheated says that
	// heat slowed it meanwhile.
	GPUUUID    string
	Overheated bool
}

// Year is how far a story reaches back.
const Year = 365 * 24 * time.Hour

func (s Story) start() time.Time { return s.Now.Add(-Year) }

// normalised returns the story with its times in UTC and as exact as the database keeps them, or
// says why it cannot be generated.
func (s Story) normalised() (Story, error) {
	if _, err := validator.ParseAddress(string(s.Worker)); err != nil {
		return s, fmt.Errorf("the story's worker: %w", err)
	}
	if s.Now.IsZero() {
		return s, errors.New("the story has no end")
	}
	s.Now = s.Now.UTC().Truncate(time.Microsecond)
	seen := map[string]bool{}
	for _, h := range s.Hosts {
		for _, g := range h.GPUs {
			if g.UUID == "" || seen[g.UUID] || g.MemoryTotalBytes == 0 || g.PowerLimitWatts == 0 {
				return s, fmt.Errorf("card %d of %s needs a UUID of its own (this is %q), memory and a power limit", g.Index, h.ID, g.UUID)
			}
			seen[g.UUID] = true
		}
	}
	if len(seen) == 0 {
		return s, errors.New("the story has no GPU")
	}
	for _, x := range s.Slashes {
		if x.At.Before(s.start().Add(day)) || x.At.After(s.Now) {
			return s, fmt.Errorf("the slash at %s is not in the story's year", x.At)
		}
		if x.GPUUUID != "" && !seen[x.GPUUUID] {
			return s, fmt.Errorf("the slash at %s is for a job on %s, which is no card of the story", x.At, x.GPUUUID)
		}
	}
	return s, nil
}

const day = 24 * time.Hour

// ago is a whole minute some time before the story's end.
func (s Story) ago(d time.Duration) time.Time { return s.Now.Add(-d).Truncate(time.Minute) }

// blockAt is the number of the chain's block at a time, nil if the story does not say.
func (s Story) blockAt(t time.Time) *uint64 {
	if s.Block == nil {
		return nil
	}
	n := s.Block(t)
	return &n
}

// Streams of chance, which do not disturb each other.
const (
	streamOutages uint64 = iota + 1
	streamTroubles
	streamDemand
	streamJobs
	streamOthers
	streamOthersBeats
	streamLive
	streamBeats   = 100 // and one more for each host
	streamSamples = 200 // and one more for each host and card
)

func (s Story) dice(stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(s.Seed, stream)) //nolint:gosec // a story that can be generated again
}
