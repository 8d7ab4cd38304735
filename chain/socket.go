package chain

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/bitsage-network/validator-dashboard/validator"
)

// maxSocketMessage bounds one message of a websocket. A head has some two kilobytes.
const maxSocketMessage = 1 << 20

// headSocket is a websocket on which a node tells the heads of its chain. It speaks for
// itself what the specification's subscriptions need, since starknet.go's takes no header
// that has a field more than in its own version of the specification, and tells a
// reorganisation from a head by that.
type headSocket struct {
	host string
	conn *websocket.Conn
	cfg  Config
	tell socketListener

	pong       chan struct{}
	asked      bool // for the subscription
	subscribed bool
	subID      string // as the node wrote it; "" until it did
}

// socketListener learns what comes over a websocket, from one goroutine.
type socketListener struct {
	opened func()             // the node granted the subscription
	head   func(linkedHeader) // the chain has a new newest block
	reorg  func(from uint64)  // blocks from this number on are of the chain no longer
	silent func()             // nothing was announced for Config.SocketSilence
}

// The ids of the two requests that are made on a websocket.
const (
	socketChainID   = "1"
	socketSubscribe = "2"
)

// listenOnSocket connects to a node's websocket, subscribes to its heads and tells them
// until ctx ends or the websocket fails. It waits for its goroutines. It returns why it
// ended: ctx's cause if that is a fault.
func listenOnSocket(ctx context.Context, rawURL string, cfg Config, tell socketListener) *fault {
	u, err := url.Parse(rawURL)
	if err != nil {
		return &fault{kind: faultUnreachable, says: "a websocket's URL cannot be parsed"}
	}
	s := &headSocket{host: u.Host, cfg: cfg, tell: tell, pong: make(chan struct{}, 1)}
	if f := s.dial(ctx, u); f != nil {
		return f
	}
	return s.listen(ctx)
}

// dial makes the connection by the transport that the nodes' other requests use, through the
// proxy that it knows of. The HTTP client follows no redirect, so that a key in the URL stays
// with the host it is meant for. Compression is off: no small frame becomes a large message.
func (s *headSocket) dial(ctx context.Context, u *url.URL) *fault {
	start := time.Now()
	conn, resp, err := websocket.Dial(ctx, u.String(), &websocket.DialOptions{ //nolint:bodyclose // the library closes it
		HTTPClient:      httpClient(s.cfg.Transport, s.cfg.CallTimeout),
		CompressionMode: websocket.CompressionDisabled,
		OnPongReceived:  func(context.Context, []byte) { signal(s.pong) },
	})
	if err != nil {
		return s.fault(err, resp, time.Since(start))
	}
	conn.SetReadLimit(maxSocketMessage)
	s.conn = conn
	return nil
}

// listen reads the websocket, which is closed when it returns.
func (s *headSocket) listen(ctx context.Context) *fault {
	reading, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	heard := make(chan struct{}, 1)
	alive := make(chan struct{}, 1)
	var keepers sync.WaitGroup
	keepers.Go(func() { s.keep(ctx, ended, heard, alive, stop) })
	keepers.Go(func() { s.ping(reading) })
	defer keepers.Wait()
	defer s.conn.CloseNow() //nolint:errcheck // nothing is left to be sent
	defer stop(nil)
	defer close(ended)

	err := s.ask(reading, socketChainID, "starknet_chainId", []any{})
	for err == nil {
		var message []byte
		if _, message, err = s.conn.Read(reading); err != nil {
			break
		}
		if f := s.take(reading, message, heard); f != nil {
			return f
		}
		if s.subscribed {
			signal(alive)
		}
	}
	for _, ctx := range []context.Context{ctx, reading} {
		if f, is := errors.AsType[*fault](context.Cause(ctx)); is {
			return f
		}
	}
	return s.fault(err, nil, 0)
}

// keep reports silence, stops the reading of a websocket that gives no sign of life, and
// closes it in good order when ctx ends.
func (s *headSocket) keep(ctx context.Context, ended, heard, alive <-chan struct{}, stop context.CancelCauseFunc) {
	const goodbye = time.Second
	silence := time.NewTimer(s.cfg.SocketSilence)
	defer silence.Stop()
	life := time.NewTimer(s.cfg.CallTimeout) // until the subscription is granted
	defer life.Stop()
	granted := false
	for {
		select {
		case <-ended:
			return
		case <-ctx.Done():
			t := time.AfterFunc(goodbye, func() { stop(nil) })
			defer t.Stop()
			_ = s.conn.Close(websocket.StatusNormalClosure, "") // the reader reports what the node did before
			return
		case <-alive:
			granted = true
			life.Reset(3 * s.cfg.SocketPing)
		case <-s.pong:
			if granted {
				life.Reset(3 * s.cfg.SocketPing)
			}
		case <-life.C:
			stop(s.deaf(granted))
		case <-heard:
			silence.Reset(s.cfg.SocketSilence)
		case <-silence.C:
			s.tell.silent()
		}
	}
}

// ping sends pings until ctx ends. Whether they are answered in time is for keep to judge.
func (s *headSocket) ping(ctx context.Context) {
	for sleep(ctx, s.cfg.SocketPing) {
		pctx, cancel := context.WithTimeout(ctx, s.cfg.SocketPing)
		_ = s.conn.Ping(pctx)
		cancel()
	}
}

