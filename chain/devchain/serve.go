package devchain

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

// maxRequestBytes bounds a request's body.
const maxRequestBytes = 4 << 20

// request is a JSON-RPC request.
type request struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method"`
	Params  json.RawMessage `json:"params"`
}

// response is a JSON-RPC response.
type response struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Result  any             `json:"result,omitempty"`
	Error   *RPCError       `json:"error,omitempty"`
}

// Error makes an RPCError an error inside this package.
func (e *RPCError) Error() string { return e.Message }

// ServeHTTP answers one JSON-RPC request or batch, in the way that the node's faults say.
func (n *Node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.EqualFold(r.Header.Get("Upgrade"), "websocket") {
		n.serveSocket(w, r)
		return
	}
	if r.Method != http.MethodPost {
		http.Error(w, "JSON-RPC is spoken with POST", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequestBytes))
	if err != nil {
		http.Error(w, "the request could not be read", http.StatusBadRequest)
		return
	}
	f := n.currentFaults()
	batch := bytes.HasPrefix(bytes.TrimSpace(body), []byte("["))
	limited := false
	n.count(func(c *Counters) {
		c.Requests++
		if batch {
			c.Batches++
		}
		limited = f.OneInRate > 0 && c.Requests%f.OneInRate != 0
	})
	if limited {
		f.Mode = RateLimits
	}
	if f.RetryAfter != "" && f.Mode == RateLimits {
		w.Header().Set("Retry-After", f.RetryAfter)
	}
	if !pause(r, f.Latency+f.slowness(body)+time.Duration(callsIn(body, batch))*f.PerCall) || failWhole(w, r, f.Mode) {
		return
	}
	if n.refuse(w, body, batch, f.Limits) {
		return
	}
	answer := n.answer(body, batch, f)
	if f.Limits.tooLong(answer, batch) {
		n.count(func(c *Counters) { c.Refused++ })
		f.Limits.Refusal.write(w, "the answer is too long")
		return
	}
	w.Header().Set("Content-Type", "application/json")
	if f.Mode == Truncates {
		answer = answer[:len(answer)/2]
	}
	_, _ = w.Write(answer) // the client may be gone; nobody is left to tell
}

// slowness is how long the slowest method in a request's body takes.
func (f Faults) slowness(body []byte) time.Duration {
	var slowest time.Duration
	for name, d := range f.Slow {
		if bytes.Contains(body, []byte(`"`+name+`"`)) {
			slowest = max(slowest, d)
		}
	}
	return slowest
}

// pause waits for d; it says false if the client left or the node was closed.
func pause(r *http.Request, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

// failWhole answers in the place of the chain where the mode says so.
func failWhole(w http.ResponseWriter, r *http.Request, m Mode) bool {
	switch m {
	case Disconnects:
		panic(http.ErrAbortHandler) // net/http's way to cut a connection
	case Hangs:
		<-r.Context().Done()
	case Garbage:
		_, _ = w.Write([]byte("]] this is not JSON"))
	case HTML:
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = w.Write([]byte("<html><body><h1>502 Bad Gateway</h1></body></html>"))
	case RateLimits:
		w.WriteHeader(http.StatusTooManyRequests)
	case Floods:
		flood(w)
	default:
		return false
	}
	return true
}

func flood(w io.Writer) {
	chunk := bytes.Repeat([]byte(`"0x0000000000000000",`), 4096)
	if _, err := w.Write([]byte(`[{"jsonrpc":"2.0","id":1,"result":[`)); err != nil {
		return
	}
	for sent := 0; sent < FloodBytes; sent += len(chunk) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

// answer answers a request's body. A batch is answered in reverse order, as the
// specification allows, so that a client must go by the ids.
func (n *Node) answer(body []byte, batch bool, f Faults) []byte {
	var out any
	var many []request
	var one request
	switch {
	case batch && f.Mode == SingleError:
		out = failed(nil, &RPCError{Code: -32600, Message: "Batch requests are not supported"})
	case batch && json.Unmarshal(body, &many) == nil && len(many) > 0:
		answers := make([]response, 0, len(many))
		for _, q := range slices.Backward(many) {
			answers = append(answers, n.answerOne(q, f))
		}
		out = answers
	case !batch && json.Unmarshal(body, &one) == nil:
		out = n.answerOne(one, f)
	default:
		out = failed(nil, &RPCError{Code: -32700, Message: "Parse error"})
	}
	b, err := json.Marshal(out)
	if err != nil {
		b, _ = json.Marshal(failed(nil, &RPCError{Code: -32603, Message: "Internal error"}))
	}
	return b
}

func (n *Node) answerOne(q request, f Faults) response {
	if q.Version != "2.0" || q.Method == "" {
		return failed(q.ID, &RPCError{Code: -32600, Message: "Invalid Request"})
	}
	n.count(func(c *Counters) { c.Methods[q.Method]++ })
	if f.Mode == WrongIDs {
		q.ID = json.RawMessage(`"nobody asked"`)
	}
	if e, ok := f.Methods[q.Method]; ok {
		return failed(q.ID, &e)
	}
	if v, ok := f.Answers[q.Method]; ok {
		return response{Version: "2.0", ID: idOf(q.ID), Result: v}
	}
	result, err := n.dispatch(q.Method, q.Params, f)
	var rpcErr *RPCError
	switch {
	case errors.As(err, &rpcErr):
		return failed(q.ID, rpcErr)
	case err != nil:
		return failed(q.ID, &RPCError{Code: -32603, Message: "Internal error", Data: err.Error()})
	}
	return response{Version: "2.0", ID: idOf(q.ID), Result: result}
}

func failed(id json.RawMessage, e *RPCError) response {
	return response{Version: "2.0", ID: idOf(id), Error: e}
}

func idOf(id json.RawMessage) json.RawMessage {
	if len(id) == 0 {
		return json.RawMessage("null")
	}
	return id
}
