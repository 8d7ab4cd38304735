package collect

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/db"
	"github.com/bitsage-network/validator-dashboard/validator"
)

const (
	indexEvery    = 5 * time.Second // between two looks for new events
	indexFor      = time.Minute     // one sweep: a long backfill goes on in the next
	indexLookWait = 5 * time.Second // between two looks at how far the index is
)

// EventIndexConfig holds what an EventIndex needs. Every field but FromBlock is required.
type EventIndexConfig struct {
	Store     *db.Store
	Chain     *chain.Client
	FromBlock *uint64 // the first block to read; nil = each contract's deployment
	Log       *slog.Logger
}

// EventIndex reads the contracts' events into the database. One replica at a time reads;
// every replica knows how far the index is.
type EventIndex struct {
	cfg     EventIndexConfig
	indexer *chain.Indexer

	mu    sync.Mutex
	known validator.ChainIndex
	lack  string // why nothing is known, a phrase; "" if something is
}

// NewEventIndex returns an index that knows nothing before Run has looked.
func NewEventIndex(cfg EventIndexConfig) (*EventIndex, error) {
	indexer, err := chain.NewIndexer(chain.IndexerConfig{Client: cfg.Chain, Store: cfg.Store, From: cfg.FromBlock, Log: cfg.Log})
	if err != nil {
		return nil, err
	}
	return &EventIndex{cfg: cfg, indexer: indexer, lack: "the index has not been looked at yet"}, nil
}

// PeriodicJob is the reading of events, which one replica at a time does.
func (x *EventIndex) PeriodicJob() db.PeriodicJob { return SweepJob(x.indexer) }

// SweepJob is the periodic reading of an indexer's events.
func SweepJob(indexer *chain.Indexer) db.PeriodicJob {
	return db.PeriodicJob{Name: "chain_events", Every: indexEvery, Limit: indexFor, Do: func(ctx context.Context) error {
		err := indexer.Sweep(ctx)
		switch {
		case errors.Is(err, context.DeadlineExceeded), errors.Is(err, db.ErrUnavailable), errors.Is(err, db.ErrIndexMoved):
			return nil // the next run goes on from what is stored
		}
		return err
	}}
}

// Run looks every few seconds how far the index is, until ctx ends.
func (x *EventIndex) Run(ctx context.Context) error {
	tick := time.NewTicker(indexLookWait)
	defer tick.Stop()
	for x.cfg.Store.WaitReady(ctx) == nil && ctx.Err() == nil {
		x.look(ctx)
		select {
		case <-ctx.Done():
		case <-tick.C:
		}
	}
	return nil
}

func (x *EventIndex) look(ctx context.Context) {
	known, err := x.cfg.Store.ChainIndex(ctx)
	if err != nil && ctx.Err() == nil && !errors.Is(err, db.ErrUnavailable) {
		x.cfg.Log.Warn("how far events are known could not be read", slog.Any("error", err))
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	x.known, x.lack = known, ""
	if err != nil {
		x.lack = "the database does not tell how far they are known"
	}
}

// IndexLag is how far the events in the database are behind the chain.
func (x *EventIndex) IndexLag() validator.Maybe[validator.IndexLag] {
	x.mu.Lock()
	known, lack := x.known, x.lack
	x.mu.Unlock()
	if lack != "" {
		return validator.None[validator.IndexLag](lack)
	}
	head := x.cfg.Chain.State()
	return known.Lag(validator.Block{Number: head.Block, Time: head.BlockTime})
}

// IndexCursor is how far the events of one contract are in the database.
func (x *EventIndex) IndexCursor(contract validator.Address) validator.Maybe[validator.IndexCursor] {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.lack != "" {
		return validator.None[validator.IndexCursor](x.lack)
	}
	return x.known.Cursor(contract)
}

// Collector tells Prometheus how far the index is.
func (x *EventIndex) Collector() prometheus.Collector {
	desc := func(name, help string) *prometheus.Desc {
		return prometheus.NewDesc("validator_chain_index_"+name, help, nil, nil)
	}
	return &indexCollector{
		index:   x,
		block:   desc("block", "Number of the last block whose events are in the database."),
		blocks:  desc("lag_blocks", "Blocks of the chain whose events are not in the database yet."),
		seconds: desc("lag_seconds", "Time between the last block whose events are in the database and the chain's newest, by their timestamps."),
		reorgs:  desc("reorgs_total", "Times that events were undone because the chain was reorganised."),
		failing: desc("failing", "1 while the last attempt to read events failed."),
	}
}

type indexCollector struct {
	index                                   *EventIndex
	block, blocks, seconds, reorgs, failing *prometheus.Desc
}

func (c *indexCollector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{c.block, c.blocks, c.seconds, c.reorgs, c.failing} {
		ch <- d
	}
}

func (c *indexCollector) Collect(ch chan<- prometheus.Metric) {
	gauge := func(d *prometheus.Desc, v float64) { ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v) }
	if lag, known := c.index.IndexLag().Get(); known {
		gauge(c.block, float64(lag.Block.Number))
		gauge(c.blocks, float64(lag.Blocks))
		gauge(c.seconds, lag.Time.Seconds())
	}
	c.index.mu.Lock()
	known := c.index.known
	c.index.mu.Unlock()
	failing := 0.0
	if known.Failure != "" {
		failing = 1
	}
	gauge(c.failing, failing)
	ch <- prometheus.MustNewConstMetric(c.reorgs, prometheus.CounterValue, float64(known.Reorgs))
}
