//go:build linux

package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain/devchain"
)

const contractsPath = "/api/contracts"

// Bounds of what the chain's client notices: a node's circuit stays open for ten seconds.
const (
	chainNotice  = 40 * time.Second
	chainRecover = 60 * time.Second
)

// nodeFaults makes the first node misbehave.
func nodeFaults(f devchain.Faults) func(context.Context, *stage) error {
	return func(_ context.Context, s *stage) error { s.node().SetFaults(f); return nil }
}

// healNode makes the first node and all before it as they were.
func healNode(_ context.Context, s *stage) error {
	s.node().Heal()
	s.front().answerInstead(nil)
	s.front().rewriteAnswers(nil)
	return s.front().relay.set(relayPasses)
}

// node is a fault of a node that page and API must name.
func node(name string, f devchain.Faults) fault {
	return fault{
		name: name, source: sourceChain, inject: nodeFaults(f), heal: healNode,
		noticed: sourceDown(sourceChain), within: chainNotice, recover: chainRecover,
	}
}

// answers is a fault in which something else answers in the node's place.
func answers(name string, h http.HandlerFunc) fault {
	f := node(name, devchain.Faults{})
	f.inject = func(_ context.Context, s *stage) error { s.front().answerInstead(h); return nil }
	return f
}

// wire is a fault of the line to the node.
func wire(name string, m relayMode) fault {
	f := node(name, devchain.Faults{})
	f.inject = func(_ context.Context, s *stage) error { return s.front().relay.set(m) }
	return f
}

// borne is a fault of a node that must change nothing of what is shown.
func borne(name string, f devchain.Faults) fault {
	return fault{name: name, source: sourceChain, inject: nodeFaults(f), heal: healNode, hold: 8 * time.Second, recover: chainRecover}
}

func chainLanes() []lane {
	lagging := func() time.Time { return time.Now().Add(-100 * time.Second) }
	return []lane{
		{name: "node", faults: nodeLineFaults()},
		{name: "answers", faults: nodeAnswerFaults()},
		{name: "socket", faults: socketFaults()},
		{name: "nodes", setup: setup{nodes: 2}, faults: severalNodeFaults()},
		{name: "tls", setup: setup{tls: true}, faults: certificateFaults()},
		{name: "stuck", setup: setup{clock: lagging}, faults: []fault{{
			name: "the node's head stands still", source: sourceChain, heal: healNode, within: 60 * time.Second, recover: chainRecover, noticed: sourceIs(sourceChain, "stale"),
			inject: func(_ context.Context, s *stage) error {
				s.node().SetFaults(devchain.Faults{Freeze: true, FrozenAt: s.chain.Head().Number})
				return nil
			},
		}}},
		{name: "views", faults: viewFaults()},
		{name: "events", faults: eventFaults()},
	}
}

func nodeLineFaults() []fault {
	return []fault{
		wire("the node is down", relayRefuses),
		wire("the node's connections are reset", relayResets),
		wire("the line to the node swallows everything", relaySwallows),
		wire("the node's answers break off after 200 bytes", relayHalves),
		node("the node reads requests and never answers", devchain.Faults{Mode: devchain.Hangs}),
		node("every answer takes 7 s", devchain.Faults{Latency: 7 * time.Second}),
		borne("every answer takes 1 s", devchain.Faults{Latency: time.Second}),
		node("connections are cut without an answer", devchain.Faults{Mode: devchain.Disconnects}),
	}
}

