package devchain

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// SocketFaults are the ways in which a node's websocket misbehaves, besides those in which
// the node does as a whole. The zero SocketFaults is a healthy websocket.
type SocketFaults struct {
	Refuses   int           // HTTP status that answers an upgrade; 0 for none
	NoHeads   bool          // the node has no starknet_subscribeNewHeads
	Silent    bool          // a subscription is granted, and nothing is told on it
	Garbage   bool          // something that is no JSON is told in the place of a head
	Floods    bool          // a message of FloodBytes is told in the place of a head
	Invents   bool          // the heads' hashes are those of no block
	Deaf      bool          // pings are not answered, as by a peer that is gone without a word
	DropAfter int           // heads after which the connection is cut; 0 for none
	Latency   time.Duration // before each head
	Skips     func(number uint64) bool
}

// mostBlocksBack is how far back a subscription may begin.
const mostBlocksBack = 1024

// socket is one open websocket of a node.
type socket struct {
	node *Node
	conn *websocket.Conn
	ctx  context.Context
	end  context.CancelFunc

	mu   sync.Mutex
	subs map[string]context.CancelFunc
	next int // the newest subscription's number
	told int // heads, of all subscriptions
}

// serveSocket answers an upgrade and serves JSON-RPC on it until either side ends it.
func (n *Node) serveSocket(w http.ResponseWriter, r *http.Request) {
	n.mu.Lock()
	if n.closed {
		n.mu.Unlock()
		return
	}
	n.serving.Add(1)
	n.mu.Unlock()
	defer n.serving.Done()
	f := n.currentFaults()
	n.count(func(c *Counters) { c.Upgrades++ })
	switch {
	case f.Socket.Refuses != 0:
		http.Error(w, "JSON-RPC is spoken with POST", f.Socket.Refuses)
		return
	case !pause(r, f.Latency), failWhole(w, r, f.Mode):
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{
		OnPingReceived: func(context.Context, []byte) bool { return !n.currentFaults().Socket.Deaf },
	})
	if err != nil {
		return // Accept has answered
	}
	conn.SetReadLimit(maxRequestBytes)
	s := &socket{node: n, conn: conn, subs: make(map[string]context.CancelFunc)}
	s.ctx, s.end = context.WithCancel(r.Context())
	n.mu.Lock()
	n.sockets[s] = struct{}{}
	n.mu.Unlock()
	defer func() {
		s.end()
		n.mu.Lock()
		delete(n.sockets, s)
		n.mu.Unlock()
	}()
	var told sync.WaitGroup
	s.read(&told)
	s.end()
	told.Wait()
	_ = conn.CloseNow() // its context has ended it, more often than not
}

// DropSockets cuts every open websocket.
func (n *Node) DropSockets() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for s := range n.sockets {
		s.end()
	}
}

// Subscriptions returns how many subscriptions to heads are open.
func (n *Node) Subscriptions() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	open := 0
	for s := range n.sockets {
		s.mu.Lock()
		open += len(s.subs)
		s.mu.Unlock()
	}
	return open
}

// read answers requests, one after another.
func (s *socket) read(told *sync.WaitGroup) {
	for {
		_, body, err := s.conn.Read(s.ctx)
		if err != nil {
			return
		}
		var q request
		if json.Unmarshal(body, &q) != nil {
			if !s.write(failed(nil, &RPCError{Code: -32700, Message: "Parse error"})) {
				return
			}
			continue
		}
		f := s.node.currentFaults()
		var answer response
		var begin func()
		switch {
		case q.Method == "starknet_subscribeNewHeads" && !f.Socket.NoHeads:
			s.node.count(func(c *Counters) { c.Methods[q.Method]++ })
			answer, begin = s.subscribe(q, f, told)
		case q.Method == "starknet_unsubscribe":
			s.node.count(func(c *Counters) { c.Methods[q.Method]++ })
			answer = s.unsubscribe(q)
		default:
			answer = s.node.answerOne(q, f)
		}
		if !s.write(answer) {
			return
		}
		if begin != nil {
			begin()
		}
	}
}

// subscribe makes a subscription, whose heads begin once the answer has been written.
func (s *socket) subscribe(q request, f Faults, told *sync.WaitGroup) (answer response, begin func()) {
	from := json.RawMessage(`"latest"`)
	if p, err := positional([]string{"block_id"}, q.Params); err == nil {
		from = p[0]
	} else if rest := bytes.Trim(q.Params, " []{}"); len(rest) > 0 && string(rest) != "null" {
		return failed(q.ID, &RPCError{Code: -32602, Message: "Invalid params"}), nil
	}
	c := s.node.chain
	c.mu.RLock()
	first, _, err := chainView{c, f, s.node}.at(from)
	newest := chainView{c, f, s.node}.newest()
	c.mu.RUnlock()
	switch {
	case err != nil:
		return failed(q.ID, &RPCError{Code: 24, Message: "Block not found"}), nil
	case newest.number-first.number > mostBlocksBack:
		return failed(q.ID, &RPCError{Code: 68, Message: "Cannot go back more than 1024 blocks"}), nil
	}
	ctx, cancel := context.WithCancel(s.ctx)
	s.mu.Lock()
	s.next++
	id := strconv.Itoa(s.next)
	s.subs[id] = cancel
	s.mu.Unlock()
	sub := &headSubscription{socket: s, id: id, next: first.number}
	return response{Version: "2.0", ID: idOf(q.ID), Result: id}, func() { told.Go(func() { sub.run(ctx) }) }
}

