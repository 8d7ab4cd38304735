package chain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// head is the newest block of a node of the right network.
type head struct {
	number   uint64
	hash     validator.Felt
	polledAt time.Time // when a node last said that this is its newest block
	lost     bool      // a node reports that the chain no longer has it
}

// headWay is how a head came to be known.
type headWay string

const (
	headPolled headWay = "poll"
	headPushed headWay = "socket"
)

// hashRing remembers the hashes of the last heads by their numbers, to tell a node that
// lags behind on the same chain from one whose chain was reorganised.
type hashRing struct {
	numbers [64]uint64
	hashes  [64]validator.Felt
}

// put notes a new head; what was noted above it is no longer of the chain.
func (r *hashRing) put(number uint64, hash validator.Felt) {
	for i, n := range r.numbers {
		if n > number {
			r.numbers[i], r.hashes[i] = 0, ""
		}
	}
	i := number % uint64(len(r.numbers))
	r.numbers[i], r.hashes[i] = number, hash
}

// get returns the hash that was the head's at a number, and "" if none is remembered.
func (r *hashRing) get(number uint64) validator.Felt {
	i := number % uint64(len(r.numbers))
	if r.numbers[i] != number {
		return ""
	}
	return r.hashes[i]
}

// followHead polls the head until ctx ends.
func (c *Client) followHead(ctx context.Context) {
	for ctx.Err() == nil {
		began := time.Now()
		c.poll(ctx)
		if !c.awaitPoll(ctx, began) {
			return
		}
	}
}

// awaitPoll waits until the head is to be polled again, after it was at a time; it says
// false when ctx has ended.
func (c *Client) awaitPoll(ctx context.Context, last time.Time) bool {
	t := time.NewTimer(c.pollInterval())
	defer t.Stop()
	for asked := false; ; {
		select {
		case <-ctx.Done():
			return false
		case <-t.C:
			rest := c.pollInterval() - time.Since(last)
			if asked || rest <= 0 {
				return true
			}
			t.Reset(rest) // a websocket tells heads by now
		case <-c.pollNow:
			if !c.headIsFresh() {
				return true
			}
			signal(c.readNow)
			if !asked { // the timer may still be that of times when nobody looked
				t.Reset(max(c.pollInterval()-time.Since(last), 0))
			}
		case <-c.askNow:
			asked = true
			t.Reset(c.cfg.PollInterval - time.Since(last))
		}
	}
}

// pollInterval is longer while nobody looks at anything, and while a websocket announces heads:
// then a poll only makes sure that it tells them all.
func (c *Client) pollInterval() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case !c.lookedAt(c.cfg.Now()):
		return c.cfg.IdlePollInterval
	case c.socketTrusted() && c.headFault == nil && c.readFault == nil:
		return c.cfg.IdlePollInterval
	}
	return c.cfg.PollInterval
}

// lookedAt says whether anybody looked at anything lately; c.mu is held.
func (c *Client) lookedAt(now time.Time) bool {
	c.watched.expire(now.Add(-c.cfg.WatchFor))
	return c.watched.len() > 0 || now.Sub(c.lastNetLook) < c.cfg.WatchFor
}

// headIsFresh says whether the head was polled within the normal interval, or any newer one
// would have been told.
func (c *Client) headIsFresh() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.head == nil || c.headFault != nil {
		return false
	}
	return c.socketTrusted() && !c.head.lost || c.cfg.Now().Sub(c.head.polledAt) < c.cfg.PollInterval
}

// poll asks for the head once and notes the outcome.
func (c *Client) poll(ctx context.Context) {
	c.polls.Add(1)
	var seen head
	err := c.pool.do(ctx, c.cfg.CallTimeout, func(ctx context.Context, e *endpoint) error {
		h, err := e.pollHead(ctx, c.cfg.Network.ChainID)
		if err != nil {
			return err
		}
		if f := c.judgeHead(ctx, e, h); f != nil {
			return f
		}
		seen = h
		return nil
	})
	if ctx.Err() != nil {
		return
	}
	var o *outage
	if errors.As(err, &o) && o.has(faultOldHead) {
		// No node knows a newer head: the one that is known stands, and its age tells.
		c.keepHead()
		err = nil
	} else if err == nil {
		c.setHead(seen)
	}
	c.mu.Lock()
	changed := (c.headFault == nil) != (err == nil)
	c.headFault = err
	if err != nil {
		c.watched.failNew(err)
	}
	c.mu.Unlock()
	switch {
	case changed && err != nil:
		c.log.Warn("The chain's head cannot be followed", "error", err.Error())
	case changed:
		c.log.Info("The chain's head is followed again", "block", c.State().Block)
	}
	if err == nil {
		signal(c.readNow)
	}
}

// setHead follows a head that a poll found.
func (c *Client) setHead(h head) {
	h.polledAt = c.cfg.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.checkSocket(h)
	if c.announced != nil && c.announced.Number <= h.number {
		c.announced = nil
	}
	c.moveHead(h, headPolled)
}

