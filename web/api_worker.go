package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// workerStatusJSON answers /api/worker/status.
type workerStatusJSON struct {
	WorkerAddress     string      `json:"worker_address"`
	IsActive          *bool       `json:"is_active" doc:"Whether a heartbeat arrived within the time after which the network counts a worker as gone: three of the intervals that hosts are expected to keep, 5 minutes at least"`
	WorkerID          *string     `json:"worker_id" doc:"The host that sent the newest heartbeat"`
	LastHeartbeat     *int64      `json:"last_heartbeat" doc:"Unix seconds"`
	HeartbeatAgeSecs  *float64    `json:"heartbeat_age_secs"`
	GPUCount          *int32      `json:"gpu_count"`
	GPUUtilization    *float64    `json:"gpu_utilization_avg" doc:"Percent"`
	MemoryUtilization *float64    `json:"memory_utilization_avg" doc:"Percent"`
	JobsInProgress    *int32      `json:"jobs_in_progress"`
	LatencyMS         *int32      `json:"latency_ms"`
	Version           *string     `json:"version"`
	ClocksAhead       []clockJSON `json:"clocks_ahead" doc:"Hosts whose newest heartbeats are ahead of the database's clock: these do not count"`
	Sources           sourcesJSON `json:"sources"`
}

// clockJSON is a host's clock that is ahead.
type clockJSON struct {
	WorkerID   string  `json:"worker_id"`
	AheadSecs  float64 `json:"ahead_secs" doc:"At least"`
	ReceivedAt int64   `json:"received_at" doc:"Unix seconds of the heartbeat that tells it, by the database's clock"`
}

func clocksOf(h validator.HeartbeatSummary) []clockJSON {
	out := []clockJSON{}
	for _, c := range h.ClocksAhead {
		out = append(out, clockJSON{c.WorkerID, c.By.Seconds(), c.ReceivedAt.Unix()})
	}
	return out
}

func (s *Server) apiWorkerStatus(ctx context.Context, in *WalletInput) (*reply[workerStatusJSON], error) {
	wallet, err := s.walletFor(ctx, *in)
	if err != nil {
		return nil, err
	}
	asked := s.reads(ctx)
	beats := asked.Heartbeats(ctx, wallet)
	out := workerStatusJSON{WorkerAddress: string(wallet), ClocksAhead: clocksOf(beats.Or(validator.HeartbeatSummary{})), Sources: sources(asked.State())}
	h, has := beats.Get()
	if !has {
		return ok(out)
	}
	active := false
	if h.Last != nil {
		age := s.now().Sub(h.Last.At)
		active = age <= s.heartbeatInterval.GoneAfter()
		secs := age.Seconds()
		out.HeartbeatAgeSecs = &secs
		out.WorkerID, out.LastHeartbeat, out.Version = nonEmpty(h.Last.WorkerID), unix(h.Last.At), nonEmpty(h.Last.Version)
		out.GPUCount, out.GPUUtilization, out.MemoryUtilization = h.Last.GPUCount, h.Last.GPUUtilizationPercent, h.Last.MemoryUtilizationPercent
		out.JobsInProgress, out.LatencyMS = h.Last.JobsInProgress, h.Last.LatencyMS
	}
	out.IsActive = &active
	return ok(out)
}

// heartbeatInput is a heartbeat.
type heartbeatInput struct {
	WalletInput

	Body heartbeatJSON
}

// heartbeatJSON is a heartbeat by the names of the table's columns.
type heartbeatJSON struct {
	WorkerAddress     string   `json:"worker_address,omitempty" doc:"The worker's wallet; left out: the header's"`
	WorkerID          string   `json:"worker_id" minLength:"1" maxLength:"200" doc:"The host's own name, unique per worker" example:"rig-1"`
	HeartbeatTime     *int64   `json:"heartbeat_time,omitempty" doc:"Unix seconds; left out: now"`
	GPUCount          *int32   `json:"gpu_count,omitempty" minimum:"0" maximum:"100000"`
	GPUUtilization    *float64 `json:"gpu_utilization_avg,omitempty" minimum:"0" maximum:"100" doc:"Percent"`
	MemoryUtilization *float64 `json:"memory_utilization_avg,omitempty" minimum:"0" maximum:"100" doc:"Percent"`
	JobsInProgress    *int32   `json:"jobs_in_progress,omitempty" minimum:"0" maximum:"1000000"`
	LatencyMS         *int32   `json:"latency_ms,omitempty" minimum:"0" doc:"To the coordinator"`
	Version           string   `json:"version,omitempty" maxLength:"200" doc:"Of the worker's software"`
}

func (h heartbeatJSON) heartbeat(worker validator.Address, at time.Time) validator.Heartbeat {
	return validator.Heartbeat{
		Worker: worker, WorkerID: h.WorkerID, At: at, GPUCount: h.GPUCount,
		GPUUtilizationPercent: h.GPUUtilization, MemoryUtilizationPercent: h.MemoryUtilization,
		JobsInProgress: h.JobsInProgress, LatencyMS: h.LatencyMS, Version: h.Version,
	}
}

// storedJSON says what was stored.
type storedJSON struct {
	Status        string `json:"status" enum:"ok"`
	WorkerAddress string `json:"worker_address"`
	StoredAt      int64  `json:"stored_at" doc:"Unix seconds under which it was stored"`
}