func nodeAnswerFaults() []fault {
	const failed = `{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"Internal error"}}`
	return []fault{
		node("429 without Retry-After", devchain.Faults{Mode: devchain.RateLimits}),
		node("429 with Retry-After: 5", devchain.Faults{Mode: devchain.RateLimits, RetryAfter: "5"}),
		{name: "one request in three is served, the others get 429", source: sourceChain, inject: nodeFaults(devchain.Faults{OneInRate: 3}), heal: healNode, hold: 8 * time.Second, recover: chainRecover},
		answers("500 without a body", status(http.StatusInternalServerError, "text/plain", "")),
		answers("503 with Retry-After: 3", status(http.StatusServiceUnavailable, "text/plain", "down for maintenance", "Retry-After", "3")),
		answers("401", status(http.StatusUnauthorized, "application/json", `{"error":"invalid api key"}`)),
		node("502 with a page of HTML", devchain.Faults{Mode: devchain.HTML}),
		answers("200 with a page of HTML", status(http.StatusOK, "text/html", "<!doctype html><h1>Welcome to the captive portal</h1>")),
		answers("200 without a body", status(http.StatusOK, "application/json", "")),
		answers("200 with null", status(http.StatusOK, "application/json", "null")),
		answers("200 with an error object of JSON-RPC", status(http.StatusOK, "application/json", failed)),
		node("200 with what is no JSON", devchain.Faults{Mode: devchain.Garbage}),
		node("200 with half of the answer", devchain.Faults{Mode: devchain.Truncates}),
		node("answers to questions that nobody asked", devchain.Faults{Mode: devchain.WrongIDs}),
		node("an answer of 64 MiB", devchain.Faults{Mode: devchain.Floods}),
		anotherChain(),
		borne("the node takes no batches", devchain.Faults{Mode: devchain.SingleError}),
		borne("the node speaks another version of the specification (0.8.1)", devchain.Faults{SpecVersion: "0.8.1"}),
		redirected(),
	}
}

// anotherChain is a node that has become one of another network. Its websockets do not
// outlive that.
func anotherChain() fault {
	f := node("the node is of another chain", devchain.Faults{})
	f.inject = func(_ context.Context, s *stage) error {
		s.node().SetFaults(devchain.Faults{ChainID: "SN_MAIN"})
		s.node().DropSockets()
		return nil
	}
	return f
}

// redirected is a node that sends its clients to another host, where nobody must arrive.
func redirected() fault {
	var arrived atomic.Int64
	var other *httptest.Server
	f := node("the node redirects to another host", devchain.Faults{})
	f.inject = func(_ context.Context, s *stage) error {
		other = httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { arrived.Add(1) }))
		s.later(func() error { other.Close(); return nil })
		s.front().answerInstead(func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		})
		return nil
	}
	f.verify = func(context.Context, *stage) string {
		if n := arrived.Load(); n > 0 {
			return fmt.Sprintf("%d requests followed the node to the other host", n)
		}
		return ""
	}
	return f
}

func socketFaults() []fault {
	socket := func(name string, f devchain.SocketFaults) fault {
		made := borne(name, devchain.Faults{Socket: f})
		made.inject = func(_ context.Context, s *stage) error {
			s.node().SetFaults(devchain.Faults{Socket: f})
			if !f.Deaf && !f.Silent { // what is open must be asked for anew, to meet the fault
				s.node().DropSockets()
			}
			return nil
		}
		return made
	}
	return []fault{
		socket("the websocket is cut", devchain.SocketFaults{}),
		socket("the websocket is cut after each head", devchain.SocketFaults{DropAfter: 1}),
		socket("the websocket falls silent", devchain.SocketFaults{Silent: true}),
		socket("the websocket's peer is gone without a word", devchain.SocketFaults{Deaf: true, Silent: true}),
		socket("the websocket tells what is no JSON", devchain.SocketFaults{Garbage: true}),
		socket("the websocket sends 64 MiB", devchain.SocketFaults{Floods: true}),
		socket("the websocket invents blocks", devchain.SocketFaults{Invents: true}),
		socket("the websocket refuses with 404", devchain.SocketFaults{Refuses: http.StatusNotFound}),
		socket("the node has no subscription to heads", devchain.SocketFaults{NoHeads: true}),
		socket("heads come 3 s late", devchain.SocketFaults{Latency: 3 * time.Second}),
		socket("every second head is left out", devchain.SocketFaults{Skips: func(n uint64) bool { return n%2 == 0 }}),
	}
}

