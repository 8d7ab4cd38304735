package collect

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	claimPoll  = 5 * time.Second // between two looks at the open claims
	claimBatch = 50              // claims that nodes are asked about at a look
	claimsOpen = 500             // open claims that are followed, the newest of each wallet first

	// A claim that has been open for long is asked about ever more rarely: its transaction may
	// never come to stand in a block.
	claimWaitShare = 16
	claimWaitMost  = 6 * time.Hour
	// A transaction that no node knows by then was never sent, or was dropped.
	claimExpiry = 24 * time.Hour
)

const claimExpired = "No node knew this transaction a day after it was noted. It was not sent, or the network dropped it. If you still have rewards to claim, claim again."

// ClaimTrackerConfig holds what a ClaimTracker needs. Every field is required.
type ClaimTrackerConfig struct {
	Store *db.Store
	Chain *chain.Client
	Log   *slog.Logger
}

// ClaimTracker asks the chain about every submitted claim until it knows the outcome, and
// stores what the chain answered.
type ClaimTracker struct{ cfg ClaimTrackerConfig }

// NewClaimTracker returns a tracker that works while Run does.
func NewClaimTracker(cfg ClaimTrackerConfig) *ClaimTracker { return &ClaimTracker{cfg} }

// Run follows the claims until ctx ends.
func (t *ClaimTracker) Run(ctx context.Context) error {
	store, log := t.cfg.Store, t.cfg.Log
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
			if err := t.settle(ctx, c); err != nil && ctx.Err() == nil {
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

// due returns the open claims that are to be asked about now, and takes them for asked. Wallets take
// turns, those that waited longest first, so that nobody's many claims keep another's waiting; of one
// wallet they come in the order given. The claims given are all that are open.
func (a claimsAsked) due(open []validator.Claim, now time.Time) []validator.Claim {
	still := make(map[claimKey]bool, len(open))
	last := make(map[validator.Address]time.Time)
	ripe := make(map[validator.Address][]validator.Claim)
	var wallets []validator.Address
	for _, c := range open {
		k := claimKey{c.Address, c.TxHash}
		still[k] = true
		at, before := a[k]
		if at.After(last[c.Address]) {
			last[c.Address] = at
		}
		wait := min(max(now.Sub(c.At)/claimWaitShare, claimPoll), claimWaitMost)
		if before && now.Sub(at) < wait-claimPoll/2 { // looks are not quite as far apart
			continue
		}
		if ripe[c.Address] == nil {
			wallets = append(wallets, c.Address)
		}
		ripe[c.Address] = append(ripe[c.Address], c)
	}
	maps.DeleteFunc(a, func(k claimKey, _ time.Time) bool { return !still[k] })
	slices.SortStableFunc(wallets, func(x, y validator.Address) int { return last[x].Compare(last[y]) })
	var due []validator.Claim
	for turn := 0; ; turn++ {
		taken := false
		for _, w := range wallets {
			if turn >= len(ripe[w]) {
				continue
			}
			if len(due) == claimBatch {
				return due
			}
			c := ripe[w][turn]
			a[claimKey{c.Address, c.TxHash}] = now
			due, taken = append(due, c), true
		}
		if !taken {
			return due
		}
	}
}

func (t *ClaimTracker) settle(ctx context.Context, c validator.Claim) error {
	outcome, err := t.cfg.Chain.ClaimOutcome(ctx, c.TxHash, c.Address)
	if err != nil {
		return err
	}
	if outcome.Status == validator.ClaimSubmitted {
		if !outcome.Unseen || t.cfg.Store.Now().Sub(c.At) < claimExpiry {
			return nil
		}
		outcome = validator.ClaimOutcome{Status: validator.ClaimExpired, Failure: claimExpired}
	}
	return t.cfg.Store.SettleClaim(ctx, c, outcome)
}
