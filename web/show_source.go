package web

import (
	"context"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/views"
)

var sourceNames = map[validator.Source][2]string{
	validator.SourceGPU:      {"GPU", "cpu"},
	validator.SourceDatabase: {"Database", "database"},
	validator.SourceChain:    {"Starknet", "chain"},
}

func toneOf(h validator.Health) views.Tone {
	switch h {
	case validator.HealthOK:
		return views.ToneGood
	case validator.HealthStale:
		return views.ToneWarn
	case validator.HealthUnavailable:
		return views.ToneBad
	case validator.HealthDisabled:
		return views.TonePlain
	}
	return views.ToneUnknown
}

// sourceBar shows the state of each source as one wallet's values have it.
func (s *Server) sourceBar(ctx context.Context, wallet validator.Address) views.SourceBar {
	bar := views.SourceBar{Panel: panel("sources", everySources, wallet)}
	now := s.now()
	for _, st := range []validator.SourceState{s.observer.HostGPUs(viewing(ctx), wallet).State, s.db.State(), s.chain.WalletSnapshot(ctx, wallet).State} {
		p := showSource(st, now)
		if st.Source == validator.SourceChain {
			p.Detail = append(p.Detail, s.showIndex()...)
		}
		bar.Sources = append(bar.Sources, p)
	}
	return bar
}

func showSource(st validator.SourceState, now time.Time) views.SourcePill {
	name := sourceNames[st.Source]
	p := views.SourcePill{ID: string(st.Source), Name: name[0], Icon: name[1], Tone: toneOf(st.Health), Words: string(st.Health), Reason: st.Reason, Remedy: st.Remedy}
	if _, has := st.Age(now); has {
		p.Age = moment(now, st.ObservedAt)
		p.Detail = append(p.Detail, views.Row{Label: "Newest values", Value: views.Value{Text: utc(st.ObservedAt)}})
	}
	if st.Block > 0 {
		p.Block = "block " + integer(st.Block)
		p.Detail = append(p.Detail, views.Row{Label: "Block", Value: views.Value{Text: integer(st.Block)}})
		if !st.BlockTime.IsZero() {
			p.Detail = append(p.Detail, views.Row{Label: "Block's time", Value: views.Value{Text: utc(st.BlockTime)}})
		}
	}
	if st.Arrival != "" {
		p.Detail = append(p.Detail, views.Row{Label: "New blocks", Value: views.Value{Text: st.Arrival}})
	}
	if st.Health == validator.HealthOK {
		p.Reason, p.Remedy = "", ""
	}
	return p
}

// showIndex says how far the contracts' events are known.
func (s *Server) showIndex() []views.Row {
	if s.index == nil {
		return nil
	}
	known := s.index.IndexLag()
	lag, has := known.Get()
	if !has {
		return []views.Row{{Label: "Events", Value: views.Value{Reason: known.Reason()}}}
	}
	behind := "nothing"
	if lag.Blocks > 0 {
		behind = counted(lag.Blocks, "block", "blocks") + ", " + durationText(lag.Time)
	}
	rows := []views.Row{
		{Label: "Events known up to", Value: views.Value{Text: "block " + integer(lag.Block.Number)}},
		{Label: "Events are behind by", Value: views.Value{Text: behind}},
	}
	if lag.Failure != "" {
		rows = append(rows, views.Row{Label: "Newer events", Value: views.Value{Reason: lag.Failure}, Tone: views.ToneWarn})
	}
	return rows
}

// staleNotice says over a panel that its values are not live, by the worst of the sources
// they come from; nil if they are live.
func staleNotice(now time.Time, states ...validator.SourceState) *views.Notice {
	for _, st := range states {
		if st.Health == validator.HealthOK || st.Health == validator.HealthDisabled {
			continue
		}
		n := &views.Notice{Tone: toneOf(st.Health), Text: sourceNames[st.Source][0] + ": " + validator.Sentence(st.Reason)}
		if _, has := st.Age(now); has {
			n.Tone, n.Since = views.ToneWarn, momentOf(now, st.ObservedAt)
		}
		return n
	}
	return nil
}
