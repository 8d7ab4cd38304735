package history

import (
	"math/rand/v2"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// task is a job with what it does to its card.
type task struct {
	validator.Job

	kind        *kind
	utilization float64 // of its card, 0 to 1
	memoryShare float64 // of its card's memory
	slashed     bool    // the chain slashed for it
	hot         bool    // heat slowed its card
}

// endsBy is when the task leaves its card; open ones have not yet.
func (j task) endsBy(now time.Time) time.Time {
	if j.CompletedAt != nil {
		return *j.CompletedAt
	}
	return now
}

// card is a GPU with its year.
type card struct {
	host   Host
	gpu    GPU
	free   time.Time // when it has done what it was given so far
	closed []span    // in which it takes no jobs
	tasks  []task    // one after another
}

type span struct{ from, to time.Time }

// takes says whether no closed time lies between two times.
func (c *card) takes(from, to time.Time) bool {
	return !slices.ContainsFunc(c.closed, func(x span) bool { return from.Before(x.to) && x.from.Before(to) })
}

// year is the course of events behind all that is written of the worker.
type year struct {
	story    Story
	outages  []outage
	troubles []trouble
	losses   []loss
	cards    []*card
	waiting  []task // submitted, and on no card yet
}

// live lets the year pass.
func (s Story) live() *year {
	y := &year{story: s, outages: s.outages()}
	for _, h := range s.Hosts {
		for _, g := range h.GPUs {
			since := s.start()
			if h.Since.After(since) {
				since = h.Since.UTC()
			}
			y.cards = append(y.cards, &card{host: h, gpu: g, free: since, closed: []span{{s.start(), since}}})
		}
	}
	y.troubles, y.losses = s.troubles(y.cards), s.losses(y.cards)
	for _, l := range y.losses {
		c := y.cardNamed(l.gpuUUID)
		c.closed = append(c.closed, span{l.from, l.to})
	}
	set := slices.Concat(y.slashed(), y.open(), y.lostToday())
	y.work()
	for _, t := range set {
		c := y.cardNamed(t.GPUUUID)
		c.tasks = append(c.tasks, t)
	}
	for _, c := range y.cards {
		slices.SortFunc(c.tasks, func(a, b task) int { return a.AssignedAt.Compare(*b.AssignedAt) })
	}
	return y
}

func (y *year) cardNamed(uuid string) *card {
	i := slices.IndexFunc(y.cards, func(c *card) bool { return c.gpu.UUID == uuid })
	return y.cards[i]
}

// tasks are the worker's, in order of submission.
func (y *year) tasks() []task {
	out := slices.Clone(y.waiting)
	for _, c := range y.cards {
		out = append(out, c.tasks...)
	}
	slices.SortStableFunc(out, func(a, b task) int { return a.CreatedAt.Compare(b.CreatedAt) })
	return out
}

// work gives the year's demand to the cards, one job at a time on each.
func (y *year) work() {
	dice := y.story.dice(streamJobs)
	for _, t := range y.story.demand() {
		k := drawKind(dice)
		length := k.length(dice)
		dealt := time.Duration(1500+dice.IntN(6000)) * time.Millisecond
		c := y.cardFor(dice, t)
		if c == nil || y.nearSlashed(t) {
			continue
		}
		assigned := t.Add(dealt)
		if earliest := c.free.Add(dealt / 3); earliest.After(assigned) {
			assigned = earliest
		}
		if room := y.story.Now.Sub(assigned) - time.Minute; length > room {
			k, length = kindNamed("inference"), time.Duration(dice.Float64()*float64(max(room, 0))).Truncate(time.Millisecond)
		}
		if length < shortest { // so close to the end that it would still run
			continue
		}
		j := y.story.run(dice, k, y.story.Worker, t, assigned.Truncate(time.Millisecond), length)
		j.GPUUUID = c.gpu.UUID
		if y.strike(dice, &j, length) {
			c.tasks = append(c.tasks, j)
			c.free = *j.CompletedAt
		}
	}
}

// patience is how long a job waits for a card before the coordinator gives it to another worker.
const patience = 20 * time.Minute

// cardFor returns a free card, or the one that is free next if that is soon.
func (y *year) cardFor(dice *rand.Rand, t time.Time) *card {
	first := dice.IntN(len(y.cards))
	var next *card
	for i := range y.cards {
		c := y.cards[(first+i)%len(y.cards)]
		if !c.takes(t, t.Add(shortest)) {
			continue
		}
		if !c.free.After(t) {
			return c
		}
		if next == nil || c.free.Before(next.free) {
			next = c
		}
	}
	if next == nil || next.free.After(t.Add(patience)) {
		return nil
	}
	return next
}

// run tells a job that goes its way: completed and paid, or now and then cancelled or
// failed for a reason of its own.
func (s Story) run(dice *rand.Rand, k *kind, worker validator.Address, created, assigned time.Time, length time.Duration) task {
	j := s.assigned(dice, k, worker, created, assigned)
	end := assigned.Add(length)
	pay, result, tx := k.payment(dice, length), felt(dice), felt(dice)
	f, share := drawFailure(dice), dice.Float64()
	switch chance := dice.IntN(1000); {
	case chance < failsInThousand:
		j.fail(f, share, length)
	case chance < failsInThousand+cancelsOf:
		end = assigned.Add(time.Duration(share * float64(length))).Truncate(time.Millisecond)
		j.Status, j.CompletedAt = validator.JobCancelled, &end
	default:
		j.Status, j.CompletedAt, j.ExecutionTime, j.Payment = validator.JobCompleted, &end, &length, &pay
		j.ResultHash, j.TxHash, j.BlockNumber = string(result), tx, s.blockAt(end)
	}
	return j
}

// assigned is a job that a worker has been given.
func (s Story) assigned(dice *rand.Rand, k *kind, worker validator.Address, created, assigned time.Time) task {
	const spread = 0.04
	around := func(v float64) float64 { return min(v*(1+spread*(2*dice.Float64()-1)), 1) }
	return task{
		Job: validator.Job{
			Client: client(dice), Worker: worker, Type: k.name, Status: validator.JobRunning, CreatedAt: created, AssignedAt: &assigned,
		},
		kind: k, utilization: around(k.utilization), memoryShare: around(k.memoryShare),
	}
}

// fail ends a job without a result. What takes no fixed time happens at a share of its length.
func (j *task) fail(f failure, share float64, length time.Duration) {
	after := time.Duration((0.05 + 0.9*share) * float64(length))
	switch {
	case f.status == validator.JobTimedOut:
		f.words, after = overdue(j.kind), j.kind.deadline
	case f.after > 0:
		after = min(time.Duration((0.5+share)*float64(f.after)), length)
	}
	j.failAt(f.status, f.words, j.AssignedAt.Add(after).Truncate(time.Millisecond))
}

func (j *task) failAt(status validator.JobStatus, words string, at time.Time) {
	j.Status, j.ErrorMessage, j.CompletedAt = status, words, &at
	j.ExecutionTime, j.Payment, j.ResultHash, j.TxHash, j.BlockNumber = nil, nil, "", "", nil
}

// strike lets happen to a job what happens to its card and its host while it runs. It says
// false if the job cannot have been given to the card at all.
func (y *year) strike(dice *rand.Rand, j *task, length time.Duration) bool {
	share := dice.Float64()
	for _, x := range y.troubles {
		if x.befalls(dice, j.kind, j.GPUUUID, *j.AssignedAt) {
			j.fail(x.failure, share, length)
		}
	}
	assigned := *j.AssignedAt
	if dark(y.outages, assigned) {
		return false
	}
	if _, planned := outageIn(y.outages, assigned, *j.CompletedAt, func(o outage) bool { return o.planned }); planned {
		return false
	}
	for _, l := range y.losses {
		if l.gpuUUID == j.GPUUUID && l.from.After(assigned) && l.from.Before(*j.CompletedAt) {
			j.failAt(validator.JobFailed, fellOffBus(l.gpuUUID), l.from.Add(2*time.Second))
			return true
		}
	}
	if o, lost := outageIn(y.outages, assigned, *j.CompletedAt, outage.losesJobs); lost {
		j.failAt(validator.JobFailed, heartbeatLost, o.from.Add(noticedAfter))
	}
	return y.cardNamed(j.GPUUUID).takes(assigned, *j.CompletedAt)
}

// slashWords are what the coordinator says of a job for which the worker is slashed.
func slashWords(r validator.SlashReason, k *kind) (validator.JobStatus, string) {
	switch r {
	case validator.SlashTimeout:
		return validator.JobTimedOut, overdue(k)
	case validator.SlashInvalidProof:
		return validator.JobFailed, "proof rejected: it does not verify against the job's commitment"
	case validator.SlashBenchmarkFraud:
		return validator.JobFailed, "benchmark does not match the staked GPU tier"
	case validator.SlashMalicious:
		return validator.JobFailed, "result disputed, and found to be forged"
	case validator.SlashRepeatedFailures, validator.SlashReasonCount:
	}
	return validator.JobFailed, heartbeatLost
}

// slashed tells the jobs that slashes on chain name, and keeps their cards free of others.
func (y *year) slashed() []task {
	dice := y.story.dice(streamOutages + streamSamples)
	var out []task
	for i, x := range y.story.Slashes {
		k := kindNamed("fine-tuning")
		if x.Reason == validator.SlashInvalidProof {
			k = kindNamed("zk-proof")
		}
		end := x.At.UTC().Truncate(time.Microsecond)
		created, known := y.story.submittedAs(x.JobID)
		if before := end.Sub(created); !known || before <= 0 || before > day {
			created = end.Add(-k.median)
		}
		assigned := created.Add(min(4*time.Second, end.Sub(created)/2))
		c := y.cards[(int(y.story.Seed%97)+i)%len(y.cards)]
		switch {
		case x.GPUUUID != "":
			c = y.cardNamed(x.GPUUUID)
		case !c.takes(assigned, end):
			c = y.cards[0]
		}
		j := y.story.assigned(dice, k, y.story.Worker, created, assigned)
		j.ID, j.GPUUUID, j.slashed, j.hot = x.JobID, c.gpu.UUID, true, x.Overheated
		j.Status, j.ErrorMessage = slashWords(x.Reason, k)
		j.CompletedAt = &end
		if x.Reason == validator.SlashTimeout {
			j.ErrorMessage = "deadline exceeded: no result after " + end.Sub(assigned).Round(time.Second).String()
		}
		c.closed = append(c.closed, span{assigned.Add(-time.Minute), end})
		out = append(out, j)
	}
	return out
}

// lostToday tells a job that the last day's outage cost, so that there always is one.
func (y *year) lostToday() []task {
	c, o := y.cards[0], y.story.todays()
	assigned, end := o.from.Add(-26*time.Minute+3*time.Second), o.from.Add(noticedAfter)
	if !c.takes(assigned, end) || y.darkSince(assigned, o.from) {
		return nil
	}
	j := y.story.assigned(y.story.dice(streamOutages+2*streamSamples), kindNamed("rendering"), y.story.Worker, assigned.Add(-4*time.Second), assigned)
	j.GPUUUID = c.gpu.UUID
	j.failAt(validator.JobFailed, heartbeatLost, end)
	c.closed = append(c.closed, span{assigned.Add(-time.Minute), end})
	return []task{j}
}

// nearSlashed says whether a submission would be numbered beside a slashed job, whose id
// the chain has given.
func (y *year) nearSlashed(t time.Time) bool {
	return nearSlashed(y.story, t)
}

func nearSlashed(s Story, t time.Time) bool {
	const beside = 3 * time.Minute
	for _, x := range s.Slashes {
		if at, known := s.submittedAs(x.JobID); known && t.Sub(at).Abs() < beside {
			return true
		}
	}
	return false
}

// open tells what goes on at the end of the year: jobs on some of the cards, and a short
// queue. The other cards are free for a moment.
func (y *year) open() []task {
	s, dice := y.story, y.story.dice(streamLive+streamSamples)
	running := []struct {
		kind  string
		since time.Duration
	}{{"fine-tuning", 47 * time.Minute}, {"rendering", 9 * time.Minute}, {"zk-proof", 50 * time.Second}}
	var out []task
	for i, c := range y.busyFirst() {
		from := s.Now.Add(-20 * time.Second)
		if i < min(len(running), max(1, len(y.cards)/2)) {
			x := running[i]
			assigned := s.Now.Add(-x.since)
			if c.takes(assigned, s.Now) && !y.darkSince(assigned, s.Now) {
				j := s.assigned(dice, kindNamed(x.kind), s.Worker, assigned.Add(-6*time.Second), assigned)
				j.GPUUUID = c.gpu.UUID
				out = append(out, j)
				from = assigned.Add(-20 * time.Second)
			}
		}
		c.closed = append(c.closed, span{from, s.Now.Add(Year)})
	}
	for _, since := range []time.Duration{34 * time.Second, 11 * time.Second} {
		k := drawKind(dice)
		j := s.assigned(dice, k, s.Worker, s.Now.Add(-since), s.Now)
		j.Status, j.AssignedAt = validator.JobPending, nil
		y.waiting = append(y.waiting, j)
	}
	return out
}

// darkSince says whether an outage begins between two times, or holds the first.
func (y *year) darkSince(from, to time.Time) bool {
	_, begins := outageIn(y.outages, from, to, func(outage) bool { return true })
	return begins || dark(y.outages, from)
}

// busyFirst orders the cards so that the first ones, which have work at the end, are on
// every kind of host: two of those that the dashboard reads itself, then a reported one.
func (y *year) busyFirst() []*card {
	var own, reported []*card
	for _, c := range y.cards {
		if c.host.Reported {
			reported = append(reported, c)
		} else {
			own = append(own, c)
		}
	}
	at := min(2, len(own))
	return slices.Concat(own[:at], reported, own[at:])
}
