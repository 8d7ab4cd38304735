package devchain

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/NethermindEth/starknet.go/client"
	"github.com/NethermindEth/starknet.go/rpc"
)

// heads subscribes to a node's heads with starknet.go.
func heads(t *testing.T, n *Node, from rpc.SubscriptionBlockID) (<-chan *rpc.BlockHeader, *client.ClientSubscription) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	ws, err := rpc.NewWebsocketProvider(ctx, n.SocketURL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ws.Close)
	out := make(chan *rpc.BlockHeader, 100)
	sub, err := ws.SubscribeNewHeads(ctx, out, from)
	if err != nil {
		t.Fatal(err)
	}
	return out, sub
}

func nextHead(t *testing.T, from <-chan *rpc.BlockHeader) *rpc.BlockHeader {
	t.Helper()
	select {
	case h := <-from:
		return h
	case <-time.After(10 * time.Second):
		t.Fatal("no head was told")
		return nil
	}
}

func startedNode(t *testing.T, c *Chain) *Node {
	t.Helper()
	n := NewNode(c)
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := n.Close(); err != nil {
			t.Error(err)
		}
	})
	return n
}

func TestASubscriptionTellsEveryBlockAndWhatAReorganisationTook(t *testing.T) {
	c := New(Config{})
	n := startedNode(t, c)
	for range 3 {
		c.Mine()
	}
	told, sub := heads(t, n, rpc.SubscriptionBlockID{})
	if h := nextHead(t, told); h.Number != 3 {
		t.Errorf("the first head is block %d, want the newest, 3", h.Number)
	}
	for want := range 5 {
		b := c.Mine()
		h := nextHead(t, told)
		if h.Number != b.Number || h.Hash.String() != b.Hash.Short() || h.Timestamp != uint64(b.Time.Unix()) {
			t.Errorf("head %d is %d %s, want block %d %s", want, h.Number, h.Hash, b.Number, b.Hash)
		}
	}
	lost := c.Head()
	if err := c.Reorg(2); err != nil {
		t.Fatal(err)
	}
	select {
	case r := <-sub.Reorg():
		if r.StartBlockNum != 7 || r.EndBlockNum != 8 || r.EndBlockHash.String() != lost.Hash.Short() {
			t.Errorf("the reorganisation took %d to %d %s", r.StartBlockNum, r.EndBlockNum, r.EndBlockHash)
		}
	case <-time.After(10 * time.Second):
		t.Fatal("no reorganisation was told")
	}
	b := c.Mine()
	if h := nextHead(t, told); h.Number != 7 || h.Hash.String() != b.Hash.Short() {
		t.Errorf("the head after it is %d %s, want %d %s", h.Number, h.Hash, b.Number, b.Hash)
	}
	sub.Unsubscribe()
	if got := n.Counters(); n.Subscriptions() != 0 || got.Methods["starknet_unsubscribe"] != 1 || got.Upgrades != 1 || got.Requests != 0 {
		t.Errorf("%d subscriptions are open, counters %+v", n.Subscriptions(), got)
	}
}

func TestASubscriptionBeginsInTheBlockAskedFor(t *testing.T) {
	c := New(Config{})
	n := startedNode(t, c)
	for range 4 {
		c.Mine()
	}
	told, _ := heads(t, n, new(rpc.SubscriptionBlockID).WithBlockNumber(2))
	for want := uint64(2); want <= 4; want++ {
		if h := nextHead(t, told); h.Number != want {
			t.Errorf("head %d, want %d", h.Number, want)
		}
	}
	for range 1100 {
		c.Mine()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	ws, err := rpc.NewWebsocketProvider(ctx, n.SocketURL())
	if err != nil {
		t.Fatal(err)
	}
	defer ws.Close()
	for from, code := range map[uint64]int{2: 68, 5000: 24} {
		_, err := ws.SubscribeNewHeads(ctx, make(chan *rpc.BlockHeader), new(rpc.SubscriptionBlockID).WithBlockNumber(from))
		if e, ok := errors.AsType[*rpc.RPCError](err); !ok || e.Code != code {
			t.Errorf("a subscription from block %d: %v, want code %d", from, err, code)
		}
	}
}

func TestAClosedNodeEndsItsSockets(t *testing.T) {
	n := NewNode(New(Config{}))
	if err := n.Start(); err != nil {
		t.Fatal(err)
	}
	told, sub := heads(t, n, rpc.SubscriptionBlockID{})
	nextHead(t, told)
	if err := n.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-sub.Err():
	case <-time.After(10 * time.Second):
		t.Error("the websocket is still open")
	}
}
