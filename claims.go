package main

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	claimPoll  = 5 * time.Second
	claimBatch = 50
)

// trackClaims asks the chain about every claim that was submitted until it tells the
// outcome: what is stored of a claim is what the chain said.
func trackClaims(ctx context.Context, store *db.Store, client *chain.Client, log *slog.Logger) error {
	tick := time.NewTicker(claimPoll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		open, err := store.OpenClaims(ctx, claimBatch)
		if err != nil {
			if !errors.Is(err, db.ErrUnavailable) && ctx.Err() == nil {
				log.WarnContext(ctx, "open claims could not be read", slog.Any("error", err))
			}
			continue
		}
		for _, c := range open {
			if err := settle(ctx, store, client, c); err != nil && ctx.Err() == nil {
				log.DebugContext(ctx, "claim not settled yet", slog.String("tx", string(c.TxHash)), slog.Any("error", err))
			}
		}
	}
}

func settle(ctx context.Context, store *db.Store, client *chain.Client, c validator.Claim) error {
	outcome, err := client.ClaimOutcome(ctx, c.TxHash, c.Address)
	if err != nil || outcome.Status == validator.ClaimSubmitted {
		return err
	}
	return store.SettleClaim(ctx, c, outcome)
}
