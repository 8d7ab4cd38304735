package chain_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/bitsage-network/validator-dashboard/chain"
	"github.com/bitsage-network/validator-dashboard/chain/devchain"
	"github.com/bitsage-network/validator-dashboard/validator"
)

// nodesLimits are what nodes and providers take, and how they refuse what is over it: as
// their sources and their users' bug reports have it.
var nodesLimits = []struct {
	name   string
	limits devchain.Limits
	says   string
}{
	{"Pathfinder, 100 calls", devchain.Limits{Calls: 100}, "array exceeds maximum length 100"},
	{"Pathfinder, told to take 10", devchain.Limits{Calls: 10}, "array exceeds maximum length 10"},
	{"Juno without batches", devchain.Limits{Calls: 1, Refusal: devchain.Refusal{
		Body: `{"jsonrpc":"2.0","error":{"code":-32600,"message":"Invalid Request","data":"batch requests are disabled"},"id":null}`}},
		"Invalid Request: batch requests are disabled"},
	{"Katana and others on jsonrpsee, no batches", devchain.Limits{Calls: 1, Refusal: devchain.Refusal{
		Body: `{"jsonrpc":"2.0","id":null,"error":{"code":-32005,"message":"Batched requests are not supported by this server"}}`}},
		"Batched requests are not supported by this server"},
	{"jsonrpsee, 20 calls", devchain.Limits{Calls: 20, Refusal: devchain.Refusal{
		Body: `{"jsonrpc":"2.0","id":null,"error":{"code":-32010,"message":"The batch request was too large","data":"Exceeded max limit of 20"}}`}},
		"The batch request was too large: Exceeded max limit of 20"},
	{"jsonrpsee, the request's bytes", devchain.Limits{Bytes: 2000, Refusal: devchain.Refusal{
		Body: `{"jsonrpc":"2.0","id":null,"error":{"code":-32007,"message":"Request is too big","data":"Exceeded max limit of 2000"}}`}},
		"Request is too big: Exceeded max limit of 2000"},
	{"jsonrpsee, the answer's bytes", devchain.Limits{AnswerBytes: 3000, Refusal: devchain.Refusal{
		Body: `{"jsonrpc":"2.0","id":null,"error":{"code":-32011,"message":"The batch response was too large","data":"Exceeded max limit of 3000"}}`}},
		"The batch response was too large: Exceeded max limit of 3000"},
	{"dRPC's free tier, 3 calls", devchain.Limits{Calls: 3, Refusal: devchain.Refusal{Status: 500,
		Body: `{"message":"Batch of more than 3 requests are not allowed on free tier, to use this feature register paid account at drpc.org","code":31}`}},
		"Batch of more than 3 requests are not allowed on free tier"},
	{"Ankr", devchain.Limits{Calls: 30, Refusal: devchain.Refusal{
		Body: `{"jsonrpc":"2.0","error":{"code":-32600,"message":"Too many [\"starknet_call\"] methods in the batch"},"id":null}`}},
		`Too many ["starknet_call"] methods in the batch`},
	{"Erigon", devchain.Limits{Calls: 50, Refusal: devchain.Refusal{
		Body: `{"jsonrpc":"2.0","id":null,"error":{"code":-32000,"message":"batch limit 50 exceeded: 101 requests given"}}`}},
		"batch limit 50 exceeded: 101 requests given"},
	{"Erigon, which cuts the connection", devchain.Limits{Calls: 25, Refusal: devchain.Refusal{Cuts: true}}, "broke off the connection"},
	{"geth's library, the first call's id", devchain.Limits{Calls: 25, Refusal: devchain.Refusal{
		Body: `[{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"batch too large"}}]`}}, "batch too large"},
	{"QuickNode", devchain.Limits{Calls: 40, Refusal: devchain.Refusal{Status: 413,
		Body: `{"jsonrpc":"2.0","id":null,"error":{"code":-32614,"message":"limited to 40"}}`}}, "limited to 40"},
	{"nginx before a node", devchain.Limits{Bytes: 4000, Refusal: devchain.Refusal{Status: 413, ContentType: "text/html",
		Body: "<html>\r\n<head><title>413 Request Entity Too Large</title></head>\r\n<body></body></html>"}}, "413 Request Entity Too Large"},
	{"a gateway that says nothing", devchain.Limits{Calls: 16, Refusal: devchain.Refusal{Status: 400, ContentType: "text/plain"}}, "HTTP 400"},
	{"a gateway that fails", devchain.Limits{Calls: 16, Refusal: devchain.Refusal{Status: 502, ContentType: "text/html",
		Body: "<html><body><h1>502 Bad Gateway</h1></body></html>"}}, "502 Bad Gateway"},
	{"a page in the place of an answer", devchain.Limits{Calls: 16, Refusal: devchain.Refusal{ContentType: "text/html",
		Body: "<html><body><p>Request blocked.</p></body></html>"}}, "Request blocked"},
	{"one error without words", devchain.Limits{Calls: 16, Refusal: devchain.Refusal{
		Body: `{"jsonrpc":"2.0","id":null,"error":{"code":-32603,"message":"Internal error"}}`}}, "Internal error"},
}

