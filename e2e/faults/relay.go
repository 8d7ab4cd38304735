//go:build linux

package main

import (
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// relayMode is what a relay does with connections.
type relayMode int

const (
	relayPasses   relayMode = iota
	relayRefuses            // nothing listens, and what was open is cut
	relayResets             // every connection is reset as soon as it is made
	relaySwallows           // nothing comes through any more, and nobody learns of it
	relaySlow               // every piece takes relayDelay
	relayHalves             // connections are cut after some bytes of an answer
)

const (
	relayDelay = 300 * time.Millisecond
	relayHalf  = 200 // bytes
)

// relay passes TCP connections on, well or badly.
type relay struct {
	target string

	mu    sync.Mutex
	mode  relayMode
	at    string
	l     net.Listener
	conns map[net.Conn]struct{}
	wg    sync.WaitGroup
	done  bool
}

func newRelay(target string) (*relay, error) {
	r := &relay{target: target, at: "127.0.0.1:0", conns: map[net.Conn]struct{}{}}
	if err := r.listen(); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *relay) listen() error {
	l, err := net.Listen("tcp", r.at)
	if err != nil {
		return fmt.Errorf("listen for the relay: %w", err)
	}
	r.l, r.at = l, l.Addr().String()
	r.wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r.wg.Go(func() { r.serve(c) })
		}
	})
	return nil
}

func (r *relay) address() string { return r.at }

// set changes what happens to connections, those that are open included.
func (r *relay) set(m relayMode) error {
	r.mu.Lock()
	before := r.mode
	r.mode = m
	if m == relayRefuses && before != relayRefuses {
		_ = r.l.Close()
	}
	r.mu.Unlock()
	if m == relayRefuses || m == relayResets || before == relaySwallows || before == relayHalves { // half a stream is of no use
		r.cut(m == relayResets)
	}
	if before == relayRefuses && m != relayRefuses {
		return r.listen()
	}
	return nil
}

// cut ends all open connections.
func (r *relay) cut(reset bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.conns {
		if t, ok := c.(*net.TCPConn); ok && reset {
			_ = t.SetLinger(0)
		}
		_ = c.Close()
	}
}

func (r *relay) current() relayMode {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.mode
}

func (r *relay) keep(c net.Conn) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.done {
		return false
	}
	r.conns[c] = struct{}{}
	return true
}

func (r *relay) drop(c net.Conn) {
	_ = c.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.conns, c)
}

func (r *relay) serve(from net.Conn) {
	if !r.keep(from) {
		_ = from.Close()
		return
	}
	defer r.drop(from)
	if r.current() == relayResets {
		_ = from.(*net.TCPConn).SetLinger(0)
		return
	}
	to, err := net.DialTimeout("tcp", r.target, 5*time.Second)
	if err != nil {
		return
	}
	if !r.keep(to) {
		_ = to.Close()
		return
	}
	defer r.drop(to)
	var both sync.WaitGroup
	both.Go(func() { r.copy(to, from, false); r.drop(to) })
	r.copy(from, to, true)
	r.drop(from)
	both.Wait()
}

// copy passes one direction on, as the mode of each moment says.
func (r *relay) copy(to io.Writer, from io.Reader, answers bool) {
	buffer := make([]byte, 32<<10)
	passed := 0
	for {
		n, err := from.Read(buffer)
		if err != nil {
			return
		}
		piece := buffer[:n]
		switch r.current() {
		case relaySwallows:
			continue
		case relaySlow:
			time.Sleep(relayDelay)
		case relayHalves:
			if left := relayHalf - passed; answers && n > left {
				_, _ = to.Write(piece[:max(left, 0)])
				return
			}
		case relayPasses, relayRefuses, relayResets:
		}
		passed += n
		if _, err := to.Write(piece); err != nil {
			return
		}
	}
}

func (r *relay) close() {
	r.mu.Lock()
	r.done = true
	_ = r.l.Close()
	r.mu.Unlock()
	r.cut(false)
	r.wg.Wait()
}