// How far a reported time may be from the database's clock.
const (
	oldestReport = 24 * time.Hour
	clockSkew    = 5 * time.Minute
)

func (s *Server) apiHeartbeat(ctx context.Context, in *heartbeatInput) (*reply[storedJSON], error) {
	worker, err := s.workerFor(ctx, in.WalletInput, in.Body.WorkerAddress)
	if err != nil {
		return nil, err
	}
	now, err := s.reportClock(ctx)
	if err != nil {
		return nil, err
	}
	at, err := reportTime(now, "body.heartbeat_time", in.Body.HeartbeatTime)
	if err != nil {
		return nil, err
	}
	beat := in.Body.heartbeat(worker, at)
	if err := s.spend(ctx, 1); err != nil {
		return nil, err
	}
	if err := s.db.InsertHeartbeats(ctx, []validator.Heartbeat{beat}); err != nil {
		return nil, s.storeProblem(err)
	}
	return ok(storedJSON{"ok", string(worker), at.Unix()})
}

// workerFor returns the worker that a report is about; body and header must agree.
func (s *Server) workerFor(ctx context.Context, in WalletInput, body string) (validator.Address, error) {
	worker := in.wallet
	if body != "" {
		a, err := validator.ParseAddress(body)
		if err != nil {
			return "", badField("body.worker_address", "is "+err.Error(), body)
		}
		if worker != "" && worker != a {
			return "", badField("body.worker_address", "names another wallet than the header X-Wallet-Address", body)
		}
		worker = a
	}
	if worker == "" {
		worker = s.ownWallet(viewerOf(ctx))
	}
	if worker == "" {
		return "", badField("body.worker_address", "is missing: name the worker's wallet there or in the header X-Wallet-Address", nil)
	}
	if !viewerOf(ctx).mayWrite(worker) {
		return "", newProblem(http.StatusForbidden, "These credentials may not write for that worker.")
	}
	return worker, nil
}

// reportClock is the time by which reports are judged: the database's, which all servers share.
func (s *Server) reportClock(ctx context.Context) (time.Time, error) {
	now, err := s.db.Clock(ctx)
	if err != nil {
		return time.Time{}, s.storeProblem(err)
	}
	return now.UTC(), nil
}

// reportTime reads a reported time, now if there is none.
func reportTime(now time.Time, name string, unixSeconds *int64) (time.Time, error) {
	if unixSeconds == nil {
		return now, nil
	}
	at := time.Unix(*unixSeconds, 0).UTC()
	if at.After(now.Add(clockSkew)) || at.Before(now.Add(-oldestReport)) {
		return time.Time{}, badField(name, fmt.Sprintf("must be unix seconds between 24 hours ago and 5 minutes ahead of the database's clock, which reads %d", now.Unix()), *unixSeconds)
	}
	return at, nil
}

// refusedByDatabase says which of the database's rules a report breaks.
func refusedByDatabase(err error) *problem {
	rule := "a value of this report cannot be kept"
	if name := db.BrokenRule(err); name != "" {
		rule = "the rule " + name + " is broken"
	}
	p := newProblem(http.StatusBadRequest, "Nothing was stored: "+rule+". Mend the report before you send it again.")
	p.cause = err
	return p
}

// claimInput names a claim's transaction.
type claimInput struct {
	WalletInput

	Body struct {
		TxHash    string `json:"tx_hash" doc:"Of the transaction that the wallet sent" example:"0x5a1f"`
		ClaimType string `json:"claim_type,omitempty" enum:"staking" default:"staking" doc:"What was claimed"`
	}
}

// claimJSON is a claim that is being tracked.
type claimJSON struct {
	Status string  `json:"status" enum:"submitted,confirmed,failed,expired" doc:"As the chain tells it; a claim begins as submitted, and expires if no node knows its transaction a day later"`
	TxHash string  `json:"tx_hash"`
	Amount *string `json:"amount" doc:"Wei, from the chain's event; null until confirmed"`
	Reason *string `json:"reason" doc:"Why it failed or expired"`
}

func (s *Server) apiClaimReward(ctx context.Context, in *claimInput) (*reply[claimJSON], error) {
	wallet, err := s.walletFor(ctx, in.WalletInput)
	if err != nil {
		return nil, err
	}
	tx, err := validator.ParseFelt(in.Body.TxHash)
	if err != nil {
		return nil, badField("body.tx_hash", "is "+err.Error(), in.Body.TxHash)
	}
	claim, err := s.db.SubmitClaim(ctx, wallet, tx, validator.RewardStaking, s.now())
	if errors.Is(err, db.ErrTooManyClaims) {
		return nil, newProblem(http.StatusConflict, fmt.Sprintf("%d claims of this wallet are open, as many as may be. Wait until one is settled. A transaction that no node knows expires a day after it was noted.", db.MostOpenClaims))
	}
	if err != nil {
		return nil, s.storeProblem(err)
	}
	s.observer.ForgetClaims(wallet)
	v := viewerOf(ctx)
	s.audit(ctx, v.origin, db.AuditEvent{Wallet: wallet, Kind: db.AuditClaimSent, Detail: tx.Short(), Actor: v.actor()})
	out := claimJSON{Status: string(claim.Status), TxHash: string(tx), Reason: nonEmpty(claim.Failure)}
	if claim.Amount != nil {
		wei := claim.Amount.String()
		out.Amount = &wei
	}
	return &reply[claimJSON]{http.StatusAccepted, out}, nil
}
