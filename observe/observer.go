package observe

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// GPUReader is what an Observer needs of the GPU sampler.
type GPUReader interface {
	Snapshot() validator.GPUSnapshot
	History(uuid string, since time.Time) []validator.GPUPoint
}

// ChainReader is what an Observer needs of the chain watcher. WalletSnapshot answers at once except
// for the first look at an address, which it bounds.
type ChainReader interface {
	WalletSnapshot(ctx context.Context, wallet validator.Address) validator.ChainSnapshot
	Network() validator.ChainNetwork
	Contracts() []validator.ContractCheck
}

// Config holds what an Observer needs. Database, GPUs, Chain and Log are required.
type Config struct {
	Database          *db.Store
	GPUs              GPUReader
	Chain             ChainReader
	ValidatorAddress  validator.Address           // the wallet of this host's GPUs; "" = not set
	HeartbeatInterval validator.HeartbeatInterval // that hosts are expected to keep
	Now               func() time.Time            // by which values are judged; nil = the database's clock
	MaxWait           time.Duration               // for a database read before what is cached is shown; 0 = DefaultMaxWait
	Log               *slog.Logger
}

// Observer reads the sources for whoever asks. Its methods may be called side by side.
type Observer struct {
	db                *db.Store
	gpus              GPUReader
	chain             ChainReader
	validatorAddress  validator.Address
	heartbeatInterval validator.HeartbeatInterval
	now               func() time.Time
	log               *slog.Logger
	cache             *cache
	tables            tables
}

// New returns an Observer that has read nothing yet.
func New(c Config) *Observer {
	if c.MaxWait == 0 {
		c.MaxWait = DefaultMaxWait
	}
	if c.Now == nil {
		c.Now = c.Database.Now
	}
	return &Observer{
		db: c.Database, gpus: c.GPUs, chain: c.Chain, validatorAddress: c.ValidatorAddress, heartbeatInterval: c.HeartbeatInterval,
		now: c.Now, log: c.Log, cache: newCache(c.MaxWait),
	}
}

// ForgetAll drops every cached answer: what is asked for next is read anew.
func (o *Observer) ForgetAll() { o.cache.clear() }

// SetMaxWait changes Config.MaxWait for reads that begin from now on.
func (o *Observer) SetMaxWait(d time.Duration) {
	o.cache.mu.Lock()
	defer o.cache.mu.Unlock()
	o.cache.maxWait = d
}

// Picture asks all sources at once for everything about a wallet. It waits for none longer
// than its bound, and carries each failure.
func (o *Observer) Picture(ctx context.Context, v Viewer, wallet validator.Address) validator.Picture {
	p := validator.Picture{
		Address:       wallet,
		Now:           o.now(),
		HostGPUs:      o.HostGPUs(v, wallet),
		HostGPUsApply: o.HostGPUsApply(v, wallet),

		HeartbeatInterval: o.heartbeatInterval,
	}
	r := o.Reads(v)
	var all sync.WaitGroup
	all.Go(func() { p.Chain = o.chain.WalletSnapshot(ctx, wallet) })
	all.Go(func() { p.Jobs = r.JobCounts(ctx, wallet) })
	all.Go(func() { p.Earnings = r.Earnings(ctx, wallet) })
	all.Go(func() { p.ClaimEvents = r.EventsRead(ctx, ProverStaking) })
	all.Go(func() { p.Heartbeats = r.Heartbeats(ctx, wallet) })
	all.Go(func() { p.WorkerGPUs = r.WorkerGPUs(ctx, wallet) })
	all.Wait()
	p.Database = r.State()
	return p
}

// HostGPUsApply reports whether this host's GPUs work for the wallet. While the wallet of this
// host is not set nobody can say, so only somebody on this machine sees them.
func (o *Observer) HostGPUsApply(v Viewer, wallet validator.Address) bool {
	if o.validatorAddress == "" {
		return v.Local
	}
	return wallet == o.validatorAddress
}

// HostGPUs returns what a wallet may know of this host's GPUs: nothing if they work for another.
func (o *Observer) HostGPUs(v Viewer, wallet validator.Address) validator.GPUSnapshot {
	if o.HostGPUsApply(v, wallet) {
		return o.gpus.Snapshot()
	}
	return validator.GPUSnapshot{State: validator.SourceState{
		Source: validator.SourceGPU, Health: validator.HealthDisabled, Reason: "The GPUs of the machine that this server runs on do not work for this wallet.",
	}}
}
