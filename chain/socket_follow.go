package chain

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// socketAddress is where a node may tell new heads.
type socketAddress struct {
	url     string
	host    string
	derived bool // from the URL of its JSON-RPC, without knowing whether there is a websocket
	granted bool // it has been subscribed to
	tries   int  // that failed in a row
	notYet  time.Time
	said    faultKind // how it last failed, as far as that has been logged
}

// socketState is what is known of the websockets; the client's mutex guards it.
type socketState struct {
	host   string // of the node whose subscription is open; "" while none is
	drop   context.CancelCauseFunc
	silent bool           // the open one tells nothing yet or no longer, nothing new, or not everything
	early  validator.Felt // hash of what it announced before any head was known; "" if nothing
	newest uint64         // number of the last head that it announced; 0 if none
	owes   uint64         // number of a head that a poll found and that it had not announced; 0 for none
	unread int            // heads in a row that no node knew, of all websockets
	fault  *fault         // why none is open; nil before the first try, and while one is

	opened, dropped, heads uint64
}

// announcedHead is a newer head than the one that is followed. It is followed once a node has
// answered reads that are pinned to it.
type announcedHead struct {
	validator.Block

	at time.Time
}

// socketAddresses are those that are named or, where none is, those at which nodes that
// offer websockets often have them.
func socketAddresses(cfg Config) []*socketAddress {
	var out []*socketAddress
	add := func(raw string, derived bool) {
		if u, err := url.Parse(raw); err == nil { // complete has parsed it before
			out = append(out, &socketAddress{url: raw, host: u.Host, derived: derived})
		}
	}
	for _, u := range cfg.SocketURLs {
		add(u, false)
	}
	if len(out) > 0 || cfg.NoSockets {
		return out
	}
	for _, u := range cfg.RPCURLs {
		add("ws"+strings.TrimPrefix(u, "http"), true)
	}
	return out
}

// followSockets keeps a subscription to new heads open, at the first node that grants one,
// until ctx ends. The head is polled meanwhile: rarely while one is open and tells heads.
func (c *Client) followSockets(ctx context.Context) {
	addresses := socketAddresses(c.cfg)
	for ctx.Err() == nil && len(addresses) > 0 {
		var next time.Time
		for _, a := range addresses {
			if wait := time.Until(a.notYet); wait > 0 {
				if next.IsZero() || a.notYet.Before(next) {
					next = a.notYet
				}
				continue
			}
			c.followSocket(ctx, a)
			next = time.Now() // begin with the first again
			break
		}
		if wait := time.Until(next); wait > 0 && !sleep(ctx, wait) {
			return
		}
	}
}

// followSocket follows one websocket as long as it lasts, and decides when it is tried again.
func (c *Client) followSocket(ctx context.Context, a *socketAddress) {
	var openedAt time.Time
	sctx, drop := context.WithCancelCause(ctx)
	defer drop(nil)
	f := listenOnSocket(sctx, a.url, c.cfg, socketListener{
		opened: func() {
			openedAt, a.granted, a.said = time.Now(), true, ""
			c.socketOpened(a, drop)
		},
		head: c.onNewHead, reorg: c.onReorg, silent: c.socketSilent,
	})
	if ctx.Err() != nil {
		c.socketEnded(nil)
		return
	}
	const steady = 30 // times the shortest wait: what lasted that long has been well
	if !openedAt.IsZero() && time.Since(openedAt) > steady*c.cfg.SocketRetry {
		a.tries = 0
	}
	wait := a.waitAfter(f, c.cfg)
	a.tries++
	a.notYet = time.Now().Add(wait)
	if f.kind != a.said {
		a.said = f.kind
		c.logSocket(a, f, wait)
	}
	c.socketEnded(f)
}

// waitAfter is how long a websocket is left alone after it failed. One that was only
// guessed and is not there is hardly ever asked for again.
func (a *socketAddress) waitAfter(f *fault, cfg Config) time.Duration {
	const mostDoublings, guessedDoublings = 7, 11 // 4 and 68 minutes
	most := mostDoublings
	if a.derived && !a.granted {
		most = guessedDoublings
		if f.notOffered() {
			return cfg.SocketOfferWait
		}
	}
	wait := cfg.SocketRetry << min(a.tries, most)
	return wait + time.Duration(rand.Int64N(int64(wait)/4+1)) //nolint:gosec // so that many do not come at once
}

// notOffered says whether a node has no websocket at an address.
func (f *fault) notOffered() bool {
	switch f.kind {
	case faultHTTP:
		return f.status < http.StatusInternalServerError && f.status != http.StatusTooManyRequests
	case faultRPC, faultWrongChain, faultGarbage, faultTooLarge:
		return true
	case faultTimeout, faultUnreachable, faultBehind, faultOldHead, faultBlockGone:
	}
	return false
}

func (c *Client) logSocket(a *socketAddress, f *fault, wait time.Duration) {
	args := []any{"node", f.host, "fault", string(f.kind), "error", f.Error(), "again_in", wait.Round(time.Second)}
	if a.derived && !a.granted {
		c.log.Debug("A node offers no websocket: its head is polled", args...)
		return
	}
	c.log.Warn("No node's websocket announces new blocks", args...)
}

