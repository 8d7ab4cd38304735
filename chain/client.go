package chain

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// Client follows a network's head and reads its contracts. Its methods may be called from
// many goroutines. Nothing is read unless Run is running.
type Client struct {
	cfg  Config
	pool *pool
	log  *slog.Logger

	pollNow  chan struct{} // somebody looked at a wallet that was never read, or for the first time in long
	readNow  chan struct{} // the head was seen; something may be unread at it
	askNow   chan struct{} // what a websocket announced, or that it is gone, is to be verified
	checkNow chan struct{} // a contract may have another class

	historyNow chan struct{} // the head's views were read; a wallet's events may be due
	blockTimes blockTimes
	txEvents   txEvents
	polls      atomic.Uint64 // of the head, for Collect

	mu           sync.Mutex
	running      bool
	head         *head          // nil until a node of the right network has answered
	announced    *announcedHead // a newer one that is to be read; nil if there is none
	socket       socketState
	heads        map[headWay]uint64 // that were followed, for Collect
	recent       hashRing
	block        *blockReads // what the newest block that was read says of the network
	headFault    error       // why the last poll failed; nil if it did not
	readFault    error       // why the last read failed; nil if it did not
	watched      watchSet
	lastNetLook  time.Time
	historyFault error // why the last read of a wallet's events failed; nil if it did not
	checks       []validator.ContractCheck
	views        viewFitness
	batches      uint64 // of reads, for Collect
	walletsInAll uint64 // wallets read, for Collect
	histories    uint64 // reads of a wallet's events, for Collect
}

// New returns a client that knows nothing yet. It calls no node; the error is ErrConfig
// with what is wrong in the config.
func New(cfg Config) (*Client, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	p, err := newPool(cfg)
	if err != nil {
		return nil, err
	}
	c := &Client{
		cfg: cfg, pool: p, log: cfg.Log,
		pollNow:  make(chan struct{}, 1),
		readNow:  make(chan struct{}, 1),
		askNow:   make(chan struct{}, 1),
		checkNow: make(chan struct{}, 1),
		views:    newViewFitness(),
		heads:    make(map[headWay]uint64),

		historyNow: make(chan struct{}, 1),
		watched:    newWatchList(cfg.MaxWatched),
	}
	c.checks = c.uncheckedContracts()
	return c, nil
}

// ErrRunning says that Run was called while it runs already.
var ErrRunning = errors.New("the chain client runs already")

// Run follows the head, reads what is watched, and checks the contracts, until ctx ends;
// then it waits for its goroutines and returns nil. A node that is down never ends it.
func (c *Client) Run(ctx context.Context) error {
	c.mu.Lock()
	if c.running {
		c.mu.Unlock()
		return ErrRunning
	}
	c.running = true
	c.mu.Unlock()
	var wg sync.WaitGroup
	wg.Go(func() { c.followHead(ctx) })
	wg.Go(func() { c.followSockets(ctx) })
	wg.Go(func() { c.readBlocks(ctx) })
	wg.Go(func() { c.readHistories(ctx) })
	wg.Go(func() { c.checkContracts(ctx) })
	wg.Wait()
	c.mu.Lock()
	c.running = false
	c.mu.Unlock()
	return nil
}

// signal wakes a goroutine that waits on ch, once however often it is signalled meanwhile.
func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// sleep waits for d or until ctx ends; it says false for the latter.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
