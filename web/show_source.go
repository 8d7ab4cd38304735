package web

import (
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

func showSource(st validator.SourceState, now time.Time, detail ...views.Row) views.SourcePill {
	name := sourceNames[st.Source]
	p := views.SourcePill{ID: string(st.Source), Name: name[0], Icon: name[1], Tone: toneOf(st.Health), Words: string(st.Health), Reason: st.Reason, Remedy: st.Remedy}
	if age, has := st.Age(now); has {
		p.Age = validator.Ago(age) + " ago"
		p.Detail = append(p.Detail, views.Row{Label: "Newest values", Value: views.Value{Text: st.ObservedAt.UTC().Format("2006-01-02 15:04:05") + " UTC"}})
	}
	if st.Block > 0 {
		p.Age = "block " + integer(st.Block) + " · " + p.Age
		p.Detail = append(p.Detail, views.Row{Label: "Block", Value: views.Value{Text: integer(st.Block)}})
		if !st.BlockTime.IsZero() {
			p.Detail = append(p.Detail, views.Row{Label: "Block's time", Value: views.Value{Text: st.BlockTime.UTC().Format("2006-01-02 15:04:05") + " UTC"}})
		}
	}
	p.Detail = append(p.Detail, detail...)
	if st.Health == validator.HealthOK {
		p.Reason, p.Remedy = "", ""
	}
	return p
}

// staleNotice says over a panel that its values are not live; nil if they are, or if there
// are none to speak of.
func staleNotice(st validator.SourceState, now time.Time) *views.Notice {
	age, has := st.Age(now)
	if st.Health == validator.HealthOK || st.Health == validator.HealthDisabled {
		return nil
	}
	if !has {
		return &views.Notice{Tone: toneOf(st.Health), Text: validator.Sentence(st.Reason)}
	}
	return &views.Notice{Tone: views.ToneWarn, Text: "These values are " + validator.Ago(age) + " old. " + validator.Sentence(st.Reason)}
}
