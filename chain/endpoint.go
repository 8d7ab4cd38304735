package chain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"time"

	"github.com/NethermindEth/starknet.go/client"
	"github.com/failsafe-go/failsafe-go/circuitbreaker"
)

// endpoint is one RPC node.
type endpoint struct {
	host    string // for people and the log: never the path or credentials
	rpc     *client.Client
	breaker circuitbreaker.CircuitBreaker[any]
	log     *slog.Logger

	now         func() time.Time
	mu          sync.Mutex
	restUntil   time.Time // the node asked to be left alone until then
	last        *fault    // nil while the node serves
	specChecked bool      // its version of the specification has been looked at

	requests, calls, failures atomic.Uint64
}

// rpcCall is one element of a batch: what is asked, and then its raw answer or error.
type rpcCall struct {
	method string
	params []any
	raw    json.RawMessage
	err    error // *rpc.RPCError if the node sent one
}

func newEndpoint(rawURL string, cfg Config) (*endpoint, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("%w: an RPC URL cannot be parsed", ErrConfig)
	}
	e := &endpoint{
		host: u.Host, log: cfg.Log, now: cfg.Now,
		breaker: circuitbreaker.NewBuilder[any]().
			WithFailureThreshold(uint(cfg.BreakerFailures)).
			WithSuccessThreshold(1).
			WithDelay(cfg.BreakerDelay).
			Build(),
	}
	// No node is called here: over HTTP, dialing only makes the client.
	e.rpc, err = client.DialOptions(context.Background(), rawURL,
		client.WithHTTPClient(httpClient(boundedTransport{cfg.Transport, cfg.MaxResponseBytes, e.rest}, classTimeout(cfg))))
	if err != nil {
		return nil, fmt.Errorf("%w: the node at %s: %s", ErrConfig, u.Host, redacted(err))
	}
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

// batch sends the calls as one JSON-RPC batch, a single one too: only batches are matched
// by id. It returns a fault if the node as a whole failed; else every call has its answer
// or its own error.
func (e *endpoint) batch(ctx context.Context, calls []*rpcCall) error {
	patience, _ := ctx.Value(patienceKey{}).(time.Duration)
	for try := 0; ; try++ {
		err := e.batchOnce(ctx, calls)
		f, failed := errors.AsType[*fault](err)
		wait := max(patience<<try, e.restLeft())
		if patience == 0 || try == patientTries || !failed || !f.limitsRate() || wait > patience<<patientTries || !sleep(ctx, wait) {
			return err
		}
	}
}

// patienceKey is a context's wait, doubling, after which a request is repeated that a node
// refused for being asked too often: for reads of many requests, of which all that went
// before would be lost.
type patienceKey struct{}

const patientTries = 4

func (e *endpoint) batchOnce(ctx context.Context, calls []*rpcCall) error {
	elems := make([]client.BatchElem, len(calls))
	for i, c := range calls {
		c.raw, c.err = nil, nil
		elems[i] = client.BatchElem{Method: c.method, Args: c.params, Result: &c.raw}
		if elems[i].Args == nil {
			elems[i].Args = []any{}
		}
	}
	e.requests.Add(1)
	e.calls.Add(uint64(len(calls)))
	start := time.Now()
	if err := e.rpc.BatchCallContext(ctx, elems); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = fmt.Errorf("%w: %w", errCutShort, err)
		}
		return e.transportFault(ctx, err, time.Since(start))
	}
	unanswered, refused := 0, 0
	var limited error
	for i, c := range calls {
		switch err := elems[i].Error; {
		case err == nil:
		case errors.Is(err, client.ErrMissingBatchResponse):
			unanswered++
			c.err = err
		default:
			c.err = rpcError(err)
			if limitsRate(c.err) {
				limited = c.err // some providers refuse single calls of a batch
			}
			if code := codeOf(c.err); code != 0 && !ofTheChain(code) {
				refused++
			}
		}
	}
	switch {
	case limited != nil:
		return e.refusal(limited)
	case unanswered == len(calls):
		return &fault{kind: faultGarbage, host: e.host, cause: client.ErrMissingBatchResponse,
			says: "the node at " + e.host + " answered none of the questions that it was asked"}
	case refused == len(calls):
		return e.refusal(calls[0].err)
	}
	return nil
}

// refusal is the fault of a node that answers an error of its own.
func (e *endpoint) refusal(err error) *fault {
	if limitsRate(err) {
		return &fault{kind: faultRPC, host: e.host, cause: err,
			says: fmt.Sprintf("the node at %s takes no more requests for now (JSON-RPC error %d)", e.host, codeOf(err))}
	}
	return &fault{kind: faultRPC, host: e.host, cause: err,
		says: fmt.Sprintf("the node at %s could not answer (JSON-RPC error %d)", e.host, codeOf(err))}
}

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
