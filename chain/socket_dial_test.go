package chain_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/coder/websocket"

	"github.com/bitsage-network/validator-dashboard/chain"
)

// socketServer is a server of which a client takes new heads, before the rig's own node.
func socketServer(t *testing.T, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s
}

func TestAWebsocketsRedirectIsNotFollowed(t *testing.T) {
	r := newRig(t, 1)
	target := strings.Replace(r.nodes[0].URL(), "127.0.0.1", "localhost", 1)
	s := socketServer(t, func(w http.ResponseWriter, q *http.Request) {
		http.Redirect(w, q, target, http.StatusTemporaryRedirect)
	})
	r.renew(t, func(c *chain.Config) {
		c.NoSockets, c.SocketURLs = false, []string{"ws" + strings.TrimPrefix(s.URL, "http") + "/secret-key"}
	})
	r.run(t)
	r.snapshot(alice)
	eventually(t, "the redirect is reported", func() bool {
		return strings.HasSuffix(r.arrival(), " serves no websocket at this address (HTTP 307)")
	})
	if n := r.nodes[0].Counters().Upgrades; n != 0 {
		t.Errorf("the redirect was followed %d times", n)
	}
	if strings.Contains(r.log.String(), "secret-key") {
		t.Errorf("the log holds the key:\n%s", r.log)
	}
}

func TestAWebsocketsHandshake(t *testing.T) {
	r := newRig(t, 1)
	asked := make(chan *http.Request, 1)
	s := socketServer(t, func(w http.ResponseWriter, q *http.Request) {
		select {
		case asked <- q.Clone(context.Background()):
		default:
		}
		conn, err := websocket.Accept(w, q, nil)
		if err != nil {
			return
		}
		_ = conn.Close(websocket.StatusPolicyViolation, "key=0badc0de may open 1 websocket,\nsee https://rpc.example.org/?key=0badc0de")
	})
	r.renew(t, func(c *chain.Config) {
		c.NoSockets, c.SocketURLs = false, []string{"ws://user:p%40ss@" + strings.TrimPrefix(s.URL, "http://") + "/path?q=1"}
	})
	r.run(t)
	r.snapshot(alice)
	q := <-asked
	if user, password, ok := q.BasicAuth(); !ok || user != "user" || password != "p@ss" {
		t.Errorf("the URL's credentials arrived as %q %q", user, password)
	}
	if got := q.Header.Get("Sec-WebSocket-Extensions"); got != "" {
		t.Errorf("compression was offered: %q", got)
	}
	if q.URL.RequestURI() != "/path?q=1" {
		t.Errorf("asked for %s", q.URL.RequestURI())
	}
	want := "closed its websocket: “… may open 1 websocket, see …” (code 1008)"
	eventually(t, "the node's reason is given", func() bool { return strings.HasSuffix(r.arrival(), want) })
	if log := r.log.String(); strings.Contains(log, "0badc0de") || strings.Contains(log, "p@ss") || strings.Contains(log, "p%40ss") {
		t.Errorf("the log holds a key:\n%s", log)
	}
}

func TestAWebsocketIsClosedInGoodOrder(t *testing.T) {
	r := newRig(t, 1)
	status, opened := make(chan websocket.StatusCode, 1), make(chan struct{}, 1)
	s := socketServer(t, func(w http.ResponseWriter, q *http.Request) {
		conn, err := websocket.Accept(w, q, nil)
		if err != nil {
			return
		}
		for {
			if _, _, err := conn.Read(context.Background()); err != nil {
				status <- websocket.CloseStatus(err)
				return
			}
			opened <- struct{}{}
		}
	})
	r.renew(t, func(c *chain.Config) {
		c.NoSockets, c.SocketURLs = false, []string{"ws" + strings.TrimPrefix(s.URL, "http")}
	})
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- r.client.Run(ctx) }()
	<-opened
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if got := <-status; got != websocket.StatusNormalClosure {
		t.Errorf("the websocket was closed with %d", got)
	}
}

// TestAWebsocketGoesThroughTheProxy has a proxy that knows CONNECT only, as many do.
func TestAWebsocketGoesThroughTheProxy(t *testing.T) {
	r := newRig(t, 1)
	node := httptest.NewUnstartedServer(r.nodes[0])
	node.EnableHTTP2 = true // which a websocket cannot use
	node.StartTLS()
	t.Cleanup(node.Close)
	var mu sync.Mutex
	var connects []string
	proxy := socketServer(t, func(w http.ResponseWriter, q *http.Request) {
		if q.Method != http.MethodConnect {
			http.Error(w, "CONNECT only", http.StatusMethodNotAllowed)
			return
		}
		mu.Lock()
		connects = append(connects, q.Host)
		mu.Unlock()
		up, err := net.Dial("tcp", q.Host)
		if err != nil {
			http.Error(w, "no", http.StatusBadGateway)
			return
		}
		defer up.Close()
		w.WriteHeader(http.StatusOK)
		down, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer down.Close()
		go func() { _, _ = io.Copy(up, down); _ = up.(*net.TCPConn).CloseWrite() }()
		_, _ = io.Copy(down, up)
	})
	proxyURL, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := node.Client().Transport.(*http.Transport).Clone()
	transport.Proxy = func(q *http.Request) (*url.URL, error) {
		if q.URL.Scheme == "https" {
			return proxyURL, nil
		}
		return nil, nil
	}
	r.renew(t, hardlyPolled, func(c *chain.Config) {
		c.Transport, c.SocketURLs = transport, []string{"wss" + strings.TrimPrefix(node.URL, "https")}
	})
	t.Cleanup(r.nodes[0].DropSockets)
	r.run(t)
	r.seenAt(t, alice, r.chain.Mine())
	r.awaitAnnounced(t)
	r.seenAt(t, alice, r.chain.Mine())
	mu.Lock()
	defer mu.Unlock()
	if want := strings.TrimPrefix(node.URL, "https://"); len(connects) == 0 || connects[0] != want {
		t.Errorf("the proxy was asked for %q, want %s", connects, want)
	}
}
