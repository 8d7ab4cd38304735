package chain

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/NethermindEth/starknet.go/rpc"
)

// refusal is a node's answer to a whole request that answers none of its calls.
type refusal struct {
	status  int           // of HTTP, 0 for success
	code    int           // of JSON-RPC, 0 if there is no error object
	words   string        // the node's own, fit to be shown
	backoff time.Duration // for which the node wants to be left alone
}

// readRefusal reads the body of an answer that is no success.
func (e *endpoint) readRefusal(status int, body []byte) *refusal {
	r := &refusal{status: status}
	var withError struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
		Detail  string          `json:"detail"`
	}
	one := bytes.TrimSpace(body)
	if list := []json.RawMessage{}; json.Unmarshal(one, &list) == nil && len(list) > 0 {
		one = list[0]
	}
	if json.Unmarshal(one, &withError) != nil {
		r.words = e.words(textOf(body))
		return r
	}
	var w wireError
	var text string
	switch {
	case len(withError.Error) == 0:
		r.words = e.words(withError.Message + " " + withError.Detail)
	case json.Unmarshal(withError.Error, &w) == nil:
		r.setError(e, &w)
	case json.Unmarshal(withError.Error, &text) == nil:
		r.words = e.words(text)
	}
	return r
}

// refusalOf is the refusal by an error object.
func (e *endpoint) refusalOf(w *wireError) *refusal {
	r := &refusal{}
	r.setError(e, w)
	return r
}

func (r *refusal) setError(e *endpoint, w *wireError) {
	r.code, r.words = w.Code, e.errorWords(w.Message, w.Data)
	var data struct {
		Rate struct {
			Backoff float64 `json:"backoff_seconds"` // as Infura writes it
		} `json:"rate"`
	}
	if json.Unmarshal(w.Data, &data) == nil && data.Rate.Backoff > 0 {
		r.backoff = time.Duration(min(data.Rate.Backoff, longestRest.Seconds()) * float64(time.Second))
	}
}

// errorWords are the words of an error object: its message and what its data adds.
func (e *endpoint) errorWords(message string, data json.RawMessage) string {
	var text string
	var named struct {
		Reason  string `json:"reason"`
		Details string `json:"details"`
		Message string `json:"message"`
		Error   string `json:"error"`
	}
	if json.Unmarshal(data, &text) != nil && json.Unmarshal(data, &named) == nil {
		for _, s := range []string{named.Reason, named.Details, named.Message, named.Error} {
			if text == "" {
				text = s
			}
		}
	}
	if text != "" && text != message {
		message = strings.TrimRight(message, ".: ") + ": " + text
	}
	return e.words(strings.TrimPrefix(message, ": "))
}

// callWords are a node's words of one call's error, "" if it is none of JSON-RPC.
func (e *endpoint) callWords(err error) string {
	r, is := errors.AsType[*rpc.RPCError](err)
	if !is {
		return ""
	}
	var data json.RawMessage
	if r.Data != nil {
		data = json.RawMessage(r.Data.ErrorMessage())
	}
	return e.errorWords(r.Message, data)
}

var (
	htmlTitle = regexp.MustCompile(`(?is)<title[^>]*>(.*?)</title>`)
	htmlAside = regexp.MustCompile(`(?is)<(script|style)[^>]*>.*?</(script|style)>|<[^>]*>`)
)

// textOf is what a page says: its title, or its text without tags.
func textOf(body []byte) string {
	text := string(body)
	if m := htmlTitle.FindStringSubmatch(text); m != nil && strings.TrimSpace(m[1]) != "" {
		return html.UnescapeString(m[1])
	}
	return html.UnescapeString(htmlAside.ReplaceAllString(text, " "))
}

// ofRate reports whether the node was asked too often.
func (r *refusal) ofRate() bool {
	return r.status == http.StatusTooManyRequests || rateLimited(r.code, r.words)
}

// The codes of jsonrpsee's server, on which several nodes stand, for requests and answers
// that are too large (types/src/error.rs of paritytech/jsonrpsee).
const (
	codeRequestTooBig       = -32007
	codeResponseTooBig      = -32008
	codeServerBusy          = -32009
	codeBatchTooBig         = -32010
	codeBatchResponseTooBig = -32011
)

// sizeWords are what nodes and proxies say of requests and answers that are too large.
var sizeWords = []string{
	"batch", "array exceeds", "too large", "too big", "too long", "too many calls", "oversized", "response size", "request size", "payload", "body limit",
}

// ofSize reports whether the node says that the request, or the answer to it, is too large.
func (r *refusal) ofSize() bool {
	words := strings.ToLower(r.words)
	switch {
	case strings.Contains(words, "batch"), strings.Contains(words, "array exceeds"):
		return true
	case r.ofRate():
		return false
	case r.status == http.StatusRequestEntityTooLarge, r.code == codeBatchTooBig, r.code == codeBatchResponseTooBig,
		r.code == codeRequestTooBig, r.code == codeResponseTooBig:
		return true
	}
	return slices.ContainsFunc(sizeWords, func(w string) bool { return strings.Contains(words, w) })
}

// spanWords are what providers say of events of too many blocks.
var spanWords = []string{"range", "blocks distance", "too many blocks", "block limit", "from block", "from_block", "to_block"}

// ofSpan reports whether words are said of events of too many blocks.
func ofSpan(words string) bool {
	words = strings.ToLower(words)
	return slices.ContainsFunc(spanWords, func(w string) bool { return strings.Contains(words, w) })
}

// mayBeOfSize reports whether the node says too little to tell.
func (r *refusal) mayBeOfSize() bool {
	switch r.status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusPaymentRequired, http.StatusTooManyRequests:
		return false
	}
	redirects := r.status >= 300 && r.status < 400
	return !redirects && !r.ofRate()
}

// fault is the refusal as the failure of its node.
func (e *endpoint) refusalFault(r *refusal) *fault {
	f := &fault{kind: faultHTTP, host: e.host, status: r.status}
	node := "the node at " + e.host
	switch {
	case r.status != 0:
		f.says = node + " " + statusWords(r.status)
	case r.ofRate():
		f.kind, f.says = faultRPC, fmt.Sprintf("%s takes no more requests for now (JSON-RPC error %d)", node, r.code)
	default:
		f.kind, f.says = faultRPC, fmt.Sprintf("%s could not answer (JSON-RPC error %d)", node, r.code)
	}
	f.rate, f.span = r.ofRate(), ofSpan(r.words)
	f.says += inQuotes(r.words)
	if rest := e.restLeft(); f.rate && rest > 0 {
		f.says += ", and asks to wait " + briefly(rest)
	}
	return f
}

// inQuotes appends a node's own words to a phrase.
func inQuotes(words string) string {
	if words == "" {
		return ""
	}
	return ": “" + words + "”"
}
