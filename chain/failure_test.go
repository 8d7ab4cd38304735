package chain_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// wholeFailures are the ways in which a node as a whole fails, and what is said of each.
var wholeFailures = []struct {
	name   string
	faults devchain.Faults
	says   string
}{
	{"cut connections", devchain.Faults{Mode: devchain.Disconnects}, "broke off the connection"},
	{"silence", devchain.Faults{Mode: devchain.Hangs}, "did not answer in"},
	{"slowness", devchain.Faults{Latency: time.Minute}, "did not answer in"},
	{"garbage", devchain.Faults{Mode: devchain.Garbage}, "no JSON-RPC"},
	{"a proxy's HTML", devchain.Faults{Mode: devchain.HTML}, "is failing (HTTP 502)"},
	{"a rate limit", devchain.Faults{Mode: devchain.RateLimits}, "takes no more requests for now (HTTP 429)"},
	{"a cut body", devchain.Faults{Mode: devchain.Truncates}, "broke off in the middle of its answer"},
	{"ids nobody asked with", devchain.Faults{Mode: devchain.WrongIDs}, "answered none of the questions"},
	{"a flood", devchain.Faults{Mode: devchain.Floods}, "more than this dashboard reads"},
	{"errors of its own", devchain.Faults{Methods: map[string]devchain.RPCError{
		"starknet_blockHashAndNumber": {Code: -32603, Message: "Internal error"}}}, "JSON-RPC error -32603"},
	{"another network", devchain.Faults{ChainID: "SN_MAIN"}, "serves SN_MAIN, this dashboard is set to SN_SEPOLIA"},
}

func impatient(c *chain.Config) {
	c.CallTimeout = 250 * time.Millisecond
	c.MaxResponseBytes = 64 << 10
}

func TestANodeThatFailsFromTheStart(t *testing.T) {
	for _, c := range wholeFailures {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, 1, impatient)
			r.breaks(0, c.faults)
			r.run(t)
			var s validator.ChainSnapshot
			eventually(t, "the reason names the failure", func() bool {
				s = r.snapshot(alice)
				return strings.Contains(s.State.Reason, c.says)
			})
			if s.State.Health != validator.HealthUnavailable || s.State.Remedy == "" || !s.State.ObservedAt.IsZero() {
				t.Errorf("state %+v", s.State)
			}
			if s.Stake.Known() || s.Eligible.Known() || s.Reputation.Known() || s.ReputationRank.Known() ||
				s.WalletBalance.Known() || s.Network.Config.Known() || s.Network.TotalStaked.Known() {
				t.Errorf("something is known of a chain that was never read: %+v", s)
			}
			if s.Stake.Reason() == "" || s.Stake.Call.Function != "get_stake" {
				t.Errorf("the missing stake says %q of %q", s.Stake.Reason(), s.Stake.Call.Function)
			}
			r.nodes[0].Heal()
			r.health(t, validator.HealthOK)
			r.seenAt(t, alice, r.chain.Mine())
		})
	}
}

func TestGoodValuesStayWhenTheNodeFails(t *testing.T) {
	for _, c := range wholeFailures {
		t.Run(c.name, func(t *testing.T) {
			r := running(t, 1, impatient)
			before := r.seenAt(t, alice, r.chain.Head())
			r.breaks(0, c.faults)
			var s validator.ChainSnapshot
			eventually(t, "the reason names the failure", func() bool {
				s = r.snapshot(alice)
				return strings.Contains(s.State.Reason, c.says)
			})
			if s.State.Health != validator.HealthStale ||
				!strings.Contains(s.State.Reason, "Last good block 1.") || s.State.Block != before.Block.Number {
				t.Errorf("state %+v", s.State)
			}
			stake, ok := s.Stake.Get()
			if !ok || !sameStake(stake, aliceStake()) || s.Block != before.Block {
				t.Errorf("the last good stake is gone: %+v", s.Stake)
			}
			r.nodes[0].Heal()
			r.health(t, validator.HealthOK)
		})
	}
}

func TestAClosedPort(t *testing.T) {
	r := newRig(t, 1)
	if err := r.nodes[0].Close(); err != nil {
		t.Fatal(err)
	}
	r.run(t)
	s := r.health(t, validator.HealthUnavailable)
	eventually(t, "the reason names the node", func() bool {
		s = r.client.State()
		return strings.Contains(s.Reason, "cannot be connected to")
	})
}

