package devchain

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// refuse refuses a request that is over the node's limits, and reports whether it did.
func (n *Node) refuse(w http.ResponseWriter, body []byte, batch bool, l Limits) bool {
	calls := callsIn(body, batch)
	switch {
	case batch && l.Calls > 0 && calls > l.Calls, l.Bytes > 0 && len(body) > l.Bytes:
		n.count(func(c *Counters) { c.Refused++ })
		l.Refusal.write(w, fmt.Sprintf("array exceeds maximum length %d at line 1 column 100", l.Calls))
	case l.CallRate > 0 && !n.admit(calls, l.CallRate):
		n.count(func(c *Counters) { c.Refused++ })
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write([]byte(`{"jsonrpc":"2.0","id":null,"error":{"code":429,"message":"Your app has exceeded its compute units per second capacity."}}`))
	default:
		return false
	}
	return true
}

// callsIn counts the calls of a request.
func callsIn(body []byte, batch bool) int {
	var many []json.RawMessage
	if !batch || json.Unmarshal(body, &many) != nil {
		return 1
	}
	return len(many)
}

// write answers with the refusal; reason is what Pathfinder adds to its own.
func (r Refusal) write(w http.ResponseWriter, reason string) {
	if r.Cuts {
		panic(http.ErrAbortHandler)
	}
	w.Header().Set("Content-Type", cmp.Or(r.ContentType, "application/json"))
	w.WriteHeader(cmp.Or(r.Status, http.StatusOK))
	text := []byte(r.Body)
	if r == (Refusal{}) {
		text, _ = json.Marshal(failed(nil, &RPCError{Code: -32700, Message: "Parse error", Data: map[string]string{"reason": reason}}))
	}
	_, _ = w.Write(text)
}

// admit takes calls out of a bucket that holds those of a second, and reports whether it had
// them.
func (n *Node) admit(calls, rate int) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	now := time.Now()
	n.bucket = min(n.bucket+now.Sub(n.bucketAt).Seconds()*float64(rate), float64(rate))
	n.bucketAt = now
	if float64(calls) > n.bucket {
		return false
	}
	n.bucket -= float64(calls)
	return true
}

// tooLong says whether the answer to a batch is over the node's limit.
func (l Limits) tooLong(answer []byte, batch bool) bool {
	return batch && l.AnswerBytes > 0 && len(answer) > l.AnswerBytes
}