func (c *Client) socketOpened(a *socketAddress, drop context.CancelCauseFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.socket
	s.host, s.drop, s.fault = a.host, drop, nil
	s.silent, s.early, s.newest, s.owes = true, "", 0, 0
	if c.head != nil {
		s.newest = c.head.number
	}
	s.opened++
	c.log.Info("A node's websocket announces new blocks", "node", s.host)
}

// socketEnded goes back to polling at once.
func (c *Client) socketEnded(f *fault) {
	c.mu.Lock()
	if c.socket.host != "" {
		c.socket.host, c.socket.drop = "", nil
		c.socket.dropped++
	}
	c.socket.fault, c.announced = f, nil
	c.mu.Unlock()
	signal(c.askNow)
}

// socketSilent no longer counts on the open websocket until it tells something.
func (c *Client) socketSilent() {
	c.mu.Lock()
	c.socket.silent = true
	c.mu.Unlock()
	signal(c.askNow)
}

// socketTrusted says whether new heads are announced without being asked for; c.mu is held.
func (c *Client) socketTrusted() bool { return c.socket.host != "" && !c.socket.silent }

// onNewHead takes a head that the open websocket announced. Only one that simply goes on from
// the head that is followed is read; anything else is asked for.
func (c *Client) onNewHead(h linkedHeader) {
	ask, read := c.noteAnnouncedHead(h)
	switch {
	case ask:
		signal(c.askNow)
	case read:
		signal(c.readNow)
	}
}

func (c *Client) noteAnnouncedHead(h linkedHeader) (ask, read bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := c.cfg.Now()
	s := &c.socket
	s.heads++
	s.newest = h.Number
	switch cur := c.head; {
	case cur == nil:
		s.early = h.Hash
		return true, false // no node has said yet which chain it serves
	case h.Number > cur.number+1, h.Number == cur.number+1 && h.parent == cur.hash:
		s.silent = s.silent && s.unread > 0
		c.announced = &announcedHead{h.Block, now}
		return false, c.lookedAt(now)
	case h.Hash == cur.hash:
		confirmed := *cur
		confirmed.polledAt, confirmed.lost = now, false
		c.head, s.silent, s.unread = &confirmed, false, 0
		return false, false
	}
	return c.recent.get(h.Number) != h.Hash, false // one that is known is an earlier one
}

// onReorg asks for the head, if the one that is followed is no longer of the chain.
func (c *Client) onReorg(from uint64) {
	c.mu.Lock()
	if c.announced != nil && c.announced.Number >= from {
		c.announced = nil
	}
	ask := c.head != nil && c.head.number >= from
	if ask {
		gone := *c.head
		gone.lost = true
		c.head = &gone
	}
	c.socket.owes = 0
	c.socket.newest = min(c.socket.newest, max(from, 1)-1)
	c.mu.Unlock()
	if ask {
		signal(c.askNow)
	}
}

// checkSocket compares a polled head with what the open websocket announced; c.mu is held. What
// it has not announced by the next poll, it has missed.
func (c *Client) checkSocket(polled head) {
	s, number := &c.socket, polled.number
	if s.early != "" && s.early == polled.hash {
		s.silent = false
	}
	s.early = ""
	switch {
	case s.host == "":
	case s.newest == 0:
		s.newest = number
	case s.owes > s.newest && s.drop != nil:
		s.drop(&fault{kind: faultBehind, host: s.host,
			says: fmt.Sprintf("the node at %s did not tell block %d over its websocket", s.host, s.owes)})
	case number > s.newest:
		s.owes, s.silent = number, true
	default:
		s.owes = 0
	}
}

// acceptAnnounced makes an announced head that has been read the one that is followed; c.mu is held.
func (c *Client) acceptAnnounced(t *announcedHead, is validator.Block) {
	c.socket.unread, c.socket.silent = 0, false
	if c.announced == t {
		c.announced = nil
	}
	if c.head != nil && !c.head.lost && c.head.number >= is.Number {
		return
	}
	c.moveHead(head{number: is.Number, hash: is.Hash, polledAt: t.at}, headPushed)
	if c.headFault != nil {
		c.headFault = nil
		c.log.Info("The chain's head is followed again", "block", is.Number)
	}
}

// forgetAnnounced asks for the head in the place of an announced one that could not be read. A
// websocket that tells what no node knows is left; c.mu is held.
func (c *Client) forgetAnnounced(t *announcedHead, err error) {
	const most = 3
	if c.announced == t {
		c.announced = nil
	}
	if o, is := errors.AsType[*outage](err); is && o.only(faultBlockGone) {
		c.socket.unread++
		c.socket.silent = true
	}
	if s := &c.socket; s.unread >= most && s.drop != nil {
		s.drop(&fault{kind: faultBlockGone, host: s.host, says: "the node at " + s.host + " tells blocks over its websocket that no node knows"})
	}
	c.log.Debug("An announced block cannot be read", "block", t.Number, "error", err.Error())
	signal(c.askNow)
}

// arrival says how new blocks are learnt; c.mu is held.
func (c *Client) arrival() string {
	polled := "asked for every " + briefly(c.cfg.PollInterval)
	switch s := &c.socket; {
	case c.socketTrusted():
		return "announced by " + s.host + " over its websocket"
	case s.host != "":
		return polled + ", since the websocket of " + s.host + " is silent"
	case s.fault != nil && (len(c.cfg.SocketURLs) > 0 || s.opened > 0):
		return polled + ", since " + s.fault.says
	}
	return polled
}
