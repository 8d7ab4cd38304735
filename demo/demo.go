// Package demo runs the dashboard over simulated sources: two hosts with simulated GPUs, a chain on
// which the validator has staked for a year, and a database with a year of jobs. Nothing else may
// import it or what lies below it, but tests.
package demo

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

	"github.com/bitsage-network/validator-dashboard/app"
	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/demo/history"
	"github.com/bitsage-network/validator-dashboard/validator"
	"github.com/bitsage-network/validator-dashboard/web"
)

// startPatience is how long the demo waits for its database to start.
const startPatience = 30 * time.Second

// Run runs the server on sources that are simulated: it is serve with another database,
// another chain and other GPUs.
func Run(ctx context.Context, cfg app.Config, log *slog.Logger, stdout io.Writer) error {
	begun := time.Now()
	listener, err := app.Listen(ctx, cfg)
	if err != nil {
		return err
	}
	defer listener.Close() //nolint:errcheck // the server closes it first
	app.LogAccess(cfg, listener.Addr(), log)
	if len(cfg.RealSources) > 0 {
		log.Info("the demo reads no real source, so these settings do not count in it", slog.String("settings", strings.Join(cfg.RealSources, ", ")))
	}
	cfg.DatabaseURL, cfg.DatabaseDirect, cfg.NVMLLibrary, cfg.DataDir = "", "", "", filepath.Join(cfg.DataDir, folderName)
	if err := emptyFolder(cfg.DataDir, cfg.PostgresBinDir); err != nil {
		return err
	}
	store, err := app.OpenStore(ctx, cfg, log, "fsync=off", "synchronous_commit=off", "full_page_writes=off")
	if err != nil {
		return err
	}

	g := app.NewGroup(ctx, log)
	defer g.Stop()
	g.Run(app.StageSources, "database", store.Run)
	err = play(g, cfg, store, listener, log)
	switch {
	case err != nil && ctx.Err() == nil:
		g.Stop()
		return errors.Join(fmt.Errorf("start the demo: %w", err), g.Wait(), store.Close())
	case err != nil: // asked to end before it was ready
		g.Stop()
	default:
		log.Info("the demo is ready", slog.Duration("took", time.Since(begun).Round(time.Millisecond)))
		if _, err := fmt.Fprintf(stdout, "BitSage validator dashboard demo ready at %s (all values are simulated)\n", app.PublicURL(cfg, listener.Addr())); err != nil {
			g.Stop()
		}
	}
	return errors.Join(g.Wait(), store.Close())
}

// play makes the demo's year and lets everything go on from there, in g.
func play(g *app.Group, cfg app.Config, store *db.Store, listener net.Listener, log *slog.Logger) error {
	ctx, now := g.Context(), time.Now().UTC()
	c, node, err := startChain(now)
	if err != nil {
		return err
	}
	g.Run(app.StageSources, "simulated node", func(ctx context.Context) error { <-ctx.Done(); return node.Close() })
	at := c.Contracts()
	cfg.Network = chain.Network{Name: "simulated", ChainID: ChainID}
	cfg.StarknetRPC, cfg.ValidatorAddress = []string{node.URL()}, c.wallet.Address()
	cfg.StarknetWS, cfg.PollHeads = []string{node.SocketURL()}, false
	cfg.Contracts = chain.Contracts{ProverStaking: at.ProverStaking, ReputationManager: at.ReputationManager, SAGEToken: at.SAGEToken, JobManager: at.JobManager, MiningRewards: at.MiningRewards, PaymentRouter: at.PaymentRouter}

	price, err := newPriceServer(ctx)
	if err != nil {
		return err
	}
	g.Run(app.StageSources, "simulated price", price.run)
	cfg.SAGEPrice = price.config

	story, err := tell(ctx, cfg, c, store, log)
	if err != nil {
		return err
	}
	rigs, err := newHosts()
	if err != nil {
		return err
	}
	live, err := history.NewLive(history.LiveConfig{
		Story: story, Store: store, DatabaseURL: store.PrivateURL(), SetLoad: rigs.setLoad, Usable: rigs.usable, Read: rigs.read, Ended: c.ended,
		Log: log.With(slog.String("room", "demo")),
	})
	if err != nil {
		return err
	}
	d, err := app.NewDashboard(cfg, store, app.Overrides{OpenGPUs: rigs.here.Open, Host: hereName, Demo: &web.Demo{Wallet: c.wallet}}, log)
	if err != nil {
		return err
	}
	g.Run(app.StageWork, "simulated chain", func(ctx context.Context) error { c.Run(ctx); return nil })
	g.Run(app.StageWork, "simulated work", live.Run)
	g.Run(app.StageWork, "simulated history", func(ctx context.Context) error {
		if err := history.WriteOlderHeartbeats(ctx, store.PrivateURL(), story); err != nil && ctx.Err() == nil {
			log.Warn("the demo's older heartbeats are missing", slog.Any("error", err))
		}
		<-ctx.Done()
		return nil
	})
	d.Start(g, listener)
	return nil
}

// startChain lays the chain's year but for its last hours, and serves it.
func startChain(now time.Time) (*validatorChain, *devchain.Node, error) {
	c, err := newValidatorChain(now)
	if err != nil {
		return nil, nil, err
	}
	c.layTo(now.Add(-denseFor))
	node := devchain.NewNode(c.Chain)
	return c, node, node.Start()
}

// tell writes the year into the database as the chain has it, and the year's end onto the
// chain as the database has it.
func tell(ctx context.Context, cfg app.Config, c *validatorChain, store *db.Store, log *slog.Logger) (history.Story, error) {
	story := c.story
	story.PriceSource = cfg.SAGEPrice.Name()
	var err error
	if story.Claims, err = c.outcomes(ctx, cfg, log); err != nil {
		return story, err
	}
	starting, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	if err := store.WaitReady(starting); err != nil {
		return story, err
	}
	if err := c.timeline.Write(ctx, store.PrivateURL(), story); err != nil {
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