func severalNodeFaults() []fault {
	both := node("both nodes are down", devchain.Faults{})
	both.inject = func(_ context.Context, s *stage) error {
		for _, f := range s.fronts {
			if err := f.relay.set(relayRefuses); err != nil {
				return err
			}
		}
		return nil
	}
	both.heal = func(_ context.Context, s *stage) error {
		for _, f := range s.fronts {
			if err := f.relay.set(relayPasses); err != nil {
				return err
			}
		}
		return nil
	}
	down := borne("the first of two nodes is down", devchain.Faults{})
	down.inject = func(_ context.Context, s *stage) error { return s.front().relay.set(relayRefuses) }
	return []fault{
		down,
		borne("the first of two nodes hangs", devchain.Faults{Mode: devchain.Hangs}),
		borne("the first of two nodes is of another chain", devchain.Faults{ChainID: "SN_MAIN"}),
		borne("the first of two nodes falls 12 blocks behind", devchain.Faults{Behind: 12}),
		borne("the first of two nodes limits how often it is asked", devchain.Faults{Mode: devchain.RateLimits, RetryAfter: "30"}),
		both,
	}
}

func certificateFaults() []fault {
	shown := func(name string, issue func(*stage) (*authority, time.Time, error)) fault {
		f := node(name, devchain.Faults{})
		f.inject = func(_ context.Context, s *stage) error {
			a, until, err := issue(s)
			if err != nil {
				return err
			}
			c, err := a.issue(until)
			if err != nil {
				return err
			}
			s.front().showCertificate(&c)
			return nil
		}
		f.heal = func(_ context.Context, s *stage) error { s.front().showCertificate(nil); return nil }
		return f
	}
	return []fault{
		shown("the node's certificate has run out", func(s *stage) (*authority, time.Time, error) { return s.authority, time.Now().Add(-time.Hour), nil }),
		shown("the node's certificate is of an authority that nobody knows", func(s *stage) (*authority, time.Time, error) {
			a, err := newAuthority(s.dir + "/stranger.pem")
			return a, time.Now().Add(time.Hour), err
		}),
	}
}

func viewFaults() []fault {
	view := func(name string, f func(devchain.Function) devchain.Faults) fault {
		return fault{
			name: name, source: sourceChain, heal: healNode, within: chainNotice, recover: chainRecover, flaps: true,
			inject: func(_ context.Context, s *stage) error {
				s.node().SetFaults(f(devchain.Function{Contract: s.chain.Contracts().ProverStaking, Name: "get_stake"}))
				return nil
			},
			noticed: either(statusUnknown("staked_amount"), sourceDown(sourceChain)),
			after:   statusMember("staked_amount", "is known", func(v any) bool { return v != nil }),
		}
	}
	return []fault{
		view("get_stake reverts", func(f devchain.Function) devchain.Faults {
			return devchain.Faults{Reverts: map[devchain.Function]string{f: "Paused"}}
		}),
		view("get_stake answers too few felts", func(f devchain.Function) devchain.Faults {
			return devchain.Faults{Malformed: map[devchain.Function][]any{f: {"0x1"}}}
		}),
		view("get_stake answers what are no felts", func(f devchain.Function) devchain.Faults {
			return devchain.Faults{Malformed: map[devchain.Function][]any{f: {"0xzz", 7, nil, map[string]any{}}}}
		}),
		view("get_stake answers an error of the node", func(f devchain.Function) devchain.Faults {
			return devchain.Faults{Broken: map[devchain.Function]devchain.RPCError{f: {Code: -32000, Message: "busy"}}}
		}),
		borne("the head goes back by 6 blocks", devchain.Faults{Behind: 6}),
		{
			name: "a reorganisation takes 5 blocks back", source: sourceChain, hold: 8 * time.Second, recover: chainRecover, verify: dutiesRan,
			inject: func(_ context.Context, s *stage) error { return s.chain.Reorg(min(5, int(s.chain.Head().Number)-3)) },
		},
		{
			name: "ProverStaking is upgraded and has lost a view", source: sourceChain, looks: []string{contractsPath}, noticed: contractIs("ProverStaking", "incompatible"),
			within: 75 * time.Second, rebuild: true,
			inject: func(_ context.Context, s *stage) error {
				s.chain.DropFunction(s.chain.Contracts().ProverStaking, "is_eligible")
				return nil
			},
		},
		{
			name: "ProverStaking is not found any more", source: sourceChain, looks: []string{contractsPath}, noticed: contractIs("ProverStaking", "not_deployed"),
			within: 75 * time.Second, rebuild: true,
			inject: func(_ context.Context, s *stage) error {
				s.chain.Undeploy(s.chain.Contracts().ProverStaking)
				return nil
			},
		},
	}
}
