package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// checkPatience is how long check waits for the database to answer.
const checkPatience = 2 * time.Minute

// checkTotals counts all rows again and writes where what the database keeps of them
// differs, and where the stored events are not those of the chain; that is an error, so that
// scripts see it. A server may run on the database meanwhile.
func checkTotals(ctx context.Context, cfg Config, log *slog.Logger, stdout io.Writer) error {
	store, err := openStoreBesideServer(ctx, cfg, log)
	if err != nil {
		return err
	}
	g := NewGroup(ctx, log)
	g.Run(StageSources, "database", store.Run)
	err = func() error {
		defer g.Stop()
		ctx := g.Context()
		ready, cancel := context.WithTimeout(ctx, checkPatience)
		defer cancel()
		if err := store.WaitReady(ready); err != nil {
			return err
		}
		start := time.Now()
		found, err := store.CheckTotals(ctx)
		if err != nil {
			return err
		}
		for _, d := range found {
			if _, err := fmt.Fprintln(stdout, d); err != nil {
				return err
			}
		}
		if err := printKeptApart(ctx, store, stdout); err != nil {
			return err
		}
		if n := len(found); n > 0 {
			return errors.Join(fmt.Errorf("%d sums differ from the rows that they sum up", n), checkEvents(ctx, cfg, store, log, stdout))
		}
		_, err = fmt.Fprintf(stdout, "All that is kept of jobs, claims, heartbeats and payments agrees with their rows (checked in %s).\n", time.Since(start).Round(time.Millisecond))
		if err != nil {
			return err
		}
		return checkEvents(ctx, cfg, store, log, stdout)
	}()
	return errors.Join(err, g.Wait(), store.Close())
}

// keptApartWords say why rows are kept apart from the sums.
var keptApartWords = map[string]string{
	string(validator.FaultAhead):     "tell a time more than 5 minutes ahead of the database's clock, and are in no sum until it has come",
	string(validator.FaultExecution): "tell an execution time longer than from their begin to their end, which is not summed",
}

// printKeptApart writes how much is kept apart from the sums.
func printKeptApart(ctx context.Context, store *db.Store, stdout io.Writer) error {
	apart, err := store.KeptApart(ctx)
	if err != nil {
		return err
	}
	for _, a := range apart {
		if _, err := fmt.Fprintf(stdout, "Kept apart: %d rows of %s %s.\n", a.Rows, a.Table, keptApartWords[a.Reason]); err != nil {
			return err
		}
	}
	return nil
}
