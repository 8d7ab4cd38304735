package chain_test

import (
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// hardlyPolled makes a client that would notice a new block by a poll after an hour only,
// while a websocket tells it, and half a second after that is gone.
func hardlyPolled(c *chain.Config) {
	c.NoSockets, c.IdlePollInterval, c.PollInterval, c.SocketSilence = false, time.Hour, 500*time.Millisecond, time.Minute
}

// awaitAnnounced waits until a websocket announces heads.
func (r *rig) awaitAnnounced(t *testing.T) {
	t.Helper()
	up := func() bool { return r.metric(t, "validator_chain_socket_up") == 1 }
	eventually(t, "a websocket tells heads", up)
	if r.cfg.SocketSilence >= time.Minute { // as of hardlyPolled
		time.Sleep(r.cfg.PollInterval + 100*time.Millisecond) // a poll that was due before has been made by then
		eventually(t, "a websocket tells heads still", up)
	}
}

func (r *rig) arrival() string { return r.client.State().Arrival }

// TestEveryRuleHoldsForAnnouncedHeads repeats the tests of the head and of failing nodes with
// nodes that also tell heads over websockets.
func TestEveryRuleHoldsForAnnouncedHeads(t *testing.T) {
	t.Setenv(withSockets, "yes")
	for name, test := range map[string]func(*testing.T){
		"reorganisations":      TestAReorganisedBlockIsReadAnew,
		"a node going back":    TestANodeWhoseHeadGoesBackwardsIsStale,
		"a node behind":        TestALaggingNodeIsPassedOver,
		"an unseen height":     TestAHeightPassedUnseenTellsLagByTime,
		"an old head":          TestAnOldHeadIsStale,
		"a frozen node":        TestANewerNodeIsPreferredToAFrozenOne,
		"two old heads":        TestTwoNodesWithTheSameOldHeadAreStale,
		"a client that ends":   TestNetworkGoesStaleWhenTheClientStops,
		"another network":      TestAnotherNetworksNodeNeverShowsItsNumbers,
		"one batch a block":    TestABlockCostsOneBatchHoweverManyLook,
		"many wallets":         TestManyWalletsShareTheBlocksOwnReads,
		"first looks":          TestFirstLooksShareOneRead,
		"nobody looks":         TestNobodyLookingCostsNoWalletReads,
		"pinned reads":         TestReadsArePinnedToOneBlock,
		"failing at the start": TestANodeThatFailsFromTheStart,
		"failing later":        TestGoodValuesStayWhenTheNodeFails,
		"an open circuit":      TestAnOpenCircuitSparesNodeAndCaller,
		"a closed circuit":     TestACircuitClosesWhenTheNodeServesAgain,
		"a second node":        TestTheSecondNodeServesWhileTheFirstFails,
		"failing reads":        TestReadsFailWhileTheHeadIsFollowed,
		"words without keys":   TestWordsForPeopleAndLogsHoldNoKeys,
	} {
		t.Run(name, test)
	}
}

func TestATelledBlockCostsOneBatchAndNoPoll(t *testing.T) {
	const mined, lookers = 12, 8
	r := running(t, 1, hardlyPolled)
	r.history(t, alice)
	r.checked(t)
	r.awaitAnnounced(t)
	if want := "announced by " + r.host(0) + " over its websocket"; r.arrival() != want {
		t.Errorf("new blocks are %q, want %q", r.arrival(), want)
	}
	r.nodes[0].ResetCounters()
	before := r.metric(t, "validator_chain_heads_total")
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for range lookers {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				case <-time.After(time.Millisecond):
					r.snapshot(alice)
					r.snapshot(bob)
					r.client.Network()
				}
			}
		})
	}
	r.seenAt(t, bob, r.chain.Head())
	got := r.nodes[0].Counters()
	first := got.Requests
	for range mined {
		b := r.chain.Mine()
		r.seenAt(t, alice, b)
		r.seenAt(t, bob, b)
	}
	close(stop)
	wg.Wait()
	got = r.nodes[0].Counters()
	if reads := got.Requests - first; reads != mined || got.Batches != got.Requests {
		t.Errorf("%d blocks cost %d requests, want one each", mined, reads)
	}
	if polls := got.Methods["starknet_blockHashAndNumber"]; polls != 0 {
		t.Errorf("the head was polled %d times beside", polls)
	}
	wallet, network := r.views()
	for _, f := range wallet {
		if n := got.Calls[f]; n < 2*mined || n > 2*mined+1 { // and bob's first look
			t.Errorf("%s was called %d times for two wallets and %d blocks", f.Name, n, mined)
		}
	}
	for _, f := range network {
		if n := got.Calls[f]; n != mined {
			t.Errorf("%s was called %d times for %d blocks", f.Name, n, mined)
		}
	}
	if n := r.metric(t, "validator_chain_heads_total") - before; n != mined {
		t.Errorf("%v heads were followed, want %d", n, mined)
	}
	if len(got.Pins) != 1 || got.Pins["hash"] == 0 {
		t.Errorf("calls were pinned by %v, want by hash only", got.Pins)
	}
	r.health(t, validator.HealthOK)
}

