package validator

import "time"

// ChainEvent is an event as a contract emitted it, and what it tells where this program
// knows how to read it.
type ChainEvent struct {
	Contract Address
	Block    Block
	TxHash   Felt
	Index    int // among all events in the transaction's receipt, from 0
	Place    int // grows with the event's position in the block: see EventPlace
	Keys     []Felt
	Data     []Felt
	Name     string // "" for one that this program does not know
	Problem  string // why the felts of a known event make no sense; "" if they do

	// At most one of these is set.
	Stake      *WorkerStakeEvent
	Payment    *ChainPayment
	Reputation *ReputationChange
}

// MaxEventsPerTransaction and MaxTransactionsPerBlock are more than there may be on Starknet.
const (
	MaxEventsPerTransaction = 4096
	MaxTransactionsPerBlock = 1 << 18
)

// EventPlace is the place in its block of the event at an index of the receipt of the
// transaction at an index of the block, both from 0.
func EventPlace(txIndex, index int) int { return txIndex*MaxEventsPerTransaction + index }

// EventID names an event by what the chain says of it.
type EventID struct {
	Contract    Address
	BlockNumber uint64
	BlockHash   Felt
	TxHash      Felt
	Index       int // in the transaction's receipt
}

// ID names the event.
func (e ChainEvent) ID() EventID {
	return EventID{e.Contract, e.Block.Number, e.Block.Hash, e.TxHash, e.Index}
}

// HasDetail reports whether it tells something of a stake, a payment or a reputation.
func (e ChainEvent) HasDetail() bool {
	return e.Stake != nil || e.Payment != nil || e.Reputation != nil
}

// StoredEvent is an event in the database.
type StoredEvent struct {
	EventID

	// ByReceipt is false for an event whose Index is still its place among the contract's
	// events of the transaction, in the order in which they came, as it once was.
	ByReceipt bool
	HasDetail bool // what it tells of a stake, a payment or a reputation stands in the table of its kind
	Keys      []Felt
	Data      []Felt
}

// WorkerStakeEvent is a stake event with the worker that it is about.
type WorkerStakeEvent struct {
	Worker Address
	StakeEvent
}

// PaymentKind is the contract that emitted a payment.
type PaymentKind string

// The kinds of payments: what JobManager released for a job, and what PaymentRouter paid
// of it to the worker, net of fees.
const (
	PaymentReleased PaymentKind = "released"
	PaymentPaid     PaymentKind = "paid"
)

// ChainPayment is a payment for a job, by JobManager's PaymentReleased or PaymentRouter's
// WorkerPaid.
type ChainPayment struct {
	Kind    PaymentKind
	JobID   string // the contract's number in decimal
	Worker  Address
	Amount  Wei
	Private bool      // WorkerPaid only
	PaidAt  time.Time // WorkerPaid only, as the contract emits it; zero if it does not
}

// ReputationChange is ReputationManager's ReputationUpdated.
type ReputationChange struct {
	WorkerID Felt // a wallet's address, or JobManager's id of the worker
	OldScore uint32
	NewScore uint32
	Delta    int64 // as the network asked for: the score stays within 0 and 1000
	Reason   string
	JobID    string // the number in decimal; "" for none
	At       time.Time
}

// IndexStart says how the block was found from which on a contract's events are read.
type IndexStart string

// The ways: INDEX_FROM_BLOCK names it; it is the block in which the contract was deployed;
// or the node does not tell that, so every block is searched.
const (
	IndexFromSetting    IndexStart = "configured"
	IndexFromDeployment IndexStart = "deployment"
	IndexFromFirstBlock IndexStart = "first_block"
)

// IndexCursor says how far a contract's events have been read.
type IndexCursor struct {
	Contract Address
	Name     string // of the contract, such as ProverStaking
	First    uint64 // number of the block from which on events are read
	// FirstTime is when that block was made; zero while it is not known.
	FirstTime time.Time
	Start     IndexStart
	Done      *Block // the last block whose events have been read; nil if none has

	// Settled is the number of the last block whose events were read, or read again, when it
	// was old enough for every node to have them; nil if none was.
	Settled *uint64
}

// NextToSettle is the number of the first block whose events are to be read once more.
func (c IndexCursor) NextToSettle() uint64 {
	if c.Settled == nil {
		return c.First
	}
	return *c.Settled + 1
}

