package validator

import "time"

// Heartbeat is one sign of life of a worker's host (table heartbeats).
type Heartbeat struct {
	Worker                   Address
	WorkerID                 string // the host's own name, unique per worker
	At                       time.Time
	GPUCount                 *int32
	GPUUtilizationPercent    *float64 // average over the host's GPUs
	MemoryUtilizationPercent *float64
	JobsInProgress           *int32
	LatencyMS                *int32 // to the coordinator
	Version                  string // of the worker's software
}

// HeartbeatSummary is what the database knows of a worker's heartbeats.
type HeartbeatSummary struct {
	First *time.Time // nil: no heartbeat ever arrived
	Last  *Heartbeat // the newest that is not ahead of the database's clock
	Hours []HourMask // oldest first; hours without a heartbeat are left out

	ClocksAhead []ClockAhead // of the worker's hosts, by name
}

// ClockAhead is a host whose newest heartbeats are ahead of the database's clock.
type ClockAhead struct {
	WorkerID   string
	By         time.Duration // at least: a heartbeat may have been on its way
	ReceivedAt time.Time     // the heartbeat that tells it, by the database's clock
}

// HourMask says in which minutes of an hour at least one heartbeat arrived.
type HourMask struct {
	Hour    time.Time // start of the hour, UTC
	Minutes uint64    // bit n: minute n
}

// until marks the minutes that have begun at now: others are of clocks that are ahead.
func (h HourMask) until(now time.Time) uint64 {
	begun := int(now.Sub(h.Hour)/time.Minute) + 1
	switch {
	case now.Before(h.Hour):
		return 0
	case begun < 60:
		return h.Minutes & (1<<begun - 1)
	}
	return h.Minutes
}

// WorkerGPU is the newest stored sample of a GPU on another host of the worker.
type WorkerGPU struct {
	WorkerID   string
	ReportedAt time.Time // by its host; GPU.SampledAt is older for a card that is missing there
	GPU        GPU
}

// NetworkCounts are the database's public aggregates over all workers.
type NetworkCounts struct {
	TotalWorkers          int64 // workers that ever sent a heartbeat or held a job
	ActiveWorkers         int64 // heard less than HeartbeatInterval.GoneAfter ago
	ActiveGPUs            int64 // on the hosts of those, by their newest heartbeats
	BusyHosts             int64 // active hosts that report a job in progress
	ActiveHosts           int64
	JobsProcessed         int64 // completed
	JobsLast24h           int64 // completed in the last 24 hours
	AverageCompletion     *time.Duration
	ComputeTime           ComputeTime // sum of execution times of completed jobs
	AverageGPUUtilization *float64    // percent, over active hosts that report it
	ByVersion             []VersionCount
	ByGPUCount            []GPUCountWorkers
}

// ComputeHours is the hours of ComputeTime; missing if no job tells how long it ran.
func (c NetworkCounts) ComputeHours() Maybe[float64] {
	if c.ComputeTime <= 0 {
		return None[float64]("no completed job tells how long it ran")
	}
	return Some(c.ComputeTime.Hours())
}

// NetworkHour is what all workers together did in an hour.
type NetworkHour struct {
	Hour        time.Time // its start
	Submitted   int64
	Completed   int64
	Failed      int64 // or timed out
	ComputeTime ComputeTime
}

// ComputeHours is the hours of ComputeTime; missing if jobs were completed and none tells
// how long it ran.
func (h NetworkHour) ComputeHours() Maybe[float64] {
	if h.ComputeTime <= 0 && h.Completed > 0 {
		return None[float64]("no job that was completed in this hour tells how long it ran")
	}
	return Some(h.ComputeTime.Hours())
}

// ComputeTime is a sum of execution times in hours. A whole network's exceeds the 292 years
// that a time.Duration can hold.
type ComputeTime float64

// Hours returns the sum in hours.
func (c ComputeTime) Hours() float64 { return float64(c) }

// VersionCount counts active hosts by the version of their software.
type VersionCount struct {
	Version string
	Hosts   int64
}

// GPUCountWorkers counts active hosts by how many GPUs they have.
type GPUCountWorkers struct {
	GPUs  int32
	Hosts int64
}
