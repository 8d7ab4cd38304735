package chain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/NethermindEth/starknet.go/rpc"
)

// faultKind sorts the ways in which a node as a whole fails to serve.
type faultKind string

const (
	faultTimeout     faultKind = "timeout"
	faultUnreachable faultKind = "unreachable"
	faultHTTP        faultKind = "http_status"
	faultGarbage     faultKind = "not_jsonrpc"
	faultTooLarge    faultKind = "too_large"
	faultRPC         faultKind = "rpc_error"
	faultWrongChain  faultKind = "wrong_chain"
	faultBehind      faultKind = "behind"     // its head is older than one seen before
	faultOldHead     faultKind = "old_head"   // its head's time is too long ago
	faultBlockGone   faultKind = "block_gone" // it does not know the block that a read is pinned to
)

// fault is one node's failure. Its sentence is for people, its cause for the log.
type fault struct {
	kind   faultKind
	host   string
	says   string // a phrase that begins with "the node at …"
	status int    // of HTTP, for faultHTTP
	beside bool   // of a read that says nothing of the node's fitness for the others
	early  bool   // of a read at a block that the node may not have yet
	rate   bool   // the node was asked too often
	span   bool   // the node was asked for the events of too many blocks
	cause  error
}

func (f *fault) Error() string {
	if f.cause == nil {
		return f.says
	}
	return fmt.Sprintf("%s: %s", f.says, redacted(f.cause))
}

func (f *fault) Unwrap() error { return f.cause }

// answers says whether the node is up although it cannot serve this read: such a fault is
// no reason to stop asking it.
func (f *fault) answers() bool {
	return f.kind == faultBehind || f.kind == faultOldHead || f.kind == faultBlockGone
}

// limitsRate says whether the node was asked too often.
func (f *fault) limitsRate() bool {
	return f.rate || f.status == http.StatusTooManyRequests
}

// rateWords are what providers say of too many requests. Their codes for it are each
// provider's own, and -32005 also stands for too large a question.
var rateWords = []string{
	"too many requests", "rate limit", "rate-limit", "ratelimit", "request rate", "request limit", "requests per second", "request count",
	"throughput", "compute unit", "quota", "concurrent requests", "slow down",
}

// limitsRate reports whether a JSON-RPC error is answered to what was asked too often.
func limitsRate(err error) bool {
	e, is := errors.AsType[*rpc.RPCError](err)
	if !is {
		return false
	}
	words := e.Message
	if e.Data != nil {
		words += " " + e.Data.ErrorMessage()
	}
	return rateLimited(e.Code, words)
}

// rateLimited reports whether an error's code or words are those of too many requests.
func rateLimited(code int, words string) bool {
	switch code {
	case http.StatusTooManyRequests, codeTooManyRequests, codeServerBusy:
		return true
	}
	words = strings.ToLower(words)
	return !ofTheChain(code) && slices.ContainsFunc(rateWords, func(w string) bool { return strings.Contains(words, w) })
}

// passing says whether the same request may well succeed a moment later. A timeout has
// cost its time already, and a wrong network stays wrong.
func (f *fault) passing() bool {
	if f.beside || f.limitsRate() {
		return false // its own, slower rhythm repeats it
	}
	switch f.kind {
	case faultUnreachable, faultHTTP, faultGarbage, faultRPC, faultBlockGone:
		return f.status != http.StatusUnauthorized && f.status != http.StatusForbidden
	case faultTimeout, faultTooLarge, faultWrongChain, faultBehind, faultOldHead:
	}
	return false
}

// outage is a round over all nodes that none of them served.
type outage struct {
	faults []*fault // one a node, in their order
	asked  []*fault // those of nodes that were asked, not left alone by an open circuit
}

func (o *outage) Error() string {
	parts := make([]string, len(o.faults))
	for i, f := range o.faults {
		parts[i] = f.Error()
	}
	return strings.Join(parts, "; ")
}

// only says whether every node failed in this one way.
func (o *outage) only(kind faultKind) bool {
	for _, f := range o.faults {
		if f.kind != kind {
			return false
		}
	}
	return len(o.faults) > 0
}

// has says whether a node failed in this way.
func (o *outage) has(kind faultKind) bool {
	for _, f := range o.faults {
		if f.kind == kind {
			return true
		}
	}
	return false
}

// transportFault sorts an error of the HTTP round trip of a batch.
func (e *endpoint) transportFault(ctx context.Context, err error, waited time.Duration) *fault {
	f := &fault{host: e.host, cause: err}
	node := "the node at " + e.host
	var syntax *json.SyntaxError
	var shape *json.UnmarshalTypeError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded), timedOut(err):
		f.kind, f.says = faultTimeout, fmt.Sprintf("%s did not answer in %s", node, briefly(waited))
	case errors.Is(err, errTooLarge):
		f.kind, f.says = faultTooLarge, node+" answered more than this dashboard reads"
	case errors.As(err, &syntax), errors.As(err, &shape):
		f.kind, f.says = faultGarbage, node+" answered something that is no JSON-RPC"
	case errors.Is(err, errCutShort):
		f.kind, f.says = faultGarbage, node+" broke off in the middle of its answer"
	case brokeOff(err):
		f.kind, f.says = faultUnreachable, node+" broke off the connection"
	default:
		f.kind, f.says = faultUnreachable, node+" cannot be connected to"
	}
	return f
}

// brokeOff reports whether an error is that of a connection which ended without an answer.
func brokeOff(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) }

// timedOut reports whether an error is that of a wait that became too long.
func timedOut(err error) bool {
	var netErr net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.As(err, &netErr) && netErr.Timeout()
}

func statusWords(status int) string {
	switch {
	case status == http.StatusTooManyRequests:
		return "takes no more requests for now (HTTP 429)"
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		return fmt.Sprintf("refuses this dashboard (HTTP %d)", status)
	case status >= 500:
		return fmt.Sprintf("is failing (HTTP %d)", status)
	}
	return fmt.Sprintf("answered HTTP %d where JSON-RPC was expected", status)
}

// codeOf returns the code of a JSON-RPC error, and 0 for any other error.
func codeOf(err error) int {
	if e, ok := errors.AsType[*rpc.RPCError](err); ok {
		return e.Code
	}
	return 0
}

// The codes of the specification that are the chain's own answer, not a node's failure.
const (
	codeContractNotFound   = 20
	codeEntryPointNotFound = 21
	codeBlockNotFound      = 24
	codeTxNotFound         = 29
	codeContractError      = 40
	codeExecutionError     = 41
)

// codePageTooBig is the specification's for a page of more events than the node takes.
const codePageTooBig = 31

// codeTooManyRequests is used by several providers for what HTTP calls 429.
const codeTooManyRequests = -32029

// redacted writes a cause for the log: without the request's URL and whatever else may hold
// a key, and not at any length that a node chooses.
func redacted(err error) string {
	if withURL, ok := errors.AsType[*url.Error](err); ok {
		err = withURL.Err
	}
	return harmless(err.Error(), maxLogWords)
}
