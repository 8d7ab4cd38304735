package chain

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/NethermindEth/starknet.go/rpc"
)

// patienceKey is a context's wait, doubling, after which a request is repeated that a node
// refused for being asked too often: for reads of many requests, of which all that went
// before would be lost.
type patienceKey struct{}

const patientTries = 4

// requestTimeoutKey is a context's longest wait for one HTTP request, where the context's own
// deadline is meant for all requests that a read takes.
type requestTimeoutKey struct{}

// partsAtOnce is how many requests are under way at a node that a larger one was split for.
const partsAtOnce = 4

// batch asks the node for all the calls: in one request, or in as many as its limits demand.
// It returns a fault if the node as a whole failed; else every call has its answer or its own
// error. Calls that are pinned to a block by its hash are answered for the same block however
// they are split.
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

// splitBatch is a batch that is asked for in as many requests as it takes.
type splitBatch struct {
	node     *endpoint
	open     []*rpcCall // without an answer
	answered bool       // some of it was answered
	waits    int        // after refusals for asking too often
}

// batchOnce asks for the calls until all have an answer, in ever smaller requests while the
// node refuses larger ones.
func (e *endpoint) batchOnce(ctx context.Context, calls []*rpcCall) error {
	for _, c := range calls {
		c.again = false
	}
	for b := (splitBatch{node: e, open: calls}); len(b.open) > 0; {
		if f := b.round(ctx); f != nil {
			return f
		}
	}
	return nil
}

// round sends some requests at once, and waits as long as the node wants before the next.
func (b *splitBatch) round(ctx context.Context) *fault {
	const mostWaits = 8
	e := b.node
	size, proven := e.limits.callsNow()
	parts := slices.Collect(slices.Chunk(b.open, size))
	atOnce := min(len(parts), partsAtOnce)
	if e.limits.pauseNow() > 0 || !proven {
		atOnce = 1
	}
	outcomes := e.sendParts(ctx, parts[:atOnce])
	b.answered = b.answered || slices.ContainsFunc(outcomes, func(o partOutcome) bool { return o.fault == nil })
	var left []*rpcCall
	var crowded *fault
	for i, o := range outcomes {
		switch {
		case o.fault == nil:
			left = append(left, o.left...)
		case o.split && e.lowerCalls(len(parts[i]), o.fault):
			left = append(left, parts[i]...)
		case o.fault.limitsRate() && b.answered && b.waits < mostWaits:
			crowded, left = o.fault, append(left, o.left...)
		default:
			e.noteSlow(len(parts[i]), o.fault)
			return o.fault
		}
	}
	b.open = slices.Concat(append([][]*rpcCall{left}, parts[atOnce:]...)...)
	pause := e.limits.pauseNow()
	if crowded != nil {
		b.waits++
		pause = max(pause, e.restLeft())
	}
	if len(b.open) > 0 && pause > 0 && !waitFor(ctx, pause) && crowded != nil {
		return crowded
	}
	return nil
}

// waitFor waits if the context lasts as long, and reports whether it did.
func waitFor(ctx context.Context, d time.Duration) bool {
	if end, ends := ctx.Deadline(); ends && time.Until(end) < d {
		return false
	}
	return sleep(ctx, d)
}

// noteSlow lowers how many calls are asked for at once after a large request took too long at
// a node that serves otherwise. Its repetition is left to the next block.
func (e *endpoint) noteSlow(n int, f *fault) {
	const large = 16
	e.mu.Lock()
	serves := e.last == nil
	e.mu.Unlock()
	if f.kind == faultTimeout && n >= large && serves {
		e.lowerCalls(n, f)
	}
}

// lowerCalls notes that the node refused a request of n calls for its size, and reports
// whether a smaller one may do.
func (e *endpoint) lowerCalls(n int, why *fault) bool {
	smaller, lowered := e.limits.refuse(&e.limits.calls, uint64(n))
	if lowered {
		next, _ := e.limits.callsNow()
		e.log.Info("Starknet node takes fewer calls at once", "node", e.host, "refused", n, "next", next, "because", why.Error())
	}
	return smaller
}

// partOutcome is what became of one request: a fault, or calls that are to be asked again.
type partOutcome struct {
	fault *fault
	split bool // the fault may be the request's size
	left  []*rpcCall
}

func (e *endpoint) sendParts(ctx context.Context, parts [][]*rpcCall) []partOutcome {
	out := make([]partOutcome, len(parts))
	var wg sync.WaitGroup
	for i, part := range parts[1:] {
		wg.Go(func() { out[i+1] = e.send(ctx, part) })
	}
	out[0] = e.send(ctx, parts[0])
	wg.Wait()
	return out
}

