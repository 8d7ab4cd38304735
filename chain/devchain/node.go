package devchain

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// Node serves a chain as JSON-RPC over HTTP. It is an http.Handler; Start also gives it a
// listener of its own.
type Node struct {
	chain *Chain

	mu       sync.Mutex
	faults   Faults
	counters Counters
	sockets  map[*socket]struct{} // that are open
	serving  sync.WaitGroup       // of sockets
	closed   bool                 // no further socket is served

	askedFor map[lateKey]bool // blocks whose events were asked for while Faults.LateEvents

	bucket   float64   // calls that Limits.CallRate lets through now
	bucketAt time.Time // when that was so

	controlled bool

	server *http.Server
	url    string
	ended  chan struct{}
}

// lateKey names a contract's events in a block.
type lateKey struct{ contract, block validator.Felt }

// late says whether a contract's events of a block are not to be told yet.
func (n *Node) late(contract, block validator.Felt) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	k := lateKey{contract, block}
	was := n.askedFor[k]
	n.askedFor[k] = true
	return !was
}

// NewNode returns a healthy node of a chain.
func NewNode(c *Chain) *Node {
	return &Node{chain: c, counters: newCounters(), askedFor: make(map[lateKey]bool), sockets: make(map[*socket]struct{})}
}

// Start serves the node on a free port of the loopback interface until Close.
func (n *Node) Start() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("devchain: listen on loopback: %w", err)
	}
	n.url = "http://" + l.Addr().String()
	n.server = &http.Server{Handler: n, ReadHeaderTimeout: 10 * time.Second}
	n.ended = make(chan struct{})
	ctx, cancel := context.WithCancel(context.Background())
	n.server.BaseContext = func(net.Listener) context.Context { return ctx }
	go func() {
		defer close(n.ended)
		defer cancel()
		_ = n.server.Serve(l) // always ends with an error; Close is the only way out
	}()
	return nil
}

// URL returns the address of a started node: http://127.0.0.1:port.
func (n *Node) URL() string { return n.url }

// Close ends a started node: its port refuses connections from then on.
func (n *Node) Close() error {
	if n.server == nil {
		return nil
	}
	err := n.server.Close()
	<-n.ended
	n.mu.Lock()
	n.closed = true
	n.mu.Unlock()
	n.DropSockets()
	n.serving.Wait()
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("devchain: close the node: %w", err)
	}
	return nil
}
