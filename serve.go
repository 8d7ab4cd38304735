package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/gpu"
	"github.com/bitsage-network/validator-dashboard/web"
)

// startPatience is how long the line that says "ready" waits for the database's first
// answer. The server answers before that, and says what is missing.
const startPatience = 10 * time.Second

// serve runs the server until ctx ends and everything it started has ended.
func serve(ctx context.Context, cfg Config, log *slog.Logger, stdout io.Writer) error {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.Listen)
	if err != nil {
		if errors.Is(err, syscall.EADDRINUSE) {
			return fmt.Errorf("LISTEN is %q, and another program listens there already: end it, or choose another port", cfg.Listen)
		}
		return fmt.Errorf("LISTEN is %q: %w", cfg.Listen, err)
	}
	defer listener.Close() //nolint:errcheck // the server closes it first

	store, err := openStore(ctx, cfg, log)
	if err != nil {
		return err
	}
	sampler, err := gpu.NewSampler(gpu.Config{LibraryPath: cfg.NVMLLibrary, Log: log.With(slog.String("room", "gpu"))})
	if err != nil {
		return errors.Join(err, store.Close())
	}
	client, err := chain.New(chain.Config{RPCURLs: cfg.StarknetRPC, Network: cfg.Network, Contracts: cfg.Contracts, Log: log.With(slog.String("room", "chain"))})
	if err != nil {
		return errors.Join(err, store.Close())
	}
	metrics := prometheus.NewRegistry()
	metrics.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), store.Collector(), client.Collector())
	server, err := web.New(web.Config{
		Database: store, GPUs: sampler, Chain: client, Network: cfg.Network, ValidatorAddress: cfg.ValidatorAddress,
		LocalAccess: cfg.LocalAccess, PublicURL: cfg.PublicURL, Version: version, Commit: commit, Metrics: metrics, Log: log.With(slog.String("room", "web")),
	})
	if err != nil {
		return errors.Join(err, store.Close())
	}

	var g group
	ctx, g.stop = context.WithCancel(ctx)
	defer g.stop()
	g.run("database", func() error { return store.Run(ctx) })
	g.run("gpu sampler", func() error { return sampler.Run(ctx) })
	g.run("chain watcher", func() error { return client.Run(ctx) })
	g.run("claim tracker", func() error { return trackClaims(ctx, store, client, log) })
	g.run("web server", func() error { return server.Serve(ctx, listener) })

	ready, cancel := context.WithTimeout(ctx, startPatience)
	_ = store.WaitReady(ready) // what keeps it is shown by the page
	cancel()
	if ctx.Err() == nil {
		if _, err := fmt.Fprintf(stdout, "BitSage validator dashboard ready at %s\n", publicURL(cfg, listener.Addr())); err != nil {
			g.stop()
		}
	}
	return errors.Join(g.wait(), store.Close())
}

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

func openStore(ctx context.Context, cfg Config, log *slog.Logger) (*db.Store, error) {
	return db.Open(ctx, db.Config{URL: cfg.DatabaseURL, DataDir: cfg.DataDir, PGBinDir: cfg.PostgresBinDir, Log: log.With(slog.String("room", "db"))})
}

// migrate brings the schema up to date and says so.
func migrate(ctx context.Context, cfg Config, log *slog.Logger, stdout io.Writer) error {
	store, err := openStore(ctx, cfg, log)
	if err != nil {
		return err
	}
	if err := store.Migrate(ctx); err != nil {
		return errors.Join(err, store.Close())
	}
	_, err = fmt.Fprintln(stdout, "The database's schema is up to date.")
	return errors.Join(err, store.Close())
}

// group runs goroutines that live and end together.
type group struct {
	stop context.CancelFunc
	wg   sync.WaitGroup
	mu   sync.Mutex
	errs []error
}

// run starts f; its end, with or without an error, ends the group.
func (g *group) run(name string, f func() error) {
	g.wg.Go(func() {
		defer g.stop()
		if err := f(); err != nil && !errors.Is(err, context.Canceled) {
			g.mu.Lock()
			defer g.mu.Unlock()
			g.errs = append(g.errs, fmt.Errorf("%s: %w", name, err))
		}
	})
}

func (g *group) wait() error {
	g.wg.Wait()
	return errors.Join(g.errs...)
}
