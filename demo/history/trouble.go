package history

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// failure is how a job goes wrong.
type failure struct {
	status validator.JobStatus
	words  string
	after  time.Duration // from its assignment; 0 for some time while it runs
}

// alone are failures that have nothing to do with others, by their weight in 100.
var alone = []struct {
	weight int
	failure
}{
	{34, failure{validator.JobFailed, outOfMemory, 40 * time.Second}},
	{22, failure{validator.JobFailed, "result hash differs from the verifier's", 0}},
	{16, failure{validator.JobFailed, "input archive could not be fetched: HTTP 404", 6 * time.Second}},
	{16, failure{validator.JobFailed, "process exited with status 137", 0}},
	{12, failure{validator.JobTimedOut, "", 0}}, // at its deadline
}

const (
	outOfMemory     = "CUDA error: out of memory"
	heartbeatLost   = "heartbeat lost: worker unreachable"
	failsInThousand = 17
	cancelsOf       = 7 // in a thousand
)

func drawFailure(dice *rand.Rand) failure {
	return alone[weighted(dice, func(i int) int { return alone[i].weight })].failure
}

// overdue is what the coordinator says of a job that gave no result until its deadline.
func overdue(k *kind) string { return fmt.Sprintf("deadline exceeded: no result after %s", k.deadline) }

// fellOffBus and doubleBitError are what the driver's log says of a card (Xid 79 and 48).
func fellOffBus(gpuUUID string) string {
	return fmt.Sprintf("Xid 79 on %s: GPU has fallen off the bus", gpuUUID)
}

func doubleBitError(gpuUUID string) string {
	return fmt.Sprintf("Xid 48 on %s: double bit ECC error", gpuUUID)
}

// trouble is a time in which some jobs fail for one reason.
type trouble struct {
	from, to time.Time
	percent  int      // of the jobs that are assigned in it
	kinds    []string // empty = all
	gpuUUID  string   // "" = all
	failure  failure
}

func (x trouble) befalls(dice *rand.Rand, k *kind, gpuUUID string, assigned time.Time) bool {
	return !assigned.Before(x.from) && assigned.Before(x.to) &&
		(x.gpuUUID == "" || x.gpuUUID == gpuUUID) &&
		(len(x.kinds) == 0 || slices.Contains(x.kinds, k.name)) &&
		dice.IntN(100) < x.percent
}

// loss is a time in which a card is off the bus, from the moment it falls until its host
// is mended.
type loss struct {
	gpuUUID  string
	from, to time.Time
}

// troubles draws the year's: a release of the worker's software that needs too much memory,
// days on which inputs cannot be fetched, and cards with memory errors until they are reset.
func (s Story) troubles(cards []*card) []trouble {
	dice := s.dice(streamTroubles)
	var out []trouble
	within := func(from time.Time, hours int, percent int, f failure) trouble {
		return trouble{from: from, to: from.Add(time.Duration(hours) * time.Hour), percent: percent, failure: f}
	}
	leaky := within(s.released(leakyVersion), 12, 45, failure{validator.JobFailed, outOfMemory, 35 * time.Second})
	leaky.kinds = []string{"inference", "fine-tuning", "training"}
	out = append(out, leaky)
	for t := s.start(); ; {
		t = t.Add(time.Duration(25+dice.IntN(30)) * day).Add(time.Duration(dice.IntN(24)) * time.Hour)
		if t.After(s.Now.Add(-9 * day)) {
			break
		}
		out = append(out, within(t, 2+dice.IntN(3), 60, failure{validator.JobFailed, "input archive could not be fetched: HTTP 503", 12 * time.Second}))
		c := cards[dice.IntN(len(cards))]
		faulty := within(t.Add(time.Duration(8+dice.IntN(10))*day), 6+dice.IntN(10), 55, failure{validator.JobFailed, doubleBitError(c.gpu.UUID), 0})
		faulty.gpuUUID = c.gpu.UUID
		if faulty.to.Before(s.Now.Add(-2 * day)) {
			out = append(out, faulty)
		}
	}
	return out
}

// losses draws when cards fell off the bus. A host with one card has none: it would be
// another story.
func (s Story) losses(cards []*card) []loss {
	dice := s.dice(streamTroubles + streamSamples)
	var out []loss
	for _, ago := range []int{260, 140, 48} {
		from := s.ago(time.Duration(ago)*day + time.Duration(dice.IntN(24*60))*time.Minute).Add(time.Duration(dice.IntN(60)) * time.Second)
		c := cards[dice.IntN(len(cards))]
		if len(c.host.GPUs) > 1 && c.host.Since.Before(from) {
			out = append(out, loss{c.gpu.UUID, from, from.Add(time.Duration(9+dice.IntN(20)) * time.Hour)})
		}
	}
	return out
}

// Versions of the worker's software.
const (
	leakyVersion  = "1.8.0" // needs too much of the cards' memory
	newestVersion = "1.8.2"
)

// releases are when each version came to the worker, as a share of the year.
var releases = []struct {
	version string
	share   float64
}{{"1.6.3", 0}, {"1.7.0", 0.22}, {"1.7.2", 0.41}, {leakyVersion, 0.68}, {"1.8.1", 0.6825}, {newestVersion, 0.93}}

func (s Story) released(version string) time.Time {
	for _, r := range releases {
		if r.version == version {
			return s.start().Add(time.Duration(r.share * float64(Year))).Truncate(time.Minute)
		}
	}
	return s.start()
}

// versionAt is the worker's version at a time.
func (s Story) versionAt(t time.Time) string {
	running := releases[0].version
	for _, r := range releases {
		if !s.released(r.version).After(t) {
			running = r.version
		}
	}
	return running
}
