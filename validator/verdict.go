package validator

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Verdict answers the reader's first question: am I earning right now?
type Verdict string

// The verdicts.
const (
	VerdictEarning     Verdict = "Earning"      // a job runs, or one was completed within the last hour
	VerdictIdle        Verdict = "Idle"         // everything is in order, no work arrives
	VerdictAtRisk      Verdict = "At risk"      // eligible, but something is wrong or close to it
	VerdictNotEligible Verdict = "Not eligible" // the chain gives this worker no jobs
	VerdictUnknown     Verdict = "Unknown"      // a source that decides it is missing
)

// CheckState is the outcome of one line of the checklist.
type CheckState string

// The outcomes.
const (
	CheckPass    CheckState = "pass"
	CheckWarn    CheckState = "warn"
	CheckFail    CheckState = "fail"
	CheckUnknown CheckState = "unknown"
)

// Check is one line of the checklist.
type Check struct {
	ID     string
	Label  string
	State  CheckState
	Detail string // what was observed, or why it is unknown
	Remedy string // how to mend it, unless it passes
}

// Assessment is the verdict with its reasons.
type Assessment struct {
	Verdict Verdict
	Reason  string // one sentence: what the verdict rests on, which at risk is the risk
	Checks  []Check

	// Earning says whether work brings something in now: a job was completed within the last
	// hour, or one runs on a host that is heard. It is set whatever the verdict is.
	Earning Maybe[bool]
}

// earning answers whether work brings something in now. A job that a host which is gone held
// is no work.
func (p Picture) earning(heartbeat Check) Maybe[bool] {
	jobs := usable(p, p.Database, databaseTolerance, p.Jobs)
	return Map(jobs, func(j JobCounts) bool {
		recent := j.LastCompletedAt != nil && p.Now.Sub(*j.LastCompletedAt) <= recentWork
		return recent || j.InProgress > 0 && heartbeat.State != CheckFail
	})
}

// How old a source's values may be and still carry a verdict. A stake rarely changes, a
// worker's heartbeat does within minutes.
const (
	chainTolerance    = 10 * time.Minute
	databaseTolerance = 2 * time.Minute
	recentWork        = time.Hour
)

// Assess derives the verdict and its checklist.
func (p Picture) Assess() Assessment {
	checks := []Check{p.checkStaked(), p.checkMinimum(), p.checkEligible(), p.checkFailures(), p.checkHeartbeat(), p.checkGPUs(), p.checkTier()}
	a := Assessment{Checks: checks, Earning: p.earning(checks[4])}
	deciding := checks[:3]
	if c, ok := firstCheck(deciding, CheckFail); ok {
		a.Verdict, a.Reason = VerdictNotEligible, c.Detail
		return a
	}
	if c, ok := firstCheck(deciding, CheckUnknown); ok {
		a.Verdict, a.Reason = VerdictUnknown, c.Detail
		return a
	}
	for _, worst := range []CheckState{CheckFail, CheckWarn} {
		if c, ok := firstCheck(checks[3:], worst); ok {
			a.Verdict, a.Reason = VerdictAtRisk, c.Detail
			return a
		}
	}
	jobs, ok := usable(p, p.Database, databaseTolerance, p.Jobs).Get()
	switch {
	case !ok:
		a.Verdict, a.Reason = VerdictUnknown, "Whether jobs are running is not known. "+p.unusable(p.Database, p.Jobs.Reason())
	case jobs.InProgress > 0:
		a.Verdict, a.Reason = VerdictEarning, plural(jobs.InProgress, "job", "jobs")+" in progress."
	case jobs.LastCompletedAt != nil && p.Now.Sub(*jobs.LastCompletedAt) <= recentWork:
		a.Verdict, a.Reason = VerdictEarning, fmt.Sprintf("The newest job was completed at %s.", timeOfDay(*jobs.LastCompletedAt, p.Now))
	case jobs.LastCompletedAt != nil:
		a.Verdict, a.Reason = VerdictIdle, fmt.Sprintf("Ready for work, but no job runs and the newest was completed at %s.", timeOfDay(*jobs.LastCompletedAt, p.Now))
	default:
		a.Verdict, a.Reason = VerdictIdle, "Ready for work, but no job has been completed yet."
	}
	return a
}