func TestAFirstReadWaitsNoLongerThanItsBound(t *testing.T) {
	const bound = 150 * time.Millisecond
	r := newRig(t, 1, func(c *chain.Config) { c.FirstReadWait = bound })
	r.breaks(0, devchain.Faults{Mode: devchain.Hangs})
	r.run(t)
	start := time.Now()
	s := r.snapshot(alice)
	if took := time.Since(start); took < bound || took > bound+2*time.Second {
		t.Errorf("the first look took %s, its bound is %s", took, bound)
	}
	if s.State.Health != validator.HealthUnavailable || s.Stake.Known() {
		t.Errorf("state %+v", s.State)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	start = time.Now()
	r.client.WalletSnapshot(ctx, bob)
	if took := time.Since(start); took > bound {
		t.Errorf("a look whose context had ended took %s", took)
	}
}

func TestAnOpenCircuitSparesNodeAndCaller(t *testing.T) {
	r := newRig(t, 1, func(c *chain.Config) {
		c.BreakerFailures, c.BreakerDelay = 2, time.Hour
		c.FirstReadWait = time.Minute
	})
	r.breaks(0, devchain.Faults{Mode: devchain.RateLimits})
	r.run(t)
	eventually(t, "the circuit opens", func() bool { return r.metric(t, "validator_chain_rpc_circuit_open") == 1 })
	asked := r.nodes[0].Counters().Requests
	start := time.Now()
	s := r.snapshot(alice)
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("a look took %s though the circuit is known to be open", took)
	}
	if !strings.Contains(s.State.Reason, "HTTP 429") {
		t.Errorf("the reason is lost behind the circuit: %q", s.State.Reason)
	}
	time.Sleep(200 * time.Millisecond) // twenty poll intervals, ten retries of the checks
	// What was on its way when the circuit opened may still arrive: a poll and a check.
	if now := r.nodes[0].Counters().Requests; now > asked+2 {
		t.Errorf("%d more requests went to a node whose circuit is open", now-asked)
	}
}

func TestACircuitClosesWhenTheNodeServesAgain(t *testing.T) {
	r := newRig(t, 1, func(c *chain.Config) { c.BreakerFailures = 2 })
	r.breaks(0, devchain.Faults{Mode: devchain.HTML})
	r.run(t)
	eventually(t, "the circuit opens", func() bool { return r.metric(t, "validator_chain_rpc_circuit_open") == 1 })
	r.nodes[0].Heal()
	r.health(t, validator.HealthOK)
	if n := strings.Count(r.log.String(), "Starknet node fails"); n != 1 {
		t.Errorf("one outage was logged %d times:\n%s", n, r.log)
	}
	if n := strings.Count(r.log.String(), "Starknet node serves again"); n != 1 {
		t.Errorf("one recovery was logged %d times:\n%s", n, r.log)
	}
}

func TestTheSecondNodeServesWhileTheFirstFails(t *testing.T) {
	for _, c := range wholeFailures {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, 2, impatient, func(c *chain.Config) { c.BreakerFailures = 2 })
			r.breaks(0, c.faults)
			r.run(t)
			r.seenAt(t, alice, r.chain.Mine())
			if r.nodes[1].Counters().Requests == 0 {
				t.Error("the second node was never asked")
			}
			r.nodes[0].Heal()
			eventually(t, "the first node alone serves", func() bool {
				r.nodes[0].ResetCounters()
				r.nodes[1].ResetCounters()
				r.seenAt(t, alice, r.chain.Mine())
				return r.nodes[0].Counters().Requests > 0 && r.nodes[1].Counters().Requests == 0
			})
		})
	}
}

func TestAPassingFailureIsRetriedAtOnce(t *testing.T) {
	r := newRig(t, 1, func(c *chain.Config) {
		c.Retries, c.RetryBackoff = 20, 20*time.Millisecond
		c.PollInterval = time.Hour
	})
	r.breaks(0, devchain.Faults{Mode: devchain.HTML})
	r.run(t)
	eventually(t, "the node is asked", func() bool { return r.nodes[0].Counters().Requests > 0 })
	r.nodes[0].Heal()
	r.health(t, validator.HealthOK) // long before the next poll
}

func TestWordsForPeopleAndLogsHoldNoKeys(t *testing.T) {
	r := newRig(t, 1, func(c *chain.Config) {
		c.RPCURLs = []string{"http://user:hunter2@127.0.0.1:1/v2/SECRETKEY?apikey=SECRETKEY"}
	})
	r.run(t)
	eventually(t, "the node is found down", func() bool { return strings.Contains(r.client.State().Reason, "127.0.0.1:1") })
	s := r.snapshot(alice)
	eventually(t, "the contracts' checks fail too", func() bool {
		return strings.Contains(r.client.Contracts()[0].Reason, "127.0.0.1:1")
	})
	for _, text := range []string{s.State.Reason, s.State.Remedy, s.Stake.Reason(), r.client.Contracts()[0].Reason, r.log.String()} {
		if strings.Contains(text, "SECRETKEY") || strings.Contains(text, "hunter2") {
			t.Errorf("a key is told: %s", text)
		}
	}
	_, err := r.client.ClaimOutcome(context.Background(), "0x1", alice)
	if err == nil || strings.Contains(err.Error(), "SECRETKEY") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("error of ClaimOutcome: %v", err)
	}
}

