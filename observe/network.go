package observe

import (
	"context"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// The contracts whose events tell of stakes and claims, and of scores.
const (
	ProverStaking     = "ProverStaking"
	ReputationManager = "ReputationManager"
)

// Contract returns the address of a contract that is read, "" if none is configured.
func (o *Observer) Contract(name string) validator.Address {
	for _, c := range o.chain.Contracts() {
		if c.Name == name {
			return c.Address
		}
	}
	return ""
}

// PaymentContracts returns the contracts whose events tell of payments.
func (o *Observer) PaymentContracts() validator.PaymentContracts {
	return validator.PaymentContracts{JobManager: o.Contract("JobManager"), PaymentRouter: o.Contract("PaymentRouter"), ProverStaking: o.Contract(ProverStaking)}
}

// EventsRead returns how far a contract's events are in the database. A Stranger does not see why
// reading on failed, which may name a node.
func (r *Reads) EventsRead(ctx context.Context, contract string) validator.Maybe[validator.IndexCursor] {
	read := load(ctx, r, &r.o.tables.chainIndex, "chain index", nobodys{}, walletMaxAge, r.o.db.ChainIndex)
	index, known := read.Get()
	if !known {
		return validator.None[validator.IndexCursor](read.Reason())
	}
	if r.viewer.Stranger && index.Failure != "" {
		index.Failure = HiddenReason
	}
	return index.EventsRead(validator.IndexedContract{Name: contract, Address: r.o.Contract(contract)})
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

type slashesKey struct {
	ofWallet

	tx validator.Felt
}

// Slashes lists the slashes of a wallet in a transaction, in the order of their events.
func (r *Reads) Slashes(ctx context.Context, wallet validator.Address, tx validator.Felt) validator.Maybe[[]validator.StakeEvent] {
	return load(ctx, r, &r.o.tables.slashes, "slashes", slashesKey{ofWallet(wallet), tx}, evidenceMaxAge, func(ctx context.Context) ([]validator.StakeEvent, error) {
		return r.o.db.Slashes(ctx, wallet, tx)
	})
}

// ReputationSubject is a wallet with the identifiers under which a contract keeps its score.
type ReputationSubject struct {
	Wallet   validator.Address
	Contract validator.Address
	IDs      []validator.Felt // one or two
}

type scoresKey struct {
	ofWallet

	contract validator.Address
	ids      [2]validator.Felt
}

func (s ReputationSubject) key() scoresKey {
	k := scoresKey{ofWallet: ofWallet(s.Wallet), contract: s.Contract}
	copy(k.ids[:], s.IDs)
	return k
}

type reputationKey struct {
	scoresKey

	before validator.ReputationCursor
	limit  int
}

// ReputationChanges lists the changes of a score, newest first.
func (r *Reads) ReputationChanges(ctx context.Context, s ReputationSubject, before validator.ReputationCursor, limit int) validator.Maybe[[]validator.ReputationRecord] {
	return load(ctx, r, &r.o.tables.changes, "reputation changes", reputationKey{s.key(), before, limit}, walletMaxAge, func(ctx context.Context) ([]validator.ReputationRecord, error) {
		return r.o.db.ReputationChanges(ctx, s.Contract, s.IDs, before, limit)
	})
}

// ReputationScores lists a score at the end of each of so many steps since a time that moves with
// the clock, oldest first.
func (r *Reads) ReputationScores(ctx context.Context, s ReputationSubject, since time.Time, step time.Duration, steps int) validator.Maybe[[]validator.ReputationPoint] {
	return load(ctx, r, &r.o.tables.scores, "reputation scores", s.key(), scoresMaxAge, func(ctx context.Context) ([]validator.ReputationPoint, error) {
		return r.o.db.ReputationScores(ctx, s.Contract, s.IDs, since, step, steps)
	})
}

// NetworkCounts counts the jobs and hosts of the network.
func (r *Reads) NetworkCounts(ctx context.Context) validator.Maybe[validator.NetworkCounts] {
	return load(ctx, r, &r.o.tables.networkCounts, "network counts", nobodys{}, networkMaxAge, func(ctx context.Context) (validator.NetworkCounts, error) {
		return r.o.db.NetworkCounts(ctx, r.o.heartbeatInterval.GoneAfter(), r.o.now())
	})
}

type windowKey struct {
	nobodys

	window validator.Window
}

// Activity sums what all workers did in a window, by hours that begin in it.
func (r *Reads) Activity(ctx context.Context, w validator.Window) validator.Maybe[validator.NetworkActivity] {
	firstHour := func(now time.Time) time.Time { return w.Start(now).UTC().Add(time.Hour - 1).Truncate(time.Hour) }
	hours := load(ctx, r, &r.o.tables.networkHours, "network hours", windowKey{window: w}, boardMaxAge, func(ctx context.Context) ([]validator.NetworkHour, error) {
		now := r.o.now()
		return r.o.db.NetworkHours(ctx, firstHour(now), now)
	})
	return validator.Map(hours, func(h []validator.NetworkHour) validator.NetworkActivity {
		now := r.o.now()
		return validator.ActivitySince(h, firstHour(now), now)
	})
}

type contractKey struct {
	nobodys

	contract validator.Address
}

// StakeBoard ranks the network's stakes.
func (r *Reads) StakeBoard(ctx context.Context) validator.Maybe[validator.StakeBoard] {
	contract := r.o.Contract(ProverStaking)
	board := load(ctx, r, &r.o.tables.stakeBoard, "stake board", contractKey{contract: contract}, boardMaxAge, func(ctx context.Context) (validator.StakeBoard, error) {
		return r.o.db.StakeBoard(ctx, contract)
	})
	return foundInEvents(board, r.EventsRead(ctx, ProverStaking))
}

// ReputationBoard ranks the network's scores.
func (r *Reads) ReputationBoard(ctx context.Context) validator.Maybe[validator.ReputationBoard] {
	contract := r.o.Contract(ReputationManager)
	board := load(ctx, r, &r.o.tables.scoreBoard, "reputation board", contractKey{contract: contract}, boardMaxAge, func(ctx context.Context) (validator.ReputationBoard, error) {
		return r.o.db.ReputationBoard(ctx, contract)
	})
	return foundInEvents(board, r.EventsRead(ctx, ReputationManager))
}

type dayKey struct {
	nobodys

	day time.Time
}

// WorkerMonths counts what each worker did. A wallet may see its own, and others in groups only.
func (r *Reads) WorkerMonths(ctx context.Context) validator.Maybe[validator.WorkerMonths] {
	now := r.o.now()
	return load(ctx, r, &r.o.tables.workerMonths, "worker months", dayKey{day: now.UTC().Truncate(24 * time.Hour)}, monthsMaxAge, func(ctx context.Context) (validator.WorkerMonths, error) {
		return r.o.db.WorkerMonths(ctx, r.o.heartbeatInterval, now)
	})
}
