package app

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// checkEvents compares the stored events with those that the chain has, and writes which
// blocks differ; those are marked to be read again. That they differ is an error.
func checkEvents(ctx context.Context, cfg Config, store *db.Store, log *slog.Logger, stdout io.Writer) error {
	start := time.Now()
	client, err := chain.New(chain.Config{RPCURLs: cfg.StarknetRPC, Network: cfg.Network, Contracts: cfg.Contracts, Log: log})
	if err != nil {
		return err
	}
	indexer, err := chain.NewIndexer(chain.IndexerConfig{Client: client, Store: store, From: cfg.IndexFromBlock, Log: log})
	if err != nil {
		return err
	}
	found, err := indexer.Compare(ctx)
	if err != nil {
		return fmt.Errorf("compare the stored events with the chain: %w", err)
	}
	for _, c := range found.Skipped {
		if _, err := fmt.Fprintf(stdout, "Not compared with the chain: the events of %s at %s. The settings of this command name another network or another address.\n", c.Name, c.Contract); err != nil {
			return err
		}
	}
	if found.Differing == 0 {
		if len(found.Compared) == 0 {
			return nil
		}
		_, err = fmt.Fprintf(stdout, "All %d events of %d contracts are stored as the chain has them (compared in %s).\n", found.Events, len(found.Compared), time.Since(start).Round(time.Millisecond))
		return err
	}
	return reportEvents(ctx, store, found, stdout)
}

// reportEvents writes which events differ, and has them read again.
func reportEvents(ctx context.Context, store *db.Store, found chain.EventComparison, stdout io.Writer) error {
	for _, d := range found.Differences {
		if _, err := fmt.Fprintf(stdout, "chain_events: %s, block %d: stored %d, on the chain %d\n", d.Contract, d.Block, d.Stored, d.Chain); err != nil {
			return err
		}
	}
	if more := found.Differing - len(found.Differences); more > 0 {
		if _, err := fmt.Fprintf(stdout, "chain_events: %d more blocks differ\n", more); err != nil {
			return err
		}
	}
	contracts := make([]validator.Address, len(found.Compared))
	for i, c := range found.Compared {
		contracts[i] = c.Contract
	}
	if err := store.ReadEventsAgain(ctx, contracts, found.First); err != nil {
		return err
	}
	return fmt.Errorf("the events of %d blocks differ from the chain's: the server reads all events from block %d on again, so keep it running and check again in some minutes", found.Differing, found.First)
}
