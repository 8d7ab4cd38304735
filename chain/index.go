package chain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// IndexStore keeps what an Indexer reads. A change is stored whole or not at all, and not if
// it begins where the index no longer is.
type IndexStore interface {
	ChainIndex(ctx context.Context) (validator.ChainIndex, error)
	IndexedBlocks(ctx context.Context) ([]validator.Block, error)
	ChangeIndex(ctx context.Context, change validator.IndexChange) error

	// StoredEvents are those of some contracts in the blocks from first to last.
	StoredEvents(ctx context.Context, contracts []validator.Address, first, last uint64) ([]validator.StoredEvent, error)
}

// IndexerConfig says what an Indexer reads, and how much at a time. Every zero count and
// duration means the default that its comment names.
type IndexerConfig struct {
	Client *Client
	Store  IndexStore

	// From is the first block whose events are read. nil: the block in which a contract was
	// deployed, where a node tells that, else the chain's first.
	From *uint64

	FirstSpan   uint64        // blocks whose events are asked for at first; 4,096
	LargestSpan uint64        // the most that this grows to; 262,144
	MaxEvents   int           // in one step; a span of several blocks that has more is halved; 5,000
	MaxPages    int           // of one contract's events in one step, likewise; 64
	Pause       time.Duration // after a node's failure, doubling to 64 times as much; 1 s
	Log         *slog.Logger  // the client's
}

// largestSpan is how many blocks' events are asked for at most.
const largestSpan = 262_144

// Indexer reads the events of the client's contracts into a store: all that ever were, and
// then what each new block brings. What it needs to know it keeps in the store, so that it
// may end at any point and go on anywhere. Its methods are for one goroutine at a time.
type Indexer struct {
	cfg    IndexerConfig
	client *Client
	store  IndexStore
	log    *slog.Logger
	book   eventBook

	span, ceiling uint64 // blocks asked for at a time, and the most that nodes have taken
	easy          int    // steps in a row that were as large as the ceiling
	failures      int    // of nodes in a row
	notBefore     time.Time
	pace          time.Duration // between steps, while nodes limit how often they may be asked

	again rereadWindows
}

// NewIndexer returns an indexer of a client's contracts. The error matches ErrConfig.
func NewIndexer(cfg IndexerConfig) (*Indexer, error) {
	if cfg.Client == nil || cfg.Store == nil {
		return nil, fmt.Errorf("%w: an indexer needs a client and a store", ErrConfig)
	}
	if cfg.MaxEvents < 0 || cfg.MaxPages < 0 || cfg.Pause < 0 {
		return nil, fmt.Errorf("%w: an indexer's limit is negative", ErrConfig)
	}
	orDefault(&cfg.FirstSpan, 4096)
	orDefault(&cfg.LargestSpan, largestSpan)
	orDefault(&cfg.MaxEvents, 5_000)
	orDefault(&cfg.MaxPages, 64)
	orDefault(&cfg.Pause, time.Second)
	orDefault(&cfg.Log, cfg.Client.log)
	return &Indexer{
		cfg: cfg, client: cfg.Client, store: cfg.Store, log: cfg.Log, book: newEventBook(cfg.Client.cfg.Contracts),
		span: min(cfg.FirstSpan, cfg.LargestSpan), ceiling: cfg.LargestSpan, again: newRereadWindows(),
	}, nil
}

// contracts are those whose events are read and that have an address.
func (x *Indexer) contracts() []namedContract {
	var out []namedContract
	k := x.client.cfg.Contracts
	for _, c := range []namedContract{k.proverStaking(), k.reputationManager(), k.jobManager(), k.paymentRouter(), k.miningRewards()} {
		if c.address != "" {
			out = append(out, c)
		}
	}
	return out
}

// Sweep reads on until the newest block's events are stored, ctx ends, or a node fails; the
// next call goes on from there. That a node failed is noted in the index and is no
// error: the error is ctx's or the store's.
func (x *Indexer) Sweep(ctx context.Context) error {
	if len(x.contracts()) == 0 || x.client.cfg.Now().Before(x.notBefore) {
		return nil
	}
	ctx = context.WithValue(ctx, patienceKey{}, x.cfg.Pause)
	for ctx.Err() == nil {
		index, err := x.store.ChainIndex(ctx)
		if err != nil {
			return err
		}
		more, err := x.advance(ctx, index)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil:
			x.wentWell()
			if !more {
				return nil
			}
		case isNodeFailure(err):
			if again, err := x.nodeFailed(ctx, index, err); err != nil || !again {
				return err
			}
		default:
			return err
		}
		if x.pace > 0 && !sleep(ctx, x.pace) {
			break
		}
	}
	return ctx.Err()
}