func firstCheck(checks []Check, s CheckState) (Check, bool) {
	for _, c := range checks {
		if c.State == s {
			return c, true
		}
	}
	return Check{}, false
}

// usable hands a value on unless its source is too old to judge by.
func usable[T any](p Picture, s SourceState, tolerance time.Duration, v Maybe[T]) Maybe[T] {
	if age, ok := s.Age(p.Now); v.Known() && s.Health != HealthOK && (!ok || age > tolerance) {
		return None[T](p.unusable(s, "its newest values are too old"))
	}
	return v
}

func (p Picture) unusable(s SourceState, fallback string) string {
	if s.Health != HealthOK && s.Reason != "" {
		return s.Reason
	}
	return Sentence(fallback)
}

func (p Picture) stake() Maybe[Stake] {
	return usable(p, p.Chain.State, chainTolerance, p.Chain.Stake.Maybe)
}

func (p Picture) config() Maybe[StakingConfig] {
	return usable(p, p.Chain.State, chainTolerance, p.Chain.Network.Config.Maybe)
}

func (c Check) unknown(reason string) Check {
	c.State, c.Detail = CheckUnknown, Sentence(reason)
	return c
}

func (c Check) with(s CheckState, detail, remedy string) Check {
	c.State, c.Detail, c.Remedy = s, detail, remedy
	return c
}

func (p Picture) checkStaked() Check {
	c := Check{ID: "staked", Label: "Staked"}
	s, ok := p.stake().Get()
	switch {
	case !ok:
		return c.unknown(p.stake().Reason())
	case !s.Registered():
		return c.with(CheckFail, "This wallet has never staked.", "Stake at least the minimum of your GPU's tier with ProverStaking's stake().")
	case s.Amount.Sign() == 0:
		return c.with(CheckFail, "The whole stake has been withdrawn or slashed.", "Stake again to receive jobs.")
	}
	return c.with(CheckPass, s.Amount.Format()+" staked.", "")
}

func (p Picture) checkMinimum() Check {
	c := Check{ID: "minimum", Label: "At or above the tier's minimum"}
	s, ok := p.stake().Get()
	if !ok {
		return c.unknown(p.stake().Reason())
	}
	cfg, ok := p.config().Get()
	if !ok {
		return c.unknown(p.config().Reason())
	}
	least := cfg.MinStake[s.Tier]
	room, _ := p.Headroom().Get()
	if room.Sign() < 0 {
		short := Wei{}.Sub(room).Format()
		return c.with(CheckFail, fmt.Sprintf("The stake is %s short of the %s tier's %s.", short, s.Tier, least.Format()), fmt.Sprintf("Stake at least %s more.", short))
	}
	return c.with(CheckPass, fmt.Sprintf("%s above the %s tier's minimum of %s.", room.Format(), s.Tier, least.Format()), "")
}

func (p Picture) checkEligible() Check {
	c := Check{ID: "eligible", Label: "Eligible on chain"}
	eligible := usable(p, p.Chain.State, chainTolerance, p.Chain.Eligible.Maybe)
	v, ok := eligible.Get()
	switch {
	case !ok:
		return c.unknown(eligible.Reason())
	case !v:
		return c.with(CheckFail, "ProverStaking says that this worker is not eligible for jobs.",
			"A worker becomes inactive after too many failures or with too little stake; only staking again reactivates it.")
	}
	return c.with(CheckPass, "ProverStaking accepts this worker.", "")
}