// TestEveryWalletIsReadWhateverANodeTakes has more wallets than any of the nodes takes the
// calls of in one request.
func TestEveryWalletIsReadWhateverANodeTakes(t *testing.T) {
	const wallets = 20
	for _, c := range nodesLimits {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRig(t, 1, func(c *chain.Config) { c.BatchCalls = 1000 })
			r.breaks(0, devchain.Faults{Limits: c.limits})
			r.run(t)
			addresses := make([]validator.Address, wallets)
			set := func(n int64) validator.Block {
				for i := range addresses {
					addresses[i] = validator.Address(fmt.Sprintf("0x%064x", 0xfee0+i))
					r.chain.SetStake(addresses[i], validator.Stake{Amount: validator.WeiFromSAGE(n), StakedAt: aliceStake().StakedAt, Active: true})
					r.chain.SetBalance(addresses[i], validator.WeiFromSAGE(n))
				}
				return r.chain.Mine()
			}
			for n := range int64(4) { // from the second on the limit is known
				b := set(1000 + n)
				for _, a := range addresses {
					go r.snapshot(a)
				}
				for _, a := range addresses {
					s := r.seenAt(t, a, b)
					stake, _ := s.Stake.Get()
					balance, known := s.WalletBalance.Get()
					if want := validator.WeiFromSAGE(1000 + n); !known || !stake.Amount.Equal(want) || !balance.Equal(want) || !s.Eligible.Known() {
						t.Fatalf("block %d: stake %s, balance %s of %s: %+v", b.Number, stake.Amount, balance, want, s.State)
					}
				}
				r.health(t, validator.HealthOK)
			}
			refused := r.nodes[0].Counters().Refused
			if refused == 0 || refused > 12 { // 120 calls halved down to single ones, and a round that had begun
				t.Errorf("%d requests were refused", refused)
			}
			if n := r.metric(t, "validator_chain_rpc_batch_calls"); n < 1 || n > 120 || c.limits.Calls > 0 && n > float64(c.limits.Calls) {
				t.Errorf("%v calls are asked for at once", n)
			}
			if !strings.Contains(strings.ReplaceAll(r.log.String(), `\"`, `"`), c.says) {
				t.Errorf("the log does not say %q:\n%s", c.says, r.log)
			}
			if strings.Contains(r.log.String(), "level=WARN") {
				t.Errorf("a limit that is kept to is warned of:\n%s", r.log)
			}
			before := r.nodes[0].Counters().Refused
			b := set(2000)
			for _, a := range addresses {
				r.seenAt(t, a, b)
			}
			if n := r.nodes[0].Counters().Refused - before; n != 0 {
				t.Errorf("%d requests were refused although the limit is known", n)
			}
		})
	}
}