// Next is the number of the first block whose events have not been read.
func (c IndexCursor) Next() uint64 {
	if c.Done == nil {
		return c.First
	}
	return c.Done.Number + 1
}

// ChainIndex is how far the events of the chain's contracts have been read into the database.
type ChainIndex struct {
	ChainID string // short string; "" if nothing was read yet
	Cursors []IndexCursor
	Head    *Block    // the newest block when the index was last brought up to date
	SweptAt time.Time // when it was last read on or found complete; zero if never
	Failure string    // a sentence: why reading on failed the last time; "" if it did not
	Reorgs  uint64    // how many times blocks that had been read were undone
}

// Cursor says how far one contract's events have been read.
func (x ChainIndex) Cursor(contract Address) Maybe[IndexCursor] {
	for _, c := range x.Cursors {
		if c.Contract == contract {
			return Some(c)
		}
	}
	if x.Failure != "" {
		return None[IndexCursor](x.Failure)
	}
	return None[IndexCursor]("its events have not been read yet")
}

// EventsRead says how far the events of a contract have been read. It is missing, with the
// reason, until events of some block have been.
func (x ChainIndex) EventsRead(k IndexedContract) Maybe[IndexCursor] {
	if k.Address == "" {
		return None[IndexCursor]("no address of " + k.Name + " is configured, so its events are not read")
	}
	c := x.cursor(k.Address)
	switch {
	case c != nil && c.Done != nil:
		return Some(*c)
	case x.Failure != "":
		return None[IndexCursor](x.Failure)
	}
	return None[IndexCursor]("the events of " + k.Name + " have not been read yet")
}

// FoundInEvents hands a value on that events are the source of. While no events have been
// read, a value of nothing is missing: it says nothing of the chain.
func FoundInEvents[T any](value T, isNothing bool, events Maybe[IndexCursor]) Maybe[T] {
	if isNothing && !events.Known() {
		return None[T](events.Reason())
	}
	return Some(value)
}

// IndexChange is a step of the index, which is stored whole or not at all.
type IndexChange struct {
	ChainID string

	// Starts are contracts that come to the index, or whose events are to be read again from
	// an earlier block.
	Starts []IndexCursor

	// Dated are contracts of which it has become known when their first block was made.
	Dated []IndexCursor

	// Undo is the newest block that is still the chain's, nil if none is, when Reorg is set:
	// everything of later blocks goes.
	Reorg bool
	Undo  *Block

	// Read are the contracts whose events up to Done have been read, as they were before, and
	// Events what was found. Blocks are of the chain up to Done, to find a reorganisation by.
	Read   []IndexCursor
	Done   Block
	Events []ChainEvent
	Blocks []Block

	// Drop are events that the chain does not have. Of a transaction of which events are
	// dropped or missing, Events holds all.
	Drop []EventID

	// Settled is set when the contracts in Read are settled up to a block.
	Settled *uint64

	Head    *Block // the chain's newest, if it is known anew
	At      time.Time
	Failure string
}

// IndexLag is how far the index is behind the chain.
type IndexLag struct {
	Block  Block         // the last that all contracts' events have been read of
	Head   Block         // the chain's newest that is known
	Blocks uint64        // between them
	Time   time.Duration // between their timestamps
	// Failure is a sentence: why reading on failed the last time; "" if it did not.
	Failure string
}

// Lag compares the contracts that are behind most with the chain's newest block, which may
// be known from elsewhere too.
func (x ChainIndex) Lag(head Block) Maybe[IndexLag] {
	if x.Head != nil && x.Head.Number > head.Number {
		head = *x.Head
	}
	switch {
	case len(x.Cursors) == 0 && x.Failure != "":
		return None[IndexLag](x.Failure)
	case len(x.Cursors) == 0:
		return None[IndexLag]("no events have been read yet")
	case head.Time.IsZero():
		return None[IndexLag]("the chain's newest block is not known")
	}
	var done *Block
	for _, c := range x.Cursors {
		if c.Done == nil {
			return None[IndexLag]("the events of " + c.Name + " have not been read yet")
		}
		if done == nil || c.Done.Number < done.Number {
			done = c.Done
		}
	}
	lag := IndexLag{Block: *done, Head: head, Failure: x.Failure}
	if head.Number > done.Number {
		lag.Blocks, lag.Time = head.Number-done.Number, max(head.Time.Sub(done.Time), 0)
	}
	return Some(lag)
}