// isNodeFailure reports whether an error comes from nodes, and not from the store.
func isNodeFailure(err error) bool {
	var o *outage
	var f *fault
	return errors.As(err, &o) || errors.As(err, &f)
}

// wentWell speeds up again after a step that nodes served.
func (x *Indexer) wentWell() {
	const quickEnough = 20 * time.Millisecond
	x.failures, x.notBefore = 0, time.Time{}
	if x.pace = x.pace * 3 / 4; x.pace < quickEnough {
		x.pace = 0
	}
}

// nodeFailed decides how to go on after a node's failure, and says whether to go on at once.
func (x *Indexer) nodeFailed(ctx context.Context, index validator.ChainIndex, failure error) (again bool, err error) {
	var o *outage
	if !errors.As(failure, &o) {
		o = &outage{}
		if f, ok := errors.AsType[*fault](failure); ok {
			o.faults = []*fault{f}
		}
	}
	const mostDoublings = 6
	pause := x.cfg.Pause << min(x.failures, mostDoublings)
	switch {
	case o.limitsRate():
		x.failures++
		x.pace = min(max(2*x.pace, x.cfg.Pause/8), 8*x.cfg.Pause)
		x.log.Debug("The node limits how often events may be read", "pause", pause)
		x.notBefore = x.client.cfg.Now().Add(pause)
		if x.failures > mostDoublings { // for minutes
			err = x.noteFailure(ctx, index, o, failure)
		}
		return sleep(ctx, pause) && err == nil, err
	case o.limitsSize() && x.narrow(failure):
		return true, nil
	case o.only(faultBlockGone):
		return false, nil // the chain has moved on meanwhile
	}
	x.failures++
	x.notBefore = x.client.cfg.Now().Add(pause)
	return false, x.noteFailure(ctx, index, o, failure)
}

// noteFailure tells why no more events are read, if that is not known yet.
func (x *Indexer) noteFailure(ctx context.Context, index validator.ChainIndex, o *outage, failure error) error {
	says := indexFailureWords(o)
	if index.Failure == says {
		return nil
	}
	x.log.Warn("The contracts' events cannot be read on", "error", failure.Error())
	return x.store.ChangeIndex(ctx, validator.IndexChange{ChainID: x.client.cfg.Network.ChainID, Failure: says})
}

// narrow asks for the events of fewer blocks, and says whether that can help.
func (x *Indexer) narrow(failure error) bool {
	var wide tooWide
	if !errors.As(failure, &wide) {
		return false
	}
	if wide.blocks == 1 {
		x.span, x.ceiling, x.easy = min(x.cfg.FirstSpan, x.cfg.LargestSpan), x.cfg.LargestSpan, 0
		return false // it was not for their number
	}
	x.span = wide.blocks / 2
	x.ceiling, x.easy = x.span, 0
	x.log.Debug("Events of fewer blocks are asked for", "blocks", x.span, "error", failure.Error())
	return true
}

// indexFailureWords says for people why no more events are read.
func indexFailureWords(o *outage) string {
	says := make([]string, len(o.faults))
	for i, f := range o.faults {
		says[i] = f.says
	}
	return "The contracts' events cannot be read on: " + strings.Join(says, "; ") + "."
}

// limitsRate says whether a node was asked too often.
func (o *outage) limitsRate() bool {
	for _, f := range o.faults {
		if f.limitsRate() {
			return true
		}
	}
	return false
}

// limitsSize says whether a node may well answer a smaller question.
func (o *outage) limitsSize() bool {
	for _, f := range o.faults {
		switch f.kind {
		case faultTimeout, faultTooLarge, faultRPC:
			return true
		case faultHTTP:
			if f.status == 400 || f.status == 413 || f.status >= 500 {
				return true
			}
		case faultUnreachable, faultGarbage, faultWrongChain, faultBehind, faultOldHead, faultBlockGone:
		}
	}
	return false
}
