package web

import (
	"context"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// The contracts whose events tell of stakes and claims, and of scores.
const (
	nameProverStaking     = "ProverStaking"
	nameReputationManager = "ReputationManager"
)

// eventsRead is how far a contract's events are in the database. Strangers do not see why
// reading on failed, which may name a node.
func (s *Server) eventsRead(ctx context.Context, asked *databaseRead, contract string) validator.Maybe[validator.IndexCursor] {
	read := readDBAs(ctx, s, asked, memoryKey{read: "chain index"}, walletMaxAge, s.db.ChainIndex)
	index, known := read.Get()
	if !known {
		return validator.None[validator.IndexCursor](read.Reason())
	}
	if viewerOf(ctx).stranger() && index.Failure != "" {
		index.Failure = untold
	}
	return index.EventsRead(validator.IndexedContract{Name: contract, Address: s.contractNamed(contract)})
}

// foundInEvents is a list that events are the source of: an empty one is unknown while no
// events of the contract have been read.
func foundInEvents[L ~[]E, E any](list validator.Maybe[L], events validator.Maybe[validator.IndexCursor]) validator.Maybe[L] {
	l, known := list.Get()
	if !known {
		return list
	}
	return validator.FoundInEvents(l, len(l) == 0, events)
}