func TestALimitIsTriedAgainNowAndThen(t *testing.T) {
	clock := newClock()
	r := newRig(t, 1, func(c *chain.Config) { c.Now, c.WatchFor = clock.now, 24*time.Hour })
	r.breaks(0, devchain.Faults{Limits: devchain.Limits{Calls: 7}})
	r.run(t)
	read := func() {
		b := r.chain.MineAt(clock.now())
		for i := range 16 {
			r.seenAt(t, validator.Address(fmt.Sprintf("0x%064x", 0xfee0+i)), b)
		}
	}
	read()
	size := func() float64 { return r.metric(t, "validator_chain_rpc_batch_calls") }
	if n := size(); n > 7 {
		t.Fatalf("%v calls are asked for at once of a node that takes 7", n)
	}
	before := r.nodes[0].Counters().Refused
	for range 6 * 60 { // hours
		clock.advance(time.Minute)
		read()
	}
	if n := r.nodes[0].Counters().Refused - before; n == 0 || n > 25 {
		t.Errorf("in six hours a larger request was tried and refused %d times", n)
	}
	if n := size(); n < 4 {
		t.Errorf("%v calls are asked for at once of a node that takes 7", n)
	}
	r.nodes[0].Heal()
	for i := 0; size() < 100; i++ {
		if i > 6*60 {
			t.Fatalf("hours after the limit is gone %v calls are asked for at once", size())
		}
		clock.advance(time.Minute)
		read()
	}
}

// TestANodesOwnWordsAreGiven has a node that takes nothing at all.
func TestANodesOwnWordsAreGiven(t *testing.T) {
	for name, c := range map[string]struct {
		refusal devchain.Refusal
		says    string
	}{
		"an error of JSON-RPC": {devchain.Refusal{
			Body: `{"jsonrpc":"2.0","id":null,"error":{"code":-32052,"message":"API key SECRETKEY1 is not allowed to access network"}}`},
			"could not answer (JSON-RPC error -32052): “API key … is not allowed to access network”"},
		"of HTTP with JSON": {devchain.Refusal{Status: 403, Body: `{"error":"The app /v2/SECRETKEY1 is inactive.\nSee https://provider.example/?key=SECRETKEY1"}`},
			"refuses this dashboard (HTTP 403): “The app /v2/… is inactive. See …”"},
		"of HTTP with text": {devchain.Refusal{Status: 402, ContentType: "text/plain", Body: "monthly quota used up"},
			"answered HTTP 402 where JSON-RPC was expected: “monthly quota used up”"},
		"of a proxy": {devchain.Refusal{Status: 404, ContentType: "text/html",
			Body: "<html><head><style>p{}</style></head><body><p>no such &lt;app&gt; here</p><script>alert(1)</script></body></html>"},
			"answered HTTP 404 where JSON-RPC was expected: “no such <app> here”"},
		"with a wait": {devchain.Refusal{Status: 429,
			Body: `{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"project ID request rate exceeded","data":{"rate":{"allowed_rps":1,"backoff_seconds":30,"current_rps":4},"see":"https://infura.io/dashboard"}}}`},
			"takes no more requests for now (HTTP 429): “project ID request rate exceeded”, and asks to wait "},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, 1)
			r.renew(t, func(cfg *chain.Config) { cfg.RPCURLs = []string{r.nodes[0].URL() + "/v2/SECRETKEY1"} })
			r.breaks(0, devchain.Faults{Limits: devchain.Limits{Bytes: 1, Refusal: c.refusal}})
			r.run(t)
			var s validator.SourceState
			eventually(t, "the node is quoted", func() bool {
				r.snapshot(alice)
				s = r.client.State()
				return strings.Contains(s.Reason, c.says)
			})
			if _, wait, asked := strings.Cut(s.Reason, "asks to wait "); asked {
				var seconds int
				if _, err := fmt.Sscanf(wait, "%d s", &seconds); err != nil || seconds < 1 || seconds > 30 { // of 30, some have passed
					t.Errorf("asked to wait 30 s, it says %q", wait)
				}
			}
			if text := s.Reason + r.log.String(); strings.Contains(text, "SECRETKEY1") {
				t.Errorf("a key is shown: %s", text)
			}
		})
	}
}

