package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/db/demodata"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/web"
)

// demoPatience is how long the demo waits for its database to start.
const demoPatience = 30 * time.Second

// demo runs the server on sources that are simulated: it is serve with another database,
// another chain and other GPUs.
func demo(ctx context.Context, cfg Config, log *slog.Logger, stdout io.Writer) error {
	begun := time.Now()
	listener, err := listen(ctx, cfg)
	if err != nil {
		return err
	}
	defer listener.Close() //nolint:errcheck // the server closes it first
	logAccess(cfg, listener.Addr(), log)
	if len(cfg.RealSources) > 0 {
		log.Info("the demo reads no real source, so these settings do not count in it", slog.String("settings", strings.Join(cfg.RealSources, ", ")))
	}
	cfg.DatabaseURL, cfg.DatabaseDirect, cfg.NVMLLibrary, cfg.DataDir = "", "", "", filepath.Join(cfg.DataDir, demoFolder)
	if err := emptyDemoFolder(cfg.DataDir, cfg.PostgresBinDir); err != nil {
		return err
	}
	store, err := openStore(ctx, cfg, log, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
	if err != nil {
		return err
	}

	g := newGroup(ctx, log)
	defer g.stop()
	g.run(stageSources, "database", store.Run)
	err = play(g, cfg, store, listener, log)
	switch {
	case err != nil && ctx.Err() == nil:
		g.stop()
		return errors.Join(fmt.Errorf("start the demo: %w", err), g.wait(), store.Close())
	case err != nil: // asked to end before it was ready
		g.stop()
	default:
		log.Info("the demo is ready", slog.Duration("took", time.Since(begun).Round(time.Millisecond)))
		if _, err := fmt.Fprintf(stdout, "BitSage validator dashboard demo ready at %s (all values are simulated)\n", publicURL(cfg, listener.Addr())); err != nil {
			g.stop()
		}
	}
	return errors.Join(g.wait(), store.Close())
}

// play makes the demo's year and lets everything go on from there, in g.
func play(g *group, cfg Config, store *db.Store, listener net.Listener, log *slog.Logger) error {
	ctx, now := g.asked, time.Now().UTC()
	c, node, err := startDemoChain(now)
	if err != nil {
		return err
	}
	g.run(stageSources, "simulated node", func(ctx context.Context) error { <-ctx.Done(); return node.Close() })
	at := c.Contracts()
	cfg.Network = chain.Network{Name: "simulated", ChainID: demoChainID}
	cfg.StarknetRPC, cfg.ValidatorAddress = []string{node.URL()}, c.wallet.Address()
	cfg.StarknetWS, cfg.PollHeads = []string{node.SocketURL()}, false
	cfg.Contracts = chain.Contracts{ProverStaking: at.ProverStaking, ReputationManager: at.ReputationManager, SAGEToken: at.SAGEToken, JobManager: at.JobManager, MiningRewards: at.MiningRewards, PaymentRouter: at.PaymentRouter}

	price, err := newDemoPrice(ctx)
	if err != nil {
		return err
	}
	g.run(stageSources, "simulated price", price.run)
	cfg.SAGEPrice = price.config

	story, err := tell(ctx, cfg, c, store, log)
	if err != nil {
		return err
	}
	rigs, err := newDemoRigs()
	if err != nil {
		return err
	}
	live, err := demodata.NewLive(demodata.LiveConfig{
		Story: story, Store: store, DatabaseURL: store.PrivateURL(), SetLoad: rigs.setLoad, Usable: rigs.usable, Read: rigs.read, Ended: c.ended,
		Log: log.With(slog.String("room", "demo")),
	})
	if err != nil {
		return err
	}
	s, err := newSite(cfg, store, standIns{openGPUs: rigs.here.Open, host: demoHost, demo: &web.Demo{Wallet: c.wallet}}, log)
	if err != nil {
		return err
	}
	g.run(stageWork, "simulated chain", func(ctx context.Context) error { c.Run(ctx); return nil })
	g.run(stageWork, "simulated work", live.Run)
	g.run(stageWork, "simulated history", func(ctx context.Context) error {
		if err := demodata.WriteOlderHeartbeats(ctx, store.PrivateURL(), story); err != nil && ctx.Err() == nil {
			log.Warn("the demo's older heartbeats are missing", slog.Any("error", err))
		}
		<-ctx.Done()
		return nil
	})
	s.start(g, listener)
	return nil
}

// startDemoChain lays the chain's year but for its last hours, and serves it.
func startDemoChain(now time.Time) (*demoChain, *devchain.Node, error) {
	c, err := newDemoChain(now)
	if err != nil {
		return nil, nil, err
	}
	c.layTo(now.Add(-denseFor))
	node := devchain.NewNode(c.Chain)
	return c, node, node.Start()
}

// tell writes the year into the database as the chain has it, and the year's end onto the
// chain as the database has it.
func tell(ctx context.Context, cfg Config, c *demoChain, store *db.Store, log *slog.Logger) (demodata.Story, error) {
	story := c.story
	story.PriceSource = cfg.SAGEPrice.Source()
	var err error
	if story.Claims, err = c.outcomes(ctx, cfg, log); err != nil {
		return story, err
	}
	starting, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	if err := store.WaitReady(starting); err != nil {
		return story, err
	}
	if err := c.told.Write(ctx, store.PrivateURL(), story); err != nil {
		return story, err
	}
	counts, err := store.JobCounts(ctx, story.Worker, time.Now())
	if err != nil {
		return story, err
	}
	ended, err := endedJobs(ctx, store, story.Worker)
	if err != nil {
		return story, err
	}
	c.recall(ended, counts.Completed, counts.Failed)
	return story, nil
}

// endedJobs are the newest jobs that were completed or failed.
func endedJobs(ctx context.Context, store *db.Store, worker validator.Address) ([]validator.Job, error) {
	const newest = 200
	jobs, err := store.Jobs(ctx, worker, db.JobFilter{Limit: newest})
	var ended []validator.Job
	for _, j := range jobs {
		if j.CompletedAt != nil && (j.Status == validator.JobCompleted || j.Status.Failed()) {
			ended = append(ended, j)
		}
	}
	return ended, err
}