func (p Picture) checkFailures() Check {
	c := Check{ID: "failures", Label: "Consecutive failures"}
	s, ok := p.stake().Get()
	if !ok {
		return c.unknown(p.stake().Reason())
	}
	cfg, ok := p.config().Get()
	if !ok {
		return c.unknown(p.config().Reason())
	}
	n, most := s.ConsecutiveFailures, cfg.MaxConsecutiveFailures
	detail := fmt.Sprintf("%d of %d before the worker is deactivated.", n, most)
	switch {
	case n >= most && most > 0:
		return c.with(CheckFail, detail, "Find out why jobs fail, then stake again to reactivate the worker.")
	case n > 0 && n+1 >= most:
		e := ExposureTo(SlashTimeout, s, cfg)
		return c.with(CheckWarn, detail, fmt.Sprintf("One more timeout costs %s and leaves %s. A success resets the counter.", e.Cost.Format(), e.Left.Format()))
	}
	return c.with(CheckPass, detail, "")
}

func (p Picture) checkHeartbeat() Check {
	c := Check{ID: "heartbeat", Label: "Heartbeat"}
	beats := usable(p, p.Database, databaseTolerance, p.Heartbeats)
	h, ok := beats.Get()
	if !ok {
		return c.unknown(beats.Reason())
	}
	ahead, mend := ClocksAhead(h.ClocksAhead)
	if h.Last == nil && ahead != "" {
		return c.with(CheckFail, "No heartbeat counts, since all are of times to come. "+ahead, mend)
	}
	if h.Last == nil {
		return c.with(CheckFail, "No heartbeat has ever arrived.", "Start the worker's software, and see that it posts to /api/worker/heartbeat or writes to the heartbeats table.")
	}
	age := p.Now.Sub(h.Last.At)
	detail := "The newest arrived at " + timeOfDay(h.Last.At, p.Now) + "."
	if ahead != "" {
		detail += " " + ahead
	}
	switch {
	case age > p.HeartbeatInterval.GoneAfter() && ahead != "":
		return c.with(CheckFail, detail, mend)
	case age > p.HeartbeatInterval.GoneAfter():
		return c.with(CheckFail, detail, fmt.Sprintf("Look at the worker %q: the network counts it as gone after %s.", h.Last.WorkerID, Ago(p.HeartbeatInterval.GoneAfter())))
	case age > p.HeartbeatInterval.LateAfter():
		return c.with(CheckWarn, detail, fmt.Sprintf("The worker %q is late: hosts are expected to be heard every %s.", h.Last.WorkerID, Ago(p.HeartbeatInterval.Duration())))
	}
	if ahead != "" {
		return c.with(CheckWarn, detail, mend)
	}
	return c.with(CheckPass, detail, "")
}

// ClocksAhead says which hosts' clocks are ahead and by how much, and how to mend that; "" if
// none is.
func ClocksAhead(hosts []ClockAhead) (detail, mend string) {
	if len(hosts) == 0 {
		return "", ""
	}
	var said []string
	for _, h := range hosts {
		said = append(said, fmt.Sprintf("The clock of %q is %s ahead.", h.WorkerID, Ago(h.By)))
	}
	return strings.Join(said, " "), "Set the host's clock by NTP: a heartbeat of a time to come does not count."
}

// coolDown mends what slows a card.
const coolDown = "check cooling, dust, and the power supply."

