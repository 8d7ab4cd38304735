package web

import (
	"github.com/bitsage-network/validator-dashboard/validator"
)

// eventsListed bounds the events, and the breaks of watching, that the API lists of a GPU.
const eventsListed = 50

// gpuEventJSON is something that happened to a GPU.
type gpuEventJSON struct {
	Kind        string  `json:"kind" enum:"xid,lost,found"`
	Code        *uint64 `json:"code" doc:"Of an xid its number in NVIDIA's catalogue"`
	Severity    string  `json:"severity" enum:"good,neutral,warning,critical"`
	Description string  `json:"description"`
	OccurredAt  int64   `json:"occurred_at" doc:"Unix seconds of the first time"`
	LastAt      int64   `json:"last_at" doc:"Unix seconds of the newest time: what comes again within a minute is one event"`
	Count       int64   `json:"count"`
	Source      string  `json:"source" doc:"nvml_event_set: NVML's events; nvml_reading: two readings that differ"`
}

func eventsToJSON(events []validator.GPUEvent) []gpuEventJSON {
	out := []gpuEventJSON{}
	for _, e := range events[:min(len(events), eventsListed)] {
		j := gpuEventJSON{
			Kind: string(e.Kind), Severity: e.Severity().String(), Description: e.Detail,
			OccurredAt: e.At.Unix(), LastAt: e.Last.Unix(), Count: e.Count, Source: string(e.Source),
		}
		switch e.Kind {
		case validator.GPUEventXID:
			j.Code, j.Description = &e.Code, xidWords(e.Code)
		case validator.GPUEventFound:
			j.Description = "it can be read again"
		case validator.GPUEventLost:
		}
		out = append(out, j)
	}
	return out
}

// watchedJSON says in which times a GPU's events would have been seen.
type watchedJSON struct {
	Since         int64       `json:"since" doc:"Unix seconds"`
	Until         int64       `json:"until" doc:"Unix seconds; a moment ago while it goes on"`
	UnwatchedSecs float64     `json:"unwatched_seconds" doc:"Of the breaks between, in all"`
	Breaks        []breakJSON `json:"breaks" doc:"The newest 50, newest first"`
}

type breakJSON struct {
	From int64 `json:"from" doc:"Unix seconds"`
	To   int64 `json:"to" doc:"Unix seconds"`
}

func watchingToJSON(w validator.Watching) watchedJSON {
	out := watchedJSON{Since: w.From.Unix(), Until: w.To.Unix(), UnwatchedSecs: w.Unwatched().Seconds(), Breaks: []breakJSON{}}
	for i := len(w.Breaks) - 1; i >= 0 && len(out.Breaks) < eventsListed; i-- {
		out.Breaks = append(out.Breaks, breakJSON{w.Breaks[i].From.Unix(), w.Breaks[i].To.Unix()})
	}
	return out
}
