package demodata

import (
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// kind is a type of job: how often it comes, how long it takes, and what it pays.
type kind struct {
	name           string
	weight         int
	shortest, span time.Duration
	sagePerHour    float64
	utilization    float64 // of the card
	memoryShare    float64 // of the card's memory
	process        string
	// How long the kind's jobs take while somebody watches; no span for kinds that take too long.
	liveLeast, liveSpan time.Duration
}

var kinds = []kind{
	{"inference", 46, 2 * time.Minute, 14 * time.Minute, 3.4, 0.72, 0.55, "vllm", 20 * time.Second, 50 * time.Second},
	{"zk-proof", 18, 4 * time.Minute, 18 * time.Minute, 3.9, 0.97, 0.32, "stwo-prover", 35 * time.Second, 80 * time.Second},
	{"rendering", 14, 8 * time.Minute, 35 * time.Minute, 2.6, 0.91, 0.41, "blender", 60 * time.Second, 2 * time.Minute},
	{"fine-tuning", 15, 20 * time.Minute, 80 * time.Minute, 3.1, 0.98, 0.83, "python3", 2 * time.Minute, 3 * time.Minute},
	{"training", 7, time.Hour, 3 * time.Hour, 2.9, 0.99, 0.92, "torchrun", 0, 0},
}

func drawKind(dice *rand.Rand) kind {
	n := dice.IntN(100)
	for _, k := range kinds {
		if n -= k.weight; n < 0 {
			return k
		}
	}
	return kinds[0]
}

// clients are who submits jobs.
const clientCount = 14

func client(n int) validator.Address {
	return validator.Address(fmt.Sprintf("0x%064x", uint64(0xc11e47)<<24+uint64(n)*7919))
}

// payment is what a job of some length pays: a rate with chance in it, to the wei.
func (k kind) payment(dice *rand.Rand, d time.Duration) validator.Wei {
	sage := k.sagePerHour * d.Hours() * math.Exp(dice.NormFloat64()*0.22)
	const gwei = 1_000_000_000
	wei := new(big.Int).Mul(big.NewInt(int64(sage*gwei)), big.NewInt(gwei))
	return validator.WeiFromBig(wei.Add(wei, big.NewInt(dice.Int64N(gwei))))
}

// felt is a hash that stands for one that a network made.
func felt(dice *rand.Rand) validator.Felt {
	return validator.Felt(fmt.Sprintf("0x00%014x%016x%016x%016x", dice.Uint64()>>8, dice.Uint64(), dice.Uint64(), dice.Uint64()))
}

// failure is how a job can go wrong by itself.
var failures = []struct {
	status validator.JobStatus
	words  string
}{
	{validator.JobFailed, "CUDA error: out of memory"},
	{validator.JobFailed, "CUDA error: out of memory"},
	{validator.JobFailed, "result hash differs from the verifier's"},
	{validator.JobFailed, "input archive could not be fetched: HTTP 404"},
	{validator.JobTimedOut, "deadline passed before the result arrived"},
	{validator.JobFailed, "process exited with status 137"},
}

// jobsOf tells the year of one card: one job after another, with pauses.
func (s Story) jobsOf(h Host, g GPU, stream uint64, outages []outage) []validator.Job {
	dice := s.dice(stream)
	from := s.start()
	if h.Since.After(from) {
		from = h.Since
	}
	var out []validator.Job
	for t := from; ; {
		t = t.Add(s.pause(dice, t))
		if o, dark := within(outages, t); dark {
			t = o.to.Add(time.Duration(dice.IntN(900)) * time.Second)
		}
		k := drawKind(dice)
		d := k.shortest + time.Duration(dice.Float64()*dice.Float64()*float64(k.span))
		j := s.job(dice, k, g, t, d, outages)
		if j.CompletedAt.After(s.Now.Add(-time.Minute)) {
			return out
		}
		out = append(out, j)
		t = *j.CompletedAt
	}
}

// pause is how long a card waits for its next job: longer in the first weeks, at night and
// at weekends.
func (s Story) pause(dice *rand.Rand, t time.Time) time.Duration {
	mean := 42.0 // minutes
	if age := t.Sub(s.start()); age < 30*24*time.Hour {
		mean *= 1 + 3*(1-age.Hours()/(30*24))
	}
	if wd := t.Weekday(); wd == time.Saturday || wd == time.Sunday {
		mean *= 1.35
	}
	mean *= 1 + 0.45*math.Cos(2*math.Pi*(float64(t.Hour())-3)/24)
	return time.Duration(dice.ExpFloat64()*mean*float64(time.Minute)) + 20*time.Second
}

// job tells one job, which is assigned at t and takes d unless something happens.
func (s Story) job(dice *rand.Rand, k kind, g GPU, t time.Time, d time.Duration, outages []outage) validator.Job {
	created := t.Add(-time.Duration(2+dice.IntN(40)) * time.Second).Truncate(time.Millisecond)
	assigned := t.Truncate(time.Millisecond)
	end := assigned.Add(d.Truncate(time.Millisecond))
	j := validator.Job{
		Client: client(dice.IntN(clientCount)), Worker: s.Worker, Type: k.name, Status: validator.JobCompleted,
		CreatedAt: created, AssignedAt: &assigned, CompletedAt: &end, GPUUUID: g.UUID,
	}
	pay, hash, tx := k.payment(dice, d), felt(dice), felt(dice)
	chance := dice.IntN(1000)
	if o, struck := strikes(outages, assigned, end); struck {
		end = o.from.Add(4 * time.Minute)
		j.Status, j.ErrorMessage = validator.JobFailed, "heartbeat lost: worker unreachable"
		return j
	}
	switch {
	case chance < 15:
		f := failures[dice.IntN(len(failures))]
		j.Status, j.ErrorMessage = f.status, f.words
		end = assigned.Add(time.Duration(float64(d) * dice.Float64())).Truncate(time.Millisecond)
	case chance < 20:
		j.Status = validator.JobCancelled
		end = assigned.Add(time.Duration(float64(d) * dice.Float64())).Truncate(time.Millisecond)
	default:
		took := end.Sub(assigned)
		j.Payment, j.ResultHash, j.TxHash, j.ExecutionTime, j.BlockNumber = &pay, string(hash), tx, &took, s.blockAt(end)
	}
	return j
}

// blockAt is the number of the chain's block at a time, nil if the story does not say.
func (s Story) blockAt(t time.Time) *uint64 {
	if s.Block == nil {
		return nil
	}
	n := s.Block(t)
	return &n
}

// ownJobs tells the worker's year on all its cards, with the slashed jobs, by submission.
func (s Story) ownJobs(outages []outage) []validator.Job {
	var out []validator.Job
	stream := uint64(streamGPU)
	for _, h := range s.Hosts {
		for _, g := range h.GPUs {
			stream++
			out = append(out, s.jobsOf(h, g, stream, outages)...)
		}
	}
	for i, slash := range s.Slashes {
		out = append(out, s.slashedJob(slash, i))
	}
	slices.SortFunc(out, func(a, b validator.Job) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return out
}

// slashedJob is the job that a slash on chain names.
func (s Story) slashedJob(slash Slash, n int) validator.Job {
	created := slash.At.Add(-70 * time.Minute).Truncate(time.Millisecond)
	assigned, end := created.Add(9*time.Second), slash.At.Truncate(time.Millisecond)
	j := validator.Job{
		ID: slash.JobID, Client: client(n), Worker: s.Worker, Type: "training", Status: validator.JobTimedOut,
		CreatedAt: created, AssignedAt: &assigned, CompletedAt: &end,
		ErrorMessage: "deadline passed before the result arrived: the worker had stopped answering",
	}
	if len(s.Hosts) > 0 && len(s.Hosts[0].GPUs) > 0 {
		j.GPUUUID = s.Hosts[0].GPUs[0].UUID
	}
	return j
}

// The rest of the network, so that the figures about it have something to say.
const (
	otherWorkers    = 41
	otherActive     = 34
	otherJobsOfEach = 700
	otherHost       = "node"
	newestVersion   = "1.8.2" // of the worker's software
)

// OtherWorker is the address of one of the other workers of the network, from 0.
func OtherWorker(n int) validator.Address {
	return validator.Address(fmt.Sprintf("0x%064x", uint64(0x0b175a6e)<<20+uint64(n)*104_729))
}

func (s Story) otherJobs() []validator.Job {
	dice := s.dice(streamOthers)
	var out []validator.Job
	for w := range otherWorkers {
		for range otherJobsOfEach/2 + dice.IntN(otherJobsOfEach) {
			t := s.Now.Add(-time.Duration(dice.Float64() * float64(Year-time.Hour))).Add(-30 * time.Minute)
			k := drawKind(dice)
			j := s.job(dice, k, GPU{}, t, k.shortest+time.Duration(dice.Float64()*float64(25*time.Minute)), nil)
			j.Worker = OtherWorker(w)
			out = append(out, j)
		}
	}
	slices.SortFunc(out, func(a, b validator.Job) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return out
}
