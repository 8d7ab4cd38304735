package devchain

import (
	"github.com/bitsage-network/validator-dashboard/validator"
)

// Call is one call of a transaction.
type Call struct {
	To       validator.Address
	Function string
	Calldata []validator.Felt
}

// transaction is an invoke, waiting or in a block.
type transaction struct {
	hash         validator.Felt
	sender       validator.Address
	nonce        uint64
	calls        []Call
	preConfirmed bool
	block        *block // nil while waiting
	events       []event
	revertReason string // "" if it succeeded
}

// Invoke queues a transaction of an account and returns its hash. The next block runs
// its calls one after another; if one of them fails, none has an effect.
func (c *Chain) Invoke(sender validator.Address, calls ...Call) validator.Felt {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.nonce++
	tx := &transaction{
		hash:   digest("invoke", c.cfg.ChainID, sender, c.nonce, c.forks),
		sender: sender, nonce: c.nonce, calls: calls,
	}
	c.queue = append(c.queue, tx)
	c.byHash[tx.hash] = tx
	return tx.hash
}

// ClaimRewards queues a wallet's ProverStaking.claim_rewards() and returns the hash.
func (c *Chain) ClaimRewards(wallet validator.Address) validator.Felt {
	return c.Invoke(wallet, Call{To: c.contracts.ProverStaking, Function: "claim_rewards"})
}

// PreConfirm tells of the queued transactions' receipts as a sequencer does before it
// has closed their block.
func (c *Chain) PreConfirm() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, tx := range c.queue {
		tx.preConfirmed = true
	}
}

// execute runs a transaction in the block that is being mined.
func (c *Chain) execute(tx *transaction, b *block) {
	x := &execution{state: c.working.clone(), now: b.time}
	tx.block = b
	for _, call := range tx.calls {
		x.caller = tx.sender
		if _, err := x.call(call.To, call.Function, call.Calldata); err != nil {
			tx.revertReason = revertReason(tx.sender, call, err)
			return
		}
	}
	c.working, tx.events = x.state, x.events
}
