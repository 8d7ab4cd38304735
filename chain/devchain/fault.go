package devchain

import (
	"maps"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// Mode is how a node treats a whole HTTP request.
type Mode int

// The modes of a node.
const (
	Healthy     Mode = iota
	Disconnects      // the connection is cut without an answer
	Hangs            // the request is read and never answered
	Garbage          // 200 with a body that is no JSON
	HTML             // 502 with a proxy's HTML page
	RateLimits       // 429
	Truncates        // 200 with the first half of the true answer
	WrongIDs         // the true results under ids that nobody asked with
	Floods           // 200 with JSON that does not end before FloodBytes
	SingleError      // a batch is answered by one error object, as by nodes without batches
)

// FloodBytes is how much a flooding node sends.
const FloodBytes = 64 << 20

// Function names a function of a contract at an address.
type Function struct {
	Contract validator.Address
	Name     string
}

// RPCError is an error object of JSON-RPC.
type RPCError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitempty"`
}

// Faults are the ways in which a node misbehaves. The zero Faults is a healthy node.
type Faults struct {
	Mode         Mode
	Latency      time.Duration            // before every answer
	PerCall      time.Duration            // for each call of a request, besides Latency
	Slow         map[string]time.Duration // before answers to requests with a JSON-RPC method, besides Latency
	ChainID      string                   // told instead of the chain's own, as a short string
	SpecVersion  string                   // told instead of 0.9.0
	Behind       uint64                   // how many blocks of the chain the node has not seen yet
	Freeze       bool                     // the node sees no block newer than FrozenAt
	FrozenAt     uint64                   // block number
	Methods      map[string]RPCError      // JSON-RPC methods that answer an error
	Answers      map[string]any           // JSON-RPC methods that answer this JSON instead of the truth
	Reverts      map[Function]string      // views that panic with a text
	Malformed    map[Function][]any       // views that answer this JSON instead of their felts
	Broken       map[Function]RPCError    // views that answer an error
	EventScan    uint64                   // blocks that one page of events covers at most, as of nodes that search in steps; 0 for all
	EventRange   uint64                   // blocks that a filter of events may span at most, as with providers that cap it; 0 for any
	RangeError   *RPCError                // what is answered beyond EventRange; nil for a plain one
	EventIndexes bool                     // events are told with their indexes, as from version 0.10 of the specification on
	LateEvents   bool                     // events of a block are told from the second asking for them on
	TwiceEvents  bool                     // a page tells every event twice
	FirstEvents  bool                     // a page is told without its first event
	RetryAfter   string                   // the header of that name of answers of the mode RateLimits
	Socket       SocketFaults             // of its websocket
	OneInRate    int                      // of so many requests one is served, and the others are answered 429; 0 for all
	Limits       Limits                   // what the node takes
}

// Limits are what a node takes. Zero is no limit.
type Limits struct {
	Calls       int // in one request
	Bytes       int // of one request
	AnswerBytes int // of the answer to one batch
	EventChunk  int // events in a page
	CallRate    int // calls in a second, those inside batches counted singly

	// Refusal is how the node refuses requests over its limits of calls and bytes. The zero
	// Refusal is Pathfinder's of a batch that is too large.
	Refusal Refusal
}

// Refusal is an answer to a whole request.
type Refusal struct {
	Status      int    // of HTTP; 0 for 200
	ContentType string // application/json if empty
	Body        string
	Cuts        bool // the connection is cut in the place of an answer
}

func (f Faults) clone() Faults {
	f.Slow = maps.Clone(f.Slow)
	f.Methods = maps.Clone(f.Methods)
	f.Answers = maps.Clone(f.Answers)
	f.Reverts = maps.Clone(f.Reverts)
	f.Malformed = maps.Clone(f.Malformed)
	f.Broken = maps.Clone(f.Broken)
	return f
}

// sees returns the number of the newest block that the node shows of a chain whose
// newest block is head.
func (f Faults) sees(head uint64) uint64 {
	if f.Freeze {
		head = min(head, f.FrozenAt)
	}
	return head - min(head, f.Behind)
}

// SetFaults makes the node misbehave from the next request on.
func (n *Node) SetFaults(f Faults) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = f.clone()
}

// Heal makes the node healthy.
func (n *Node) Heal() { n.SetFaults(Faults{}) }

func (n *Node) currentFaults() Faults {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.faults
}