// moveHead follows another head than before, or the same one; c.mu is held.
func (c *Client) moveHead(h head, way headWay) {
	if c.head != nil && h.number <= c.head.number && h.hash != c.head.hash {
		c.log.Warn("The chain was reorganised", "from", c.head.number, "to", h.number, "hash", string(h.hash))
	}
	if c.head == nil || h.hash != c.head.hash {
		c.heads[way]++
	}
	c.head = &h
	c.recent.put(h.number, h.hash)
}

func (c *Client) keepHead() {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := *c.head
	h.polledAt = c.cfg.Now()
	c.head = &h
	c.checkSocket(h)
}

// pollHead asks a node for its network and its head in one batch, so that no head of
// another network is ever taken for this one's.
func (e *endpoint) pollHead(ctx context.Context, chainID string) (head, error) {
	id := &rpcCall{method: "starknet_chainId"}
	newest := &rpcCall{method: "starknet_blockHashAndNumber"}
	spec := &rpcCall{method: "starknet_specVersion"}
	calls := []*rpcCall{id, newest}
	e.mu.Lock()
	if !e.specChecked {
		calls = append(calls, spec)
	}
	e.mu.Unlock()
	if err := e.batch(ctx, calls); err != nil {
		return head{}, err
	}
	if err := e.checkChain(id, chainID); err != nil {
		return head{}, err
	}
	if len(calls) == 3 {
		e.checkSpec(spec)
	}
	if newest.err != nil {
		return head{}, e.refusal(newest.err)
	}
	var answer struct {
		Number *uint64         `json:"block_number"`
		Hash   json.RawMessage `json:"block_hash"`
	}
	err := json.Unmarshal(newest.raw, &answer)
	if err == nil && answer.Number == nil {
		err = errors.New("it has no number")
	}
	if err != nil {
		return head{}, e.nonsense("its newest block", err)
	}
	hash, err := parseFelt(answer.Hash)
	if err != nil {
		return head{}, e.nonsense("its newest block", err)
	}
	return head{number: *answer.Number, hash: hash}, nil
}

// nonsense is the fault of a node whose answer of a known kind makes no sense.
func (e *endpoint) nonsense(of string, cause error) *fault {
	return &fault{kind: faultGarbage, host: e.host, cause: cause,
		says: fmt.Sprintf("the node at %s answered nonsense for %s", e.host, of)}
}

// checkChain says whether the answer to starknet_chainId is the wanted network's.
func (e *endpoint) checkChain(id *rpcCall, want string) error {
	if id.err != nil {
		return e.refusal(id.err)
	}
	felt, err := parseFelt(id.raw)
	if err != nil {
		return e.nonsense("its chain id", err)
	}
	if f := wrongChain(e.host, felt, want); f != nil {
		return f
	}
	return nil
}

// specSpoken is the version of the JSON-RPC specification that starknet.go speaks.
const specSpoken = "0.9.0"

// checkSpec logs once if the node speaks another version; what is read here is the same
// in all versions that are in use.
func (e *endpoint) checkSpec(spec *rpcCall) {
	var version string
	if spec.err != nil || json.Unmarshal(spec.raw, &version) != nil {
		return
	}
	e.mu.Lock()
	e.specChecked = true
	e.mu.Unlock()
	if version != specSpoken {
		e.log.Warn("Starknet node speaks another version of the JSON-RPC specification",
			"node", e.host, "version", version, "expected", specSpoken)
	}
}

// judgeHead says why a node's head is not to be followed, or nil.
func (c *Client) judgeHead(ctx context.Context, e *endpoint, h head) *fault {
	c.mu.Lock()
	cur, block, known := c.head, c.block, c.recent.get(h.number)
	c.mu.Unlock()
	if cur == nil || cur.lost {
		return nil
	}
	// The time of the head that is known, if its header has been read.
	var curTime time.Time
	if block != nil && block.Hash == cur.hash {
		curTime = block.Time
	}
	switch {
	case h.hash == cur.hash:
		if age := c.cfg.Now().Sub(curTime); !curTime.IsZero() && age > c.cfg.HeadMaxAge && len(c.pool.nodes) > 1 {
			return &fault{kind: faultOldHead, host: e.host,
				says: fmt.Sprintf("the newest block of the node at %s is %s old", e.host, validator.Ago(age))}
		}
		return nil
	case h.number >= cur.number:
		return nil
	}
	behind := &fault{kind: faultBehind, host: e.host, says: fmt.Sprintf(
		"the node at %s is %s behind: its newest block is %d, block %d was seen before",
		e.host, blocks(cur.number-h.number), h.number, cur.number)}
	if known == h.hash {
		return behind
	}
	if known != "" || curTime.IsZero() {
		return nil // another block at a height that was seen: a reorganisation
	}
	// The height was passed unseen. A block later in time than the head that is known is
	// no earlier block of its chain.
	got, err := e.header(ctx, h.hash)
	var f *fault
	switch {
	case errors.As(err, &f):
		return f
	case got.Time.Before(curTime):
		return behind
	}
	return nil
}

func blocks(n uint64) string {
	if n == 1 {
		return "1 block"
	}
	return fmt.Sprintf("%d blocks", n)
}
