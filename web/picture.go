package web

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

var errSlow = errors.New("the database did not answer in time")

// How old a remembered answer may be before the database is asked again. Network-wide
// figures cost more and change less.
const (
	walletMaxAge  = time.Second
	networkMaxAge = 5 * time.Second
)

// uptimeReach is how far back heartbeats are read: the longest uptime window that is shown.
const uptimeReach = validator.Window30d

// picture asks all sources at once for everything about a wallet. It waits for none longer
// than its bound, and carries each failure.
func (s *Server) picture(ctx context.Context, wallet validator.Address) validator.Picture {
	p := validator.Picture{
		Address:       wallet,
		Now:           s.now(),
		HostGPUs:      s.hostSnapshot(ctx, wallet),
		HostGPUsApply: s.hostGPUsApply(ctx, wallet),

		HeartbeatInterval: s.heartbeatInterval,
	}
	asked := databaseRead{state: s.db.State()}
	var wg sync.WaitGroup
	wg.Go(func() { p.Chain = s.chain.Look(ctx, wallet) })
	wg.Go(func() { p.Jobs = s.jobCounts(ctx, &asked, wallet) })
	wg.Go(func() {
		p.Earnings = readDB(ctx, s, &asked, "earnings", wallet, func(ctx context.Context) (validator.Earnings, error) {
			return s.db.Earnings(ctx, wallet, s.now())
		})
	})
	wg.Go(func() { p.ClaimEvents = s.eventsRead(ctx, &asked, nameProverStaking) })
	wg.Go(func() { p.Heartbeats = s.heartbeats(ctx, &asked, wallet) })
	wg.Go(func() { p.WorkerGPUs = s.workerGPUs(ctx, &asked, wallet) })
	wg.Wait()
	p.Database = asked.result()
	return p
}

func (s *Server) workerGPUs(ctx context.Context, asked *databaseRead, wallet validator.Address) validator.Maybe[[]validator.WorkerGPU] {
	return readDB(ctx, s, asked, "worker gpus", wallet, func(ctx context.Context) ([]validator.WorkerGPU, error) {
		return s.db.WorkerGPUs(ctx, wallet)
	})
}

func (s *Server) heartbeats(ctx context.Context, asked *databaseRead, wallet validator.Address) validator.Maybe[validator.HeartbeatSummary] {
	return readDB(ctx, s, asked, "heartbeats", wallet, func(ctx context.Context) (validator.HeartbeatSummary, error) {
		return s.db.Heartbeats(ctx, wallet, uptimeReach.Start(s.now()).Add(-time.Hour))
	})
}

// hostGPUsApply says whether this host's GPUs work for the wallet. While VALIDATOR_ADDRESS
// is unset nobody can say, so only somebody on this machine sees them.
func (s *Server) hostGPUsApply(ctx context.Context, wallet validator.Address) bool {
	if s.validatorAddress == "" {
		return viewerOf(ctx).local
	}
	return wallet == s.validatorAddress
}

// hostSnapshot is what a wallet may know of this host's GPUs: nothing if they work for
// another.
func (s *Server) hostSnapshot(ctx context.Context, wallet validator.Address) validator.GPUSnapshot {
	if s.hostGPUsApply(ctx, wallet) {
		return s.gpus.Snapshot()
	}
	return validator.GPUSnapshot{State: validator.SourceState{
		Source: validator.SourceGPU, Health: validator.HealthDisabled, Reason: "The GPUs of the machine that this server runs on do not work for this wallet.",
	}}
}

// told is a source's state as strangers may know it: how it is, but not why, since the
// reason may name a host or a file.
func told(ctx context.Context, st validator.SourceState) validator.SourceState {
	if viewerOf(ctx).stranger() && st.Health != validator.HealthOK {
		st.Reason, st.Remedy = untold, ""
	}
	return st
}

// toldNetwork is told for all that the chain says of the network.
func toldNetwork(ctx context.Context, n validator.ChainNetwork) validator.ChainNetwork {
	n.State = told(ctx, n.State)
	if !viewerOf(ctx).stranger() {
		return n
	}
	if !n.TotalStaked.Known() {
		n.TotalStaked.Maybe = validator.None[validator.Wei](untold)
	}
	if !n.TotalSlashed.Known() {
		n.TotalSlashed.Maybe = validator.None[validator.Wei](untold)
	}
	if !n.Config.Known() {
		n.Config.Maybe = validator.None[validator.StakingConfig](untold)
	}
	return n
}

const untold = "Why is told to those who are signed in."

// databaseRead gathers how a group of database reads went.
type databaseRead struct {
	mu     sync.Mutex
	state  validator.SourceState
	oldest time.Time // of the values that could not be refreshed
	failed error
	lost   bool // a value is missing altogether
}

// readDB reads one value through the server's memory and notes how it went.
func readDB[T any](ctx context.Context, s *Server, asked *databaseRead, name string, wallet validator.Address, read func(context.Context) (T, error)) validator.Maybe[T] {
	return readDBAs(ctx, s, asked, memoryKey{read: name, wallet: wallet}, walletMaxAge, read)
}

// readDBAs is readDB for reads that have parameters beside the wallet, or another age.
func readDBAs[T any](ctx context.Context, s *Server, asked *databaseRead, key memoryKey, maxAge time.Duration, read func(context.Context) (T, error)) validator.Maybe[T] {
	r := recall(ctx, s.memory, key, maxAge, read)
	if r.err == nil {
		return r.value
	}
	if !errors.Is(r.err, db.ErrUnavailable) && !errors.Is(r.err, context.Canceled) {
		s.log.WarnContext(ctx, "database read failed", slog.String("read", key.read), slog.Any("error", r.err))
	}
	asked.mu.Lock()
	defer asked.mu.Unlock()
	asked.failed = r.err
	if !r.value.Known() {
		asked.lost = true
		return validator.None[T](asked.words())
	}
	// The memory's times are this machine's, the page's are not.
	if at := s.now().Add(-time.Since(r.at)); asked.oldest.IsZero() || at.Before(asked.oldest) {
		asked.oldest = at
	}
	return r.value
}

// words says why the database gave no value.
func (a *databaseRead) words() string {
	switch {
	case a.state.Health != validator.HealthOK && a.state.Reason != "":
		return a.state.Reason
	case errors.Is(a.failed, db.ErrBusy):
		return "Too many requests of this wallet are running at once."
	case errors.Is(a.failed, db.ErrSearchTooLong):
		return db.SearchTooLong
	case errors.Is(a.failed, errSlow), errors.Is(a.failed, context.DeadlineExceeded):
		return "The database did not answer in time."
	}
	return "The database could not answer."
}

// result is the database's state as these values show it.
func (a *databaseRead) result() validator.SourceState {
	a.mu.Lock()
	defer a.mu.Unlock()
	st := a.state
	if a.failed == nil {
		if st.Health != validator.HealthOK {
			// Every value came from memory, younger than the outage.
			st.Health = validator.HealthStale
		}
		return st
	}
	st.Reason = a.words()
	switch {
	case a.lost && a.oldest.IsZero():
		st.Health, st.ObservedAt = validator.HealthUnavailable, time.Time{}
	default:
		st.Health = validator.HealthStale
		if !a.oldest.IsZero() {
			st.ObservedAt = a.oldest
		}
	}
	return st
}
