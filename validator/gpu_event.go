package validator

import (
	"slices"
	"time"
)

// GPUEventKind is what happened to a GPU.
type GPUEventKind string

// The kinds.
const (
	GPUEventXID   GPUEventKind = "xid"   // NVIDIA's driver reported an error; Code is its number
	GPUEventLost  GPUEventKind = "lost"  // it can no longer be read; Detail says why
	GPUEventFound GPUEventKind = "found" // it can be read again
)

// GPUEventSource is where an event was seen.
type GPUEventSource string

// The sources.
const (
	GPUEventOfEventSet GPUEventSource = "nvml_event_set" // nvmlEventSetWait: while a set waits, none is missed
	GPUEventOfReading  GPUEventSource = "nvml_reading"   // two passes over the GPUs differ
)

// GPUEvent is something that happened to a GPU, once or several times in a row.
type GPUEvent struct {
	GPUUUID string
	Kind    GPUEventKind
	Code    uint64
	Detail  string
	Source  GPUEventSource
	At      time.Time // of the first
	Last    time.Time // of the newest; At if there was one
	Count   int64

	// Watcher and Sequence name the event for ever: the run of a program that saw it, and its
	// number in that run.
	Watcher  string
	Sequence int64
}

// GPUJournal is what happened to the GPUs of a host, for whoever stores it. A record that
// grows, as an event that comes again, is in it again.
type GPUJournal struct {
	Version uint64 // to ask for what came after
	Watcher string // the run of a program that saw it
	BootID  string // of the host's kernel; "" where there is none
	Dropped int    // records that grew too old before anybody asked for them

	Events    []GPUEvent
	Watches   []GPUWatch
	Throttled []ThrottleSpan
}

// xidCodes bounds the numbers of XIDs; NVIDIA's catalogue ends below 200.
const xidCodes = 1 << 31

// XIDCanBe reports whether a driver's error can have the code.
func XIDCanBe(code uint64) bool { return code < xidCodes }

// sameIncident is how far apart two equal events of a card count as one that came again.
const sameIncident = time.Minute

// Repeats reports whether e is what came last, again.
func (e GPUEvent) Repeats(last GPUEvent) bool {
	apart := e.At.Sub(last.Last)
	return e.Kind == last.Kind && e.Code == last.Code && e.GPUUUID == last.GPUUUID && e.Kind == GPUEventXID && apart >= 0 && apart <= sameIncident
}

// Severity grades the event.
func (e GPUEvent) Severity() Severity {
	switch e.Kind {
	case GPUEventFound:
		return SeverityGood
	case GPUEventXID:
		if m, known := ExplainXID(e.Code); known {
			return m.Severity
		}
		return SeverityWarning
	case GPUEventLost:
	}
	return SeverityCritical
}

// String is the severity's word.
func (s Severity) String() string {
	switch s {
	case SeverityGood:
		return "good"
	case SeverityNeutral:
		return "neutral"
	case SeverityWarning:
		return "warning"
	case SeverityCritical:
	}
	return "critical"
}

// MergeGPUEvents brings events of a card that are stored together with those that a process
// remembers, newest first. Of one that is in both the fuller counts.
func MergeGPUEvents(stored, remembered []GPUEvent) []GPUEvent {
	type name struct {
		watcher  string
		sequence int64
	}
	at := map[name]int{}
	var out []GPUEvent
	for _, e := range slices.Concat(stored, remembered) {
		key := name{e.Watcher, e.Sequence}
		i, twice := at[key]
		switch {
		case !twice:
			at[key] = len(out)
			out = append(out, e)
		case e.Count > out[i].Count:
			out[i] = e
		}
	}
	slices.SortStableFunc(out, func(a, b GPUEvent) int { return b.Last.Compare(a.Last) })
	return out
}

// XIDs returns those of the events that are errors which the driver reported.
func XIDs(events []GPUEvent) []GPUEvent {
	var out []GPUEvent
	for _, e := range events {
		if e.Kind == GPUEventXID {
			out = append(out, e)
		}
	}
	return out
}
