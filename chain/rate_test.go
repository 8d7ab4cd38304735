package chain_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// TestANodeThatAsksToWaitIsLeftAlone for as long as it asks, and no longer.
func TestANodeThatAsksToWaitIsLeftAlone(t *testing.T) {
	clock := newClock()
	for name, header := range map[string]string{
		"in seconds": "90",
		"by a date":  time.Now().Add(90 * time.Second).UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"),
	} {
		t.Run(name, func(t *testing.T) {
			r := running(t, 1, func(c *chain.Config) { c.Now, c.WatchFor = clock.now, time.Hour })
			r.seenAt(t, alice, r.chain.MineAt(clock.now()))
			r.breaks(0, devchain.Faults{Mode: devchain.RateLimits, RetryAfter: header})
			s := r.health(t, validator.HealthStale)
			if !strings.Contains(s.Reason, "takes no more requests for now") || !strings.Contains(s.Reason, ", and asks to wait ") {
				t.Errorf("the reason is %q", s.Reason)
			}
			time.Sleep(200 * time.Millisecond) // requests that had begun end
			r.nodes[0].Heal()
			r.nodes[0].ResetCounters()
			time.Sleep(100 * time.Millisecond) // ten polls
			r.snapshot(bob)
			if n := r.nodes[0].Counters().Requests; n != 0 {
				t.Errorf("it was asked %d times", n)
			}
			clock.advance(80 * time.Second)
			time.Sleep(50 * time.Millisecond)
			if n := r.nodes[0].Counters().Requests; n != 0 {
				t.Errorf("it was asked %d times before its time", n)
			}
			clock.advance(20 * time.Second)
			r.seenAt(t, alice, r.chain.MineAt(clock.now()))
			r.health(t, validator.HealthOK)
		})
	}
	t.Run("while another serves", func(t *testing.T) {
		r := running(t, 2, func(c *chain.Config) { c.Now, c.WatchFor = clock.now, time.Hour })
		r.breaks(0, devchain.Faults{Mode: devchain.RateLimits, RetryAfter: "60"})
		for range 5 {
			r.seenAt(t, alice, r.chain.MineAt(clock.now()))
		}
		r.nodes[0].ResetCounters()
		r.seenAt(t, alice, r.chain.MineAt(clock.now()))
		if n := r.nodes[0].Counters().Requests; n != 0 {
			t.Errorf("the one that asked to wait was asked %d times", n)
		}
		r.health(t, validator.HealthOK)
	})
	t.Run("for ever", func(t *testing.T) {
		r := running(t, 1, func(c *chain.Config) { c.Now, c.WatchFor = clock.now, time.Hour })
		r.seenAt(t, alice, r.chain.MineAt(clock.now()))
		r.breaks(0, devchain.Faults{Mode: devchain.RateLimits, RetryAfter: "4000000000"})
		r.health(t, validator.HealthStale)
		r.nodes[0].Heal()
		clock.advance(11 * time.Minute)
		r.seenAt(t, alice, r.chain.MineAt(clock.now()))
	})
}

// TestWhatProvidersSayOfTooManyRequests is told as that, is asked of the next node, and is not
// repeated at once.
func TestWhatProvidersSayOfTooManyRequests(t *testing.T) {
	for _, c := range []struct {
		told    devchain.RPCError
		limited bool
	}{
		{devchain.RPCError{Code: 429, Message: "The requests per second (RPS) of your requests are higher than your plan allows."}, true},
		{devchain.RPCError{Code: 429, Message: "Your app has exceeded its compute units per second capacity."}, true},
		{devchain.RPCError{Code: -32005, Message: "project ID request rate exceeded", Data: map[string]string{"see": "https://provider.example"}}, true},
		{devchain.RPCError{Code: -32005, Message: "daily request count exceeded, request rate limited"}, true},
		{devchain.RPCError{Code: -32005, Message: "compute unit quota exceeded"}, true},
		{devchain.RPCError{Code: -32007, Message: "50/second request limit reached"}, true},
		{devchain.RPCError{Code: -32016, Message: "over rate limit"}, true},
		{devchain.RPCError{Code: -32029, Message: "Limit"}, true},
		{devchain.RPCError{Code: -32000, Message: "429 Too Many Requests"}, true},
		{devchain.RPCError{Code: -32603, Message: "Internal error", Data: "Too many requests, slow down"}, true},
		{devchain.RPCError{Code: -32005, Message: "query returned more than 10000 results"}, false},
		{devchain.RPCError{Code: -32603, Message: "Internal error"}, false},
	} {
		t.Run(c.told.Message, func(t *testing.T) {
			r := newRig(t, 1, func(c *chain.Config) { c.Retries, c.RetryBackoff, c.PollInterval = 3, time.Millisecond, time.Minute })
			// One call of the batch is refused, as by providers that count calls and not requests.
			r.breaks(0, devchain.Faults{Methods: map[string]devchain.RPCError{"starknet_blockHashAndNumber": c.told}})
			r.run(t)
			says := "could not answer"
			asked := 4
			if c.limited {
				says, asked = "takes no more requests for now", 1
			}
			eventually(t, "the reason is shown", func() bool {
				return strings.Contains(r.client.State().Reason, says)
			})
			if n := r.nodes[0].Counters().Methods["starknet_blockHashAndNumber"]; n != asked {
				t.Errorf("it was asked %d times at once, want %d", n, asked)
			}
		})
	}
	t.Run("one view of a wallet", func(t *testing.T) {
		r := running(t, 2)
		r.seenAt(t, alice, r.chain.Mine())
		stake := devchain.Function{Contract: r.chain.Contracts().ProverStaking, Name: "get_stake"}
		r.breaks(0, devchain.Faults{Broken: map[devchain.Function]devchain.RPCError{stake: {Code: 429, Message: "Too many"}}})
		if s := r.seenAt(t, alice, r.chain.Mine()); !s.Stake.Known() {
			t.Errorf("the second node was not asked for what the first refused: %s", s.Stake.Reason())
		}
	})
}