func TestAnnouncedHeadsCostNothingWhileNobodyLooks(t *testing.T) {
	clock := newClock()
	r := running(t, 1, hardlyPolled, func(c *chain.Config) { c.Now, c.WatchFor, c.HeadMaxAge = clock.now, time.Minute, time.Hour })
	r.history(t, alice)
	r.checked(t)
	r.awaitAnnounced(t)
	clock.advance(2 * time.Minute)
	r.nodes[0].ResetCounters()
	const mined = 20
	for range mined {
		r.chain.MineAt(clock.now())
	}
	eventually(t, "every head is announced", func() bool { return r.metric(t, "validator_chain_socket_heads_total") == mined+1 }) // and the one before
	if got := r.nodes[0].Counters(); got.Requests != 0 {
		t.Errorf("%d blocks that nobody looks at cost %d requests: %v", mined, got.Requests, got.Methods)
	}
	b := r.chain.Head()
	if s := r.snapshot(alice); s.Block != b {
		t.Errorf("the first look is of block %d, want %d", s.Block.Number, b.Number)
	}
	got := r.nodes[0].Counters()
	reads := got.Requests - got.Methods["starknet_getEvents"] // of the wallet's events, which follow
	if polls := got.Methods["starknet_blockHashAndNumber"]; polls != 0 || reads != 1 {
		t.Errorf("the first look cost %d requests and %d polls", reads, polls)
	}
}

func TestAWebsocketThatBreaksIsPolledForAtOnce(t *testing.T) {
	const patience = 3 * time.Second // a poll after half a second, with all the machine's delays
	for _, c := range []struct {
		name   string
		breaks func(*rig)
	}{
		{"cut", func(r *rig) {
			r.breaks(0, devchain.Faults{Socket: devchain.SocketFaults{Refuses: 503}})
			r.nodes[0].DropSockets()
		}},
		{"garbage", func(r *rig) { r.breaks(0, devchain.Faults{Socket: devchain.SocketFaults{Garbage: true}}) }},
		{"a flood", func(r *rig) { r.breaks(0, devchain.Faults{Socket: devchain.SocketFaults{Floods: true}}) }},
		{"invented blocks", func(r *rig) { r.breaks(0, devchain.Faults{Socket: devchain.SocketFaults{Invents: true}}) }},
		{"a peer that is gone without a word", func(r *rig) {
			r.breaks(0, devchain.Faults{Socket: devchain.SocketFaults{Deaf: true, Silent: true}})
		}},
		{"silence", func(r *rig) { r.breaks(0, devchain.Faults{Socket: devchain.SocketFaults{Silent: true}}) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			name := c.name
			r := running(t, 1, hardlyPolled, func(c *chain.Config) {
				c.SocketPing = 50 * time.Millisecond
				if name == "silence" {
					c.SocketSilence = 300 * time.Millisecond
				}
			})
			r.seenAt(t, alice, r.chain.Mine())
			r.awaitAnnounced(t)
			r.seenAt(t, alice, r.chain.Mine())
			c.breaks(r)
			for n := range 3 {
				b := r.chain.Mine()
				start := time.Now()
				r.seenAt(t, alice, b)
				if took := time.Since(start); took > patience {
					t.Errorf("block %d after the break was seen after %s", n+1, took)
				}
			}
			r.health(t, validator.HealthOK)
			eventually(t, "the page says that blocks are asked for", func() bool {
				return strings.HasPrefix(r.arrival(), "asked for every 500 ms, since ")
			})
			if strings.Contains(r.log.String(), "reorganised") {
				t.Errorf("a block that no node knows was followed:\n%s", r.log)
			}

			r.nodes[0].Heal()
			r.chain.Mine()
			r.awaitAnnounced(t)
			r.nodes[0].ResetCounters()
			r.seenAt(t, alice, r.chain.Mine())
			if polls := r.nodes[0].Counters().Methods["starknet_blockHashAndNumber"]; polls > 1 {
				t.Errorf("the head was polled %d times though the websocket tells again", polls)
			}
		})
	}
}

