package chain

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gorilla/websocket"

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

	asked      bool // for the subscription
	subscribed bool
	subID      string // as the node wrote it; "" until it did
}

// socketListener is told what comes over a websocket, from one goroutine.
type socketListener struct {
	opened func()             // the node granted the subscription
	head   func(linkedHeader) // the chain has a new newest block
	reorg  func(from uint64)  // blocks from this number on are of the chain no longer
	silent func()             // nothing was told for Config.SocketSilence
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
	s := &headSocket{host: u.Host, cfg: cfg, tell: tell}
	if f := s.dial(ctx, u); f != nil {
		return f
	}
	return s.listen(ctx)
}

func (s *headSocket) dial(ctx context.Context, u *url.URL) *fault {
	dialer := websocket.Dialer{Proxy: http.ProxyFromEnvironment, HandshakeTimeout: s.cfg.CallTimeout}
	header := http.Header{}
	if u.User != nil { // the library takes none in a URL
		header.Set("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(u.User.String())))
		bare := *u
		bare.User = nil
		u = &bare
	}
	start := time.Now()
	conn, resp, err := dialer.DialContext(ctx, u.String(), header)
	if resp != nil {
		_ = resp.Body.Close() // holds what the library has read of it
	}
	if err != nil {
		return s.fault(err, resp, time.Since(start))
	}
	s.conn = conn
	return nil
}

// listen reads the websocket, which is closed when it returns.
func (s *headSocket) listen(ctx context.Context) *fault {
	ctx, end := context.WithCancel(ctx)
	heard := make(chan struct{}, 1)
	var keeper sync.WaitGroup
	keeper.Go(func() { s.keep(ctx, heard) })
	defer keeper.Wait()
	defer end()

	s.conn.SetReadLimit(maxSocketMessage)
	alive := func() error { return s.conn.SetReadDeadline(time.Now().Add(3 * s.cfg.SocketPing)) }
	s.conn.SetPongHandler(func(string) error { return alive() })
	start := time.Now()
	err := s.conn.SetReadDeadline(start.Add(s.cfg.CallTimeout))
	if err == nil {
		err = s.ask(socketChainID, "starknet_chainId", []any{})
	}
	for err == nil {
		var message []byte
		if _, message, err = s.conn.ReadMessage(); err != nil {
			break
		}
		if f := s.take(message, heard); f != nil {
			return f
		}
		if s.subscribed {
			err = alive()
		}
	}
	if f, is := errors.AsType[*fault](context.Cause(ctx)); is {
		return f
	}
	return s.fault(err, nil, time.Since(start))
}

// keep sends pings, says when no head was told for too long, and closes the websocket when
// ctx ends.
func (s *headSocket) keep(ctx context.Context, heard <-chan struct{}) {
	const patience = 5 * time.Second
	defer s.conn.Close() //nolint:errcheck // nothing is left to be sent
	ping := time.NewTicker(s.cfg.SocketPing)
	defer ping.Stop()
	silence := time.NewTimer(s.cfg.SocketSilence)
	defer silence.Stop()
	for {
		select {
		case <-ctx.Done():
			bye := websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")
			_ = s.conn.WriteControl(websocket.CloseMessage, bye, time.Now().Add(time.Second))
			return
		case <-ping.C:
			if s.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(patience)) != nil {
				return
			}
		case <-heard:
			silence.Reset(s.cfg.SocketSilence)
		case <-silence.C:
			s.tell.silent()
		}
	}
}

func (s *headSocket) ask(id, method string, params any) error {
	if err := s.conn.SetWriteDeadline(time.Now().Add(s.cfg.CallTimeout)); err != nil {
		return err
	}
	return s.conn.WriteJSON(map[string]any{"jsonrpc": "2.0", "id": json.RawMessage(id), "method": method, "params": params})
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
func (s *headSocket) take(raw []byte, heard chan struct{}) *fault {
	var m socketMessage
	if err := json.Unmarshal(raw, &m); err != nil {
		return s.nonsense(err)
	}
	switch {
	case m.Method == "" && string(m.ID) == socketChainID && !s.asked:
		return s.takeChain(m)
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
func (s *headSocket) takeChain(m socketMessage) *fault {
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
	if err := s.ask(socketSubscribe, "starknet_subscribeNewHeads", map[string]string{"block_id": "latest"}); err != nil {
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
		says: fmt.Sprintf("the node at %s told nonsense over its websocket", s.host)}
}

// fault sorts an error of the connection.
func (s *headSocket) fault(err error, refused *http.Response, waited time.Duration) *fault {
	f := &fault{host: s.host, cause: err}
	var netErr net.Error
	node := "the node at " + s.host
	switch {
	case errors.Is(err, websocket.ErrBadHandshake) && refused != nil:
		f.kind, f.status = faultHTTP, refused.StatusCode
		f.says = fmt.Sprintf("%s serves no websocket at this address (HTTP %d)", node, refused.StatusCode)
	case errors.Is(err, websocket.ErrReadLimit):
		f.kind, f.says = faultTooLarge, node+" told more at once over its websocket than this dashboard reads"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &netErr) && netErr.Timeout():
		f.kind, f.says = faultTimeout, fmt.Sprintf("%s did not answer on its websocket in %s", node, briefly(waited))
		if s.subscribed {
			f.says = node + " no longer answers on its websocket"
		}
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
