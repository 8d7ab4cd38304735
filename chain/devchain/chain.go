package devchain

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math/big"
	"sync"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// Config says what chain New makes. The zero Config is a chain like Sepolia.
type Config struct {
	ChainID   string           // short string, "SN_SEPOLIA" if empty
	BlockTime time.Duration    // pace of Run; 5 s if zero
	Clock     func() time.Time // of block timestamps; time.Now if nil

	// Genesis is the first block's timestamp; the clock's time if zero. A genesis in the past
	// makes room for a history that MineAt lays.
	Genesis time.Time

	// StateBlocks is how many of the newest blocks keep their state for calls, as nodes that
	// prune do; 0 for all. Blocks, receipts and events stay.
	StateBlocks int

	// WideJobIDs makes ProverStaking take and tell job ids as u256, two felts, and not as
	// one felt.
	WideJobIDs bool

	// PaymentRouter gives that contract an address; DeployPaymentRouter puts it there.
	PaymentRouter bool

	// ClassHistory makes nodes tell the classes of contracts in blocks whose state is pruned,
	// so that the block of a deployment can be found.
	ClassHistory bool

	// MiningRewards makes the chain have that contract, which the real networks have none of.
	MiningRewards bool
}

// Contracts are the addresses at which a new chain has the network's contracts. It has no
// PaymentRouter, and no MiningRewards unless its Config asks for it, as the real networks
// have none published.
type Contracts struct {
	ProverStaking     validator.Address
	ReputationManager validator.Address
	SAGEToken         validator.Address
	JobManager        validator.Address
	MiningRewards     validator.Address
	PaymentRouter     validator.Address
}

// Chain is a chain of blocks. Its methods may be called from many goroutines.
type Chain struct {
	cfg       Config
	contracts Contracts

	mu      sync.RWMutex
	blocks  []*block
	working *state // of the block to come; the newest block's own while nothing changed
	queue   []*transaction
	byHash  map[validator.Felt]*transaction
	forks   int // reorgs so far: blocks mined after one have other hashes
	nonce   uint64
	changed chan struct{} // closed with the next change of the newest block
}

// block is one sealed block with the state after it.
type block struct {
	number uint64
	hash   validator.Felt
	parent validator.Felt
	time   int64
	state  *state // nil once pruned
	// classes are the contracts of a pruned block, if the chain remembers them.
	classes map[validator.Address]deployment
	txs     []*transaction
}

func (b *block) public() validator.Block {
	return validator.Block{Number: b.number, Hash: b.hash, Time: time.Unix(b.time, 0).UTC()}
}

// New returns a chain of one block in which the contracts are deployed with the
// configuration that ProverStaking has at deployment.
func New(cfg Config) *Chain {
	if cfg.ChainID == "" {
		cfg.ChainID = "SN_SEPOLIA"
	}
	if cfg.BlockTime <= 0 {
		cfg.BlockTime = 5 * time.Second
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	c := &Chain{
		cfg: cfg,
		contracts: Contracts{
			ProverStaking:     address("ProverStaking"),
			ReputationManager: address("ReputationManager"),
			SAGEToken:         address("SAGEToken"),
			JobManager:        address("JobManager"),
		},
		byHash:  make(map[validator.Felt]*transaction),
		changed: make(chan struct{}),
	}
	if cfg.PaymentRouter {
		c.contracts.PaymentRouter = address("PaymentRouter")
	}
	if cfg.MiningRewards {
		c.contracts.MiningRewards = address("MiningRewards")
	}
	c.working = newState(c.contracts, cfg.WideJobIDs)
	genesis := cfg.Genesis
	if genesis.IsZero() {
		genesis = cfg.Clock()
	}
	c.MineAt(genesis)
	return c
}

// ChainID returns the chain's id as a short string.
func (c *Chain) ChainID() string { return c.cfg.ChainID }

// Contracts returns where the contracts are.
func (c *Chain) Contracts() Contracts { return c.contracts }

// Head returns the newest block.
func (c *Chain) Head() validator.Block {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.head().public()
}

func (c *Chain) head() *block { return c.blocks[len(c.blocks)-1] }

// Mine seals everything set and queued since the newest block into a new one, stamped
// with the clock's time, or a second after its parent if the clock has not moved on.
func (c *Chain) Mine() validator.Block { return c.MineAt(c.cfg.Clock()) }

// MineAt is Mine with a timestamp of the caller's choice. A block is always at least a
// second later than its parent.
func (c *Chain) MineAt(at time.Time) validator.Block {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := &block{time: at.Unix()}
	if n := len(c.blocks); n > 0 {
		parent := c.blocks[n-1]
		b.number, b.parent = parent.number+1, parent.hash
		b.time = max(b.time, parent.time+1)
	}
	b.hash = digest("block", c.cfg.ChainID, b.number, b.parent, b.time, c.forks)
	c.evict()
	for _, tx := range c.queue {
		c.execute(tx, b)
	}
	b.txs, c.queue = c.queue, nil
	b.state = c.working
	c.blocks = append(c.blocks, b)
	if old := len(c.blocks) - 1 - c.cfg.StateBlocks; c.cfg.StateBlocks > 0 && old >= 0 {
		if c.cfg.ClassHistory {
			c.blocks[old].classes = c.blocks[old].state.deployed
		}
		c.blocks[old].state = nil
	}
	c.tellChange()
	return b.public()
}

// Reorg takes the newest depth blocks off the chain, with everything that they changed
// and every transaction in them. Blocks mined afterwards have other hashes than those
// that are gone. The first block always stays, and so does the oldest whose state is kept.
func (c *Chain) Reorg(depth int) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if depth < 1 || depth >= len(c.blocks) {
		return fmt.Errorf("devchain: a chain of %d blocks cannot lose %d", len(c.blocks), depth)
	}
	keep := len(c.blocks) - depth
	if c.blocks[keep-1].state == nil {
		return fmt.Errorf("devchain: the state of the block before the newest %d is pruned", depth)
	}
	for _, b := range c.blocks[keep:] {
		for _, tx := range b.txs {
			delete(c.byHash, tx.hash)
		}
	}
	c.blocks = c.blocks[:keep:keep]
	c.working = c.head().state
	c.forks++
	c.tellChange()
	return nil
}

// Run mines a block every BlockTime until ctx ends.
func (c *Chain) Run(ctx context.Context) {
	tick := time.NewTicker(c.cfg.BlockTime)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			c.Mine()
		}
	}
}

// change lets f write the state of the block to come, on a copy if a sealed block
// still holds that state.
func (c *Chain) change(f func(*state)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ownWorking()
	f(c.working)
}

func (c *Chain) ownWorking() {
	if len(c.blocks) > 0 && c.working == c.head().state {
		c.working = c.working.clone()
	}
}

// digest makes a felt that depends on everything given: a hash for blocks, transactions
// and classes of a chain that nobody else has to agree with.
func digest(parts ...any) validator.Felt {
	sum := sha256.Sum256(fmt.Appendf(nil, "%#v", parts))
	v := new(big.Int).SetBytes(sum[:])
	return feltOf(v.Rsh(v, 6))
}

// address makes a contract's address from a name.
func address(name string) validator.Address { return validator.Address(digest("address", name)) }
