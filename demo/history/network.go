package history

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// The rest of the network, so that the figures about it have something to say.
const (
	otherWorkers = 41
	otherActive  = 34 // the first; the others were there once
	otherHost    = "node"
	otherBeats   = 90 * time.Minute // for which heartbeats of active ones are kept
)

// OtherWorker is the address of one of the other workers of the network, from 0.
func OtherWorker(n int) validator.Address { return addressOf("worker", n) }

// otherGPUs is how many GPUs another worker has.
func otherGPUs(n int) int { return 1 + n*n%8 }

// otherVersion is the software of another worker: most follow the newest release.
func otherVersion(n int) string {
	switch {
	case n%11 == 5:
		return "1.7.2"
	case n%5 == 3:
		return "1.8.1"
	}
	return newestVersion
}

// otherYears is how many jobs another worker did: a few do most.
func otherYears(n int) int { return int(2600 / math.Pow(float64(n+2), 0.7)) }

// otherSpan is when another worker joined, and when it was last there.
func (s Story) otherSpan(n int) (from, to time.Time) {
	from = s.start().Add(time.Duration(n*37%300) * day)
	if n < otherActive {
		return from, s.Now
	}
	return from, s.ago(time.Duration(3+(n-otherActive)*5)*day + time.Duration(n)*time.Hour)
}

// otherTasks tells the jobs of the rest of the network, in no order.
func (s Story) otherTasks() []task {
	dice := s.dice(streamOthers)
	var out []task
	for n := range otherWorkers {
		from, to := s.otherSpan(n)
		for range otherYears(n) {
			k := drawKind(dice)
			length := k.length(dice)
			assigned := from.Add(time.Duration(dice.Float64() * float64(to.Sub(from)))).Truncate(time.Millisecond)
			j := s.run(dice, k, OtherWorker(n), assigned.Add(-time.Duration(2+dice.IntN(20))*time.Second), assigned, length)
			switch {
			case j.CompletedAt.Before(to):
			case n < otherActive:
				j.Status, j.CompletedAt, j.ErrorMessage = validator.JobRunning, nil, ""
				j.ExecutionTime, j.Payment, j.ResultHash, j.TxHash, j.BlockNumber = nil, nil, "", "", nil
			default: // it did not see the end of its last jobs
				j.failAt(validator.JobFailed, heartbeatLost, to)
			}
			if !nearSlashed(s, j.CreatedAt) {
				out = append(out, j)
			}
		}
	}
	return out
}

// otherBeat is a heartbeat of another worker, as busy as chance has it.
func otherBeat(dice *rand.Rand, n int, at time.Time) validator.Heartbeat {
	cards := int32(otherGPUs(n))
	jobs := dice.Int32N(cards + 1)
	utilization, memory := tenths(93*float64(jobs)/float64(cards)), tenths(61*float64(jobs)/float64(cards))
	latency := int32(12 + n*5%60 + dice.IntN(9))
	return validator.Heartbeat{
		Worker: OtherWorker(n), WorkerID: otherHost, At: at.Truncate(time.Millisecond), GPUCount: &cards, GPUUtilizationPercent: &utilization,
		MemoryUtilizationPercent: &memory, JobsInProgress: &jobs, LatencyMS: &latency, Version: otherVersion(n),
	}
}

// otherHeartbeats are those that count now: of active workers the newest, of the others the last.
func (s Story) otherHeartbeats() []validator.Heartbeat {
	dice := s.dice(streamOthersBeats)
	var out []validator.Heartbeat
	for n := range otherWorkers {
		from, to := s.otherSpan(n)
		out = append(out, otherBeat(dice, n, from))
		offset := time.Duration(dice.Float64() * float64(time.Minute))
		for t := to.Add(-otherBeats); t.Before(to); t = t.Add(time.Minute) {
			if at := t.Add(offset); at.Before(to) {
				out = append(out, otherBeat(dice, n, at))
			}
		}
	}
	return out
}

func tenths(v float64) float64 { return math.Round(v*10) / 10 }
