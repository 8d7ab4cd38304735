package validator

import "time"

// NetworkActivity is what all workers together did in the hours of a window.
type NetworkActivity struct {
	Hours     []NetworkHour // each of the window, oldest first; the running one is the last
	Submitted int64
	Completed int64
	Failed    int64 // or timed out
	Compute   ComputeTime
}

// ActivitySince sums up the hours from the first to the running one, and fills up those in
// which nothing happened.
func ActivitySince(hours []NetworkHour, first, now time.Time) NetworkActivity {
	known := make(map[time.Time]NetworkHour, len(hours))
	for _, h := range hours {
		known[h.Hour.UTC()] = h
	}
	var a NetworkActivity
	running := now.UTC().Truncate(time.Hour)
	for at := first.UTC().Truncate(time.Hour); !at.After(running); at = at.Add(time.Hour) {
		h, has := known[at]
		if !has {
			h.Hour = at
		}
		a.Hours = append(a.Hours, h)
		a.Submitted, a.Completed, a.Failed, a.Compute = a.Submitted+h.Submitted, a.Completed+h.Completed, a.Failed+h.Failed, a.Compute+h.ComputeTime
	}
	return a
}

// ComputeHours is the hours of Compute; missing if no job tells how long it ran.
func (a NetworkActivity) ComputeHours() Maybe[float64] {
	if a.Compute <= 0 {
		return None[float64]("no job that was completed in this time tells how long it ran")
	}
	return Some(a.Compute.Hours())
}

// SuccessPercent is the share of completed jobs among those that ended; missing if none did.
func (a NetworkActivity) SuccessPercent() Maybe[float64] {
	if a.Completed+a.Failed == 0 {
		return None[float64]("no job has ended in this time")
	}
	return Some(float64(a.Completed) / float64(a.Completed+a.Failed) * 100)
}

// OtherVersions stands for the versions that too few hosts run to be shown.
const OtherVersions = "other"

// TellableVersions are the versions that at least LeastGroup active hosts run, and the rest together.
func (c NetworkCounts) TellableVersions() []VersionCount {
	var out []VersionCount
	var rest int64
	for _, v := range c.ByVersion {
		if v.Hosts >= LeastGroup {
			out = append(out, v)
		} else {
			rest += v.Hosts
		}
	}
	if rest > 0 {
		out = append(out, VersionCount{OtherVersions, rest})
	}
	return out
}

// TellableGPUCounts are the numbers of GPUs that at least LeastGroup active hosts have.
func (c NetworkCounts) TellableGPUCounts() []GPUCountWorkers {
	var out []GPUCountWorkers
	for _, g := range c.ByGPUCount {
		if g.Hosts >= LeastGroup {
			out = append(out, g)
		}
	}
	return out
}
