package validator

import (
	"math/big"
	"slices"
	"strings"
	"time"
)

// SlashEffect is what one slash did to the stake, as the events before it tell.
type SlashEffect struct {
	Before Wei
	After  Wei
	Tier   Tier // as which the worker had staked
}

// Shortfall is by how much it left less than a minimum; 0 if it did not.
func (e SlashEffect) Shortfall(minimum Wei) Wei {
	if e.After.Cmp(minimum) >= 0 {
		return Wei{}
	}
	return minimum.Sub(e.After)
}

// BasisPoints is the share that was taken.
func (e SlashEffect) BasisPoints() uint32 {
	if e.Before.Sign() == 0 {
		return 0
	}
	return uint32(e.Before.Sub(e.After).MulDiv(big.NewInt(10_000), e.Before.Big()).Big().Uint64())
}

// EffectOfSlash replays the events of a stake, newest first as they are kept, up to one of
// them. It is missing where no earlier event tells of a whole stake.
func EffectOfSlash(events []StakeEvent, slash StakeEvent) Maybe[SlashEffect] {
	var e SlashEffect
	known := false
	for _, x := range slices.Backward(events) {
		switch x.Kind {
		case StakeEventStaked:
			e.After, e.Tier, known = x.Total, x.Tier, true
		case StakeEventUnstakeCompleted:
			e.After = e.After.Sub(x.Amount)
		case StakeEventSlashed:
			e.Before = e.After
			e.After = e.After.Sub(x.Amount)
			if x == slash {
				if !known || e.After.Sign() < 0 {
					return None[SlashEffect]("the events that are kept do not reach back to the stake before this slash")
				}
				return Some(e)
			}
		case StakeEventUnstakeRequested, StakeEventRewardsClaimed:
		}
	}
	return None[SlashEffect]("this slash is not among the events that are kept")
}

// UptimeBetween counts the minutes of a window of the past. The hours must reach back to an
// hour before the window. Minutes before the first heartbeat ever and those that have not
// passed are not counted.
func UptimeBetween(hours []HourMask, first *time.Time, interval HeartbeatInterval, from, to, now time.Time) Uptime {
	return newMinutes(first, hours, interval, now).between(from.UTC().Truncate(time.Minute), to.UTC().Truncate(time.Minute))
}

// HeldBack is how heat, a power brake or a fault held a GPU back in a time.
type HeldBack struct {
	Spans   []ThrottleSpan // that reach into the time, in the order of their beginnings
	Slowed  time.Duration  // how long any of them lasted within the time
	Reasons ThrottleReasons
	Hours   int        // of sums by the hour that tell of a reason, where no span is known
	Of      int        // steps with a reading
	PeakC   Maybe[int] // the highest temperature that was read
}

// HeldBackIn sums up a time: what its spans tell, and its steps.
func HeldBackIn(spans []ThrottleSpan, steps []GPUStep, within Interval) HeldBack {
	s := HeldBack{PeakC: None[int]("no sample of this time holds the temperature")}
	end := within.From // of what is counted
	for _, x := range MergeThrottleSpans(spans) {
		if x.From.After(within.To) || x.To.Before(within.From) {
			continue
		}
		s.Spans = append(s.Spans, x)
		s.Reasons |= x.Reason
		from, to := x.From, x.To
		if from.Before(end) {
			from = end
		}
		if to.After(within.To) {
			to = within.To
		}
		if to.After(from) {
			s.Slowed += to.Sub(from)
			end = to
		}
	}
	for _, x := range steps {
		if !x.Known() {
			continue
		}
		s.Of++
		if x.ThrottleReasons.Slowed() && len(s.Spans) == 0 {
			s.Hours++
			s.Reasons |= x.ThrottleReasons & throttleBad
		}
		if t, known := x.TemperatureC.Get(); known && (!s.PeakC.Known() || int(t.Max) > s.PeakC.Or(0)) {
			s.PeakC = Some(int(t.Max))
		}
	}
	return s
}

// Any reports whether anything held the GPU back.
func (s HeldBack) Any() bool { return s.Reasons != 0 }

// Hot says whether heat was among the reasons.
func (s HeldBack) Hot() bool { return s.Reasons&(ThrottleSWThermal|ThrottleHWThermal) != 0 }

// Explain says in a sentence what a slash of this reason stands for.
func (r SlashReason) Explain() string {
	switch r {
	case SlashInvalidProof:
		return "The proof or result of the job did not verify."
	case SlashTimeout:
		return "The job gave no result before its deadline."
	case SlashRepeatedFailures:
		return "Too many jobs failed one after another."
	case SlashMalicious:
		return "The network judged the worker's behaviour as malicious."
	case SlashBenchmarkFraud:
		return "A benchmark did not match the GPU tier that the stake is for."
	case SlashReasonCount:
	}
	return "The contract gave a reason that this program does not know."
}

// Evidence is what is known of the time of a slash beside the chain's event.
type Evidence struct {
	Job      *Job // nil: not known
	HeldBack HeldBack
	Uptime   Uptime
	XIDs     []GPUEvent // of the card, at that time
}

// Advice is what to do so that a slash does not come again, the most telling first: what
// the evidence points to, then what the reason itself asks for.
func (r SlashReason) Advice(e Evidence) []string {
	var out []string
	if s := e.HeldBack; s.Any() {
		words := "The card was held back meanwhile: look at its power supply and at what its page says."
		if s.Hot() {
			words = "Heat slowed the card meanwhile. Clean and check its cooling and the room's air, or lower its power limit (nvidia-smi -pl), before it takes long jobs again."
		}
		out = append(out, words)
	}
	for _, x := range e.XIDs {
		if m, known := ExplainXID(x.Code); known {
			out = append(out, m.Do)
		}
	}
	if n := len(e.Uptime.Gaps); n > 0 {
		minutes := e.Uptime.TotalMinutes - e.Uptime.UpMinutes
		out = append(out, "No host was heard for "+Ago(time.Duration(minutes)*time.Minute)+" around it. Check the host's power, network and worker.")
	}
	if e.Job != nil && strings.Contains(strings.ToLower(e.Job.ErrorMessage), "out of memory") {
		out = append(out, "The job ran out of the card's memory: leave no other program on it, or take smaller jobs.")
	}
	switch r {
	case SlashInvalidProof:
		out = append(out, "Run the worker's newest version, and test the card's memory (ECC errors stand on its page): wrong bits make wrong proofs.")
	case SlashTimeout:
		out = append(out, "Take no more jobs at a time than the cards finish before their deadlines.")
	case SlashRepeatedFailures:
		out = append(out, "Stop the worker after a second failure in a row and find its cause: the list of failed jobs says what each died of.")
	case SlashMalicious:
		out = append(out, "Change the worker's keys, see who can reach the host, and ask the network for its evidence.")
	case SlashBenchmarkFraud:
		out = append(out, "Stake for the tier that NVML tells of the cards: the check \"GPUs match the staked tier\" warns of a difference.")
	case SlashReasonCount:
	}
	return slices.Compact(out)
}
