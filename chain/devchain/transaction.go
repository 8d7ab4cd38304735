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
	deploys      validator.Felt // public key of the account that is deployed at sender first; "" for none
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
	return c.enqueue(&transaction{sender: sender, calls: calls})
}

// enqueue queues a transaction and gives it its hash; c.mu is held.
func (c *Chain) enqueue(tx *transaction) validator.Felt {
	c.nonce++
	tx.nonce = c.nonce
	tx.hash = digest("invoke", c.cfg.ChainID, tx.sender, tx.nonce, c.forks)
	c.queue = append(c.queue, tx)
	c.byHash[tx.hash] = tx
	return tx.hash
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
	tx.block = b
	if tx.deploys != "" {
		c.ownWorking()
		c.working.deployed[tx.sender] = deployment{kind: account(tx.deploys)}
	}
	x := &execution{state: c.working.clone(), now: b.time}
	for _, call := range tx.calls {
		x.caller = tx.sender
		if _, err := x.call(call.To, call.Function, call.Calldata); err != nil {
			tx.revertReason = revertReason(tx.sender, call, err)
			return
		}
	}
	c.working, tx.events = x.state, x.events
}
