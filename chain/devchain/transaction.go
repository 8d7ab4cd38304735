package devchain

import (
	"slices"

	"github.com/NethermindEth/starknet.go/rpc"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// Call is one call of a transaction.
type Call struct {
	To       validator.Address
	Function string
	Calldata []validator.Felt

	entryPoint validator.Felt // instead of a Function, as clients name it
}

// selector returns the selector of the function that is called.
func (c Call) selector() validator.Felt {
	if c.entryPoint != "" {
		return c.entryPoint
	}
	return selector(c.Function)
}

// transaction is an invoke, waiting or in a block.
type transaction struct {
	hash         validator.Felt
	sender       validator.Address
	deploys      validator.Felt // public key of the account that is deployed at sender first; "" for none
	nonce        uint64
	calls        []Call
	wire         *rpc.InvokeTxnV3 // as a client sent it; nil for what was queued in the program
	emits        []event          // besides what the calls emit
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

// Event is an event of a contract that devchain does not have, or that its contract emits
// at no call of it here.
type Event struct {
	From validator.Address
	Keys []validator.Felt
	Data []validator.Felt
}

// Emit queues a transaction that emits events and does nothing else. It returns its hash.
func (c *Chain) Emit(events ...Event) validator.Felt {
	c.mu.Lock()
	defer c.mu.Unlock()
	tx := &transaction{sender: Owner}
	for _, e := range events {
		tx.emits = append(tx.emits, event{e.From, e.Keys, e.Data})
	}
	return c.enqueue(tx)
}

// Emitted is an event with the block and the transaction that it stands in.
type Emitted struct {
	Event

	Block   validator.Block
	TxHash  validator.Felt
	TxIndex int // of the transaction in its block
	Index   int // of the event in the transaction's receipt
}

// Emitted returns every event of the chain's blocks, oldest first.
func (c *Chain) Emitted() []Emitted {
	c.mu.RLock()
	defer c.mu.RUnlock()
	var out []Emitted
	for _, b := range c.blocks {
		for i, tx := range b.txs {
			for j, e := range tx.events {
				out = append(out, Emitted{Event{e.from, e.keys, e.data}, b.public(), tx.hash, i, j})
			}
		}
	}
	return out
}

// enqueue queues a transaction and gives it its hash; c.mu is held.
func (c *Chain) enqueue(tx *transaction) validator.Felt {
	c.nonce++
	tx.hash = digest("invoke", c.cfg.ChainID, tx.sender, c.nonce, c.forks)
	c.admit(tx)
	return tx.hash
}

// admit queues a transaction that has a hash; c.mu is held.
func (c *Chain) admit(tx *transaction) {
	tx.nonce = c.nextNonce(tx.sender)
	c.queue = append(c.queue, tx)
	c.byHash[tx.hash] = tx
}

// evict drops waiting transactions that a client sent for a nonce which the account has no
// more, after a reorg; c.mu is held.
func (c *Chain) evict() {
	next := make(map[validator.Address]uint64)
	c.queue = slices.DeleteFunc(c.queue, func(tx *transaction) bool {
		if _, ok := next[tx.sender]; !ok {
			next[tx.sender] = c.working.nonces[tx.sender]
		}
		if tx.wire != nil && tx.nonce != next[tx.sender] {
			delete(c.byHash, tx.hash)
			return true
		}
		tx.nonce = next[tx.sender]
		next[tx.sender]++
		return false
	})
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
	c.ownWorking()
	c.working.nonces[tx.sender]++
	if tx.deploys != "" {
		c.working.deployed[tx.sender] = deployment{kind: account(tx.deploys)}
	}
	x := &execution{state: c.working.clone(), now: b.time}
	for _, call := range tx.calls {
		x.caller = tx.sender
		if _, err := x.run(call); err != nil {
			tx.revertReason = c.working.revertReason(tx.sender, call, err)
			return
		}
	}
	c.working, tx.events = x.state, slices.Concat(x.events, tx.emits)
}
