package validator

import (
	"slices"
	"time"
)

// ClaimEvents are the RewardsClaimed events of one transaction for one wallet.
type ClaimEvents struct {
	TxHash Felt
	Amount Wei // their sum
	Block  Block
}

// ReconciledClaim is a claim on both sides.
type ReconciledClaim struct {
	Class  ReconcileClass
	Why    string       // a sentence, where the class needs one
	Claim  *Claim       // the database's; nil if it has none
	Events *ClaimEvents // the chain's; nil if it has none
}

// At is the claim's time.
func (c ReconciledClaim) At() time.Time {
	if c.Claim != nil {
		return c.Claim.At
	}
	return c.Events.Block.Time
}

// ReconcileClaims compares a wallet's claims with the chain's RewardsClaimed events, by the
// transaction. Coverage is ProverStaking's. A claim that failed and of which the chain tells
// nothing is nothing to compare, and left out. The newest come first.
func ReconcileClaims(claims []Claim, events []ClaimEvents, known Maybe[EventCoverage]) []ReconciledClaim {
	byTx := make(map[Felt]*ClaimEvents, len(events))
	for i := range events {
		byTx[events[i].TxHash] = &events[i]
	}
	var out []ReconciledClaim
	for i := range claims {
		c := ReconciledClaim{Claim: &claims[i]}
		if claims[i].TxHash != "" {
			c.Events = byTx[claims[i].TxHash]
			delete(byTx, claims[i].TxHash)
		}
		if c.Class, c.Why = classOfClaim(claims[i], c.Events, known); c.Class != "" {
			out = append(out, c)
		}
	}
	for _, e := range byTx {
		out = append(out, ReconciledClaim{Class: ClassMissingInDatabase, Why: "The database has no claim of this transaction.", Events: e})
	}
	slices.SortStableFunc(out, func(a, b ReconciledClaim) int { return b.At().Compare(a.At()) })
	return out
}

// classOfClaim compares a claim of the database with the chain's; "" if there is
// nothing to compare.
func classOfClaim(c Claim, e *ClaimEvents, known Maybe[EventCoverage]) (class ReconcileClass, why string) {
	cover, has := known.Get()
	switch {
	case c.Kind != RewardStaking && (c.Status == ClaimFailed || c.Status == ClaimExpired):
		return "", ""
	case c.Kind != RewardStaking:
		return ClassNotComparable, "ProverStaking tells of staking rewards only, and this is a claim of kind " + string(c.Kind) + "."
	case e != nil && c.Status == ClaimFailed:
		return ClassMissingInDatabase, "The database has it as failed, and the chain tells that it was paid."
	case e != nil && (c.Status == ClaimSubmitted || c.Status == ClaimExpired):
		return ClassAwaited, "The chain tells that it was paid; the database is about to note it."
	case e != nil && c.Amount != nil && c.Amount.Equal(e.Amount):
		return ClassMatched, ""
	case e != nil:
		return ClassDifferent, "The chain tells another amount for this transaction."
	case c.Status == ClaimFailed, c.Status == ClaimExpired:
		return "", ""
	case c.Status == ClaimSubmitted:
		return ClassAwaited, "The transaction's outcome is not known yet."
	case c.TxHash == "":
		return ClassNotComparable, "The database has no transaction for it."
	case !has:
		return ClassNotKnown, Sentence(known.Reason())
	case c.BlockNumber != nil && *c.BlockNumber > cover.To.Number, c.BlockNumber == nil && c.At.After(cover.To.Time):
		return ClassNotKnown, "Its block's events are not known yet."
	case c.BlockNumber != nil && *c.BlockNumber < cover.From.Number, c.BlockNumber == nil && c.At.Before(cover.From.Time):
		return ClassNotKnown, "It was made before the first block whose events are read."
	}
	return ClassMissingOnChain, "No RewardsClaimed event of its transaction is on the chain as it is now."
}
