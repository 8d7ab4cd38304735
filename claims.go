package main

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	claimPoll  = 5 * time.Second // between two looks at the open claims
	claimBatch = 50              // claims that nodes are asked about at a look
	claimsOpen = 500             // open claims that are followed, the newest

	// A claim that has been open for long is asked about ever more rarely: its transaction may
	// never come to stand in a block.
	claimWaitShare = 16
	claimWaitMost  = 6 * time.Hour
)

// trackClaims asks the chain about every claim that was submitted until it tells the
// outcome: what is stored of a claim is what the chain said.
func trackClaims(ctx context.Context, store *db.Store, client *chain.Client, log *slog.Logger) error {
	tick := time.NewTicker(claimPoll)
	defer tick.Stop()
	asked := make(claimsAsked)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		open, err := store.OpenClaims(ctx, claimsOpen)
		if err != nil {
			if !errors.Is(err, db.ErrUnavailable) && ctx.Err() == nil {
				log.WarnContext(ctx, "open claims could not be read", slog.Any("error", err))
			}
			continue
		}
		for _, c := range asked.due(open, store.Now()) {
			if err := settle(ctx, store, client, c); err != nil && ctx.Err() == nil {
				log.DebugContext(ctx, "claim not settled yet", slog.String("tx", string(c.TxHash)), slog.Any("error", err))
			}
		}
	}
}

// claimsAsked holds when nodes were last asked about each open claim.
type claimsAsked map[claimKey]time.Time

type claimKey struct {
	wallet validator.Address
	tx     validator.Felt
}

// due returns the open claims that are to be asked about now, newest first, and takes them
// for asked. The claims given are all that are open.
func (a claimsAsked) due(open []validator.Claim, now time.Time) []validator.Claim {
	var due []validator.Claim
	still := make(map[claimKey]bool, len(open))
	for _, c := range open {
		k := claimKey{c.Address, c.TxHash}
		still[k] = true
		wait := min(max(now.Sub(c.At)/claimWaitShare, claimPoll), claimWaitMost)
		last, before := a[k]
		if before && now.Sub(last) < wait-claimPoll/2 || len(due) == claimBatch { // looks are not quite as far apart
			continue
		}
		a[k] = now
		due = append(due, c)
	}
	maps.DeleteFunc(a, func(k claimKey, _ time.Time) bool { return !still[k] })
	return due
}

func settle(ctx context.Context, store *db.Store, client *chain.Client, c validator.Claim) error {
	outcome, err := client.ClaimOutcome(ctx, c.TxHash, c.Address)
	if err != nil || outcome.Status == validator.ClaimSubmitted {
		return err
	}
	return store.SettleClaim(ctx, c, outcome)
}
