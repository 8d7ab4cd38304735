package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/collect"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/gpu"
	"github.com/bitsage-network/validator-dashboard/web"
)

// Dashboard is the web server with the three sources behind it. serve and the demo run the
// same one.
type Dashboard struct {
	store   *db.Store
	sampler *gpu.Sampler
	client  *chain.Client
	index   *collect.EventIndex
	prices  *collect.PriceFeed
	claims  *collect.ClaimTracker
	server  *web.Server
	samples *collect.SampleRecorder // nil while nobody knows for whom this host's GPUs work
}

// Overrides replaces this host's driver, for the demo, and adds what only the demo's pages
// have. The zero Overrides is the server as it is.
type Overrides struct {
	OpenGPUs func() (gpu.Reader, error)
	Host     string // that the GPUs are on; "" = this machine's own name
	Demo     *web.Demo
}

// NewDashboard wires a server that answers from the store.
func NewDashboard(cfg Config, store *db.Store, in Overrides, log *slog.Logger) (*Dashboard, error) {
	sampler, err := gpu.NewSampler(gpu.Config{LibraryPath: cfg.NVMLLibrary, Open: in.OpenGPUs, Log: log.With(slog.String("room", "gpu"))})
	if err != nil {
		return nil, err
	}
	client, err := chain.New(chain.Config{RPCURLs: cfg.StarknetRPC, SocketURLs: cfg.StarknetWS, NoSockets: cfg.PollHeads, Now: store.Now, Network: cfg.Network, Contracts: cfg.Contracts, Log: log.With(slog.String("room", "chain"))})
	if err != nil {
		return nil, err
	}
	index, err := collect.NewEventIndex(collect.EventIndexConfig{Store: store, Chain: client, FromBlock: cfg.IndexFromBlock, Log: log.With(slog.String("room", "index"))})
	if err != nil {
		return nil, err
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(index.Collector(), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), store.Collector(), client.Collector())
	server, err := web.New(web.Config{
		Database: store, GPUs: clockedGPUs{sampler, store.ClockOffset}, Chain: client, Signatures: client, Actions: client, Index: index, Network: cfg.Network, ValidatorAddress: cfg.ValidatorAddress, HeartbeatInterval: cfg.HeartbeatInterval,
		LocalAccess: cfg.LocalAccess, PublicURL: cfg.PublicURL, TrustedProxies: cfg.TrustedProxies, DrainTime: cfg.DrainTime, Version: cfg.Version, Commit: cfg.Commit, Demo: in.Demo,
		Metrics: metrics, Log: log.With(slog.String("room", "web")),
	})
	if err != nil {
		return nil, err
	}
	d := &Dashboard{
		store: store, sampler: sampler, client: client, index: index, server: server,
		prices: collect.NewPriceFeed(collect.PriceFeedConfig{Source: cfg.SAGEPrice, Store: store, Now: store.Now, UserAgent: "validator-dashboard/" + cfg.Version, Log: log.With(slog.String("room", "price"))}),
		claims: collect.NewClaimTracker(collect.ClaimTrackerConfig{Store: store, Chain: client, Log: log}),
	}
	if cfg.ValidatorAddress != "" {
		d.samples = collect.NewSampleRecorder(collect.SampleRecorderConfig{
			Store: store, GPUs: sampler, Worker: cfg.ValidatorAddress, Host: in.Host, Log: log.With(slog.String("room", "samples")),
		})
	}
	return d, nil
}

// Start runs everything but the store, which its opener runs, in g.
func (d *Dashboard) Start(g *Group, l net.Listener) {
	g.Run(StageWork, "gpu sampler", d.sampler.Run)
	if d.samples != nil {
		g.Run(StageWork, "sample keeper", d.samples.Run)
	}
	g.Run(StageWork, "chain watcher", d.client.Run)
	g.Run(StageWork, "claim tracker", d.claims.Run)
	g.Run(StageWork, "event index", d.index.Run)
	periodic := append(append(d.store.PeriodicJobs(), d.index.PeriodicJob()), d.prices.PeriodicJobs()...)
	g.Run(StageWork, "periodic jobs", func(ctx context.Context) error { return d.store.RunPeriodicJobs(ctx, periodic...) })
	g.Run(StageRequests, "web server", func(ctx context.Context) error { return d.server.Serve(ctx, l) })
}

// Listen takes the port before anything else is begun, since it is what fails most.
func Listen(ctx context.Context, cfg Config) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.Listen)
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, fmt.Errorf("LISTEN is %q, and another program listens there already: end it, or choose another port", cfg.Listen)
	}
	if err != nil {
		return nil, fmt.Errorf("LISTEN is %q: %w", cfg.Listen, err)
	}
	if err := checkLocalAccess(cfg, l.Addr()); err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// PublicURL is where people reach the server.
func PublicURL(cfg Config, addr net.Addr) string {
	if cfg.PublicURL != "" {
		return cfg.PublicURL
	}
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return "http://" + addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "localhost"
	}
	return "http://" + net.JoinHostPort(host, port)
}

// OpenStore opens the configured database; privateSettings are those of a private PostgreSQL.
func OpenStore(ctx context.Context, cfg Config, log *slog.Logger, privateSettings ...string) (*db.Store, error) {
	return db.Open(ctx, db.Config{
		URL: cfg.DatabaseURL, DirectURL: cfg.DatabaseDirect, DataDir: cfg.DataDir, PGBinDir: cfg.PostgresBinDir, PrivateSettings: privateSettings,
		HeartbeatRetention: cfg.KeepHeartbeats, SampleRetention: cfg.KeepGPUSamples, IngestQuota: cfg.IngestQuota, Log: log.With(slog.String("room", "db")),
	})
}