func TestABlockThatIsNotAnnouncedIsFoundAndTheSocketLeft(t *testing.T) {
	r := running(t, 1, func(c *chain.Config) {
		c.NoSockets, c.PollInterval, c.IdlePollInterval = false, 20*time.Millisecond, 60*time.Millisecond
	})
	r.seenAt(t, alice, r.chain.Mine())
	r.awaitAnnounced(t)
	missing := r.chain.Head().Number + 1
	r.breaks(0, devchain.Faults{Socket: devchain.SocketFaults{Skips: func(n uint64) bool { return n == missing }}})
	dropped := r.metric(t, "validator_chain_socket_dropped_total")
	r.seenAt(t, alice, r.chain.Mine())
	eventually(t, "the websocket that tells not everything is left", func() bool {
		return r.metric(t, "validator_chain_socket_dropped_total") > dropped
	})
	if want := fmt.Sprintf("did not tell block %d over its websocket", missing); !strings.Contains(r.log.String(), want) {
		t.Errorf("the log does not say %q:\n%s", want, r.log)
	}
	r.nodes[0].Heal()
	r.awaitAnnounced(t)
}

func TestAWebsocketThatStandsStillIsNotCountedOn(t *testing.T) {
	r := newRig(t, 2)
	r.renew(t, hardlyPolled, func(c *chain.Config) {
		c.RPCURLs, c.SocketURLs = []string{r.nodes[1].URL()}, []string{r.nodes[0].SocketURL()}
		c.PollInterval, c.SocketRetry = 10*time.Millisecond, 100*time.Millisecond
	})
	r.run(t)
	r.seenAt(t, alice, r.chain.Mine())
	r.awaitAnnounced(t)
	r.breaks(0, devchain.Faults{Freeze: true, FrozenAt: r.chain.Head().Number})
	opened := r.metric(t, "validator_chain_socket_opened_total")
	r.nodes[0].DropSockets()
	for r.metric(t, "validator_chain_socket_opened_total") == opened {
		time.Sleep(5 * time.Millisecond)
		r.seenAt(t, alice, r.chain.Mine())
	}
	for range 3 { // found by polls, although the websocket is there again, with its old head
		r.seenAt(t, alice, r.chain.Mine())
	}
	if r.metric(t, "validator_chain_socket_up") != 0 {
		t.Error("a websocket that tells nothing new is counted on")
	}
	r.health(t, validator.HealthOK)
}

func TestANodeWithoutAWebsocketIsAskedForOneOnce(t *testing.T) {
	for name, f := range map[string]devchain.SocketFaults{
		"not found": {Refuses: 404}, "not allowed": {Refuses: 405}, "an answer without an upgrade": {Refuses: 200},
		"no subscriptions": {NoHeads: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 1, func(c *chain.Config) { c.NoSockets = false })
			r.breaks(0, devchain.Faults{Socket: f})
			r.run(t)
			for range 10 {
				r.seenAt(t, alice, r.chain.Mine())
			}
			if n := r.nodes[0].Counters().Upgrades; n != 1 {
				t.Errorf("the node was asked for a websocket %d times", n)
			}
			if got := r.arrival(); got != "asked for every 10 ms" {
				t.Errorf("new blocks are %q", got)
			}
			if strings.Contains(r.log.String(), "level=WARN") {
				t.Errorf("what nobody asked for is warned of:\n%s", r.log)
			}
			r.health(t, validator.HealthOK)
		})
	}
}

func TestANamedWebsocket(t *testing.T) {
	other := devchain.NewNode(devchain.New(devchain.Config{ChainID: "SN_MAIN"}))
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = other.Close() })

	t.Run("that refuses is logged and tried again, ever more rarely", func(t *testing.T) {
		r := newRig(t, 2, func(c *chain.Config) { c.SocketRetry = 40 * time.Millisecond }, func(c *chain.Config) { c.NoSockets = false })
		r.breaks(1, devchain.Faults{Socket: devchain.SocketFaults{Refuses: http.StatusForbidden}})
		r.renew(t, func(c *chain.Config) { c.SocketURLs = []string{r.nodes[1].SocketURL() + "/secret-key"} })
		r.run(t)
		r.snapshot(alice)
		eventually(t, "the refusal is logged", func() bool {
			return r.arrival() == "asked for every 10 ms, since the node at "+r.host(1)+" serves no websocket at this address (HTTP 403)"
		})
		time.Sleep(700 * time.Millisecond)
		if n := r.nodes[1].Counters().Upgrades; n < 2 || n > 5 { // after 0, 40, 120, 280 and 600 ms
			t.Errorf("it was tried %d times", n)
		}
		if log := r.log.String(); strings.Count(log, "No node's websocket announces new blocks") != 1 || strings.Contains(log, "secret-key") {
			t.Errorf("log:\n%s", log)
		}
		r.breaks(1, devchain.Faults{})
		r.awaitAnnounced(t)
	})
	t.Run("of another chain tells nothing", func(t *testing.T) {
		r := newRig(t, 1)
		r.renew(t, func(c *chain.Config) { c.NoSockets, c.SocketURLs = false, []string{other.SocketURL()} })
		r.run(t)
		r.seenAt(t, alice, r.chain.Mine())
		eventually(t, "the chains are named", func() bool {
			return strings.HasSuffix(r.arrival(), "serves SN_MAIN, this dashboard is set to SN_SEPOLIA")
		})
		if n := other.Counters().Methods["starknet_subscribeNewHeads"]; n != 0 {
			t.Errorf("another chain's heads were subscribed to %d times", n)
		}
		r.health(t, validator.HealthOK)
	})
	t.Run("stands in for one before it", func(t *testing.T) {
		r := newRig(t, 2)
		r.breaks(0, devchain.Faults{Socket: devchain.SocketFaults{NoHeads: true}})
		r.renew(t, hardlyPolled, func(c *chain.Config) { c.SocketURLs = []string{r.nodes[0].SocketURL(), r.nodes[1].SocketURL()} })
		r.run(t)
		r.snapshot(alice)
		r.awaitAnnounced(t)
		if want := "announced by " + r.host(1) + " over its websocket"; r.arrival() != want {
			t.Errorf("new blocks are %q, want %q", r.arrival(), want)
		}
		r.seenAt(t, alice, r.chain.Mine())
	})
}

