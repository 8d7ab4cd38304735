package chain

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/failsafe-go/failsafe-go/circuitbreaker"
)

// endpoint is one RPC node.
type endpoint struct {
	host    string // for people and the log: never the path or credentials
	url     string
	secrets []string // parts of the URL that may be keys
	http    *http.Client
	breaker circuitbreaker.CircuitBreaker[any]
	limits  *nodeLimits
	log     *slog.Logger

	now         func() time.Time
	mu          sync.Mutex
	restUntil   time.Time // the node asked to be left alone until then
	last        *fault    // nil while the node serves
	specChecked bool      // its version of the specification has been looked at

	requests, calls, failures atomic.Uint64
}

func newEndpoint(rawURL string, cfg Config) (*endpoint, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("%w: an RPC URL cannot be parsed", ErrConfig)
	}
	e := &endpoint{
		host: u.Host, url: rawURL, secrets: secretsOf(u), log: cfg.Log, now: cfg.Now, limits: newNodeLimits(cfg),
		breaker: circuitbreaker.NewBuilder[any]().
			WithFailureThreshold(uint(cfg.BreakerFailures)).
			WithSuccessThreshold(1).
			WithDelay(cfg.BreakerDelay).
			Build(),
	}
	e.http = httpClient(boundedTransport{cfg.Transport, cfg.MaxResponseBytes, e.rest}, classTimeout(cfg))
	return e, nil
}

// longestRest bounds for how long a node is left alone at its own wish.
const longestRest = 10 * time.Minute

// rest leaves the node alone for as long as it asks.
func (e *endpoint) rest(d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.restUntil = e.now().Add(min(d, longestRest))
}

// restLeft is how long the node is still to be left alone, 0 if it is not.
func (e *endpoint) restLeft() time.Duration {
	e.mu.Lock()
	defer e.mu.Unlock()
	return max(e.restUntil.Sub(e.now()), 0)
}

// idle says whether the node is not asked for now, at its own wish or for its failures.
func (e *endpoint) idle() bool { return e.restLeft() > 0 || e.breaker.IsOpen() }

// classTimeout is the longest that any request may take: classes are megabytes.
func classTimeout(cfg Config) time.Duration { return 4 * cfg.CallTimeout }

// ofTheChain says whether an error's code is what the chain says of the question.
func ofTheChain(code int) bool {
	switch code {
	case codeContractNotFound, codeEntryPointNotFound, codeBlockNotFound, codeTxNotFound, codeContractError, codeExecutionError:
		return true
	}
	return false
}

// record notes the outcome of a use of the node, for its circuit and for the log, which
// hears of a change only.
func (e *endpoint) record(f *fault) {
	if f == nil || f.answers() {
		e.breaker.RecordSuccess()
	} else {
		e.failures.Add(1)
		e.breaker.RecordFailure()
	}
	e.mu.Lock()
	was := e.last
	e.last = f
	e.mu.Unlock()
	switch {
	case f == nil && was != nil:
		e.log.Info("Starknet node serves again", "node", e.host)
	case f != nil && (was == nil || was.kind != f.kind):
		e.log.Warn("Starknet node fails", "node", e.host, "fault", string(f.kind), "error", f.Error())
	}
}

// release gives back a permit of the circuit whose use says nothing of the node, because
// the caller went away or asked for something else than views. Only a half-open circuit
// counts permits.
func (e *endpoint) release() {
	if e.breaker.IsHalfOpen() {
		e.breaker.RecordFailure()
	}
}

// lastFault returns why the node is not asked.
func (e *endpoint) lastFault() *fault {
	rest := e.restLeft()
	e.mu.Lock()
	defer e.mu.Unlock()
	if rest > 0 && (e.last == nil || !e.last.limitsRate()) { // told to a read that stands beside
		return &fault{kind: faultHTTP, host: e.host, status: http.StatusTooManyRequests,
			says: "the node at " + e.host + " takes no more requests for now, and asks to wait " + briefly(rest)}
	}
	if e.last == nil {
		return &fault{kind: faultUnreachable, host: e.host, says: "the node at " + e.host + " is being left alone for a moment"}
	}
	return e.last
}