// send makes one HTTP request of the calls.
func (e *endpoint) send(ctx context.Context, calls []*rpcCall) partOutcome {
	if timeout, bounded := ctx.Value(requestTimeoutKey{}).(time.Duration); bounded {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, timeout)
		defer cancel()
	}
	r, f := e.request(ctx, calls)
	switch {
	case f != nil:
		split := f.kind == faultTooLarge
		if len(calls) > 1 && (f.kind == faultGarbage || brokeOff(f.cause)) {
			split = e.takesOne(ctx, calls[0])
		}
		return partOutcome{fault: f, split: split}
	case r != nil:
		f = e.refusalFault(r)
		if r.backoff > 0 {
			e.rest(r.backoff)
		}
		if r.ofRate() && !r.ofSize() {
			e.limits.tooOften(len(calls))
			return partOutcome{fault: f, left: calls}
		}
		split := len(calls) > 1 && (r.ofSize() || r.mayBeOfSize() && e.takesOne(ctx, calls[0]))
		if f.span && calls[0].method == methodGetEvents {
			split = false // fewer blocks would help, not fewer calls
		}
		return partOutcome{fault: f, split: split}
	}
	return e.sortAnswers(calls)
}

// request makes one HTTP request. It returns a refusal or a fault, or neither and the calls
// have what the node said of each.
func (e *endpoint) request(ctx context.Context, calls []*rpcCall) (*refusal, *fault) {
	body, err := encodeCalls(calls)
	if err != nil {
		return nil, &fault{kind: faultRPC, host: e.host, cause: err, says: "a question to the node at " + e.host + " cannot be written"}
	}
	e.requests.Add(1)
	e.calls.Add(uint64(len(calls)))
	start := time.Now()
	status, answer, err := e.post(ctx, body)
	if err != nil {
		return nil, e.transportFault(ctx, err, time.Since(start))
	}
	if status < 200 || status > 299 {
		return e.readRefusal(status, answer), nil
	}
	whole, err := decodeAnswers(answer, calls)
	if err != nil {
		f := e.transportFault(ctx, err, time.Since(start))
		f.says += inQuotes(e.words(textOf(answer[:min(len(answer), maxRefusalBytes)])))
		return nil, f
	}
	if whole != nil {
		return e.refusalOf(whole), nil
	}
	return nil, nil
}

// takesOne asks for one call by itself, to tell whether a node that says too little refuses
// a request's size or everything.
func (e *endpoint) takesOne(ctx context.Context, call *rpcCall) bool {
	one := &rpcCall{method: call.method, params: call.params}
	r, f := e.request(ctx, []*rpcCall{one})
	return r == nil && f == nil && (one.err == nil || ofTheChain(codeOf(one.err)))
}

// sortAnswers judges what the node said of each call of a request.
func (e *endpoint) sortAnswers(calls []*rpcCall) partOutcome {
	var unanswered, limited []*rpcCall
	var limit error
	refused := 0
	for _, c := range calls {
		switch code := codeOf(c.err); {
		case errors.Is(c.err, errUnanswered):
			unanswered = append(unanswered, c)
		case limitsRate(c.err):
			limit, limited = c.err, append(limited, c) // some providers refuse single calls of a batch
			e.clean(c)
		case code != 0 && !ofTheChain(code):
			e.clean(c)
			if c.method != methodGetEvents { // whose refusals tell limits of its own
				refused++
			}
		}
	}
	switch {
	case len(limited) > 0:
		e.limits.tooOften(len(calls))
		return partOutcome{fault: e.refusal(limit), left: slices.Concat(limited, unanswered)}
	case len(unanswered) == len(calls) && !calls[0].again:
		return partOutcome{fault: &fault{kind: faultGarbage, host: e.host, cause: errUnanswered,
			says: "the node at " + e.host + " answered none of the questions that it was asked"}}
	case refused == len(calls):
		f := e.refusal(calls[0].err)
		r := &refusal{code: codeOf(calls[0].err), words: e.callWords(calls[0].err)}
		return partOutcome{fault: f, split: len(calls) > 1 && r.ofSize()}
	}
	e.limits.answered(len(calls))
	var again []*rpcCall
	for _, c := range unanswered {
		if !c.again {
			c.again = true
			again = append(again, c)
		}
	}
	return partOutcome{left: again}
}

// clean leaves of a node's own error what is fit to be shown.
func (e *endpoint) clean(c *rpcCall) {
	c.err = &rpc.RPCError{Code: codeOf(c.err), Message: e.callWords(c.err)}
}

// refusal is the fault of a node that answers an error of its own to a call.
func (e *endpoint) refusal(err error) *fault {
	f := &fault{kind: faultRPC, host: e.host, cause: err, rate: limitsRate(err)}
	does := "could not answer"
	if f.rate {
		does = "takes no more requests for now"
	}
	words := e.callWords(err)
	f.span = !ofTheChain(codeOf(err)) && ofSpan(words)
	f.says = fmt.Sprintf("the node at %s %s (JSON-RPC error %d)%s", e.host, does, codeOf(err), inQuotes(words))
	return f
}
