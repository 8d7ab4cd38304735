package devchain

import "maps"

// Counters say what a node was asked since it began, or since the last ResetCounters.
type Counters struct {
	Requests int              // HTTP requests, those that the node failed to answer included
	Batches  int              // of them, batches
	Refused  int              // of them, refused for the node's limits
	Upgrades int              // HTTP requests for a websocket; they count as no Requests
	Heads    int              // told over websockets
	Methods  map[string]int   // JSON-RPC calls by method, those inside batches included
	Calls    map[Function]int // starknet_call by function
	Pins     map[string]int   // starknet_call by how it names its block: "hash", "number" or a tag
}

func newCounters() Counters {
	return Counters{Methods: make(map[string]int), Calls: make(map[Function]int), Pins: make(map[string]int)}
}

// Counters returns a copy of the node's counters.
func (n *Node) Counters() Counters {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.counters
	c.Methods, c.Calls, c.Pins = maps.Clone(c.Methods), maps.Clone(c.Calls), maps.Clone(c.Pins)
	return c
}

// ResetCounters sets every counter to 0.
func (n *Node) ResetCounters() {
	n.count(func(c *Counters) { *c = newCounters() })
}

func (n *Node) count(f func(*Counters)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	f(&n.counters)
}
