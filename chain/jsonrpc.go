package chain

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"

	"github.com/NethermindEth/starknet.go/rpc"
)

// This file speaks JSON-RPC 2.0 over HTTP. starknet.go's client takes an error object that
// answers a whole batch for no JSON, and hides what a node says of its limits.

// rpcCall is one element of a request: what is asked, and then its raw answer or error.
type rpcCall struct {
	method string
	params []any
	raw    json.RawMessage
	err    error // *rpc.RPCError if the node sent one, errUnanswered if it sent nothing
	again  bool  // it is asked for again, since it alone was left unanswered
}

var errUnanswered = errors.New("the answer holds nothing for this call")

// wireRequest and wireAnswer are what goes over the wire for one call.
type wireRequest struct {
	Version string `json:"jsonrpc"`
	ID      int    `json:"id"`
	Method  string `json:"method"`
	Params  []any  `json:"params"`
}

type wireAnswer struct {
	ID     json.RawMessage `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *wireError      `json:"error"`
}

type wireError struct {
	Code    int             `json:"code"`
	Message string          `json:"message"`
	Data    json.RawMessage `json:"data"`
}

// rpcError turns an error object into starknet.go's own type.
func (w *wireError) rpcError() *rpc.RPCError {
	e := &rpc.RPCError{Code: w.Code, Message: w.Message}
	if len(w.Data) > 0 && string(w.Data) != "null" {
		e.Data = rpc.StringErrData(w.Data)
	}
	return e
}

// encodeCalls writes a request: one call by itself, since some nodes take no batch.
func encodeCalls(calls []*rpcCall) ([]byte, error) {
	requests := make([]wireRequest, len(calls))
	for i, c := range calls {
		requests[i] = wireRequest{Version: "2.0", ID: i + 1, Method: c.method, Params: c.params}
		if c.params == nil {
			requests[i].Params = []any{}
		}
	}
	if len(requests) == 1 {
		return json.Marshal(requests[0])
	}
	return json.Marshal(requests)
}

// maxRefusalBytes bounds how much is read of the body of an answer that is no success.
const maxRefusalBytes = 64 << 10

// post sends a request's body. The error is one of the round trip or of reading the answer.
func (e *endpoint) post(ctx context.Context, body []byte) (status int, answer []byte, err error) {
	q, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	q.Header.Set("Content-Type", "application/json")
	q.Header.Set("Accept", "application/json")
	resp, err := e.http.Do(q)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close() //nolint:errcheck // it was read as far as it is wanted
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		answer, _ = io.ReadAll(io.LimitReader(resp.Body, maxRefusalBytes))
		return resp.StatusCode, answer, nil
	}
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// decodeAnswers puts the answers into their calls, and returns the error object that stands
// for the whole request, if one does. The error says that the answer is no JSON-RPC.
func decodeAnswers(body []byte, calls []*rpcCall) (whole *wireError, err error) {
	for _, c := range calls {
		c.raw, c.err = nil, errUnanswered
	}
	var answers []wireAnswer
	if bytes.HasPrefix(bytes.TrimLeft(body, " \t\r\n"), []byte("[")) {
		err = decodeJSON(body, &answers)
	} else {
		var one wireAnswer
		err = decodeJSON(body, &one)
		answers = []wireAnswer{one}
	}
	if err != nil {
		return nil, err
	}
	for _, a := range answers {
		i, err := strconv.Atoi(string(a.ID))
		switch {
		case err != nil || i < 1 || i > len(calls):
			if a.Error != nil && (len(a.ID) == 0 || string(a.ID) == "null") {
				whole = a.Error
			}
		case a.Error != nil:
			calls[i-1].err = a.Error.rpcError()
		case a.Result != nil:
			calls[i-1].raw, calls[i-1].err = a.Result, nil
		}
	}
	// Some nodes give the error of a batch that they refuse the id of its first call.
	if whole == nil && len(calls) > 1 && len(answers) == 1 && answers[0].Error != nil && !ofTheChain(answers[0].Error.Code) {
		whole = answers[0].Error
	}
	return whole, nil
}

// decodeJSON reads JSON that may end too early, which io.ErrUnexpectedEOF tells.
func decodeJSON(body []byte, into any) error {
	err := json.NewDecoder(bytes.NewReader(body)).Decode(into)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: %w", errCutShort, err)
	}
	return err
}