func TestNonsenseIsNoAnswer(t *testing.T) {
	for name, answers := range map[string]map[string]any{
		"a chain id of a number":    {"starknet_chainId": 7},
		"a chain id of no felt":     {"starknet_chainId": "SN_SEPOLIA"},
		"a head without a number":   {"starknet_blockHashAndNumber": map[string]any{"block_hash": "0x1"}},
		"a head without a hash":     {"starknet_blockHashAndNumber": map[string]any{"block_number": 7}},
		"a head of text":            {"starknet_blockHashAndNumber": "soon"},
		"a header of another block": {"starknet_getBlockWithTxHashes": map[string]any{"block_hash": "0x1", "block_number": 1, "timestamp": 1}},
		"a header of nothing":       {"starknet_getBlockWithTxHashes": map[string]any{}},
		"a header of text":          {"starknet_getBlockWithTxHashes": "soon"},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 1)
			r.breaks(0, devchain.Faults{Answers: answers})
			r.run(t)
			eventually(t, "the nonsense is told", func() bool {
				return strings.Contains(r.snapshot(alice).State.Reason, "answered nonsense for")
			})
			if s := r.snapshot(alice); s.State.Health != validator.HealthUnavailable || s.Stake.Known() {
				t.Errorf("state %+v", s.State)
			}
			r.nodes[0].Heal()
			r.health(t, validator.HealthOK)
		})
	}
}

func TestReadsFailWhileTheHeadIsFollowed(t *testing.T) {
	for name, c := range map[string]struct {
		faults devchain.Faults
		says   string
	}{
		"the header": {devchain.Faults{Methods: map[string]devchain.RPCError{
			"starknet_getBlockWithTxHashes": {Code: -32603, Message: "Internal error"}}}, "could not answer (JSON-RPC error -32603)"},
		"a block that is gone": {devchain.Faults{Methods: map[string]devchain.RPCError{
			"starknet_getBlockWithTxHashes": {Code: 24, Message: "Block not found"},
			"starknet_call":                 {Code: 24, Message: "Block not found"}}}, "does not know the block that is being read"},
	} {
		t.Run(name, func(t *testing.T) {
			r := running(t, 1, func(c *chain.Config) { c.Retries = 1 })
			before := r.snapshot(alice)
			r.breaks(0, c.faults)
			r.chain.Mine()
			var s validator.ChainSnapshot
			eventually(t, "the failed read is told", func() bool {
				s = r.snapshot(alice)
				return s.State.Health == validator.HealthStale && strings.Contains(s.State.Reason, c.says)
			})
			if s.Block != before.Block || !s.Stake.Known() {
				t.Errorf("the last good values are gone: %+v", s)
			}
			if s := r.snapshot(bob); s.State.Health != validator.HealthUnavailable || s.Stake.Known() || !strings.Contains(s.State.Reason, c.says) {
				t.Errorf("a wallet that was never read: %+v", s.State)
			}
			r.nodes[0].Heal()
			r.seenAt(t, bob, r.chain.Mine())
			r.health(t, validator.HealthOK)
		})
	}
}

func TestARefusedKeyIsNamedAsSuch(t *testing.T) {
	r := newRig(t, 1, func(c *chain.Config) {
		c.Transport = roundTrip(func(q *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusForbidden, Status: "403 Forbidden", Body: http.NoBody, Request: q}, nil
		})
	})
	r.run(t)
	eventually(t, "the key is named", func() bool {
		s := r.client.State()
		return strings.Contains(s.Reason, "refuses this dashboard (HTTP 403)") && s.Remedy == "Check the API key in STARKNET_RPC."
	})
}

func TestARedirectIsNotFollowed(t *testing.T) {
	followed := false
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed = true }))
	defer elsewhere.Close()
	node := httptest.NewServer(http.RedirectHandler(elsewhere.URL, http.StatusTemporaryRedirect))
	defer node.Close()
	r := newRig(t, 0, func(c *chain.Config) { c.RPCURLs = []string{node.URL} })
	if _, err := r.client.ClaimOutcome(context.Background(), "0x1", alice); err == nil || !strings.Contains(err.Error(), "HTTP 307") {
		t.Errorf("%v, want the redirect's status", err)
	}
	if followed {
		t.Error("a redirect was followed")
	}
}

// roundTrip makes a function an HTTP transport.
type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
