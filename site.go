package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/gpu"
	"github.com/bitsage-network/validator-dashboard/web"
)

// site is the web server with the three sources behind it. What it is made of is the same
// for serve and for the demo.
type site struct {
	store   *db.Store
	sampler *gpu.Sampler
	client  *chain.Client
	index   *eventIndex
	prices  *priceFeed
	server  *web.Server
	samples *sampleKeeper // nil while nobody knows for whom this host's GPUs work
	log     *slog.Logger
}

// standIns is what the demo puts in the place of this host's driver, and what only its pages
// have. The zero standIns is the server as it is.
type standIns struct {
	openGPUs func() (gpu.Reader, error)
	host     string // that the GPUs are on; "" = this machine's own name
	demo     *web.Demo
}

// newSite wires a server that answers from the store.
func newSite(cfg Config, store *db.Store, in standIns, log *slog.Logger) (*site, error) {
	sampler, err := gpu.NewSampler(gpu.Config{LibraryPath: cfg.NVMLLibrary, Open: in.openGPUs, Log: log.With(slog.String("room", "gpu"))})
	if err != nil {
		return nil, err
	}
	client, err := chain.New(chain.Config{RPCURLs: cfg.StarknetRPC, SocketURLs: cfg.StarknetWS, NoSockets: cfg.PollHeads, Now: store.Now, Network: cfg.Network, Contracts: cfg.Contracts, Log: log.With(slog.String("room", "chain"))})
	if err != nil {
		return nil, err
	}
	index, err := newEventIndex(cfg, store, client, log.With(slog.String("room", "index")))
	if err != nil {
		return nil, err
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(index.collector(), collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), store.Collector(), client.Collector())
	server, err := web.New(web.Config{
		Database: store, GPUs: clockedGPUs{sampler, store.ClockOffset}, Chain: client, Signatures: client, Actions: client, Index: index, Network: cfg.Network, ValidatorAddress: cfg.ValidatorAddress, HeartbeatInterval: cfg.HeartbeatInterval,
		LocalAccess: cfg.LocalAccess, PublicURL: cfg.PublicURL, TrustedProxies: cfg.TrustedProxies, DrainTime: cfg.DrainTime, Version: version, Commit: commit, Demo: in.demo,
		Metrics: metrics, Log: log.With(slog.String("room", "web")),
	})
	if err != nil {
		return nil, err
	}
	prices := newPriceFeed(cfg.SAGEPrice, store, log.With(slog.String("room", "price")))
	prices.now = store.Now
	s := &site{store: store, sampler: sampler, client: client, index: index, prices: prices, server: server, log: log}
	if cfg.ValidatorAddress != "" {
		s.samples = &sampleKeeper{
			store: store, gpus: sampler, worker: cfg.ValidatorAddress, host: cmp.Or(in.host, hostName()), every: sampleEvery,
			log: log.With(slog.String("room", "samples")),
		}
	}
	return s, nil
}

// start runs all of it but the store, which whoever opened it runs.
func (s *site) start(g *group, l net.Listener) {
	g.run(stageWork, "gpu sampler", s.sampler.Run)
	if s.samples != nil {
		g.run(stageWork, "sample keeper", s.samples.run)
	}
	g.run(stageWork, "chain watcher", s.client.Run)
	g.run(stageWork, "claim tracker", func(ctx context.Context) error { return trackClaims(ctx, s.store, s.client, s.log) })
	g.run(stageWork, "event index", s.index.run)
	duties := append(append(s.store.Duties(), s.index.duty()), s.prices.duties()...)
	g.run(stageWork, "duties", func(ctx context.Context) error { return s.store.RunDuties(ctx, duties...) })
	g.run(stageRequests, "web server", func(ctx context.Context) error { return s.server.Serve(ctx, l) })
}

// listen takes the port before anything else is begun, since it is what fails most.
func listen(ctx context.Context, cfg Config) (net.Listener, error) {
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

// publicURL is where people reach the server.
func publicURL(cfg Config, addr net.Addr) string {
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

func openStore(ctx context.Context, cfg Config, log *slog.Logger, privateSettings ...string) (*db.Store, error) {
	return db.Open(ctx, db.Config{
		URL: cfg.DatabaseURL, DirectURL: cfg.DatabaseDirect, DataDir: cfg.DataDir, PGBinDir: cfg.PostgresBinDir, PrivateSettings: privateSettings,
		HeartbeatRetention: cfg.KeepHeartbeats, SampleRetention: cfg.KeepGPUSamples, IngestQuota: cfg.IngestQuota, Log: log.With(slog.String("room", "db")),
	})
}
