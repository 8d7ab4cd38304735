package web

import (
	"context"
	"fmt"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// heartbeatsInput is a list of heartbeats.
type heartbeatsInput struct {
	WalletInput

	Body struct {
		Heartbeats []heartbeatJSON `json:"heartbeats" minItems:"1" maxItems:"1000" doc:"Each as /api/worker/heartbeat takes it"`
	}
}

// heartbeatsJSON says what was stored.
type heartbeatsJSON struct {
	Status  string `json:"status" enum:"ok"`
	Added   int64  `json:"added" doc:"Heartbeats that were not there"`
	Present int64  `json:"present" doc:"Heartbeats of a worker, host and time that were there already, which stay unchanged"`
}

func (s *Server) apiHeartbeats(ctx context.Context, in *heartbeatsInput) (*reply[heartbeatsJSON], error) {
	now, err := s.reportClock(ctx)
	if err != nil {
		return nil, err
	}
	beats := make([]validator.Heartbeat, len(in.Body.Heartbeats))
	wrong := rowProblems{name: "heartbeats"}
	for i, h := range in.Body.Heartbeats {
		worker, err := s.workerFor(ctx, in.WalletInput, h.WorkerAddress)
		wrong.add(i, err)
		at, err := reportTime(now, "body.heartbeat_time", h.HeartbeatTime)
		wrong.add(i, err)
		beats[i] = h.heartbeat(worker, at)
	}
	if p := wrong.problem(); p != nil {
		return nil, p
	}
	if err := s.spend(ctx, len(beats)); err != nil {
		return nil, err
	}
	added, err := s.db.AddHeartbeats(ctx, beats)
	if err != nil {
		return nil, s.storeProblem(err)
	}
	return ok(heartbeatsJSON{"ok", added, int64(len(beats)) - added})
}

// rowProblems collects what is wrong with the rows of a list.
type rowProblems struct {
	name   string // of the list
	status int    // of the worst
	fields []fieldProblem
}

// add takes what is wrong with a row, nil if nothing is.
func (r *rowProblems) add(row int, err error) {
	if err == nil {
		return
	}
	p := problemOf(err)
	fields := p.Errors
	if len(fields) == 0 {
		fields = []fieldProblem{{Field: "body.worker_address", Rule: p.Detail}}
	}
	r.status = max(r.status, p.Status)
	for _, f := range fields {
		r.field(row, f.Field[len("body."):], f.Rule, f.Value)
	}
}

// field takes what is wrong with a member of a row.
func (r *rowProblems) field(row int, field, rule string, value any) {
	r.status = max(r.status, badRow)
	r.fields = append(r.fields, fieldProblem{Field: field, Rule: rule, Value: value, Index: &row})
}

// problem is nil if nothing is wrong.
func (r *rowProblems) problem() error {
	if len(r.fields) == 0 {
		return nil
	}
	details := make([]string, len(r.fields))
	for i, f := range r.fields {
		details[i] = fmt.Sprintf("%s[%d].%s %s", r.name, *f.Index, f.Field, f.Rule)
	}
	return newProblem(r.status, "Nothing was stored: "+sentences(details), r.fields...)
}