func TestAnAnnouncedReorganisationIsFollowedAtOnce(t *testing.T) {
	r := running(t, 1, hardlyPolled)
	r.seenAt(t, alice, r.chain.Mine())
	common := r.chain.Head()
	r.awaitAnnounced(t)
	k := aliceStake()
	k.Amount = validator.WeiFromSAGE(99)
	r.chain.SetStake(alice, k)
	r.seenAt(t, alice, r.chain.Mine())
	r.seenAt(t, alice, r.chain.Mine())
	if err := r.chain.Reorg(2); err != nil {
		t.Fatal(err)
	}
	s := r.seenAt(t, alice, common) // before any block stands in the place of those that are lost
	if got, _ := s.Stake.Get(); !got.Amount.Equal(aliceStake().Amount) {
		t.Errorf("the stake of the lost blocks is still shown: %s", got.Amount)
	}
	r.health(t, validator.HealthOK)
	k.Amount = validator.WeiFromSAGE(55)
	r.chain.SetStake(alice, k)
	for range 3 {
		s = r.seenAt(t, alice, r.chain.MineAt(time.Now().Add(time.Minute)))
	}
	if got, _ := s.Stake.Get(); !got.Amount.Equal(k.Amount) {
		t.Errorf("the stake after the reorganisation is %s", got.Amount)
	}
}

func TestABlockIsAnnouncedBeforeTheNodeThatIsReadHasIt(t *testing.T) {
	r := newRig(t, 2)
	r.renew(t, hardlyPolled, func(c *chain.Config) {
		c.RPCURLs, c.SocketURLs = []string{r.nodes[0].URL()}, []string{r.nodes[1].SocketURL()}
		c.Retries, c.RetryBackoff = 2, 100*time.Millisecond
	})
	r.run(t)
	r.seenAt(t, alice, r.chain.Mine())
	r.awaitAnnounced(t)
	r.nodes[0].ResetCounters()
	for range 5 {
		r.breaks(0, devchain.Faults{Freeze: true, FrozenAt: r.chain.Head().Number})
		b := r.chain.Mine()
		time.AfterFunc(50*time.Millisecond, r.nodes[0].Heal)
		r.seenAt(t, alice, b)
	}
	r.health(t, validator.HealthOK)
	if log := r.log.String(); strings.Contains(log, "level=WARN") {
		t.Errorf("a node that is a moment later than another is logged:\n%s", log)
	}
	if n := r.nodes[0].Counters().Methods["starknet_blockHashAndNumber"]; n != 0 {
		t.Errorf("the head was polled %d times", n)
	}
}

func TestWebsocketsLeaveNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("run", func(t *testing.T) {
		r := running(t, 2, func(c *chain.Config) {
			c.NoSockets, c.SocketRetry, c.SocketPing = false, time.Millisecond, 5*time.Millisecond
			c.PollInterval = 5 * time.Millisecond
		})
		r.snapshot(alice)
		for i := range 40 {
			f := devchain.SocketFaults{DropAfter: 1 + i%3, Deaf: i%4 == 1, Garbage: i%5 == 2, Silent: i%7 == 3}
			r.breaks(0, devchain.Faults{Socket: f})
			r.breaks(1, devchain.Faults{Socket: f})
			r.seenAt(t, alice, r.chain.Mine())
			if i%3 == 0 {
				r.nodes[0].DropSockets()
				r.nodes[1].DropSockets()
			}
		}
		if n := r.metric(t, "validator_chain_socket_opened_total"); n < 10 {
			t.Errorf("only %v websockets were opened", n)
		}
		r.health(t, validator.HealthOK)
	})
	eventually(t, "every goroutine has ended", func() bool {
		http.DefaultTransport.(*http.Transport).CloseIdleConnections()
		return runtime.NumGoroutine() <= before
	})
}