func TestANodeThatCountsCallsIsAskedSlowly(t *testing.T) {
	r := newRig(t, 1, func(c *chain.Config) {
		c.PollInterval, c.RetryBackoff, c.CheckRetry = 300*time.Millisecond, 100*time.Millisecond, time.Minute
	})
	r.breaks(0, devchain.Faults{Limits: devchain.Limits{CallRate: 40}})
	r.run(t)
	for range 3 {
		b := r.chain.Mine()
		for i := range 10 { // some 65 calls a block
			a := validator.Address(fmt.Sprintf("0x%064x", 0xfee0+i))
			eventually(t, "the wallet is read", func() bool { return r.snapshot(a).Block.Number >= b.Number })
		}
	}
	if n := r.metric(t, "validator_chain_rpc_batch_calls"); n >= 40 {
		t.Errorf("%v calls are asked for at once of a node that takes 40 in a second", n)
	}
}

func TestALargeRequestThatTakesTooLongIsMadeSmaller(t *testing.T) {
	r := running(t, 1, func(c *chain.Config) { c.CallTimeout = 400 * time.Millisecond })
	r.seenAt(t, alice, r.chain.Mine())
	r.breaks(0, devchain.Faults{PerCall: 10 * time.Millisecond})
	for i := range 16 {
		go r.snapshot(validator.Address(fmt.Sprintf("0x%064x", 0xfee0+i)))
	}
	b := r.chain.Mine()
	for i := range 16 {
		r.seenAt(t, validator.Address(fmt.Sprintf("0x%064x", 0xfee0+i)), b)
	}
	if n := r.metric(t, "validator_chain_rpc_batch_calls"); n >= 100 {
		t.Errorf("%v calls are asked for at once of a node that answers 40 in time", n)
	}
}

// TestACallThatIsAlwaysLeftOutCostsTheOthersNothing has a node that drops one view of every
// request.
func TestACallThatIsAlwaysLeftOutCostsTheOthersNothing(t *testing.T) {
	r := newRig(t, 1)
	r.renew(t, func(c *chain.Config) {
		c.Transport = roundTrip(func(q *http.Request) (*http.Response, error) {
			return dropCalls(q, chain.Selector("is_eligible").Short())
		})
	})
	r.run(t)
	s := r.seenAt(t, alice, r.chain.Mine())
	if !s.Stake.Known() || !s.WalletBalance.Known() || s.Eligible.Known() || s.Eligible.Reason() != "the node left ProverStaking.is_eligible unanswered" {
		t.Errorf("stake %v, balance %v, eligible %q", s.Stake.Known(), s.WalletBalance.Known(), s.Eligible.Reason())
	}
	r.health(t, validator.HealthOK)
}

// dropCalls forwards a request without the calls that mention a word; a call by itself is
// answered with nothing.
func dropCalls(q *http.Request, word string) (*http.Response, error) {
	body, err := io.ReadAll(q.Body)
	if err != nil {
		return nil, err
	}
	var calls []json.RawMessage
	if json.Unmarshal(body, &calls) != nil {
		calls = []json.RawMessage{body}
	}
	kept := slices.DeleteFunc(calls, func(c json.RawMessage) bool { return bytes.Contains(c, []byte(word)) })
	if len(kept) == 0 {
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("[]")), Request: q}, nil
	}
	if body, err = json.Marshal(kept); err != nil {
		return nil, err
	}
	forwarded := q.Clone(q.Context())
	forwarded.Body, forwarded.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	return http.DefaultTransport.RoundTrip(forwarded)
}
