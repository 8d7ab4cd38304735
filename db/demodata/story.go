// Package demodata writes the database of the demo: a year of one made-up validator, the
// same for the same seed and time, told so that it hangs together, and then goes on with it.
// Nothing but the demo and tests may import it.
package demodata

import (
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// Story is what happened. The same Story gives the same rows.
type Story struct {
	Worker  validator.Address
	Seed    uint64
	Now     time.Time // the end of the year that is told
	Hosts   []Host
	Claims  []validator.Claim // as the chain has them
	Slashes []Slash
	// Block is the number of the chain's newest block at a time; nil leaves it out of jobs.
	Block func(time.Time) uint64
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

// Slash is a slash on chain: the job with that id failed at that time.
type Slash struct {
	At     time.Time
	JobID  string
	Reason validator.SlashReason
}

// Year is how far a story reaches back.
const Year = 365 * 24 * time.Hour

func (s Story) start() time.Time { return s.Now.Add(-Year) }

// The ids of jobs are decimal numbers that rise with the time of submission.
const (
	firstJobID   = 1_000_000
	jobIDSeconds = 20 // of the network's time between two numbers
)

// JobIDAt is the first number for a job submitted at a time.
func (s Story) JobIDAt(t time.Time) int64 {
	return firstJobID + int64(t.Sub(s.start())/time.Second)/jobIDSeconds
}

// ids gives each job a number of its own.
type ids struct {
	story Story
	taken map[int64]bool
}

func newIDs(s Story) *ids {
	i := &ids{s, map[int64]bool{}}
	for _, slash := range s.Slashes {
		if n, err := strconv.ParseInt(slash.JobID, 10, 64); err == nil {
			i.taken[n] = true
		}
	}
	return i
}

func (i *ids) next(t time.Time) string {
	n := i.story.JobIDAt(t)
	for i.taken[n] {
		n++
	}
	i.taken[n] = true
	return strconv.FormatInt(n, 10)
}

// dice are one stream of chance of a story; streams do not disturb each other.
func (s Story) dice(stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(s.Seed, stream)) //nolint:gosec // a story that can be told again
}

// Streams of chance.
const (
	streamOutages uint64 = iota + 1
	streamOthers
	streamLive
	streamGPU = 1000 // and one more for each GPU
)
