package web

import (
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// sourceJSON is the state of one source behind an answer.
type sourceJSON struct {
	Status     string  `json:"status" enum:"ok,stale,unavailable,disabled" doc:"How far its values can be believed"`
	ObservedAt *int64  `json:"observed_at" doc:"Unix seconds of its newest good values; null if there never were any"`
	Block      *uint64 `json:"block" doc:"Chain only: the block that its values are of"`
	Error      *string `json:"error" doc:"Why it is not ok, in words"`
}

// sourcesJSON is the member "sources".
type sourcesJSON struct {
	GPU      *sourceJSON `json:"gpu,omitempty"`
	Database *sourceJSON `json:"database,omitempty"`
	Chain    *sourceJSON `json:"chain,omitempty"`
}

func sources(states ...validator.SourceState) sourcesJSON {
	var out sourcesJSON
	for _, st := range states {
		j := &sourceJSON{Status: string(st.Health), ObservedAt: unix(st.ObservedAt)}
		if st.Block > 0 {
			j.Block = &st.Block
		}
		if st.Reason != "" && st.Health != validator.HealthOK {
			j.Error = &st.Reason
		}
		switch st.Source {
		case validator.SourceGPU:
			out.GPU = j
		case validator.SourceDatabase:
			out.Database = j
		case validator.SourceChain:
			out.Chain = j
		}
	}
	return out
}

// known returns a pointer to a value, nil if there is none: null in JSON.
func known[T any](m validator.Maybe[T]) *T {
	if v, ok := m.Get(); ok {
		return &v
	}
	return nil
}

// field derives one member from a value that may be missing.
func field[A, B any](m validator.Maybe[A], f func(A) B) *B { return known(validator.Map(m, f)) }

// reasons say why members are null, by member.
type reasons map[string]string

// whyNull notes why a member is null, if it is.
func whyNull[T any](why reasons, member string, m validator.Maybe[T]) {
	if !m.Known() {
		why[member] = validator.Sentence(m.Reason())
	}
}

func weiText(m validator.Maybe[validator.Wei]) *string {
	return field(m, validator.Wei.String)
}

func weiFormatted(m validator.Maybe[validator.Wei]) *string {
	return field(m, validator.Wei.Format)
}

func unix(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	u := t.Unix()
	return &u
}

func unixOf(t *time.Time) *int64 {
	if t == nil {
		return nil
	}
	return unix(*t)
}

func nonEmpty(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