func (p Picture) checkGPUs() Check {
	c := Check{ID: "gpus", Label: "GPUs present"}
	fleet := p.Fleet()
	if len(fleet) == 0 {
		return p.checkNoGPU(c)
	}
	var bad, silent, hot []string
	for _, m := range fleet {
		g := m.GPU
		switch {
		case m.Stale:
			silent = append(silent, fmt.Sprintf("GPU %d of %s was last reported at %s", g.Index, m.WorkerID, timeOfDay(m.ReportedAt, p.Now)))
		case g.MissingSince.Known():
			since, _ := g.MissingSince.Get()
			gone := fmt.Sprintf("GPU %d has been gone since %s", g.Index, timeOfDay(since, p.Now))
			if why, known := g.Fault.Get(); known {
				gone += " (" + why + ")"
			}
			bad = append(bad, gone)
		case g.Fault.Known():
			why, _ := g.Fault.Get()
			bad = append(bad, fmt.Sprintf("GPU %d: %s", g.Index, why))
		default:
			if why, slowed := slowedBy(g); slowed {
				hot = append(hot, fmt.Sprintf("GPU %d %s", g.Index, why))
			}
		}
	}
	switch {
	case len(bad) > 0:
		mend := "Let the jobs on the host's other cards end, then power it off and on. If it happens again, check the card's seat, riser, power and temperature; its own page has the driver's errors."
		if len(hot) > 0 {
			mend += " For a slowed card: " + coolDown
		}
		return c.with(CheckFail, strings.Join(slices.Concat(bad, silent, hot), "; ")+".", mend)
	case p.HostGPUsApply && p.HostGPUs.State.Health != HealthOK:
		return c.unknown(p.unusable(p.HostGPUs.State, "the GPUs could not be read"))
	case len(silent) > 0:
		return c.with(CheckWarn, strings.Join(slices.Concat(silent, hot), "; ")+".", "See that the host runs and reaches this server; one that was taken out of service is forgotten by itself.")
	case len(hot) > 0:
		return c.with(CheckWarn, strings.Join(hot, "; ")+".", Sentence(coolDown))
	}
	return c.with(CheckPass, plural(int64(len(fleet)), "GPU answers", "GPUs answer")+".", "")
}

// slowedBy says in the same words for as long as a card is slowed again and again, why it is.
func slowedBy(g GPU) (string, bool) {
	if s, lately := g.SlowedLately.Get(); lately {
		return "has been slowed in the last " + Ago(SlowedMemory) + ": " + s.Reasons.List()[0].Words, true
	}
	r := g.ThrottleReasons.Or(0)
	if !r.Slowed() {
		return "", false
	}
	return "is slowed: " + r.List()[0].Words, true
}

// checkNoGPU says why there is no GPU at all.
func (p Picture) checkNoGPU(c Check) Check {
	switch {
	case !p.HostGPUsApply && p.WorkerGPUs.Known():
		return c.unknown("No GPU of this wallet has been reported")
	case p.HostGPUsApply && p.HostGPUs.State.Health == HealthOK:
		return c.with(CheckFail, "The driver finds no GPU on this host.", "Check that the card is seated and powered, and what nvidia-smi says.")
	case p.HostGPUsApply:
		return c.unknown(p.unusable(p.HostGPUs.State, "the GPUs could not be read"))
	}
	return c.unknown(p.WorkerGPUs.Reason())
}

func (p Picture) checkTier() Check {
	c := Check{ID: "tier", Label: "GPUs match the staked tier"}
	s, ok := p.stake().Get()
	if !ok {
		return c.unknown(p.stake().Reason())
	}
	if !s.Registered() {
		return c.unknown("No tier is staked")
	}
	var below, unknown, match []string
	for _, g := range p.AllGPUs() {
		name := g.Name.Or("GPU of unknown model")
		switch t, known := g.Tier.Get(); {
		case !known:
			unknown = append(unknown, name)
		case t < s.Tier:
			below = append(below, fmt.Sprintf("%s is %s", name, t))
		default:
			match = append(match, name)
		}
	}
	switch {
	case len(below) > 0:
		detail := fmt.Sprintf("Staked as %s, but %s.", s.Tier, strings.Join(unique(below), ", "))
		if cfg, ok := p.config().Get(); ok {
			e := ExposureTo(SlashBenchmarkFraud, s, cfg)
			return c.with(CheckWarn, detail, fmt.Sprintf("A benchmark that finds the wrong GPU costs %s. Stake in the tier of the GPUs that run.", e.Cost.Format()))
		}
		return c.with(CheckWarn, detail, "Stake in the tier of the GPUs that run.")
	case len(match) == 0 && len(unknown) > 0:
		return c.unknown("The network's table has no tier for " + strings.Join(unique(unknown), ", "))
	case len(match) == 0:
		return c.unknown("No GPU can be compared with the staked tier")
	}
	return c.with(CheckPass, fmt.Sprintf("Staked as %s.", s.Tier), "")
}