func (s *socket) unsubscribe(q request) response {
	var id string
	p, err := positional([]string{"subscription_id"}, q.Params)
	if err == nil {
		err = json.Unmarshal(p[0], &id)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	cancel, has := s.subs[id]
	if err != nil || !has {
		return failed(q.ID, &RPCError{Code: 66, Message: "Invalid subscription id"})
	}
	cancel()
	delete(s.subs, id)
	return response{Version: "2.0", ID: idOf(q.ID), Result: true}
}

// write sends one message and says whether that went well.
func (s *socket) write(v any) bool {
	text, err := json.Marshal(v)
	return err == nil && s.writeText(text)
}

func (s *socket) writeText(text []byte) bool {
	return s.conn.Write(s.ctx, websocket.MessageText, text) == nil
}

// headSubscription tells the blocks of a chain, one after another, and those that a
// reorganisation took.
type headSubscription struct {
	*socket

	id   string
	next uint64   // number of the next block that is told
	seen []*block // the newest that were told, oldest first
}

type notification struct {
	Version string `json:"jsonrpc"`
	Method  string `json:"method"`
	Params  struct {
		Subscription string `json:"subscription_id"`
		Result       any    `json:"result"`
	} `json:"params"`
}

func (s *headSubscription) run(ctx context.Context) {
	for {
		changed := s.node.chain.changes()
		lost, heads := s.news()
		f := s.node.currentFaults().Socket
		if len(lost) > 0 && !f.Silent && !s.notify("starknet_subscriptionReorg", map[string]any{
			"starting_block_hash": lost[0].hash.Short(), "starting_block_number": lost[0].number,
			"ending_block_hash": lost[len(lost)-1].hash.Short(), "ending_block_number": lost[len(lost)-1].number,
		}) {
			return
		}
		for _, b := range heads {
			if !s.tell(ctx, b) {
				return
			}
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return
		}
	}
}

// news returns the blocks that were told and are of the chain no longer, and those that are
// to be told now.
func (s *headSubscription) news() (lost, heads []*block) {
	c, f := s.node.chain, s.node.currentFaults()
	c.mu.RLock()
	defer c.mu.RUnlock()
	kept := len(s.seen)
	for kept > 0 && (s.seen[kept-1].number >= uint64(len(c.blocks)) || c.blocks[s.seen[kept-1].number] != s.seen[kept-1]) {
		kept--
	}
	lost, s.seen = s.seen[kept:], s.seen[:kept:kept]
	if len(lost) > 0 {
		s.next = lost[0].number
	}
	for newest := f.sees(c.head().number); s.next <= newest; s.next++ {
		heads = append(heads, c.blocks[s.next])
	}
	s.seen = append(s.seen, heads...)
	s.seen = s.seen[max(len(s.seen)-mostBlocksBack, 0):]
	return lost, heads
}

// tell sends one head as the node's faults have it, and says whether to go on.
func (s *headSubscription) tell(ctx context.Context, b *block) bool {
	f := s.node.currentFaults().Socket
	if f.Latency > 0 {
		t := time.NewTimer(f.Latency)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
			return false
		}
	}
	var sent bool
	switch h := header(b, nil); {
	case ctx.Err() != nil:
		return false
	case f.Silent, f.Skips != nil && f.Skips(b.number):
		return true
	case f.Garbage:
		sent = s.writeText([]byte("]] this is not JSON"))
	case f.Floods:
		sent = s.writeText(bytes.Repeat([]byte(" "), FloodBytes))
	default:
		delete(h, "transactions")
		delete(h, "status")
		if f.Invents {
			h["block_hash"] = digest("invented", b.hash).Short()
		}
		sent = s.notify("starknet_subscriptionNewHeads", h)
	}
	s.node.count(func(c *Counters) { c.Heads++ })
	s.mu.Lock()
	s.told++
	cut := f.DropAfter > 0 && s.told >= f.DropAfter
	s.mu.Unlock()
	if cut {
		s.end()
	}
	return sent && !cut
}

func (s *headSubscription) notify(method string, result any) bool {
	n := notification{Version: "2.0", Method: method}
	n.Params.Subscription, n.Params.Result = s.id, result
	return s.write(n)
}

// SocketURL returns the address of a started node's websocket.
func (n *Node) SocketURL() string { return "ws" + n.url[len("http"):] }

// changes returns a channel that is closed when the chain has another newest block than now.
func (c *Chain) changes() <-chan struct{} {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.changed
}

// tellChange wakes those who wait for changes; c.mu is held.
func (c *Chain) tellChange() {
	close(c.changed)
	c.changed = make(chan struct{})
}