func (s *headSocket) ask(ctx context.Context, id, method string, params any) error {
	request, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": json.RawMessage(id), "method": method, "params": params})
	if err != nil {
		return fmt.Errorf("write a request: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.CallTimeout)
	defer cancel()
	return s.conn.Write(ctx, websocket.MessageText, request)
}

// socketMessage is a response or a notification.
type socketMessage struct {
	ID     json.RawMessage `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
	Method string `json:"method"`
	Params struct {
		Subscription json.RawMessage `json:"subscription_id"`
		Result       json.RawMessage `json:"result"`
	} `json:"params"`
}

// take reads one message.
func (s *headSocket) take(ctx context.Context, raw []byte, heard chan struct{}) *fault {
	var m socketMessage
	if err := json.Unmarshal(raw, &m); err != nil {
		return s.nonsense(err)
	}
	switch {
	case m.Method == "" && string(m.ID) == socketChainID && !s.asked:
		return s.takeChain(ctx, m)
	case m.Method == "" && string(m.ID) == socketSubscribe && s.asked:
		if m.Error != nil {
			return s.refusal(m)
		}
		s.subID = string(m.Result)
		s.open()
	case !s.asked:
	case s.subID != "" && string(m.Params.Subscription) != s.subID:
		// of another subscription, or of none
	case m.Method == "starknet_subscriptionNewHeads":
		h, err := decodeLinkedHeader(m.Params.Result)
		if err != nil {
			return s.nonsense(err)
		}
		s.open() // some nodes tell the first head before they answer
		signal(heard)
		s.tell.head(h)
	case m.Method == "starknet_subscriptionReorg":
		var lost struct {
			First *uint64 `json:"starting_block_number"`
		}
		if err := json.Unmarshal(m.Params.Result, &lost); err != nil || lost.First == nil {
			return s.nonsense(errors.New("a reorganisation without its first block"))
		}
		s.tell.reorg(*lost.First)
	}
	return nil
}

func (s *headSocket) open() {
	if !s.subscribed {
		s.subscribed = true
		s.tell.opened()
	}
}

// takeChain subscribes once the node has said that its chain is the wanted one.
func (s *headSocket) takeChain(ctx context.Context, m socketMessage) *fault {
	if m.Error != nil {
		return s.refusal(m)
	}
	felt, err := parseFelt(m.Result)
	if err != nil {
		return s.nonsense(err)
	}
	if f := wrongChain(s.host, felt, s.cfg.Network.ChainID); f != nil {
		return f
	}
	s.asked = true
	// By name, since some nodes take no list here, and with the block, since some ask for it.
	if err := s.ask(ctx, socketSubscribe, "starknet_subscribeNewHeads", map[string]string{"block_id": "latest"}); err != nil {
		return s.fault(err, nil, 0)
	}
	return nil
}

func (s *headSocket) refusal(m socketMessage) *fault {
	return &fault{kind: faultRPC, host: s.host, cause: errors.New(m.Error.Message),
		says: fmt.Sprintf("the node at %s offers no subscription to new blocks (JSON-RPC error %d)", s.host, m.Error.Code)}
}

func (s *headSocket) nonsense(cause error) *fault {
	return &fault{kind: faultGarbage, host: s.host, cause: cause,
		says: fmt.Sprintf("the node at %s sent nonsense over its websocket", s.host)}
}

// deaf is the fault of a node that gives no sign of life over its websocket.
func (s *headSocket) deaf(granted bool) *fault {
	f := &fault{kind: faultTimeout, host: s.host,
		says: fmt.Sprintf("the node at %s did not answer on its websocket in %s", s.host, briefly(s.cfg.CallTimeout))}
	if granted {
		f.says = "the node at " + s.host + " no longer answers on its websocket"
	}
	return f
}

// fault sorts an error of the connection.
func (s *headSocket) fault(err error, handshake *http.Response, waited time.Duration) *fault {
	f := &fault{host: s.host, cause: err}
	var closed websocket.CloseError
	node := "the node at " + s.host
	switch {
	case handshake != nil && handshake.StatusCode == http.StatusSwitchingProtocols:
		return s.nonsense(err)
	case handshake != nil:
		f.kind, f.status = faultHTTP, handshake.StatusCode
		f.says = fmt.Sprintf("%s serves no websocket at this address (HTTP %d)", node, f.status)
	case errors.Is(err, websocket.ErrMessageTooBig):
		f.kind, f.says = faultTooLarge, node+" sent more at once over its websocket than this dashboard reads"
	case errors.As(err, &closed):
		f.kind, f.says = faultUnreachable, fmt.Sprintf("%s closed its websocket (code %d)", node, closed.Code)
		if words := nodeWords(closed.Reason); words != "" {
			f.says = fmt.Sprintf("%s closed its websocket: “%s” (code %d)", node, words, closed.Code)
		}
	case s.conn == nil && timedOut(err):
		f.kind, f.says = faultTimeout, fmt.Sprintf("%s did not answer on its websocket in %s", node, briefly(waited))
	case s.conn == nil:
		f.kind, f.says = faultUnreachable, "the websocket of "+node+" cannot be connected to"
	default:
		f.kind, f.says = faultUnreachable, node+" closed its websocket"
	}
	return f
}

// wrongChain is the fault of a node that serves another chain than the wanted one, or nil.
func wrongChain(host string, got validator.Felt, want string) *fault {
	if got == shortStringFelt(want) {
		return nil
	}
	name, ok := shortString(got)
	if !ok {
		name = got.Short()
	}
	return &fault{kind: faultWrongChain, host: host,
		says: fmt.Sprintf("the node at %s serves %s, this dashboard is set to %s", host, name, want)}
}
